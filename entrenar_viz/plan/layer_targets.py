"""What is asked of each layer while the schedule asks for a sparsity of all: by a plan, or the same of each."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches

import numpy as np

from entrenar_viz.config.pruning_config import Pattern, PruningConfig
from entrenar_viz.errors import ConfigError, EntrenarVizError, Problem
from entrenar_viz.models.layer_names import reason_left_whole
from entrenar_viz.models.tensor_files import listed
from entrenar_viz.plan.layer_plan import Plan

_LISTED = 20  # problems of a plan that was made for another model


@dataclass(frozen=True, eq=False)
class LayerTargets:
    """How ``config`` is carried out layer by layer.

    With a ``plan`` each layer follows the shape of the schedule, scaled to its own sparsity, and the plan alone says
    which layers are left whole; without one ``skip_embed_layers`` does.

    ConfigError for a plan beside a schedule that ends with 0%, which has no shape to scale.
    """

    config: PruningConfig
    plan: Plan | None = None

    def __post_init__(self) -> None:
        if self.plan is None:
            return
        if not isinstance(self.plan, Plan):
            raise EntrenarVizError(f"plan is a Plan, not {type(self.plan).__name__}: load a file with Plan.load(path)")
        if not self._target:
            why = "the schedule ends with 0%, so that there is no shape to scale for a plan: set its target above 0"
            raise ConfigError([Problem("schedule", why)])

    @property
    def _target(self) -> float:
        return float(self.config.schedule.target(self.config.target_sparsity))

    def asked(self, name: str, applied: float) -> float:
        """The sparsity that is asked of layer ``name`` once the schedule has ``applied`` that of all, a fraction."""
        if self.plan is None:
            return applied
        share = min(float(np.float32(applied)) / self._target, 1.0)  # 0.8 is what the schedule has as an f32
        return self.plan[name].sparsity * share if name in self.plan else 0.0

    def pattern(self, name: str) -> Pattern:
        """The pattern of that layer."""
        planned = self.plan[name].pattern if self.plan is not None and name in self.plan else None
        return self.config.pattern if planned is None else planned

    def why_whole(self, name: str, kind: str = "") -> str:
        """Why that layer is left whole, unread; empty if it is to be pruned. ``kind`` is the class of its module."""
        if self.plan is None:
            return reason_left_whole(name, kind) if self.config.skip_embed_layers else ""
        if name not in self.plan:
            return "left whole: the plan has nothing for it"
        if self.plan[name].skip:
            return "left whole: the plan skips it"
        return "" if self.plan[name].sparsity else "left whole: the plan gives it 0%"

    def check(self, shapes: Mapping[str, Iterable[int]]) -> None:
        """ConfigError unless the plan goes with a model whose layers have these ``shapes``, by name.

        What it skips need not be there.
        """
        found = list(self.problems(shapes))
        if found:
            more = [Problem("layers", f"and {len(found) - _LISTED:,} more")] if len(found) > _LISTED else []
            raise ConfigError([*found[:_LISTED], *more], "the plan is not for this model")

    def problems(self, shapes: Mapping[str, Iterable[int]]) -> Iterable[Problem]:
        """What does not go with such a model."""
        for layer in self.plan.layers if self.plan is not None else ():
            if layer.name in shapes:
                if (there := tuple(shapes[layer.name])) != layer.shape:
                    yield Problem(layer.name, f"is {list(there)} here, and {list(layer.shape)} in the plan")
            elif not layer.skip:
                near = get_close_matches(layer.name, shapes, n=1)
                hint = f"did you mean {near[0]}?" if near else f"which has {listed(list(shapes), 3)}"
                yield Problem(layer.name, f"is not in the model: {hint}")
