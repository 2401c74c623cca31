"""A rehearsal as a picture: accuracy over the steps of the training, a line and a band for each schedule."""

from dataclasses import dataclass
from itertools import cycle
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from entrenar_viz.analysis.updates import replay
from entrenar_viz.config.steps import as_steps
from entrenar_viz.errors import StepError
from entrenar_viz.figures.accuracy_axes import TEXT_WIDTH, accuracy_axes, band_alpha, dashes_of, draw_curve, scale_y
from entrenar_viz.figures.labels import SIZE as NAME
from entrenar_viz.figures.labels import EdgeName, draw_names, room_for, text_width
from entrenar_viz.figures.palette import schedule_color, theme_colors
from entrenar_viz.formatting import counted, sentence
from entrenar_viz.rehearsal.outcome import Rehearsal, RehearsedSchedule
from entrenar_viz.rehearsal.trial_pruner import DENSE
from entrenar_viz.rehearsal.verdict import FEWEST

RISEN = 0.9  # share of the way from the first reading of dense to its last after which the first rise is over
OF_PLANS = ("other", "happened")  # colours of plans beside that of the schedule, which no schedule has
BAND, LINE = 0.24, 0.22  # room above the data: for the name of the window, and for a line of what is read, inches
GAP = 14.0  # between the words of what is read, points


@dataclass(frozen=True)
class _Word:
    text: str
    color: str
    weight: str
    x: float


@dataclass(frozen=True)
class _Plot:
    axes: Axes
    colors: dict[str, str]
    result: Rehearsal
    of: dict[str, str]
    """The colour of each curve, by name."""

    def color(self, one: RehearsedSchedule) -> str:
        return self.of[one.name]


def rehearsal_figure(result: Rehearsal, *, cursor: int | None = None, theme: str = "light") -> Figure:
    """Draw the accuracy of each schedule over the steps of the training: the mean over the seeds, and its 95% interval.

    Where plans are compared, there is a curve for each of them: in the colour of the schedule for all layers alike.
    Training without pruning is dashed. The height is that of what happens after the first update: the first rise from
    chance may begin below the picture. The title is the verdict. ``cursor`` is a step to read the values at, as they
    were at the reading nearest to it; ``theme`` is a key of ``COLORS``. The y data are accuracies as fractions, or
    what else the trial has yielded. With fewer than 3 seeds there are no bands. StepError for a ``cursor`` after the
    training, EntrenarVizError for an unknown theme.
    """
    colors, shown = theme_colors(theme), (result.dense, *result.outcomes)
    of = _colors(colors, result)
    names = [_name(result, one, of[one.name]) for one in shown]
    read = _readings_at(result, cursor)
    readout = _readout(colors["ink"], of, read)
    above = BAND + LINE * len(readout)
    axes = accuracy_axes(colors, result.verdict, _below(result), above=above, gutter=room_for(names))
    plot = _Plot(axes, colors, result, of)
    _draw_frame(plot)
    _draw_window(plot)
    alike = dashes_of([of[one.name] for one in result.outcomes])
    for one, dashes in zip(shown, [(0, (4, 2)), *alike], strict=True):
        _draw_outcome(plot, one, dashes)
    draw_names(axes, names)
    _draw_cursor(plot, read, readout)
    return axes.get_figure(root=True)  # type: ignore[return-value]


def _colors(colors: dict[str, str], result: Rehearsal) -> dict[str, str]:
    """The colour of each curve, by name: that of its schedule, but of plans for one only."""
    others, found = cycle(OF_PLANS), {DENSE: colors["ink"]}
    for one in result.outcomes:
        of_schedule = result.compared == "schedules" or _is_own(result, one)
        found[one.name] = schedule_color(colors, one.config.schedule.type if of_schedule else next(others))
    return found


def _is_own(result: Rehearsal, one: RehearsedSchedule) -> bool:
    return result.own is not None and one.name == result.own.name


def _name(result: Rehearsal, one: RehearsedSchedule, color: str) -> EdgeName:
    own = _is_own(result, one)
    text = f"{one.name} {result.metric.number(one.accuracy)}"
    return EdgeName(float(one.steps[-1]), one.accuracy, text, color, "bold" if own else "normal")


def _below(result: Rehearsal) -> str:
    """What was trained, how often, and what lines and bands are."""
    seeds = counted(len(result.seeds), "seed")
    bands = ", bands: their 95% intervals" if len(result.seeds) >= FEWEST else ""
    what = "" if len(result.seeds) == 1 else f" Lines: means of {seeds}{bands}."
    one = f"; {seeds}" if len(result.seeds) == 1 else ""
    plans = "".join(f" {words}." for words in result.by_plan())
    return f"{sentence(result.trained + one)} {sentence(result.scaling)}{plans}{what}"


def _draw_frame(plot: _Plot) -> None:
    axes, total = plot.axes, plot.result.total_steps
    axes.set_xlim(-0.012 * total, total)
    steps = [float(step) for step in MaxNLocator(6, integer=True, steps=[1, 2, 2.5, 5, 10]).tick_values(0, total)]
    inside = [step for step in steps if 0 <= step <= total]
    axes.set_xticks(inside, [f"{round(step):,}" for step in inside])
    axes.set_xlabel("training step", color=plot.colors["ink"], fontsize=10, labelpad=6)
    scale_y(axes, plot.colors, plot.result.metric, _told(plot.result))


