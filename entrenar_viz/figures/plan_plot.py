"""A plan as a picture: a bar for each layer, as wide as it has weights, filled as far as it is pruned."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.figure import Figure
from numpy.typing import NDArray

from entrenar_viz.figures.caption import Caption
from entrenar_viz.figures.labels import (
    EdgeName,
    apart,
    common_end,
    draw_names,
    room_for,
    shortened,
    text_width,
)
from entrenar_viz.figures.palette import theme_colors
from entrenar_viz.figures.saving import ShownFigure
from entrenar_viz.formatting import percent, printable
from entrenar_viz.plan.layer_plan import Plan
from entrenar_viz.plan.planned_layer import PlannedLayer

WIDTH, PLOT = 9.0, 3.0  # of the figure, and height of a full bar, inches
LEFT, RIGHT, ABOVE, BELOW = 0.75, 0.12, 0.56, 0.2  # margins, inches
NAME = 7.5  # size of the font of names and shares, points
LEAST, CROWDED = 3.0, 0.5  # width of the smallest bar: points, or a share of what each would have of equal ones
GAP = 0.12  # between two bars: a share of what each would have of equal ones, and at most
WIDEST_GAP = 3.0  # points
NARROW = 5.0  # a bar above which no share is written, points
OVER = 16.0  # that a share may be wider than its bar, points
FEW = 12  # names that may lie
APART = 10.0  # between the middles of two names that stand upright, points
LONGEST = 130.0  # of a name that stands upright, points
LEVELS = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
WHOLE = "left whole"

Places = NDArray[np.float64]  # (layers,), points


@dataclass(frozen=True, eq=False)
class _Bars:
    """Where the bars of ``layers`` stand, in points from the left edge of the data."""

    layers: Sequence[PlannedLayer]
    left: Places
    width: Places
    widened: bool

    @classmethod
    def of(cls, layers: Sequence[PlannedLayer], room: float) -> "_Bars":
        each = room / len(layers)
        gap = min(GAP * each, WIDEST_GAP)
        weights = [layer.weights for layer in layers]
        width = bar_widths(weights, room - gap * len(layers), min(LEAST, CROWDED * each))
        left = np.concatenate([[0.0], np.cumsum(width + gap)[:-1]]) + gap / 2
        return cls(layers, left, width, bool(np.ptp(width / weights) > 1e-9 * width.max()))

    @property
    def middle(self) -> Places:
        return self.left + self.width / 2

    def apart(self, widths: Places, gap: float) -> list[int]:
        """Which texts of these widths, inf for none, have room at the middles of the bars: those of wide bars first."""
        order = np.argsort(-self.width, kind="stable")
        order = order[np.isfinite(widths[order])]
        kept = apart(self.middle[order].tolist(), widths[order].tolist(), gap)
        return [int(place) for place in order[kept]]


@dataclass(frozen=True, eq=False)
class _Names:
    """The names of the bars that have one, by their places: all lying below their bars, or some standing upright."""

    texts: dict[int, str]
    lying: bool

    @property
    def longest(self) -> float:
        return max(text_width(text, NAME) for text in self.texts.values())


def plan_figure(plan: Plan, *, theme: str = "light") -> Figure:
    """Draw a bar for each layer of ``plan``, in the order of the model, filled from below as far as it is pruned.

    Bars are as wide as the layers have weights, so that all that is filled is the budget; only what would be too small
    to see is wider. The dashed line is the share that goes of all layers. What is skipped is hatched. As many names and
    shares are written as have room. The y data are fractions, the x data points. EntrenarVizError for an unknown theme.
    """
    colors = theme_colors(theme)
    line = f"{percent(plan.sparsity)} overall"
    gutter = room_for([EdgeName(0.0, 0.0, line, colors["ink"])])
    bars = _Bars.of(plan.layers, (WIDTH - LEFT - RIGHT - gutter) * 72)
    names = _names(bars)
    axes = _axes(colors, plan.words(), _below(plan, bars), gutter, 0.2 if names.lying else names.longest / 72 + 0.1)
    axes.set(xlim=(0, (WIDTH - LEFT - RIGHT - gutter) * 72), ylim=(0, 1))
    _draw_bars(axes, colors, bars)
    _draw_shares(axes, colors, bars)
    _draw_names_below(axes, colors, names, bars)
    axes.axhline(plan.sparsity, color=colors["ink"], lw=1.3, ls=(0, (4, 2)), zorder=4, label="overall")
    draw_names(axes, [EdgeName(axes.get_xlim()[1], plan.sparsity, line, colors["ink"])])
    return axes.get_figure(root=True)  # type: ignore[return-value]


def bar_widths(weights: Sequence[int], room: float, least: float) -> Places:
    """Widths that fill ``room``, in proportion to ``weights`` but for those that would be below ``least``.

    >>> bar_widths([1, 200, 200], room=100.0, least=10.0)
    array([10., 45., 45.])
    """
    sizes = np.asarray(weights, np.float64)
    small = np.zeros(len(sizes), bool)
    while True:
        unit = (room - least * np.count_nonzero(small)) / sizes[~small].sum()
        more = ~small & (sizes * unit < least)
        if not more.any():
            return np.where(small, least, sizes * unit)
        small |= more


def _axes(colors: dict[str, str], title: str, below: str, gutter: float, names: float) -> Axes:
    """Axes in a figure as high as the title, the names below the bars and the small print need."""
    caption = Caption.of(title, below, WIDTH - LEFT - RIGHT)
    bottom = names + BELOW + caption.below
    height = bottom + PLOT + ABOVE + caption.above
    figure = ShownFigure(figsize=(WIDTH, height), facecolor=colors["background"])
    place = (LEFT / WIDTH, bottom / height, (WIDTH - LEFT - RIGHT - gutter) / WIDTH, PLOT / height)
    axes = figure.add_axes(place, facecolor="none")
    axes.tick_params(length=0, labelsize=9, labelcolor=colors["muted"], pad=6)
    axes.spines[:].set_visible(False)
    axes.set_xticks([])
    axes.set_yticks(LEVELS, [percent(level) for level in LEVELS])
    axes.set_ylabel("sparsity", color=colors["ink"], fontsize=10, labelpad=6)
    axes.set_axisbelow(True)
    axes.grid(axis="y", color=colors["grid"], lw=0.8)
    caption.draw(figure, colors, LEFT)
    return axes


def _below(plan: Plan, bars: _Bars) -> str:
    """What widths, fillings and hatches are."""
    skipped = any(layer.skip for layer in plan.layers)
    wider = " Layers too small to be seen are drawn wider." if bars.widened else ""
    left = f" Hatched: {WHOLE}, and not in the budget." if skipped else ""
    model = f" Model: {printable(plan.origin.source):.60}." if plan.origin.source else ""
    return f"Width: weights of a layer. Filled: the share that goes.{wider}{left}{model}"


def _names(bars: _Bars) -> _Names:
    """All of them if they can lie side by side; else of the widest bars as many as can stand side by side."""
    texts = [printable(layer.name) for layer in bars.layers]
    if len(texts) <= FEW:
        widths = np.array([text_width(text, NAME) for text in texts])
        if len(bars.apart(widths, APART / 2)) == len(texts) and (bars.middle * 2 + LEFT * 144 > widths).all():
            return _Names(dict(enumerate(texts)), lying=True)
    end = common_end(texts)
    named = bars.apart(np.zeros(len(texts)), APART)
    return _Names({place: shortened(texts[place].removesuffix(end), NAME, LONGEST) for place in named}, lying=False)


def _draw_bars(axes: Axes, colors: dict[str, str], bars: _Bars) -> None:
    """A bar for what there is, one for what goes, and hatches over what is left whole."""
    skipped = np.array([layer.skip for layer in bars.layers])
    shares = np.array([layer.sparsity for layer in bars.layers])
    full = np.ones(len(shares))
    _rectangles(axes, bars, full, facecolor=colors["window"], zorder=2, label="weights")
    _rectangles(axes, bars, shares, facecolor=colors["kept_low"], zorder=3, label="pruned")
    left, wide = bars.left[~skipped], bars.width[~skipped]
    axes.hlines(shares[~skipped], left, left + wide, colors=colors["kept_high"], lw=1.6, zorder=3.5, label="sparsity")
    if skipped.any():
        how: dict[str, Any] = {"facecolor": "none", "edgecolor": colors["bars"], "hatch": "////", "lw": 0}
        _rectangles(axes, bars, np.where(skipped, 1.0, 0.0), **how, zorder=3, label=WHOLE)


def _rectangles(axes: Axes, bars: _Bars, heights: Places, **how: Any) -> None:
    """One from the bottom of each bar, but for those without height. One artist, since a model may have thousands."""
    some = zip(bars.left, bars.left + bars.width, heights, strict=True)
    axes.add_collection(PolyCollection([[(x, 0), (x, y), (to, y), (to, 0)] for x, to, y in some if y], **how))


def _draw_shares(axes: Axes, colors: dict[str, str], bars: _Bars) -> None:
    """Above the bars what they give, where there is room."""
    texts = [WHOLE if layer.skip else percent(layer.sparsity) for layer in bars.layers]
    widths = np.full(len(texts), np.inf)
    for place in np.flatnonzero(bars.width >= NARROW).tolist():
        if (width := text_width(texts[place], NAME)) < bars.width[place] + OVER:
            widths[place] = width
    for place in bars.apart(widths, APART / 2):
        color = colors["muted" if bars.layers[place].skip else "ink"]
        how: dict[str, Any] = {"ha": "center", "va": "bottom", "fontsize": NAME, "color": color}
        axes.annotate(texts[place], (bars.middle[place], 1), (0, 3), textcoords="offset points", **how)


def _draw_names_below(axes: Axes, colors: dict[str, str], names: _Names, bars: _Bars) -> None:
    turned = 0 if names.lying else 90
    how: dict[str, Any] = {"ha": "center", "va": "top", "fontsize": NAME, "rotation": turned, "parse_math": False}
    for place, text in names.texts.items():
        axes.annotate(text, (bars.middle[place], 0), (0, -4), textcoords="offset points", color=colors["muted"], **how)
