"""What goes with the smallest scores of a layer at several sparsities, summed in two passes over its bands.

Scores that are not negative are in the order of their bits. The first pass sums by the upper halves of the 32 bits, the
second by the lower halves of those scores whose upper half is that of a threshold. So no band is compared with each of
the thresholds.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from entrenar_viz.masks.bands import HALF, HALVES, in_halves, score_bits
from entrenar_viz.masks.scores import Scores
from entrenar_viz.masks.units import units_gone
from entrenar_viz.models.weights import Matrix

ScoredBands = Callable[[], Iterable[tuple[Matrix, Scores]]]  # rows and their scores, from the top; asked for twice


@dataclass(frozen=True, eq=False)
class LevelSums:
    """What has gone at each level, (levels,): weights, rows that lose all, and the sum of squares, with that of all."""

    weights: NDArray[np.int64]
    dead_rows: NDArray[np.int64]
    energy: NDArray[np.float64]
    total: float


def level_sums(bands: ScoredBands, units: int, levels: Sequence[float]) -> LevelSums:
    """The sums at each of ``levels``, ascending sparsities, of a layer of ``units`` weights compared over all of it.

    Weights go that have scores up to the last one to go, as in the masks of ``bands.cut``. Squares are float64.
    """
    by_upper, highest = _by_upper_halves(bands)
    until = np.cumsum(by_upper.weights)
    counts = np.array([units_gone(units, level) for level in levels])
    upper = np.searchsorted(until, counts[counts > 0])
    halves = np.unique(upper)
    by_lower = _by_lower_halves(bands, halves)
    by_upper.energy[halves] = by_lower.energy[:, -1]  # the same numbers in one order, so that nothing is lost twice
    energy = np.cumsum(by_upper.energy)
    weights, dead_rows = np.zeros((2, len(levels)), np.int64)
    found = LevelSums(weights, dead_rows, np.zeros(len(levels)), float(energy[-1]))
    for place, count, half in zip(np.flatnonzero(counts), counts[counts > 0], upper, strict=True):
        row, before = np.searchsorted(halves, half), half - 1
        start = until[before] if half else 0
        last = np.searchsorted(by_lower.weights[row], count - start)
        found.weights[place] = start + by_lower.weights[row, last]
        found.energy[place] = (energy[before] if half else 0.0) + by_lower.energy[row, last]
        found.dead_rows[place] = np.count_nonzero(score_bits(highest) <= (int(half) << 16 | int(last)))
    return found


@dataclass(frozen=True, eq=False)
class _Sums:
    weights: NDArray[np.int64]
    energy: NDArray[np.float64]


def _by_upper_halves(bands: ScoredBands) -> tuple[_Sums, Scores]:
    """(2**16,) of the scores with each upper half; and the highest score of each row."""
    sums, highest = _Sums(np.zeros(HALVES, np.int64), np.zeros(HALVES)), []
    for rows, scores in bands():
        upper = (score_bits(scores) >> HALF).astype(np.intp)
        sums.weights[:] += np.bincount(upper, minlength=HALVES)
        sums.energy[:] += np.bincount(upper, _squares(rows.ravel()), HALVES)
        highest.append(scores.max(axis=1))
    return sums, np.concatenate(highest)


def _by_lower_halves(bands: ScoredBands, halves: NDArray[np.int64]) -> _Sums:
    """(halves, 2**16): what has gone with the scores up to each lower half, of those with each upper half."""
    weights, energy = np.zeros(len(halves) * HALVES, np.int64), np.zeros(len(halves) * HALVES)
    for rows, scores in bands() if len(halves) else ():
        among, places = in_halves(scores, halves)
        np.add.at(weights, places, 1)
        np.add.at(energy, places, _squares(rows.ravel()[among]))
    shape = (len(halves), HALVES)
    return _Sums(np.cumsum(weights.reshape(shape), axis=1), np.cumsum(energy.reshape(shape), axis=1))


def _squares(weights: Matrix) -> NDArray[np.float64]:
    wide = weights.astype(np.float64)  # at once: np.square would do it in pieces, in twice the time
    return np.multiply(wide, wide, out=wide)
