"""What is to be known of a plan before anything is pruned by it."""

from collections.abc import Iterator, Sequence

from entrenar_viz.analysis.finding import Finding, by_severity
from entrenar_viz.formatting import counted, percent
from entrenar_viz.models.tensor_files import shown
from entrenar_viz.plan.layer_plan import Plan
from entrenar_viz.plan.planned_layer import PlannedLayer
from entrenar_viz.plan.sensitivities import LayerSensitivity, Sensitivity


def review_plan(plan: Plan, measured: Sensitivity | None = None) -> list[Finding]:
    """What is to be known of ``plan``, the most severe first; what depends on curves needs ``measured``.

    - ``layer-emptied``: a layer loses all of its weights, so that nothing passes it.
    - ``rows-dead``: outputs of a layer lose all of their weights, at the last level that was measured below the plan.
    - ``layer-beyond-knee``: a layer is asked for more than the knee of its curve.

    >>> from entrenar_viz import allocate
    >>> plan = allocate({"fc1": (128, 64), "fc2": (10, 128)}, 0.5, "uniform", fixed={"fc2": 1.0})
    >>> [finding.message for finding in review_plan(plan)]
    ["'fc2' of 2 layers loses all of its weights: nothing passes it any more."]
    """
    planned = [layer for layer in plan.layers if not layer.skip]
    return by_severity([*_emptied(planned), *(_by_curves(planned, measured) if measured else ())])


def _emptied(planned: Sequence[PlannedLayer]) -> Iterator[Finding]:
    if empty := [layer.name for layer in planned if layer.pruned == layer.weights]:
        verb, them = ("lose all of their", "them") if empty[1:] else ("loses all of its", "it")
        message = f"{_those(empty, planned)} {verb} weights: nothing passes {them} any more."
        yield Finding("layer-emptied", "error", message)


def _by_curves(planned: Sequence[PlannedLayer], measured: Sensitivity) -> Iterator[Finding]:
    known = [(layer, measured[layer.name]) for layer in planned if layer.name in measured]
    left = [(layer, curve) for layer, curve in known if not curve.reason and layer.pruned < layer.weights]
    if dying := [(layer, rows) for layer, curve in left if (rows := curve.dead_rows_at(layer.sparsity))]:
        yield _dead_rows(dying, planned)
    beyond = [(layer, curve) for layer, curve in left if curve.knee is not None and layer.sparsity > curve.knee]
    if beyond:
        yield _beyond_knee(beyond, planned)


def _dead_rows(dying: Sequence[tuple[PlannedLayer, int]], planned: Sequence[PlannedLayer]) -> Finding:
    layer, rows = max(dying, key=lambda one: one[1] / one[0].shape[0])
    worst = f"at least {rows:,} of {layer.shape[0]:,} in {shown(layer.name)}"
    names = [one.name for one, _ in dying]
    message = f"{_those(names, planned)} {_have(names)} rows (outputs) that lose all of their weights: {worst}."
    return Finding("rows-dead", "warning", message)


def _beyond_knee(beyond: Sequence[tuple[PlannedLayer, LayerSensitivity]], planned: Sequence[PlannedLayer]) -> Finding:
    layer, curve = min(beyond, key=lambda one: one[1].kept_at(one[0].sparsity) or 0.0)
    kept, asked = percent(curve.kept_at(layer.sparsity) or 0.0), percent(layer.sparsity)
    worst = f"{shown(layer.name)} keeps {kept} of its energy at {asked}, knee at {percent(curve.knee or 0.0)}"
    names = [one.name for one, _ in beyond]
    verb = "are" if names[1:] else "is"
    message = f"{_those(names, planned)} {verb} beyond the knee of the curve: {worst}."
    return Finding("layer-beyond-knee", "info", message)


def _those(names: Sequence[str], planned: Sequence[PlannedLayer]) -> str:
    """``'fc1' and 3 more of 12 layers``."""
    more = f" and {len(names) - 1:,} more" if names[1:] else ""
    return f"{shown(names[0])}{more} of {counted(len(planned), 'layer')}"


def _have(names: Sequence[str]) -> str:
    return "have" if names[1:] else "has"
