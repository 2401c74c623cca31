"""The highest scores of each group of an N:M pattern; of equals, the lower index stays, as in the trainer."""

import numpy as np
from numpy.typing import NDArray

_BAND = 1 << 16  # scores worked on at a time, so that temporaries stay in the cache
_WIDEST_PAIRWISE = 8  # up to this m comparing all pairs is quicker than a partition of each group


def keep_highest(groups: NDArray[np.float32], n: int) -> NDArray[np.uint8]:
    """(groups, m) scores to 1 for the ``n`` highest of each group and 0 for the others."""
    count, m = groups.shape
    keep, step = np.empty((count, m), np.uint8), max(_BAND // m, 1)
    highest = _highest_by_pairs if m <= _WIDEST_PAIRWISE else _highest_by_threshold
    for start in range(0, count, step):
        keep[start : start + step] = highest(groups[start : start + step], n)
    return keep


def _highest_by_pairs(groups: NDArray[np.float32], n: int) -> NDArray[np.bool_]:
    """Keep those whom fewer than ``n`` beat; of equals, the lower index wins."""
    places = np.ascontiguousarray(groups.T)
    beaten = np.zeros(places.shape, np.uint8)
    for low in range(len(places)):
        for high in range(low + 1, len(places)):
            wins = places[high] > places[low]
            beaten[low] += wins
            beaten[high] += ~wins
    return (beaten < n).T


def _highest_by_threshold(groups: NDArray[np.float32], n: int) -> NDArray[np.bool_]:
    """Keep all above the n-th highest, and from the left as many equal to it as there is room for."""
    nth = groups.shape[1] - max(n, 1)
    cut = np.partition(groups, nth, axis=1)[:, nth, None]
    above, equal = groups > cut, groups == cut
    room = n - above.sum(axis=1, keepdims=True, dtype=np.int32)
    return np.asarray(above | (equal & (np.cumsum(equal, axis=1, dtype=np.int32) <= room)), bool)
