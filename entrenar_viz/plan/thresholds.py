"""One threshold for the whole model: the smallest weights go, wherever they are."""

from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from entrenar_viz.config.pruning_config import Unstructured
from entrenar_viz.masks.bands import HALF, HALVES, score_bits
from entrenar_viz.masks.streamed_layer import StreamedLayer
from entrenar_viz.models.weights import Tensors
from entrenar_viz.plan.budget import Amounts, Bounds, Counts, Family, share_out, within_bounds
from entrenar_viz.workers import all_in_order

Report = Callable[[object], object]


def global_magnitude(
    weights: Tensors,
    names: Sequence[str],
    bounds: Bounds,
    budget: int,
    *,
    executor: Executor | None = None,
    on_layer: Report = lambda _: None,
) -> Counts:
    """How many weights each of the layers ``names`` loses, (layers,), if the ``budget`` smallest of all go.

    The score is ``w * w``, as that of ``prune_mask``. Exact, in two passes over the model, that count the upper and the
    lower halves of the 32 bits of the scores. Weights that tie at the threshold are shared among the layers by their
    numbers; layers at a bound leave the rest to others. ``on_layer`` is told of each layer that was read, in either
    pass. WeightsError for a layer that cannot be read or is not finite.
    """
    sizes = np.array([np.prod(weights.shape(name), dtype=np.int64) for name in names], np.int64)
    tallies = _counted(weights, names, None, executor, on_layer)
    family = Family(lambda upper: _below(tallies, upper), -1.0, float(HALVES - 1))
    half = _crossing(family, bounds, budget)
    before = _below(tallies, half - 1)
    lower = _counted(weights, names, half, executor, on_layer)
    return share_out(Family(lambda last: before + _below(lower, last), -1.0, float(HALVES - 1)), bounds, budget, sizes)


def _crossing(family: Family, bounds: Bounds, budget: int) -> int:
    """The first upper half at which ``budget`` is met."""
    low, high = int(family.low), int(family.high)
    while high - low > 1:
        middle = (low + high) // 2
        if within_bounds(family.pruned(middle), bounds).sum() < budget:
            low = middle
        else:
            high = middle
    return high


@dataclass(frozen=True, eq=False)
class _Tally:
    """Of the scores of a layer: the halves that occur, ascending, and how many scores are up to each."""

    halves: NDArray[np.uint16]
    until: NDArray[np.int64]

    def up_to(self, half: float) -> int:
        """How many scores have a half up to this one."""
        place = int(np.searchsorted(self.halves, half, side="right")) if half >= 0 else 0
        return int(self.until[place - 1]) if place else 0


def _below(tallies: Sequence[_Tally], half: float) -> Amounts:
    return np.array([tally.up_to(half) for tally in tallies], np.float64)


@dataclass(frozen=True, eq=False)
class _Job:
    weights: Tensors
    upper: int | None


def _counted(
    weights: Tensors, names: Sequence[str], upper: int | None, executor: Executor | None, on_layer: Report
) -> list[_Tally]:
    """Of each layer the upper halves; with ``upper`` the lower halves of the scores that have that one."""
    jobs = [_Job(weights.only(name), upper) for name in names]
    return all_in_order(count_halves, jobs, executor, on_layer)


def count_halves(job: _Job) -> _Tally:
    """The tally of the job's layer."""
    layer = StreamedLayer.of(job.weights, job.weights.names[0], Unstructured(), "magnitude", None)
    tally = np.zeros(HALVES, np.int64)
    for _, scores in layer.scored():
        bits = score_bits(scores)
        halves = bits >> HALF
        some = halves if job.upper is None else bits[halves == job.upper] & (HALVES - 1)
        tally += np.bincount(some, minlength=HALVES)
    there = np.flatnonzero(tally)
    return _Tally(there.astype(np.uint16), np.cumsum(tally[there]))
