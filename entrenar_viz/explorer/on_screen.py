"""What is on the screen as matplotlib figures: the schedules, and the masks at the cursor.

matplotlib is imported when the first is drawn: the explorer is on its way to the page by then.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from entrenar_viz.analysis.updates import replay
from entrenar_viz.config.pin import Pin
from entrenar_viz.config.pruning_config import PruningConfig, pattern_name
from entrenar_viz.config.schedules import SCHEDULE_NAMES
from entrenar_viz.errors import WeightsError
from entrenar_viz.explorer.controls import Controls
from entrenar_viz.explorer.layer import no_report
from entrenar_viz.explorer.mask_request import ReadyMasks, for_canvas
from entrenar_viz.masks.order import PruneOrder, order_or_reason
from entrenar_viz.masks.scores import importance
from entrenar_viz.models.weights import Matrix

if TYPE_CHECKING:
    from matplotlib.figure import Figure

LONGEST_NAME = 60  # letters of a layer's name above its masks


def schedules_drawn(
    controls: Controls, config: PruningConfig, pins: Sequence[Pin] = (), theme: str = "light"
) -> "Figure":
    """The three schedules of ``controls``, that of ``config`` emphasised, the values at the cursor, and ``pins``."""
    from entrenar_viz.figures.schedule_plot import schedule_figure

    others = [schedule for kind, schedule in controls.schedules().items() if kind != config.schedule.type]
    total, cursor = controls.total_steps.value, controls.cursor.value
    return schedule_figure(config, total, others=others, pins=pins, cursor=min(cursor, total), theme=theme)


def masks_drawn(controls: Controls, config: PruningConfig, ready: ReadyMasks | None, theme: str = "light") -> "Figure":
    """The masks that are ready, for each schedule or, of the chosen one, in each pattern.

    WeightsError if there is none, with the reason. The layer that the canvas shows is not sorted again.
    """
    from entrenar_viz.figures.mask_panels import Panel, panels_figure

    if ready is None:
        raise WeightsError("no layer is ready yet: wait for it, or cancel it")
    matrix, orders = _in_order(ready)
    applied, chosen = applied_now(controls, config), SCHEDULE_NAMES[config.schedule.type]
    if ready.request.patterns:
        panels = [Panel(name, applied[chosen], order) for name, order in orders.items()]
    else:
        panels = [Panel(name, sparsity, orders[""]) for name, sparsity in applied.items()]
    return panels_figure(matrix, panels, header=_header(ready, chosen), theme=theme)


def applied_now(controls: Controls, config: PruningConfig) -> dict[str, float | None]:
    """What each schedule has applied at the cursor, by its name; None before its first update."""
    total, cursor = controls.total_steps.value, controls.cursor.value
    runs = {kind: replay(replace(config, schedule=schedule), total) for kind, schedule in controls.schedules().items()}
    return {SCHEDULE_NAMES[kind]: float(run.applied_at(cursor)) or None for kind, run in runs.items()}


def _in_order(ready: ReadyMasks) -> tuple[Matrix, dict[str, PruneOrder | str]]:
    """The layer and its prune orders by their names, as far as possible those that were made for the screen.

    What was let go is made once more and not kept.
    """
    if ready.let_go:
        ready = for_canvas(ready.request, no_report, None)
    request, made = ready.request, ready.prepared
    if ready.matrix is not None:
        return ready.matrix, dict(ready.orders)
    if made and not request.patterns:
        return made.matrix, {"": made.order}
    if not request.patterns:
        raise WeightsError(str(ready.layer["note"]))
    matrix = made.matrix if made else request.tensors.matrix(request.layer)
    scores = importance(matrix, request.scored[0], request.activations())
    known = {made.order.pattern: made.order} if made else {}
    return matrix, {
        name: known[pattern] if pattern in known else order_or_reason(scores, pattern)
        for name, pattern in request.patterns
    }


def _header(ready: ReadyMasks, chosen: str) -> str:
    """Layer, pattern and method; other letters than those of ASCII may be missing in the font."""
    request = ready.request
    name = f"{request.layer:.{LONGEST_NAME}}".encode("ascii", "replace").decode()
    compared = " within each row" if request.within == "row" else ""
    what = f"{chosen} in each pattern" if request.patterns else pattern_name(request.pattern)
    return f"{name}, {what}, by {request.scored[0]}{compared}"
