"""Files of numpy, .npy and .npz: the numbers as they are, and never an object that would have to be unpickled."""

import math
import os
import zipfile
from functools import partial
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from entrenar_viz.models.tensor_files import MAX_DEFLATE, MAX_UNPACKED, Again, Stored, blame, shown


def read_npy(file: IO[bytes], again: Again) -> dict[str, Stored]:
    """The array of an .npy, by the name of the file; only the header is read."""
    shape, dtype = _npy_header(file, os.fstat(file.fileno()).st_size)
    return {Path(file.name).stem: Stored(shape, dtype, partial(_npy_array, again))}


def _npy_array(again: Again) -> NDArray[Any]:
    with again() as file:
        return np.lib.format.read_array(file, allow_pickle=False)


def _npy_header(file: IO[bytes], size: int) -> tuple[tuple[int, ...], str]:
    """Shape and dtype, once the ``size`` in bytes has been seen to fit them."""
    shape, _, dtype = npy_array_header(file)
    promised, found = math.prod(shape) * dtype.itemsize, size - file.tell()
    if not dtype.hasobject and (promised != found or min(shape, default=0) < 0):
        raise ValueError(f"is broken: {found:,} bytes follow, but {list(shape)} {dtype} takes {promised:,}")
    return tuple(int(length) for length in shape), dtype.name


def npy_array_header(file: IO[bytes]) -> tuple[tuple[int, ...], bool, "np.dtype[Any]"]:
    """Shape, whether the first axis is the quickest, and dtype; the numbers follow."""
    version = np.lib.format.read_magic(file)
    if version not in ((1, 0), (2, 0)):
        raise ValueError(f"npy format {version} is for records, not for weights")
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    return read(file)


def read_npz(file: IO[bytes], again: Again) -> dict[str, Stored]:
    """The arrays of an .npz by name; only their headers are read."""
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
