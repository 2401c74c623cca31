"""The words around the data of a figure: a title above and small print below, in as many lines as they need."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from matplotlib.figure import Figure

from entrenar_viz.figures.labels import wrapped

TITLE, SMALL = 11.5, 8.0  # sizes of fonts, points
TITLE_LINE, SMALL_LINE = 0.2, 0.15  # heights of lines, inches
EDGE = 0.1  # from the words to the edges of the figure, inches


@dataclass(frozen=True, eq=False)
class Caption:
    """The lines of a title and of small print."""

    title: Sequence[str]
    small: Sequence[str]

    @classmethod
    def of(cls, title: str, small: str, width: float) -> "Caption":
        """Both in lines of at most ``width`` inches."""
        return cls(wrapped(title, TITLE, width * 72, "bold"), wrapped(small, SMALL, width * 72))

    @property
    def above(self) -> float:
        """What all lines of the title but the first take, inches."""
        return TITLE_LINE * (len(self.title) - 1)

    @property
    def below(self) -> float:
        """What the small print takes, inches."""
        return SMALL_LINE * len(self.small)

    def draw(self, figure: Figure, colors: dict[str, str], left: float) -> None:
        """Write both into ``figure``, ``left`` inches from its edge."""
        width, height = figure.get_size_inches()
        how: dict[str, Any] = {"linespacing": 1.25, "parse_math": False}
        head, ink = "\n".join(self.title), colors["ink"]
        figure.text(left / width, 1 - EDGE / height, head, how, color=ink, fontsize=TITLE, weight="bold", va="top")
        small, muted = "\n".join(self.small), colors["muted"]
        figure.text(left / width, EDGE / height, small, how, color=muted, fontsize=SMALL, va="bottom")
