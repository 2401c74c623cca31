"""A sweep as a picture: accuracy over sparsity, a line and a band for each schedule, and where each begins to fall."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from entrenar_viz.config.schedules import SCHEDULE_NAMES
from entrenar_viz.errors import EntrenarVizError
from entrenar_viz.figures.accuracy_axes import accuracy_axes, band_alpha, dashes_of, draw_curve, scale_y
from entrenar_viz.figures.labels import EdgeName, draw_names, room_for, text_width
from entrenar_viz.figures.palette import schedule_color, theme_colors
from entrenar_viz.formatting import counted, percent
from entrenar_viz.rehearsal.sweep_table import SweptPoint, points_of
from entrenar_viz.rehearsal.trial_pruner import DENSE
from entrenar_viz.rehearsal.verdict import FEWEST, Metric

if TYPE_CHECKING:
    import pandas as pd

TICK = 9.0  # size of the numbers below, points
TYPES: dict[str, str] = {name: kind for kind, name in SCHEDULE_NAMES.items()}
EDGE = 0.03  # beside the first and the last sparsity, in units of the width


@dataclass(frozen=True, eq=False)
class _Curve:
    """The points of a schedule, ascending in the sparsity that was applied."""

    points: tuple[SweptPoint, ...]

    @property
    def name(self) -> str:
        return self.points[0].name

    @property
    def metric(self) -> Metric:
        return self.points[0].metric

    @cached_property
    def x(self) -> NDArray[np.float64]:
        return _places([point.applied for point in self.points])

    @cached_property
    def means(self) -> NDArray[np.float64]:
        return np.array([point.mean for point in self.points])

    @cached_property
    def ends(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        low, high = np.array([point.interval for point in self.points]).T
        few = np.array([len(point.per_seed) < FEWEST for point in self.points])
        return np.where(few, np.nan, low), np.where(few, np.nan, high)

    @cached_property
    def knee(self) -> int | None:
        """The index of the point farthest from the straight line between the ends (Satopaa et al. 2011, "Kneedle").

        None unless the curve gets worse from its first to its last point, and the knee is off the line, both by more
        than the intervals.
        """
        sign = 1 if self.metric.higher_is_better else -1
        low, high = (sign * end for end in (self.ends if sign > 0 else self.ends[::-1]))
        if len(self.points) < 3 or not high[-1] < low[0]:
            return None
        y = sign * self.means
        line = y[0] + (self.x - self.x[0]) / (self.x[-1] - self.x[0]) * (y[-1] - y[0])
        index = int(np.argmax(y - line))
        return index if low[index] > line[index] else None


def sweep_figure(frame: "pd.DataFrame", *, theme: str = "light") -> Figure:
    """Draw what ``sweep`` has found: the metric over the sparsity applied in the end, and dense as a band.

    The scale of sparsities is logarithmic in what is kept, so that 90%, 95% and 98% are as far apart as they are for
    a network. Lines are means over the seeds, bands their 95% intervals, from 3 seeds on. Where a curve really falls,
    its knee is marked and named: the sparsity farthest from the line between the ends of the curve, in this picture
    (Satopaa et al. 2011, "Finding a 'Kneedle' in a Haystack"). Runs that failed are left out. The y data are fractions
    if the metric is accuracy. EntrenarVizError if ``frame`` is none of a sweep, for one without a finished run of a
    schedule that prunes, and for an unknown theme.
    """
    colors, points = theme_colors(theme), points_of(frame)
    curves = _curves(points)
    if not curves:
        finished = [point.name for point in points if point.schedule != DENSE]
        why = f"{' and '.join(dict.fromkeys(finished))} never prunes" if finished else "its column problem says why"
        raise EntrenarVizError(f"no run of a schedule that prunes has finished: {why}")
    dense = next((point for point in points if point.schedule == DENSE), None)
    right = max(float(curve.x[-1]) for curve in curves)
    names = [_name(curve, _color(colors, curve)) for curve in curves]
    if dense:
        names.append(EdgeName(right, dense.mean, _words(DENSE, dense.mean, dense.metric), colors["ink"]))
    axes = accuracy_axes(colors, _title(points), _below(points, curves), above=0.0, gutter=room_for(names))
    _draw_frame(axes, colors, points, curves)
    if dense:
        _draw_dense(axes, colors, dense)
    for curve, dashes in zip(curves, dashes_of([curve.points[0].schedule for curve in curves]), strict=True):
        _draw_curve(axes, curve, _color(colors, curve), dashes, band_alpha(len(curves)))
    draw_names(axes, names)
    return axes.get_figure(root=True)  # type: ignore[return-value]


def _places(sparsities: Sequence[float]) -> NDArray[np.float64]:
    """Where sparsities stand: equal steps halve what is kept."""
    return -np.log2(1 - np.array(sparsities, np.float64))


def _curves(points: list[SweptPoint]) -> list[_Curve]:
    """A curve for each schedule and frequency; what never prunes has none."""
    pruned = [point for point in points if point.schedule != DENSE and 0 < point.applied < 1]
    order = {point.name: index for index, point in reversed([*enumerate(pruned)])}
    ranked = sorted(pruned, key=lambda point: (order[point.name], point.applied))
    return [_Curve(tuple(of)) for _, of in groupby(ranked, key=lambda point: point.name)]


def _color(colors: dict[str, str], curve: _Curve) -> str:
    return schedule_color(colors, _kind(curve.points[0].schedule))


def _kind(schedule: str) -> str:
    """The type of a schedule by its name in the rows: ``Cubic 2`` is of the type ``cubic``."""
    return TYPES.get(schedule.split(" ", maxsplit=1)[0], schedule)


def _name(curve: _Curve, color: str) -> EdgeName:
    text = _words(curve.name, curve.means[-1], curve.metric)
    if curve.knee is not None:
        text += f", knee at {percent(curve.points[curve.knee].applied)}"
    return EdgeName(float(curve.x[-1]), float(curve.means[-1]), text, color)


def _words(name: str, value: float, metric: Metric) -> str:
    return f"{name}{':' if ' ' in name else ''} {metric.number(value)}"


def _title(points: list[SweptPoint]) -> str:
    return f"{points[0].metric.name:.40} at the end of the training, by sparsity"


def _below(points: list[SweptPoint], curves: list[_Curve]) -> str:
    counts = sorted({len(point.per_seed) for point in points})
    seeds = counted(counts[0], "seed") if len(counts) == 1 else f"{counts[0]:,} to {counted(counts[-1], 'seed')}"
    bands = ", bands: their 95% intervals" if counts[-1] >= FEWEST else ""
    lines = "Lines: one seed." if counts == [1] else f"Lines: means of {seeds}{bands}."
    never = [point.name for point in points if point.schedule != DENSE and point.applied == 0]
    left = f" {' and '.join(dict.fromkeys(never))} never prunes and is left out." if never else ""
    knee = " Knee: the sparsity farthest from the straight line between the ends of a curve."
    return f"{lines}{knee if any(curve.knee is not None for curve in curves) else ''}{left}"


def _draw_frame(axes: Axes, colors: dict[str, str], points: list[SweptPoint], curves: list[_Curve]) -> None:
    targets = sorted({point.sparsity for point in points if point.schedule != DENSE})
    x = np.concatenate([_places(targets), *(curve.x for curve in curves)])
    width = float(np.ptp(x)) or 1.0
    axes.set_xlim(float(x.min()) - EDGE * width, float(x.max()) + EDGE * width)
    axes.set_xlabel("sparsity", color=colors["ink"], fontsize=10, labelpad=6)
    places = [float(place) for place in _places(targets)]
    axes.set_xticks(places, _tick_labels(axes, targets, places))
    axes.vlines(places, 0, 1, transform=axes.get_xaxis_transform(), colors=colors["grid"], lw=0.8, zorder=1)
    told = [value for point in points for value in (point.mean, *point.interval) if len(point.per_seed) >= FEWEST]
    scale_y(axes, colors, points[0].metric, told or [point.mean for point in points])


def _tick_labels(axes: Axes, targets: list[float], places: list[float]) -> list[str]:
    """The sparsities in percent; those that would touch the one before are left empty."""
    left, right = axes.get_xlim()
    points = axes.get_window_extent().width * 72 / axes.figure.dpi / (right - left)
    labels, free = [], -np.inf
    for target, place in zip(targets, places, strict=True):
        half = text_width(percent(target), TICK) / 2 + 2
        fits = place * points - half > free
        labels.append(percent(target) if fits else "")
        free = place * points + half if fits else free
    return labels


def _draw_dense(axes: Axes, colors: dict[str, str], dense: SweptPoint) -> None:
    low, high = dense.interval
    if len(dense.per_seed) >= FEWEST:
        axes.axhspan(low, high, color=colors["ink"], alpha=0.1, lw=0, zorder=1.5)
    axes.axhline(dense.mean, color=colors["ink"], lw=1.4, ls=(0, (4, 2)), zorder=4, label=DENSE)


def _draw_curve(axes: Axes, curve: _Curve, color: str, dashes: object, alpha: float) -> None:
    how = {"color": color, "ls": dashes, "lw": 1.8, "zorder": 5, "label": curve.name}
    draw_curve(axes, curve.x, curve.means, curve.ends, alpha, **how)
    axes.plot(curve.x, curve.means, "o", ms=3.5, color=color, zorder=6, label="_points")
    if curve.knee is not None:
        place = [curve.x[curve.knee]], [curve.means[curve.knee]]
        axes.plot(*place, "o", ms=10, mfc="none", mec=color, mew=1.6, zorder=7, label=f"knee of {curve.name}")
