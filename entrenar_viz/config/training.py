"""Training steps as people think of them: examples, batches and epochs."""

from dataclasses import field
from typing import Annotated

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import AfterValidator, ValidationInfo, field_validator

from entrenar_viz.config.steps import as_steps
from entrenar_viz.config.validation import U64_MAX, Count, checked, refuse
from entrenar_viz.errors import StepError


def _positive(value: int, info: ValidationInfo) -> int:
    if value == 0:
        raise refuse(f"{info.field_name} must be at least 1")
    return value


Positive = Annotated[Count, AfterValidator(_positive)]


@checked
class Training:
    """How long a training is: ``epochs`` passes over ``dataset_size`` examples.

    A step is what the trainer counts: one batch of ``batch_size`` examples, whatever ``gradient_accumulation``. The
    weights change less often, after that many batches and after the last batch of an epoch (``optimizer_steps``): this
    is what other tools count, the Trainer of transformers among them. An incomplete last batch counts, unless
    ``drop_last``, as in PyTorch's DataLoader. ``batch_size`` is that of all devices together.

    All numbers are whole and at least 1; ConfigError lists those that are not, and refuses a training without a batch
    or of more than 2**64 - 1 steps.

    >>> training = Training(dataset_size=50_000, batch_size=64, gradient_accumulation=4, epochs=3)
    >>> training.steps_per_epoch, training.total_steps, training.optimizer_steps
    (782, 2346, 588)
    >>> float(training.epoch_at(391)), training.step_at(1.5)
    (0.5, 1173)
    """

    dataset_size: Positive
    batch_size: Positive
    gradient_accumulation: Positive = 1
    drop_last: bool = False
    epochs: Positive = field(kw_only=True)

    @field_validator("drop_last")
    @classmethod
    def _a_batch_is_left(cls, drop_last: bool, info: ValidationInfo) -> bool:
        size, batch = info.data.get("dataset_size"), info.data.get("batch_size")
        if drop_last and size is not None and batch is not None and size < batch:
            raise refuse(f"drop_last leaves no batch: batch_size ({batch}) is greater than dataset_size ({size})")
        return drop_last

    @field_validator("epochs")
    @classmethod
    def _not_endless(cls, epochs: int, info: ValidationInfo) -> int:
        if len(info.data) == 4 and epochs * _batches(**info.data) > U64_MAX:
            raise refuse(f"epochs ({epochs}) make more than {U64_MAX} steps")
        return epochs

    @property
    def steps_per_epoch(self) -> int:
        """Steps in one pass over the examples: its batches."""
        return _batches(self.dataset_size, self.batch_size, self.drop_last)

    @property
    def total_steps(self) -> int:
        """Steps in the whole training."""
        return self.epochs * self.steps_per_epoch

    @property
    def optimizer_steps(self) -> int:
        """How often the weights change in the whole training: ``total_steps`` without accumulation."""
        return self.epochs * -(-self.steps_per_epoch // self.gradient_accumulation)

    def epoch_at(self, steps: ArrayLike) -> NDArray[np.float64] | np.float64:
        """Epochs passed after so many steps: 0 at step 0, ``epochs`` at ``total_steps``; float64, not rounded.

        Takes one step or an array of them; StepError if they are no steps.
        """
        passed: NDArray[np.float64] = as_steps(steps) / np.float64(self.steps_per_epoch)
        return passed if np.ndim(steps) else passed[()]

    def step_at(self, epoch: float) -> int:
        """The step nearest to the moment when ``epoch`` epochs have passed; StepError for what is before the start."""
        if not 0 <= epoch * self.steps_per_epoch <= U64_MAX:
            raise StepError(f"epochs are counted from 0 up to {U64_MAX} steps, not {epoch!r:.60}")
        return round(epoch * self.steps_per_epoch)


def _batches(dataset_size: int, batch_size: int, drop_last: bool, **_: object) -> int:
    return dataset_size // batch_size if drop_last else -(-dataset_size // batch_size)
