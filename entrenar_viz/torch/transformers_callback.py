"""The pruner in the Trainer of transformers."""

from collections.abc import Sized
from pathlib import Path
from typing import Any

import torch

from entrenar_viz.errors import EntrenarVizError
from entrenar_viz.masks.order import Within
from entrenar_viz.plan.layer_plan import Plan
from entrenar_viz.torch.pruner import CalibrationData, Config, Pruner
from entrenar_viz.torch.training_length import batches_of

try:
    from transformers import TrainerCallback
    from transformers.trainer_utils import has_length
except ImportError as missing:
    raise ImportError(
        "the callback for transformers needs that package: pip install transformers accelerate"
    ) from missing

FILE = "pruner.pt"  # in the folder of each checkpoint


class PruningCallback(TrainerCallback):
    """``Trainer(..., callbacks=[PruningCallback(config)])`` prunes as ``Pruner`` does, which is then its ``pruner``.

    The steps of ``config`` are batches, also those in which gradients are only accumulated. Each checkpoint gets the
    state of the pruner, as ``pruner.pt``. A training that is resumed from ``checkpoint-N`` in the output folder goes on
    from there; from elsewhere if ``state`` is what ``torch.load`` makes of that file. The loss that the Trainer logs
    goes to ``pruner.log``.

    The Trainer clips gradients by their norm before a callback sees them, those of pruned weights among them;
    ``max_grad_norm=0`` ends that. With ``load_best_model_at_end`` the model may be one from before the last update.
    """

    def __init__(
        self,
        config: Config,
        *,
        calibration: CalibrationData | None = None,
        within: Within = "tensor",
        plan: Plan | None = None,
        state: dict[str, Any] | None = None,
    ) -> None:
        self.pruner: Pruner | None = None
        self._config = config
        self._given: dict[str, Any] = {"calibration": calibration, "within": within, "plan": plan}
        self._state = state

    def on_train_begin(self, args: Any, state: Any, control: Any, model: Any = None, **others: Any) -> None:
        """Make the pruner, and let it go on where a checkpoint was saved."""
        loader = others.get("train_dataloader")
        in_epoch = len(loader) if isinstance(loader, Sized) and has_length(loader) else None
        total = batches_of(state.max_steps, in_epoch, args.gradient_accumulation_steps)
        self.pruner = Pruner(model, self._config, total, **self._given)
        if state.global_step:
            self.pruner.load_state_dict(self._state or _saved(_folder(args, state)))

    def on_substep_end(self, args: Any, state: Any, control: Any, **others: Any) -> None:
        """A batch whose gradients are accumulated."""
        self._running.step()

    def on_step_end(self, args: Any, state: Any, control: Any, **others: Any) -> None:
        """A batch after which the optimizer has made its step."""
        self._running.step()

    def on_log(self, args: Any, state: Any, control: Any, logs: dict[str, Any] | None = None, **others: Any) -> None:
        """Keep the loss."""
        if self.pruner and self.pruner.step_count and logs and "loss" in logs:
            self.pruner.log.add(self.pruner.step_count, loss=float(logs["loss"]))

    def on_save(self, args: Any, state: Any, control: Any, **others: Any) -> None:
        """Put the state beside the weights."""
        if state.is_world_process_zero:
            torch.save(self._running.state_dict(), _folder(args, state) / FILE)

    @property
    def _running(self) -> Pruner:
        assert self.pruner is not None, "the Trainer calls on_train_begin first"
        return self.pruner


def _folder(args: Any, state: Any) -> Path:
    return Path(args.output_dir) / f"checkpoint-{state.global_step}"


def _saved(folder: Path) -> dict[str, Any]:
    if not (folder / FILE).exists():
        how = f"pass PruningCallback(..., state=torch.load('.../{FILE}')) of the checkpoint that is resumed"
        raise EntrenarVizError(f"{folder / FILE}: the state of the pruner is not there: {how}")
    return dict(torch.load(folder / FILE, weights_only=True))
