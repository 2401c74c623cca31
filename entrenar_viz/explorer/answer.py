"""What the kernel says of the settings, as the page gets it."""

from collections.abc import Sequence

from entrenar_viz.analysis.finding import Finding
from entrenar_viz.config.pruning_config import METHODS, PATTERN_NAMES, PruningConfig, fixed_sparsity
from entrenar_viz.config.training import Training
from entrenar_viz.errors import ConfigError, Problem
from entrenar_viz.explorer.browser import payload
from entrenar_viz.explorer.controls.settings import OWN_NAMES, Settings
from entrenar_viz.explorer.controls.state import State
from entrenar_viz.explorer.languages import LANGUAGES

NAMES = OWN_NAMES | {"final_sparsity": "target", "target_sparsity": "own_target"}  # of entries, by fields of the JSON


def answer_to(
    state: State,
    config: PruningConfig,
    *,
    problems: Sequence[Problem],
    findings: Sequence[Finding],
    exported: payload.Exported,
    parted: list[list[int]],
    said: str,
) -> payload.Answer:
    """The answer to the settings of ``state``; ``config`` is the last one that they added up to."""
    settings, can = state.settings, state.can
    return payload.Answer(
        problems=[trouble(problem) for problem in problems],
        findings=[_found(finding) for finding in findings],
        exported=exported,
        can=payload.Can(undo=can["undo"], redo=can["redo"], reset=can["reset"]),
        fixed=fixed_sparsity(config.pattern),
        steps_per_epoch=float(settings.training.steps_per_epoch) if settings.training else 0.0,
        counted=counted(settings),
        parted=parted,
        said=said,
    )


def choices(presets: list[dict[str, str]]) -> payload.Choices:
    """What there is to choose from, ``presets`` among it."""
    languages = [language.name for language in LANGUAGES]
    return payload.Choices(methods=list(METHODS), patterns=dict(PATTERN_NAMES), languages=languages, presets=presets)


def trouble(problem: Problem) -> payload.Trouble:
    """A problem, and the entries that it is about."""
    name = problem.where.rpartition(".")[2]
    return payload.Trouble(names=[NAMES.get(name, name)], message=problem.message)


def _found(finding: Finding) -> payload.Found:
    fixes = [fix.label for fix in finding.fixes]
    return payload.Found(severity=finding.severity, message=finding.message, fixes=fixes)


def counted(settings: Settings) -> str:
    """What the numbers of a training make, in words, and whether it is in use."""
    try:
        training = settings.stated_training()
    except ConfigError as error:
        return "; ".join(problem.message for problem in error.problems)
    return in_words(training) + ("" if settings.in_epochs else ". Not in use: total steps were set by themselves")


def in_words(training: Training) -> str:
    """The steps of ``training``, and the optimizer's where they are others."""
    steps = f"{training.steps_per_epoch:,} steps an epoch, {training.total_steps:,} in all"
    fewer = training.optimizer_steps < training.total_steps
    return f"{steps}; the optimizer makes {training.optimizer_steps:,}" if fewer else steps
