"""What is to be shown, taken off the controls: enough to read, score and order a layer without touching a widget."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from math import prod
from typing import Any

from entrenar_viz.config.pruning_config import Method, Pattern
from entrenar_viz.errors import WeightsError
from entrenar_viz.explorer.layer import Prepared, Report, prepare, prepare_patterns
from entrenar_viz.masks.activations import Activations, misfit
from entrenar_viz.masks.calibration import Calibration
from entrenar_viz.masks.loss_curves import MOST_SAMPLES
from entrenar_viz.masks.order import PruneOrder, Within, order_or_reason
from entrenar_viz.masks.scores import importance
from entrenar_viz.models.weights import SAMPLES, Matrix, Tensors

PRODUCTS = 50  # multiplications of activations with weights that take as long as preparing one weight
AT_ONCE = 1_000_000  # weights, or entries of what scoring them takes: more are prepared in the background
NAME_LENGTH = 120  # of a layer on screen
REASONS = 3  # why tensors are not offered: the first ones, in the note


@dataclass(frozen=True)
class MaskRequest:
    """A layer, and how its masks are made; equal ones have equal masks.

    ``patterns`` are those to compare by their names, none for the three schedules; one that cannot be made of its
    sizes is the reason instead.
    """

    tensors: Tensors
    source: str
    layer: str
    pattern: Pattern
    method: Method
    within: Within = "tensor"
    patterns: tuple[tuple[str, Pattern | str], ...] = ()
    calibration: Calibration | None = None
    can_calibrate: bool = True  # whether a file of calibration data can be opened here

    @property
    def shape(self) -> tuple[int, int]:
        """(out, rest)."""
        rows, *rest = self.tensors.shape(self.layer)
        return rows, prod(rest)

    @property
    def scored(self) -> tuple[Method, str]:
        """The method of the masks; where it is not the configuration's, also why, and what to do about it."""
        why = "" if self.method == "magnitude" else self._no_scores()
        return ("magnitude" if why else self.method), why

    def _no_scores(self) -> str:
        method, calibration = self.method, self.calibration
        if method.startswith("minitron"):
            return f"{method} removes whole {'layers' if 'depth' in method else 'channels'} and gives no mask."
        if calibration is None:
            return self.without_data()
        if self.layer not in calibration:
            return f"{method} needs calibration data, and {calibration.source} has none for this layer: add it there."
        if wrong := misfit(calibration.shape(self.layer), self.shape[1]):
            return f"{method} needs calibration data that fits. {calibration.source} has {wrong}."
        if method == "sparse_gpt" and len(calibration.shape(self.layer)) == 1:
            return f"sparse_gpt needs activations, (samples, columns), and {calibration.source} has norms: use wanda."
        return ""

    def without_data(self) -> str:
        """What to do about a method that needs calibration data."""
        fix = "Open a file of it beside Calibration" if self.can_calibrate else "None can be opened here: use magnitude"
        return f"{self.method} needs calibration data. {fix}."

    @property
    def large(self) -> bool:
        """Whether it takes so long that it belongs in the background."""
        most, columns = prod(self.shape), self.shape[1]
        method, _ = self.scored
        given = self._entering
        if len(given) > 1:
            most = max(most, prod(given), min(given[0], MOST_SAMPLES) * most // PRODUCTS)
        return max(most, columns * columns if method == "sparse_gpt" else 0) > AT_ONCE

    def about(self) -> str:
        """What is shown: source, layer, shape, and which tensors of the source are not offered."""
        shape, short = self.tensors.shape(self.layer), f"{self.layer:.{NAME_LENGTH}}"
        own = self.tensors.source == self.source
        name = f"{self.source}, {short}" if own else f"{short}: {SAMPLES[self.source]}"
        viewed = f", {len(shape)}-D viewed as (out, rest): {by(shape)}" if len(shape) > 2 else ""
        return f"{name}. {by(self.shape)} weights{viewed}.{_not_offered(self.tensors)}"

    def note(self) -> str:
        """What is shown, and what of it is not the trainer's."""
        (method, why), parts = self.scored, [self.about()]
        if why:
            parts.append(f"Previewed by magnitude: {why}")
        elif self.calibration and method != "magnitude":
            parts.append(f"Scored by {method} with {self.calibration.source}.")
        if self.within == "row":
            parts.append("Each row by itself, as in Wanda's paper: preview only, not what the trainer does.")
        return " ".join(parts)

    @property
    def _entering(self) -> tuple[int, ...]:
        """The shape of the calibration for this layer; () if there is none, or none that fits."""
        if self.calibration is None or self.layer not in self.calibration:
            return ()
        shape = self.calibration.shape(self.layer)
        return () if misfit(shape, self.shape[1]) else shape

    def activations(self) -> Activations | None:
        """What the method needs of the calibration, read now; WeightsError if that fails."""
        return None if self.scored[0] == "magnitude" else self.inputs()

    def inputs(self) -> Activations | None:
        """What enters the layer, read now, None if it is not known; WeightsError if that fails."""
        return self.calibration[self.layer] if self.calibration and self._entering else None


@dataclass(frozen=True, eq=False)
class ReadyMasks:
    """What has been prepared: what the canvas is sent, or, for the still picture, ``orders`` by their names."""

    request: MaskRequest
    layer: dict[str, Any]
    patterns: list[dict[str, Any]] = field(default_factory=list)
    prepared: Prepared | None = None
    matrix: Matrix | None = None
    orders: Mapping[str, PruneOrder | str] = field(default_factory=dict)
    failure: str = ""
    """Why there is no mask; empty if there is one."""
    let_go: bool = False
    """Whether weights and orders were given up, because nobody looks at them; they can be made again."""

    def lighter(self) -> "ReadyMasks":
        """The same without weights and orders, if there are any."""
        if self.prepared is None and self.matrix is None:
            return self
        return replace(self, prepared=None, matrix=None, orders={}, let_go=True)


def for_canvas(request: MaskRequest, report: Report, shown: ReadyMasks | None) -> ReadyMasks:
    """Prepare the layer, and the patterns to compare; where there is no mask, the layer's note says why.

    The layer is taken from what is shown if that differs in the patterns only.
    """
    try:
        matrix, inputs = request.tensors.matrix(request.layer), request.inputs()
    except WeightsError as error:
        return ReadyMasks(request, no_mask(error), failure=str(error))
    how: dict[str, Any] = {"method": request.scored[0], "activations": inputs, "report": report}
    failure, prepared = "", shown.prepared if shown and _same_layer(shown.request, request) else None
    try:
        prepared = prepared or prepare(matrix, request.pattern, within=request.within, note=request.note(), **how)
        data = prepared.data
    except WeightsError as error:
        failure, data = str(error), {"note": request.note()} if request.patterns else no_mask(error)
    return ReadyMasks(request, data, _compared(request, matrix, how), prepared, failure=failure)


def for_fallback(request: MaskRequest, report: Report, _shown: ReadyMasks | None) -> ReadyMasks:
    """Score the layer and put it into the orders that the masks are drawn from."""
    try:
        matrix, activations = request.tensors.matrix(request.layer), request.activations()
        report("scoring", 0.1)
        scores = importance(matrix, request.scored[0], activations)
    except WeightsError as error:
        return ReadyMasks(request, no_mask(error), failure=str(error))
    orders: dict[str, PruneOrder | str] = {}
    asked = request.patterns or (("", request.pattern),)
    for index, (name, pattern) in enumerate(asked):
        report("ordering", 0.3 + 0.7 * index / len(asked))
        orders[name] = order_or_reason(scores, pattern, request.within)
    only = orders.get("")
    if isinstance(only, str):
        return ReadyMasks(request, no_mask(only), failure=only)
    return ReadyMasks(request, {"note": request.note()}, matrix=matrix, orders=orders)


def no_mask(why: object) -> dict[str, Any]:
    """The layer where there is no mask."""
    return {"note": f"No mask: {why}"}


def by(shape: tuple[int, ...]) -> str:
    """``4,096 × 4,096``."""
    return " × ".join(f"{length:,}" for length in shape)


def _same_layer(one: MaskRequest, other: MaskRequest) -> bool:
    return replace(one, patterns=()) == replace(other, patterns=())


def _compared(request: MaskRequest, matrix: Matrix, how: dict[str, Any]) -> list[dict[str, Any]]:
    if not request.patterns:
        return []
    fitting = {name: pattern for name, pattern in request.patterns if not isinstance(pattern, str)}
    try:
        made = {data["name"]: data for data in prepare_patterns(matrix, fitting, **how)}
    except WeightsError as error:  # of the scores, which all of them share
        return [{"name": name, **no_mask(error)} for name, _ in request.patterns]
    return [made.get(name) or {"name": name, "note": reason} for name, reason in request.patterns]


def _not_offered(tensors: Tensors) -> str:
    """How many tensors cannot be pruned, and the first reasons."""
    if not tensors.skipped:
        return ""
    reasons = Counter(tensors.skipped.values())
    first = "; ".join(f"{reason} ({count:,})" for reason, count in list(reasons.items())[:REASONS])
    more = "; and for other reasons" if len(reasons) > REASONS else ""
    return f" Tensors not offered: {len(tensors.skipped):,}. {first}{more}."
