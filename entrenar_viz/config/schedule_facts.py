"""What every schedule knows about itself, and what follows from that alone."""

from typing import Protocol, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import ValidationInfo

from entrenar_viz.config.steps import Steps, num_steps
from entrenar_viz.config.typical import latest_end
from entrenar_viz.config.validation import refuse
from entrenar_viz.formatting import percent


class ScheduleFacts(Protocol):
    """What a schedule knows about itself; a fourth one has these, and nothing else changes."""

    @property
    def window(self) -> tuple[int, int]:
        """First and last step of the window; twice the same where there is only one step."""

    @property
    def update_steps(self) -> range:
        """The steps at which the trainer may change the mask. Step 0 may be among them, and never comes."""

    @property
    def initial(self) -> float:
        """The sparsity that the formula gives before the window."""

    @property
    def every(self) -> int | None:
        """Steps between two updates, as set; None where they cannot be set."""

    def target(self, target_sparsity: float) -> np.float32:
        """The sparsity to end with in a configuration with ``target_sparsity``, in the trainer's f32."""

    def requested_at(self, steps: ArrayLike, target_sparsity: float) -> NDArray[np.float32]:
        """The sparsity asked for at ``steps`` in a configuration with ``target_sparsity``, float32."""

    def words(self, target_sparsity: float) -> str:
        """The schedule in one line."""

    def within(self, latest: int) -> Self | None:
        """The same with all updates at or before ``latest`` and its target reached; None if there is no room."""

    @classmethod
    def over(cls, window: tuple[int, int], target_sparsity: float) -> Self:
        """From nothing to ``target_sparsity`` within ``window``, its last update at the end of it."""

    @classmethod
    def typical(cls, total_steps: int, target_sparsity: float) -> Self:
        """The chapter's typical values in a training of ``total_steps``: from 10% to 60% of it, 20 updates."""


def is_due(schedule: ScheduleFacts, steps: Steps) -> NDArray[np.bool_]:
    """Whether the trainer may change the mask at the end of ``steps``."""
    due = schedule.update_steps
    first, last, every = (np.uint64(number) for number in (due.start, due[-1], due.step))
    return np.asarray((steps >= first) & (steps <= last) & ((steps - first) % every == 0), bool)


def is_over(schedule: ScheduleFacts, steps: Steps) -> NDArray[np.bool_]:
    """Whether the schedule is over at ``steps``."""
    return steps > np.uint64(schedule.window[1])


def num_pruning_steps(schedule: ScheduleFacts) -> int:
    """How often the trainer may change the mask by its own count, which includes step 0."""
    return num_steps(schedule.update_steps)


def progress(steps: Steps, start: int, end: int) -> NDArray[np.float32]:
    """Share of the window that has passed: ``f32(step - start) / f32(end - start)``, 0 before it and 1 after it."""
    elapsed = np.clip(steps, np.uint64(start), np.uint64(end)) - np.uint64(start)
    # np.float32(int) would round twice, by way of a 64-bit float
    return elapsed.astype(np.float32) / np.uint64(end - start).astype(np.float32)


def end_after_start(end_step: int, info: ValidationInfo) -> int:
    """``end_step``, refused in the trainer's words unless it is after ``start_step``."""
    start_step = info.data.get("start_step")
    if start_step is not None and end_step <= start_step:
        raise refuse(f"end_step ({end_step}) must be greater than start_step ({start_step})")
    return end_step


def window_before(window: tuple[int, int], latest: int) -> tuple[int, int] | None:
    """``window`` cut off at ``latest``, or moved there as a whole if it starts later; None if there is no room."""
    start, end = window[0], min(window[1], latest)
    if start >= end:
        start = max(end - (window[1] - window[0]), 0)
    return (start, end) if start < end else None


def typical_window(total_steps: int) -> tuple[int, int]:
    """From 10% to 60% of a training of ``total_steps``, and never empty."""
    start = total_steps // 10
    return start, max(latest_end(total_steps), start + 1)


def window_in_words(kind: str, window: tuple[int, int], initial: float, final: float) -> str:
    """``Cubic: 0% to 50% in steps 1,000 to 5,000``."""
    return f"{kind}: {percent(initial)} to {percent(final)} in steps {window[0]:,} to {window[1]:,}"
