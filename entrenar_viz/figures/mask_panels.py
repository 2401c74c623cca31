"""Masks on a layer: which weights are kept at which sparsity, and how large they are."""

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Colormap, LinearSegmentedColormap, Normalize
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import ArrayLike, NDArray

from entrenar_viz.config import Method, Pattern, Unstructured, pattern_name
from entrenar_viz.errors import EntrenarVizError
from entrenar_viz.figures.palette import theme_colors
from entrenar_viz.figures.saving import ShownFigure
from entrenar_viz.findings import percent
from entrenar_viz.importance import importance
from entrenar_viz.masks import Compare, Mask, prune_order
from entrenar_viz.schedules import SCHEDULE_NAMES
from entrenar_viz.weights import Matrix, load_weights

CELLS = 256  # a side of a panel in cells: a layer with more weights is shown by their density
PANEL = 2.56  # width of a panel in inches, so that at 100 and 200 dots an inch no cell is lost
LEFT, RIGHT, GAP, ABOVE, BELOW, HEADER = 0.3, 1.0, 0.35, 0.36, 0.55, 0.4  # the room around a panel, in inches
A_ROW = 4  # panels side by side
BRIGHTEST = 0.995  # quantile of the magnitudes at the end of the colour scale: outliers would darken all others
_ANY_WEIGHT = Unstructured()


def mask_figure(
    weights: ArrayLike,
    requests: Mapping[str, float | None],
    *,
    pattern: Pattern = _ANY_WEIGHT,
    method: Method = "magnitude",
    activations: ArrayLike | None = None,
    compare: Compare = "tensor",
    theme: str = "light",
) -> Figure:
    """Draw the mask of ``weights`` at each of ``requests`` (a label and a sparsity from 0 to 1), a panel each.

    A sparsity of None is a time before the first update: nothing is pruned yet, whatever the pattern.

    Kept weights have the colour of their magnitude, pruned ones that of the background. Layers of more than 256 rows
    or columns are shown as the share of kept weights in each cell. More than two dimensions are viewed as
    (out, rest). ``activations``, (samples, columns), or their norms, (columns,), are what ``method`` needs of them;
    ``compare="row"`` is the comparison of Wanda's paper instead of the trainer's (see ``prune_mask``). WeightsError
    for weights, activations, a pattern or a sparsity that do not fit; EntrenarVizError for an unknown theme or no
    request at all.
    """
    colors = theme_colors(theme)
    if not requests:
        raise EntrenarVizError('nothing to draw: pass requests such as {"Cubic": 0.46}')
    matrix = load_weights(np.asarray(weights)).matrix("weights")
    order = prune_order(importance(matrix, method, activations), pattern, compare)
    whole = np.ones(matrix.shape, bool)
    masks = [whole if sparsity is None else order.mask(sparsity) for sparsity in requests.values()]
    return _draw(matrix, requests, masks, _header(matrix, pattern, method, compare), colors)


def _header(matrix: Matrix, pattern: Pattern, method: str, compare: Compare) -> str:
    rows, columns = matrix.shape
    compared = " within each row" if compare == "row" else ""
    return f"{rows:,} × {columns:,} weights, {pattern_name(pattern)}, by {method}{compared}"


def _draw(
    matrix: Matrix, requests: Mapping[str, float | None], masks: list[Mask], header: str, colors: dict[str, str]
) -> Figure:
    figure, panels = _grid(len(masks), matrix.shape[0] / matrix.shape[1], colors)
    height = figure.get_figheight()
    figure.text(LEFT / figure.get_figwidth(), 1 - 0.14 / height, header, color=colors["muted"], fontsize=9, va="top")
    dense = max(matrix.shape) > CELLS
    tints, norm = _scale(matrix, dense, colors)
    for axes, mask, (label, sparsity) in zip(panels, masks, requests.items(), strict=True):
        picture = _density(mask) if dense else np.ma.masked_array(np.abs(matrix), ~mask)
        axes.imshow(picture, cmap=tints, norm=norm, aspect="auto", interpolation="nearest")
        got = np.count_nonzero(~mask) / mask.size
        axes.set_title(label, color=_title_color(label, colors), fontsize=11, weight="bold", pad=6, parse_math=False)
        asked = "no update yet" if sparsity is None else f"asked {percent(sparsity)} / got {percent(got)}"
        axes.set_xlabel(asked, color=colors["ink"], fontsize=9.5, labelpad=6)
    _draw_scale(
        panels[-1],
        ScalarMappable(norm, tints),
        "share of weights kept" if dense else "magnitude of kept weights",
        colors,
    )
    return figure


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
    return next((colors[kind] for kind, name in SCHEDULE_NAMES.items() if name == label), colors["ink"])


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
