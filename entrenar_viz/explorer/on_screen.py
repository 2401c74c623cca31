"""What is on the screen as matplotlib figures: the schedules, the masks at the cursor, the finished rehearsal.

matplotlib is imported when the first is drawn: the explorer is on its way to the page by then.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from entrenar_viz.analysis.training_log import TrainingLog
from entrenar_viz.analysis.updates import replay
from entrenar_viz.config.pin import Pin
from entrenar_viz.config.pruning_config import PruningConfig, pattern_name
from entrenar_viz.config.schedules import SCHEDULE_NAMES
from entrenar_viz.errors import EntrenarVizError, WeightsError
from entrenar_viz.explorer.controls.settings import Settings
from entrenar_viz.explorer.preview.preparation import ReadyMasks, orders_of
from entrenar_viz.figures.curves import last_shown
from entrenar_viz.rehearsal.outcome import Rehearsal

if TYPE_CHECKING:
    from matplotlib.figure import Figure

LONGEST_NAME = 60  # letters of a layer's name above its masks


class DrawnLog(NamedTuple):
    """The training log that is drawn, and which of its metrics; none for an empty name."""

    log: TrainingLog | None = None
    metric: str = ""


NO_LOG = DrawnLog()


def schedules_drawn(
    settings: Settings,
    config: PruningConfig,
    pins: Sequence[Pin] = (),
    told: DrawnLog = NO_LOG,
    theme: str = "light",
) -> "Figure":
    """The three schedules of ``settings``, that of ``config`` emphasised, the values at the cursor, pins and log."""
    from entrenar_viz.figures.schedule_plot import schedule_figure

    others = [schedule for kind, schedule in settings.schedules().items() if kind != config.schedule.type]
    more: dict[str, Any] = {
        "others": others,
        "pins": pins,
        "log": told.log,
        "metrics": _drawable(told, settings, config),
    }
    return schedule_figure(config, settings.total_steps, **more, cursor=settings.shown_cursor, theme=theme)


def _drawable(told: DrawnLog, settings: Settings, config: PruningConfig) -> list[str]:
    """The metric, if any number of it is in the picture."""
    if told.log is None or not told.metric:
        return []
    steps, values = told.log.told(told.metric)
    until = last_shown(config.schedule, settings.total_steps)
    return [told.metric] if np.isfinite(values[steps <= until]).any() else []


def masks_drawn(settings: Settings, config: PruningConfig, ready: ReadyMasks | None, theme: str = "light") -> "Figure":
    """The masks that are ready, for each schedule or, of the chosen one, in each pattern.

    WeightsError if there is none, with the reason. The layer that is shown is not sorted again.
    """
    from entrenar_viz.figures.mask_panels import Panel, panels_figure

    if ready is None:
        raise WeightsError("no layer is ready yet: wait for it, or cancel it")
    matrix, orders = orders_of(ready)
    applied, chosen = applied_now(settings, config), SCHEDULE_NAMES[config.schedule.type]
    if ready.request.patterns:
        panels = [Panel(name, applied[chosen], order) for name, order in orders.items()]
    else:
        panels = [Panel(name, sparsity, orders[""]) for name, sparsity in applied.items()]
    return panels_figure(matrix, panels, header=_header(ready, chosen), theme=theme)


def accuracy_drawn(result: Rehearsal | None, cursor: int, theme: str = "light") -> "Figure":
    """A finished rehearsal with its values at ``cursor``; EntrenarVizError for None."""
    from entrenar_viz.figures.rehearsal_plot import rehearsal_figure

    if result is None:
        raise EntrenarVizError("no rehearsal is finished yet: press Rehearse in the tab Accuracy")
    return rehearsal_figure(result, cursor=min(cursor, result.total_steps), theme=theme)


def applied_now(settings: Settings, config: PruningConfig) -> dict[str, float | None]:
    """What each schedule has applied at the cursor, by its name; None before its first update."""
    total, cursor = settings.total_steps, settings.shown_cursor
    runs = {kind: replay(replace(config, schedule=schedule), total) for kind, schedule in settings.schedules().items()}
    return {SCHEDULE_NAMES[kind]: float(run.applied_at(cursor)) or None for kind, run in runs.items()}


def _header(ready: ReadyMasks, chosen: str) -> str:
    """Layer, pattern and method; other letters than those of ASCII may be missing in the font."""
    request = ready.request
    name = f"{request.layer:.{LONGEST_NAME}}".encode("ascii", "replace").decode()
    compared = " within each row" if request.within == "row" else ""
    what = f"{chosen} in each pattern" if request.patterns else pattern_name(request.pattern)
    return f"{name}, {what}, by {request.scored_by}{compared}"
