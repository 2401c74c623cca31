"""What is asked of each layer while the schedule asks for a sparsity of all: by a plan, or the same of each."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from difflib import get_close_matches
from itertools import islice

import numpy as np

from entrenar_viz.config.pruning_config import Pattern, PruningConfig
from entrenar_viz.errors import ConfigError, EntrenarVizError, Problem, WeightsError
from entrenar_viz.masks.order import Within, check_within
from entrenar_viz.models.layer_names import reason_left_whole
from entrenar_viz.models.tensor_files import listed, shown
from entrenar_viz.plan.layer_plan import Plan
from entrenar_viz.plan.planned_layer import PlannedLayer

_LISTED = 20  # problems of a plan that was made for another model
_NO_SHAPE = "ends with 0%, so that there is no shape to scale for a plan: set its target above 0"
_HINTS = 3  # of them with the nearest name, which takes a while to find among thousands


@dataclass(frozen=True, eq=False)
class LayerTargets:
    """How ``config`` is carried out layer by layer.

    With a ``plan`` each layer follows the shape of the schedule, scaled to its own sparsity, whatever the target of the
    schedule is, and the plan alone says which layers are left whole; without one ``skip_embed_layers`` does.

    EntrenarVizError if one of them is something else; whether the plan goes with the schedule and with a model,
    ``check`` tells.
    """

    config: PruningConfig
    plan: Plan | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.config, PruningConfig):
            given, how = type(self.config).__name__, "load a file with PruningConfig.load(path)"
            raise EntrenarVizError(f"config is a PruningConfig, not {given}: {how}")
        if self.plan is not None and not isinstance(self.plan, Plan):
            raise EntrenarVizError(f"plan is a Plan, not {type(self.plan).__name__}: load a file with Plan.load(path)")

    @property
    def _target(self) -> float:
        return float(self.config.schedule.target(self.config.target_sparsity))

    def share(self, applied: float) -> float:
        """How far the schedule has come with ``applied`` of all: 0 to 1, which it is at its target and above."""
        target = self._target
        return min(float(np.float32(applied)) / target, 1.0) if target else 0.0  # 0.8 is what an f32 has of it

    def asked(self, name: str, applied: float) -> float:
        """The sparsity that is asked of layer ``name`` once the schedule has ``applied`` that of all, a fraction.

        By a plan it is the shortest decimal of an f32, so that a plan with the same for each gives the masks of none.
        """
        if self.plan is None:
            return applied
        own = float(np.float32(self.plan[name].sparsity)) if name in self.plan else 0.0
        return float(str(np.float32(own * self.share(applied))))

    def pattern(self, name: str) -> Pattern:
        """The pattern of that layer."""
        planned = self.plan[name].pattern if self.plan is not None and name in self.plan else None
        return self.config.pattern if planned is None else planned

    def config_of(self, name: str) -> PruningConfig:
        """The configuration with the pattern of that layer."""
        pattern = self.pattern(name)
        return self.config if pattern is self.config.pattern else replace(self.config, pattern=pattern)

    def why_whole(self, name: str, kind: str = "") -> str:
        """Why that layer is left whole, unread; empty if it is to be pruned. ``kind`` is the class of its module."""
        if self.plan is None:
            return reason_left_whole(name, kind) if self.config.skip_embed_layers else ""
        if name not in self.plan:
            return "left whole: the plan has nothing for it"
        if self.plan[name].skip:
            return "left whole: the plan skips it"
        return "" if self.plan[name].sparsity else "left whole: the plan gives it 0%"

    def check(self, shapes: Mapping[str, Iterable[int]], within: Within = "tensor") -> None:
        """ConfigError unless the plan goes with a model whose layers have these ``shapes``, by name.

        What it skips need not be there. The schedule must not end with 0%, which has no shape to scale;
        ``within="row"`` goes with unstructured layers only.
        """
        if found := self.problems(shapes, within):
            raise ConfigError(found, "the plan does not fit")

    def problems(self, shapes: Mapping[str, Iterable[int]], within: Within = "tensor") -> list[Problem]:
        """What does not go with such a model, of it 20 layers at most."""
        if self.plan is None:
            return []
        no_shape = [] if self._target else [Problem("schedule", _NO_SHAPE)]
        if why := _of_another_model(self.plan, shapes):
            return [*no_shape, Problem("layers", why)]
        wrong = self._misfits(self.plan, shapes, within)
        found = [Problem(shown(name), why) for name, why in islice(wrong, _LISTED)]
        more = sum(1 for _ in wrong)
        return [*no_shape, *found, *([Problem("layers", f"and {more:,} more")] if more else [])]

    def _misfits(self, plan: Plan, shapes: Mapping[str, Iterable[int]], within: Within) -> Iterator[tuple[str, str]]:
        hints = _HINTS
        for layer in plan.layers:
            if layer.name in shapes:
                if (there := tuple(shapes[layer.name])) != layer.shape:
                    yield layer.name, f"is {list(there)} here, and {list(layer.shape)} in the plan"
            elif not layer.skip:
                yield layer.name, f"is no layer here that can be pruned{_hint(layer, shapes) if hints else ''}"
                hints = max(hints - 1, 0)
            if within == "row" and not layer.skip and (why := _not_by_rows(layer.pattern)):
                yield layer.name, why


def _of_another_model(plan: Plan, shapes: Mapping[str, Iterable[int]]) -> str:
    """That none of the layers is there; empty where some are, or a few have names that are nearly right."""
    wanted = [layer.name for layer in plan.layers if not layer.skip]
    few = len(wanted) <= _HINTS and any(get_close_matches(name, shapes, n=1) for name in wanted)
    if not wanted or few or any(name in shapes for name in wanted):
        return ""
    here = listed(list(shapes), 3) or "none that can be pruned"
    return f"none of the plan's is here: it has {listed(wanted, 3)}, and here are {here}"


def _hint(layer: PlannedLayer, shapes: Mapping[str, Iterable[int]]) -> str:
    near = get_close_matches(layer.name, shapes, n=1)
    return f": did you mean {shown(near[0])}?" if near else f": there are {listed(list(shapes), 3) or 'none'}"


def _not_by_rows(pattern: Pattern | None) -> str:
    if pattern is None:  # that of the configuration, which is checked by itself
        return ""
    try:
        check_within("row", pattern)
    except WeightsError as error:
        return str(error)
    return ""
