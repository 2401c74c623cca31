"""Training steps: checked, counted, and formulas over them.

A step is a whole number from 0 to 2**64 - 1, or an integer array of them.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any, Protocol, TypeVar, cast, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

from entrenar_viz.config.validation import U64_MAX
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


def per_step(formula: Callable[[Any, Steps], NDArray[ScalarT]]) -> _PerStep[ScalarT]:
    """Let a formula over a ``uint64`` array take what ``as_steps`` takes, and answer a scalar with a scalar."""

    @wraps(formula)
    def answer(schedule: object, steps: ArrayLike) -> object:
        values = formula(schedule, as_steps(steps))
        return values if np.ndim(steps) else values[()]

    return cast("_PerStep[ScalarT]", answer)


def num_steps(steps: range) -> int:
    """How many ``steps`` there are: ``len`` fails above 2**63."""
    return max((steps.stop - steps.start + steps.step - 1) // steps.step, 0)
