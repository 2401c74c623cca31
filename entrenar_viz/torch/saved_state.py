"""How what a pruner has kept of a stopped training is checked before it goes on from there."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from entrenar_viz.analysis.training_log import TrainingLog
from entrenar_viz.config.pruning_config import PruningConfig
from entrenar_viz.errors import ConfigError, EntrenarVizError, Problem

FORMAT, VERSION = "entrenar-viz pruner", 1
_KEYS = {"config": str, "total_steps": int, "within": str, "step": int, "sparsity": float, "masks": dict, "log": list}


def check_state(
    state: Mapping[str, Any], config: PruningConfig, total_steps: int, within: str, sizes: Mapping[str, int]
) -> TrainingLog:
    """The log of ``state``; ConfigError with all that does not go with the rest, ``sizes`` of layers among it."""
    source = "the state of the pruner was not loaded"
    if not isinstance(state, Mapping) or state.get("format") != FORMAT:
        raise ConfigError([Problem("", "is not what state_dict() of a Pruner gives")], source)
    if state.get("version") != VERSION:
        known = f"version {state.get('version')!r:.20} is newer than this program: it reads {VERSION}"
        raise ConfigError([Problem("version", known)], source)
    wrong = [
        Problem(key, f"must be of type {kind.__name__}")
        for key, kind in _KEYS.items()
        if type(state.get(key)) is not kind
    ]
    if wrong or (wrong := [*_others(state, config, total_steps, within), *_misfits(state["masks"], sizes)]):
        raise ConfigError(wrong, source)
    try:
        return TrainingLog(config, total_steps, state["log"])
    except (EntrenarVizError, TypeError, ValueError) as error:
        raise ConfigError([Problem("log", f"is no log: {error}")], source) from error


def _others(state: Mapping[str, Any], config: PruningConfig, total_steps: int, within: str) -> list[Problem]:
    now = {"config": config.to_json(), "total_steps": total_steps, "within": within}
    found = [
        Problem(key, f"is another one than now: {state[key]!r:.400} then, {value!r:.400} now")
        for key, value in now.items()
        if state[key] != value
    ]
    if not state["step"] >= 0:
        found.append(Problem("step", f"must not be negative, but is {state['step']}"))
    if not 0 <= state["sparsity"] <= 1:
        found.append(Problem("sparsity", f"must be between 0 and 1, but is {state['sparsity']}"))
    return found


def _misfits(masks: Mapping[str, Any], sizes: Mapping[str, int]) -> list[Problem]:
    found = [
        Problem(f"masks.{name}", "is missing: was the state taken of this model?") for name in sizes.keys() - masks
    ]
    found += [Problem(f"masks.{name}", "is not pruned in this model") for name in masks.keys() - sizes.keys()]
    for name in sizes.keys() & masks.keys():
        packed, expected = masks[name], -(-sizes[name] // 8)
        is_mask = isinstance(packed, Tensor) and packed.dtype == torch.uint8 and packed.numel() == expected
        if packed is not None and not is_mask:
            found.append(Problem(f"masks.{name}", f"does not have the {sizes[name]:,} weights of this model"))
    return sorted(found, key=lambda problem: problem.where)
