"""What a trial prunes by: a schedule, its length, and the masks of weights that are arrays of numpy."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from entrenar_viz.config.pruning_config import PruningConfig, Row
from entrenar_viz.config.schedules import OneShot
from entrenar_viz.errors import ConfigError, EntrenarVizError
from entrenar_viz.masks.activations import columns_of
from entrenar_viz.masks.mask import mask_problems, prune_mask
from entrenar_viz.masks.order import Mask, Within
from entrenar_viz.masks.scores import NEEDS_ACTIVATIONS
from entrenar_viz.masks.units import pattern_misfit
from entrenar_viz.plan.layer_plan import Plan
from entrenar_viz.plan.layer_targets import LayerTargets
from entrenar_viz.rehearsal.staircase import Staircase

DENSE = "dense"
_CLASSES = "each of its rows is a class, which could no longer be predicted without it"
Weights = Mapping[str, NDArray[Any]]


@dataclass(eq=False)
class TrialPruner:
    """Prunes weights of numpy in place, a step at a time, as ``entrenar_viz.torch.Pruner`` prunes a model.

    ``name`` is that of the schedule or of the plan, or ``"dense"``. ``config`` is what is tried: for dense one that
    asks for nothing. ``plan`` says which layer gives how much, None for the same of each. So
    ``Pruner(model, pruner.config, pruner.total_steps, plan=pruner.plan)`` is right for every trial. ``total_steps`` is
    how long the trial is to be. ``readings`` are steps, the last one among them, at whose end a metric tells most.

    >>> pruner = TrialPruner("OneShot", PruningConfig(target_sparsity=0.5, schedule=OneShot(step=1)), total_steps=2)
    >>> weights = {"fc.weight": np.array([[0.1, -3.0], [2.0, -4.0]], np.float32)}
    >>> pruner.step(weights)
    >>> weights["fc.weight"], pruner.sparsity
    (array([[ 0., -3.],
           [ 0., -4.]], dtype=float32), 0.5)
    """

    name: str
    config: PruningConfig
    total_steps: int
    within: Within = "tensor"
    readings: tuple[int, ...] = ()
    updates: Mapping[int, float] | None = None
    """What is asked for by the end of which step; None: the updates of ``replay``."""
    plan: Plan | None = None
    step_count: int = field(default=0, init=False)
    """The steps made."""
    sparsity: float = field(default=0.0, init=False)
    """What is asked by now, a fraction; by a plan, each layer has come as far on the way to its own."""
    masks: dict[str, Mask] = field(default_factory=dict, init=False)
    """True = keep, by name; empty before the first update."""

    def __post_init__(self) -> None:
        if self.updates is None:
            self.updates = Staircase(self.config, self.total_steps, self.total_steps).updates
        self.readings = self.readings or (self.total_steps,)
        self._kept: dict[str, NDArray[Any]] = {}
        self._names: list[str] | None = None
        self._targets = LayerTargets(self.config, self.plan)

    def step(self, weights: Weights, entering: Weights | None = None) -> None:
        """End a step, after the optimizer's: hold at zero what has gone, and update the masks where that is due.

        ``weights`` are matrices (out, in) by name, always the same; ``entering`` is what has entered each in this
        batch, (samples, in): wanda and sparse_gpt score by it; of a layer that only zeros have entered, by magnitude.
        What has gone stays gone. WeightsError for weights that are not finite, EntrenarVizError for such a method
        without ``entering``, ConfigError for a plan of other layers.
        """
        if not self.step_count:
            self._targets.check({name: weight.shape for name, weight in weights.items()}, self.within)
        self.step_count += 1
        for name, kept in self._kept.items():
            weights[name][...] *= kept
        assert self.updates is not None
        asked = self.updates.get(self.step_count)
        if asked is not None:
            self._update(weights, asked, entering)

    def _update(self, weights: Weights, asked: float, entering: Weights | None) -> None:
        method, targets = self.config.method, self._targets
        scored = method in NEEDS_ACTIVATIONS
        if scored and entering is None:
            raise EntrenarVizError(f"{method} needs what enters the layers: pass it to step")
        if self._names is None:
            skipped = self.skipped(weights)
            self._names = [name for name in weights if name not in skipped]
        for name in self._names:
            activations = _entered(entering[name]) if scored and entering is not None else None
            share, pattern = targets.asked(name, asked), targets.pattern(name)
            mask = prune_mask(weights[name], share, pattern, method, activations=activations, within=self.within)
            self.masks[name] = mask & self.masks[name] if name in self.masks else mask
            self._kept[name] = self.masks[name].astype(weights[name].dtype)
            weights[name][...] *= self._kept[name]
        self.sparsity = asked

    def skipped(self, weights: Weights) -> dict[str, str]:
        """Why some of ``weights`` are left whole, by name: the pattern does not fit, or would take classes away; or the
        plan wants it.
        """
        return self.reasons({name: weight.shape for name, weight in weights.items()})

    def reasons(self, shapes: Mapping[str, tuple[int, ...]]) -> dict[str, str]:
        """The same for weights of these shapes, (out, in) by name."""
        found, last = dict[str, str](), next(reversed(list(shapes)), None)
        for name, shape in shapes.items():
            pattern = self._targets.pattern(name)
            misfit = pattern_misfit((shape[0], columns_of(shape)), pattern)
            if isinstance(pattern, Row) and name == last:
                misfit = _CLASSES
            if why := misfit or (self._targets.why_whole(name) if self.plan else ""):
                found[name] = why.removeprefix("left whole: ")
        return found

    def achieved(self, weights: Weights) -> float:
        """The share that has really gone of the weights that can be pruned, 0 if none can."""
        sizes = {name: weight.size for name, weight in weights.items() if name not in self.skipped(weights)}
        gone = sum(int(mask.size - np.count_nonzero(mask)) for mask in self.masks.values())
        return gone / sum(sizes.values()) if sizes else 0.0


def _entered(activations: NDArray[Any]) -> NDArray[Any]:
    """``activations``, or ones where all are zero: with a layer before it all pruned, no input tells more."""
    return activations if np.any(activations) else np.ones_like(activations)


def asking_nothing(config: PruningConfig) -> PruningConfig:
    """``config`` with a schedule that never prunes."""
    return replace(config, target_sparsity=0.0, schedule=OneShot(step=1))


def check_masks(config: PruningConfig, within: Within) -> None:
    """ConfigError if no mask can be made by the method of ``config``, or none within rows by its pattern."""
    if found := mask_problems(config, within, has_activations=config.method in NEEDS_ACTIVATIONS):
        raise ConfigError(found, "nothing was rehearsed")


def readings_of(updates: Iterable[Mapping[int, float]], steps: int, at_least: int, most: int) -> tuple[int, ...]:
    """Steps to read a metric at: ``at_least`` evenly spaced, and those around the ``most`` largest jumps of each."""
    found = set(np.rint(np.linspace(0, steps, min(at_least, steps) + 1)[1:]).astype(int).tolist())
    for asked in updates:
        places = np.array([*asked], np.int64)
        jumps = np.diff([*asked.values()], prepend=0.0)
        largest = places[np.argsort(-jumps, kind="stable")[:most]] if len(places) <= 4 * most else places[:0]
        found.update(step for place in largest.tolist() for step in (place - 1, place) if step > 0)
    return tuple(sorted(found))
