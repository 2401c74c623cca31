"""The traits that the browser draws from, and the layer it is sent once for all its masks."""

import re
from pathlib import Path
from typing import Any

import anywidget
import numpy as np
import traitlets as tr

from entrenar_viz.config import NM, Pattern
from entrenar_viz.figures import COLORS
from entrenar_viz.importance import importance
from entrenar_viz.masks import PruneOrder, density_levels, prune_order
from entrenar_viz.weights import Matrix

HERE = Path(__file__).parent
MAX_CELLS = 256  # of a side of the mask: larger layers are shown as the density of what is kept
LEVELS = 60  # sparsities at which that density is known, so that a layer is 4 MB at most


def module(*files: str) -> str:
    """JavaScript files of this folder as one ES module: a widget has one, and no address to import others from."""
    source = "\n".join((HERE / file).read_text("utf-8") for file in files)
    return re.sub(r'^import .* from "\./.*";\n', "", source, flags=re.MULTILINE)


class Canvas(anywidget.AnyWidget):
    """The live view. Its numbers follow the controls in the browser, not here; the kernel only sends the layer."""

    _esm = module("schedule.js", "mask.js", "plot.js", "canvas.js")

    follows = tr.Dict().tag(sync=True)
    """Which widget each number comes from: name of ours -> (model id, name of its trait)."""
    chosen = tr.Int(1).tag(sync=True)
    """The schedule to export: 0 OneShot, 1 Gradual, 2 Cubic."""
    total_steps = tr.Int(10_000).tag(sync=True)
    """Training steps; the training covers 0 to this one, both included."""
    one_shot_step = tr.Int(0).tag(sync=True)
    """The step at which OneShot prunes."""
    window = tr.List(tr.Int(), [0, 1]).tag(sync=True)
    """Start and end step of Gradual and Cubic."""
    initial = tr.Float(0.0).tag(sync=True)
    """Initial sparsity of Gradual, a fraction."""
    target = tr.Float(0.5).tag(sync=True)
    """Final sparsity of Gradual and Cubic, a fraction."""
    same_target = tr.Bool(True).tag(sync=True)
    """Whether target_sparsity, which OneShot applies, is ``target``."""
    own_target = tr.Float(0.5).tag(sync=True)
    """target_sparsity where it is not, a fraction."""
    frequency = tr.Int(100).tag(sync=True)
    """Steps between two updates of Gradual; 0 allows one only."""
    cursor = tr.Int(0).tag(sync=True)
    """The step that the readout and the masks show."""
    layer = tr.Dict().tag(sync=True)
    """What the masks need (see ``layer_data``); without ``width`` there is no mask, and ``note`` says why."""
    palettes = tr.Dict(COLORS).tag(sync=True)
    """Colours by theme and by what they stand for."""


class Field(anywidget.AnyWidget):
    """A typed entry that holds one number or the two of a range, linked to a slider in the browser."""

    _esm = module("field.js")

    value = tr.Any().tag(sync=True)
    """A number, or a list of two in order: exactly what was typed, loaded or slid to."""
    position = tr.Any().tag(sync=True)
    """Where the slider stands: at ``value``, until it is moved by hand."""
    kind = tr.Enum(["count", "fraction"]).tag(sync=True)
    """How it is written: ``count`` as 5,000; ``fraction`` as a percentage."""
    labels = tr.List(tr.Unicode()).tag(sync=True)
    """An accessible name for each number."""
    max = tr.Any().tag(sync=True)
    """The end of the slider: widened where a larger number is typed."""
    step = tr.Any(1).tag(sync=True)
    """What a move of the slider is rounded to, and what an arrow key adds."""
    problem = tr.Unicode("").tag(sync=True)
    """What is wrong with the text that stands in the entry; empty if it was understood."""


class Offer(anywidget.AnyWidget):
    """The exported file to read, to copy and to download: only the browser can do the last two."""

    _esm = module("offer.js")

    value = tr.Unicode("").tag(sync=True)
    """The file."""
    blocked = tr.Bool(False).tag(sync=True)
    """Whether it must not be taken, because the controls hold a problem."""


def layer_data(matrix: Matrix, pattern: Pattern, note: str = "") -> dict[str, Any]:
    """What the browser needs of a (rows, columns) layer to show its mask at any sparsity.

    Up to 256 x 256: the prune rank and the magnitude of each weight, exact. Above: for each of 256 x 256 cells the
    share that is kept at 61 sparsities. Raises WeightsError if the pattern does not fit the shape.
    """
    order = prune_order(importance(matrix), pattern)
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
    return data | (_exact(matrix, order) if exact else {"density": density_levels(order, levels=LEVELS).tobytes()})


def _exact(matrix: Matrix, order: PruneOrder) -> dict[str, bytes]:
    return {"ranks": order.ranks().astype("<u2").tobytes(), "shades": shades(matrix).tobytes()}


def shades(matrix: Matrix) -> Any:
    """Magnitudes as 70 to 255: even the smallest weight that is kept stands out from one that is gone."""
    magnitude = np.abs(matrix)
    largest = np.quantile(magnitude, 0.995) or 1.0
    return (70 + 185 * np.sqrt(np.minimum(magnitude / largest, 1))).astype(np.uint8)
