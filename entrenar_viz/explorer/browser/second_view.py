"""What all widgets have that show in another place what a live view has."""

import anywidget
import traitlets as tr

from entrenar_viz.explorer.browser.live import Live
from entrenar_viz.explorer.panels.plain import Plain


class SecondView(Plain, anywidget.AnyWidget):
    """A second view of what a ``Live`` has, which is sent before it."""

    live = tr.Unicode().tag(sync=True)
    """The address of the ``Live`` in the page."""

    def __init__(self, live: Live) -> None:
        self._of = live
        super().__init__()

    def _ask(self) -> None:
        if not self._asked_for:
            self.live = f"anywidget:{self._of.model_id}"  # which sends the Live first
        super()._ask()
