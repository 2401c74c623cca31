"""What an allocation may look at: weights, calibration data, what was measured before."""

from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field
from typing import Any

from entrenar_viz.errors import EntrenarVizError, WeightsError
from entrenar_viz.masks.calibration import Calibration, CalibrationSource, load_calibration
from entrenar_viz.models.weights import Tensors
from entrenar_viz.plan.budget import Bounds, Counts
from entrenar_viz.plan.layers import Layer, Layers
from entrenar_viz.plan.measuring import sensitivity
from entrenar_viz.plan.outliers import outlier_shares
from entrenar_viz.plan.sensitivities import LayerSensitivity, Sensitivity
from entrenar_viz.plan.thresholds import global_magnitude
from entrenar_viz.progress import Report


@dataclass(eq=False)
class Evidence:
    """Weights and what else there is of them; each method takes what it needs, with an error for what is missing."""

    weights: Tensors | None
    measured: Sensitivity | None
    calibration: Calibration | None
    executor: Executor | None
    calibrated_by: str = field(default="", init=False)
    """The name of the calibration data that were made use of, empty if none were."""
    _on_layer: Callable[..., object] = field(default=lambda *_: None, init=False)

    @classmethod
    def of(
        cls, given: Layers, weights: Tensors | None, calibration: CalibrationSource | None, executor: Executor | None
    ) -> "Evidence":
        """What there is in what ``allocate`` was given; EntrenarVizError for data that come too late."""
        measured = given if isinstance(given, Sensitivity) else None
        if measured is not None and calibration is not None:
            raise EntrenarVizError(
                "what was measured has its own calibration: pass calibration= to sensitivity instead"
            )
        data = None if calibration is None else load_calibration(calibration, weights)
        return cls(weights, measured, data, executor)

    def tell_of(self, total: int, report: Report) -> None:
        """Tell ``report(done, total)`` of each layer that is read."""
        done = iter(range(1, total + 1))
        self._on_layer = lambda *_: report(next(done, total), total)

    @property
    def source(self) -> str:
        """The name of the model, empty where there are only shapes."""
        return self.weights.source if self.weights else self.measured.source if self.measured else ""

    def counts_by_one_threshold(self, layers: Sequence[Layer], bounds: Bounds, budget: int) -> Counts:
        """How many weights of each layer are among the ``budget`` smallest of all."""
        names = [layer.name for layer in layers]
        weights = self._weights("global_magnitude")
        return global_magnitude(weights, names, bounds, budget, executor=self.executor, on_layer=self._on_layer)

    def outlier_shares(self, layers: Sequence[Layer], times: float, *, by_block: bool) -> list[float]:
        """What ``outliers.outlier_shares`` counts."""
        weights, data = self._weights("owl"), self.calibration
        if data is None:
            fix = "pass calibration= (--calibration FILE), the inputs of each layer as load_calibration takes them"
            raise WeightsError(f"owl counts outliers among wanda's scores and needs calibration data: {fix}")
        if lacking := [layer.name for layer in layers if layer.name not in data]:
            fix = "skip it, or pass data that have it"
            raise WeightsError(f"{data.source}: has nothing for {lacking[0]!r:.80}, which owl needs: {fix}")
        self.calibrated_by = data.source
        counted: dict[str, Any] = {"by_block": by_block, "executor": self.executor, "on_layer": self._on_layer}
        return outlier_shares(weights, layers, data, times, **counted)

    def curves(self, layers: Sequence[Layer], *, of_outputs: bool) -> list[LayerSensitivity]:
        """What the layers lose, measured now if it was not measured before: errors of outputs only if asked for."""
        if self.measured is None:
            weights = self._weights("sensitivity").choose([layer.name for layer in layers])
            self.measured = sensitivity(
                weights,
                calibration=self.calibration if of_outputs else None,
                executor=self.executor,
                skip_embed_layers=False,
                progress=self._on_layer,
            )
        if of_outputs or self.measured.method != "magnitude":
            self.calibrated_by = self.measured.calibration
        return [self.measured[layer.name] for layer in layers]

    def _weights(self, method: str) -> Tensors:
        if self.weights is None:
            fix = "pass the model, or use uniform or erk"
            raise EntrenarVizError(f"{method} looks at weights, and there are only names and shapes: {fix}")
        return self.weights
