"""A layer made ready for its masks: scored and put into prune order once, so that every frame after that is free."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from entrenar_viz.config.pruning_config import NM, Block, Method, Pattern, Unstructured
from entrenar_viz.errors import WeightsError
from entrenar_viz.explorer.background_job import Report, no_report
from entrenar_viz.masks.activations import Activations
from entrenar_viz.masks.loss_curves import output_errors, survival
from entrenar_viz.masks.order import PruneOrder, Within, prune_order
from entrenar_viz.masks.score_distribution import distribution, evenly
from entrenar_viz.masks.scores import importance
from entrenar_viz.models.weights import Matrix

CELLS = 256  # of a side of the mask: larger layers are shown as the density of what is kept
LEVELS = 56  # sparsities at which that density is known, so that a layer is 4 MB at most
COMPARED_CELLS, COMPARED_LEVELS = 128, 30  # the same of each of several patterns side by side
MOST_TIES = 8192  # groups of equal scores that are told apart
FINE = 512  # sparsities at which everything else is known
WINDOW = (96, 256)  # rows and columns of the window at one weight a pixel


@dataclass(frozen=True, eq=False)
class Prepared:
    """What the browser is sent of a layer once (``data``), and what else it may ask for."""

    matrix: Matrix
    order: PruneOrder
    data: dict[str, Any]
    _largest: float  # the magnitude that has the strongest colour

    def window(self, row: int, column: int) -> dict[str, Any]:
        """Up to 96 x 256 weights from (row, column) on, one by one: rank (uint32) and magnitude (uint8) of each.

        A corner outside the layer is moved to the nearest one at which the window lies inside.
        """
        sizes = [min(most, size) for most, size in zip(WINDOW, self.matrix.shape, strict=True)]
        given = zip((row, column), self.matrix.shape, sizes, strict=True)
        corner = [min(max(start, 0), whole - size) for start, whole, size in given]
        rows, columns = (slice(start, start + size) for start, size in zip(corner, sizes, strict=True))
        return {
            "row": corner[0],
            "column": corner[1],
            "height": sizes[0],
            "width": sizes[1],
            "ranks": self.order.ranks(rows, columns).astype("<u4").tobytes(),
            "shades": shades(self.matrix[rows, columns], self._largest).tobytes(),
        }


def prepare(
    matrix: Matrix,
    pattern: Pattern,
    *,
    method: Method = "magnitude",
    activations: Activations | None = None,
    inputs: Activations | None = None,
    within: Within = "tensor",
    note: str = "",
    report: Report = no_report,
) -> Prepared:
    """Score ``matrix`` (rows, columns) and put it into prune order.

    Up to 256 x 256 the browser gets the prune rank and the magnitude of each weight, exact; above, the share that is
    kept in each of 256 x 256 cells at 57 sparsities. ``activations`` are what ``method`` scores with, ``inputs`` what
    the error of the output is measured on; norms give none. Raises WeightsError if pattern, method or activations do
    not fit, and whatever ``report`` raises.
    """
    report("scoring the weights", 0.05)
    scores = importance(matrix, method, activations)
    report("putting them in order", 0.15)
    order = prune_order(scores, pattern, within)
    largest = _largest(matrix)
    report("drawing", 0.5)
    data = {"note": note} | _data(order, scores, matrix, (CELLS, LEVELS), largest, report=report)
    data |= _errors(order, matrix, inputs, report)
    return Prepared(matrix, order, data, largest)


def prepare_patterns(
    matrix: Matrix,
    patterns: Mapping[str, Pattern],
    *,
    method: Method = "magnitude",
    activations: Activations | None = None,
    inputs: Activations | None = None,
    report: Report = no_report,
) -> list[dict[str, Any]]:
    """The layer in each of ``patterns`` by its name, smaller; where a pattern does not fit, its ``note`` says why."""
    scores, largest, found = importance(matrix, method, activations), _largest(matrix), []
    for index, (name, pattern) in enumerate(patterns.items()):
        report(f"comparing {name}", index / len(patterns))
        try:
            order = prune_order(scores, pattern)
            data = _data(order, scores, matrix, (COMPARED_CELLS, COMPARED_LEVELS), largest, report=no_report)
            data |= _errors(order, matrix, inputs, no_report)
        except WeightsError as error:
            data = {"note": str(error)}
        found.append(data | {"name": name})
    return found


def _errors(order: PruneOrder, matrix: Matrix, inputs: Activations | None, report: Report) -> dict[str, bytes]:
    """The error of the output, where what enters the layer is known."""
    if inputs is None or inputs.ndim == 1:
        return {}
    errors = output_errors(order, matrix, inputs, lambda share: report("output error", 0.8 + 0.2 * share))
    return {"errors": errors.astype("<f4").tobytes()}


def _data(
    order: PruneOrder, scores: Matrix, matrix: Matrix, resolution: tuple[int, int], largest: float, *, report: Report
) -> dict[str, Any]:
    """All that the browser needs to show a mask of the layer at any sparsity."""
    rows, columns = matrix.shape
    exact = max(rows, columns) <= CELLS
    cells, levels = (1, min(order.units, FINE)) if exact else resolution
    left = survival(order, matrix, cells, cells, levels, on_progress=lambda share: report("drawing", 0.5 + 0.3 * share))
    spread = distribution(order, scores, min(order.units, FINE))
    data = {
        "rows": rows,
        "cols": columns,
        "height": rows if exact else left.density.shape[1],
        "width": columns if exact else left.density.shape[2],
        "exact": exact,
        "units": order.units,
        "unit": _unit(order),
        "fixed": isinstance(order.pattern, NM),
        "unit_share": order.achieved(1.0) / order.units,
        "energy": left.energy.astype("<f4").tobytes(),
        "energy_counts": left.counts.astype("<u4").tobytes(),
        "bins": spread.bins.astype("<u4").tobytes(),
        "scores": [spread.low, spread.high],
        "sampled": spread.sampled,
        "thresholds": spread.thresholds.astype("<f4").tobytes(),
    } | _ties(order)
    if exact:
        return data | {"ranks": order.ranks().astype("<u2").tobytes(), "shades": shades(matrix, largest).tobytes()}
    return data | {"levels": levels, "density": left.density.tobytes()}


def _unit(order: PruneOrder) -> str:
    """What the schedule counts, for a sentence."""
    if order.ordered.ndim > 1:
        return "weights of each row"
    match order.pattern:
        case NM(n=n, m=m):
            return f"{n}:{m}"
        case Block(height=height, width=width):
            return f"{height} × {width} blocks"
        case Unstructured():
            return "weights"
    return f"{order.pattern.type}s"


def _ties(order: PruneOrder) -> dict[str, bytes]:
    """How many more weights go than are counted, because they tie with the last one that does."""
    if order.ordered.ndim > 1:
        return {"ties": b"", "gone": order.row_gone().astype("<u4").tobytes()}
    return {"ties": order.tie_groups(MOST_TIES).astype("<u4").tobytes()}


def _largest(matrix: Matrix) -> float:
    """A magnitude that few weights exceed, of a large layer by a sample."""
    some = np.abs(evenly(matrix, CELLS * CELLS))
    return float(np.quantile(some, 0.995)) or 1.0


def shades(matrix: Matrix, largest: float) -> NDArray[np.uint8]:
    """Magnitudes as 70 to 255: even the smallest weight that is kept stands out from one that is gone."""
    return (70 + 185 * np.sqrt(np.minimum(np.abs(matrix) / largest, 1))).astype(np.uint8)
