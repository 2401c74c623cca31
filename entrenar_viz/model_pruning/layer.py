"""One layer set to zero where it lies in a file, band by band, so that a layer of any size needs little memory."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from entrenar_viz.config.pruning_config import NM, Pattern, Unstructured
from entrenar_viz.errors import WeightsError
from entrenar_viz.masks.bands import BAND, Cut, band_starts, cut
from entrenar_viz.masks.calibration import Calibration
from entrenar_viz.masks.order import Within
from entrenar_viz.masks.scores import Scores, scorer
from entrenar_viz.model_pruning.places import zeros
from entrenar_viz.model_pruning.stored_matrix import Bits, StoredMatrix
from entrenar_viz.models.weights import finite_float32
from entrenar_viz.plan.layer_targets import LayerTargets

TURNED_BAND = 1 << 24  # weights in a band where a row lies in many pieces: longer pieces, and fewer of them


@dataclass(frozen=True)
class PrunedLayer:
    """One prunable layer of a checkpoint that was pruned. Sparsities are fractions from 0 to 1."""

    layer: str
    """The name of the tensor, with its number in brackets where experts are stacked: text from outside, never HTML."""
    shape: tuple[int, ...]
    """As it is pruned, (out, in, ...), which for kernels of Keras and Flax is not as it is stored."""
    dtype: str
    """The number format as stored, by its numpy name."""
    weights: int
    asked: float
    """The sparsity that the trainer has applied when the training ends; by a plan, that of the layer by then."""
    achieved: float
    """The share of the weights that the mask has set to zero; 0 of a layer that is left whole."""
    zeros: int
    """The zeros that are really there afterwards, those that were there before included."""
    reason: str = ""
    """Why asked and achieved differ by 0.01 points or more, for example why it is left whole; empty if they agree."""
    note: str = ""
    """How it lies in the tensor, where that is not (out, in, ...): turned, or one of several experts."""

    @property
    def is_whole(self) -> bool:
        """Whether it was left as it was."""
        return not self.achieved


@dataclass(frozen=True, eq=False)
class Pruning:
    """What is the same for all layers: ``applied`` is the sparsity that the schedule ends with."""

    targets: LayerTargets
    applied: float
    within: Within
    calibration: Calibration | None


@dataclass(frozen=True, eq=False)
class LayerJob:
    """What is to be done to a layer. With ``left_whole``, a reason, nothing is; ``where`` starts every complaint."""

    name: str
    where: str
    shape: tuple[int, ...]
    dtype: str
    pruning: Pruning
    left_whole: str = ""
    note: str = ""

    @property
    def asked(self) -> float:
        """The sparsity that is asked of it."""
        return self.pruning.targets.asked(self.name, self.pruning.applied)

    @property
    def pattern(self) -> Pattern:
        """Its pattern."""
        return self.pruning.targets.pattern(self.name)


def prune_layer(job: LayerJob, matrix: StoredMatrix) -> PrunedLayer:
    """Set to zero in its file what the mask of ``prune_mask`` takes away; what is kept stays the same to the bit.

    A layer that cannot be pruned, because weights are not finite for example, is left as it was, with the reason.
    """
    rows, columns = matrix.grid
    asked, pattern, within = job.asked, job.pattern, job.pruning.within
    known = PrunedLayer(job.name, job.shape, job.dtype, rows * columns, asked, 0.0, zeros=0, note=job.note)
    parts = band_starts(matrix.grid, pattern, TURNED_BAND if matrix.is_turned else BAND)
    try:
        scores = _scores(job, matrix)
        made = _cut(job, matrix, parts, scores)
    except WeightsError as error:
        there = sum(zeros(matrix.rows(first, last), matrix.kind) for first, last in parts)
        return replace(known, zeros=there, reason=str(error))
    gone = there = 0
    for first, last in parts:
        bits = matrix.rows(first, last)
        mask = made.mask(first, scores(first, bits))
        np.multiply(bits, mask, out=bits)  # all bits of what goes are 0, which is +0 in every format
        matrix.write(first, bits)
        gone += mask.size - int(np.count_nonzero(mask))
        there += zeros(bits, matrix.kind)
    reason = made.reason(gone, asked, known.weights, pattern, within)
    return replace(known, achieved=gone / known.weights, zeros=there, reason=reason)


def _scores(job: LayerJob, matrix: StoredMatrix) -> Callable[[int, Bits], Scores]:
    """The scores of the rows from the first on; WeightsError if the layer has none, or is to be left whole."""
    if job.left_whole:
        raise WeightsError(job.left_whole)
    method, calibration = job.pruning.targets.config.method, job.pruning.calibration
    activations = None if calibration is None else calibration.for_method(job.name, method)
    score = scorer(method, matrix.grid[1], activations)
    return lambda first, bits: score(finite_float32(bits.view(matrix.kind), job.where, first_row=first))


def _cut(
    job: LayerJob, matrix: StoredMatrix, parts: list[tuple[int, int]], scores: Callable[[int, Bits], Scores]
) -> Cut:
    """What goes, once the layer has been read: WeightsError here means that nothing has been written yet."""
    pattern = job.pattern

    def scored() -> Iterator[tuple[int, Scores]]:
        return ((first, scores(first, matrix.rows(first, last))) for first, last in parts)

    made = cut(scored, matrix.grid, pattern, job.pruning.within, job.asked)
    if made.threshold is None and isinstance(pattern, (NM, Unstructured)):  # then no band was looked at
        for _ in scored():
            pass
    return made
