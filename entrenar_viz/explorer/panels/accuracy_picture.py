"""The curves of a rehearsal in a front end that cannot show ours: a picture, once it is finished."""

from entrenar_viz.explorer.browser import payload
from entrenar_viz.explorer.on_screen import accuracy_drawn
from entrenar_viz.explorer.panels import plain
from entrenar_viz.explorer.panels.parts import show
from entrenar_viz.rehearsal.outcome import Rehearsal


class AccuracyPicture(plain.VBox):
    """The finished rehearsal, drawn in the kernel."""

    def __init__(self) -> None:
        self.image = plain.Image()
        self._drawn: tuple[Rehearsal, int] | None = None
        super().__init__([self.image])
        show(self.image, False)

    def fill(self, accuracy: payload.Accuracy) -> None:
        """What grows is not drawn here."""

    def look(self, result: Rehearsal | None, cursor: int) -> None:
        """Draw ``result`` with the values at ``cursor``, unless that is drawn already; nothing for None."""
        show(self.image, result is not None)
        if result is None or self._drawn == (result, cursor):
            return
        from entrenar_viz.figures.saving import png_bytes

        self._drawn = (result, cursor)
        self.image.value = png_bytes(accuracy_drawn(result, cursor))
