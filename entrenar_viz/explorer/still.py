"""The picture drawn in the kernel, for front ends that cannot show the live canvas."""

from dataclasses import replace
from typing import Any

import ipywidgets as w

from entrenar_viz.config import PruningConfig
from entrenar_viz.explorer.controls import Controls
from entrenar_viz.explorer.panels import show, text
from entrenar_viz.explorer.wanted import Ready
from entrenar_viz.figures import png_bytes, schedule_figure
from entrenar_viz.figures.mask_panels import Panel, panels_figure
from entrenar_viz.replay import replay
from entrenar_viz.schedules import SCHEDULE_NAMES


def schedule_png(controls: Controls, config: PruningConfig) -> bytes:
    """The three schedules of ``controls`` as a PNG, that of ``config`` emphasised."""
    others = [schedule for kind, schedule in controls.schedules().items() if kind != config.schedule.type]
    total, cursor = controls.total_steps.value, controls.cursor.value
    return png_bytes(schedule_figure(config, total, others=others, cursor=min(cursor, total)))


class Still(w.VBox):  # type: ignore[misc]
    """Two pictures: the schedules, and the masks at the cursor."""

    def __init__(self) -> None:
        self.schedules = w.Image(format="png", layout={"width": "100%"})
        self.masks = w.Image(format="png", layout={"width": "100%"})
        self.note = text("", "entrenar-viz-quiet")
        self._config = PruningConfig()
        self._drawn: dict[str, tuple[Any, ...]] = {}  # from what each picture was drawn
        super().__init__([self.schedules, self.masks, self.note])
        show(self.masks, False)

    def draw(self, controls: Controls, config: PruningConfig) -> None:
        """Draw the schedules of ``config``, unless they are drawn already."""
        self._config = config
        now = (config, controls.total_steps.value, controls.cursor.value, *controls.schedules().values())
        if now != self._drawn.get("schedules"):
            self.schedules.value = schedule_png(controls, config)
            self._drawn["schedules"] = now

    def draw_masks(self, controls: Controls, ready: Ready) -> None:
        """Draw the masks that are ready, for each schedule or, of the chosen one, in each pattern."""
        applied = _applied(controls, self._config)
        now = (ready, self._config.schedule.type, *applied.values())
        if now == self._drawn.get("masks"):
            return
        self.note.value = ready.layer["note"]
        if ready.matrix is not None:
            chosen = SCHEDULE_NAMES[self._config.schedule.type]
            panels = _panels(ready, applied, chosen)
            header = f"{chosen} in each pattern" if ready.wanted.patterns else ""
            self.masks.value = png_bytes(panels_figure(ready.matrix, panels, header=header))
        show(self.masks, ready.matrix is not None)
        self._drawn["masks"] = now


def _panels(ready: Ready, applied: dict[str, float | None], chosen: str) -> list[Panel]:
    if ready.wanted.patterns:
        return [Panel(name, applied[chosen], order) for name, order in ready.orders.items()]
    return [Panel(name, sparsity, ready.orders[""]) for name, sparsity in applied.items()]


def _applied(controls: Controls, config: PruningConfig) -> dict[str, float | None]:
    """What each schedule has applied at the cursor, by its name; None before its first update."""
    total, cursor = controls.total_steps.value, controls.cursor.value
    runs = {kind: replay(replace(config, schedule=schedule), total) for kind, schedule in controls.schedules().items()}
    return {SCHEDULE_NAMES[kind]: float(run.applied_at(cursor)) or None for kind, run in runs.items()}
