"""Models of Keras: HDF5 (.h5, .weights.h5) and .keras, an archive with an HDF5 file in it. Keras itself is not needed.

A .keras is not unpacked: Keras stores that file in it as it is, so it is read in its place.
"""

import io
import math
import re
import zipfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from entrenar_viz.errors import WeightsError
from entrenar_viz.models.tensor_files import MAX_DEFLATE, MAX_UNPACKED, Again, Stored, blame, optional, shown

WEIGHTS = "model.weights.h5"  # in a .keras
DEEPEST = 32  # groups in groups; more of them mean harm
_OPTIMIZER = ("optimizer", "optimizer_weights")
_NUMBERED = re.compile(r"(.*)\.vars\.(\d+)")  # how Keras 3 names variables: by the place in their layer


def read_h5(file: IO[bytes], again: Again) -> dict[str, Stored]:
    """The datasets of an .h5 by their paths, parts joined by dots."""
    return _read(file, again, 0, -1)


def read_keras(file: IO[bytes], again: Again) -> dict[str, Stored]:
    """The same of the HDF5 file in a .keras."""
    return _read(file, again, *_place(file))


def _read(file: IO[bytes], again: Again, start: int, size: int) -> dict[str, Stored]:
    path = Path(file.name)
    h5py = optional("h5py", "keras", f"{path}: {path.suffix}")
    stored: dict[str, Stored] = {}
    with h5py.File(_Window(file, start, size), "r") as opened:
        for name, dataset in _datasets(opened, "", set()):
            called = _called(name)
            if called in stored:
                raise WeightsError(f"{path}: holds {shown(called)} twice")
            with blame(f"{path}: {shown(called)}"):
                stored[called] = _stored(dataset, called, partial(_array, again, start, size, name))
    return stored


def _datasets(group: Any, path: str, seen: set[int]) -> Iterator[tuple[str, Any]]:
    """All datasets below ``group`` with their paths, links not followed: they may lead out of the file."""
    import h5py

    place = h5py.h5o.get_info(group.id).addr
    if place in seen or path.count("/") > DEEPEST:
        raise ValueError(f"the group {shown(path)} is in itself, or more than {DEEPEST} deep")
    seen.add(place)
    for name in group:
        if not isinstance(group.get(name, getlink=True), h5py.HardLink):
            raise ValueError(f"{shown(path + name)} is a link, which may lead out of the file")
        found = group[name]
        if isinstance(found, h5py.Group):
            yield from _datasets(found, f"{path}{name}/", seen)
        elif isinstance(found, h5py.Dataset):
            yield f"{path}{name}", found


def _called(path: str) -> str:
    """The name of the tensor at ``path``: without the group that says "weights of the model", and without ``:0``."""
    return path.removeprefix("model_weights/").removesuffix(":0").replace("/", ".")


def _stored(dataset: Any, name: str, read: partial[NDArray[Any]]) -> Stored:
    shape, dtype = tuple(dataset.shape or ()), _dtype(dataset)
    if name.split(".", 1)[0] in _OPTIMIZER:
        return Stored(shape, dtype, partial(read, dtype), refused="of the optimizer: not pruned")
    _check_storage(dataset)
    return Stored(shape, dtype, partial(read, dtype), part=partial(read, dtype), kind=_kind(name))


def _dtype(dataset: Any) -> str:
    """The number format; HDF5 has none for bfloat16, which Keras names beside it."""
    told = dataset.attrs.get("dtype", "") if dataset.dtype.kind == "V" else ""
    return "bfloat16" if told == "bfloat16" and dataset.dtype.itemsize == 2 else str(dataset.dtype.name)


def _check_storage(dataset: Any) -> None:
    """Refuse numbers that are not all in the file, and more than its bytes can hold."""
    if dataset.is_virtual or dataset.external:
        raise ValueError("keeps its numbers in other files")
    if dataset.compression not in (None, "gzip", "lzf"):
        raise ValueError(f"is packed by {shown(dataset.compression)}")
    says, holds = math.prod(dataset.shape or ()) * dataset.dtype.itemsize, dataset.id.get_storage_size()
    most = holds if dataset.compression is None else min(holds * MAX_DEFLATE, MAX_UNPACKED)
    if says > most:
        raise ValueError(f"says that it has {says:,} bytes, and {holds:,} are stored")


def _kind(name: str) -> str:
    """What a variable without a name of its own is, by the layer that it belongs to."""
    found = _NUMBERED.fullmatch(name)
    if not found or "embed" in found[1]:
        return ""
    layer, place = found[1].rpartition(".")[2], int(found[2])
    if "depthwise" in layer or ("separable" in layer and place == 0):
        return "depthwise_kernel" if place == 0 else "bias"
    recurrent = layer == "cell" or layer.endswith("_cell")
    return "kernel" if place == 0 or (place == 1 and (recurrent or "separable" in layer)) else "bias"


def _array(again: Again, start: int, size: int, path: str, dtype: str, *rows: int) -> NDArray[Any]:
    """A dataset, or (start, stop) of its rows."""
    import h5py

    with again() as file, h5py.File(_Window(file, start, size), "r") as opened:
        found = opened[path]
        _check_storage(found)
        values = np.asarray(found[slice(*rows)] if rows else found[()])
    if dtype == "bfloat16":
        import ml_dtypes

        return values.view(ml_dtypes.bfloat16)
    return values


def _place(file: IO[bytes]) -> tuple[int, int]:
    """Where in a .keras its weights are: the first byte, and how many."""
    with zipfile.ZipFile(file) as archive:
        if WEIGHTS not in archive.namelist():
            raise ValueError(f"holds no {WEIGHTS}")
        member = archive.getinfo(WEIGHTS)
        if member.compress_type != zipfile.ZIP_STORED or member.flag_bits & 1:
            raise ValueError(f"its {WEIGHTS} is packed, which Keras does not do: unzip it and open that file")
        archive.open(member).close()  # which looks at its own header
    file.seek(member.header_offset)
    header = file.read(30)
    return member.header_offset + 30 + header[26] + 256 * header[27] + header[28] + 256 * header[29], member.file_size


class _Window(io.RawIOBase):
    """A part of a file as if it were one, to read only; to its end for a negative ``size``."""

    def __init__(self, file: IO[bytes], start: int, size: int) -> None:
        self._file, self._start, self._at = file, start, 0
        behind = file.seek(0, io.SEEK_END)
        self._size = behind - start if size < 0 else min(size, behind - start)

    def readable(self) -> bool:
        """Whether it can be read."""
        return True

    def seekable(self) -> bool:
        """Whether it can be read at any place."""
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to a place."""
        self._at = offset + (0, self._at, self._size)[whence]
        return self._at

    def readinto(self, buffer: Any) -> int:
        """Fill ``buffer`` as far as there is something left."""
        view = memoryview(buffer).cast("B")
        self._file.seek(self._start + self._at)
        content = self._file.read(max(min(len(view), self._size - self._at), 0))
        view[: len(content)] = content
        self._at += len(content)
        return len(content)
