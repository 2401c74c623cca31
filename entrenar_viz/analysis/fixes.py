"""Schedules moved and stretched so that they do what they were meant to, by the chapter's typical values."""

from dataclasses import replace
from fractions import Fraction
from math import ceil, isqrt

from entrenar_viz.config.pruning_config import PruningConfig
from entrenar_viz.config.schedules import Cubic, Gradual, OneShot, Schedule

RECOVERY = Fraction(2, 5)  # share of the training that the chapter keeps for recovery
MANY_UPDATES = 100
TYPICAL_UPDATES = 20


def typical(kind: type[Schedule], config: PruningConfig, total: int) -> Schedule:
    """A schedule with the chapter's typical values: from 10% to 60% of the training, 20 updates."""
    if kind is OneShot:
        return OneShot(step=0)
    start, end = total // 10, max(latest_end(total), total // 10 + 1)
    if kind is Cubic:
        return Cubic(start_step=start, end_step=end, final_sparsity=config.target_sparsity)
    return Gradual(
        start_step=start,
        end_step=end,
        initial_sparsity=0.0,
        final_sparsity=config.target_sparsity,
        frequency=nearest_divisor(end - start, max((end - start) // TYPICAL_UPDATES, 1)),
    )


def latest_end(total: int) -> int:
    """The last step at which an update leaves the recovery share of ``total``."""
    return total - ceil(RECOVERY * total)


def nearest_divisor(window: int, wanted: int, at_least: int = 1) -> int:
    """The divisor of ``window`` nearest to ``wanted`` and not below ``at_least``; of huge windows, of those found."""
    small = range(1, min(isqrt(window), 1_000_000) + 1)
    divisors = {d for s in small if window % s == 0 for d in (s, window // s) if d >= at_least}
    return min(divisors, key=lambda divisor: (abs(divisor - wanted), divisor))


def typical_frequency(window: int) -> int:
    """A divisor of ``window`` that makes about 20 updates and not more than 100."""
    return nearest_divisor(window, max(window // TYPICAL_UPDATES, 1), at_least=-(-window // MANY_UPDATES))


def reaching_frequency(schedule: Gradual) -> int:
    """The frequency nearest to that of ``schedule`` with which its last update comes at ``end_step``."""
    window, every = schedule.end_step - schedule.start_step, schedule.frequency
    return nearest_divisor(window, every) if 0 < every <= window else typical_frequency(window)


def ending_by(config: PruningConfig, latest: int) -> PruningConfig | None:
    """``config`` with all its updates at or before ``latest``, its target reached; None if there is no room."""
    schedule = config.schedule
    if isinstance(schedule, OneShot):
        return replace(config, schedule=replace(schedule, step=min(schedule.step, latest)))
    end = min(schedule.end_step, latest)
    start = schedule.start_step if schedule.start_step < end else end - schedule.end_step + schedule.start_step
    start = max(start, 0)
    if end <= start:
        return None
    if not isinstance(schedule, Gradual):
        return replace(config, schedule=replace(schedule, start_step=start, end_step=end))
    window, every = end - start, schedule.frequency
    if 0 < every <= window:
        end = start + window // every * every
    else:
        every = typical_frequency(window)
    return replace(config, schedule=replace(schedule, start_step=start, end_step=end, frequency=every))
