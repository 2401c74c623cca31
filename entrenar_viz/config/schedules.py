"""OneShot, Gradual and Cubic: which sparsity at which training step, bit for bit as the trainer computes it.

A schedule knows its own facts (``ScheduleFacts``), so that nothing else has to ask which one it is. All arithmetic is
numpy ``float32`` in the trainer's order of operations. A step is a whole number from 0 to 2**64 - 1, or an integer
array of them (scalar in, scalar out; array in, array of its shape out); a sparsity is a fraction from 0 to 1. Every
method that takes steps raises StepError for anything else.
"""

from dataclasses import field, replace
from typing import Annotated, Literal, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import Field, field_validator

from entrenar_viz.config.schedule_facts import (
    end_after_start,
    is_due,
    is_over,
    num_pruning_steps,
    progress,
    typical_window,
    window_before,
    window_in_words,
)
from entrenar_viz.config.steps import Steps, per_step
from entrenar_viz.config.typical import TYPICAL_UPDATES, nearest_divisor, typical_frequency
from entrenar_viz.config.validation import Count, Fraction, checked
from entrenar_viz.formatting import percent


@checked
class OneShot:
    """Everything at once: 0 before ``step``, 1 from ``step`` on.

    The 1 is a multiplier of the configuration's ``target_sparsity``. A training counts its steps from 1, so that step
    0, the trainer's default, is for pruning after the training only.

    >>> OneShot(step=1000).sparsity_at_step([999, 1000, 2000])
    array([0., 1., 1.], dtype=float32)
    """

    type: Literal["one_shot"] = field(default="one_shot", repr=False)
    step: Count

    should_prune_at_step = per_step(is_due)
    is_complete = per_step(is_over)
    num_pruning_steps = num_pruning_steps

    @property
    def window(self) -> tuple[int, int]:
        """Its step, twice."""
        return self.step, self.step

    @property
    def update_steps(self) -> range:
        """Its step."""
        return range(self.step, self.step + 1)

    @property
    def initial(self) -> float:
        """0: nothing is pruned before the window."""
        return 0.0

    @property
    def every(self) -> int | None:
        """None: there is nothing to set."""
        return None

    @per_step
    def sparsity_at_step(self, steps: Steps) -> NDArray[np.float32]:
        """The multiplier of the target at ``steps``: 0 or 1, float32."""
        return (steps >= np.uint64(self.step)).astype(np.float32)

    def target(self, target_sparsity: float) -> np.float32:
        """``target_sparsity``, in f32."""
        return np.float32(target_sparsity)

    def requested_at(self, steps: ArrayLike, target_sparsity: float) -> NDArray[np.float32]:
        """The multiplier times ``target_sparsity``, in f32."""
        return np.asarray(self.sparsity_at_step(steps) * np.float32(target_sparsity))[()]

    def words(self, target_sparsity: float) -> str:
        """``OneShot: 50% at step 1,000``."""
        return f"OneShot: {percent(target_sparsity)} at step {self.step:,}"

    def within(self, latest: int) -> Self | None:
        """The same at or before ``latest``, and not at step 0."""
        return replace(self, step=max(min(self.step, latest), 1)) if latest > 0 else None

    @classmethod
    def over(cls, window: tuple[int, int], target_sparsity: float) -> Self:
        """At the end of ``window``."""
        return cls(step=window[1])

    @classmethod
    def typical(cls, total_steps: int, target_sparsity: float) -> Self:
        """At step 1, the first of a training."""
        return cls(step=1)


