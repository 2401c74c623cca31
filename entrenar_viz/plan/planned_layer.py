"""What is planned for one layer, and how a plan was made."""

import math
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, ValidationInfo

from entrenar_viz.config.pruning_config import Pattern
from entrenar_viz.config.validation import Count, Fraction, checked, refuse
from entrenar_viz.plan.budget import MOST_WEIGHTS, Bounds, Counts, count_of

NO_BOUNDS = {"min_sparsity": 0.0, "max_sparsity": 1.0}  # of each layer, which bound nothing

Way = Literal["uniform", "erk", "global_magnitude", "sensitivity", "owl", "by hand"]
Options = dict[str, bool | float | str]


def _not_skipped(sparsity: float, info: ValidationInfo) -> float:
    if info.data.get("skip") and sparsity:
        raise refuse("sparsity must be 0 where skip is true: the layer is left whole")
    return sparsity


def _sizes(shape: tuple[int, ...]) -> tuple[int, ...]:
    if not shape or 0 in shape:
        raise refuse("shape must have at least one number, and none may be 0")
    if math.prod(shape) > MOST_WEIGHTS:
        raise refuse(f"shape must not have more than {MOST_WEIGHTS:,} weights")
    return shape


@checked
class PlannedLayer:
    """What is planned for one layer.

    ``name`` is that of its tensor, text from outside and never HTML; ``shape`` is (out, in, ...). With ``skip`` the
    layer is left whole, and it is in no budget. ``locked`` holds its sparsity where others give way. ``pattern`` is
    that of the layer, None for that of the configuration.
    """

    name: str
    shape: Annotated[tuple[Count, ...], Field(strict=False), AfterValidator(_sizes)]
    skip: bool = False
    sparsity: Annotated[Fraction, AfterValidator(_not_skipped)] = 0.0
    locked: bool = False
    pattern: Pattern | None = None

    @property
    def weights(self) -> int:
        """How many there are."""
        return math.prod(self.shape)

    @property
    def pruned(self) -> int:
        """How many of them go: as many as a mask of single weights counts, ``trunc(f32(weights) * f32(sparsity))``.

        A mask takes more where weights tie with the last one to go, as many do in 16-bit formats: all of these go. Of
        more than 2**24 it is the nearest whole number: an f32, by which masks count, does not know them all.
        """
        return count_of(self.sparsity, self.weights)


def _bounding(options: Options) -> Options:
    for name in NO_BOUNDS.keys() & options.keys():
        bound = options[name]
        if isinstance(bound, (bool, str)) or not 0 <= bound <= 1:
            raise refuse(f"{name} must be a fraction from 0 to 1")
    return options


@checked
class PlanOrigin:
    """How a plan was made, to tell it from others later.

    ``sparsity`` is the budget, a fraction of the weights in it. ``source`` and ``calibration`` name the model and the
    data, empty where there were none. ``options`` are the arguments of the method. ``edited``: layers were moved by
    hand afterwards.
    """

    method: Way
    sparsity: Fraction
    source: str = ""
    calibration: str = ""
    options: Annotated[Options, AfterValidator(_bounding)] = Field(default_factory=dict)
    edited: bool = False

    def bounds_of(self, weights: Counts) -> Bounds:
        """The fewest and the most that layers of so many ``weights``, (layers,), may lose."""
        return Bounds.of(weights, *(self.options.get(name, bound) for name, bound in NO_BOUNDS.items()))
