"""What of a plan does not go with a model in PyTorch, where a parameter may have several names."""

from collections.abc import Iterator, Sequence

from entrenar_viz.config.pruning_config import pattern_name
from entrenar_viz.errors import Problem
from entrenar_viz.formatting import percent
from entrenar_viz.masks.order import Within
from entrenar_viz.models.tensor_files import shown
from entrenar_viz.plan.layer_plan import Plan
from entrenar_viz.plan.layer_targets import LayerTargets
from entrenar_viz.plan.planned_layer import PlannedLayer

Named = tuple[list[str], tuple[int, ...]]
"""All names of a matrix, and its shape, (out, in, ...)."""


def plan_problems(matrices: Sequence[Named], targets: LayerTargets, within: Within) -> list[Problem]:
    """The problems of the plan with a model of these ``matrices``: any name of a tied one may be in it."""
    if targets.plan is None:
        return []
    shapes = {name: shape for names, shape in matrices for name in names}
    return [*targets.problems(shapes, within), *_conflicts(matrices, targets.plan)]


def _conflicts(matrices: Sequence[Named], plan: Plan) -> Iterator[Problem]:
    """Matrices that are planned under several names, and not alike."""
    for names, _ in matrices:
        planned = [plan[name] for name in names if name in plan]
        other = next((one for one in planned if _what(one) != _what(planned[0])), None)
        if other is not None:
            given = f"the plan gives them {_words(planned[0])} and {_words(other)}: let it give one of them"
            yield Problem(shown(planned[0].name), f"is tied to {shown(other.name)}, and {given}")


def _what(layer: PlannedLayer) -> tuple[float, object]:
    """What is done to a layer."""
    return layer.sparsity, layer.pattern if layer.sparsity else None


def _words(layer: PlannedLayer) -> str:
    return percent(layer.sparsity) + (f" in {pattern_name(layer.pattern)}" if layer.pattern else "")
