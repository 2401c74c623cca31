"""What a training log tells, as lines to draw: what happened beside the plan, and metrics on scales of their own."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from entrenar_viz.analysis.planned_and_happened import Happened
from entrenar_viz.analysis.training_log import TrainingLog
from entrenar_viz.errors import EntrenarVizError
from entrenar_viz.figures.curves import POINTS
from entrenar_viz.figures.thinning import changes, thinned
from entrenar_viz.formatting import percent, rounded

Names = list[tuple[float, str, str, str]]  # height, text, colour and weight of each label beside the plot
LOW, HIGH = 0.06, 0.95  # where the least and the most of a metric stand, in units of sparsity


@dataclass(frozen=True)
class Metric:
    """A metric to draw: its points, and the ends of its scale."""

    name: str
    steps: NDArray[np.float64]
    values: NDArray[np.float64]
    """nan where it was not finite: a gap."""
    least: float
    most: float

    @property
    def heights(self) -> NDArray[np.float64]:
        """The values in units of sparsity."""
        room = self.most - self.least
        shares = (self.values - self.least) / room if room else np.where(np.isnan(self.values), np.nan, 0.5)
        return LOW + (HIGH - LOW) * shares


def metric_of(log: TrainingLog, name: str, until: int, points: int = POINTS) -> Metric:
    """The metric ``name`` up to a step, thinned to about ``points``.

    EntrenarVizError if there is none of that name, or no finite number of it by then.
    """
    log.metric(name)  # which says what names there are
    steps, values = log.told(name)
    steps, values = steps[steps <= until], values[steps <= until]
    finite = values[np.isfinite(values)]
    if not len(finite):
        raise EntrenarVizError(f"{name:.60} was never reported as a finite number: there is nothing to draw")
    kept = thinned(values, points)
    return Metric(name, steps[kept].astype(np.float64), values[kept], float(finite.min()), float(finite.max()))


def draw_happened(axes: Axes, known: Happened, span: int, color: str) -> Names:
    """Draw what was pruned, with a mark where it begins to part from the plan; and what to write beside it."""
    shown = known.until(span)
    if not len(shown.steps):
        return []
    kept = changes(shown.sparsity, POINTS)
    steps, sparsity = shown.steps[kept].astype(np.float64), shown.sparsity[kept]
    axes.plot(steps, sparsity, drawstyle="steps-post", color=color, lw=1.8, label="happened", zorder=6.5)
    first = [first for first, _ in shown.stretches][:POINTS]
    places = shown.steps[first].astype(np.float64), shown.sparsity[first]
    marks: dict[str, Any] = {"ms": 7, "mfc": "none", "mec": color, "mew": 1.6, "label": "parted", "zorder": 6.6}
    axes.plot(*places, "D", **marks)
    return [(float(sparsity[-1]), f"happened {percent(sparsity[-1])}", color, "bold")]


def draw_metric(axes: Axes, metric: Metric, color: str) -> Names:
    """Draw a metric from its least to its greatest, which are written where they are; and what to write beside it."""
    axes.plot(metric.steps, metric.heights, color=color, lw=0.9, label=f"metric {metric.name}", zorder=4.5)
    if metric.most > metric.least:
        for index, beyond in ((np.nanargmax(metric.values), 1), (np.nanargmin(metric.values), -1)):
            _write(axes, metric, int(index), beyond, color)
    last = np.flatnonzero(np.isfinite(metric.values))[-1]
    label = f"{metric.name:.14} {rounded(metric.values[last])}".encode("latin-1", "replace").decode("latin-1")
    return [(float(metric.heights[last]), label, color, "normal")]


def _write(axes: Axes, metric: Metric, index: int, beyond: int, color: str) -> None:
    """Write a number above or below its point, on the side where there is room."""
    step = metric.steps[index]
    left = bool(step < metric.steps[-1] / 2)
    how: dict[str, Any] = {"ha": "left" if left else "right", "va": "bottom" if beyond > 0 else "top", "fontsize": 8}
    place = (step, metric.heights[index])
    text = axes.annotate(rounded(metric.values[index]), place, (0, 2 * beyond), textcoords="offset points", **how)
    text.set(color=color, parse_math=False, zorder=9)
