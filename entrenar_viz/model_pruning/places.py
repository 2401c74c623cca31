"""Where the numbers of each tensor lie in a model file, byte by byte."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import IO, Any

import numpy as np

from entrenar_viz.models.numpy_files import npy_array_header
from entrenar_viz.models.safetensors_files import entries_of


@dataclass(frozen=True)
class Place:
    """One tensor in a file: its first number is at byte ``offset``, the last axis of ``shape`` is the quickest.

    ``kind`` is the number format with its byte order. In an .npy file ``is_fortran`` may say that the first axis is
    the quickest.
    """

    offset: int
    shape: tuple[int, ...]
    kind: "np.dtype[Any]"
    is_fortran: bool = False

    @property
    def count(self) -> int:
        """How many numbers there are."""
        return math.prod(self.shape)

    @property
    def bits(self) -> "np.dtype[Any]":
        """Unsigned integers of the same size and byte order: numbers that are never rounded."""
        return np.dtype(f"{'>' if self.kind.byteorder == '>' else '<'}u{self.kind.itemsize}")


def safetensors_places(file: IO[bytes], dtypes: Mapping[str, str]) -> dict[str, Place]:
    """The places of the tensors in ``dtypes``, which has the numpy name of the number format of each."""
    import ml_dtypes

    entries, data = entries_of(file)
    places = {}
    for name, dtype in dtypes.items():
        kind = np.dtype(getattr(ml_dtypes, dtype, dtype)).newbyteorder("<")
        places[name] = Place(data + entries[name]["data_offsets"][0], tuple(entries[name]["shape"]), kind)
    return places


def npy_place(file: IO[bytes]) -> Place:
    """The place of the array in ``file``, an .npy file from its first byte on."""
    file.seek(0)
    shape, is_fortran, kind = npy_array_header(file)
    return Place(file.tell(), tuple(int(length) for length in shape), kind, is_fortran)


def zeros(bits: "np.ndarray[Any, np.dtype[Any]]", kind: "np.dtype[Any]") -> int:
    """How many of the numbers of ``kind`` with these ``bits`` are zero, of either sign."""
    if kind.name.endswith("fnuz"):  # has one zero; what would be minus zero is its NaN
        return bits.size - int(np.count_nonzero(bits))
    return bits.size - int(np.count_nonzero(bits << bits.dtype.type(1)))
