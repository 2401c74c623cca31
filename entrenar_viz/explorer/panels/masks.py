"""The tab "Masks": which weights and layer are shown, how their weights are ranked, and what enters them."""

import os
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from typing import Any

import ipywidgets as w
from numpy.typing import ArrayLike

from entrenar_viz.config.pruning_config import Pattern
from entrenar_viz.errors import WeightsError
from entrenar_viz.explorer.controls.settings import Settings
from entrenar_viz.explorer.panels import plain
from entrenar_viz.explorer.panels.parts import (
    Guard,
    RowOf,
    button,
    files_below,
    named,
    path_box,
    quiet,
    show,
    typed_path,
)
from entrenar_viz.explorer.preview.mask_request import MaskRequest
from entrenar_viz.explorer.preview.mask_words import NAME_LENGTH, by
from entrenar_viz.formatting import size
from entrenar_viz.masks.calibration import Calibration, load_calibration
from entrenar_viz.masks.order import Within
from entrenar_viz.models.allowed_folder import AllowedFolder
from entrenar_viz.models.layer_names import left_whole
from entrenar_viz.models.model_files import READERS
from entrenar_viz.models.weights import SAMPLES, Matrix, Tensors, load_weights, sample

SEARCHED = 20  # layers; sources with more than these have a search box
LISTED = 2000  # layers; a longer list would make the browser slow
BETWEEN = "  "  # parts of a layer's line; ipywidgets keeps a browser from making one space of two
MASKS_OF = [("the three schedules", "schedules"), ("all five patterns", "patterns")]
MASKS_TIPS = ["The pattern above, for each schedule", "Each pattern, for the schedule that is exported"]
WITHIN = [("whole layer (trainer)", "tensor"), ("each row (Wanda's paper)", "row")]
WITHIN_TIP = "What a weight is compared with. Each row by itself: preview only, not what the trainer does"
MODELS, CALIBRATIONS = (*READERS, ".index.json"), (".safetensors", ".npz")
CalibrationData = Mapping[str, ArrayLike] | str | os.PathLike[str] | Calibration


