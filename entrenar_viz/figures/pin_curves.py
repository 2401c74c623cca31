"""Pinned configurations in the figure of a schedule: dashed grey curves, and names that fit beside them."""

from collections.abc import Sequence
from itertools import cycle

from matplotlib.axes import Axes
from matplotlib.font_manager import FontProperties
from matplotlib.textpath import text_to_path

from entrenar_viz.config.pin import Pin
from entrenar_viz.figures.curves import curve, end_of

DASHES = ((6, 3), (3, 3), (10, 3), (6, 2, 2, 2), (10, 2, 2, 2, 2, 2))  # of one pin after the other, then again
SIZE, WIDEST = 9.5, 78  # of a name beside its curve, in points
MOST_NAMES = 18  # lines of text from 0% to 100%, the names of the other curves included


def draw_pins(axes: Axes, pins: Sequence[Pin], span: int, color: str) -> None:
    """Draw what each of ``pins`` asks for up to step ``span``, thin and dashed, under all other curves."""
    for pin, dashes in zip(pins, cycle(DASHES), strict=False):
        axes.plot(*curve(pin.config, span), color=color, lw=1, ls=(0, dashes), label=f"pin {pin.name}", zorder=3.5)


def pin_names(pins: Sequence[Pin], span: int, others: int) -> list[tuple[float, str]]:
    """Where each curve ends, and the name beside it; where there are too many with ``others``, the rest is counted."""
    room = max(MOST_NAMES - others, 1)
    named = pins if len(pins) <= room else pins[: room - 1]
    names = [(end_of(pin.config, span), fitting(pin.name)) for pin in named]
    if more := pins[len(named) :]:
        names.append((end_of(more[0].config, span), f"{len(more)} more pins"))
    return names


def fitting(name: str) -> str:
    """``name`` in letters that the font has, and no wider than the room for it.

    >>> fitting("Gradual 50%"), fitting("a name of more than a few letters"), fitting("größer 層")
    ('Gradual 50%', 'a name of mo…', 'größer ?')
    """
    known = shown = name.encode("latin-1", "replace").decode("latin-1")
    while _width(shown) > WIDEST:
        known = known[:-1].rstrip()
        shown = f"{known}…"
    return shown


def _width(label: str) -> float:
    width, *_ = text_to_path.get_text_width_height_descent(label, FontProperties(size=SIZE), ismath=False)
    return float(width)
