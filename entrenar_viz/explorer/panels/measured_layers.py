"""How sensitive the layers are: measured in the background, kept for when it is asked again, and sent as curves."""

from dataclasses import dataclass, field

from entrenar_viz.errors import WeightsError
from entrenar_viz.explorer.background_job import Report
from entrenar_viz.explorer.browser import payload
from entrenar_viz.explorer.preview.mask_request import MaskRequest
from entrenar_viz.masks.scores import NEEDS_ACTIVATIONS
from entrenar_viz.model_survey.text import short
from entrenar_viz.plan.layer_plan import Plan
from entrenar_viz.plan.measuring import sensitivity
from entrenar_viz.plan.sensitivities import LayerSensitivity, Sensitivity


@dataclass(frozen=True)
class MeasureRequest:
    """What curves are made of; equal ones have equal curves. Of ``request`` all but the layer counts."""

    request: MaskRequest
    skip_embed_layers: bool

    @classmethod
    def of(cls, request: MaskRequest, *, skip_embed_layers: bool) -> "MeasureRequest":
        """What is asked of the weights of ``request``."""
        return cls(request.whichever_layer, skip_embed_layers)

    def same_weights(self, other: "MeasureRequest") -> bool:
        """Whether both are about the same tensors."""
        return self.request.tensors is other.request.tensors


@dataclass(eq=False)
class MeasuredLayers:
    """What was measured for a request so far; ``found`` is all of it, None before the end."""

    asked: MeasureRequest
    records: dict[str, LayerSensitivity] = field(default_factory=dict)  # written by the thread
    found: Sensitivity | None = None

    @property
    def total(self) -> int:
        """The layers of the model."""
        return len(self.asked.request.tensors)

    def work(self, report: Report) -> Sensitivity:
        """Measure layer after layer until ``report`` raises; WeightsError for a method without data."""
        request = self.asked.request
        if request.calibration is None and request.method in NEEDS_ACTIVATIONS:
            raise WeightsError(request.without_data)

        def told(done: int, total: int, record: LayerSensitivity) -> None:
            self.records[record.layer] = record
            report(f"{done:,} of {total:,} layers measured: {short(record.layer)}", done / total)

        self.found = sensitivity(
            request.tensors,
            calibration=request.calibration,
            pattern=request.pattern,
            method=request.method,
            within=request.within,
            skip_embed_layers=self.asked.skip_embed_layers,
            progress=told,
        )
        return self.found

    def curves(self, plan: Plan) -> list[payload.BarCurve | None]:
        """The curve of each layer of ``plan``, None where there is none so far."""
        return [_curve(self.records.get(layer.name)) for layer in plan.layers]


class Measured:
    """All that was measured, by what it is made of."""

    def __init__(self) -> None:
        self._kept: list[MeasuredLayers] = []

    def of(self, asked: MeasureRequest) -> MeasuredLayers | None:
        """What was measured for that, to the end or not."""
        return next((one for one in self._kept if one.asked == asked), None)

    def others(self, asked: MeasureRequest) -> MeasuredLayers | None:
        """What was measured last of the same weights in another way."""
        return next((one for one in reversed(self._kept) if one.asked.same_weights(asked)), None)

    def begin(self, asked: MeasureRequest) -> MeasuredLayers:
        """What is measured for that from the beginning; what a file had before it was read again is let go."""
        request = asked.request
        self._kept = [
            one
            for one in self._kept
            if one.asked != asked and (one.asked.same_weights(asked) or one.asked.request.source != request.source)
        ]
        self._kept.append(MeasuredLayers(asked))
        return self._kept[-1]


def _curve(record: LayerSensitivity | None) -> payload.BarCurve | None:
    if record is None or record.reason:
        return None
    points = {0.0: (1.0, 0.0)}
    errors = record.output_error or (0.0,) * len(record.achieved)
    for achieved, kept, error in zip(record.achieved, record.kept_energy, errors, strict=True):
        points[achieved] = (kept, error)
    levels = sorted(points)
    return payload.BarCurve(
        achieved=levels,
        kept=[points[level][0] for level in levels],
        error=[points[level][1] for level in levels] if record.output_error else None,
        knee=record.knee,
    )
