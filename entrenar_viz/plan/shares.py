"""The shares of layers in a budget, by each method."""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np

from entrenar_viz.errors import EntrenarVizError
from entrenar_viz.formatting import counted
from entrenar_viz.models.tensor_files import shown
from entrenar_viz.plan.budget import Bounds, Counts, Family, check_budget, fraction_of, share_out
from entrenar_viz.plan.evidence import Evidence
from entrenar_viz.plan.layers import Layer
from entrenar_viz.plan.least_loss import LOSSES, least_loss
from entrenar_viz.plan.methods import erk, owl, uniform

Allocation = Literal["uniform", "erk", "global_magnitude", "sensitivity", "owl"]
ALLOCATIONS: tuple[Allocation, ...] = get_args(Allocation)
PASSES: dict[str, int] = {"uniform": 0, "erk": 0, "global_magnitude": 2, "sensitivity": 1, "owl": 2}  # over the model
OPTIONS: dict[str, dict[str, Any]] = {
    "uniform": {},
    "erk": {"power": 1.0, "include_kernel": True},
    "global_magnitude": {},
    "sensitivity": {"loss": "energy"},
    "owl": {"M": 5.0, "lam": 0.08, "per": "block"},
}  # with their defaults
_CHOICES = {"loss": LOSSES, "per": ("block", "layer")}


def options_of(method: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """All options of ``method``, those that are ``given`` and the defaults; EntrenarVizError for what it has not."""
    if method not in ALLOCATIONS:
        raise EntrenarVizError(f"method {method!r:.40} is unknown: use one of {', '.join(ALLOCATIONS)}")
    known = OPTIONS[method]
    for name, value in given.items():
        if name not in known:
            has = f"it has {', '.join(known)}" if known else "it has none"
            raise EntrenarVizError(f"{method} has no option {name!r:.40}: {has}")
        _check_option(name, value, known[name])
    return known | {name: type(known[name])(value) for name, value in given.items()}


def _check_option(name: str, value: Any, default: Any) -> None:
    if name in _CHOICES and value not in _CHOICES[name]:
        raise EntrenarVizError(f"{name} is {' or '.join(map(repr, _CHOICES[name]))}, not {value!r:.40}")
    kind = (int, float) if isinstance(default, float) else type(default)
    wrong = isinstance(value, bool) != isinstance(default, bool) or not isinstance(value, kind)
    if wrong or (isinstance(default, float) and not 0 <= value <= sys.float_info.max):
        what = "True or False" if isinstance(default, bool) else "a number from 0 on"
        raise EntrenarVizError(f"{name} must be {what}, not {value!r:.40}")


@dataclass(frozen=True, eq=False)
class Shares:
    """The layers that share a budget, and the bounds of each."""

    layers: Sequence[Layer]
    sizes: Counts
    bounds: Bounds

    @classmethod
    def of(cls, layers: Sequence[Layer], min_sparsity: float, max_sparsity: float) -> "Shares":
        """Those of ``layers``; EntrenarVizError if there is none."""
        if not layers:
            raise EntrenarVizError("there is no layer left to share the budget: all are fixed or skipped")
        sizes = np.array([layer.weights for layer in layers], np.int64)
        return cls(layers, sizes, Bounds.of(sizes, min_sparsity, max_sparsity))

    def check(self, budget: int, fixed: tuple[int, int]) -> None:
        """EntrenarVizError if the bounds do not allow this budget, as ``check_budget`` raises it."""
        for place in np.flatnonzero(self.bounds.least > self.bounds.most)[:1]:
            layer = self.layers[place]
            why = f"no whole number of its {counted(layer.weights, 'weight')} is within the bounds: widen them"
            raise EntrenarVizError(f"{shown(layer.name)}: {why}")
        check_budget(self.bounds, budget, self.sizes, fixed)

    def allotted(self, budget: int, method: str, options: Mapping[str, Any], evidence: Evidence) -> dict[str, float]:
        """The sparsities of the layers by name, at which their masks take ``budget`` weights in all."""
        counts = self._counts(budget, method, options, evidence)
        planned = zip(self.layers, counts.tolist(), strict=True)
        return {layer.name: fraction_of(count, layer.weights) for layer, count in planned}

    def _counts(self, budget: int, method: str, options: Mapping[str, Any], evidence: Evidence) -> Counts:
        if method == "global_magnitude":
            return evidence.counts_by_one_threshold(self.layers, self.bounds, budget)
        return share_out(self._family(method, options, evidence), self.bounds, budget, self.sizes)

    def _family(self, method: str, options: Mapping[str, Any], evidence: Evidence) -> Family:
        match method:
            case "erk":
                return erk(self.layers, **options)
            case "sensitivity":
                curves = evidence.curves(self.layers, of_outputs=options["loss"] == "output")
                return least_loss(curves, options["loss"])
            case "owl":
                outliers = evidence.outlier_shares(self.layers, options["M"], by_block=options["per"] == "block")
                return owl(self.layers, outliers, options["lam"])
        return uniform(self.layers)
