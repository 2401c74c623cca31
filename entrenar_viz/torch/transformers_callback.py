"""A configuration carried out by the ``Trainer`` of transformers."""

from pathlib import Path
from typing import Any

import torch

try:
    from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments
except ImportError as missing:
    raise ImportError(
        'PrunerCallback for the Trainer needs transformers: pip install "transformers[torch]"'
    ) from missing

from entrenar_viz.errors import EntrenarVizError
from entrenar_viz.torch.pruner import Pruner

STATE = "pruner.pt"  # in the folder of each checkpoint


class PrunerCallback(TrainerCallback):
    """``Trainer(..., callbacks=[PrunerCallback(config)])``: prunes the model while it is trained.

    ``options`` are those of ``Pruner``: ``calibration=``, ``within=``. A step of the configuration is a batch, so with
    ``gradient_accumulation_steps=4`` there are four to each step of the Trainer. What the Trainer logs goes to the log.

    The state of the pruner is saved in the folder of each checkpoint, and found there when the training is resumed. The
    Trainer clips gradients by their norm before a callback can see them, so those of pruned weights count there;
    ``max_grad_norm=0`` turns clipping off.
    """

    def __init__(self, config: Any, **options: Any) -> None:
        self.pruner: Pruner | None = None
        """The pruner of the training, from its start on."""
        self._given = config, options

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **given: Any
    ) -> None:
        """Make the pruner, and load its state if the training is resumed."""
        config, options = self._given
        self.pruner = Pruner(given["model"], config, _batches(args, state, given["train_dataloader"]), **options)
        if state.global_step:
            saved = _folder(args, state) / STATE
            if not saved.exists():
                raise EntrenarVizError(f"{saved} is missing: the training cannot be resumed with the masks it had")
            self.pruner.load_state_dict(torch.load(saved, weights_only=True))

    def on_substep_end(self, *_: Any, **__: Any) -> None:
        """End a batch whose gradients are only added up."""
        self._running.step()

    def on_step_end(self, *_: Any, **__: Any) -> None:
        """End a batch after which the optimizer has made a step."""
        self._running.step()

    def on_log(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, logs: Any = None, **_: Any
    ) -> None:
        """Keep what the Trainer logs."""
        pruner = self._running
        numbers = {name: value for name, value in (logs or {}).items() if isinstance(value, (int, float))}
        if pruner.step_count:
            pruner.log.add(pruner.step_count, pruner.sparsity, **numbers)

    def on_save(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        """Save the state beside the checkpoint."""
        if state.is_world_process_zero:
            torch.save(self._running.state_dict(), _folder(args, state) / STATE)

    @property
    def _running(self) -> Pruner:
        if self.pruner is None:
            raise EntrenarVizError("the training has not begun: the pruner is made in on_train_begin")
        return self.pruner


def _folder(args: TrainingArguments, state: TrainerState) -> Path:
    return Path(str(args.output_dir)) / f"checkpoint-{state.global_step}"


def _batches(args: TrainingArguments, state: TrainerState, loader: Any) -> int:
    """The batches of the whole training; the last ones of an epoch may be fewer than are added up."""
    if args.max_steps > 0:
        return int(state.max_steps) * int(args.gradient_accumulation_steps)
    return int(-(-args.num_train_epochs * len(loader) // 1))
