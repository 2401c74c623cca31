"""The picture drawn in the kernel, for front ends that cannot show the live canvas."""

from dataclasses import replace

import ipywidgets as w

from entrenar_viz.config import PruningConfig
from entrenar_viz.errors import WeightsError
from entrenar_viz.explorer.controls import Controls
from entrenar_viz.explorer.panels import show, text
from entrenar_viz.explorer.preview import Preview
from entrenar_viz.figures import mask_figure, png_bytes, schedule_figure
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
        super().__init__([self.schedules, self.masks, self.note])

    def draw(self, controls: Controls, config: PruningConfig, preview: Preview) -> None:
        """Draw ``config`` and the masks of the previewed layer."""
        self.schedules.value = schedule_png(controls, config)
        try:
            matrix = preview.matrix()
            self.masks.value = png_bytes(mask_figure(matrix, _applied(controls, config), pattern=config.pattern))
            self.note.value = preview.note(matrix, config.method)
            show(self.masks, True)
        except WeightsError as error:
            self.note.value = f"No mask: {error}"
            show(self.masks, False)


def _applied(controls: Controls, config: PruningConfig) -> dict[str, float | None]:
    """What each schedule has applied at the cursor, by its name; None before its first update."""
    total, cursor = controls.total_steps.value, controls.cursor.value
    runs = {kind: replay(replace(config, schedule=schedule), total) for kind, schedule in controls.schedules().items()}
    return {SCHEDULE_NAMES[kind]: float(run.applied_at(cursor)) or None for kind, run in runs.items()}
