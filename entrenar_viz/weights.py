"""Weight matrices: samples that come with the package, arrays, and model files (.npy .npz .safetensors, no pickle).

Whatever cannot be read or pruned raises WeightsError with the file, the tensor and the reason; so does any garbage in
a file. Files are read a tensor at a time, at the moment it is asked for, never mapped: a mapped file that somebody
truncates would take the whole kernel down.
"""

import json
import math
import os
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from entrenar_viz.errors import WeightsError

Matrix = NDArray[np.floating[Any]]  # 2-D, (out, rest), float32, C-contiguous, read-only

# What the samples are, in the order in which they are offered.
SAMPLES: dict[str, str] = {
    "digits network": "trained on scikit-learn's handwritten digits: three real layers",
    "gaussian": "Kaiming initialisation, 256 x 256: a network before training",
    "outlier columns": "heavy tails and a few large columns, 256 x 256: as in large language models",
    "low rank": "rank 8 plus noise, 256 x 256: rows and columns differ in strength",
}
_CODES = {  # of safetensors, and what numpy and ml_dtypes call them
    "F32": "float32",
    "F16": "float16",
    "F64": "float64",
    "BF16": "bfloat16",
    "F8_E4M3": "float8_e4m3fn",
    "F8_E5M2": "float8_e5m2",
    "F8_E4M3FNUZ": "float8_e4m3fnuz",
    "F8_E5M2FNUZ": "float8_e5m2fnuz",
}
FLOATS = tuple(_CODES.values())
MAX_UNPACKED = 4 << 30  # bytes that one compressed tensor of an .npz may unpack to
MAX_DEFLATE = 1032  # the format cannot compress better than this, so a directory that says so lies
_PICKLES = (".pt", ".pth", ".bin", ".ckpt", ".pkl", ".pickle")
_NAME_LENGTH = 80


@dataclass(frozen=True)
class _Stored:
    shape: tuple[int, ...]
    dtype: str
    read: Callable[[], NDArray[Any]]


class Tensors:
    """The tensors of one source, read when asked for: ``for name in tensors: tensors.matrix(name)``.

    ``source`` is the name to show, ``names`` lists what can be pruned (2-D or more, not empty, floating point) in the
    order of the source, ``skipped`` has the reason for each of the others. Names are text from outside: never HTML.
    """

    def __init__(self, source: str, stored: Mapping[str, _Stored]) -> None:
        self.source = source
        self._stored = dict(stored)
        reasons = {name: _not_prunable(one) for name, one in self._stored.items()}
        self.skipped: dict[str, str] = {name: reason for name, reason in reasons.items() if reason}
        self.names: list[str] = [name for name, reason in reasons.items() if not reason]
        if not self.names:
            why = "; ".join(f"{_shown(name)}: {reason}" for name, reason in list(self.skipped.items())[:3])
            raise WeightsError(f"{source}: no tensor here can be pruned ({why or 'there is none at all'})")

    def shape(self, name: str) -> tuple[int, ...]:
        """The shape as stored; WeightsError if there is no such tensor."""
        return self._find(name).shape

    def dtype(self, name: str) -> str:
        """The number format as stored, by its numpy name (``bfloat16``); WeightsError if there is no such tensor."""
        return self._find(name).dtype

    def matrix(self, name: str) -> Matrix:
        """The tensor as (out, rest), float32, read now.

        WeightsError if it cannot be read or pruned, or if weights are NaN, infinite or beyond float32.
        """
        found, where = self._find(name), f"{self.source}: {_shown(name)}"
        if name in self.skipped:
            raise WeightsError(f"{where}: {self.skipped[name]}")
        with _blame(where):
            values = found.read()
        matrix = finite_float32(values, where).reshape(found.shape[0], -1)
        matrix.flags.writeable = False  # it may be the user's own array or a cached sample
        return matrix

    def _find(self, name: str) -> _Stored:
        if name not in self._stored:
            raise WeightsError(f"{self.source}: has no tensor {_shown(name)}")
        return self._stored[name]

    def __getitem__(self, name: str) -> Matrix:
        return self.matrix(name)

    def __iter__(self) -> Iterator[str]:
        return iter(self.names)

    def __contains__(self, name: object) -> bool:
        return name in self.names

    def __len__(self) -> int:
        return len(self.names)


