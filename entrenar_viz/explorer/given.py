"""What an explorer is given, by value or by path: a configuration, a training, a log."""

import os

from entrenar_viz.analysis.training_log import TrainingLog
from entrenar_viz.config.pruning_config import PruningConfig
from entrenar_viz.config.training import Training
from entrenar_viz.errors import EntrenarVizError


def read(config: PruningConfig | str | os.PathLike[str]) -> PruningConfig:
    """The configuration, or that of the file at a path; ConfigError for a file that is none."""
    return PruningConfig.load(config) if isinstance(config, str | os.PathLike) else config


def reported(log: TrainingLog | str | os.PathLike[str]) -> TrainingLog:
    """A copy of the log, or that of the file at a path; ConfigError for a file that is none."""
    return log.copy() if isinstance(log, TrainingLog) else TrainingLog.load(log)


def agreed(training: Training, total_steps: int | None) -> int:
    """The steps of ``training``; EntrenarVizError if ``total_steps`` says otherwise."""
    if total_steps not in (None, training.total_steps):
        made = f"training makes {training.total_steps:,} steps, total_steps says {total_steps:,}"
        raise EntrenarVizError(f"{made}: leave one of them out")
    return training.total_steps
