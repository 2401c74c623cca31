"""A layer made ready for its masks: scored and put into prune order once, so that every frame after that is free."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from entrenar_viz.config import NM, Method, Pattern
from entrenar_viz.errors import WeightsError
from entrenar_viz.importance import importance
from entrenar_viz.masks import Compare, PruneOrder, density_levels, prune_order
from entrenar_viz.weights import Matrix

MAX_CELLS = 256  # of a side of the mask: larger layers are shown as the density of what is kept
LEVELS = 60  # sparsities at which that density is known, so that a layer is 4 MB at most

Report = Callable[[str, float], None]  # told what is being done and the share that is done; may raise to stop it


def unheard(_stage: str, _share: float) -> None:
    """Report to nobody."""


@dataclass(frozen=True, eq=False)
class Prepared:
    """What the browser is sent of a layer once (``data``), and what else it may ask for."""

    matrix: Matrix
    order: PruneOrder
    data: dict[str, Any]

    def window(self, row: int, column: int) -> dict[str, Any]:
        """The weights around (row, column), one by one: what the browser needs to show them."""
        return {}


def prepare(
    matrix: Matrix,
    pattern: Pattern,
    *,
    method: Method = "magnitude",
    activations: ArrayLike | None = None,
    compare: Compare = "tensor",
    note: str = "",
    report: Report = unheard,
) -> Prepared:
    """Score ``matrix`` (rows, columns) and put it into prune order.

    Up to 256 x 256 the browser gets the prune rank and the magnitude of each weight, exact; above, the share that is
    kept in each of 256 x 256 cells at 61 sparsities. Raises WeightsError if pattern, method or activations do not fit,
    and whatever ``report`` raises.
    """
    report("scoring", 0.0)
    scores = importance(matrix, method, activations)
    report("ordering", 0.2)
    order = prune_order(scores, pattern, compare)
    report("drawing", 0.6)
    rows, cols = matrix.shape
    height, width = min(rows, MAX_CELLS), min(cols, MAX_CELLS)
    exact = (height, width) == (rows, cols)
    data = {
        "note": note,
        "rows": rows,
        "cols": cols,
        "height": height,
        "width": width,
        "exact": exact,
        "units": order.units,
        "fixed": isinstance(pattern, NM),
        "unit_share": order.achieved(1.0) / order.units,
        "levels": LEVELS,
        "ties": order.tie_groups().astype("<u4").tobytes(),
    }
    data |= _exact(matrix, order) if exact else {"density": density_levels(order, levels=LEVELS).tobytes()}
    return Prepared(matrix, order, data)


def prepare_patterns(
    matrix: Matrix,
    patterns: Mapping[str, Pattern],
    *,
    method: Method = "magnitude",
    activations: ArrayLike | None = None,
    report: Report = unheard,
) -> list[dict[str, Any]]:
    """The layer in each of ``patterns`` by its name, smaller; where a pattern does not fit, its ``note`` says why."""
    found = []
    for index, (name, pattern) in enumerate(patterns.items()):
        report(f"comparing {name}", index / len(patterns))
        try:
            data = prepare(matrix, pattern, method=method, activations=activations).data
        except WeightsError as error:
            data = {"note": str(error)}
        found.append(data | {"name": name})
    return found


def _exact(matrix: Matrix, order: PruneOrder) -> dict[str, bytes]:
    return {"ranks": order.ranks().astype("<u2").tobytes(), "shades": shades(matrix).tobytes()}


def shades(matrix: Matrix) -> Any:
    """Magnitudes as 70 to 255: even the smallest weight that is kept stands out from one that is gone."""
    magnitude = np.abs(matrix)
    largest = np.quantile(magnitude, 0.995) or 1.0
    return (70 + 185 * np.sqrt(np.minimum(magnitude / largest, 1))).astype(np.uint8)