def load_weights(source: ArrayLike | Mapping[str, ArrayLike] | str | os.PathLike[str] | Tensors) -> Tensors:
    """Weights from an array, a dict of arrays, or a path to an .npy, .npz or .safetensors file.

    Only headers are read here; ``Tensors.matrix`` reads the numbers. WeightsError names file, tensor and reason.
    """
    if isinstance(source, Tensors):
        return source
    if isinstance(source, (str, os.PathLike)):
        return _open(source)
    if isinstance(source, Mapping):
        return Tensors("arrays", {_text(name): _in_memory(value, name) for name, value in source.items()})
    return Tensors("array", {"weights": _in_memory(source, "weights")})


def sample(name: str) -> dict[str, Matrix]:
    """The matrices of one of SAMPLES, the same on every call; WeightsError for another name."""
    if name not in SAMPLES:
        raise WeightsError(f"no sample is called {_shown(name)}: use one of {', '.join(SAMPLES)}")
    return dict(_sample(name))


def as_array(value: object, where: str) -> NDArray[Any]:
    """``value`` as numpy sees it, not copied if it is an array; WeightsError if numpy cannot make one of it."""
    with _blame(where):
        array: NDArray[Any] = np.asarray(value)  # torch tensors on the CPU convert themselves
    if isinstance(value, np.ma.MaskedArray):
        raise WeightsError(f"{where}: a masked array would lose its mask, fill it first")
    return array


def finite_float32(values: NDArray[Any], where: str) -> NDArray[np.float32]:
    """``values`` as C-contiguous float32, copied only if needed.

    WeightsError, which starts with ``where``, for other than floating point numbers and for weights that are NaN,
    infinite or beyond float32: how many, and where the first one is.
    """
    if values.dtype.name not in FLOATS:
        raise WeightsError(f"{where}: {_not_floating(values.dtype.name)}")
    with np.errstate(over="ignore", invalid="ignore"):
        single = values.astype(np.float32, order="C", copy=False)
    finite = np.isfinite(single)
    if not finite.all():
        first = tuple(int(i) for i in np.unravel_index(finite.argmin(), finite.shape))
        bad = f"{finite.size - np.count_nonzero(finite):,} of {finite.size:,} weights"
        raise WeightsError(f"{where}: {bad} are not finite as float32, the first is {values[first]} at {list(first)}")
    return single


@cache
def _sample(name: str) -> dict[str, Matrix]:
    if name == "digits network":
        tensors = load_weights(Path(__file__).parent / "samples" / "digits.safetensors")
    else:
        tensors = load_weights({"weight": _drawn(name, np.random.default_rng(1710)).astype(np.float32)})
    return {layer: tensors.matrix(layer) for layer in tensors}


def _drawn(name: str, rng: np.random.Generator, size: int = 256) -> NDArray[np.float64]:
    """Entries of about Kaiming's standard deviation, sqrt(2 / fan_in) (He et al. 2015, arXiv:1502.01852)."""
    std = math.sqrt(2 / size)
    if name == "gaussian":
        return std * rng.standard_normal((size, size))
    if name == "outlier columns":
        columns = np.ones(size)
        columns[rng.choice(size, 6, replace=False)] = 6
        return std * columns * rng.standard_t(3, (size, size)) / math.sqrt(3)  # t(3) has variance 3
    product = rng.standard_normal((size, 8)) @ rng.standard_normal((8, size)) / math.sqrt(8)
    return std * (product + 0.1 * rng.standard_normal((size, size)))


def _not_prunable(stored: _Stored) -> str:
    if stored.dtype not in FLOATS:
        return _not_floating(stored.dtype)
    if len(stored.shape) < 2:
        return "1-D: biases and norms are not pruned" if stored.shape else "a single number, not a matrix"
    return "" if math.prod(stored.shape) else f"empty: shape {list(stored.shape)}"


def _not_floating(dtype: str) -> str:
    if dtype == "object":
        return "Python objects would have to be unpickled, which can run code: save plain numbers"
    if dtype.startswith("void"):
        return f"{dtype}: .npy forgets bfloat16 and float8, save them as .safetensors"
    return f"{dtype}: weights are float16, float32, float64, bfloat16 or float8"


def _shown(name: object) -> str:
    return f"{name!r:.{_NAME_LENGTH}}"


def _text(name: object) -> str:
    if not isinstance(name, str):
        raise WeightsError(f"arrays: names of tensors are text, not {_shown(name)}")
    return name


