"""One matrix to prune where it lies in a file: rows of it are read and written there, and nothing else is held."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from entrenar_viz.errors import WeightsError
from entrenar_viz.model_pruning.places import Place
from entrenar_viz.models.layout import Layout

_TURNED = 256  # inputs turned at a time
Bits = NDArray[np.unsignedinteger[Any]]


@dataclass(frozen=True, eq=False)
class StoredMatrix:
    """The matrix (out, rest) whose outputs are the axes ``outputs`` of those that lie in the file, ``sizes``.

    ``offset`` is that of its first number, ``order`` the axes with the outputs first. Rows are read and written as the
    ``bits`` of their numbers, unsigned integers, so that those that stay are the same to the bit.
    """

    file: IO[bytes]
    offset: int
    bits: "np.dtype[Any]"
    kind: "np.dtype[Any]"
    sizes: tuple[int, ...]
    order: tuple[int, ...]
    outputs: slice

    @property
    def grid(self) -> tuple[int, int]:
        """(out, rest)."""
        out = math.prod(self.sizes[self.outputs])
        return out, math.prod(self.sizes) // out

    @property
    def is_turned(self) -> bool:
        """Whether its rows do not lie one after the other, so that reading some of them means many small pieces."""
        return math.prod(self.sizes[: self.outputs.start]) > 1

    def rows(self, first: int, last: int) -> Bits:
        """The rows from ``first`` to before ``last``, (rows, rest)."""
        stored = np.empty(self._as_stored(last - first), self.bits)
        for start, piece in self._pieces(first, stored):
            self.file.seek(start)
            if self.file.readinto(piece) != piece.nbytes:  # type: ignore[attr-defined]
                raise OSError(f"{last - first} rows end before they should")
        turned = self._turned(stored)
        if not turned.flags.c_contiguous:
            turned = _copied(turned, np.empty(turned.shape, self.bits))
        return turned.reshape(last - first, -1)

    def write(self, first: int, rows: Bits) -> None:
        """Put ``rows``, (rows, rest), in the place of those from ``first`` on."""
        stored = np.empty(self._as_stored(len(rows)), self.bits)
        turned = self._turned(stored)
        _copied(rows.reshape(turned.shape), turned)
        for start, piece in self._pieces(first, stored):
            self.file.seek(start)
            self.file.write(piece.data)

    def _pieces(self, first: int, stored: Bits) -> Iterator[tuple[int, Bits]]:
        """What of ``stored`` lies in one piece, and where that begins."""
        _, rows, after = stored.shape
        all_rows = self.grid[0]
        if rows == all_rows:
            yield self.offset, stored
            return
        for index, piece in enumerate(stored):
            yield self.offset + (index * all_rows + first) * after * self.bits.itemsize, piece

    def _as_stored(self, rows: int) -> tuple[int, int, int]:
        return math.prod(self.sizes[: self.outputs.start]), rows, math.prod(self.sizes[self.outputs.stop :])

    def _turned(self, stored: Bits) -> Bits:
        """A view of some rows as they lie in the file, with the outputs as the first axis and then all others."""
        start, stop = self.outputs.start, self.outputs.stop
        between = (*self.sizes[:start], stored.shape[1], *self.sizes[stop:])  # the axes of the outputs are one
        rest = [axis if axis < start else axis - (stop - start) + 1 for axis in self.order[stop - start :]]
        return stored.reshape(between).transpose([start, *rest])


def _copied(source: Bits, target: Bits) -> Bits:
    """``target``, filled in pieces that stay in the cache: turning a large matrix at once takes five times as long."""
    for start in range(0, source.shape[1], _TURNED):
        target[:, start : start + _TURNED] = source[:, start : start + _TURNED]
    return target


def matrix_at(file: IO[bytes], place: Place, layout: Layout, expert: int, where: str) -> StoredMatrix:
    """The matrix of that ``expert``, 0 where there is but one, of the tensor at ``place``.

    WeightsError, which starts with ``where``, for an array in Fortran order whose rows are scattered all over it.
    """
    sizes, order = layout.stored, layout.axes
    if place.is_fortran:
        sizes, order = sizes[::-1], tuple(len(sizes) - 1 - axis for axis in order)
    merged = 1
    while math.prod(sizes[axis] for axis in order[:merged]) < layout.shape[0]:
        merged += 1
    outputs = slice(order[0], order[0] + merged)
    if order[:merged] != tuple(range(outputs.start, outputs.stop)) or (place.is_fortran and layout.experts > 1):
        raise WeightsError(f"{where}: is in Fortran order, which scatters its rows: save it by np.ascontiguousarray")
    offset = place.offset + expert * math.prod(sizes) * place.kind.itemsize
    return StoredMatrix(file, offset, place.bits, place.kind, sizes, order, outputs)
