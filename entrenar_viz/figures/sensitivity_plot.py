"""What layers lose at each sparsity, as small multiples: a panel a layer."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from entrenar_viz.errors import EntrenarVizError
from entrenar_viz.figures.caption import Caption
from entrenar_viz.figures.labels import EdgeName, common_end, draw_names, room_for, shortened, text_width
from entrenar_viz.figures.palette import theme_colors
from entrenar_viz.figures.saving import ShownFigure
from entrenar_viz.formatting import capitalized, counted, percent, printable
from entrenar_viz.models.layer_names import place_of
from entrenar_viz.plan.sensitivities import LayerSensitivity, Sensitivity

MOST, SHOWN, TELLING = 30, 24, 0.8  # panels, panels of more layers, and the sparsity that then chooses them
WIDTH, WIDEST = 9.0, 2.6  # of the figure, and of a panel at most, inches
LOWEST, HIGHEST = 1.15, 1.7  # heights of panels, inches
LEFT, RIGHT, GAP, ABOVE, BETWEEN, BELOW = 0.62, 0.12, 0.16, 0.3, 0.45, 0.56  # the room around panels, inches
NAME, TICK = 8.0, 7.5  # sizes of fonts, points
TICKS = (0.0, 0.5, 1.0)
KEPT, ERROR = "energy kept", "output error"


@dataclass(frozen=True, eq=False)
class _Shown:
    """The layers that have a panel, and how they were chosen in words, empty if they are all."""

    layers: Sequence[LayerSensitivity]
    why: str

    @classmethod
    def of(cls, found: Sensitivity) -> "_Shown":
        measured = [layer for layer in found if not layer.reason]
        if not measured:
            why = f": {found.layers[0].reason}" if found.layers else ""
            raise EntrenarVizError(f"no layer of {printable(found.source):.60} was measured{why}")
        if len(measured) <= MOST:
            return cls(measured, "")
        levels = np.array(measured[0].levels)
        place = int(np.abs(levels - TELLING).argmin())
        most = sorted(measured, key=lambda layer: layer.kept_energy[place])[:SHOWN]
        return cls(most, f"{SHOWN} of {len(measured):,} layers: those that lose most at {percent(levels[place])}")


def sensitivity_figure(found: Sensitivity, *, theme: str = "light") -> Figure:
    """Draw what each layer of ``found`` loses, a panel a layer: the energy it keeps over the sparsity achieved.

    Where the error of the outputs was measured, it is the second line. A circle marks the knee, the sparsity from which
    on a layer loses more with each weight than on average. There are up to 30 panels; of more layers, those 24 are
    drawn that lose most at 80%, or the level next to it, the most sensitive first, and the title says so. All data are
    fractions. EntrenarVizError if no layer was measured, and for an unknown theme.
    """
    colors, shown = theme_colors(theme), _Shown.of(found)
    panels = _panels(colors, shown, _title(shown), _below(found, shown))
    names = _panel_names(shown, panels[0].get_position().width * WIDTH * 72)
    for axes, layer, name in zip(panels, shown.layers, names, strict=True):
        _draw_curves(axes, colors, layer)
        _draw_knee(axes, colors, layer)
        how: dict[str, Any] = {"fontsize": NAME, "pad": 4, "loc": "left", "linespacing": 1.15, "parse_math": False}
        axes.set_title(name, color=colors["ink"], **how)
    last = min(_across(len(panels)), len(panels)) - 1  # of the first row
    draw_names(panels[last], _line_names(colors, shown.layers[last]))
    return panels[0].get_figure(root=True)  # type: ignore[return-value]


def _across(count: int) -> int:
    """Panels in a row."""
    return next((across for across, most in ((1, 1), (2, 2), (3, 3), (4, 8), (5, 15)) if count <= most), 6)


def _panel_names(shown: _Shown, wide: float) -> list[str]:
    """The names of the layers, or, where one does not fit, the block of each in a line above its place there."""
    names = [printable(layer.layer) for layer in shown.layers]
    end = common_end(names)
    if all(text_width(name.removesuffix(end), NAME) <= wide for name in names):
        return [name.removesuffix(end) for name in names]
    lines = [filter(None, place_of(name)) for name in names]
    return ["\n".join(shortened(part, NAME, wide) for part in parts) for parts in lines]


def _title(shown: _Shown) -> str:
    return shown.why or f"What {counted(len(shown.layers), 'layer')} lose{'s' * (len(shown.layers) == 1)} by sparsity"


def _below(found: Sensitivity, shown: _Shown) -> str:
    """How it was measured, what the lines are, and what has no panel."""
    unknown = [layer for layer in found if layer.reason]
    error = f" {capitalized(ERROR)}: the share of what comes out that is missing." if _has_error(shown.layers) else ""
    knee = " Circle: the knee, the sparsity farthest from the straight line between the ends of a curve."
    more = f" and {len(unknown) - 1:,} more" if len(unknown) > 1 else ""
    missing = f" Not measured: {printable(unknown[0].layer):.60}{more}." if unknown else ""
    return (
        f"{printable(found.source):.60}; {printable(found.words()):.120}. {capitalized(KEPT)}: the share of the squared"
        f" weights that stays.{error}{knee if any(layer.knee for layer in shown.layers) else ''}{missing}"
    )


def _has_error(layers: Sequence[LayerSensitivity]) -> bool:
    return any(layer.output_error is not None for layer in layers)


def _panels(colors: dict[str, str], shown: _Shown, title: str, below: str) -> list[Axes]:
    """Empty panels in a figure as high as they, the title and the small print need."""
    caption = Caption.of(title, below, WIDTH - LEFT - RIGHT)
    across, gutter = _across(len(shown.layers)), room_for(_line_names(colors, shown.layers[0]))
    down = -(-len(shown.layers) // across)
    wide = min((WIDTH - LEFT - RIGHT - gutter - GAP * (across - 1)) / across, WIDEST)
    tall = min(max(0.75 * wide, LOWEST), HIGHEST)
    bottom = BELOW + caption.below
    height = bottom + down * (tall + BETWEEN) + ABOVE + caption.above
    figure = ShownFigure(figsize=(WIDTH, height), facecolor=colors["background"])
    caption.draw(figure, colors, LEFT)
    panels = []
    for place in range(len(shown.layers)):
        row, column = divmod(place, across)
        x, y = LEFT + column * (wide + GAP), bottom + (down - 1 - row) * (tall + BETWEEN)
        axes = figure.add_axes((x / WIDTH, y / height, wide / WIDTH, tall / height), facecolor=colors["recovery"])
        lowest = place + across >= len(shown.layers)
        _scale(axes, colors, first=column == 0, lowest=lowest)
        panels.append(axes)
    return panels


def _scale(axes: Axes, colors: dict[str, str], *, first: bool, lowest: bool) -> None:
    """The same scales for all; numbers at the left and at the bottom only."""
    axes.set(xlim=(-0.02, 1.02), ylim=(-0.03, 1.03))
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0, labelsize=TICK, labelcolor=colors["muted"], pad=4)
    axes.set_xticks(TICKS, [percent(tick) for tick in TICKS] if lowest else [""] * len(TICKS))
    axes.set_yticks(TICKS, [percent(tick) for tick in TICKS] if first else [""] * len(TICKS))
    axes.set_axisbelow(True)
    axes.grid(color=colors["grid"], lw=0.8)
    if lowest:
        axes.set_xlabel("sparsity", color=colors["ink"], fontsize=TICK, labelpad=2)
        left, *_, right = axes.get_xticklabels()
        left.set_horizontalalignment("left")
        right.set_horizontalalignment("right")


def _draw_curves(axes: Axes, colors: dict[str, str], layer: LayerSensitivity) -> None:
    how: dict[str, Any] = {"lw": 1.5, "marker": "o", "ms": 2.2, "clip_on": False, "solid_capstyle": "round"}
    axes.plot(layer.achieved, layer.kept_energy, color=colors["kept_high"], zorder=5, label=KEPT, **how)
    if layer.output_error is not None:
        axes.plot(
            layer.achieved, np.minimum(layer.output_error, 1), color=colors["fresh"], zorder=4, label=ERROR, **how
        )


def _draw_knee(axes: Axes, colors: dict[str, str], layer: LayerSensitivity) -> None:
    if layer.knee is None:
        return
    kept = layer.kept_energy[layer.achieved.index(layer.knee)]
    color = colors["kept_high"]
    axes.plot([layer.knee], [kept], "o", ms=7, mfc="none", mec=color, mew=1.2, zorder=6, label="knee")
    how: dict[str, Any] = {"ha": "right", "va": "top", "fontsize": TICK, "color": color, "zorder": 7}
    axes.annotate(percent(round(layer.knee, 3)), (layer.knee, kept), (-4, -4), textcoords="offset points", **how)


def _line_names(colors: dict[str, str], layer: LayerSensitivity) -> list[EdgeName]:
    x = layer.achieved[-1]
    names = [EdgeName(x, layer.kept_energy[-1], KEPT, colors["kept_high"])]
    if layer.output_error is not None:
        names.append(EdgeName(x, min(layer.output_error[-1], 1.0), ERROR, colors["fresh"]))
    return names