class MasksPanel(plain.VBox):
    """The pickers for weights and layer, and what they stand for. Later sources come first in the list.

    ``details`` is what shows the masks in detail, if anything does. ``allowed`` is where files may be opened, None:
    anywhere, and calibration data too. ``changed`` hears of every pick.
    """

    def __init__(
        self,
        details: w.Widget | None,
        guarded: Guard,
        changed: Callable[[], None],
        *,
        allowed: AllowedFolder | None = None,
    ) -> None:
        self.tensors: dict[str, Tensors] = {}
        self.calibration: Calibration | None = None
        self._read = allowed.open if allowed else load_weights
        self._folder = Path() if allowed is None else allowed.root
        self._can_calibrate = allowed is None  # of the kernel's files
        self._changed = changed
        self._build_pickers()
        self.open_path = button("Open", "Open this file", guarded(self._open), enter=self.path)
        calibrate = guarded(self._open_calibration)
        self.open_calibration = button("Open", "Open this file", calibrate, enter=self.calibration_path)
        self.rows = {
            "weights": RowOf("Weights", self.source),
            "layer": RowOf("Layer", self.layers),
            "path": RowOf("Model file", self.path, self.open_path),
            "calibration": RowOf("Calibration", self.calibration_path, self.open_calibration),
            "masks_of": RowOf("Masks of", self.masks_of),
            "within": RowOf("Rank within", self.within),
        }
        self.note = quiet()
        pickers = plain.VBox([*self.rows.values(), self.note])
        pickers.add_class("entrenar-viz-pickers")
        super().__init__([pickers, *([details] if details else [])])
        self.add_class("entrenar-viz-masks")
        show(self.rows["path"], self._folder is not None)
        show(self.rows["calibration"], self._can_calibrate)
        self.show_source()
        self._listen(guarded)

    def _build_pickers(self) -> None:
        self.source = named(
            plain.Dropdown(options=list(SAMPLES), tooltip="Samples, and the weights you gave"), "Weights"
        )
        search = plain.Text(placeholder="search", tooltip="Parts of a layer's name, upper or lower case")
        self.search = named(search, "Search the layers")
        self.layer = named(plain.Dropdown(tooltip="A weight matrix, viewed as (out, rest)"), "Layer")
        self.found = quiet()
        self.layers = plain.VBox([self.search, self.layer, self.found])
        self.layers.add_class("entrenar-viz-layers")
        self.path = path_box("Model file", ".safetensors .npz .npy .pt .onnx .h5 .keras")
        self.calibration_path = path_box("Calibration file", ".safetensors .npz")
        choice = w.ToggleButtons(options=MASKS_OF, tooltips=MASKS_TIPS, style={"button_width": "auto"})
        self.masks_of = named(choice, "Masks of")
        self.within = named(plain.Dropdown(options=WITHIN, tooltip=WITHIN_TIP), "Rank within")

    def _listen(self, guarded: Guard) -> None:
        picked = guarded(self._changed)
        for picker in (self.layer, self.masks_of, self.within):
            picker.observe(lambda _: picked(), "value")
        source, search = guarded(self._pick_source), guarded(self.show_layers)
        self.source.observe(lambda _: source(), "value")
        self.search.observe(lambda _: search(), "value")

    def refresh(self) -> None:
        """Offer the files that there are by now."""
        if self._folder is not None:
            self.path.options = files_below(self._folder, MODELS)
        if self._can_calibrate:
            self.calibration_path.options = files_below(Path(), CALIBRATIONS)

    def add(self, tensors: Tensors) -> None:
        """Offer ``tensors`` and pick them."""
        self.tensors[tensors.source] = tensors
        names = [*reversed(self.tensors), *SAMPLES]
        if tuple(names) != tuple(self.source.options):
            self.source.options = names
        self.source.value = tensors.source
        self.show_source()

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
        """The source and the layer, which is the source's first hidden one if it has none of that name."""
        name = self.source.value
        tensors = self.tensors[name] if name in self.tensors else _sample(name)
        return tensors, self.layer.value if self.layer.value in tensors else _first(tensors)

    def matrix(self) -> Matrix:
        """The picked layer; WeightsError if it cannot be read."""
        tensors, layer = self.picked()
        return tensors.matrix(layer)

    def request(self, settings: Settings, pattern: Pattern) -> MaskRequest:
        """What is picked, scored and grouped as ``settings`` say, with all patterns if they are to be compared."""
        tensors, layer = self.picked()
        compared = settings.patterns() if self.masks_of.value == "patterns" else ()
        within: Within = self.within.value if self._can_rank_within(settings) else "tensor"
        picked = tensors, self.source.value, layer
        given = self.calibration, self._can_calibrate
        return MaskRequest(*picked, pattern, settings.method, within, compared, *given)

    def follow(self, settings: Settings, request: MaskRequest | None, note: str) -> None:
        """Show what there is to choose now, and what is to be known of the masks."""
        show(self.rows["within"], self._can_rank_within(settings))
        self.note.value = note
        needed = request is not None and request.no_scores == request.without_data
        self.rows["calibration"].complain(f"{settings.method} needs calibration data" if needed else "")

    def _can_rank_within(self, settings: Settings) -> bool:
        return settings.pattern == "unstructured" and self.masks_of.value == "schedules"

    def calibrate(self, source: CalibrationData) -> None:
        """Take calibration data that fits the picked weights; WeightsError leaves the data before."""
        self.calibration = load_calibration(source, self.picked()[0])

    def go_back(self, request: MaskRequest | None) -> None:
        """Pick what ``request`` is for, or the first sample, as one change."""
        with ExitStack() as together:
            for picker in (self.source, self.masks_of, self.within):
                together.enter_context(picker.hold_trait_notifications())
            if request is None:
                self.source.value = next(iter(SAMPLES))
                return
            if request.source in self.tensors:
                self.tensors[request.source] = request.tensors  # a file may have been read again meanwhile
            self.calibration, self.source.value = request.calibration, request.source
            self.masks_of.value = "patterns" if request.patterns else "schedules"
            if request.pattern.type == "unstructured" and not request.patterns:
                self.within.value = request.within
            self.layer.options = [(_line(request.tensors, request.layer), request.layer)]
            self.layer.index = 0
            self.show_source()

    def _pick_source(self) -> None:
        self.show_source()
        if self.source.value in SAMPLES:
            self.path.value = ""
        self.rows["path"].complain("")
        self._changed()

    def _open(self) -> None:
        if self._folder is not None:  # a visitor can press buttons that are not shown
            self._take("path", lambda: self.add(self._read(typed_path(self.path.value))))

    def _open_calibration(self) -> None:
        if self._can_calibrate:
            self._take("calibration", lambda: self.calibrate(typed_path(self.calibration_path.value)))

    def _take(self, row: str, take: Callable[[], Any]) -> None:
        """Take a file; what is wrong with it is said in its row."""
        try:
            take()
        except WeightsError as error:
            self.rows[row].complain(str(error))
        else:
            self.rows[row].complain("")
            self._changed()


@cache
def _sample(name: str) -> Tensors:
    return load_weights(sample(name))


def _first(tensors: Tensors) -> str:
    """The first layer that is pruned: the embedding before it is often the largest layer, and is left whole."""
    return next((name for name in tensors if not left_whole(name, tensors.kind(name))), tensors.names[0])


def _matches(name: str, search: str) -> bool:
    return all(part in name.casefold() for part in search.casefold().split())


def _line(tensors: Tensors, name: str) -> str:
    """One layer in the list: ``layers.0.q_proj.weight  4,096 × 4,096  bfloat16  33.6 MB  Linear``."""
    parts = (f"{name:.{NAME_LENGTH}}", by(tensors.shape(name)), tensors.dtype(name), size(tensors.nbytes(name)))
    return BETWEEN.join(filter(None, (*parts, tensors.kind(name))))


def _count(found: list[str], tensors: Tensors, picked: str) -> str:
    """How many layers the search has found, and what the list does not show as one would expect."""
    some = len(found) < len(tensors)
    count = f"{len(found):,} of {len(tensors):,} layers. " if some or len(found) > LISTED else ""
    cut = f"Only {LISTED:,} are listed: search for the others. " if len(found) > LISTED else ""
    kept = "" if picked in found else "The picked one is not among them and stays picked."
    return (count + cut + kept).strip()
