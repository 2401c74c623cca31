"""The mask of a layer that is never held as a whole: its scores pass by in bands of rows.

Every mask is the one that ``prune_mask`` gives. A band has whole blocks and whole N:M groups, so that those are pruned
in it alone. For the order of all units their sums are held, and for single weights nothing but the last score to go.
"""

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from entrenar_viz.config.pruning_config import NM, Block, Column, Pattern, Row, Unstructured
from entrenar_viz.masks.order import Mask, Within, check_within, prune_order, unit_order
from entrenar_viz.masks.scores import Scores
from entrenar_viz.masks.units import check_fit, unit_cell, unit_sums, units_gone

AGREE = 5e-5  # a difference of sparsities below 0.01 points needs no reason
BAND = 1 << 18  # weights in a band, if one row has no more: temporaries stay in the cache
_HALF, _LOWER = np.uint32(16), np.uint32(0xFFFF)

Bands = Callable[[], Iterable[tuple[int, Scores]]]  # (first row, scores) from the top; asked for up to three times


@dataclass(frozen=True, eq=False)
class Cut:
    """What goes at one sparsity. ``mask(first_row, scores)`` is the mask of a band, True = keep.

    ``units`` is how many things are counted, ``gone`` how many of them should go, each of ``weights``. ``threshold``
    is the largest score that goes, where single weights are compared with all of the layer and some go.
    """

    mask: Callable[[int, Scores], Mask]
    units: int
    gone: int
    weights: int = 1
    threshold: float | None = None

    def ties(self, gone: int) -> int:
        """Where ``gone`` weights have gone: how many more than the count, since they tie with the last one to go."""
        return gone - self.gone * self.weights

    def reason(self, gone: int, asked: float, size: int, pattern: Pattern, within: Within) -> str:
        """Why ``gone`` of ``size`` weights is 0.01 points or more off what was ``asked``; empty if it is not."""
        if abs(gone / size - asked) < AGREE:
            return ""
        if isinstance(pattern, NM):
            return f"{pattern.n}:{pattern.m} fixes the sparsity, whatever is asked"
        if ties := self.ties(gone):
            return f"ties: {ties:,} more weights share the last score to go"
        units = f"{pattern.type}s" if isinstance(pattern, (Block, Row, Column)) else "weights"
        each = " of each row" if within == "row" else ""
        return f"rounded down to whole {units}{each}: {self.gone:,} of {self.units:,} go"


NOTHING_GOES = Cut(lambda _, scores: np.ones(scores.shape, bool), units=0, gone=0)


def band_starts(shape: tuple[int, int], pattern: Pattern, size: int = BAND) -> list[tuple[int, int]]:
    """(first, behind the last) row of each band of about ``size`` weights, which holds whole blocks or groups."""
    rows, columns = shape
    step = 1
    if isinstance(pattern, Block):
        step = pattern.height
    if isinstance(pattern, NM):
        step = pattern.m // math.gcd(columns, pattern.m)
    height = max(size // (columns * step), 1) * step
    return list(pairwise([*range(0, rows, height), rows]))


def cut(bands: Bands, shape: tuple[int, int], pattern: Pattern, within: Within, sparsity: float) -> Cut:
    """Prepare the masks of the bands at ``sparsity``. WeightsError as ``prune_order`` and its ``mask`` raise it."""
    check_fit(shape, pattern)
    check_within(within, pattern)
    match pattern:
        case NM():
            groups = shape[0] * shape[1] // pattern.m
            return Cut(_each_by_itself(pattern, within, sparsity), groups, groups, pattern.m - pattern.n)
        case Unstructured() if within == "row":
            gone = units_gone(shape[1], sparsity) * shape[0]
            return Cut(_each_by_itself(pattern, within, sparsity), shape[0] * shape[1], gone)
        case Unstructured():
            return _single_weights(bands, shape[0] * shape[1], sparsity)
    return _whole_units(bands, shape, pattern, sparsity)


def nth_smallest(bands: Callable[[], Iterable[Scores]], count: int) -> np.float32:
    """The ``count``-th smallest, from 1, of scores that are not negative: such floats are in the order of their bits.

    Exact, by the upper halves of their 32 bits first and then by the lower halves of those that share the upper one.
    """
    upper, before = _nth((_bits(band) >> _HALF for band in bands()), count)
    lower, _ = _nth((bits[bits >> _HALF == upper] & _LOWER for bits in map(_bits, bands())), count - before)
    return np.uint32(upper << 16 | lower).view(np.float32)


def _bits(scores: Scores) -> NDArray[np.uint32]:
    return np.ascontiguousarray(scores).reshape(-1).view(np.uint32)


def _nth(values: Iterator[NDArray[np.uint32]], count: int) -> tuple[int, int]:
    """The ``count``-th smallest of values below 2**16, and how many are smaller."""
    tally = np.zeros(1 << 16, np.int64)
    for some in values:
        tally += np.bincount(some, minlength=1 << 16)
    until = np.cumsum(tally)
    found = int(np.searchsorted(until, count))
    return found, int(until[found] - tally[found])


def _each_by_itself(pattern: Pattern, within: Within, sparsity: float) -> Callable[[int, Scores], Mask]:
    return lambda _, scores: prune_order(scores, pattern, within).mask(sparsity)


def _single_weights(bands: Bands, units: int, sparsity: float) -> Cut:
    gone = units_gone(units, sparsity)
    if not gone:
        return replace(NOTHING_GOES, units=units)
    last = nth_smallest(lambda: (scores for _, scores in bands()), gone)
    return Cut(lambda _, scores: np.asarray(scores > last, bool), units, gone, threshold=float(last))


def _whole_units(bands: Bands, shape: tuple[int, int], pattern: Pattern, sparsity: float) -> Cut:
    order = unit_order(shape, pattern, _sums(bands, shape, pattern))
    cell = unit_cell(shape, pattern)
    return Cut(
        lambda first, scores: order.part(first, first + len(scores)).mask(sparsity),
        order.units,
        order.count(sparsity),
        cell[0] * cell[1],
    )


def _sums(bands: Bands, shape: tuple[int, int], pattern: Pattern) -> NDArray[np.float32]:
    if not isinstance(pattern, Column):
        cell = unit_cell(shape, pattern)
        return np.concatenate([unit_sums(scores, cell) for _, scores in bands()])
    total = np.empty((0, shape[1]), np.float32)
    for _, scores in bands():  # numpy adds row after row, so that a sum may go on where it was left
        longer = np.concatenate([total, scores])
        total = unit_sums(longer, (len(longer), 1))
    return total
