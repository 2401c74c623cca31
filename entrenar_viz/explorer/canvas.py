"""The widgets with a browser side, and the traits that it draws from."""

import re
from pathlib import Path

import anywidget
import traitlets as tr

from entrenar_viz.explorer.plain import Plain
from entrenar_viz.figures.palette import COLORS

HERE = Path(__file__).parent


def module(*files: str) -> str:
    """JavaScript files of this folder as one ES module: a widget has one, and no address to import others from."""
    source = "\n".join((HERE / file).read_text("utf-8") for file in files)
    return re.sub(r'^import .* from "\./.*";\n', "", source, flags=re.MULTILINE)


class Canvas(Plain, anywidget.AnyWidget):
    """The live view. Its numbers follow the controls in the browser, not here; the kernel only sends the layer."""

    _esm = module(
        *("format.js", "schedules.js", "updates.js", "numbers.js", "theme.js", "mask.js", "names.js"),
        *("axes.js", "plot.js", "panels.js", "histogram.js", "handles.js", "window_handle.js", "tools.js", "canvas.js"),
    )

    follows = tr.Dict().tag(sync=True)
    """Which widget each number comes from: name of ours -> (model id, name of its trait)."""
    chosen = tr.Int(1).tag(sync=True)
    """The schedule to export: 0 OneShot, 1 Gradual, 2 Cubic."""
    total_steps = tr.Int(10_000).tag(sync=True)
    """Training steps, counted from 1 to this one."""
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
    """The step that the readout and the masks show; 0 is before the training."""
    steps_per_epoch = tr.Float(0.0).tag(sync=True)
    """Steps of an epoch, for an axis of epochs; 0 for one of steps."""
    ghosts = tr.List(tr.Dict()).tag(sync=True)
    """Pinned configurations, each with its ``name``, ``schedule`` (a dict as in the JSON) and ``target``."""
    layer = tr.Dict().tag(sync=True)
    """What the masks need (see layer.py); without ``width`` there is no mask, and ``note`` says why."""
    fixed = tr.Float(None, allow_none=True).tag(sync=True)
    """The share that the pattern takes at the first update, whatever is asked for (N:M), a fraction; None: as asked."""
    patterns = tr.List(tr.Dict()).tag(sync=True)
    """The layer in each pattern, to compare them for the chosen schedule; empty: ``layer``, for each schedule."""
    corner = tr.List(tr.Int(), [0, 0]).tag(sync=True)
    """Row and column at which the window on a large layer starts, as it is asked for by the browser."""
    window_data = tr.Dict().tag(sync=True)
    """The weights in that window (see ``Prepared.window``)."""
    palettes = tr.Dict(COLORS).tag(sync=True)
    """Colours by theme and by what they stand for."""


class Field(Plain, anywidget.AnyWidget):
    """A typed entry that holds one number or the two of a range, linked to a slider in the browser."""

    _esm = module("format.js", "numbers.js", "field.js")

    value = tr.Any().tag(sync=True)
    """A number, or a list of two in order: exactly what was typed, loaded or slid to."""
    position = tr.Any().tag(sync=True)
    """Where the slider stands: at ``value``, until it is moved by hand; None without a slider."""
    kind = tr.Enum(["count", "fraction", "number"]).tag(sync=True)
    """How it is written: ``count`` as 5,000; ``fraction`` as a percentage; ``number`` as 0.00001 or 1e-5."""
    labels = tr.List(tr.Unicode()).tag(sync=True)
    """An accessible name for each number."""
    max = tr.Any().tag(sync=True)
    """The end of the slider: widened where a larger number is typed."""
    step = tr.Any(1).tag(sync=True)
    """What a move of the slider is rounded to, and what an arrow key adds."""
    gesture = tr.Float(0.0).tag(sync=True)
    """When the pointer or key went down that changed ``value`` last, in ms of its page; the same for all of a drag."""
    ended = tr.List(tr.Any()).tag(sync=True)
    """The last gestures before that one, each with the value that it has left: [gesture, value]."""
    problem = tr.Unicode("").tag(sync=True)
    """What is wrong with the text that stands in the entry; empty if it was understood."""


class Offer(Plain, anywidget.AnyWidget):
    """The exported file to read, to copy and to download: only the browser can do the last two."""

    _esm = module("offer.js")

    value = tr.Unicode("").tag(sync=True)
    """The file."""
    label = tr.Unicode("Configuration as JSON").tag(sync=True)
    """An accessible name for its text."""
    file = tr.Unicode("pruning.json").tag(sync=True)
    """What it is called once it is downloaded."""
    media = tr.Unicode("application/json").tag(sync=True)
    """Its media type."""
    blocked = tr.Bool(False).tag(sync=True)
    """Whether it must not be taken, because the controls hold a problem."""
