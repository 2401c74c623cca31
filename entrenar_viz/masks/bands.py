"""The mask of a layer that is never held as a whole: its scores pass by in bands of rows.

Every mask is the one that ``prune_mask`` gives. A band has whole blocks and whole N:M groups, so that those are pruned
in it alone. For the order of all units their sums are held, and for single weights nothing but the last score to go.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from entrenar_viz.config.pruning_config import NM, Block, Column, Pattern, Row, Unstructured
from entrenar_viz.masks.order import Mask, PruneOrder, Within, check_within, prune_order, unit_order
from entrenar_viz.masks.scores import Scores
from entrenar_viz.masks.units import check_fit, unit_cell, unit_sums, units_gone

AGREE = 5e-5  # a difference of sparsities below 0.01 points needs no reason
BAND = 1 << 18  # weights in a band, if one row has no more: temporaries stay in the cache
SMALL = 1 << 16  # weights of a layer that is put in order at once: to count its scores by their bits takes longer
HALF, HALVES, _LOWER = np.uint32(16), 1 << 16, np.uint32(0xFFFF)

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


def kept_levels(
    bands: Bands, shape: tuple[int, int], pattern: Pattern, within: Within, levels: Sequence[float]
) -> Callable[[int, Scores], NDArray[np.uint8]]:
    """What tells of each weight of a band, ``(first row, scores)``, at how many of ``levels`` it is kept.

    ``levels`` are up to 255 ascending sparsities. At 0 all are kept, by N:M too. WeightsError as ``cut`` raises it.
    """
    check_fit(shape, pattern)
    check_within(within, pattern)
    if isinstance(pattern, Unstructured) and within == "tensor":
        return _above(_thresholds(bands, shape[0] * shape[1], levels), len(levels))
    if isinstance(pattern, (NM, Unstructured)):
        return lambda _, scores: _kept_by(prune_order(scores, pattern, within), levels)
    order = unit_order(shape, pattern, _sums(bands, shape, pattern))
    return lambda first, scores: _kept_by(order.part(first, first + len(scores)), levels)


def _kept_by(order: PruneOrder, levels: Sequence[float]) -> NDArray[np.uint8]:
    kept = np.zeros(order.shape, np.uint8)
    masks = {order.count(level): order.mask(level) for level in levels if level}
    for level in levels:
        kept += masks[order.count(level)] if level else np.uint8(1)
    return kept


def _above(thresholds: Sequence[np.float32], levels: int) -> Callable[[int, Scores], NDArray[np.uint8]]:
    def kept(_: int, scores: Scores) -> NDArray[np.uint8]:
        found = np.full(scores.shape, levels - len(thresholds), np.uint8)
        for threshold in thresholds:
            found += scores > threshold
        return found

    return kept


def _thresholds(bands: Bands, units: int, levels: Sequence[float]) -> list[np.float32]:
    """The last score to go at each of ``levels`` at which any goes."""
    counts = [gone for level in levels if (gone := units_gone(units, level))]
    if not counts or units > SMALL:
        return nth_smallest(lambda: (scores for _, scores in bands()), counts) if counts else []
    scores = np.concatenate([scores.ravel() for _, scores in bands()])
    places = np.array(counts) - 1
    return list(np.partition(scores, places)[places])


def nth_smallest(bands: Callable[[], Iterable[Scores]], counts: Sequence[int]) -> list[np.float32]:
    """The ``count``-th smallest, from 1, of scores that are not negative, for each of ``counts``, which ascend.

    Exact: such floats are in the order of their bits, so it is found by the upper halves of their 32 bits first, and
    then by the lower halves of those that share it.
    """
    tally = np.zeros(HALVES, np.int64)
    for band in bands():
        tally += np.bincount(score_bits(band) >> HALF, minlength=HALVES)
    until = np.cumsum(tally)
    upper = np.searchsorted(until, counts)
    halves = np.unique(upper)
    lower = np.cumsum(_lower_halves(bands, halves), axis=1)
    found = []
    for count, half in zip(counts, upper.tolist(), strict=True):
        before = int(until[half] - tally[half])
        last = int(np.searchsorted(lower[np.searchsorted(halves, half)], count - before))
        found.append(np.uint32(half << 16 | last).view(np.float32))
    return found


def _lower_halves(bands: Callable[[], Iterable[Scores]], halves: NDArray[np.int64]) -> NDArray[np.int64]:
    """(halves, 2**16): how many scores have each lower half, of those that have one of these upper ``halves``."""
    tally = np.zeros(len(halves) * HALVES, np.int64)
    for band in bands():
        np.add.at(tally, in_halves(band, halves)[1], 1)
    return tally.reshape(len(halves), HALVES)


def in_halves(scores: Scores, halves: NDArray[np.int64]) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
    """Which of ``scores``, flat, have one of these ascending upper ``halves`` of their bits, and where those stand.

    The place of one is that of its lower half in all of 2**16 for its upper half.
    """
    bits = score_bits(scores)
    upper = (bits >> HALF).astype(np.uint16)  # half as wide: compared twice as quickly
    among, same = np.zeros(bits.size, bool), np.empty(bits.size, bool)
    for half in halves.astype(np.uint16):
        np.logical_or(among, np.equal(upper, half, out=same), out=among)
    some = bits[among]
    return among, np.searchsorted(halves, some >> HALF) * HALVES + (some & _LOWER)


def score_bits(scores: Scores) -> NDArray[np.uint32]:
    """The bits of ``scores``, flat: those that are not negative are in their order."""
    return np.ascontiguousarray(scores).reshape(-1).view(np.uint32)


def _each_by_itself(pattern: Pattern, within: Within, sparsity: float) -> Callable[[int, Scores], Mask]:
    return lambda _, scores: prune_order(scores, pattern, within).mask(sparsity)


def _single_weights(bands: Bands, units: int, sparsity: float) -> Cut:
    gone = units_gone(units, sparsity)
    if not gone:
        return replace(NOTHING_GOES, units=units)
    (last,) = _thresholds(bands, units, [sparsity])
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
