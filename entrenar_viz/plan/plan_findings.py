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
    ["'fc2' loses all of its weights: nothing passes it any more."]
    """
    planned = [layer for layer in plan.layers if not layer.skip]
    return by_severity([*_emptied(planned), *(_by_curves(planned, measured) if measured else ())])


def _emptied(planned: Sequence[PlannedLayer]) -> Iterator[Finding]:
    if empty := [layer.name for layer in planned if layer.pruned == layer.weights]:
        message = f"{shown(empty[0])} loses all of its weights: nothing passes it any more."
        if empty[1:]:
            those = f"{shown(empty[0])} and {len(empty) - 1:,} more of {counted(len(planned), 'layer')}"
            message = f"{those} lose all of their weights: nothing passes them any more."
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
    lost, worst = "rows (outputs) that lose all of their weights", f"at least {rows:,} of {layer.shape[0]:,}"
    message = f"{shown(layer.name)} has {lost}: {worst}."
    if dying[1:]:
        message = f"{len(dying):,} of {counted(len(planned), 'layer')} have {lost}, {shown(layer.name)} most: {worst}."
    return Finding("rows-dead", "warning", message)


def _beyond_knee(beyond: Sequence[tuple[PlannedLayer, LayerSensitivity]], planned: Sequence[PlannedLayer]) -> Finding:
    layer, curve = min(beyond, key=lambda one: one[1].kept_at(one[0].sparsity) or 0.0)
    kept, asked = percent(curve.kept_at(layer.sparsity) or 0.0), percent(layer.sparsity)
    least = f"{kept} of its energy at {asked}, knee at {percent(curve.knee or 0.0)}"
    message = f"{shown(layer.name)} is beyond the knee of its curve: it keeps {least}."
    if beyond[1:]:
        many = f"{len(beyond):,} of {counted(len(planned), 'layer')} are beyond the knee of their curve"
        message = f"{many}, and {shown(layer.name)} keeps least: {least}."
    return Finding("layer-beyond-knee", "info", message)
