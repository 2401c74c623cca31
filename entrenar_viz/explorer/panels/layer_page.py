"""The bars of layers in the page: what they are sent, and what is heard of them."""

from collections.abc import Callable
from typing import Any

from entrenar_viz.errors import EntrenarVizError
from entrenar_viz.explorer.browser import payload
from entrenar_viz.explorer.browser.layer_bars import NO_LAYER, LayerBars
from entrenar_viz.explorer.browser.live import Live
from entrenar_viz.explorer.panels import plain
from entrenar_viz.explorer.panels.layer_plans import DrawnPlan, PlansOfWeights
from entrenar_viz.explorer.panels.measured_layers import MeasuredLayers
from entrenar_viz.explorer.panels.parts import Guard
from entrenar_viz.formatting import printable
from entrenar_viz.models.layer_names import place_of
from entrenar_viz.plan.layer_plan import Plan
from entrenar_viz.plan.planned_layer import PlannedLayer

Change = Callable[[DrawnPlan], DrawnPlan]


class LayerPage(plain.VBox):
    """``change(what changes a plan)`` and ``step("undo" or "redo")`` are told what was done, ``pick`` a layer."""

    def __init__(
        self,
        live: Live,
        change: Callable[[Change], None],
        step: Callable[[str], None],
        pick: Callable[[str], None],
        guarded: Guard,
    ) -> None:
        self._change, self._step, self._pick_layer = change, step, pick
        self._page, self._told = "", 0
        self._plan: Plan | None = None
        self._places: dict[str, int] = {}
        self._seen: tuple[Any, ...] = (None, None, None)
        self.bars = LayerBars(live)
        super().__init__([self.bars])  # a view of anywidget does not hear of classes
        picked = guarded(self._pick)
        self.bars.observe(lambda change: picked(change.new), "picked")
        self.bars.on_msg(guarded(lambda _, content, __: self._hear(content)))

    def look(self, plans: PlansOfWeights, measured: MeasuredLayers | None, picked: str, shown: str) -> None:
        """Show the present plan, curves, and which layer is picked and has masks; what is there is not sent again."""
        drawn, can = plans.drawn, (plans.history.can_undo, plans.history.can_redo)
        curves = (measured, len(measured.records) if measured else 0)
        seen = (drawn, can, curves, self._page, self._told)
        with self.bars.hold_sync():
            if drawn is None:
                self._plan, self._places = None, {}
                self.bars.empty()
            elif not self._is_of(drawn.plan):
                self._places = {layer.name: place for place, layer in enumerate(drawn.plan.layers)}
                self.bars.fill(list(map(_bar, drawn.plan.layers)), _curves(measured, drawn), self._bars(plans, drawn))
            elif seen != self._seen:
                if curves != self._seen[2]:
                    self.bars.curves = _curves(measured, drawn)
                self.bars.tell(self._bars(plans, drawn))
            self._plan, self._seen = plans.plan, seen
            self.bars.picked, self.bars.shown = self._places.get(picked, NO_LAYER), self._places.get(shown, NO_LAYER)

    def _is_of(self, plan: Plan) -> bool:
        """Whether the page has the layers of ``plan``."""
        before = self._plan
        return before is plan or (before is not None and _layers(before) == _layers(plan))

    def _bars(self, plans: PlansOfWeights, drawn: DrawnPlan) -> payload.BarPlan:
        return payload.BarPlan(
            page=self._page,
            told=self._told,
            sparsity=drawn.share,
            pruned=list(drawn.plan.pruned.values()),
            skipped=drawn.skipped,
            locked=drawn.locked,
            least=list(drawn.least),
            most=list(drawn.most),
            undo=plans.history.can_undo,
            redo=plans.history.can_redo,
        )

    def _pick(self, place: int) -> None:
        if self._plan and 0 <= place < len(self._plan.layers):
            self._pick_layer(self._plan.layers[place].name)

    def _hear(self, content: Any) -> None:
        """Take what a page has changed, and then do what it asks for."""
        match content:
            case {"page": str(page), "told": int(told), "pruned": pruned, "skipped": skipped, "locked": locked}:
                self._page, self._told = page, told
                self._change(lambda drawn: drawn.changed(pruned, skipped, locked))
                if (ask := content.get("ask")) is not None:
                    self._do(ask)
            case _:
                raise EntrenarVizError(f"not understood: {content!r:.80}")

    def _do(self, ask: Any) -> None:
        match ask:
            case {"do": "undo" | "redo" as step}:
                self._step(step)
            case _:
                raise EntrenarVizError(f"not understood: {ask!r:.80}")


def _layers(plan: Plan) -> list[tuple[str, tuple[int, ...]]]:
    return [(layer.name, layer.shape) for layer in plan.layers]


def _curves(measured: MeasuredLayers | None, drawn: DrawnPlan) -> list[payload.BarCurve | None]:
    return measured.curves(drawn.plan) if measured else []


def _bar(layer: PlannedLayer) -> payload.BarLayer:
    block, role = place_of(layer.name)
    return payload.BarLayer(
        name=printable(layer.name),
        weights=layer.weights,
        shape=list(layer.shape),
        block=printable(block),
        role=printable(role),
    )
