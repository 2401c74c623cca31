"""Which weights the masks are previewed on: samples, the user's arrays, and model files."""

from collections import Counter
from collections.abc import Callable
from functools import cache
from typing import Any

import ipywidgets as w

from entrenar_viz.config import Method, Pattern
from entrenar_viz.errors import WeightsError
from entrenar_viz.explorer.layer import MAX_CELLS, prepare
from entrenar_viz.explorer.panels import show, text
from entrenar_viz.weights import SAMPLES, Matrix, Tensors, load_weights, sample

SEARCHED = 20  # layers; sources with more than these have a search box
LISTED = 2000  # layers; a longer list would make the browser slow
UNITS = ("bytes", "kB", "MB", "GB")  # each 1,024 of the one before
NAME_LENGTH = 120  # of a layer in the list
REASONS = 3  # why tensors are not offered: the first ones, in the note
BETWEEN = "  "  # parts of a layer's line; ipywidgets keeps a browser from making one space of two


class Preview:
    """The pickers for weights and layer, and what they stand for. Later sources come first in the list."""

    def __init__(self) -> None:
        self.tensors: dict[str, Tensors] = {}
        self.version = 0  # counts what was added: the same name may stand for other weights than before
        self.source = w.Dropdown(options=list(SAMPLES), tooltip="Samples, and the weights you gave")
        self.search = w.Text(placeholder="search", tooltip="Parts of a layer's name, upper or lower case")
        self.layer = w.Dropdown(tooltip="A weight matrix, viewed as (out, rest)")
        self.found = text("", "entrenar-viz-quiet")
        self.layers = w.VBox([self.search, self.layer, self.found])
        self.layers.add_class("entrenar-viz-layers")
        self.path = w.Text(placeholder=".safetensors .npz .npy", tooltip="A file or a folder, seen from the kernel")
        self.open = w.Button(description="Open", layout={"width": "auto"})
        self.show_source()

    def add(self, tensors: Tensors) -> None:
        """Offer ``tensors`` and pick them."""
        self.tensors[tensors.source] = tensors
        self.version += 1
        names = [*reversed(self.tensors), *SAMPLES]
        if tuple(names) != tuple(self.source.options):
            self.source.options = names
        self.source.value = tensors.source
        self.show_source()

    def open_path(self, read: Callable[[str], Tensors] = load_weights) -> None:
        """Read the model file or folder of the path box; WeightsError leaves everything as it was."""
        self.add(read(self.path.value.strip()))

    def show_source(self) -> None:
        """Offer all layers of the picked source."""
        self.search.value = ""
        self.show_layers()

    def show_layers(self) -> None:
        """Offer those layers of the picked source that the search finds, and the picked one even if it is not found.

        The picked layer goes first: a new list selects its first line, so no other layer is read on the way.
        """
        tensors, picked = self.picked()
        found = [name for name in tensors.names if _matches(name, self.search.value)]
        options = [(_line(tensors, name), name) for name in dict.fromkeys([picked, *found[:LISTED]])]
        if set(options) != set(self.layer.options):
            self.layer.options = options
            self.layer.index = 0
        self.found.value = _count(found, tensors, picked)
        show(self.search, len(tensors) > SEARCHED)
        show(self.found, bool(self.found.value))

    def picked(self) -> tuple[Tensors, str]:
        """The source and the layer, which is the source's first if it has none of that name."""
        name = self.source.value
        tensors = self.tensors[name] if name in self.tensors else _sample(name)
        return tensors, self.layer.value if self.layer.value in tensors else tensors.names[0]

    def matrix(self) -> Matrix:
        """The picked layer; WeightsError if it cannot be read."""
        tensors, layer = self.picked()
        return tensors.matrix(layer)

    def layer_data(self, pattern: Pattern, method: Method) -> dict[str, Any]:
        """What the canvas needs of the picked layer; where there is no mask, a note says why."""
        try:
            matrix = self.matrix()
            return prepare(matrix, pattern, note=self.note(matrix, method)).data
        except WeightsError as error:
            return {"note": f"No mask: {error}"}

    def about(self, matrix: Matrix) -> str:
        """What is shown: source, layer, shape, and which tensors of the source are not offered."""
        (tensors, layer), source, (rows, columns) = self.picked(), self.source.value, matrix.shape
        shape = tensors.shape(layer)
        short = f"{layer:.{NAME_LENGTH}}"
        name = f"{source}, {short}" if source in self.tensors else f"{short}: {SAMPLES[source]}"
        viewed = f", {len(shape)}-D viewed as (out, rest): {_by(shape)}" if len(shape) > 2 else ""
        return f"{name}. {rows:,} × {columns:,} weights{viewed}.{_not_offered(tensors)}"

    def note(self, matrix: Matrix, method: Method) -> str:
        """What ``matrix`` is, and how to read its picture."""
        colour = "The stronger the colour, the larger the weight; pruned ones are blank."
        if max(matrix.shape) > MAX_CELLS:
            colour = "Too large to show each weight: the stronger the colour, the more of a cell are kept."
        note = f"{self.about(matrix)} {colour}"
        if method != "magnitude":
            note += f" Previewed by magnitude: {method} needs calibration data."
        return note


@cache
def _sample(name: str) -> Tensors:
    return load_weights(sample(name))


def _matches(name: str, search: str) -> bool:
    return all(part in name.casefold() for part in search.casefold().split())


def _line(tensors: Tensors, name: str) -> str:
    """One layer in the list: ``model.layers.0.q_proj.weight  4,096 × 4,096  bfloat16  32 MB``."""
    parts = (f"{name:.{NAME_LENGTH}}", _by(tensors.shape(name)), tensors.dtype(name), _size(tensors.nbytes(name)))
    return BETWEEN.join(parts)


def _by(shape: tuple[int, ...]) -> str:
    return " × ".join(f"{length:,}" for length in shape)


def _size(count: float) -> str:
    """Bytes, in a unit that leaves a number one can read: ``9.5 kB``, ``32 MB``."""
    unit = 0
    while count >= 1024 and unit < len(UNITS) - 1:
        count, unit = count / 1024, unit + 1
    return f"{count:,.{1 if unit and count < 10 else 0}f} {UNITS[unit]}"


def _count(found: list[str], tensors: Tensors, picked: str) -> str:
    """How many layers the search has found, and what the list does not show as one would expect."""
    some = len(found) < len(tensors)
    count = f"{len(found):,} of {len(tensors):,} layers. " if some or len(found) > LISTED else ""
    cut = f"Only {LISTED:,} are listed: search for the others. " if len(found) > LISTED else ""
    kept = "" if picked in found else "The picked one is not among them and stays picked."
    return (count + cut + kept).strip()


def _not_offered(tensors: Tensors) -> str:
    """How many tensors cannot be pruned, and the first reasons."""
    if not tensors.skipped:
        return ""
    reasons = Counter(tensors.skipped.values())
    first = "; ".join(f"{reason} ({count:,})" for reason, count in list(reasons.items())[:REASONS])
    more = "; and for other reasons" if len(reasons) > REASONS else ""
    return f" Tensors not offered: {len(tensors.skipped):,}. {first}{more}."
