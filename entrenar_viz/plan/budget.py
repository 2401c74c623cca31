"""Budgets in whole weights: how many go in all, and how they are shared out so that not one is missing."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from entrenar_viz.errors import EntrenarVizError
from entrenar_viz.formatting import percent
from entrenar_viz.masks.units import units_gone

Counts = NDArray[np.int64]  # (layers,)
Amounts = NDArray[np.float64]  # (layers,), weights that are not whole yet
FINE = 1 << 24  # up to so many an f32 tells all whole numbers apart
MOST_WEIGHTS = 1 << 48  # of a layer: sums over thousands of such layers are still counted right


@dataclass(frozen=True, eq=False)
class Family:
    """Allocations of all budgets by one method.

    ``pruned(x)`` is how many weights each layer loses, (layers,), which does not fall as x goes from ``low``, where
    none is lost, to ``high``, where all are.
    """

    pruned: Callable[[float], Amounts]
    low: float
    high: float


@dataclass(frozen=True, eq=False)
class Bounds:
    """The fewest and the most weights that each layer may lose, (layers,)."""

    least: Counts
    most: Counts

    @classmethod
    def of(cls, weights: Counts, least: ArrayLike = 0.0, most: ArrayLike = 1.0) -> "Bounds":
        """Those of fractions, as whole weights inside them."""
        rounding = 1e-9  # 0.3 of 10 weights are 3, not 2.9999999999999996
        lower = np.ceil(np.asarray(least) * weights - rounding)
        upper = np.floor(np.asarray(most) * weights + rounding)
        return cls(lower.astype(np.int64), upper.astype(np.int64))


def fraction(value: object, name: str) -> float:
    """``value`` as a number from 0 to 1; EntrenarVizError, by its ``name``, for anything else."""
    number = value.item() if isinstance(value, np.generic) else value
    if isinstance(number, bool) or not isinstance(number, (int, float)) or not 0 <= number <= 1:
        raise EntrenarVizError(f"{name} must be a fraction from 0 to 1, not {value!r:.40}")
    return float(number)


def whole_budget(weights: int, sparsity: float) -> int:
    """How many of ``weights`` are to go at ``sparsity``: the nearest whole number, halves up."""
    return math.floor(sparsity * weights + 0.5)


def share_out(family: Family, bounds: Bounds, budget: int, weights: Counts) -> Counts:
    """How many weights each layer loses, ``budget`` in all: that member of ``family`` within the bounds.

    EntrenarVizError, with the nearest possible budget, where the bounds do not allow it.
    """
    check_budget(bounds, budget, weights)
    lower, upper = _around(family, bounds, budget)
    missing, jump = budget - lower.sum(), (upper - lower).sum()
    return whole(lower + (upper - lower) * (missing / jump if jump else 0.0), bounds, budget)


def check_budget(bounds: Bounds, budget: int, weights: Counts, fixed: tuple[int, int] = (0, 0)) -> None:
    """EntrenarVizError, with the nearest possible budget, if the bounds do not allow it.

    ``fixed`` is how many weights go of how many in other layers, which the budget that was asked for has too.
    """
    if (bounds.least > bounds.most).any():
        raise EntrenarVizError("no whole number of the weights of a layer is within its bounds: widen them")
    least, most = int(bounds.least.sum()), int(bounds.most.sum())
    if least <= budget <= most:
        return
    gone, total = fixed[0], int(weights.sum()) + fixed[1]
    nearest, words = (least + gone, "at least") if budget < least else (most + gone, "at most")
    asked = f"{budget + gone:,} of {total:,} weights ({percent((budget + gone) / (total or 1))}) cannot be pruned"
    allowing = "the fixed layers and the bounds of the others" if fixed[1] else "the bounds of the layers"
    digits = max(len(str(total)) - 2, 6)  # as many as tell single weights apart
    share = f"{nearest:,} ({nearest / total:.{digits}%})" if total else "none"
    raise EntrenarVizError(f"{asked}: {allowing} allow {words} {share}; ask for that, or widen them")


def within_bounds(amounts: Amounts, bounds: Bounds) -> Amounts:
    """``amounts``, each moved into the bounds of its layer."""
    return np.clip(amounts, bounds.least, bounds.most).astype(np.float64)


def whole(amounts: Amounts, bounds: Bounds, budget: int) -> Counts:
    """``amounts`` as whole numbers that add up to ``budget``, within the bounds: the largest remainders round up."""
    inside = within_bounds(amounts, bounds)
    counts = np.floor(inside).astype(np.int64)
    by_remainder = np.argsort(counts - inside, kind="stable")  # of equals the first layer first
    while (missing := budget - int(counts.sum())) != 0:
        up = missing > 0
        can = counts < bounds.most if up else counts > bounds.least
        order = by_remainder if up else by_remainder[::-1]
        some = order[can[order]][: abs(missing)]
        counts[some] += 1 if up else -1
    return counts


def _around(family: Family, bounds: Bounds, budget: int) -> tuple[Amounts, Amounts]:
    """The two members of the family nearest to the budget, from below and from above."""

    def member(x: float) -> Amounts:
        return within_bounds(family.pruned(x), bounds)

    low, high = family.low, family.high
    lower, upper = member(low), member(high)
    while low < (middle := (low + high) / 2) < high and lower.sum() < budget:
        between = member(middle)
        if between.sum() < budget:
            low, lower = middle, between
        else:
            high, upper = middle, between
    return lower, upper


def count_of(sparsity: float, weights: int) -> int:
    """How many of ``weights`` are planned to go at ``sparsity``: as many as the trainer's f32 counts in a mask.

    Above 2**24 weights an f32 does not tell all counts apart; there it is the nearest whole number, and a mask takes
    the nearest that an f32 knows.
    """
    return units_gone(weights, sparsity) if weights <= FINE else min(whole_budget(weights, sparsity), weights)


def fraction_of(count: int, weights: int) -> float:
    """The sparsity of which ``count`` of ``weights`` is the count: up to 2**24 weights the shortest decimal of an f32.

    >>> fraction_of(29, 100), fraction_of(1, 3), fraction_of(20_000_001, 40_000_000)
    (0.29, 0.33333334, 0.500000025)
    """
    if weights > FINE:
        return count / weights
    fraction = np.float32(count / weights)
    while units_gone(weights, float(fraction)) < count:
        fraction = np.nextafter(fraction, np.float32(1))
    return float(str(fraction))
