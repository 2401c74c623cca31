"""The plans of weights: what may be changed of one by hand, the way back, and what other weights have."""

from dataclasses import dataclass, replace

import numpy as np

from entrenar_viz.errors import EntrenarVizError
from entrenar_viz.explorer.controls.history import MAX_ENTRIES, History
from entrenar_viz.models.weights import Tensors
from entrenar_viz.plan.budget import fraction_of, whole_budget
from entrenar_viz.plan.layer_plan import Plan
from entrenar_viz.plan.planned_layer import PlannedLayer

KEPT = 100_000  # layers in all entries of a history
NOT_TAKEN = "The change in the page does not fit the plan, so that the plan stays as it was"

Shapes = tuple[tuple[str, tuple[int, ...]], ...]


@dataclass(frozen=True)
class DrawnPlan:
    """A plan, and what holds while layers are moved: the budget, and the fewest and most weights that each may lose.

    ``share`` is the budget as a share of the weights that are not skipped. A layer that is beyond the bounds of the
    plan, since it was fixed, may stay where it is.
    """

    plan: Plan
    share: float
    least: tuple[int, ...]
    most: tuple[int, ...]

    @classmethod
    def of(cls, plan: Plan) -> "DrawnPlan":
        """What holds of ``plan`` as it was made."""
        allowed = plan.origin.bounds_of(np.array([layer.weights for layer in plan.layers], np.int64))
        gone = np.array(list(plan.pruned.values()), np.int64)
        planned = np.array([not layer.skip for layer in plan.layers])
        least = np.where(planned, np.minimum(allowed.least, gone), np.minimum(allowed.least, allowed.most))
        most = np.where(planned, np.maximum(allowed.most, gone), allowed.most)
        asked = plan.origin.sparsity
        share = asked if whole_budget(plan.weights, asked) == sum(plan.pruned.values()) else plan.sparsity
        return cls(plan, share, tuple(least.tolist()), tuple(most.tolist()))

    @property
    def skipped(self) -> list[int]:
        """The places of the layers that are left whole."""
        return [place for place, layer in enumerate(self.plan.layers) if layer.skip]

    @property
    def locked(self) -> list[int]:
        """The places of the layers that hold their sparsity."""
        return [place for place, layer in enumerate(self.plan.layers) if layer.locked and not layer.skip]

    def changed(self, pruned: object, skipped: object, locked: object) -> "DrawnPlan":
        """What a page has made of it: weights that each layer loses, places of layers that are skipped and locked.

        EntrenarVizError for what goes against the budget, the bounds or itself: nothing of that is taken.
        """
        out, held = self._places(skipped), self._places(locked)
        if not isinstance(pruned, list) or len(pruned) != len(self.plan.layers) or out & held:
            raise EntrenarVizError(f"{NOT_TAKEN}.")
        for place, count in enumerate(pruned):
            least, most = (0, 0) if place in out else (self.least[place], self.most[place])
            if type(count) is not int or not least <= count <= most:
                raise EntrenarVizError(f"{NOT_TAKEN}.")
        free = sum(layer.weights for place, layer in enumerate(self.plan.layers) if place not in out)
        if sum(pruned) != whole_budget(free, self.share):
            raise EntrenarVizError(f"{NOT_TAKEN}: its total is another one.")
        layers = tuple(
            _changed(layer, pruned[place], skip=place in out, locked=place in held)
            for place, layer in enumerate(self.plan.layers)
        )
        if layers == self.plan.layers:
            return self
        return replace(self, plan=Plan(origin=replace(self.plan.origin, edited=True), layers=layers))

    def _places(self, given: object) -> set[int]:
        count = len(self.plan.layers)
        if not isinstance(given, list) or not all(type(place) is int and 0 <= place < count for place in given):
            raise EntrenarVizError(f"{NOT_TAKEN}.")
        return set(given)


def _changed(layer: PlannedLayer, count: int, *, skip: bool, locked: bool) -> PlannedLayer:
    if (count, skip, locked) == (layer.pruned, layer.skip, layer.locked):
        return layer
    sparsity = layer.sparsity if count == layer.pruned else fraction_of(count, layer.weights)
    return replace(layer, skip=skip, sparsity=sparsity, locked=locked)


class PlansOfWeights:
    """The plans of some weights in their order, and whether the present one was put aside."""

    def __init__(self, layers: int = 0) -> None:
        self.history = History[DrawnPlan](max(min(MAX_ENTRIES, KEPT // max(layers, 1)), 10))
        self.aside = False

    @property
    def drawn(self) -> DrawnPlan | None:
        """The present plan, None if there is none."""
        return None if self.aside else self.history.present

    @property
    def plan(self) -> Plan | None:
        """The same as it is kept."""
        return self.drawn.plan if self.drawn else None

    def take(self, plan: DrawnPlan | None) -> None:
        """Let this be the present plan; with None the one before is put aside."""
        if plan is not None:
            self.history.record(plan)
        self.aside = plan is None

    def step(self, which: str) -> None:
        """``undo`` or ``redo``."""
        getattr(self.history, which)()


class Shelf:
    """The plans of all weights that were picked, so that they are there again with the weights."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, Shapes], PlansOfWeights] = {}
        self._last: tuple[Tensors, PlansOfWeights] | None = None

    def of(self, source: str, tensors: Tensors) -> PlansOfWeights:
        """Those of ``tensors``, picked as ``source``; of a file that was read again, those from before."""
        if self._last is None or self._last[0] is not tensors:
            shapes = tuple((name, tuple(tensors.shape(name))) for name in tensors)
            plans = self._kept.setdefault((source, shapes), PlansOfWeights(len(shapes)))
            self._last = tensors, plans
        return self._last[1]
