"""The picture drawn in the kernel, for front ends that cannot show the live canvas."""

from collections.abc import Sequence
from typing import Any

import ipywidgets as w

from entrenar_viz.config.pin import Pin
from entrenar_viz.config.pruning_config import PruningConfig
from entrenar_viz.explorer import plain
from entrenar_viz.explorer.controls import Controls
from entrenar_viz.explorer.mask_request import ReadyMasks
from entrenar_viz.explorer.on_screen import applied_now, masks_drawn, schedules_drawn
from entrenar_viz.explorer.panels import show, text


def schedule_png(controls: Controls, config: PruningConfig, pins: Sequence[Pin] = ()) -> bytes:
    """The three schedules of ``controls`` as a PNG, that of ``config`` emphasised, and ``pins``."""
    from entrenar_viz.figures.saving import png_bytes

    return png_bytes(schedules_drawn(controls, config, pins))


class Fallback(plain.VBox):
    """Two pictures: the schedules, and the masks at the cursor."""

    def __init__(self) -> None:
        self.schedules = plain.Image(format="png", layout=w.Layout(width="100%"))
        self.masks = plain.Image(format="png", layout=w.Layout(width="100%"))
        self.note = text("", "entrenar-viz-quiet")
        self._config = PruningConfig()
        self.pins: tuple[Pin, ...] = ()
        """The pins whose curves are drawn."""
        self._drawn: dict[str, tuple[Any, ...]] = {}  # from what each picture was drawn
        super().__init__([self.schedules, self.masks, self.note])
        show(self.masks, False)

    def draw(self, controls: Controls, config: PruningConfig) -> None:
        """Draw the schedules of ``config``, unless they are drawn already."""
        self._config = config
        steps = (controls.total_steps.value, controls.cursor.value)
        now = (config, *steps, self.pins, *controls.schedules().values())
        if now != self._drawn.get("schedules"):
            self.schedules.value = schedule_png(controls, config, self.pins)
            self._drawn["schedules"] = now

    def draw_masks(self, controls: Controls, ready: ReadyMasks) -> None:
        """Draw the masks that are ready, for each schedule or, of the chosen one, in each pattern."""
        from entrenar_viz.figures.saving import png_bytes

        now = (ready, self._config.schedule.type, *applied_now(controls, self._config).values())
        if now == self._drawn.get("masks"):
            return
        self.note.value = ready.layer["note"]
        if ready.matrix is not None:
            self.masks.value = png_bytes(masks_drawn(controls, self._config, ready))
        show(self.masks, ready.matrix is not None)
        self._drawn["masks"] = now
