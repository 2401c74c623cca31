"""The layers of a model in the page, a bar for each with its planned sparsity, which is dragged there."""

from collections.abc import Sequence
from typing import Any

import traitlets as tr

from entrenar_viz.explorer.browser import payload
from entrenar_viz.explorer.browser.module import module
from entrenar_viz.explorer.browser.second_view import SecondView

NO_LAYER = -1


class LayerBars(SecondView):
    """A plan, drawn and changed in the page at once; its total holds there too (``math/plan.js``).

    The page sends a message at the end of each gesture (``payload.BarTold``), and with it what it asks for. What it
    has changed since leaves an older ``plan`` alone.
    """

    _esm = module("layer_bars.js")

    layers = tr.List(tr.Dict()).tag(sync=True)
    """The layers in the order of the model (``payload.BarLayer``)."""
    curves: Any = tr.List(tr.Dict(allow_none=True)).tag(sync=True)
    """The curve of each (``payload.BarCurve``), None for one without; empty: none is known."""
    plan = tr.Dict().tag(sync=True)
    """The plan that the kernel has (``payload.BarPlan``), written as a whole; empty: there is none."""
    picked = tr.Int(NO_LAYER).tag(sync=True)
    """The index of the layer whose masks are asked for, written by both sides; -1: of none."""
    shown = tr.Int(NO_LAYER).tag(sync=True)
    """The index of the layer whose masks the ``Live`` has; -1: of none here."""

    def fill(
        self,
        layers: Sequence[payload.BarLayer],
        curves: Sequence[payload.BarCurve | None],
        plan: payload.BarPlan | None,
    ) -> None:
        """Show these layers, of which none is picked, and their plan, in one message."""
        with self.hold_sync():
            self.picked = self.shown = NO_LAYER
            self.layers, self.curves = [dict(layer) for layer in layers], list(curves)
            self.tell(plan)

    def tell(self, plan: payload.BarPlan | None) -> None:
        """Show the plan that there is now; None: none."""
        self.plan = {} if plan is None else dict(plan)

    def empty(self) -> None:
        """Show no layers."""
        self.fill([], [], None)
