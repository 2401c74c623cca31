"""Fewer points for the same line: no extreme of it is lost, and no step of a staircase."""

import numpy as np
from numpy.typing import NDArray


def thinned(values: NDArray[np.float64], most: int) -> NDArray[np.int64]:
    """Indices of at most about ``most`` of ``values``: of each stretch the first, least, greatest, last and one nan.

    >>> thinned(np.array([0.0, 5.0, 1.0, 1.0, -3.0, 2.0, 2.0, 2.0]), most=5)
    array([0, 1, 4, 7])
    """
    if len(values) <= most:
        return np.arange(len(values))
    parts = np.array_split(np.arange(len(values)), max(most // 5, 1))
    return np.unique(np.concatenate([_kept(values, part) for part in parts]))


def _kept(values: NDArray[np.float64], part: NDArray[np.int64]) -> NDArray[np.int64]:
    missing = np.isnan(values[part])
    finite, gaps = part[~missing], part[missing][:1]
    if not len(finite):
        return gaps
    extremes = finite[[values[finite].argmin(), values[finite].argmax()]]
    return np.concatenate([part[[0, -1]], extremes, gaps])


def changes(values: NDArray[np.float32], most: int) -> NDArray[np.int64]:
    """Indices at which a staircase of ``values`` changes, the first and the last; thinned if more than ``most``.

    >>> changes(np.array([0, 0, 0.5, 0.5, 0.5], np.float32), most=10)
    array([0, 2, 4])
    """
    if not len(values):
        return np.empty(0, np.int64)
    corners = np.unique([0, *(np.flatnonzero(np.diff(values)) + 1), len(values) - 1])
    return corners[thinned(values[corners].astype(np.float64), most)]
