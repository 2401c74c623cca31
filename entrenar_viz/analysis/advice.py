"""Which schedule to start from: the decision tree and the table of scenarios of the chapter on pruning schedules."""

from dataclasses import dataclass, replace

from entrenar_viz.analysis.updates import replay
from entrenar_viz.config.pruning_config import Method, PruningConfig
from entrenar_viz.config.schedules import Cubic, Gradual, OneShot, Schedule
from entrenar_viz.config.validation import did_you_mean
from entrenar_viz.errors import ConfigError, Problem
from entrenar_viz.formatting import percent

SCENARIOS: dict[str, tuple[type[Schedule], str]] = {
    "llm-compression": (OneShot, "Wanda and SparseGPT prune a trained LLM once, with calibration data"),
    "from-scratch": (Gradual, "training from scratch with pruning goes best in small, even steps"),
    "high-sparsity": (Cubic, "above 70% the early, plastic phase should carry most of the pruning"),
    "quick-experiment": (OneShot, "a quick experiment has no schedule to tune"),
    "production": (Gradual, "production wants a schedule that can be followed and adjusted"),
}


@dataclass(frozen=True)
class Recommendation:
    """A configuration to start from, and why."""

    config: PruningConfig
    reason: str


def recommend(
    target_sparsity: float = 0.5,
    total_steps: int = 10_000,
    *,
    post_training: bool = False,
    scenario: str | None = None,
) -> Recommendation:
    """A configuration by the chapter's decision tree, or by its table if ``scenario`` names a row (``SCENARIOS``).

    Raises ConfigError for an unknown scenario or a sparsity outside 0 to 1, StepError for a bad ``total_steps``.

    >>> recommend(target_sparsity=0.8, total_steps=100_000).config.schedule
    Cubic(start_step=10000, end_step=60000, final_sparsity=0.8)
    """
    config = PruningConfig(target_sparsity=target_sparsity)
    replay(config, total_steps)  # refuses what is no number of steps
    kind, reason = _choice(target_sparsity, post_training, scenario)
    if kind is not OneShot and total_steps < 2:
        kind, reason = OneShot, f"{reason}; but {total_steps} steps leave no room for a window"
    method: Method = "wanda" if scenario == "llm-compression" else "magnitude"
    return Recommendation(replace(config, method=method, schedule=kind.typical(total_steps, target_sparsity)), reason)


def _choice(target: float, post_training: bool, scenario: str | None) -> tuple[type[Schedule], str]:
    if scenario is not None and scenario not in SCENARIOS:
        hint = did_you_mean(scenario, list(SCENARIOS))
        raise ConfigError([Problem("scenario", f"{scenario!r} is unknown, {hint}")], "recommend")
    if scenario is not None:
        return SCENARIOS[scenario]
    if post_training:
        return OneShot, "compressing after the training: prune once, with nothing to tune"
    if target > 0.5:
        return Cubic, f"{percent(target)} is above 50%: prune most of it early, while the network is plastic"
    return Gradual, f"{percent(target)} is not above 50%: even steps during the training are enough"
