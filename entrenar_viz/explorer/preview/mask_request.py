"""A mask request: a layer and how its masks are made, taken off the pickers. Equal requests have equal masks."""

from dataclasses import dataclass, replace
from math import prod

from entrenar_viz.config.pruning_config import Method, Pattern
from entrenar_viz.masks.activations import Activations, misfit
from entrenar_viz.masks.calibration import Calibration
from entrenar_viz.masks.loss_curves import MOST_SAMPLES
from entrenar_viz.masks.order import Within
from entrenar_viz.models.weights import Tensors

PRODUCTS = 50  # multiplications of activations with weights that take as long as preparing one weight
AT_ONCE = 1_000_000  # weights, or entries of what scoring them takes: more are prepared in the background


@dataclass(frozen=True)
class MaskRequest:
    """A layer, and how its masks are made.

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
    can_calibrate: bool = True
    """Whether a file of calibration data can be opened here."""

    @property
    def whichever_layer(self) -> "MaskRequest":
        """The same for all requests that differ in the layer, and in the patterns to compare, only."""
        return replace(self, layer=self.tensors.names[0], patterns=())

    @property
    def shape(self) -> tuple[int, int]:
        """(out, rest)."""
        rows, *rest = self.tensors.shape(self.layer)
        return rows, prod(rest)

    @property
    def no_scores(self) -> str:
        """Why the method gives this layer no scores, so that magnitude is shown instead; empty if it does."""
        method, calibration = self.method, self.calibration
        if method == "magnitude":
            return ""
        if method.startswith("minitron"):
            return f"{method} removes whole {'layers' if 'depth' in method else 'channels'} and gives no mask."
        if calibration is None:
            return self.without_data
        if self.layer not in calibration:
            return f"{method} needs calibration data, and {calibration.source} has none for this layer: add it there."
        if wrong := misfit(calibration.shape(self.layer), self.shape[1]):
            return f"{method} needs calibration data that fits. {calibration.source} has {wrong}."
        if method == "sparse_gpt" and len(calibration.shape(self.layer)) == 1:
            return f"sparse_gpt needs activations, (samples, columns), and {calibration.source} has norms: use wanda."
        return ""

    @property
    def without_data(self) -> str:
        """What to do about a method that needs calibration data."""
        fix = "Open a file with it in the tab Masks" if self.can_calibrate else "None can be opened here: use magnitude"
        return f"{self.method} needs calibration data. {fix}."

    @property
    def scored_by(self) -> Method:
        """The method of the masks, which is magnitude where the configuration's gives no scores."""
        return "magnitude" if self.no_scores else self.method

    @property
    def large(self) -> bool:
        """Whether it takes so long that it belongs in the background."""
        most, columns = prod(self.shape), self.shape[1]
        given = self._entering
        if len(given) > 1:
            most = max(most, prod(given), min(given[0], MOST_SAMPLES) * most // PRODUCTS)
        return max(most, columns * columns if self.scored_by == "sparse_gpt" else 0) > AT_ONCE

    def same_layer(self, other: "MaskRequest") -> bool:
        """Whether both differ in the patterns to compare only."""
        return replace(self, patterns=()) == replace(other, patterns=())

    def activations(self) -> Activations | None:
        """What the method scores with, read now, None for magnitude; WeightsError if that fails."""
        return self.calibration.for_method(self.layer, self.scored_by) if self.calibration else None

    def inputs(self) -> Activations | None:
        """What enters the layer, read now, None if it is not known; WeightsError if that fails."""
        return self.calibration[self.layer] if self.calibration and self._entering else None

    @property
    def _entering(self) -> tuple[int, ...]:
        """The shape of the calibration for this layer; () if there is none, or none that fits."""
        if self.calibration is None or self.layer not in self.calibration:
            return ()
        shape = self.calibration.shape(self.layer)
        return () if misfit(shape, self.shape[1]) else shape
