"""Files written whole or not at all."""

import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def write_atomically(path: Path, content: bytes, *, overwrite: bool, before: bytes | None = None) -> Path:
    """Put ``content`` at ``path`` so that a reader finds the old file or the new one, never half of one.

    With ``before``, only in the place of exactly these bytes: FileExistsError if another program has written since.
    """
    with whole_file(path, overwrite=overwrite, before=before) as temporary:
        temporary.write_bytes(content)
    return path


@contextmanager
def whole_file(path: Path, *, overwrite: bool, before: bytes | None = None) -> Iterator[Path]:
    """A temporary file to write in, which takes the place of ``path`` at the end, and only if nothing was raised.

    A process that is killed may leave its unfinished file beside ``path``, as ``.NAME.*.tmp``. It is in nobody's way
    and can be deleted; nothing here deletes it, since it cannot be told from that of a writer at work.
    """
    check_place(path)
    try:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".tmp")
    except OSError as error:
        raise type(error)(error.errno, error.strerror, str(path)) from None  # not the name of the temporary file
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        _flush(temporary)
        temporary.chmod(_mode_for(path))
        if before is not None and (not path.exists() or path.read_bytes() != before):
            raise FileExistsError(f"{path} has been changed by another program meanwhile: read it again")
        _put(temporary, path, overwrite)
    finally:
        temporary.unlink(missing_ok=True)


def check_place(path: Path, *, overwrite: bool = True) -> None:
    """Raise what would be raised at the end, before the work: ``path`` is a folder, has none, or is there already."""
    if path.is_dir():
        raise IsADirectoryError(f"{path} is a folder: add a file name, for example {path / 'pruning.json'}")
    if not path.parent.is_dir():
        raise FileNotFoundError(f"{path.parent} does not exist: create that folder first, or choose another")
    if path.exists() and not overwrite:
        raise _exists(path)


def _flush(path: Path) -> None:
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def _put(temporary: Path, path: Path, overwrite: bool) -> None:
    try:
        if not overwrite:
            os.link(temporary, path)  # unlike a check before a rename, this cannot race with another writer
            return
    except FileExistsError:
        raise _exists(path) from None
    except OSError:  # a file system without hard links
        if path.exists():
            raise _exists(path) from None
    os.replace(temporary, path)


def _exists(path: Path) -> FileExistsError:
    return FileExistsError(f"{path} exists already: pass overwrite=True to replace it")


def _mode_for(path: Path) -> int:
    if path.exists():
        return stat.S_IMODE(path.stat().st_mode)
    umask = os.umask(0)
    os.umask(umask)
    return 0o666 & ~umask