def _told(result: Rehearsal) -> NDArray[np.float64]:
    """What is in sight: all readings after the first update and after the first rise, and the last ones."""
    begin = max(_first_update(result), _risen(result.dense))
    parts = []
    for one in (result.dense, *result.outcomes):
        low, high = _ends(one)
        seen = (one.steps.astype(np.float64) >= begin) | (np.arange(len(one.steps)) == len(one.steps) - 1)
        parts += [one.curves[:, seen].mean(axis=0), low[seen], high[seen]]
    told: NDArray[np.float64] = np.concatenate(parts)
    return told[np.isfinite(told)]


def _first_update(result: Rehearsal) -> int:
    runs = (replay(one.config, result.total_steps) for one in result.outcomes)
    return min((run.first_update for run in runs if run.first_update is not None), default=0)


def _risen(dense: RehearsedSchedule) -> float:
    """The step at which training without pruning has come most of its way."""
    mean = dense.curves.mean(axis=0)
    near = np.abs(mean - mean[-1]) <= (1 - RISEN) * abs(mean[-1] - mean[0])
    return float(dense.steps[np.argmax(near)])


def _ends(one: RehearsedSchedule) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The ends of the intervals at each reading; nan for too few seeds."""
    if len(one.curves) < FEWEST:
        return np.full(len(one.steps), np.nan), np.full(len(one.steps), np.nan)
    return one.metric.interval(one.curves)


def _draw_window(plot: _Plot) -> None:
    """A tint over the steps in which the configuration prunes, and how many they are, above the data."""
    windows = [plot.result.config.schedule.window, *(one.config.schedule.window for one in plot.result.outcomes)]
    start, end = next((window for window in windows if window[1] > window[0]), (0, 0))
    axes, total = plot.axes, plot.result.total_steps
    if start >= min(end, total):
        return
    axes.axvspan(start, min(end, total), color=plot.colors["window"], lw=0, zorder=0, label="window")
    left = start + min(end, total) < total
    place, anchor, pad = (start, "left", 4) if left else (min(end, total), "right", -4)
    how: dict[str, Any] = {"ha": anchor, "va": "bottom", "fontsize": 8.5, "color": plot.colors["muted"]}
    text, data = f"window: {end - start:,} steps", axes.get_xaxis_transform()
    axes.annotate(text, (place, 1), (pad, 4), xycoords=data, textcoords="offset points", **how)


def _draw_outcome(plot: _Plot, one: RehearsedSchedule, dashes: object) -> None:
    """Draw the curve from the last reading before the first update on: until then it is that of dense."""
    own, dense = _is_own(plot.result, one), one.name == DENSE
    first = replay(one.config, plot.result.total_steps).first_update
    begin = 0 if dense else max(int(np.searchsorted(one.steps, np.uint64(first or 0))) - 1, 0)
    how: dict[str, Any] = {
        "color": plot.color(one),
        "ls": dashes,
        "lw": 2.4 if own else 1.4,
        "zorder": 6 if dense else 5,
    }
    (low, high), alpha = _ends(one), band_alpha(len(plot.result.outcomes))
    steps, mean = one.steps.astype(np.float64)[begin:], one.curves.mean(axis=0)[begin:]
    draw_curve(plot.axes, steps, mean, (low[begin:], high[begin:]), alpha, label=one.name, **how)
    plot.axes.plot(steps[-1:], mean[-1:], "o", ms=3.5, color=how["color"], zorder=how["zorder"], label="_end")


def _readings_at(result: Rehearsal, cursor: int | None) -> list[tuple[RehearsedSchedule, int]]:
    """Each schedule, with the index of its reading nearest to the cursor; none without a cursor."""
    if cursor is None:
        return []
    step = int(as_steps(cursor))
    if step > result.total_steps:
        raise StepError(f"cursor step {step:,} is outside the figure, which ends at step {result.total_steps:,}")
    shown = (result.dense, *result.outcomes)
    return [(one, int(np.argmin(np.abs(one.steps.astype(np.float64) - step)))) for one in shown]


def _readout(ink: str, of: dict[str, str], read: list[tuple[RehearsedSchedule, int]]) -> list[list[_Word]]:
    """What is read, in as many lines as it needs: each word with its place in the line, in points."""
    if not read:
        return []
    dense, index = read[0]
    words = [(f"read at step {int(dense.steps[index]):,}", ink, "bold")]
    for one, index in read:
        value = one.metric.number(float(one.curves[:, index].mean()))
        words.append((f"{one.name} {value}", of[one.name], "normal"))
    lines, x = [list[_Word]()], 0.0
    for text, color, weight in words:
        width = text_width(text, NAME, weight)
        if lines[-1] and x + width > TEXT_WIDTH:
            lines.append([])
            x = 0.0
        lines[-1].append(_Word(text, color, weight, x))
        x += width + GAP
    return lines


def _draw_cursor(plot: _Plot, read: list[tuple[RehearsedSchedule, int]], lines: list[list[_Word]]) -> None:
    axes, ink = plot.axes, plot.colors["ink"]
    for one, index in read:
        place = [float(one.steps[index])], [float(one.curves[:, index].mean())]
        how: dict[str, Any] = {"ms": 6, "mec": plot.colors["background"], "color": plot.color(one)}
        axes.plot(*place, "o", **how, zorder=8, label="_read")
    for one, index in read[:1]:
        axes.axvline(float(one.steps[index]), color=ink, lw=0.9, zorder=7, label="cursor")
    for above, line in enumerate(reversed(lines)):
        y = 72 * (BAND + LINE * above) + 4
        for word in line:
            how = {"color": word.color, "weight": word.weight, "fontsize": NAME, "va": "bottom", "parse_math": False}
            axes.annotate(word.text, (0, 1), (word.x, y), "axes fraction", "offset points", **how)
