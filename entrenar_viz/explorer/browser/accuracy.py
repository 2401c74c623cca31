"""The curves of a rehearsal in the page, on the steps of the picture above."""

import anywidget
import traitlets as tr

from entrenar_viz.explorer.browser import payload
from entrenar_viz.explorer.browser.live import Live
from entrenar_viz.explorer.browser.module import module
from entrenar_viz.explorer.panels.plain import Plain
from entrenar_viz.rehearsal.outcome import Rehearsal

NOTHING = payload.Accuracy(steps=[], curves=[], first=None, outdated=False)


class AccuracyPlot(Plain, anywidget.AnyWidget):
    """Accuracy over the steps of the training, with the cursor of a ``Live``: a second view of what that has."""

    _esm = module("accuracy.js")

    live = tr.Unicode().tag(sync=True)
    """The address of the ``Live`` in the page."""
    accuracy = tr.Dict(dict(NOTHING)).tag(sync=True)
    """What there is to draw (``payload.Accuracy``), written as a whole."""

    def __init__(self, live: Live) -> None:
        self._of = live
        super().__init__()

    def fill(self, accuracy: payload.Accuracy) -> None:
        """Draw what has been read so far."""
        self.accuracy = dict(accuracy)

    def look(self, result: Rehearsal | None, cursor: int) -> None:
        """The page draws by itself."""

    def _ask(self) -> None:
        if not self._asked_for:
            self.live = f"anywidget:{self._of.model_id}"  # which sends the Live first
        super()._ask()
