"""The layers of a plan in a front end that cannot show our bars: one at a time by core widgets, and a picture."""

from collections.abc import Callable
from typing import Any

import ipywidgets as w

from entrenar_viz.explorer.controls.numbers import shown
from entrenar_viz.explorer.panels import plain
from entrenar_viz.explorer.panels.allot_form import Entry
from entrenar_viz.explorer.panels.layer_page import Change
from entrenar_viz.explorer.panels.layer_plans import DrawnPlan, PlansOfWeights
from entrenar_viz.explorer.panels.measured_layers import MeasuredLayers
from entrenar_viz.explorer.panels.parts import Guard, button, line, named, quiet, show
from entrenar_viz.formatting import counted, percent, printable
from entrenar_viz.plan.layer_plan import Plan
from entrenar_viz.plan.planned_layer import PlannedLayer

AS_DRAWN = "900px"  # the width of the picture, which is blurred where it is stretched


class PlainLayers(plain.VBox):
    """As ``LayerPage``: ``change``, ``step`` and ``pick`` are told what was done."""

    def __init__(
        self,
        change: Callable[[Change], None],
        step: Callable[[str], None],
        pick: Callable[[str], None],
        guarded: Guard,
    ) -> None:
        self._change, self._pick_layer = change, pick
        self._plan: Plan | None = None
        self._drawn: Plan | None = None
        tip = "Shown in the pictures of masks, too"
        self.layer = named(plain.Dropdown(tooltip=tip), "Layer of the plan")
        self.share = Entry("Sparsity", "Sparsity of the layer", 0.0, guarded(self._move))
        self.share.saying("The others give way, so that the total stays")
        self.locked = plain.Checkbox(description="locked", indent=False, tooltip="It keeps its sparsity")
        self.skipped = plain.Checkbox(description="skipped", indent=False, tooltip="Left whole, and in no budget")
        steps = {name: guarded(lambda name=name: step(name)) for name in ("undo", "redo")}
        self.steps = {
            name: button(name.capitalize(), f"{name.capitalize()}, in the plan", steps[name]) for name in steps
        }
        self.about, self.picture = quiet(), plain.Image(layout=w.Layout(max_width=AS_DRAWN))
        controls = line(*self.steps.values(), self.layer, self.share, self.locked, self.skipped, self.about)
        super().__init__([controls, self.picture])
        for widget, done in ((self.layer, self._pick), (self.locked, self._lock), (self.skipped, self._skip)):
            self._listen(widget, guarded(done))

    @staticmethod
    def _listen(widget: w.Widget, heard: Callable[[], None]) -> None:
        widget.observe(lambda _: heard(), "value")

    @property
    def _current(self) -> PlannedLayer | None:
        return self._plan[self.layer.value] if self._plan and self.layer.value in self._plan else None

    def look(self, plans: PlansOfWeights, measured: MeasuredLayers | None, picked: str, shown: str) -> None:
        """Show the present plan, at the picked layer."""
        self._plan = plans.plan
        self.steps["undo"].disabled = not plans.history.can_undo
        self.steps["redo"].disabled = not plans.history.can_redo
        if self._plan is None:
            return
        options = [(f"{printable(layer.name):.80}", layer.name) for layer in self._plan.layers]
        if tuple(self.layer.options) != tuple(options):
            self.layer.options = options
        if picked in self._plan and self.layer.value != picked:
            self.layer.value = picked
        self._show()
        if self._plan != self._drawn:
            from entrenar_viz.figures.saving import png_bytes

            self.picture.value, self._drawn = png_bytes(self._plan.figure()), self._plan

    def _show(self) -> None:
        if now := self._current:
            self.locked.value, self.skipped.value = now.locked and not now.skip, now.skip
            self.share.put(now.sparsity)
            self.share.entry.disabled = now.locked or now.skip
            self.locked.disabled = now.skip
            self.about.value = f"{percent(now.sparsity)} of {counted(now.weights, 'weight')}"
        show(self.about, self._current is not None)

    def _pick(self) -> None:
        if self.layer.value is not None:
            self._show()
            self._pick_layer(self.layer.value)

    def _move(self) -> None:
        now = self._current
        if now is None or self.share.entry.value == shown("fraction", now.sparsity):
            return
        self._do(lambda plan: plan.moved(now.name, self.share.value))

    def _lock(self) -> None:
        now, on = self._current, self.locked.value
        if now is not None and on != (now.locked and not now.skip):
            self._do(lambda plan: plan.locking(now.name, on))

    def _skip(self) -> None:
        now, on = self._current, self.skipped.value
        if now is not None and on != now.skip:
            self._do(lambda plan: plan.skipping(now.name, on))

    def _do(self, what: Callable[[Plan], Any]) -> None:
        self._change(lambda drawn: DrawnPlan.of(what(drawn.plan)))
        self._show()
