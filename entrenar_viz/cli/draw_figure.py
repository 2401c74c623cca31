"""``entrenar-viz figure``: the schedule of a configuration as a picture, with what a log says has happened over it."""

from collections.abc import Sequence
from pathlib import Path

from entrenar_viz.analysis.planned_and_happened import sentences
from entrenar_viz.analysis.training_log import TrainingLog
from entrenar_viz.cli.check_config import default_steps
from entrenar_viz.config.pruning_config import PruningConfig
from entrenar_viz.figures.saving import save_figure
from entrenar_viz.figures.schedule_plot import schedule_figure


def draw(
    config_file: str,
    output: Path,
    *,
    steps: int | None,
    log_file: str | None,
    metrics: Sequence[str],
    theme: str,
    overwrite: bool,
) -> int:
    """Write the figure, and say where a log parts from the plan; 0."""
    config = PruningConfig.load(config_file)
    log = None if log_file is None else TrainingLog.load(log_file)
    planned = log.total_steps if log and steps is None else steps
    total = default_steps(config) if planned is None else planned
    figure = schedule_figure(config, total, log=log, metrics=metrics, theme=theme)
    try:
        save_figure(figure, output, overwrite=overwrite)
    except FileExistsError:
        raise FileExistsError(f"{output} exists already: --force replaces it") from None
    print(f"wrote {output}: steps 1 to {total:,}")
    if log:
        print("\n".join([*sentences(config, total, log), *log.notes]))
    return 0
