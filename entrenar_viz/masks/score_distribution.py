"""How the scores of a layer are spread, and where among them the threshold of pruning stands."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from entrenar_viz.masks.loss_curves import level_counts
from entrenar_viz.masks.order import PruneOrder

BINS = 96
LARGEST_SAMPLE = 1 << 20  # scores; where there is no order of the whole layer, more than these are counted by a sample
_LOWEST = 0.001  # quantile at the left end: a few scores near 0 would squeeze all others to the right
_DECADES = 5  # below the median, at most


@dataclass(frozen=True, eq=False)
class Distribution:
    """Scores of weights, or sums of the scores of blocks, rows or columns, on a logarithmic axis.

    ``bins`` (BINS,) counts them between ``low`` and ``high``, both log10; those below ``low``, zeros included, are in
    the first bin. ``thresholds`` (levels + 1,): log10 of the highest score that goes at each of ``level_counts``, NaN
    where nothing goes, and empty where there is no threshold for the whole layer. ``sampled``: not all were counted.
    """

    bins: NDArray[np.int64]
    low: float
    high: float
    thresholds: NDArray[np.float32]
    sampled: bool


def distribution(order: PruneOrder, scores: NDArray[np.float32], levels: int) -> Distribution:
    """The distribution of ``scores`` (rows, columns), or of the sums over the units of ``order``."""
    ordered, sampled = order.scores, False
    if ordered is None:
        some = evenly(scores, LARGEST_SAMPLE)
        ordered, sampled = np.sort(some), some.size < scores.size
    low, high = _ends(ordered)
    with np.errstate(over="ignore", under="ignore"):
        edges = (10 ** np.linspace(low, high, BINS + 1)[1:-1]).astype(np.float32)
    bins = np.diff(np.searchsorted(ordered, edges), prepend=0, append=ordered.size)
    thresholds = np.empty(0, np.float32)
    if order.scores is not None:
        counts = level_counts(order, levels)
        thresholds = np.where(counts > 0, np.clip(_log10(ordered[counts - 1]), low, high), np.nan).astype(np.float32)
    return Distribution(bins, low, high, thresholds, sampled)


def evenly(matrix: NDArray[np.float32], most: int) -> NDArray[np.float32]:
    """At most ``most`` entries at even distances, in 1-D; the distance is odd, so that no columns are preferred."""
    return matrix.ravel()[:: (-(-matrix.size // most) | 1) if matrix.size > most else 1]


def _ends(ordered: NDArray[np.float32]) -> tuple[float, float]:
    """log10 of where the axis starts and ends, apart even where all scores are equal."""
    positive = ordered[np.searchsorted(ordered, 0, side="right") : np.searchsorted(ordered, np.inf)]
    if not positive.size:
        return 0.0, 1.0
    low, middle, high = _log10(positive[[int(_LOWEST * positive.size), positive.size // 2, -1]]).tolist()
    low = max(low, middle - _DECADES)
    return (low, high) if high - low > 0.01 else (low - 0.5, high + 0.5)


def _log10(scores: NDArray[np.float32]) -> NDArray[np.float64]:
    with np.errstate(divide="ignore"):
        found: NDArray[np.float64] = np.log10(scores, dtype=np.float64)
    return found
