"""Outliers as OWL counts them: scores of wanda that are many times larger than the mean of their block or layer."""

from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass

import numpy as np

from entrenar_viz.config.pruning_config import Unstructured
from entrenar_viz.masks.calibration import Calibration
from entrenar_viz.masks.streamed_layer import StreamedLayer
from entrenar_viz.models.weights import Tensors
from entrenar_viz.plan.layers import Layer
from entrenar_viz.workers import all_in_order

Report = Callable[[object], object]


def outlier_shares(
    weights: Tensors,
    layers: Sequence[Layer],
    calibration: Calibration,
    times: float = 5.0,
    *,
    by_block: bool = True,
    executor: Executor | None = None,
    on_layer: Report = lambda _: None,
) -> list[float]:
    """For each of ``layers`` the share of scores above ``times`` the mean, in percent: of its block, or of itself.

    A score is ``|w|`` times the norm of its input; blocks are told by the names (``models.layer_names.place_of``).
    Every layer is read twice; ``on_layer`` is told of each that was, in either pass. WeightsError for a layer without
    calibration data, and for one that cannot be read.
    """
    groups = [layer.block if by_block else layer.name for layer in layers]
    jobs = [_Job(weights.only(layer.name), calibration.only(layer.name)) for layer in layers]
    sums = all_in_order(sum_scores, jobs, executor, on_layer)
    total, count = _by_group(groups, sums), _by_group(groups, [layer.weights for layer in layers])
    limits = [times * total[group] / count[group] for group in groups]
    above = all_in_order(count_above, [*zip(jobs, limits, strict=True)], executor, on_layer)
    outliers = _by_group(groups, above)
    return [100 * outliers[group] / count[group] for group in groups]


def _by_group(groups: Sequence[str], numbers: Sequence[float]) -> dict[str, float]:
    found = dict.fromkeys(groups, 0.0)
    for group, number in zip(groups, numbers, strict=True):
        found[group] += number
    return found


@dataclass(frozen=True, eq=False)
class _Job:
    weights: Tensors
    calibration: Calibration

    def layer(self) -> StreamedLayer:
        return StreamedLayer.of(self.weights, self.weights.names[0], Unstructured(), "wanda", self.calibration)


def sum_scores(job: _Job) -> float:
    """The sum of the scores of the job's layer, in float64."""
    return sum(float(scores.sum(dtype=np.float64)) for _, scores in job.layer().scored())


def count_above(given: tuple[_Job, float]) -> float:
    """How many scores of the job's layer are above a limit."""
    job, limit = given
    return float(sum(np.count_nonzero(scores > limit) for _, scores in job.layer().scored()))
