"""What preparing and drawing a mask costs, beside plain numpy operations on the same layer in the same run.

    python benchmarks/masks.py [--size 4096] [--rows 4096] [--repeat 5] [--samples 2048]

Prints milliseconds (the best of the repeats) and the ratio to one ``np.sort`` of the layer, or to one comparison; of
scores that need activations, to one product X^T X in float64. The memory of ``prune_order`` is what numpy holds at the
peak beyond the layer itself (tracemalloc, in a run by itself), in bytes and in sizes of the layer.
"""

import argparse
import time
import tracemalloc
from collections.abc import Callable

import numpy as np

from entrenar_viz.config.pruning_config import NM, Block, Column, Row, Unstructured
from entrenar_viz.masks.loss_curves import survival
from entrenar_viz.masks.order import prune_order
from entrenar_viz.masks.scores import importance

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


def peak(action: Callable[[], object]) -> int:
    """Bytes held at the peak beyond what was held before."""
    tracemalloc.start()
    action()
    held = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return held


def scoring(size: int, samples: int, repeat: int) -> None:
    rng = np.random.default_rng(0)
    weights, activations = (rng.standard_normal((rows, size), np.float32) for rows in (size, samples))
    inputs = activations.astype(np.float64)
    product = best(lambda: inputs.T @ inputs, repeat)
    print(f"scores from {samples} samples: X^T X {product:.1f} ms")
    for method in ("magnitude", "wanda", "sparse_gpt"):
        given = None if method == "magnitude" else activations
        line(method, best(lambda m=method, a=given: importance(weights, m, a), repeat), product, "X^T X")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", type=int, default=4096, help="columns, divisible by 32")
    parser.add_argument("--rows", type=int, help="rows, divisible by 4; as many as columns if not given")
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--samples", type=int, default=2048, help="rows of the activations")
    size, repeat = (given := parser.parse_args()).size, given.repeat
    scoring(size, given.samples, repeat)
    rows = given.rows or size
    scores = importance(np.random.default_rng(0).standard_normal((rows, size), np.float32))
    sort = best(lambda: np.sort(scores, axis=None), repeat)
    compare = best(lambda: scores > np.float32(0.5), repeat)
    print(f"{rows} x {size} float32: np.sort {sort:.1f} ms, a comparison {compare:.1f} ms")
    for pattern, among in ((Unstructured(), "row"), *((pattern, "tensor") for pattern in PATTERNS)):
        print(pattern, "within each row" if among == "row" else "")
        order = prune_order(scores, pattern, among)
        line("prune_order", best(lambda p=pattern, a=among: prune_order(scores, p, a), repeat), sort, "np.sort")
        held = peak(lambda p=pattern, a=among: prune_order(scores, p, a))
        print(f"  {'its memory at the peak':<24}{held / 1e6:10.1f} MB {held / scores.nbytes:8.2f} x the layer")
        line("mask(0.5)", best(lambda o=order: o.mask(0.5), repeat), compare, "comparison")
        line("survival", best(lambda o=order: survival(o, scores), repeat), sort, "np.sort")
        line("ranks of 256 x 256", best(lambda o=order: o.ranks(slice(256), slice(256)), repeat), sort, "np.sort")


if __name__ == "__main__":
    main()
