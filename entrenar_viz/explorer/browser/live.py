"""The widgets of the live view: the page draws it, the kernel says what the configuration amounts to."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from uuid import uuid4

import anywidget
import numpy as np
import traitlets as tr

from entrenar_viz.analysis.training_log import TrainingLog
from entrenar_viz.config.pin import Pin
from entrenar_viz.config.pruning_config import PruningConfig
from entrenar_viz.explorer.browser import payload
from entrenar_viz.explorer.browser.module import module
from entrenar_viz.explorer.controls.settings import Settings
from entrenar_viz.explorer.on_screen import DrawnLog
from entrenar_viz.explorer.panels.plain import Plain
from entrenar_viz.explorer.preview.preparation import ReadyMasks
from entrenar_viz.figures.palette import COLORS
from entrenar_viz.figures.thinning import changes, thinned

MOST_POINTS = 2000  # of a log's line: about as many as a canvas has pixels
CSS = (Path(__file__).parent / "explorer.css").read_text("utf-8")


class Live(Plain, anywidget.AnyWidget):
    """Numbers, curves and masks in one model. What is dragged is drawn in the page at once.

    The page sends messages with all of its settings (``controls.state.Told``), and with them what it asks for
    (``payload.Command``).
    """

    _esm = module("live.js")
    _css = CSS

    key = tr.Unicode().tag(sync=True)
    """What tells this explorer from others in a page."""
    settings = tr.Dict().tag(sync=True)
    """The settings that the kernel has (``payload.Settings``), written as a whole."""
    answer = tr.Dict().tag(sync=True)
    """What it says of them (``payload.Answer``), written as a whole."""
    choices = tr.Dict().tag(sync=True)
    """What can be chosen from (``payload.Choices``)."""
    progress = tr.Dict({"message": "", "share": 0.0}).tag(sync=True)
    """What is being prepared (``payload.Progress``)."""
    ghosts = tr.List(tr.Dict()).tag(sync=True)
    """The curves of pins (``payload.Ghost``)."""
    training_log = tr.Dict().tag(sync=True)
    """What a training log tells (``payload.Log``); empty: there is none."""
    layer = tr.Dict().tag(sync=True)
    """What the masks need (see preview/layer.py); without ``width`` there is no mask, and ``note`` says why."""
    patterns = tr.List(tr.Dict()).tag(sync=True)
    """The layer in each pattern, to compare them for the chosen schedule; empty: ``layer``, for each schedule."""
    window = tr.Dict().tag(sync=True)
    """The weights in the window on a large layer (see ``Prepared.window``)."""
    palettes = tr.Dict(COLORS).tag(sync=True)
    """Colours by theme and by what they stand for."""

    @tr.default("key")
    def _new_key(self) -> str:
        return uuid4().hex

    def choose_from(self, choices: payload.Choices) -> None:
        """Say what there is to choose from."""
        self.choices = dict(choices)

    def tell(self, settings: payload.Settings, answer: payload.Answer) -> None:
        """Send the settings and what is said of them, in one message."""
        with self.hold_sync():
            self.settings, self.answer = dict(settings), dict(answer)

    def tell_failure(self, settings: payload.Settings) -> None:
        """Say that these settings came, and that nothing can be said of them."""
        problem = payload.Trouble(names=[], message="Something went wrong; nothing is exported.")
        with self.hold_sync():
            self.settings, self.answer = dict(settings), self.answer | {"problems": [problem]}

    def draw(self, settings: Settings, config: PruningConfig, pins: Sequence[Pin], ready: ReadyMasks | None) -> None:
        """The page draws by itself."""

    def show_pins(self, pins: Sequence[Pin]) -> None:
        """Draw the curves of ``pins``."""
        self.ghosts = [dict(_ghost(pin)) for pin in pins]

    def show_log(self, told: DrawnLog) -> None:
        """Draw a training log over the plan."""
        self.training_log = {} if told.log is None else dict(_log(told.log, told.metric))

    def show_masks(self, ready: ReadyMasks, window: Mapping[str, Any]) -> None:
        """Send masks and window, in one message."""
        with self.hold_sync():
            self.layer, self.patterns, self.window = ready.layer, ready.patterns, dict(window)

    def show_window(self, window: Mapping[str, Any]) -> None:
        """Send the weights in the window, which has moved."""
        self.window = dict(window)

    def show_progress(self, message: str, share: float) -> None:
        """Tell what is being prepared; nothing is with an empty message."""
        self.progress = dict(payload.Progress(message=message, share=share))


def _ghost(pin: Pin) -> payload.Ghost:
    schedule = json.loads(pin.config.to_json())["schedule"]
    return payload.Ghost(name=pin.name, schedule=schedule, target=pin.config.target_sparsity)


def _log(log: TrainingLog, metric: str) -> payload.Log:
    told = ~np.isnan(log.sparsity)
    steps, sparsity = log.steps[told], log.sparsity[told]
    kept = changes(sparsity, MOST_POINTS)
    at, values = log.told(metric)
    some = thinned(values, MOST_POINTS)
    return payload.Log(
        name=Path(log.source).name or "the training log",
        steps=steps[kept].tolist(),
        sparsity=sparsity[kept].tolist(),
        metric=metric,
        metric_steps=at[some].tolist(),
        values=[None if np.isnan(value) else value for value in values[some].tolist()],
    )