@contextmanager
def _blame(where: str) -> Iterator[None]:
    """Turn whatever goes wrong into a WeightsError that names the place."""
    try:
        yield
    except WeightsError:
        raise
    except OSError as error:
        raise WeightsError(f"{where}: cannot be read: {error.strerror or error}") from error
    except Exception as error:  # parsers of three formats on anyone's bytes: no list of their errors is complete
        raise WeightsError(f"{where}: {error or type(error).__name__}") from error


def _in_memory(value: object, name: str) -> _Stored:
    array = as_array(value, _shown(name))
    return _Stored(array.shape, array.dtype.name, lambda: array)


def _open(given: str | os.PathLike[str]) -> Tensors:
    path = Path(given).expanduser()
    readers = {".npy": _npy, ".npz": _npz, ".safetensors": _safetensors}
    suffix = path.suffix.lower()
    if suffix in _PICKLES:
        raise WeightsError(f"{path}: {suffix} is a pickle, which can run code: save it as .safetensors")
    with _blame(str(path)):
        if path.is_dir():
            raise WeightsError(f"{path}: is a folder: name a file in it")
        if suffix not in readers:
            raise WeightsError(f"{path}: the name must end in {', '.join(readers)}")
        with _reading(path) as file:
            stored = readers[suffix](file, partial(_reading, path, _stamp(file)))
    return Tensors(str(path), stored)


Again = Callable[[], AbstractContextManager[IO[bytes]]]  # opens the same, unchanged file once more


def _stamp(file: IO[bytes]) -> tuple[int, int, int]:
    found = os.fstat(file.fileno())
    return found.st_ino, found.st_size, found.st_mtime_ns


@contextmanager
def _reading(path: Path, stamp: tuple[int, int, int] | None = None) -> Iterator[IO[bytes]]:
    if path.exists() and not path.is_file():
        raise WeightsError(f"{path}: is neither a file nor a folder")  # opening a pipe would wait for ever
    with path.open("rb") as file:
        if stamp is not None and stamp != _stamp(file):
            raise WeightsError(f"{path}: has changed since it was opened, load it again")
        yield file


def _npy(file: IO[bytes], again: Again) -> dict[str, _Stored]:
    shape, dtype = _npy_header(file, os.fstat(file.fileno()).st_size)
    return {Path(file.name).stem: _Stored(shape, dtype, partial(_npy_array, again))}


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


def _npz(file: IO[bytes], again: Again) -> dict[str, _Stored]:
    stored: dict[str, _Stored] = {}
    with zipfile.ZipFile(file) as archive:
        for member in archive.infolist():
            name = member.filename.removesuffix(".npy")
            if name in stored:
                raise ValueError(f"holds {_shown(name)} twice")
            with _blame(f"{file.name}: {_shown(name)}"):
                stored[name] = _npz_member(archive, member, again)
    return stored


def _npz_member(archive: zipfile.ZipFile, member: zipfile.ZipInfo, again: Again) -> _Stored:
    read = partial(_npz_array, again, member.filename)
    if not member.filename.endswith(".npy"):
        return _Stored((), "no .npy file", read)
    _check_unpacked_size(member)
    with archive.open(member) as file:
        return _Stored(*_npy_header(file, member.file_size), read)


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


def _safetensors(file: IO[bytes], again: Again) -> dict[str, _Stored]:
    from safetensors import safe_open

    with safe_open(file.name, framework="numpy"):
        pass  # opening checks all of the header: sizes, gaps, overlaps, formats
    length = int.from_bytes(file.read(8), "little")
    header = json.loads(file.read(length))
    header.pop("__metadata__", None)
    return {name: _safetensor(entry, 8 + length, again) for name, entry in header.items()}


def _safetensor(entry: dict[str, Any], data: int, again: Again) -> _Stored:
    shape, (begin, end) = tuple(entry["shape"]), entry["data_offsets"]
    dtype = _CODES.get(entry["dtype"], entry["dtype"])
    return _Stored(shape, dtype, partial(_raw, again, data + begin, end - begin, dtype, shape))


def _raw(again: Again, offset: int, size: int, dtype: str, shape: tuple[int, ...]) -> NDArray[Any]:
    """The tensor from its bytes: safetensors 0.8 itself cannot give float8 to numpy."""
    import ml_dtypes

    kind = np.dtype(getattr(ml_dtypes, dtype, dtype)).newbyteorder("<")
    with again() as file:
        file.seek(offset)
        return np.fromfile(file, np.uint8, size).view(kind).reshape(shape)
