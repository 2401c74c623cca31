"""How layers give way, by exact fractions, for tests of what does the same in binary numbers."""

import math
from collections.abc import Sequence
from fractions import Fraction
from random import Random
from typing import Any

Case = dict[str, Any]


def budget(case: Case) -> int:
    """The pruned weights of all layers together."""
    counted = sum(n for i, n in enumerate(case["weights"]) if i not in case["skipped"])
    return math.floor(case["sparsity"] * counted + 0.5)


def give_way(case: Case) -> list[int] | None:
    """``case["pruned"]`` once the layers of ``case["indices"]`` have ``case["asked"]``; None if that cannot be."""
    everything = [i for i in range(len(case["weights"])) if i not in case["skipped"]]
    free = [i for i in everything if i not in case["locked"]]
    held = [i for i in everything if i in case["locked"]]
    own, others = ([i for i in free if (i in case["indices"]) is moved] for moved in (True, False))
    left = budget(case) - sum(case["pruned"][i] for i in held)
    low = max(_sum(case, "least", own), left - _sum(case, "most", others))
    high = min(_sum(case, "most", own), left - _sum(case, "least", others))
    if low > high:
        return None
    asked = case["asked"] - sum(case["pruned"][i] for i in held if i in case["indices"])
    given = min(max(asked, low), high)
    pruned = [0 if i in case["skipped"] else number for i, number in enumerate(case["pruned"])]
    for indices, total in ((own, given), (others, left - given)):
        for i, kept in zip(indices, _kept(case, indices, total), strict=True):
            pruned[i] = case["weights"][i] - kept
    return pruned


def _sum(case: Case, name: str, indices: Sequence[int]) -> int:
    return sum(case[name][i] for i in indices)


def _kept(case: Case, indices: Sequence[int], total: int) -> list[int]:
    """The kept weights of ``indices`` that have ``total`` pruned ones together."""
    weights = [case["weights"][i] for i in indices]
    before = [max(Fraction(n - case["pruned"][i]), Fraction(n, 10**9)) for i, n in zip(indices, weights, strict=True)]
    low = [n - case["most"][i] for i, n in zip(indices, weights, strict=True)]
    high = [n - case["least"][i] for i, n in zip(indices, weights, strict=True)]
    target = sum(weights) - total
    factor = _factor(before, low, high, target)
    exact = [min(max(factor * b, Fraction(x)), Fraction(y)) for b, x, y in zip(before, low, high, strict=True)]
    whole = [math.floor(number) for number in exact]
    order = sorted(range(len(exact)), key=lambda i: (whole[i] - exact[i], i))
    for i in order[: target - sum(whole)]:
        whole[i] += 1
    return whole


def _factor(before: list[Fraction], low: list[int], high: list[int], target: int) -> Fraction:
    """What all are multiplied with, between two of the factors at which one of them reaches a bound."""

    def total(factor: Fraction) -> Fraction:
        return sum(
            (min(max(factor * b, Fraction(x)), Fraction(y)) for b, x, y in zip(before, low, high, strict=True)),
            Fraction(0),
        )

    bends = sorted({Fraction(0), *(bound / b for b, x, y in zip(before, low, high, strict=True) for bound in (x, y))})
    after = next((i for i, bend in enumerate(bends) if total(bend) >= target), len(bends) - 1)
    if after == 0 or total(bends[after]) == target:
        return bends[after]
    start, end = bends[after - 1], bends[after]
    return start + (end - start) * (target - total(start)) / (total(end) - total(start))


def random_case(random: Random, layers: int, *, bounded: bool = False) -> Case:
    """A plan that keeps its budget, and a change of it."""
    weights = [round(10 ** random.uniform(1, 7)) for _ in range(layers)]
    skipped = [i for i in range(layers) if random.random() < 0.1]
    least = [round(random.uniform(0, 0.3) * n) if bounded else 0 for n in weights]
    most = [round(random.uniform(0.7, 1) * n) if bounded else n for n in weights]
    start = {
        "weights": weights, "sparsity": round(random.uniform(0.35, 0.65) if bounded else random.uniform(0.05, 0.97), 3),
        "pruned": [round(random.uniform(x, y)) for x, y in zip(least, most, strict=True)], "skipped": skipped,
        "locked": [], "least": least, "most": most, "indices": [], "asked": 0,
    }  # fmt: skip
    start["pruned"] = give_way(start)
    start["locked"] = [i for i in range(layers) if i not in skipped and random.random() < 0.2]
    count = 1 if random.random() < 0.6 else random.randint(2, max(2, layers // 2))
    start["indices"] = sorted(random.sample(range(layers), min(count, layers)))
    start["asked"] = round(random.uniform(0, 1) * sum(weights[i] for i in start["indices"]))
    return start


def small(**changes: Any) -> Case:
    """Four layers at half their weights."""
    usual = {
        "weights": [100, 200, 300, 400], "sparsity": 0.5, "pruned": [50, 100, 150, 200], "skipped": [], "locked": [],
        "least": [0] * 4, "most": [100, 200, 300, 400], "indices": [0], "asked": 80,
    }  # fmt: skip
    return usual | changes


def cases() -> dict[str, Case]:
    """Cases by their names, each with its ``result``."""
    full = {"pruned": [100, 200, 200, 0]}
    found = {
        "one layer up": small(),
        "one layer down to nothing": small(asked=0),
        "nothing is changed": small(asked=50),
        "a group": small(indices=[1, 2], asked=400),
        "all together hold the budget": small(indices=[0, 1, 2, 3], asked=900),
        "none is moved": small(indices=[], asked=0, pruned=[0, 0, 0, 0]),
        "the others are locked": small(locked=[1, 2, 3]),
        "one of the others is free": small(locked=[1, 2], indices=[0], asked=100),
        "the dragged one is locked": small(locked=[0]),
        "a group with a locked layer": small(indices=[0, 1], locked=[0], asked=200),
        "one is skipped": small(skipped=[3], pruned=[50, 100, 150, 0], asked=100),
        "the bounds of the others": small(least=[0, 90, 140, 190], indices=[0], asked=100),
        "its own bounds": small(most=[60, 200, 300, 400]),
        "pruned whole, then less": small(**full, indices=[2], asked=0),
        "pruned whole, then more": small(**full, indices=[3], asked=400),
        "ties go to the first": small(
            weights=[10, 10, 10, 10], pruned=[5, 5, 5, 5], most=[10, 10, 10, 10], indices=[3], asked=7
        ),
        "cannot be": small(locked=[0, 1, 2], pruned=[0, 0, 0, 400]),
        "empty": small(weights=[], pruned=[], least=[], most=[], indices=[], asked=0),
    }
    random = Random(12)
    for layers in (2, 3, 7, 24, 60):
        for bounded in (False, True):
            found[f"{layers} layers{', bounded' * bounded}"] = random_case(random, layers, bounded=bounded)
    return {name: case | {"result": give_way(case)} for name, case in found.items()}
