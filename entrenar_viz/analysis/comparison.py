"""Pinned configurations side by side: one record of numbers for each."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from entrenar_viz.analysis.updates import Replay, in_the_mask, replay
from entrenar_viz.config.pin import Pin
from entrenar_viz.errors import StepError


@dataclass(frozen=True)
class Outcome:
    """What the trainer makes of one pin: sparsities of the mask, fractions from 0 to 1, and steps, whole numbers."""

    name: str
    total_steps: int
    updates: int
    """How many updates change the mask."""
    first_update: int | None
    """The step of the first update, None if there is none."""
    last_update: int | None
    """The step of the last update, None if there is none."""
    final_sparsity: np.float32
    """The sparsity applied when the training ends."""
    shortfall: np.float32
    """Target minus final sparsity, as a fraction; 0 if the target is reached."""
    largest_jump: np.float32
    """The largest increase of sparsity in one update, as a fraction."""
    recovery_steps: int
    """Training steps left after the last update; 0 if there is no update to recover from."""
    recovery_share: float
    """The same as a fraction of ``total_steps``."""
    mean_sparsity: float
    """The area under the applied staircase, divided by ``total_steps``: the mean over the steps, as a fraction.

    Each step counts with the mask that the step before it has left, so an update at the last step adds nothing.
    """


def compare(pins: Iterable[Pin]) -> list[Outcome]:
    """What the trainer makes of each of ``pins``, in their order; StepError names the one that cannot be replayed.

    >>> from entrenar_viz import OneShot, PruningConfig
    >>> early, late = (PruningConfig(schedule=OneShot(step=step)) for step in (250, 750))
    >>> pins = [Pin(name="early", config=early, total_steps=1000), Pin(name="late", config=late, total_steps=1000)]
    >>> [(outcome.name, outcome.recovery_share, outcome.mean_sparsity) for outcome in compare(pins)]
    [('early', 0.75, 0.375), ('late', 0.25, 0.125)]
    """
    return [_outcome(pin) for pin in pins]


def _outcome(pin: Pin) -> Outcome:
    try:
        run = in_the_mask(pin.config, replay(pin.config, pin.total_steps))
    except StepError as error:
        raise StepError(f"{pin.name}: {error}") from None
    return Outcome(
        name=pin.name,
        total_steps=run.total_steps,
        updates=run.num_updates,
        first_update=run.first_update,
        last_update=run.last_update,
        final_sparsity=run.final_sparsity,
        shortfall=run.shortfall,
        largest_jump=run.largest_jump,
        recovery_steps=run.recovery_steps,
        recovery_share=run.recovery_steps / max(run.total_steps, 1),
        mean_sparsity=_mean_sparsity(run),
    )


def _mean_sparsity(run: Replay) -> float:
    widths = np.diff(run.update_steps, append=np.uint64(run.total_steps))
    area = np.dot(widths.astype(np.float64), run.applied.astype(np.float64))
    return float(area) / max(run.total_steps, 1)
