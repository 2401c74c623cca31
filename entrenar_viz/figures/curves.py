"""The points of the lines to draw: exact at the corners, and never one a step."""

import numpy as np
from numpy.typing import NDArray

from entrenar_viz.analysis.updates import Replay, requested_at
from entrenar_viz.config.pruning_config import PruningConfig
from entrenar_viz.config.schedules import Schedule

POINTS = 800  # of a curve, and of a staircase at most: more than a figure has pixels


def last_shown(schedule: Schedule, total: int) -> int:
    """The last step to show: a window may pass the end of the training, but must not squeeze it into a corner."""
    end = schedule.window[1]
    return max(total, min(end, total + total // 2), 1)


def curve(config: PruningConfig, span: int) -> tuple[list[int], NDArray[np.float32]]:
    """What the formula asks for, at evenly spread steps and at the exact corners."""
    start, end = config.schedule.window
    if start == end:  # a vertical line
        corner, target = min(start, span), requested_at(config, min(start, span))
        return [0, corner, corner, span], np.array([0, 0, target, target], np.float32)
    spread = {span * i // POINTS for i in range(POINTS + 1)}
    steps = sorted(spread | {step for step in (start, end) if step <= span})
    return steps, requested_at(config, np.array(steps, np.uint64))


def staircase(run: Replay) -> tuple[NDArray[np.float64], NDArray[np.float32]]:
    """The updates, thinned out where they are denser than pixels; the first and the last always stay."""
    kept = np.unique(np.linspace(0, run.num_updates - 1, min(run.num_updates, POINTS)).astype(np.int64))
    steps = np.concatenate([[0], run.update_steps[kept].astype(np.float64), [run.total_steps]])
    return steps, np.concatenate([[np.float32(0)], run.applied[kept], [run.final_sparsity]])


def end_of(config: PruningConfig, span: int) -> float:
    """Where the curve is at the last step shown."""
    return float(curve(config, span)[1][-1])
