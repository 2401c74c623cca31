"""A configuration as the values of the controls that hold it."""

from math import ceil
from typing import Any

import numpy as np

from entrenar_viz.analysis.updates import whole_steps
from entrenar_viz.config.pruning_config import NM, Block, Method, Pattern, PruningConfig
from entrenar_viz.config.typical import RECOVERY
from entrenar_viz.errors import ConfigError, Problem

CONTROLS = {"step": "one_shot_step", "initial_sparsity": "initial", "frequency": "frequency"}  # of these fields
LARGEST_STEP = 2**53 - 1  # a browser counts exactly up to here


def values_for(config: PruningConfig, total_steps: int) -> dict[str, Any]:
    """The values of the controls for ``config`` in a training of ``total_steps``, checked.

    Raises ConfigError for steps that a browser cannot count, StepError for a
    ``total_steps`` that is no number of steps.
    """
    values = {"total_steps": whole_steps(total_steps), **_values_of(config)}
    too_large = [name for name, value in values.items() if np.max(_numbers(value), initial=0) > LARGEST_STEP]
    if too_large:
        limit = f"is above {LARGEST_STEP:,}: a browser cannot count that far"
        raise ConfigError([Problem(name, limit) for name in too_large], "not shown")
    return values


def masking_values(pattern: Pattern, method: Method) -> dict[str, Any]:
    """The values of the controls that decide how weights are scored and what is pruned together."""
    values: dict[str, Any] = {"method": method, "pattern": pattern.type}
    if isinstance(pattern, NM):
        values |= {"n": pattern.n, "m": pattern.m}
    if isinstance(pattern, Block):
        values |= {"height": pattern.height, "width": pattern.width}
    return values


def _values_of(config: PruningConfig) -> dict[str, Any]:
    """The values of the controls for ``config``; those of the other schedules stay as they are."""
    schedule = config.schedule
    values: dict[str, Any] = {
        "schedule": schedule.type,
        **masking_values(config.pattern, config.method),
        "fine_tune": config.fine_tune_after_pruning,
        "fine_tune_steps": config.fine_tune_steps,
        "fine_tune_lr": config.fine_tune_lr,
        "skip_embed_layers": config.skip_embed_layers,
    }
    final = getattr(schedule, "final_sparsity", config.target_sparsity)
    values |= {"target": final, "same_target": final == config.target_sparsity, "own_target": config.target_sparsity}
    start, end = schedule.window
    if start != end:
        values["window"] = [start, end]
    return values | {CONTROLS[name]: getattr(schedule, name) for name in CONTROLS if hasattr(schedule, name)}


def room_for(config: PruningConfig, total_steps: int) -> int:
    """``total_steps`` if the schedule ends within it, else so many that 40% are left for recovery."""
    end = config.schedule.window[1]
    return total_steps if end <= total_steps else max(min(ceil(end / (1 - RECOVERY)), LARGEST_STEP), end)


def _numbers(value: Any) -> list[int | float]:
    return [number for number in np.atleast_1d(np.array(value, object)) if not isinstance(number, str)]


def tidy_step(largest: int) -> int:
    """A round step of which a slider to ``largest`` has about 200.

    >>> tidy_step(10_000), tidy_step(20_000), tidy_step(99), tidy_step(5_000_000)
    (50, 100, 1, 20000)
    """
    rough = max(largest / 200, 1.0)
    power = 10 ** (len(str(int(rough))) - 1)
    return int(max(digit * power for digit in (1, 2, 5) if digit * power <= rough))
