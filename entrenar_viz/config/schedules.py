"""OneShot, Gradual and Cubic: which sparsity at which training step, bit for bit as the trainer computes it.

All arithmetic is numpy ``float32`` in the trainer's order of operations. A step is a whole number from 0 to
2**64 - 1, or an integer array of them (scalar in, scalar out; array in, array of its shape out); a sparsity is a
fraction from 0 to 1. Every method that takes steps raises StepError for anything else.
"""

from collections.abc import Callable
from dataclasses import field
from functools import wraps
from typing import Annotated, Any, Literal, Protocol, TypeVar, cast, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import Field, ValidationInfo, field_validator

from entrenar_viz.config.validation import U64_MAX, Count, Fraction, checked, refuse
from entrenar_viz.errors import StepError

Steps = NDArray[np.uint64]
ScalarT = TypeVar("ScalarT", bound=np.generic)
ScalarT_co = TypeVar("ScalarT_co", bound=np.generic, covariant=True)


class _OverSteps(Protocol[ScalarT_co]):
    @overload
    def __call__(self, steps: int) -> ScalarT_co: ...
    @overload
    def __call__(self, steps: ArrayLike) -> NDArray[ScalarT_co]: ...


class _PerStep(Protocol[ScalarT_co]):
    def __get__(self, schedule: object, owner: object) -> _OverSteps[ScalarT_co]: ...


def as_steps(steps: ArrayLike) -> Steps:
    """``steps`` as ``uint64``, whatever integer type they came in; StepError if they are no steps."""
    try:
        given = np.asarray(steps)
    except ValueError as error:
        raise StepError(f"steps must be a number or a regular array: {error}") from None
    if given.size == 0:
        return given.astype(np.uint64)
    if given.dtype.kind not in "iu":
        raise StepError(f"steps must be whole numbers from 0 to {U64_MAX}, not {given.dtype}: {steps!r:.60}")
    if given.dtype.kind == "i" and given.min() < 0:
        raise StepError(f"steps count from 0: {given.min()} is before the training")
    return given.astype(np.uint64)


def _per_step(formula: Callable[[Any, Steps], NDArray[ScalarT]]) -> _PerStep[ScalarT]:
    """Give a formula over a ``uint64`` array the manners described at the top of this module."""

    @wraps(formula)
    def answer(schedule: object, steps: ArrayLike) -> object:
        values = formula(schedule, as_steps(steps))
        return values if np.ndim(steps) else values[()]

    return cast("_PerStep[ScalarT]", answer)


def _progress(steps: Steps, start: int, end: int) -> NDArray[np.float32]:
    """Share of the window that has passed: ``f32(step - start) / f32(end - start)``, 0 before it and 1 after it."""
    elapsed = np.clip(steps, np.uint64(start), np.uint64(end)) - np.uint64(start)
    # np.float32(int) would round twice, by way of a 64-bit float
    return elapsed.astype(np.float32) / np.uint64(end - start).astype(np.float32)


def _end_after_start(end_step: int, info: ValidationInfo) -> int:
    start_step = info.data.get("start_step")
    if start_step is not None and end_step <= start_step:
        raise refuse(f"end_step ({end_step}) must be greater than start_step ({start_step})")
    return end_step


@checked
class OneShot:
    """Everything at once: 0 before ``step``, 1 from ``step`` on.

    The 1 is a multiplier: the trainer applies the configuration's ``target_sparsity``.

    >>> OneShot(step=1000).sparsity_at_step([999, 1000, 2000])
    array([0., 1., 1.], dtype=float32)
    """

    type: Literal["one_shot"] = field(default="one_shot", repr=False)
    step: Count

    @_per_step
    def sparsity_at_step(self, steps: Steps) -> NDArray[np.float32]:
        """The multiplier of the target at ``steps``: 0 or 1, float32."""
        return (steps >= np.uint64(self.step)).astype(np.float32)

    @_per_step
    def should_prune_at_step(self, steps: Steps) -> NDArray[np.bool_]:
        """Whether the trainer may change the mask at the end of ``steps``."""
        return np.equal(steps, np.uint64(self.step))

    @_per_step
    def is_complete(self, steps: Steps) -> NDArray[np.bool_]:
        """Whether the schedule is over at ``steps``."""
        return steps > np.uint64(self.step)

    def num_pruning_steps(self) -> int:
        """How often the trainer may change the mask: once."""
        return 1


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

    _window = field_validator("end_step")(_end_after_start)

    @_per_step
    def sparsity_at_step(self, steps: Steps) -> NDArray[np.float32]:
        """The sparsity that the formula asks for at ``steps``, float32."""
        initial, final = np.float32(self.initial_sparsity), np.float32(self.final_sparsity)
        line = initial + _progress(steps, self.start_step, self.end_step) * (final - initial)
        return np.where(steps >= np.uint64(self.end_step), final, line)

    @_per_step
    def should_prune_at_step(self, steps: Steps) -> NDArray[np.bool_]:
        """Whether the trainer may change the mask at the end of ``steps``."""
        start = np.uint64(self.start_step)
        if self.frequency == 0:
            return np.equal(steps, start)
        inside: NDArray[np.bool_] = (steps >= start) & (steps <= np.uint64(self.end_step))
        gates: NDArray[np.bool_] = inside & ((steps - start) % np.uint64(self.frequency) == 0)
        return gates

    @_per_step
    def is_complete(self, steps: Steps) -> NDArray[np.bool_]:
        """Whether the schedule is over at ``steps``."""
        return steps > np.uint64(self.end_step)

    def num_pruning_steps(self) -> int:
        """How often the trainer may change the mask, both ends counted."""
        return (self.end_step - self.start_step) // self.frequency + 1 if self.frequency else 1


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

    _window = field_validator("end_step")(_end_after_start)

    @_per_step
    def sparsity_at_step(self, steps: Steps) -> NDArray[np.float32]:
        """The sparsity that the formula asks for at ``steps``, float32."""
        final, one = np.float32(self.final_sparsity), np.float32(1)
        left = one - _progress(steps, self.start_step, self.end_step)
        return np.where(steps >= np.uint64(self.end_step), final, final * (one - left * left * left))

    @_per_step
    def should_prune_at_step(self, steps: Steps) -> NDArray[np.bool_]:
        """Whether the trainer may change the mask at the end of ``steps``: at each step of the window."""
        inside: NDArray[np.bool_] = (steps >= np.uint64(self.start_step)) & (steps <= np.uint64(self.end_step))
        return inside

    @_per_step
    def is_complete(self, steps: Steps) -> NDArray[np.bool_]:
        """Whether the schedule is over at ``steps``."""
        return steps > np.uint64(self.end_step)

    def num_pruning_steps(self) -> int:
        """How often the trainer may change the mask, both ends counted."""
        return self.end_step - self.start_step + 1


Schedule = Annotated[OneShot | Gradual | Cubic, Field(discriminator="type")]
SCHEDULES = (OneShot, Gradual, Cubic)
SCHEDULE_NAMES = {"one_shot": "OneShot", "gradual": "Gradual", "cubic": "Cubic"}  # by type, as they are shown
