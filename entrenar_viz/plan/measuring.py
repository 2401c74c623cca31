"""``sensitivity``: what each layer of a model loses at each of some sparsities, measured in bounded memory."""

from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from itertools import count

import numpy as np
from numpy.typing import NDArray

from entrenar_viz.config.pruning_config import Method, Pattern, Unstructured
from entrenar_viz.errors import EntrenarVizError, WeightsError
from entrenar_viz.masks.activations import Activations
from entrenar_viz.masks.bands import SMALL, kept_levels
from entrenar_viz.masks.calibration import Calibration, CalibrationSource, calibration_for
from entrenar_viz.masks.level_sums import LevelSums, level_sums
from entrenar_viz.masks.loss_curves import sampled, squared_norm
from entrenar_viz.masks.order import Within, check_within
from entrenar_viz.masks.streamed_layer import StreamedLayer, grid_of
from entrenar_viz.models.layer_names import reason_left_whole
from entrenar_viz.models.weights import Matrix, Source, Tensors, load_weights
from entrenar_viz.plan.sensitivities import LayerSensitivity, Sensitivity
from entrenar_viz.progress import Progress, check_progress, reporting
from entrenar_viz.workers import all_in_order

LEVELS = (0.0, 0.2, 0.4, 0.6, 0.7, 0.8, 0.85, 0.9, 0.95, 0.99)
MOST_LEVELS = 255
_ANY_WEIGHT = Unstructured()
_DIGITS = 5  # of an output error: the products are of 32 bits
_OUTPUTS = 1 << 20  # outputs of a layer held at a time


def sensitivity(
    source: Source,
    levels: Sequence[float] = LEVELS,
    *,
    calibration: CalibrationSource | None = None,
    executor: Executor | None = None,
    pattern: Pattern = _ANY_WEIGHT,
    method: Method = "magnitude",
    within: Within = "tensor",
    skip_embed_layers: bool = True,
    progress: Progress[LayerSensitivity] | bool | None = None,
) -> Sensitivity:
    """What each prunable layer of ``source`` loses at each of ``levels``, by masks as those of ``prune_mask``.

    - ``source``: what ``load_weights`` takes. ``levels``: up to 255 sparsities, fractions.
    - ``calibration``: what ``load_calibration`` takes; ``wanda`` and ``sparse_gpt`` need it. Where it has the
      activations of a layer, the error of the layer's output is measured too, on up to 256 evenly spaced of them.
    - ``executor``: any of concurrent.futures, or ``client.get_executor()`` of Dask, as in ``iter_survey``.
    - ``pattern``, ``method``, ``within``: as in ``prune_mask``.
    - ``skip_embed_layers``: embeddings and output heads are not measured.
    - ``progress``: called as ``progress(done, total, layer)`` after each layer; what it raises ends it. True shows a
      bar of tqdm.

    All levels are measured together, in bands of rows, so that memory does not grow with the model. A layer that cannot
    be measured is a record with its reason. WeightsError for a source or calibration data that cannot be opened or do
    not fit each other, and for a method that lacks data or gives no mask; EntrenarVizError for levels that are not
    fractions from 0 to 1, and for too many.

    >>> found = sensitivity({"fc.weight": [[0.5, -3.0], [2.0, -4.0]]}, [0.25, 0.5])
    >>> [round(kept, 4) for kept in found["fc.weight"].kept_energy]
    [0.9915, 0.8547]
    """
    asked = _checked(levels)
    weights = load_weights(source)
    check_within(within, pattern)
    check_progress(progress)
    data = calibration_for(method, calibration, weights)
    jobs = [
        _Job(weights.only(name), asked, pattern, method, within, _of_layer(data, name), skip_embed_layers)
        for name in weights
    ]
    done = count(1)
    with reporting(progress, len(jobs), "layer") as report:
        layers = all_in_order(measure_layer, jobs, executor, lambda layer: report(next(done), len(jobs), layer))
    return Sensitivity(weights.source, tuple(layers), pattern, method, within, data.source if data else "")


def _checked(levels: Sequence[float]) -> tuple[float, ...]:
    """The levels in ascending order."""
    try:
        given = sorted({float(level) for level in levels})
    except (TypeError, ValueError):
        given = []
    if not given or len(given) > MOST_LEVELS or not all(0 <= level <= 1 for level in given):
        raise EntrenarVizError(f"levels are 1 to {MOST_LEVELS} sparsities from 0 to 1, not {levels!r:.80}")
    return tuple(given)


def _of_layer(data: Calibration | None, name: str) -> Calibration | None:
    return data.only(name) if data is not None and name in data else None


