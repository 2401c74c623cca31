"""Single model files (.npy .npz .safetensors, no pickle): what they hold, and how to read one tensor of them.

Whatever is wrong with a file, any garbage in it included, raises WeightsError with the file and the reason. Files are
read a tensor at a time, at the moment it is asked for, never mapped: a mapped file that somebody truncates would take
the whole kernel down.
"""

import json
import math
import os
import zipfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from entrenar_viz.errors import WeightsError

_FORMATS = {  # by their code in safetensors: what numpy and ml_dtypes call them, and the bytes of one number
    "F32": ("float32", 4),
    "F16": ("float16", 2),
    "F64": ("float64", 8),
    "BF16": ("bfloat16", 2),
    "F8_E4M3": ("float8_e4m3fn", 1),
    "F8_E5M2": ("float8_e5m2", 1),
    "F8_E4M3FNUZ": ("float8_e4m3fnuz", 1),
    "F8_E5M2FNUZ": ("float8_e5m2fnuz", 1),
}
FLOATS = dict(_FORMATS.values())
MAX_UNPACKED = 4 << 30  # bytes that one compressed tensor of an .npz may unpack to
MAX_DEFLATE = 1032  # the format cannot compress better than this, so a directory that says so lies
_PICKLES = (".pt", ".pth", ".bin", ".ckpt", ".pkl", ".pickle")
_OTHERS = {  # what is known of formats that are not read, by their endings
    ".onnx": "holds a graph of operations",
    ".gguf": "holds weights that are quantised for inference already",
    ".h5": "is HDF5, in which Keras keeps more than weights",
    ".keras": "is an archive of Keras",
    ".tflite": "is a model compiled for inference",
    ".pb": "holds a graph of TensorFlow",
    ".msgpack": "is what Flax serialises",
}
_SAVE = "save its weights as .safetensors: safetensors.numpy.save_file({name: array, ...}, path)"
_NAME_LENGTH = 80
_BEGINNING = 23  # of a longer name, in characters; the rest of _NAME_LENGTH is its end


@dataclass(frozen=True)
class Stored:
    """A tensor where it is: shape, number format by its numpy name, and how to read it.

    ``file`` is the one that holds it, where the source has several. ``refused`` says why it is no tensor to prune,
    where that is not for its shape or format. ``part`` reads ``[start:stop]`` of the first axis, where that takes less
    than reading all.
    """

    shape: tuple[int, ...]
    dtype: str
    read: Callable[[], NDArray[Any]]
    file: str = ""
    refused: str = ""
    part: Callable[[int, int], NDArray[Any]] | None = None


def open_model(path: Path) -> dict[str, Stored]:
    """The tensors of the file there by name; only headers are read."""
    readers = {".npy": _npy, ".npz": _npz, ".safetensors": _safetensors}
    suffix = path.suffix.lower()
    with blame(str(path)):
        if suffix not in readers and not path.exists():
            raise WeightsError(f"{path}: does not exist")
        if suffix in _PICKLES:
            raise WeightsError(f"{path}: {suffix} is a pickle, which can run code: save it as .safetensors")
        if suffix in _OTHERS:
            raise WeightsError(f"{path}: {suffix} {_OTHERS[suffix]} and is not read here: {_SAVE}")
        if path.is_dir():
            raise WeightsError(f"{path}: is a folder, not a file")
        if suffix not in readers:
            raise WeightsError(f"{path}: the name must end in {', '.join(readers)} or .index.json")
        with reading(path) as file:
            return readers[suffix](file, partial(reading, path, _stamp(file)))


Again = Callable[[], AbstractContextManager[IO[bytes]]]  # opens the same, unchanged file once more


def _stamp(file: IO[bytes]) -> tuple[int, int, int]:
    found = os.fstat(file.fileno())
    return found.st_ino, found.st_size, found.st_mtime_ns


@contextmanager
def reading(path: Path, stamp: tuple[int, int, int] | None = None) -> Iterator[IO[bytes]]:
    """The file, opened; WeightsError for a pipe or device, and for one that no longer has the ``stamp``."""
    if path.exists() and not path.is_file():
        raise WeightsError(f"{path}: is neither a file nor a folder")  # opening a pipe would wait for ever
    with path.open("rb") as file:
        if stamp is not None and stamp != _stamp(file):
            raise WeightsError(f"{path}: has changed since it was opened, load it again")
        yield file


def _npy(file: IO[bytes], again: Again) -> dict[str, Stored]:
    shape, dtype = _npy_header(file, os.fstat(file.fileno()).st_size)
    return {Path(file.name).stem: Stored(shape, dtype, partial(_npy_array, again))}


