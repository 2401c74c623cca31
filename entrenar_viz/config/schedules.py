"""OneShot, Gradual and Cubic: which sparsity at which training step, bit for bit as the trainer computes it.

A schedule knows its own facts (``ScheduleFacts``), so that nothing else has to ask which one it is. All arithmetic is
numpy ``float32`` in the trainer's order of operations. A step is a whole number from 0 to 2**64 - 1, or an integer
array of them (scalar in, scalar out; array in, array of its shape out); a sparsity is a fraction from 0 to 1. Every
method that takes steps raises StepError for anything else.
"""

from collections.abc import Callable
from dataclasses import field, replace
from functools import wraps
from typing import Annotated, Any, Literal, Protocol, Self, TypeVar, cast, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import Field, ValidationInfo, field_validator

from entrenar_viz.config.typical import TYPICAL_UPDATES, latest_end, nearest_divisor, typical_frequency
from entrenar_viz.config.validation import U64_MAX, Count, Fraction, checked, refuse
from entrenar_viz.errors import StepError
from entrenar_viz.formatting import percent

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
    def typical(cls, total_steps: int, target_sparsity: float) -> Self:
        """The chapter's typical values in a training of ``total_steps``: from 10% to 60% of it, 20 updates."""


def num_steps(steps: range) -> int:
    """How many ``steps`` there are: ``len`` fails above 2**63."""
    return max((steps.stop - steps.start + steps.step - 1) // steps.step, 0)


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


def _window_before(window: tuple[int, int], latest: int) -> tuple[int, int] | None:
    """``window`` cut off at ``latest``, or moved there as a whole if it starts later; None if there is no room."""
    start, end = window[0], min(window[1], latest)
    if start >= end:
        start = max(end - (window[1] - window[0]), 0)
    return (start, end) if start < end else None


def _typical_window(total_steps: int) -> tuple[int, int]:
    start = total_steps // 10
    return start, max(latest_end(total_steps), start + 1)


def _words(kind: str, window: tuple[int, int], initial: float, final: float) -> str:
    return f"{kind}: {percent(initial)} to {percent(final)} in steps {window[0]:,} to {window[1]:,}"


def _is_due(schedule: ScheduleFacts, steps: Steps) -> NDArray[np.bool_]:
    """Whether the trainer may change the mask at the end of ``steps``."""
    due = schedule.update_steps
    first, last, every = (np.uint64(number) for number in (due.start, due[-1], due.step))
    return np.asarray((steps >= first) & (steps <= last) & ((steps - first) % every == 0), bool)


def _is_over(schedule: ScheduleFacts, steps: Steps) -> NDArray[np.bool_]:
    """Whether the schedule is over at ``steps``."""
    return steps > np.uint64(schedule.window[1])


def _num_pruning_steps(schedule: ScheduleFacts) -> int:
    """How often the trainer may change the mask by its own count, which includes step 0."""
    return num_steps(schedule.update_steps)


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

    should_prune_at_step = _per_step(_is_due)
    is_complete = _per_step(_is_over)
    num_pruning_steps = _num_pruning_steps

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

    @_per_step
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

    _ordered = field_validator("end_step")(_end_after_start)
    should_prune_at_step = _per_step(_is_due)
    is_complete = _per_step(_is_over)
    num_pruning_steps = _num_pruning_steps

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

    @_per_step
    def sparsity_at_step(self, steps: Steps) -> NDArray[np.float32]:
        """The sparsity that the formula asks for at ``steps``, float32."""
        initial, final = np.float32(self.initial_sparsity), np.float32(self.final_sparsity)
        line = initial + _progress(steps, self.start_step, self.end_step) * (final - initial)
        return np.where(steps >= np.uint64(self.end_step), final, line)

    def target(self, target_sparsity: float) -> np.float32:
        """``final_sparsity``, in f32: the trainer does not compare it with ``target_sparsity``."""
        return np.float32(self.final_sparsity)

    def requested_at(self, steps: ArrayLike, target_sparsity: float) -> NDArray[np.float32]:
        """What the formula asks for, whatever ``target_sparsity`` is."""
        return self.sparsity_at_step(steps)

    def words(self, target_sparsity: float) -> str:
        """``Gradual: 0% to 50% in steps 1,000 to 5,000, every 500``."""
        return f"{_words('Gradual', self.window, self.initial_sparsity, self.final_sparsity)}, every {self.frequency:,}"

    def within(self, latest: int) -> Self | None:
        """The same with its last update at or before ``latest``, where it reaches its target."""
        if (window := _window_before(self.window, latest)) is None:
            return None
        (start, end), every = window, self.frequency
        if 0 < every <= end - start:
            end = start + (end - start) // every * every
        else:
            every = typical_frequency(end - start)
        return replace(self, start_step=start, end_step=end, frequency=every)

    @classmethod
    def typical(cls, total_steps: int, target_sparsity: float) -> Self:
        """From 10% to 60% of the training in about 20 updates."""
        start, end = _typical_window(total_steps)
        every = nearest_divisor(end - start, max((end - start) // TYPICAL_UPDATES, 1))
        final = target_sparsity
        return cls(start_step=start, end_step=end, initial_sparsity=0.0, final_sparsity=final, frequency=every)


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

    _ordered = field_validator("end_step")(_end_after_start)
    should_prune_at_step = _per_step(_is_due)
    is_complete = _per_step(_is_over)
    num_pruning_steps = _num_pruning_steps

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

    @_per_step
    def sparsity_at_step(self, steps: Steps) -> NDArray[np.float32]:
        """The sparsity that the formula asks for at ``steps``, float32."""
        final, one = np.float32(self.final_sparsity), np.float32(1)
        left = one - _progress(steps, self.start_step, self.end_step)
        return np.where(steps >= np.uint64(self.end_step), final, final * (one - left * left * left))

    def target(self, target_sparsity: float) -> np.float32:
        """``final_sparsity``, in f32: the trainer does not compare it with ``target_sparsity``."""
        return np.float32(self.final_sparsity)

    def requested_at(self, steps: ArrayLike, target_sparsity: float) -> NDArray[np.float32]:
        """What the formula asks for, whatever ``target_sparsity`` is."""
        return self.sparsity_at_step(steps)

    def words(self, target_sparsity: float) -> str:
        """``Cubic: 0% to 50% in steps 1,000 to 5,000``."""
        return _words("Cubic", self.window, 0.0, self.final_sparsity)

    def within(self, latest: int) -> Self | None:
        """The same with its window cut off or moved so that it ends at or before ``latest``."""
        window = _window_before(self.window, latest)
        return replace(self, start_step=window[0], end_step=window[1]) if window else None

    @classmethod
    def typical(cls, total_steps: int, target_sparsity: float) -> Self:
        """From 10% to 60% of the training."""
        start, end = _typical_window(total_steps)
        return cls(start_step=start, end_step=end, final_sparsity=target_sparsity)


Schedule = Annotated[OneShot | Gradual | Cubic, Field(discriminator="type")]
SCHEDULES = (OneShot, Gradual, Cubic)
SCHEDULE_NAMES = {kind.__dataclass_fields__["type"].default: kind.__name__ for kind in SCHEDULES}  # by type, as shown
