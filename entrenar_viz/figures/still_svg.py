"""The schedules as a small SVG, written in milliseconds without matplotlib: the picture that a notebook keeps.

A notebook file shows it where no widgets run, on GitHub and in nbconvert. Figures to keep are in schedule_plot.py.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from xml.sax.saxutils import escape

import numpy as np
from numpy.typing import NDArray

from entrenar_viz.analysis.planned_and_happened import Happened, happened
from entrenar_viz.analysis.training_log import TrainingLog
from entrenar_viz.analysis.updates import in_the_mask, replay
from entrenar_viz.config.pruning_config import PruningConfig
from entrenar_viz.config.schedules import SCHEDULE_NAMES, Schedule
from entrenar_viz.figures.curves import POINTS, curve, end_of, last_shown, staircase
from entrenar_viz.figures.palette import schedule_color, theme_colors
from entrenar_viz.figures.thinning import changes
from entrenar_viz.formatting import percent

WIDTH, HEIGHT, GUTTER = 640, 300, 150  # pixels; names of curves stand in the gutter
LEFT, TOP, BOTTOM = 52, 16, 44
APART = 15  # between two names


def still_svg(
    config: PruningConfig, total_steps: int, others: Sequence[Schedule], log: TrainingLog | None = None
) -> str:
    """What ``config`` asks for (strong) and what the mask gets of it (filled), ``others`` thin beside it, and ``log``.

    Raises StepError for a bad ``total_steps``.
    """
    colors, run = theme_colors("light"), in_the_mask(config, replay(config, total_steps))
    configs = [replace(config, schedule=other) for other in others if other != config.schedule]
    span = last_shown(config.schedule, run.total_steps)
    right, bottom = WIDTH - GUTTER, HEIGHT - BOTTOM

    def points(steps: Iterable[float], sparsities: Iterable[float]) -> str:
        xs = (LEFT + (right - LEFT) * min(step, span) / span for step in steps)
        return " ".join(
            f"{x:.1f},{bottom - (bottom - TOP) * sparsity:.1f}" for x, sparsity in zip(xs, sparsities, strict=True)
        )

    parts = [f'<rect width="{WIDTH}" height="{HEIGHT}" fill="{colors["background"]}"/>']
    for share in (0, 0.25, 0.5, 0.75, 1):
        y = bottom - (bottom - TOP) * share
        parts.append(f'<path d="M{LEFT} {y:.1f}H{right}" stroke="{colors["grid"]}"/>')
        parts.append(_text(LEFT - 8, y + 4, f"{share:.0%}", colors["muted"], "end"))
    for step in (0, span // 2, span):
        x = LEFT + (right - LEFT) * step / span
        parts.append(_text(x, bottom + 18, f"{step:,}", colors["muted"], "middle"))
    parts.append(_text((LEFT + right) / 2, HEIGHT - 8, "training step", colors["muted"], "middle"))
    steps, applied = staircase(run)
    filled = [(0.0, 0.0), *_stairs(steps, applied), (float(run.total_steps), 0.0)]
    color = schedule_color(colors, config.schedule.type)
    parts.append(f'<polygon points="{points(*zip(*filled, strict=True))}" fill="{color}" fill-opacity="0.14"/>')
    for one in (*configs, config):
        width = 2.5 if one is config else 1.25
        stroke = schedule_color(colors, one.schedule.type)
        parts.append(
            f'<polyline points="{points(*curve(one, span))}" fill="none" stroke="{stroke}" stroke-width="{width}"/>'
        )
    if log is not None and (told := _told(happened(config, total_steps, log).until(span))):
        drawn, stroke = points(*zip(*told, strict=True)), colors["happened"]
        parts.append(f'<polyline points="{drawn}" fill="none" stroke="{stroke}" stroke-width="2"/>')
        parts.append(_text(LEFT + 8, TOP + 14, f"happened {percent(told[-1][1])}", stroke, "start"))
    ends = sorted(((end_of(one, span), one) for one in (*configs, config)), key=lambda end: end[0])
    y = float(bottom)
    for end, one in ends:
        y = min(y - APART, bottom - (bottom - TOP) * end) if one is not ends[0][1] else bottom - (bottom - TOP) * end
        words = f"{SCHEDULE_NAMES[one.schedule.type]} {percent(end)}"
        parts.append(_text(right + 8, y + 4, words, schedule_color(colors, one.schedule.type), "start"))
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}">'
    return f'{head}<g font-family="sans-serif" font-size="12">{"".join(parts)}</g></svg>\n'


def _told(shown: Happened) -> list[tuple[float, float]]:
    """What happened as the corners of a staircase."""
    kept = changes(shown.sparsity, POINTS)
    return _stairs(shown.steps[kept].astype(np.float64), shown.sparsity[kept])


def _stairs(steps: NDArray[np.float64], heights: NDArray[np.float32]) -> list[tuple[float, float]]:
    """The corners of a staircase: at each step but the first, before and after it rises."""
    corners = zip(steps[1:], heights[:-1], heights[1:], strict=True)
    return [(float(step), float(height)) for step, *both in corners for height in both]


def _text(x: float, y: float, words: str, color: str, anchor: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" fill="{color}" text-anchor="{anchor}">{escape(words)}</text>'
