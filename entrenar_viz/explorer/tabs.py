"""The tabs below the picture: what is open follows, and what was never looked at is not sent."""

from collections.abc import Callable, Mapping

import ipywidgets as w

from entrenar_viz.explorer.panels import plain


class Tabs(plain.Tab):
    """``panels`` by their titles; ``opened`` hears the title of the one that is opened."""

    def __init__(self, panels: Mapping[str, w.Widget], opened: Callable[[str], None]) -> None:
        self.panels = dict(panels)
        places = [plain.VBox() for _ in self.panels]  # of a panel each, sent without it
        super().__init__(places, titles=list(self.panels), selected_index=0)
        self.add_class("entrenar-viz-tabs")
        self.observe(lambda _: opened(self.open_title), "selected_index")

    @property
    def open_title(self) -> str:
        """The title of the panel that is open."""
        return list(self.panels)[self.selected_index or 0]

    def open_tab(self, title: str) -> None:
        """Open the panel of that title."""
        self.selected_index = list(self.panels).index(title)

    def fill(self) -> None:
        """Let the panels be sent: the picture is on the screen."""
        for place, panel in zip(self.children, self.panels.values(), strict=True):
            if not place.children:
                place.children = (panel,)
