"""What preparing and drawing a mask costs, beside plain numpy operations on the same layer in the same run.

    python benchmarks/masks.py [--size 4096] [--repeat 5]

Prints milliseconds (the best of the repeats) and the ratio to one ``np.sort`` of the layer, or to one comparison.
"""

import argparse
import time
from collections.abc import Callable

import numpy as np

from entrenar_viz.config import NM, Block, Column, Row, Unstructured
from entrenar_viz.importance import importance
from entrenar_viz.masks import density_levels, prune_order

PATTERNS = (Unstructured(), NM(n=2, m=4), NM(n=16, m=32), Block(height=4, width=4), Row(), Column())


def best(action: Callable[[], object], repeat: int) -> float:
    """Milliseconds of the quickest of ``repeat`` runs."""
    times = []
    for _ in range(repeat):
        start = time.perf_counter()
        action()
        times.append(time.perf_counter() - start)
    return 1000 * min(times)


def line(what: str, took: float, unit: float, per: str) -> None:
    print(f"  {what:<24}{took:10.1f} ms {took / unit:8.2f} x {per}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", type=int, default=4096, help="rows and columns, divisible by 32")
    parser.add_argument("--repeat", type=int, default=5)
    size, repeat = (given := parser.parse_args()).size, given.repeat
    scores = importance(np.random.default_rng(0).standard_normal((size, size), np.float32))
    sort = best(lambda: np.sort(scores, axis=None), repeat)
    compare = best(lambda: scores > np.float32(0.5), repeat)
    print(f"{size} x {size} float32: np.sort {sort:.1f} ms, a comparison {compare:.1f} ms")
    for pattern in PATTERNS:
        print(pattern)
        order = prune_order(scores, pattern)
        line("prune_order", best(lambda p=pattern: prune_order(scores, p), repeat), sort, "np.sort")
        line("mask(0.5)", best(lambda o=order: o.mask(0.5), repeat), compare, "comparison")
        line("density_levels", best(lambda o=order: density_levels(o), repeat), sort, "np.sort")
        line("ranks of 256 x 256", best(lambda o=order: o.ranks(slice(256), slice(256)), repeat), sort, "np.sort")


if __name__ == "__main__":
    main()
