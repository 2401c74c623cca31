"""The pruner in the Trainer of PyTorch Lightning."""

from typing import Any

from entrenar_viz.errors import EntrenarVizError
from entrenar_viz.masks.order import Within
from entrenar_viz.plan.layer_plan import Plan
from entrenar_viz.torch.pruner import CalibrationData, Config, Pruner
from entrenar_viz.torch.training_length import batches_of

try:
    from lightning.pytorch import Callback
except ImportError as missing:
    raise ImportError("the callback for Lightning needs that package: pip install lightning") from missing


class PruningCallback(Callback):
    """``Trainer(..., callbacks=[PruningCallback(config)])`` prunes as ``Pruner`` does, which is then its ``pruner``.

    The steps of ``config`` are batches, also those in which gradients are only accumulated. Checkpoints of Lightning
    hold the state of the pruner, and a training that is resumed goes on from there. The loss goes to ``pruner.log``
    every ``log_every_n_steps`` batches of the Trainer. Gradients of pruned weights do not count where they are clipped.
    """

    def __init__(
        self,
        config: Config,
        *,
        calibration: CalibrationData | None = None,
        within: Within = "tensor",
        plan: Plan | None = None,
    ) -> None:
        self.pruner: Pruner | None = None
        self._config = config
        self._given: dict[str, Any] = {"calibration": calibration, "within": within, "plan": plan}
        self._state: dict[str, Any] = {}

    def on_train_start(self, trainer: Any, pl_module: Any) -> None:
        """Make the pruner, and let it go on where a checkpoint was saved."""
        updates, in_epoch = trainer.estimated_stepping_batches, trainer.num_training_batches
        if updates == float("inf"):
            raise EntrenarVizError("the length of the training is not known: give the Trainer max_steps or max_epochs")
        known = None if in_epoch == float("inf") else int(in_epoch)
        total = batches_of(int(updates), known, trainer.accumulate_grad_batches)
        self.pruner = Pruner(pl_module, self._config, total, **self._given)
        if self._state:
            self.pruner.load_state_dict(self._state)
            self._state = {}  # a later training starts anew

    def on_before_optimizer_step(self, *_: Any) -> None:
        """Leave the gradients of pruned weights out: Lightning clips after this."""
        if self.pruner:
            self.pruner.mask_gradients()

    def on_train_batch_end(self, trainer: Any, pl_module: Any, outputs: Any, batch: Any, batch_idx: int) -> None:
        """A batch, whether or not the optimizer has made a step after it."""
        assert self.pruner is not None, "the Trainer calls on_train_start first"
        often = trainer.log_every_n_steps
        due = often and (self.pruner.step_count + 1) % often == 0 and isinstance(outputs, dict) and "loss" in outputs
        self.pruner.step(**({"loss": float(outputs["loss"])} if due else {}))

    def state_dict(self) -> dict[str, Any]:
        """What a checkpoint of Lightning keeps of it."""
        return self.pruner.state_dict() if self.pruner else self._state

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """What such a checkpoint has kept; taken when the training starts."""
        self._state = state_dict
