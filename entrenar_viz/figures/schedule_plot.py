"""The schedule's curve, and the staircase that the trainer applies of it.

Everything is inside one pair of axes: the data up to the last step and to 100%, a gutter to the right of them for the
names of the curves, and bands above them for the regions and the readout. So no label can ever cover a curve.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from entrenar_viz.analysis.planned_and_happened import Happened, happened
from entrenar_viz.analysis.training_log import TrainingLog
from entrenar_viz.analysis.updates import Replay, in_the_mask, replay, requested_at
from entrenar_viz.config.pin import Pin
from entrenar_viz.config.pruning_config import PruningConfig
from entrenar_viz.config.schedules import Schedule
from entrenar_viz.config.steps import as_steps
from entrenar_viz.errors import StepError
from entrenar_viz.figures.curves import curve, end_of, last_shown, staircase
from entrenar_viz.figures.labels import spread
from entrenar_viz.figures.log_curves import Metric, Names, draw_happened, draw_metric, metric_of
from entrenar_viz.figures.palette import schedule_color, theme_colors
from entrenar_viz.figures.pin_curves import draw_pins, pin_names
from entrenar_viz.figures.saving import ShownFigure
from entrenar_viz.formatting import percent

GUTTER = 0.21  # width of the labels, in units of the data's width
TOP = 1.22  # upper end of the bands, in units of sparsity
BANDS = {"recovery": 1.02, "window": 1.085, "readout": 1.165}  # base lines of the texts above the data
LINE = 0.055  # height of a line of text, in units of sparsity


@dataclass(frozen=True)
class _Plot:
    """One figure being drawn; ``span`` is the last step shown."""

    axes: Axes
    colors: dict[str, str]
    config: PruningConfig
    run: Replay
    others: tuple[PruningConfig, ...]
    pins: tuple[Pin, ...]
    span: int
    known: Happened | None = None
    metrics: tuple[Metric, ...] = ()

    @property
    def configs(self) -> tuple[PruningConfig, ...]:
        return self.config, *self.others

    def color(self, config: PruningConfig) -> str:
        return schedule_color(self.colors, config.schedule.type)


def schedule_figure(
    config: PruningConfig,
    total_steps: int,
    *,
    others: Sequence[Schedule] = (),
    pins: Sequence[Pin] = (),
    log: TrainingLog | None = None,
    metrics: Sequence[str] = (),
    cursor: int | None = None,
    theme: str = "light",
) -> Figure:
    """Draw what ``config`` asks for (strong) and what the mask gets of it (filled) in ``total_steps`` steps.

    ``others`` are drawn thin for comparison, with the configuration's target; of ``pins``, what each asks for is drawn
    dashed and grey, with its name where it ends. ``log`` adds what happened, with a mark where it begins to part from
    the plan, and those of its ``metrics`` that are named, each from its least to its greatest number. ``cursor`` is a
    step to read the values at; ``theme`` is a key of ``COLORS``. The y data are sparsities from 0 to 1. Raises
    StepError for a bad ``total_steps`` or a ``cursor`` outside the figure, EntrenarVizError for an unknown theme or
    metric.
    """
    colors, run = theme_colors(theme), in_the_mask(config, replay(config, total_steps))
    compared = tuple(replace(config, schedule=other) for other in others if other != config.schedule)
    span = last_shown(config.schedule, run.total_steps)
    known = None if log is None else happened(config, total_steps, log)
    drawn = () if log is None else tuple(metric_of(log, name, span) for name in metrics)
    plot = _Plot(_axes(colors), colors, config, run, compared, tuple(pins), span, known, drawn)
    _draw_frame(plot)
    _draw_regions(plot)
    _draw_curves(plot)
    _draw_names(plot, _draw_log(plot))
    if cursor is not None:
        _draw_cursor(plot, _inside(cursor, plot.span))
    return plot.axes.get_figure(root=True)  # type: ignore[return-value]


def _inside(cursor: int, span: int) -> int:
    step = int(as_steps(cursor))
    if step > span:
        raise StepError(f"cursor step {step:,} is outside the figure, which ends at step {span:,}")
    return step


def _axes(colors: dict[str, str]) -> Axes:
    figure = ShownFigure(figsize=(9, 5), facecolor=colors["background"])
    axes = figure.add_axes((0.085, 0.115, 0.9, 0.8), facecolor="none")
    axes.tick_params(length=0, labelsize=9, labelcolor=colors["muted"], pad=6)
    axes.spines[:].set_visible(False)
    return axes


def _draw_frame(plot: _Plot) -> None:
    axes, colors, span = plot.axes, plot.colors, plot.span
    levels = [0, 0.2, 0.4, 0.6, 0.8, 1]
    axes.set(xlim=(-0.012 * span, span * (1 + GUTTER)), ylim=(-0.03, TOP))
    axes.set_yticks(levels, [percent(level) for level in levels])
    steps = _ticks(span)
    axes.set_xticks(steps, [f"{round(step):,}" for step in steps])
    axes.hlines(levels, 0, span, colors=colors["grid"], lw=0.8, zorder=1)
    axes.set_xlabel("training step", color=colors["ink"], fontsize=10, x=0.5 / (1 + GUTTER), labelpad=6)
    axes.set_ylabel("sparsity", color=colors["ink"], fontsize=10, y=0.5 / TOP, labelpad=6)
    title = plot.config.schedule.words(plot.config.target_sparsity)
    size = 11.5 * min(1, 76 / len(title))  # of 64-bit numbers there are steps of 26 characters
    axes.set_title(title, loc="left", color=colors["ink"], fontsize=size, weight="bold", pad=4)


def _ticks(span: int) -> list[float]:
    """Round steps, fewer the longer their numbers are."""
    count = max(72 // len(f"{span:,}"), 1)
    found = MaxNLocator(min(count, 8), integer=True, steps=[1, 2, 2.5, 5, 10]).tick_values(0, span)
    return [float(step) for step in found if 0 <= step <= span]


def _draw_regions(plot: _Plot) -> None:
    run, colors = plot.run, plot.colors
    start, end = plot.config.schedule.window
    if end > start:
        late = f", after the training: from step {start:,}" if start > run.total_steps else ""
        _draw_region(plot, "window", start, end, f"window: {end - start:,} steps{late}")
    if run.last_update is not None and run.total_steps:
        share = percent(round(run.recovery_steps / run.total_steps, 3))
        label = f"recovery: {run.recovery_steps:,} steps ({share})"
        _draw_region(plot, "recovery", run.last_update, run.total_steps, label)
    if end > run.total_steps:
        place = [run.total_steps] * 2
        plot.axes.plot(
            place,
            [0, BANDS["recovery"] + 0.04],
            color=colors["ink"],
            lw=1,
            ls=(0, (4, 3)),
            label="training ends",
            zorder=3,
        )
        plot.axes.text(run.total_steps, BANDS["recovery"], "  training ends", color=colors["ink"], fontsize=8.5)


def _draw_region(plot: _Plot, kind: str, start: int, end: int, label: str) -> None:
    """A tint over the data and a label above it, which starts or ends with the region: it fits at either side.

    Where the end of the training has a label too, that one stands to the right of it and this one to the left.
    """
    left, right, base = min(start, plot.span), min(end, plot.span), BANDS[kind]
    plot.axes.fill_between([left, right], 0, base + LINE, color=plot.colors[kind], lw=0, zorder=0)
    at_left = left + right < plot.span == plot.run.total_steps
    place, anchor, pad = (left, "left", 4) if at_left else (right, "right", -4)
    text = plot.axes.annotate(label, (place, base), (pad, 0), textcoords="offset points", ha=anchor, fontsize=8.5)
    text.set_color(plot.colors["muted"])


def _draw_curves(plot: _Plot) -> None:
    axes, own = plot.axes, plot.color(plot.config)
    draw_pins(axes, plot.pins, plot.span, plot.colors["muted"])
    for other in plot.others:
        name = type(other.schedule).__name__
        axes.plot(*curve(other, plot.span), color=plot.color(other), lw=1.2, label=name, zorder=4)
    axes.plot(*curve(plot.config, plot.span), color=own, lw=2.6, label=type(plot.config.schedule).__name__, zorder=6)
    steps, applied = staircase(plot.run)
    axes.fill_between(steps, applied, step="post", color=own, alpha=0.16, lw=0, zorder=2)
    axes.plot(steps, applied, drawstyle="steps-post", color=own, lw=1.2, label="applied", zorder=5)
    target = float(plot.run.target)
    dots, muted = (0, (1, 2)), plot.colors["muted"]
    axes.plot([0, plot.span], [target] * 2, color=muted, lw=0.9, ls=dots, label="target", zorder=3)


def _draw_log(plot: _Plot) -> Names:
    """Draw what the log tells; and the names to write beside it."""
    told = [name for metric in plot.metrics for name in draw_metric(plot.axes, metric, plot.colors["ink"])]
    return told + draw_happened(plot.axes, plot.known, plot.span, plot.colors["happened"]) if plot.known else told


def _draw_names(plot: _Plot, more: Names) -> None:
    """Names in the gutter at the height where the curve ends, moved apart where curves end together."""
    names = sorted(_names(plot) + more, key=lambda name: -round(name[0], 4))
    heights = spread([height for height, *_ in names], LINE, 0, 1 + LINE / 2)
    for (end, label, color, weight), height in zip(names, heights, strict=True):
        begin = plot.run.total_steps if label == _outcome(plot.run) else plot.span
        x = [begin + 0.004 * plot.span, *(plot.span * share for share in (1.004, 1.026, 1.034))]
        plot.axes.plot(x, [end, end, height, height], color=color, lw=0.8, zorder=3, label="_leader")
        how = {"color": color, "weight": weight, "fontsize": 9.5, "va": "center", "parse_math": False}
        plot.axes.text(plot.span * 1.04, height, label, how)


def _names(plot: _Plot) -> Names:
    """Height, text, colour and weight of each label; of equal heights, the first comes on top."""
    run, own = plot.run, plot.color(plot.config)
    others = sorted(plot.others, key=lambda other: -curve(other, plot.span)[1].mean())
    pinned = pin_names(plot.pins, plot.span, len(others) + 3 + len(plot.metrics) + bool(plot.known))
    return [
        (float(run.target), f"target {percent(run.target)}", plot.colors["muted"], "normal"),
        *((end_of(other, plot.span), type(other.schedule).__name__, plot.color(other), "normal") for other in others),
        (end_of(plot.config, plot.span), type(plot.config.schedule).__name__, own, "bold"),
        (float(run.final_sparsity), _outcome(run), own, "normal"),
        *((end, label, plot.colors["muted"], "normal") for end, label in pinned),
    ]


def _outcome(run: Replay) -> str:
    return f"{'stops at' if run.shortfall else 'applied'} {percent(run.final_sparsity)}"


def _draw_cursor(plot: _Plot, step: int) -> None:
    axes, ink = plot.axes, plot.colors["ink"]
    axes.plot([step, step], [0, 1], color=ink, lw=0.9, label="cursor", zorder=7)
    readout = [(f"step {step:,}", ink)]
    for config in plot.configs:
        value = float(requested_at(config, step))
        axes.plot([step], [value], "o", ms=6, mec=plot.colors["background"], color=plot.color(config), zorder=8)
        readout.append((f"{type(config.schedule).__name__} {percent(value)}", plot.color(config)))
    applied = np.float32(plot.run.applied_at(step))
    readout.insert(2, (f"applied {percent(applied)}", plot.color(plot.config)))
    if plot.known and (happened_then := plot.known.at(step)) is not None:
        readout.insert(3, (f"happened {percent(happened_then)}", plot.colors["happened"]))
    text = axes.text(0, BANDS["readout"], readout[0][0], color=ink, fontsize=9.5, weight="bold")
    for label, color in readout[1:]:
        text = axes.annotate(label, (1, 0), (14, 0), text, "offset points", color=color, fontsize=9.5, va="bottom")
