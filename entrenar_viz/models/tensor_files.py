"""What every reader of model files shares: a tensor where it is stored, the file while it is unchanged, the words.

Whatever is wrong with a file, any garbage in it included, raises WeightsError with the file and the reason. Files are
read a tensor at a time, at the moment it is asked for, never mapped: a mapped file that somebody truncates would take
the whole kernel down. Checkpoints of PyTorch are the one exception (see ``torch_files``).
"""

import math
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from entrenar_viz.errors import WeightsError

FLOATS = {  # what can be pruned, as numpy and ml_dtypes call it, and the bytes of one number
    "float32": 4,
    "float16": 2,
    "float64": 8,
    "bfloat16": 2,
    "float8_e4m3fn": 1,
    "float8_e5m2": 1,
    "float8_e4m3fnuz": 1,
    "float8_e5m2fnuz": 1,
}
MAX_UNPACKED = 4 << 30  # bytes that one compressed tensor may unpack to
MAX_DEFLATE = 1032  # the format cannot compress better than this, so a directory that says so lies
_NAME_LENGTH = 80
_BEGINNING = 23  # of a longer name, in characters; the rest of _NAME_LENGTH is its end


@dataclass(frozen=True)
class Stored:
    """A tensor where it is: shape, number format by its numpy name, and how to read it.

    ``file`` is the one that holds it, where the source has several. ``refused`` says why it is no tensor to prune,
    where that is not for its shape or format. ``part`` reads ``[start:stop]`` of the first axis, where that takes less
    than reading all. ``kind`` is the class of the module or the operation that it belongs to, if known, and ``note``
    what is to be known of how it is read.
    """

    shape: tuple[int, ...]
    dtype: str
    read: Callable[[], NDArray[Any]]
    file: str = ""
    refused: str = ""
    part: Callable[[int, int], NDArray[Any]] | None = None
    kind: str = ""
    note: str = ""


Stamp = tuple[int, int, int]
Again = Callable[[], AbstractContextManager[IO[bytes]]]  # opens the same, unchanged file once more


def stamp_of(file: IO[bytes] | Path) -> Stamp:
    """What tells whether a file is still the same: its number, size and time of change."""
    found = os.stat(file if isinstance(file, Path) else file.fileno())
    return found.st_ino, found.st_size, found.st_mtime_ns


@contextmanager
def reading(path: Path, stamp: Stamp | None = None) -> Iterator[IO[bytes]]:
    """The file, opened; WeightsError for a pipe or device, and for one that no longer has the ``stamp``."""
    if path.exists() and not path.is_file():
        raise WeightsError(f"{path}: is neither a file nor a folder")  # opening a pipe would wait for ever
    with path.open("rb") as file:
        if stamp is not None and stamp != stamp_of(file):
            raise WeightsError(f"{path}: has changed since it was opened, load it again")
        yield file


def from_bytes(again: Again, offset: int, dtype: str, shape: tuple[int, ...], *rows: int) -> NDArray[Any]:
    """The tensor from the bytes of a file, lowest first, or ``rows`` of it, (start, stop)."""
    first, last = rows or (0, shape[0] if shape else 1)
    row = math.prod(shape[1:]) * FLOATS[dtype]
    wanted = (last - first, *shape[1:]) if rows else shape
    with again() as file:
        file.seek(offset + first * row)
        return as_numbers(np.fromfile(file, np.uint8, (last - first) * row), dtype).reshape(wanted)


def as_numbers(content: NDArray[Any], dtype: str) -> NDArray[Any]:
    """The bytes of an array, lowest first, as numbers of one of FLOATS."""
    import ml_dtypes

    return content.view(np.dtype(getattr(ml_dtypes, dtype, dtype)).newbyteorder("<"))


def optional(module: str, extra: str, what: str) -> Any:
    """A module of an extra; WeightsError, which names the extra, if it is not installed. ``what`` needs it."""
    try:
        return import_module(module)
    except ImportError:
        raise WeightsError(f'{what} needs {module}: pip install "entrenar-viz[{extra}]"') from None


def shown(name: object) -> str:
    """A name from outside, quoted, and shortened in the middle: of a path, the end says which file it is.

    >>> shown("/home/" + 90 * "very/long/" + "model.npy")
    "'/home/very/long/very/l…/long/very/long/very/long/very/long/very/long/model.npy'"
    """
    text = repr(name)
    return text if len(text) <= _NAME_LENGTH else f"{text[:_BEGINNING]}…{text[_BEGINNING + 1 - _NAME_LENGTH :]}"


def first_reasons(reasons: Mapping[str, str]) -> str:
    """The first three of ``reasons`` by names from outside."""
    return "; ".join(f"{shown(name)}: {reason}" for name, reason in list(reasons.items())[:3])


def listed(names: list[str], most: int) -> str:
    """The first ``names`` from outside, and how many more there are."""
    more = f" and {len(names) - most:,} more" if len(names) > most else ""
    return ", ".join(map(shown, names[:most])) + more


@contextmanager
def blame(where: str) -> Iterator[None]:
    """Turn whatever goes wrong into a WeightsError that names the place."""
    try:
        yield
    except WeightsError:
        raise
    except Exception as error:  # parsers of three formats on anyone's bytes: no list of their errors is complete
        raise WeightsError(f"{where}: {reason(error)}") from error


def reason(error: Exception) -> str:
    """Why something could not be read, in words, without the path that errors of the system name."""
    if isinstance(error, OSError):
        return f"cannot be read: {error.strerror or error or type(error).__name__}"
    return str(error) or type(error).__name__
