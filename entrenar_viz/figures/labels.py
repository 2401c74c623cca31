"""Texts beside and above curves: names at the right edge that do not cover each other, and lines that fit."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.font_manager import FontProperties
from matplotlib.textpath import text_to_path

SIZE = 9.5  # of a name, in points
LINE = 14.0  # from one name to the next, in points
WIDER = 1.06  # letters on a grid of pixels may be that much wider than their outlines
LEADER = 16.0  # from the edge of the data to a name, in points


@dataclass(frozen=True)
class EdgeName:
    """A name for a curve that ends at ``x``, ``y`` of the data, at or before the right edge."""

    x: float
    y: float
    text: str
    color: str
    weight: str = "normal"


def draw_names(axes: Axes, names: Sequence[EdgeName]) -> None:
    """Write ``names`` to the right of the data as high as their curves end, moved apart where these end together.

    The limits of the axes must be final. Lines lead from the ends of the curves to the names.
    """
    right, (bottom, top) = axes.get_xlim()[1], axes.get_ylim()
    points = axes.get_window_extent().height * 72 / axes.get_figure(root=True).dpi  # type: ignore[union-attr]
    ordered = sorted(names, key=lambda name: -name.y)
    ends = [min(max(name.y, bottom), top) for name in ordered]
    heights = spread(ends, LINE * (top - bottom) / points, bottom, top)
    for name, end, height in zip(ordered, ends, heights, strict=True):
        width = (right - axes.get_xlim()[0]) / _points_wide(axes)  # of the data, in a point
        x = [name.x, right, *(right + width * along for along in (3, 9, LEADER - 3))]
        y = [end, end, end, height, height]
        axes.plot(x, y, color=name.color, lw=0.8, zorder=3, label="_leader", clip_on=False)
        how = {"color": name.color, "weight": name.weight, "fontsize": SIZE, "va": "center", "parse_math": False}
        axes.text(right + width * LEADER, height, name.text, how)


def room_for(names: Iterable[EdgeName]) -> float:
    """How wide the names are with the lines that lead to them, in inches."""
    return (LEADER + max((text_width(name.text, SIZE, name.weight) for name in names), default=0.0)) / 72


def spread(heights: Sequence[float], line: float, bottom: float, top: float) -> list[float]:
    """The descending ``heights`` at least a ``line`` apart, moved as little as possible (isotonic regression).

    They stay from ``bottom`` to ``top`` as long as there is room.

    >>> spread([2, 2, 1], line=0.5, bottom=0, top=4)
    [2.25, 1.75, 1.0]
    """
    pools: list[list[float]] = []
    for index, height in enumerate(heights):
        pools.append([height + index * line])
        while len(pools) > 1 and np.mean(pools[-2]) < np.mean(pools[-1]):
            last = pools.pop()
            pools[-1] += last
    moved = [float(np.mean(pool)) for pool in pools for _ in pool]
    lowest = bottom + (len(heights) - 1) * line
    return [min(max(height, lowest), top) - index * line for index, height in enumerate(moved)]


def wrapped(text: str, size: float, width: float, weight: str = "normal") -> list[str]:
    """``text`` in lines that are at most ``width`` points wide at a font of ``size`` points.

    >>> wrapped("no difference at this sparsity", 10, 100)
    ['no difference at', 'this sparsity']
    """
    lines: list[str] = []
    for word in text.split():
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and text_width(longer, size, weight) <= width:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines


def shortened(text: str, size: float, width: float) -> str:
    """The end of ``text``, after ``…``, if it would be wider than ``width`` points at a font of ``size`` points.

    >>> shortened("model.layers.0.mlp.gate_proj", 10, 120), shortened("fc1", 10, 120)
    ('…yers.0.mlp.gate_proj', 'fc1')
    """
    form, kept = text, len(text)
    while kept > 1 and (wide := text_width(form, size)) > width:
        kept = min(kept - 1, int(len(form) * width / wide))
        form = f"…{text[-max(kept, 1) :]}"
    return form


def common_end(names: Sequence[str]) -> str:
    """What all of ``names`` end with, from a dot on: it tells none of them from the others.

    >>> common_end(["fc1.weight", "fc2.weight"]), common_end(["conv", "fc.weight"])
    ('.weight', '')
    """
    ends = {f".{name.rpartition('.')[2]}" if "." in name else "" for name in names}
    return ends.pop() if len(ends) == 1 and len(names) > 1 else ""


def apart(middles: Sequence[float], widths: Sequence[float], gap: float) -> list[int]:
    """Which of some texts around ``middles`` stay, in their order: those before others that keep ``gap`` from them.

    >>> apart([0.0, 5.0, 20.0], [8.0, 8.0, 8.0], gap=2.0)
    [0, 2]
    """
    kept: list[int] = []
    for place, (middle, width) in enumerate(zip(middles, widths, strict=True)):
        if all(abs(middle - middles[other]) >= (width + widths[other]) / 2 + gap for other in kept):
            kept.append(place)
    return kept


def text_width(text: str, size: float, weight: str = "normal") -> float:
    """The width of a line of text in points, as it may be at most."""
    font = FontProperties(size=size, weight=weight)
    width, *_ = text_to_path.get_text_width_height_descent(text, font, ismath=False)
    return WIDER * float(width)


def _points_wide(axes: Axes) -> float:
    return float(axes.get_window_extent().width * 72 / axes.get_figure(root=True).dpi)  # type: ignore[union-attr]
