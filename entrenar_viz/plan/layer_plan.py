"""A plan: what each layer of a model gives, as a value and as a file."""

import os
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import numpy as np
from pydantic import AfterValidator, Field

from entrenar_viz.config.validation import checked, refuse
from entrenar_viz.errors import EntrenarVizError
from entrenar_viz.files.atomic import write_atomically
from entrenar_viz.files.strict_json import read_bytes
from entrenar_viz.formatting import counted, percent
from entrenar_viz.models.tensor_files import listed, shown
from entrenar_viz.plan.budget import fraction, fraction_of, whole_budget
from entrenar_viz.plan.giving_way import LayersInPlay
from entrenar_viz.plan.planned_layer import PlannedLayer, PlanOrigin
from entrenar_viz.workspace.versioned import Format

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST_BYTES = 1 << 26  # 64 MiB: a model of many experts has a plan of some MB


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

    def __repr__(self) -> str:
        """In a line: a model has hundreds of layers.

        >>> from entrenar_viz import allocate
        >>> allocate({"fc1": (128, 64), "fc2": (10, 128)}, 0.5)
        <Plan: erk: 50% of 9,472 weights in 2 layers, from 0% to 57.81%>
        """
        return f"<Plan: {self.words()}>"

    def __getitem__(self, name: str) -> PlannedLayer:
        return self._named([name])[0]

    def __contains__(self, name: object) -> bool:
        return name in self._by_name

    @cached_property
    def _by_name(self) -> dict[str, PlannedLayer]:
        return {layer.name: layer for layer in self.layers}

    # Changed by hand -------------------------------------------------------------------------------------------------

    def moved(self, names: str | Iterable[str], sparsity: float) -> "Plan":
        """The plan in which ``names`` have ``sparsity`` together, and the others give way: the total stays.

        Layers that give way keep in proportion to what they kept before, within the bounds that the plan was made
        with; locked and skipped ones stay as they are. Where the others cannot give way so far, it is the nearest
        sparsity. EntrenarVizError for layers that are not in the plan or not free.

        >>> from entrenar_viz import allocate
        >>> plan = allocate({"fc1": (10, 10), "fc2": (10, 20), "fc3": (10, 30)}, 0.5, method="uniform")
        >>> plan.moved("fc1", 0.8).pruned, plan.locking("fc2").moved("fc1", 0.8).pruned
        ({'fc1': 80, 'fc2': 88, 'fc3': 132}, {'fc1': 80, 'fc2': 100, 'fc3': 120})
        """
        sparsity, wanted = fraction(sparsity, "sparsity"), self._named(names)
        if held := [layer.name for layer in wanted if layer.skip or layer.locked]:
            raise EntrenarVizError(f"{shown(held[0])} is locked or skipped: unlock it first")
        asked = whole_budget(sum(layer.weights for layer in wanted), sparsity)
        return self._giving_way(self.layers, wanted, asked, sum(self.pruned.values()))

    def locking(self, names: str | Iterable[str], on: bool = True) -> "Plan":
        """The plan in which ``names`` keep their sparsity where others are moved; or no longer, with ``on=False``."""
        wanted = {layer.name for layer in self._named(names) if not layer.skip}
        return self._with(tuple(replace(one, locked=on) if one.name in wanted else one for one in self.layers))

    def skipping(self, names: str | Iterable[str], on: bool = True) -> "Plan":
        """The plan in which ``names`` are left whole and in no budget, or are back in it; its share of the rest stays.

        EntrenarVizError if the others cannot give way within their bounds.
        """
        wanted, share = [layer for layer in self._named(names) if layer.skip != on], self.sparsity
        changed = [replace(layer, skip=on, locked=False, sparsity=0.0 if on else share) for layer in wanted]
        by_name = {layer.name: layer for layer in changed}
        layers = tuple(by_name.get(layer.name, layer) for layer in self.layers)
        budget = whole_budget(sum(layer.weights for layer in layers if not layer.skip), share)
        return self._giving_way(layers, [] if on else changed, sum(layer.pruned for layer in changed), budget)

    def _named(self, names: str | Iterable[str]) -> list[PlannedLayer]:
        """The layers of those names, each once."""
        if not isinstance(names, Iterable):
            raise EntrenarVizError(f"layers are named by text or a list of it, not {type(names).__name__}")
        wanted = [names] if isinstance(names, str) else list(dict.fromkeys(names))
        if unknown := [name for name in wanted if name not in self]:
            there = listed([layer.name for layer in self.layers], 3)
            raise EntrenarVizError(f"the plan has no layer {shown(unknown[0])}: it has {there}")
        return [self._by_name[name] for name in wanted]

    def _giving_way(
        self, layers: tuple[PlannedLayer, ...], moved: Iterable[PlannedLayer], asked: int, budget: int
    ) -> "Plan":
        """The plan in which ``moved`` lose ``asked`` together, and all that are not skipped ``budget``."""
        free = [layer for layer in layers if not (layer.skip or layer.locked)]
        held = sum(layer.pruned for layer in layers if layer.locked)
        weights = np.array([layer.weights for layer in free], np.int64)
        bounds = self.origin.bounds_of(weights)
        names = {layer.name for layer in moved}
        inside = np.array([place for place, layer in enumerate(free) if layer.name in names], np.intp)
        in_play = LayersInPlay(weights, np.array([layer.pruned for layer in free], np.int64), bounds)
        counts = in_play.moved(inside, asked, budget - held).tolist()
        given = {layer.name: fraction_of(count, layer.weights) for layer, count in zip(free, counts, strict=True)}
        return self._with(tuple(replace(one, sparsity=given.get(one.name, one.sparsity)) for one in layers))

    def _with(self, layers: tuple[PlannedLayer, ...]) -> "Plan":
        return Plan(origin=replace(self.origin, edited=True), layers=layers)

    # As a file -------------------------------------------------------------------------------------------------------

    def to_json(self) -> str:
        """The text that ``save`` writes."""
        return FORMAT.dump(self)

    @classmethod
    def from_json(cls, text: str | bytes) -> "Plan":
        """Read such a text strictly; ConfigError lists every problem with its place."""
        return FORMAT.load(text)

    def save(self, path: str | os.PathLike[str], *, overwrite: bool = False) -> Path:
        """Write ``to_json()`` to ``path`` as one atomic step; FileExistsError unless ``overwrite``.

        EntrenarVizError for names that UTF-8 cannot hold.
        """
        try:
            content = self.to_json().encode()
        except UnicodeEncodeError:
            why = "a name in it has half a surrogate pair, which no file can hold: rename the tensor in the model"
            raise EntrenarVizError(f"the plan cannot be saved: {why}") from None
        return write_atomically(Path(path), content, overwrite=overwrite)

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
        least, most = percent(min(shares)), percent(max(shares))
        spread = f", from {least} to {most}" if least != most else ""
        left = f"; {counted(skipped, 'layer')} left whole" if skipped else ""
        weights = f"{self.weights:,} weights in {counted(len(planned), 'layer')}"
        return f"{way}: {percent(self.sparsity)} of {weights}{spread}{left}"


FORMAT = Format("entrenar-viz plan", Plan, {"layers": PlannedLayer, "origin": PlanOrigin}, most_bytes=MOST_BYTES)
