"""Pruner: a configuration carried out on a model while it is trained."""

import os
from collections.abc import Mapping
from typing import Any

from numpy.typing import ArrayLike
from torch import Tensor, nn

from entrenar_viz.analysis.finding import Finding
from entrenar_viz.analysis.findings import review
from entrenar_viz.analysis.training_log import TrainingLog, check_names
from entrenar_viz.analysis.updates import requested_at, updates_due, whole_steps
from entrenar_viz.config.pruning_config import PruningConfig
from entrenar_viz.errors import ConfigError, EntrenarVizError
from entrenar_viz.masks.calibration import Calibration, load_calibration
from entrenar_viz.masks.mask import mask_problems
from entrenar_viz.masks.order import Within
from entrenar_viz.models.tensor_files import listed
from entrenar_viz.models.torch_tensors import unwrapped
from entrenar_viz.plan.layer_plan import Plan
from entrenar_viz.plan.layer_targets import LayerTargets
from entrenar_viz.torch.model_layers import sort_layers
from entrenar_viz.torch.saved_state import FORMAT, VERSION, check_state

Config = PruningConfig | str | os.PathLike[str]
CalibrationData = Mapping[str, ArrayLike] | str | os.PathLike[str] | Calibration
_LISTED = 3  # names in a message


class Pruner:
    """Prunes ``model`` as ``config`` says, step by step: call ``step`` once for each batch, after the optimizer's.

    ``config`` may be the path of its file. ``total_steps`` is the length of the training in batches, whatever the
    gradient accumulation: steps count from 1, as in the trainer. ``calibration`` is what ``load_calibration`` takes;
    wanda and sparse_gpt need it. ``within="row"`` ranks a weight within its row, as in Wanda's paper (Sun et al. 2023,
    arXiv:2306.11695); unstructured only.

    ``plan`` says which layer gives how much, instead of the same of each. A layer follows the shape of the schedule,
    scaled to its own sparsity, which it has once the schedule is at its target; what the plan has nothing for is left
    whole. Stacked experts are planned one by one, as ``name[3]``, a tied parameter by any of its names.

    At a step that ``replay`` has an update for, the mask of each layer is that of ``prune_mask`` for its weights. What
    has gone stays gone: at each step the optimizer's change of a pruned weight is undone, before anything is scored. So
    pruned weights are exactly zero in the model itself. Masks are kept on the device of the weights, in as many bytes.

    ConfigError lists everything that cannot be applied: quantized or sharded weights, a method that lacks calibration
    data, numbers that are not finite. What is not pruned is in ``skipped``, with the reason.

    >>> import torch
    >>> from entrenar_viz import OneShot
    >>> _ = torch.manual_seed(0)
    >>> model = torch.nn.Linear(4, 4)
    >>> pruner = Pruner(model, PruningConfig(target_sparsity=0.5, schedule=OneShot(step=2)), total_steps=3)
    >>> for batch in range(3):
    ...     pruner.step()  # after loss.backward(), optimizer.step() and optimizer.zero_grad()
    ...     print(pruner.step_count, pruner.sparsity, int((model.weight == 0).sum()))
    1 0.0 0
    2 0.5 8
    3 0.5 8
    >>> pruner.skipped
    {'bias': '1-D: biases and norms are not pruned'}
    """

    def __init__(
        self,
        model: nn.Module,
        config: Config,
        total_steps: int,
        *,
        calibration: CalibrationData | None = None,
        within: Within = "tensor",
        plan: Plan | None = None,
    ) -> None:
        if not isinstance(model, nn.Module):
            raise EntrenarVizError(f"what is pruned is a module of PyTorch, not {type(model).__name__}")
        self.config = _loaded(config)
        self.total_steps = whole_steps(total_steps)
        self.within = within
        self.plan = plan
        has_activations = calibration is not None and self.config.method != "magnitude"
        problems = mask_problems(self.config, within, has_activations=has_activations)
        given = load_calibration(calibration) if calibration is not None and not problems else None
        self._model = unwrapped(model)
        found = sort_layers(self._model, LayerTargets(self.config, plan), given, within)
        if problems or found.problems:
            raise ConfigError([*problems, *found.problems], "nothing was pruned")
        self._layers = {layer.name: layer for layer in found.layers}
        self.skipped: dict[str, str] = found.skipped
        """Why the other parameters are left as they are, by name, and so are some of stacked experts."""
        self.findings: list[Finding] = review(self.config, self.total_steps)
        """What ``review`` says of the configuration, for example that it never prunes."""
        self.step_count = 0
        """The steps made."""
        self.sparsity = 0.0
        """The sparsity that is asked by now, as a fraction: the staircase of ``replay``. By a plan, each layer has come
        as far on the way to its own."""
        self.log = TrainingLog(config=self.config, total_steps=self.total_steps)
        """What has happened: a row for each update and for each step with metrics. ``log.save("run.jsonl")``."""
        self._due = updates_due(self.config, self.total_steps)

    def step(self, **metrics: float) -> None:
        """End a step: hold at zero what has gone, and update the masks where that is due.

        ``metrics`` go to the log (``loss=0.31``). WeightsError, with the layer, if weights are not finite at an update:
        no mask has changed then.
        EntrenarVizError, before anything is done, if a parameter is no longer in the model: it was replaced.
        """
        check_names(metrics)
        self._check_parameters()
        self.step_count += 1
        for layer in self._layers.values():
            layer.hold()
        updated = self._update()
        if updated or metrics or self.step_count == self.total_steps:
            self.log.add(self.step_count, self.sparsity, **metrics)

    def _check_parameters(self) -> None:
        """Refuse to prune what the model does not compute with any more, while what took its place stays dense."""
        there = {id(parameter) for parameter in self._model.parameters()}
        layers = self._layers.values()
        if lost := [layer.name for layer in layers if id(layer.parameter) not in there or not layer.has_its_shape]:
            how = "load_state_dict(assign=True), a new layer or sharding puts others in their place"
            fix = "make a new Pruner then; its load_state_dict(old.state_dict()) goes on"
            raise EntrenarVizError(f"{listed(lost, _LISTED)}: no longer in the model as before: {how}; {fix}")

    def _update(self) -> bool:
        if self.step_count not in self._due:
            return False
        asked = requested_at(self.config, [self.step_count])[0]
        if not asked > self.sparsity:
            return False
        for layer in self._layers.values():
            layer.check()  # all of them first: no mask changes if one cannot
        for layer in self._layers.values():
            layer.update(float(asked))
        self.sparsity = float(asked)
        return True

    def mask_gradients(self) -> None:
        """Set the gradients of pruned weights to zero: before they are clipped by their norm, or by an optimizer that
        looks at more than one weight at a time, such as Adafactor, LAMB or Muon. Others do not need it.
        """
        for layer in self._layers.values():
            layer.hold_gradient()

    @property
    def names(self) -> list[str]:
        """The parameters that are pruned, by their names in the model; tied ones by their first."""
        return list(self._layers)

    def mask(self, name: str) -> Tensor:
        """The mask of a parameter, bool in its shape and on its device, True = keep; of a tied one, by any name."""
        for layer in self._layers.values():
            if name in layer.names:
                return layer.mask
        why = self.skipped.get(name, "the model has no parameter of that name")
        raise EntrenarVizError(f"{name!r:.80} is not pruned: {why}")

    @property
    def achieved(self) -> float:
        """The share that has really gone of all weights in ``names``."""
        layers = self._layers.values()
        return sum(layer.gone for layer in layers) / sum(layer.parameter.numel() for layer in layers)

    def state_dict(self) -> dict[str, Any]:
        """All that a stopped training needs to go on: numbers, text and tensors, so that ``torch.load`` reads it."""
        return {
            "format": FORMAT,
            "version": VERSION,
            "config": self.config.to_json(),
            "total_steps": self.total_steps,
            "within": self.within,
            "plan": None if self.plan is None else self.plan.to_json(),
            "step": self.step_count,
            "sparsity": self.sparsity,
            "masks": {name: layer.packed() for name, layer in self._layers.items()},  # a bit a weight
            "log": self.log.rows,
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on where ``state`` was taken. Load the model and the optimizer too, before or after.

        ConfigError lists what does not fit: another configuration, plan, length or model. Nothing has changed then.
        """
        sizes = {name: layer.parameter.numel() for name, layer in self._layers.items()}
        log = check_state(state, self.config, self.total_steps, self.within, plan=self.plan, sizes=sizes)
        self._check_parameters()
        self.step_count, self.sparsity, self.log = state["step"], state["sparsity"], log
        for name, layer in self._layers.items():
            layer.unpack(state["masks"][name])

    def __repr__(self) -> str:
        done = f"step {self.step_count:,} of {self.total_steps:,}"
        return f"<Pruner: {done}, {len(self._layers)} layers at {self.sparsity:.2%}, {len(self.skipped)} skipped>"


def _loaded(config: Config) -> PruningConfig:
    if isinstance(config, PruningConfig):
        return config
    if isinstance(config, (str, os.PathLike)):
        return PruningConfig.load(config)
    raise EntrenarVizError(f"config is a PruningConfig or the path of its file, not {type(config).__name__}")
