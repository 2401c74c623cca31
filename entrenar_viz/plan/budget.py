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
_NEAR = 4  # neighbours of a 32-bit fraction that are tried


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


def check_budget(bounds: Bounds, budget: int, weights: Counts) -> None:
    """EntrenarVizError, with the nearest possible budget, if the bounds do not allow it or each other."""
    total, least, most = int(weights.sum()), int(bounds.least.sum()), int(bounds.most.sum())
    if (bounds.least > bounds.most).any():
        layer = int(np.flatnonzero(bounds.least > bounds.most)[0])
        raise EntrenarVizError(
            f"no whole number of the {weights[layer]:,} weights of layer {layer} lies within its bounds: widen them"
        )
    if least <= budget <= most:
        return
    nearest, words = (least, "at least") if budget < least else (most, "at most")
    asked = f"{budget:,} of {total:,} weights ({percent(budget / total) if total else '0%'}) cannot be pruned"
    share = f"{nearest:,} ({nearest / total:.6%})" if total else "none"
    raise EntrenarVizError(f"{asked}: the bounds of the layers allow {words} {share}; ask for that, or widen them")


def whole(amounts: Amounts, bounds: Bounds, budget: int) -> Counts:
    """``amounts`` as whole numbers that add up to ``budget``, within the bounds: the largest remainders round up."""
    inside = np.clip(amounts, bounds.least, bounds.most)
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
        return np.clip(family.pruned(x), bounds.least, bounds.most).astype(np.float64)

    low, high = family.low, family.high
    lower, upper = member(low), member(high)
    while low < (middle := (low + high) / 2) < high and lower.sum() < budget:
        between = member(middle)
        if between.sum() < budget:
            low, lower = middle, between
        else:
            high, upper = middle, between
    return lower, upper


def fraction_of(count: int, weights: int) -> tuple[int, float]:
    """The sparsity at which a mask takes ``count`` of ``weights``, as the shortest decimal of the trainer's f32.

    Above 2**24 weights an f32 does not tell all counts apart; then it is the nearest count below that it knows. So the
    count that a mask takes comes first.

    >>> fraction_of(29, 100), fraction_of(20_000_001, 40_000_000)
    ((29, 0.29), (20000000, 0.5))
    """
    nearest = np.float32(count / weights)
    found = {units_gone(weights, float(one)): one for one in _neighbours(nearest)}
    best = max((known for known in found if known <= count), default=0)
    return best, float(str(found.get(best, np.float32(0))))


def _neighbours(number: np.float32) -> list[np.float32]:
    """``number`` between some of its neighbours from 0 to 1; the nearest last, so that it is taken of equals."""
    near = [number]
    for _ in range(_NEAR):
        near = [np.nextafter(near[0], np.float32(0)), *near, np.nextafter(near[-1], np.float32(2))]
    inside = [one for one in near if 0 <= one <= 1]
    return sorted(inside, key=lambda one: -abs(float(one) - float(number)))


def countable(counts: Counts, weights: Counts, bounds: Bounds) -> tuple[Counts, list[float]]:
    """Counts that masks can take, with their sparsities: what a large layer cannot, others take instead.

    Their sum is that of ``counts`` unless no layer is left that could take it.
    """
    pairs = [fraction_of(count, size) for count, size in zip(counts.tolist(), weights.tolist(), strict=True)]
    missing = int(counts.sum()) - sum(count for count, _ in pairs)
    for layer in np.argsort(weights, kind="stable").tolist() if missing else ():
        count = min(pairs[layer][0] + missing, int(bounds.most[layer]))
        better = fraction_of(count, int(weights[layer]))
        if better[0] > pairs[layer][0]:
            missing -= better[0] - pairs[layer][0]
            pairs[layer] = better
    return np.array([count for count, _ in pairs], np.int64), [fraction for _, fraction in pairs]
