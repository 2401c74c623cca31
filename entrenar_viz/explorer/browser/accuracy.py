"""The curves of a rehearsal in the page, on the steps of the picture above."""

import traitlets as tr

from entrenar_viz.explorer.browser import payload
from entrenar_viz.explorer.browser.module import module
from entrenar_viz.explorer.browser.second_view import SecondView
from entrenar_viz.rehearsal.outcome import Rehearsal

NOTHING = payload.Accuracy(steps=[], curves=[], first=None, outdated=False)


class AccuracyPlot(SecondView):
    """Accuracy over the steps of the training, with the cursor of a ``Live``: a second view of what that has."""

    _esm = module("accuracy.js")

    accuracy = tr.Dict(dict(NOTHING)).tag(sync=True)
    """What there is to draw (``payload.Accuracy``), written as a whole."""

    def fill(self, accuracy: payload.Accuracy) -> None:
        """Draw what has been read so far."""
        self.accuracy = dict(accuracy)

    def look(self, result: Rehearsal | None, cursor: int) -> None:
        """The page draws by itself."""