@checked
class Gradual:
    """A straight line from ``initial_sparsity`` to ``final_sparsity``, taken every ``frequency`` steps.

    ``s = s_i + (t - start) / (end - start) * (s_f - s_i)`` inside the window; ``s_i`` before and ``s_f`` after it.
    Frequency 0 allows one update only, at ``start_step``.

    >>> Gradual(start_step=1000, end_step=5000, initial_sparsity=0.0, final_sparsity=0.5,
    ...         frequency=500).sparsity_at_step([500, 3000, 5000])
    array([0.  , 0.25, 0.5 ], dtype=float32)
    """

    type: Literal["gradual"] = field(default="gradual", repr=False)
    start_step: Count
    end_step: Count
    initial_sparsity: Fraction
    final_sparsity: Fraction
    frequency: Count

    _ordered = field_validator("end_step")(end_after_start)
    should_prune_at_step = per_step(is_due)
    is_complete = per_step(is_over)
    num_pruning_steps = num_pruning_steps

    @property
    def window(self) -> tuple[int, int]:
        """``start_step`` and ``end_step``."""
        return self.start_step, self.end_step

    @property
    def update_steps(self) -> range:
        """Every ``frequency`` steps from ``start_step`` to ``end_step``."""
        last = self.end_step if self.frequency else self.start_step
        return range(self.start_step, last + 1, self.frequency or 1)

    @property
    def initial(self) -> float:
        """``initial_sparsity``."""
        return self.initial_sparsity

    @property
    def every(self) -> int | None:
        """``frequency``."""
        return self.frequency

    @per_step
    def sparsity_at_step(self, steps: Steps) -> NDArray[np.float32]:
        """The sparsity that the formula asks for at ``steps``, float32."""
        initial, final = np.float32(self.initial_sparsity), np.float32(self.final_sparsity)
        line = initial + progress(steps, self.start_step, self.end_step) * (final - initial)
        return np.where(steps >= np.uint64(self.end_step), final, line)

    def target(self, target_sparsity: float) -> np.float32:
        """``final_sparsity``, in f32: the trainer does not compare it with ``target_sparsity``."""
        return np.float32(self.final_sparsity)

    def requested_at(self, steps: ArrayLike, target_sparsity: float) -> NDArray[np.float32]:
        """What the formula asks for, whatever ``target_sparsity`` is."""
        return self.sparsity_at_step(steps)

    def words(self, target_sparsity: float) -> str:
        """``Gradual: 0% to 50% in steps 1,000 to 5,000, every 500``."""
        words = window_in_words("Gradual", self.window, self.initial_sparsity, self.final_sparsity)
        return f"{words}, every {self.frequency:,}"

    def within(self, latest: int) -> Self | None:
        """The same with its last update at or before ``latest``, where it reaches its target."""
        if (window := window_before(self.window, latest)) is None:
            return None
        (start, end), every = window, self.frequency
        if 0 < every <= end - start:
            end = start + (end - start) // every * every
        else:
            every = typical_frequency(end - start)
        return replace(self, start_step=start, end_step=end, frequency=every)

    @classmethod
    def over(cls, window: tuple[int, int], target_sparsity: float) -> Self:
        """From the start of ``window`` to its end in about 20 updates."""
        start, end = window
        every = nearest_divisor(end - start, max((end - start) // TYPICAL_UPDATES, 1))
        final = target_sparsity
        return cls(start_step=start, end_step=end, initial_sparsity=0.0, final_sparsity=final, frequency=every)

    @classmethod
    def typical(cls, total_steps: int, target_sparsity: float) -> Self:
        """From 10% to 60% of the training in about 20 updates."""
        return cls.over(typical_window(total_steps), target_sparsity)


@checked
class Cubic:
    """Fast first and slow at the end, at every step of the window (Zhu & Gupta 2017, arXiv:1710.01878).

    ``s = s_f * (1 - (1 - (t - start) / (end - start))**3)`` inside the window; 0 before and ``s_f`` after it. The
    curve is concave throughout (no S-curve).

    >>> Cubic(start_step=0, end_step=10_000, final_sparsity=0.7).sparsity_at_step([0, 2500, 10_000])
    array([0.       , 0.4046875, 0.7      ], dtype=float32)
    """

    type: Literal["cubic"] = field(default="cubic", repr=False)
    start_step: Count
    end_step: Count
    final_sparsity: Fraction

    _ordered = field_validator("end_step")(end_after_start)
    should_prune_at_step = per_step(is_due)
    is_complete = per_step(is_over)
    num_pruning_steps = num_pruning_steps

    @property
    def window(self) -> tuple[int, int]:
        """``start_step`` and ``end_step``."""
        return self.start_step, self.end_step

    @property
    def update_steps(self) -> range:
        """Every step of the window."""
        return range(self.start_step, self.end_step + 1)

    @property
    def initial(self) -> float:
        """0: nothing is pruned before the window."""
        return 0.0

    @property
    def every(self) -> int | None:
        """None: there is nothing to set."""
        return None

    @per_step
    def sparsity_at_step(self, steps: Steps) -> NDArray[np.float32]:
        """The sparsity that the formula asks for at ``steps``, float32."""
        final, one = np.float32(self.final_sparsity), np.float32(1)
        left = one - progress(steps, self.start_step, self.end_step)
        return np.where(steps >= np.uint64(self.end_step), final, final * (one - left * left * left))

    def target(self, target_sparsity: float) -> np.float32:
        """``final_sparsity``, in f32: the trainer does not compare it with ``target_sparsity``."""
        return np.float32(self.final_sparsity)

    def requested_at(self, steps: ArrayLike, target_sparsity: float) -> NDArray[np.float32]:
        """What the formula asks for, whatever ``target_sparsity`` is."""
        return self.sparsity_at_step(steps)

    def words(self, target_sparsity: float) -> str:
        """``Cubic: 0% to 50% in steps 1,000 to 5,000``."""
        return window_in_words("Cubic", self.window, 0.0, self.final_sparsity)

    def within(self, latest: int) -> Self | None:
        """The same with its window cut off or moved so that it ends at or before ``latest``."""
        window = window_before(self.window, latest)
        return replace(self, start_step=window[0], end_step=window[1]) if window else None

    @classmethod
    def over(cls, window: tuple[int, int], target_sparsity: float) -> Self:
        """From the start of ``window`` to its end."""
        return cls(start_step=window[0], end_step=window[1], final_sparsity=target_sparsity)

    @classmethod
    def typical(cls, total_steps: int, target_sparsity: float) -> Self:
        """From 10% to 60% of the training."""
        return cls.over(typical_window(total_steps), target_sparsity)


Schedule = Annotated[OneShot | Gradual | Cubic, Field(discriminator="type")]
SCHEDULES = (OneShot, Gradual, Cubic)
SCHEDULE_NAMES = {kind.__dataclass_fields__["type"].default: kind.__name__ for kind in SCHEDULES}  # by type, as shown
