"""A configuration carried out by the ``Trainer`` of PyTorch Lightning."""

from collections.abc import Mapping
from typing import Any

from torch import Tensor

try:
    from lightning.pytorch import Callback, LightningModule, Trainer
except ImportError as missing:
    raise ImportError("PrunerCallback for Lightning needs lightning: pip install lightning") from missing

from entrenar_viz.errors import EntrenarVizError
from entrenar_viz.torch.pruner import Pruner


class PrunerCallback(Callback):
    """``Trainer(..., callbacks=[PrunerCallback(config)])``: prunes the module while it is trained.

    ``options`` are those of ``Pruner``: ``calibration=``, ``within=``. A step of the configuration is a batch, whatever
    ``accumulate_grad_batches``. The loss is logged every ``log_every`` batches. The state of the pruner is a part of
    Lightning's checkpoints. Gradients of pruned weights do not count where gradients are clipped.
    """

    def __init__(self, config: Any, *, log_every: int = 50, **options: Any) -> None:
        self.pruner: Pruner | None = None
        """The pruner of the training, from its start on."""
        self.log_every = log_every
        self._given = config, options
        self._loaded: dict[str, Any] | None = None

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Make the pruner, and load its state if the training is resumed."""
        config, options = self._given
        self.pruner = Pruner(pl_module, config, _batches(trainer), **options)
        if self._loaded is not None:
            self.pruner.load_state_dict(self._loaded)

    def on_before_optimizer_step(self, *_: Any) -> None:
        """Leave the gradients of pruned weights out, before gradients are clipped."""
        if self.pruner:
            self.pruner.mask_gradients()

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """End a batch."""
        if self.pruner is None:
            raise EntrenarVizError("the training has not begun: the pruner is made in on_train_start")
        logged = (self.pruner.step_count + 1) % self.log_every == 0
        self.pruner.step(**(_loss(outputs) if logged else {}))

    def state_dict(self) -> dict[str, Any]:
        """What Lightning keeps in its checkpoint."""
        return self.pruner.state_dict() if self.pruner else {}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Keep what Lightning has found in its checkpoint until the training starts."""
        self._loaded = state_dict or None


def _loss(outputs: Any) -> dict[str, Any]:
    found = outputs.get("loss") if isinstance(outputs, Mapping) else outputs
    return {"loss": found} if isinstance(found, Tensor) and found.numel() == 1 else {}


def _batches(trainer: Trainer) -> int:
    """The batches of the whole training; EntrenarVizError if it has no end."""
    ends: list[float] = []
    if trainer.max_steps > 0:
        ends.append(trainer.max_steps * trainer.accumulate_grad_batches)
    if trainer.max_epochs is not None and trainer.max_epochs > 0:
        ends.append(trainer.max_epochs * trainer.num_training_batches)
    if not ends or min(ends) == float("inf"):
        raise EntrenarVizError("the training has no end: pass max_steps= or max_epochs= to the Trainer of Lightning")
    return int(min(ends))
