"""What pictures of accuracy have in common: a title and small print that fit, the grid, the curve of a schedule."""

from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator
from numpy.typing import ArrayLike

from entrenar_viz.figures.caption import Caption
from entrenar_viz.figures.saving import ShownFigure
from entrenar_viz.formatting import capitalized, percent, rounded
from entrenar_viz.rehearsal.verdict import ACCURACY, Metric

WIDTH, PLOT = 9.0, 3.4  # of the figure, and height of the data, inches
LEFT, RIGHT = 0.75, 0.12  # margins, inches
TEXT_WIDTH = (WIDTH - LEFT - RIGHT) * 72  # of a line of text, points
ABOVE, BELOW = 0.34, 0.62  # heights above and below the data, inches
ALPHA = 0.5  # of all bands together, where they lie on each other
PAD = 0.06  # above and below the curves, in units of their height
DASHES = ("-", (0, (5, 2)), (0, (2, 1.5)), (0, (7, 2, 1.5, 2)))  # of one curve of a colour after the other


def accuracy_axes(colors: dict[str, str], title: str, below: str, *, above: float, gutter: float) -> Axes:
    """Axes in a figure as high as ``title`` and the small print ``below`` need.

    ``above`` are inches for more text between title and data, ``gutter`` those for names to the right of the data.
    """
    caption = Caption.of(capitalized(title), below, TEXT_WIDTH / 72)
    bottom, top = BELOW + caption.below, ABOVE + above + caption.above
    height = bottom + PLOT + top
    figure = ShownFigure(figsize=(WIDTH, height), facecolor=colors["background"])
    place = (LEFT / WIDTH, bottom / height, (WIDTH - LEFT - RIGHT - gutter) / WIDTH, PLOT / height)
    axes = figure.add_axes(place, facecolor="none")
    axes.tick_params(length=0, labelsize=9, labelcolor=colors["muted"], pad=6)
    axes.spines[:].set_visible(False)
    axes.set_axisbelow(True)
    caption.draw(figure, colors, LEFT)
    return axes


def scale_y(axes: Axes, colors: dict[str, str], metric: Metric, values: ArrayLike) -> None:
    """Make room for ``values``, write the ticks and draw the grid."""
    found = np.asarray(values, np.float64)
    low, high = float(found.min()), float(found.max())
    pad = PAD * (high - low) or (0.01 if metric.name == ACCURACY else max(abs(high), 1.0) / 100)
    bottom, top = low - pad, high + pad
    levels = [float(at) for at in MaxNLocator(7, steps=[1, 2, 2.5, 5, 10]).tick_values(bottom, top)]
    inside = [level for level in levels if bottom <= level <= top and (metric.name != ACCURACY or 0 <= level <= 1)]
    written = percent if metric.name == ACCURACY else rounded
    axes.set_ylim(bottom, top)
    axes.set_yticks(inside, [written(round(level, 12)) for level in inside])
    axes.grid(axis="y", color=colors["grid"], lw=0.8)
    axes.set_ylabel(f"{metric.name:.40}", color=colors["ink"], fontsize=10, labelpad=6, parse_math=False)


def draw_curve(
    axes: Axes, x: ArrayLike, means: ArrayLike, ends: tuple[ArrayLike, ArrayLike], alpha: float, **how: Any
) -> None:
    """A line through ``means``, and a band between the ``ends`` of their intervals where these are known."""
    axes.plot(x, means, solid_capstyle="round", **how)
    low, high = (np.asarray(end, np.float64) for end in ends)
    if np.isfinite(low).any():
        axes.fill_between(x, low, high, color=how["color"], alpha=alpha, lw=0, zorder=2, label="_band")


def band_alpha(curves: int) -> float:
    """How strong a band is: fainter the more there are, so that the lines are seen through all of them."""
    return ALPHA / max(curves, 3)


def dashes_of(kinds: Sequence[Hashable]) -> list[Any]:
    """A dash pattern for each curve: curves of a kind, which have one colour, differ in it."""
    before = [kinds[:index].count(kind) for index, kind in enumerate(kinds)]
    return [DASHES[number % len(DASHES)] for number in before]
