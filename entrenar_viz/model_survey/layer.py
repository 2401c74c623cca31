"""What pruning does to one layer: how much goes, what that costs, and what the layer then takes to store.

Works in bands of rows, so a layer of any size needs little memory, and the numbers are the same wherever it runs.
"""

from dataclasses import dataclass, replace

import numpy as np

from entrenar_viz.config.pruning_config import PruningConfig, Unstructured
from entrenar_viz.errors import WeightsError
from entrenar_viz.masks.bands import NOTHING_GOES, Cut, cut
from entrenar_viz.masks.calibration import Calibration
from entrenar_viz.masks.order import Within
from entrenar_viz.masks.streamed_layer import StreamedLayer, grid_of
from entrenar_viz.model_survey.losses import Tally, stored_bytes
from entrenar_viz.models.tensor_files import FLOATS
from entrenar_viz.models.weights import Tensors


@dataclass(frozen=True)
class LayerSurvey:
    """One prunable layer after pruning. None stands for what cannot be known; ``reason`` then says why.

    Sparsities and shares are fractions from 0 to 1, sizes are bytes.
    """

    layer: str
    """The name of the tensor: text from outside, never HTML."""
    shape: tuple[int, ...]
    dtype: str
    """The number format as stored, by its numpy name."""
    weights: int
    asked: float
    """The sparsity that the trainer has applied when the training ends; by a plan, that of the layer by then."""
    achieved: float | None = None
    """The share of the weights that goes."""
    reason: str = ""
    """Why asked and achieved differ by 0.01 points or more, or why there are no numbers; empty if they agree."""
    kept_energy: float | None = None
    """The squared Frobenius norm of what is kept, as a share of the layer's; 1 for a layer of zeros."""
    output_error: float | None = None
    """||X (W - P)^T||^2 / ||X W^T||^2 for the pruned P and the calibration's activations X; 0 if both are 0."""
    threshold: float | None = None
    """The largest score that goes; unstructured, compared over the tensor, only."""
    ties: int | None = None
    """Weights that go beyond the count asked for, since they tie with the last one to go; unstructured only, else 0."""
    dead_rows: int | None = None
    """Rows, in the view as (out, rest), that lose all of their weights."""
    dead_columns: int | None = None
    bytes_dense: int = 0
    """The tensor as it is stored now."""
    bytes_csr: int | None = None
    """CSR of (out, rest): each kept weight in its format and its column in int32; out + 1 row pointers, int32, or int64
    above 2**31 - 1 kept weights."""
    bytes_nm: int | None = None
    """2:4 only, where groups do not straddle rows: each kept weight in its format and 2 bits for its place."""
    bytes_block: int | None = None
    """Block pattern only, BSR: whole kept blocks, the block column of each in int32, and row pointers as in CSR."""
    kind: str = ""
    """The class of the module, or the operation, that the tensor belongs to; empty where nothing tells."""
    note: str = ""
    """How the matrix lies in what is stored, where that is not as it is shown: turned, or one of several experts."""


@dataclass(frozen=True, eq=False)
class LayerJob:
    """All that ``survey_layer`` needs, small enough to be sent to another process where weights are in files.

    ``config`` has the pattern of the layer, ``asked`` is its sparsity. With ``left_whole``, a reason, nothing is read.
    """

    weights: Tensors
    config: PruningConfig
    asked: float
    within: Within
    calibration: Calibration | None
    left_whole: str = ""

    @property
    def name(self) -> str:
        """The one tensor of ``weights``."""
        return self.weights.names[0]

    @property
    def grid(self) -> tuple[int, int]:
        """The shape as (out, rest)."""
        return grid_of(self.weights.shape(self.name))


def survey_layer(job: LayerJob) -> LayerSurvey:
    """The record of the job's layer; what is wrong with the layer is its ``reason``, not an error."""
    rows, columns = job.grid
    known = LayerSurvey(
        layer=job.name,
        shape=job.weights.shape(job.name),
        dtype=job.weights.dtype(job.name),
        weights=rows * columns,
        asked=job.asked,
        bytes_dense=job.weights.nbytes(job.name),
        kind=job.weights.kind(job.name),
        note=job.weights.notes.get(job.name, ""),
    )
    if job.left_whole:
        whole = replace(known, achieved=0.0, kept_energy=1.0, ties=0, dead_rows=0, dead_columns=0)
        return replace(whole, reason=job.left_whole)
    try:
        return _measured(known, job)
    except WeightsError as error:
        return replace(known, reason=str(error))


def _measured(known: LayerSurvey, job: LayerJob) -> LayerSurvey:
    config = job.config
    method = config.method if job.asked else None  # where nothing is asked, nothing is scored
    layer = StreamedLayer.of(job.weights, job.name, config.pattern, method, job.calibration)
    made = cut(layer.scored, job.grid, config.pattern, job.within, job.asked) if job.asked else NOTHING_GOES
    tally = Tally(np.zeros(job.grid[1], bool))
    for first, weights in layer.bands():
        mask = made.mask(first, layer.score(weights))
        tally.add(weights, mask)
        if layer.activations is not None and layer.activations.ndim == 2:
            tally.add_outputs(layer.activations, weights, mask)
    return _record(known, job, made, tally)


def _record(known: LayerSurvey, job: LayerJob, made: Cut, tally: Tally) -> LayerSurvey:
    kept = known.weights - tally.gone
    return replace(
        known,
        achieved=tally.gone / known.weights,
        reason=made.reason(tally.gone, known.asked, known.weights, job.config.pattern, job.within),
        kept_energy=tally.kept_energy,
        output_error=tally.output_error,
        threshold=made.threshold,
        ties=made.ties(tally.gone),
        dead_rows=tally.dead_rows,
        dead_columns=tally.dead_columns,
        **stored_bytes(job.grid, FLOATS[known.dtype], kept, job.config.pattern if job.asked else Unstructured()),
    )
