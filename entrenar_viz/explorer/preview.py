"""Which weights the masks are previewed on: samples, the user's arrays, and model files."""

import os
from collections.abc import Callable, Mapping
from functools import cache

import ipywidgets as w
from numpy.typing import ArrayLike

from entrenar_viz.config.pruning_config import Method, Pattern
from entrenar_viz.explorer import plain
from entrenar_viz.explorer.mask_request import NAME_LENGTH, MaskRequest, by
from entrenar_viz.explorer.panels import named, show, text
from entrenar_viz.explorer.sharing import typed_path
from entrenar_viz.formatting import size
from entrenar_viz.masks.calibration import Calibration, load_calibration
from entrenar_viz.masks.order import Within
from entrenar_viz.models.weights import SAMPLES, Matrix, Tensors, load_weights, sample

SEARCHED = 20  # layers; sources with more than these have a search box
LISTED = 2000  # layers; a longer list would make the browser slow
BETWEEN = "  "  # parts of a layer's line; ipywidgets keeps a browser from making one space of two
MASKS_OF = [("the three schedules", "schedules"), ("all five patterns", "patterns")]
MASKS_TIPS = ["The pattern above, for each schedule", "Each pattern, for the schedule that is exported"]
WITHIN = [("whole layer (trainer)", "tensor"), ("each row (Wanda's paper)", "row")]
WITHIN_TIP = "What a weight is compared with. Each row by itself: preview only, not what the trainer does"
CALIBRATION = "What enters each layer, for wanda and sparse_gpt: a file, seen from the kernel"
Patterns = tuple[tuple[str, Pattern | str], ...]


class Preview:
    """The pickers for weights and layer, and what they stand for. Later sources come first in the list."""

    def __init__(self) -> None:
        self.tensors: dict[str, Tensors] = {}
        self.calibration: Calibration | None = None
        self.can_calibrate = True
        """Whether the user may open a file of calibration data."""
        self.source = plain.Dropdown(options=list(SAMPLES), tooltip="Samples, and the weights you gave")
        self.search = plain.Text(placeholder="search", tooltip="Parts of a layer's name, upper or lower case")
        self.layer = plain.Dropdown(tooltip="A weight matrix, viewed as (out, rest)")
        self.found = text("", "entrenar-viz-quiet")
        self.layers = plain.VBox([self.search, self.layer, self.found])
        self.layers.add_class("entrenar-viz-layers")
        self.path = plain.Text(placeholder=".safetensors .npz .npy", tooltip="A file or a folder, seen from the kernel")
        self.open = plain.Button(description="Open")
        self.calibration_path = plain.Text(placeholder=".safetensors .npz", tooltip=CALIBRATION)
        self.open_calibration = plain.Button(description="Open")
        self.masks_of = w.ToggleButtons(options=MASKS_OF, tooltips=MASKS_TIPS, style={"button_width": "auto"})
        self.within = plain.Dropdown(options=WITHIN, tooltip=WITHIN_TIP)
        self.pickers = (self.source, self.masks_of, self.within)
        pickers = {"Weights": self.source, "Layer": self.layer, "Masks of": self.masks_of, "Rank within": self.within}
        boxes = {"Search the layers": self.search, "Model file": self.path, "Calibration file": self.calibration_path}
        for name, widget in (pickers | boxes).items():
            named(widget, name)
        self.show_source()

    def add(self, tensors: Tensors) -> None:
        """Offer ``tensors`` and pick them."""
        self.tensors[tensors.source] = tensors
        names = [*reversed(self.tensors), *SAMPLES]
        if tuple(names) != tuple(self.source.options):
            self.source.options = names
        self.source.value = tensors.source
        self.show_source()

    def open_path(self, read: Callable[[str], Tensors] = load_weights) -> None:
        """Read the model file or folder of the path box; WeightsError leaves everything as it was."""
        self.add(read(typed_path(self.path.value)))

    def open_calibration_path(self) -> None:
        """Read the calibration data of its path box; WeightsError leaves everything as it was."""
        self.calibrate(typed_path(self.calibration_path.value))

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

    def pick(self, layer: str) -> None:
        """Pick a layer of the picked source, also one that the search hides or a long list leaves out."""
        tensors, picked = self.picked()
        if layer in tensors and layer != picked:
            self.layer.options = [(_line(tensors, layer), layer)]
            self.layer.index = 0
            self.show_layers()

    def picked(self) -> tuple[Tensors, str]:
        """The source and the layer, which is the source's first if it has none of that name."""
        name = self.source.value
        tensors = self.tensors[name] if name in self.tensors else _sample(name)
        return tensors, self.layer.value if self.layer.value in tensors else tensors.names[0]

    def matrix(self) -> Matrix:
        """The picked layer; WeightsError if it cannot be read."""
        tensors, layer = self.picked()
        return tensors.matrix(layer)

    def request(self, pattern: Pattern, method: Method, patterns: Callable[[], Patterns]) -> MaskRequest:
        """What is picked, with the ``patterns`` if they are to be compared."""
        tensors, layer = self.picked()
        compared = patterns() if self.masks_of.value == "patterns" else ()
        within: Within = self.within.value if self.can_rank_within(pattern.type) else "tensor"
        given = self.calibration, self.can_calibrate
        return MaskRequest(tensors, self.source.value, layer, pattern, method, within, compared, *given)

    def can_rank_within(self, pattern: str) -> bool:
        """Whether there is a choice of what a weight is compared with."""
        return pattern == "unstructured" and self.masks_of.value == "schedules"

    def calibrate(self, source: Mapping[str, ArrayLike] | str | os.PathLike[str] | Calibration) -> None:
        """Take calibration data that fits the picked weights; WeightsError leaves the data before."""
        self.calibration = load_calibration(source, self.picked()[0])

    def go_back(self, request: MaskRequest | None) -> None:
        """Pick what ``request`` is for, or the first sample."""
        if request is None:
            self.source.value = next(iter(SAMPLES))
            return
        if request.source in self.tensors:
            self.tensors[request.source] = request.tensors  # a file may have been read again meanwhile
        self.calibration, self.source.value = request.calibration, request.source
        self.masks_of.value = "patterns" if request.patterns else "schedules"
        if self.can_rank_within(request.pattern.type):
            self.within.value = request.within
        self.layer.options = [(_line(request.tensors, request.layer), request.layer)]
        self.layer.index = 0
        self.show_source()


@cache
def _sample(name: str) -> Tensors:
    return load_weights(sample(name))


def _matches(name: str, search: str) -> bool:
    return all(part in name.casefold() for part in search.casefold().split())


def _line(tensors: Tensors, name: str) -> str:
    """One layer in the list: ``model.layers.0.q_proj.weight  4,096 × 4,096  bfloat16  33.6 MB``."""
    parts = (f"{name:.{NAME_LENGTH}}", by(tensors.shape(name)), tensors.dtype(name), size(tensors.nbytes(name)))
    return BETWEEN.join(parts)


def _count(found: list[str], tensors: Tensors, picked: str) -> str:
    """How many layers the search has found, and what the list does not show as one would expect."""
    some = len(found) < len(tensors)
    count = f"{len(found):,} of {len(tensors):,} layers. " if some or len(found) > LISTED else ""
    cut = f"Only {LISTED:,} are listed: search for the others. " if len(found) > LISTED else ""
    kept = "" if picked in found else "The picked one is not among them and stays picked."
    return (count + cut + kept).strip()