def _npy_array(again: Again) -> NDArray[Any]:
    with again() as file:
        return np.lib.format.read_array(file, allow_pickle=False)


def _npy_header(file: IO[bytes], size: int) -> tuple[tuple[int, ...], str]:
    """Shape and dtype, once the ``size`` in bytes has been seen to fit them."""
    version = np.lib.format.read_magic(file)
    if version not in ((1, 0), (2, 0)):
        raise ValueError(f"npy format {version} is for records, not for weights")
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, _, dtype = read(file)
    promised, found = math.prod(shape) * dtype.itemsize, size - file.tell()
    if not dtype.hasobject and (promised != found or min(shape, default=0) < 0):
        raise ValueError(f"is broken: {found:,} bytes follow, but {list(shape)} {dtype} takes {promised:,}")
    return tuple(int(length) for length in shape), dtype.name


def _npz(file: IO[bytes], again: Again) -> dict[str, Stored]:
    stored: dict[str, Stored] = {}
    with zipfile.ZipFile(file) as archive:
        for member in archive.infolist():
            name = member.filename.removesuffix(".npy")
            if name in stored:
                raise ValueError(f"holds {shown(name)} twice")
            with blame(f"{file.name}: {shown(name)}"):
                stored[name] = _npz_member(archive, member, again)
    return stored


def _npz_member(archive: zipfile.ZipFile, member: zipfile.ZipInfo, again: Again) -> Stored:
    read = partial(_npz_array, again, member.filename)
    if not member.filename.endswith(".npy"):
        return Stored((), "", read, refused="no .npy file")
    _check_unpacked_size(member)
    with archive.open(member) as file:
        return Stored(*_npy_header(file, member.file_size), read)


def _check_unpacked_size(member: zipfile.ZipInfo) -> None:
    packed, unpacked = member.compress_size, member.file_size
    if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise ValueError("is packed in a way that numpy does not write")
    most = min(packed * MAX_DEFLATE, MAX_UNPACKED) if member.compress_type == zipfile.ZIP_DEFLATED else packed
    if unpacked > most:
        raise ValueError(f"says that {packed:,} bytes unpack to {unpacked:,}: more than {most:,} is refused")


def _npz_array(again: Again, filename: str) -> NDArray[Any]:
    with again() as file, zipfile.ZipFile(file) as archive, archive.open(filename) as member:
        values: NDArray[Any] = np.lib.format.read_array(member, allow_pickle=False)
        member.read(1)  # the checksum is compared at the end only
        return values


def _safetensors(file: IO[bytes], again: Again) -> dict[str, Stored]:
    from safetensors import safe_open

    with safe_open(file.name, framework="numpy"):
        pass  # opening checks all of the header: sizes, gaps, overlaps, formats
    length = int.from_bytes(file.read(8), "little")
    header = json.loads(file.read(length))
    header.pop("__metadata__", None)
    return {name: _safetensor(entry, 8 + length, again) for name, entry in header.items()}


def _safetensor(entry: dict[str, Any], data: int, again: Again) -> Stored:
    shape, (begin, _) = tuple(entry["shape"]), entry["data_offsets"]
    dtype, _ = _FORMATS.get(entry["dtype"], (entry["dtype"], 0))
    read = partial(_raw, again, data + begin, dtype, shape)
    return Stored(shape, dtype, read, part=read)


def _raw(again: Again, offset: int, dtype: str, shape: tuple[int, ...], *rows: int) -> NDArray[Any]:
    """The tensor from its bytes, or ``rows`` of it: safetensors 0.8 itself cannot give float8 to numpy."""
    import ml_dtypes

    kind = np.dtype(getattr(ml_dtypes, dtype, dtype)).newbyteorder("<")
    first, last = rows or (0, shape[0] if shape else 1)
    row = math.prod(shape[1:]) * kind.itemsize
    wanted = (last - first, *shape[1:]) if rows else shape
    with again() as file:
        file.seek(offset + first * row)
        return np.fromfile(file, np.uint8, (last - first) * row).view(kind).reshape(wanted)


def shown(name: object) -> str:
    """A name from outside, quoted, and shortened in the middle: of a path, the end says which file it is.

    >>> shown("/home/" + 90 * "very/long/" + "model.npy")
    "'/home/very/long/very/l…/long/very/long/very/long/very/long/very/long/model.npy'"
    """
    text = repr(name)
    return text if len(text) <= _NAME_LENGTH else f"{text[:_BEGINNING]}…{text[_BEGINNING + 1 - _NAME_LENGTH :]}"


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
