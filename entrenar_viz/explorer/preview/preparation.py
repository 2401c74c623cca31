"""A mask request made ready: read, scored and put into prune order, for the page or for a figure."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from entrenar_viz.errors import WeightsError
from entrenar_viz.explorer.background_job import Report, no_report
from entrenar_viz.explorer.preview.layer import Prepared, prepare, prepare_patterns
from entrenar_viz.explorer.preview.mask_request import MaskRequest
from entrenar_viz.explorer.preview.mask_words import note
from entrenar_viz.masks.order import PruneOrder, order_or_reason
from entrenar_viz.masks.scores import importance
from entrenar_viz.models.weights import Matrix


@dataclass(frozen=True, eq=False)
class ReadyMasks:
    """What has been prepared: what the page is sent of the layer, and of each pattern that is compared."""

    request: MaskRequest
    layer: dict[str, Any]
    patterns: list[dict[str, Any]] = field(default_factory=list)
    prepared: Prepared | None = None
    failure: str = ""
    """Why there is no mask; empty if there is one."""
    let_go: bool = False
    """Whether weights and order were given up, because nobody looks at them; they can be made again."""

    def lighter(self) -> "ReadyMasks":
        """The same without weights and order, if there are any."""
        return replace(self, prepared=None, let_go=True) if self.prepared else self


def make_ready(request: MaskRequest, report: Report, shown: ReadyMasks | None) -> ReadyMasks:
    """Prepare the layer, and the patterns to compare; where there is no mask, the layer's note says why.

    The layer is taken from what is shown if that differs in the patterns only.
    """
    try:
        matrix, given = request.tensors.matrix(request.layer), request.activations()
        inputs = given if given is not None and given.ndim == 2 else request.inputs()
    except WeightsError as error:
        return ReadyMasks(request, no_mask(error), failure=str(error))
    how: dict[str, Any] = {"method": request.scored_by, "activations": given, "inputs": inputs, "report": report}
    failure, prepared = "", shown.prepared if shown and shown.request.same_layer(request) else None
    try:
        prepared = prepared or prepare(matrix, request.pattern, within=request.within, note=note(request), **how)
        data = prepared.data
    except WeightsError as error:
        failure, data = str(error), {"note": note(request)} if request.patterns else no_mask(error)
    return ReadyMasks(request, data, _compared(request, matrix, how), prepared, failure=failure)


def orders_of(ready: ReadyMasks) -> tuple[Matrix, dict[str, PruneOrder | str]]:
    """The layer and its prune orders by the names of the patterns, ``""`` for the only one.

    As far as possible those that were made for the screen; what was let go is made once more and not kept.
    WeightsError if there is no mask, with the reason.
    """
    if ready.let_go:
        ready = make_ready(ready.request, no_report, None)
    request, made = ready.request, ready.prepared
    if not request.patterns:
        if made is None:
            raise WeightsError(str(ready.layer["note"]))
        return made.matrix, {"": made.order}
    matrix = made.matrix if made else request.tensors.matrix(request.layer)
    scores = importance(matrix, request.scored_by, request.activations())
    known = {made.order.pattern: made.order} if made else {}
    return matrix, {
        name: known[pattern] if pattern in known else order_or_reason(scores, pattern)
        for name, pattern in request.patterns
    }


def no_mask(why: object) -> dict[str, Any]:
    """The layer where there is no mask."""
    return {"note": f"No mask: {why}"}


def _compared(request: MaskRequest, matrix: Matrix, how: Mapping[str, Any]) -> list[dict[str, Any]]:
    if not request.patterns:
        return []
    fitting = {name: pattern for name, pattern in request.patterns if not isinstance(pattern, str)}
    try:
        made = {data["name"]: data for data in prepare_patterns(matrix, fitting, **how)}
    except WeightsError as error:  # of the scores, which all of them share
        return [{"name": name, **no_mask(error)} for name, _ in request.patterns]
    return [made.get(name) or {"name": name, "note": reason} for name, reason in request.patterns]
