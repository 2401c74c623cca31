"""How what a pruner has kept of a stopped training is checked before it goes on from there."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from entrenar_viz.analysis.training_log import TrainingLog
from entrenar_viz.config.pruning_config import PruningConfig
from entrenar_viz.errors import ConfigError, EntrenarVizError, Problem
from entrenar_viz.models.tensor_files import shown
from entrenar_viz.plan.layer_plan import Plan

FORMAT, VERSION = "entrenar-viz pruner", 2  # 1 had no plan
_KEYS = {"config": str, "total_steps": int, "within": str, "step": int, "sparsity": float, "masks": dict, "log": list}


def check_state(
    state: Mapping[str, Any],
    config: PruningConfig,
    total_steps: int,
    within: str,
    *,
    plan: Plan | None,
    sizes: Mapping[str, int],
) -> TrainingLog:
    """The log of ``state``; ConfigError with all that does not go with the rest, ``sizes`` of layers among it."""
    source = "the state of the pruner was not loaded"
    if not isinstance(state, Mapping) or state.get("format") != FORMAT:
        raise ConfigError([Problem("", "is not what state_dict() of a Pruner gives")], source)
    if state.get("version") not in range(1, VERSION + 1):
        known = f"version {state.get('version')!r:.20} is newer than this program: it reads up to {VERSION}"
        raise ConfigError([Problem("version", known)], source)
    wrong = [
        Problem(key, f"must be of type {kind.__name__}")
        for key, kind in _KEYS.items()
        if type(state.get(key)) is not kind
    ]
    wrong = wrong or [*_others(state, config, total_steps, within), *_misfits(state["masks"], sizes)]
    if wrong := wrong + _other_plan(state.get("plan"), plan):
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


def _other_plan(text: Any, now: Plan | None) -> list[Problem]:
    """The problem of a state whose plan, ``text`` or None, is for other masks than that of ``now``."""
    if not (text is None or isinstance(text, str)):
        return [Problem("plan", "must be text, or None")]
    try:
        then = None if text is None else Plan.from_json(text)
    except ConfigError as error:
        return [Problem("plan", f"cannot be read: {error}")]
    before, after = _given(then), _given(now)
    if (then is None) == (now is None) and before == after:
        return []
    words = [plan.words() if plan else "none" for plan in (then, now)]
    others = sorted(name for name in before.keys() | after.keys() if before.get(name) != after.get(name))
    where = f", for example for {shown(others[0])}" if then and now else ""
    return [Problem("plan", f"is another one than now: {words[0]} then, {words[1]} now{where}")]


def _given(plan: Plan | None) -> dict[str, tuple[float, object]]:
    """What a plan does to layers, whoever has made it."""
    return {one.name: (one.sparsity, one.pattern) for one in plan.layers if one.sparsity} if plan else {}


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
