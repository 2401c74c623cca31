"""Masks on a layer: which weights are kept at which sparsity, and how large they are."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from textwrap import fill

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Colormap, LinearSegmentedColormap, Normalize
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import ArrayLike, NDArray

from entrenar_viz.config.pruning_config import Method, Pattern, Unstructured, pattern_name
from entrenar_viz.config.schedules import SCHEDULE_NAMES
from entrenar_viz.errors import EntrenarVizError
from entrenar_viz.figures.palette import schedule_color, theme_colors
from entrenar_viz.figures.saving import ShownFigure
from entrenar_viz.formatting import percent
from entrenar_viz.masks.order import Mask, PruneOrder, Within, order_or_reason, prune_order
from entrenar_viz.masks.scores import importance
from entrenar_viz.models.weights import Matrix, load_weights

CELLS = 256  # a side of a panel in cells: a layer with more weights is shown by their density
PANEL = 2.56  # width of a panel in inches, so that at 100 and 200 dots an inch no cell is lost
LEFT, RIGHT, GAP, ABOVE, BELOW, HEADER = 0.3, 1.0, 0.35, 0.36, 0.55, 0.4  # the room around a panel, in inches
A_ROW = 4  # panels side by side
BRIGHTEST = 0.995  # quantile of the magnitudes at the end of the colour scale: outliers would darken all others
_ANY_WEIGHT = Unstructured()
_REASON_WIDTH = 34  # letters in a line of a panel


@dataclass(frozen=True, eq=False)
class Panel:
    """A mask at a sparsity, None before the first update; or, instead of an order, the reason why there is none."""

    label: str
    sparsity: float | None
    order: PruneOrder | str


def mask_figure(
    weights: ArrayLike,
    requests: Mapping[str, float | None],
    *,
    pattern: Pattern = _ANY_WEIGHT,
    method: Method = "magnitude",
    activations: ArrayLike | None = None,
    within: Within = "tensor",
    theme: str = "light",
) -> Figure:
    """Draw the mask of ``weights`` at each of ``requests`` (a label and a sparsity from 0 to 1), a panel each.

    A sparsity of None is a time before the first update: nothing is pruned yet, whatever the pattern.

    Kept weights have the colour of their magnitude, pruned ones that of the background. Layers of more than 256 rows
    or columns are shown as the share of kept weights in each cell. More than two dimensions are viewed as
    (out, rest). ``activations``, (samples, columns), or their norms, (columns,), are what ``method`` needs of them;
    ``within="row"`` is the comparison of Wanda's paper instead of the trainer's (see ``prune_mask``). WeightsError
    for weights, activations, a pattern or a sparsity that do not fit; EntrenarVizError for an unknown theme or no
    request at all.
    """
    theme_colors(theme)
    if not requests:
        raise EntrenarVizError('nothing to draw: pass requests such as {"Cubic": 0.46}')
    matrix = load_weights({"weights": weights}).matrix("weights")
    order = prune_order(importance(matrix, method, activations), pattern, within)
    compared = " within each row" if within == "row" else ""
    header = f"{pattern_name(pattern)}, by {method}{compared}"
    panels = [Panel(label, sparsity, order) for label, sparsity in requests.items()]
    return panels_figure(matrix, panels, header=header, theme=theme)


def patterns_figure(
    weights: ArrayLike,
    sparsity: float | None,
    patterns: Sequence[Pattern],
    *,
    method: Method = "magnitude",
    activations: ArrayLike | None = None,
    theme: str = "light",
) -> Figure:
    """Draw the mask of ``weights`` at one ``sparsity`` (0 to 1, None before the first update) in each of ``patterns``.

    Where a pattern does not fit the weights, its panel says why. Everything else is as in ``mask_figure``.
    """
    if not patterns:
        raise EntrenarVizError("nothing to draw: pass patterns such as [Unstructured(), NM(n=2, m=4)]")
    matrix = load_weights({"weights": weights}).matrix("weights")
    scores = importance(matrix, method, activations)
    panels = [Panel(pattern_name(pattern), sparsity, order_or_reason(scores, pattern)) for pattern in patterns]
    return panels_figure(matrix, panels, header=f"by {method}", theme=theme)


def panels_figure(matrix: Matrix, panels: Sequence[Panel], *, header: str = "", theme: str = "light") -> Figure:
    """Draw ``panels`` of (rows, columns) weights that are in prune order already, under their shape and ``header``."""
    rows, columns = matrix.shape
    above = f"{rows:,} × {columns:,} weights" + (f", {header}" if header else "")
    return _draw(matrix, panels, above, theme_colors(theme))


def _draw(matrix: Matrix, panels: Sequence[Panel], header: str, colors: dict[str, str]) -> Figure:
    figure, places = _grid(len(panels), matrix.shape[0] / matrix.shape[1], colors)
    height = figure.get_figheight()
    place = LEFT / figure.get_figwidth(), 1 - 0.14 / height
    figure.text(*place, header, color=colors["muted"], fontsize=9, va="top", parse_math=False)
    dense = max(matrix.shape) > CELLS
    tints, norm = _scale(matrix, dense, colors)
    for axes, panel in zip(places, panels, strict=True):
        color = _title_color(panel.label, colors)
        axes.set_title(panel.label, color=color, fontsize=11, weight="bold", pad=6, parse_math=False)
        if isinstance(panel.order, str):
            lines, middle = fill(panel.order, _REASON_WIDTH), {"ha": "center", "va": "center"}
            axes.text(
                0.5, 0.5, lines, middle, transform=axes.transAxes, color=colors["ink"], fontsize=8.5, parse_math=False
            )
            continue
        mask = np.ones(matrix.shape, bool) if panel.sparsity is None else panel.order.mask(panel.sparsity)
        picture = _density(mask) if dense else np.ma.masked_array(np.abs(matrix), ~mask)
        axes.imshow(picture, cmap=tints, norm=norm, aspect="auto", interpolation="nearest")
        axes.set_xlabel(_asked(panel.sparsity, mask), color=colors["ink"], fontsize=9.5, labelpad=6)
    label = "share of weights kept" if dense else "magnitude of kept weights"
    _draw_scale(places[-1], ScalarMappable(norm, tints), label, colors)
    return figure


def _asked(sparsity: float | None, mask: Mask) -> str:
    got = np.count_nonzero(~mask) / mask.size
    return "no update yet" if sparsity is None else f"asked {percent(sparsity)} / got {percent(got)}"


def _grid(count: int, ratio: float, colors: dict[str, str]) -> tuple[Figure, list[Axes]]:
    """``count`` empty panels of the layer's shape; very long layers are compressed, or they would be lines."""
    across, down = min(count, A_ROW), -(-count // A_ROW)
    tall = PANEL * min(max(ratio, 0.4), 1.5)
    width = LEFT + across * PANEL + (across - 1) * GAP + RIGHT
    pitch = ABOVE + tall + BELOW
    height = HEADER + down * pitch
    figure = ShownFigure(figsize=(width, height), facecolor=colors["background"])
    panels = []
    for index in range(count):
        row, column = divmod(index, across)
        left, bottom = LEFT + column * (PANEL + GAP), BELOW + (down - 1 - row) * pitch
        axes = figure.add_axes((left / width, bottom / height, PANEL / width, tall / height))
        axes.set(xticks=[], yticks=[], facecolor=colors["pruned"])
        axes.spines[:].set(color=colors["muted"], linewidth=0.6)
        panels.append(axes)
    return figure, panels


def _scale(matrix: Matrix, dense: bool, colors: dict[str, str]) -> tuple[Colormap, Normalize]:
    """The same colours for the same magnitude in all panels."""
    shades = [colors[name] for name in ("pruned", "kept_low", "kept_high")][not dense :]
    tints = LinearSegmentedColormap.from_list("kept", shades).with_extremes(bad=colors["pruned"])
    highest = 1.0 if dense else float(np.quantile(np.abs(matrix), BRIGHTEST)) or 1.0
    return tints, Normalize(0, highest, clip=True)


def _density(mask: Mask) -> NDArray[np.float64]:
    """Share of kept weights in each cell of a picture of at most ``CELLS`` x ``CELLS``."""
    rows, columns = (_edges(size) for size in mask.shape)
    banded = np.add.reduceat(mask.view(np.uint8), rows[:-1], axis=0, dtype=np.uint32)  # rows first: contiguous
    kept = np.add.reduceat(banded, columns[:-1], axis=1, dtype=np.uint64)
    density: NDArray[np.float64] = kept / np.outer(np.diff(rows), np.diff(columns))
    return density


def _edges(size: int) -> NDArray[np.int64]:
    cells = min(size, CELLS)
    return np.arange(cells + 1, dtype=np.int64) * size // cells


def _title_color(label: str, colors: dict[str, str]) -> str:
    """A schedule's name has the schedule's colour."""
    return next((schedule_color(colors, kind) for kind, name in SCHEDULE_NAMES.items() if name == label), colors["ink"])


def _draw_scale(panel: Axes, scale: ScalarMappable, label: str, colors: dict[str, str]) -> None:
    bar_axes = panel.inset_axes((1.07, 0, 0.05, 1))
    bar = panel.figure.colorbar(scale, cax=bar_axes)
    bar.outline.set(edgecolor=colors["muted"], linewidth=0.6)
    bar.set_label(label, color=colors["ink"], fontsize=8.5, labelpad=6)
    bar_axes.tick_params(length=0, labelsize=8, labelcolor=colors["muted"], pad=3)
    if label.startswith("share"):
        bar.set_ticks([0, 0.5, 1], labels=[percent(share) for share in (0, 0.5, 1)])
    else:
        bar.locator = MaxNLocator(4)
