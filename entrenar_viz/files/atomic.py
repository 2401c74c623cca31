"""Files and folders written whole or not at all."""

import os
import shutil
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
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=_prefix(path), suffix=".tmp")
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


@contextmanager
def whole_folder(path: Path, *, overwrite: bool) -> Iterator[Path]:
    """A temporary folder to fill, which takes the place of ``path`` at the end, and only if nothing was raised.

    An empty folder at ``path`` gives way. With ``overwrite`` so does any other: it is set aside as
    ``.NAME.*.tmp.old`` for the moment in which the new one takes its place, and deleted then. A process that is killed
    may leave that, or its unfinished ``.NAME.*.tmp``, beside ``path``.
    """
    _check_parent(path)
    try:
        temporary = Path(tempfile.mkdtemp(dir=path.parent, prefix=_prefix(path), suffix=".tmp"))
    except OSError as error:
        raise type(error)(error.errno, error.strerror, str(path)) from None  # not the name of the temporary folder
    try:
        yield temporary
        for file in temporary.rglob("*"):
            if file.is_file():
                _flush(file)
        temporary.chmod(0o777 & ~_umask())
        _put_folder(temporary, path, overwrite)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _prefix(path: Path) -> str:
    """How a temporary name begins: of a long name with its beginning, since file systems take 255 bytes."""
    return f".{path.name[:40]}."


def _put_folder(temporary: Path, path: Path, overwrite: bool) -> None:
    if path.is_symlink() or (path.exists() and not path.is_dir()):
        raise FileExistsError(f"{path} is no folder: choose another name")
    if path.exists() and not any(path.iterdir()):
        path.rmdir()
    elif path.exists() and not overwrite:
        raise _exists(path)
    if not path.exists():
        temporary.rename(path)
        return
    old = path.rename(f"{temporary}.old")
    try:
        temporary.rename(path)
    except OSError:
        old.rename(path)
        raise
    shutil.rmtree(old, ignore_errors=True)


def check_place(path: Path, *, overwrite: bool = True) -> None:
    """Raise what would be raised at the end, before the work: ``path`` is a folder, has none, or is there already."""
    if path.is_dir():
        raise IsADirectoryError(f"{path} is a folder: add a file name, for example {path / 'pruning.json'}")
    _check_parent(path)
    if path.exists() and not overwrite:
        raise _exists(path)


def _check_parent(path: Path) -> None:
    if not path.parent.is_dir():
        raise FileNotFoundError(f"{path.parent} does not exist: create that folder first, or choose another")


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
    return 0o666 & ~_umask()


def _umask() -> int:
    umask = os.umask(0)
    os.umask(umask)
    return umask