@dataclass(frozen=True, eq=False)
class _Job:
    """What a worker needs for the one layer of ``weights``."""

    weights: Tensors
    levels: tuple[float, ...]
    pattern: Pattern
    method: Method
    within: Within
    calibration: Calibration | None
    skip_embed_layers: bool


class _Outputs:
    """What is missing of a layer's outputs at each level, counted band by band."""

    def __init__(self, activations: Activations | None, levels: int) -> None:
        self.inputs: Activations | None = None
        if activations is not None and activations.ndim == 2:
            self.inputs = sampled(activations)
        self.whole, self.lost = 0.0, np.zeros(levels)

    def add(self, rows: Matrix, until: NDArray[np.uint8]) -> None:
        """Count rows of weights, each of which is kept at the first ``until`` levels."""
        if self.inputs is None:
            return
        self.whole += self._squared_norm(rows)
        for level in range(len(self.lost)):
            gone = until <= level
            if gone.any():
                self.lost[level] += self._squared_norm(np.where(gone, rows, np.float32(0)))

    def _squared_norm(self, rows: Matrix) -> float:
        assert self.inputs is not None
        total, step = 0.0, max(_OUTPUTS // len(rows), 1)
        for start in range(0, len(self.inputs), step):
            with np.errstate(over="ignore", invalid="ignore"):  # then the error is unknown
                total += squared_norm(self.inputs[start : start + step], rows)
        return total

    def errors(self) -> tuple[float, ...] | None:
        """The share that is missing at each level, 0 of none; None if nothing is known or it is beyond float32."""
        if self.inputs is None or not np.isfinite([self.whole, *self.lost]).all():
            return None
        return tuple(float(f"{lost / (self.whole or 1.0):.{_DIGITS - 1}e}") for lost in self.lost)


def measure_layer(job: _Job) -> LayerSensitivity:
    """The record of the job's layer; what is wrong with the layer is its ``reason``, not an error."""
    name = job.weights.names[0]
    shape, kind = job.weights.shape(name), job.weights.kind(name)
    rows, columns = grid_of(shape)
    known = LayerSensitivity(name, shape, kind, rows * columns)
    if job.skip_embed_layers and (why := reason_left_whole(name, kind)):
        return replace(known, reason=why)
    try:
        layer = StreamedLayer.of(job.weights, name, job.pattern, job.method, job.calibration)
        outputs = _Outputs(layer.activations, len(job.levels))
        by_order = isinstance(job.pattern, Unstructured) and job.within == "tensor"
        by_score = by_order and rows * columns > SMALL and outputs.inputs is None  # outputs are made with masks
        sums = _by_score(layer, job.levels) if by_score else _by_mask(layer, job, outputs)
    except WeightsError as error:
        return replace(known, reason=str(error))
    return _record(known, job.levels, sums, outputs)


def _by_score(layer: StreamedLayer, levels: tuple[float, ...]) -> LevelSums:
    """Of weights that go in the order of their scores, without a mask."""
    rows, columns = layer.grid
    return level_sums(lambda: ((band, layer.score(band)) for _, band in layer.bands()), rows * columns, levels)


def _by_mask(layer: StreamedLayer, job: _Job, outputs: _Outputs) -> LevelSums:
    """Of what goes by any rule; ``outputs`` are counted with it."""
    size = len(job.levels) + 1
    weights, energy, dead = np.zeros(size, np.int64), np.zeros(size), np.zeros(size, np.int64)
    kept = kept_levels(layer.scored, layer.grid, job.pattern, job.within, job.levels)
    for first, rows in layer.bands():
        until = kept(first, layer.score(rows))
        weights += np.bincount(until.ravel(), minlength=size)
        energy += np.bincount(until.ravel(), np.square(rows, dtype=np.float64).ravel(), size)
        dead += np.bincount(until.max(axis=1), minlength=size)
        outputs.add(rows, until)
    lost = energy.cumsum()  # whose last is all of it, to the bit: where all has gone nothing is kept
    return LevelSums(weights.cumsum()[:-1], dead.cumsum()[:-1], lost[:-1], float(lost[-1]))


def _record(known: LayerSensitivity, levels: tuple[float, ...], sums: LevelSums, outputs: _Outputs) -> LayerSensitivity:
    kept = 1 - sums.energy / sums.total if sums.total else np.ones(len(levels))
    return replace(
        known,
        levels=levels,
        achieved=tuple((sums.weights / known.weights).tolist()),
        kept_energy=tuple(kept.tolist()),
        output_error=outputs.errors(),
        dead_rows=tuple(sums.dead_rows.tolist()),
    )
