"""A plan: what each layer of a model gives, as a value and as a file."""

import math
import os
from collections import Counter
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import AfterValidator, Field, ValidationInfo

from entrenar_viz.config.pruning_config import Pattern
from entrenar_viz.config.validation import Count, Fraction, checked, refuse
from entrenar_viz.files.atomic import write_atomically
from entrenar_viz.files.strict_json import read_bytes
from entrenar_viz.formatting import counted, percent
from entrenar_viz.plan.budget import count_of
from entrenar_viz.workspace.versioned import Format

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST_BYTES = 1 << 26  # 64 MiB: a model of many experts has a plan of some MB

Way = Literal["uniform", "erk", "global_magnitude", "sensitivity", "owl", "by hand"]


def _not_skipped(sparsity: float, info: ValidationInfo) -> float:
    if info.data.get("skip") and sparsity:
        raise refuse("sparsity must be 0 where skip is true: the layer is left whole")
    return sparsity


def _sizes(shape: tuple[int, ...]) -> tuple[int, ...]:
    if not shape or 0 in shape:
        raise refuse("shape must have at least one number, and none may be 0")
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
        """How many of them go: as many as in a mask of single weights, ``trunc(f32(weights) * f32(sparsity))``.

        Of more than 2**24 it is the nearest whole number: an f32, by which masks count, does not know them all.
        """
        return count_of(self.sparsity, self.weights)


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
    options: dict[str, bool | float | str] = Field(default_factory=dict)
    edited: bool = False


def _unique(layers: tuple[PlannedLayer, ...]) -> tuple[PlannedLayer, ...]:
    if not layers:
        raise refuse("a plan needs at least one layer")
    if twice := [name for name, count in Counter(layer.name for layer in layers).items() if count > 1]:
        raise refuse(f"each layer is planned once, but {twice[0]!r:.80} is there more than once")
    return layers


@checked
class Plan:
    """How much each layer of a model gives. ``allocate`` makes one; ``survey``, ``prune_checkpoint``, ``rehearse`` and
    ``entrenar_viz.torch.Pruner`` follow it as their ``plan``.

    Each layer follows the shape of the schedule, scaled to its own sparsity. The trainer's file has no field for a
    plan: there, all layers get the same.

    >>> from entrenar_viz import allocate
    >>> plan = allocate({"fc1": (128, 64), "fc2": (10, 128)}, 0.5, method="erk")
    >>> plan.sparsities, plan.sparsity
    ({'fc1': 0.578125, 'fc2': 0.0}, 0.5)
    """

    origin: PlanOrigin
    layers: Annotated[tuple[PlannedLayer, ...], Field(strict=False), AfterValidator(_unique)]

    @cached_property
    def sparsities(self) -> dict[str, float]:
        """The sparsity of each layer, a fraction; 0 for those that are left whole."""
        return {layer.name: layer.sparsity for layer in self.layers}

    @cached_property
    def pruned(self) -> dict[str, int]:
        """How many weights each layer loses."""
        return {layer.name: layer.pruned for layer in self.layers}

    @property
    def weights(self) -> int:
        """The weights of all layers that are not skipped."""
        return sum(layer.weights for layer in self.layers if not layer.skip)

    @property
    def sparsity(self) -> float:
        """The share of these that goes."""
        return sum(self.pruned.values()) / self.weights if self.weights else 0.0

    def __getitem__(self, name: str) -> PlannedLayer:
        return self._by_name[name]

    def __contains__(self, name: object) -> bool:
        return name in self._by_name

    @cached_property
    def _by_name(self) -> dict[str, PlannedLayer]:
        return {layer.name: layer for layer in self.layers}

    def to_json(self) -> str:
        """The text that ``save`` writes."""
        return FORMAT.dump(self)

    @classmethod
    def from_json(cls, text: str | bytes) -> "Plan":
        """Read such a text strictly; ConfigError lists every problem with its place."""
        return FORMAT.load(text)

    def save(self, path: str | os.PathLike[str], *, overwrite: bool = False) -> Path:
        """Write ``to_json()`` to ``path`` as one atomic step; FileExistsError unless ``overwrite``."""
        return write_atomically(Path(path), self.to_json().encode(), overwrite=overwrite)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> "Plan":
        """Read a plan strictly; ConfigError names the file and lists every problem with its place.

        Unknown, missing and repeated keys are problems, and so is a version newer than this package writes.
        """
        return FORMAT.load(read_bytes(path, MOST_BYTES), str(path))

    def figure(self, *, theme: str = "light") -> "Figure":
        """A bar for each layer, as wide as it has weights and filled as far as it is pruned, as a matplotlib figure."""
        from entrenar_viz.figures.plan_plot import plan_figure

        return plan_figure(self, theme=theme)

    def words(self) -> str:
        """What it plans, in a line.

        >>> from entrenar_viz import allocate
        >>> allocate({"fc1": (128, 64), "fc2": (10, 128)}, 0.5, method="erk").words()
        'erk: 50% of 9,472 weights in 2 layers, from 0% to 57.81%'
        """
        planned = [layer for layer in self.layers if not layer.skip]
        shares = [layer.sparsity for layer in planned] or [0.0]
        skipped = len(self.layers) - len(planned)
        way = f"{self.origin.method}, edited" if self.origin.edited else self.origin.method
        spread = f"from {percent(min(shares))} to {percent(max(shares))}"
        left = f"; {counted(skipped, 'layer')} left whole" if skipped else ""
        weights = f"{self.weights:,} weights in {counted(len(planned), 'layer')}"
        return f"{way}: {percent(self.sparsity)} of {weights}, {spread}{left}"


FORMAT = Format("entrenar-viz plan", Plan, {"layers": PlannedLayer, "origin": PlanOrigin}, most_bytes=MOST_BYTES)
