"""``sweep``: schedules, sparsities, frequencies and seeds, a run for each combination, and a file to go on from."""

import operator
import os
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Executor
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from entrenar_viz.config.pruning_config import PruningConfig, fixed_sparsity, pattern_name
from entrenar_viz.config.schedules import Schedule
from entrenar_viz.errors import EntrenarVizError
from entrenar_viz.formatting import percent
from entrenar_viz.masks.order import Within
from entrenar_viz.progress import Progress, check_progress, optional, reporting
from entrenar_viz.rehearsal.outcome import check_run
from entrenar_viz.rehearsal.results_file import ResultsFile, key
from entrenar_viz.rehearsal.runs import Job, Run, Trial, attempt_run, check_trial, iter_runs, run_of
from entrenar_viz.rehearsal.small_training import WIDTHS, SmallTraining
from entrenar_viz.rehearsal.sweep_table import GRAIN, HIGHER
from entrenar_viz.rehearsal.trial_pruner import DENSE, asking_nothing, check_masks
from entrenar_viz.rehearsal.trials import SEEDS, Trials, listed, metric_of_trial, names_of, trial_of, trials
from entrenar_viz.rehearsal.tried import alternatives
from entrenar_viz.rehearsal.verdict import ACCURACY

if TYPE_CHECKING:
    import pandas as pd

SPARSITIES = (0.5, 0.7, 0.8, 0.9, 0.95, 0.98)
RULES = 1
"""Of the rehearsal: to be raised with a change after which the same settings and seeds give other numbers."""


def sweep(
    config: PruningConfig,
    total_steps: int,
    *,
    sparsities: Iterable[float] = SPARSITIES,
    frequencies: Iterable[int] | None = None,
    seeds: int | Iterable[int] = SEEDS,
    steps: int | None = None,
    schedules: Sequence[Schedule] | None = None,
    X: ArrayLike | None = None,
    y: ArrayLike | None = None,
    widths: Sequence[int] = WIDTHS,
    within: Within = "tensor",
    trial: Trial | None = None,
    metric: str = ACCURACY,
    higher_is_better: bool = True,
    results: str | os.PathLike[str] | None = None,
    executor: Executor | None = None,
    progress: Progress[Run] | bool | None = None,
) -> "pd.DataFrame":
    """Rehearse each schedule at each of ``sparsities``: what more sparsity costs, and where it begins to cost much.

    All layers get the same, since a plan has sparsities of its own: ``rehearse`` compares plans. Other arguments and
    the errors are those of ``rehearse``, and

    - ``sparsities``: targets, fractions between 0 and 1. At each of them every schedule is tried with that target:
      ``schedules``, or that of ``config`` and the two others over its window.
    - ``frequencies``: of Gradual's updates, in steps of the training; the others have none and are tried once a
      sparsity. None: as the schedule has it.
    - ``results``: a file, JSON Lines, to which each run is added once it is finished. A sweep that was stopped, or one
      with more sparsities, frequencies, schedules or seeds, makes only the runs that are not in it. It is for one
      setting of everything else: ConfigError if it has another. What a ``trial`` of your own does is not compared but
      for its name: name another file after changing it.
    - ``progress``: called as ``progress(done, total, run)`` after each run that was not in the file, in any order.

    A DataFrame with a row a run, the same seeds everywhere, so that runs of a seed can be compared in pairs:
    ``schedule`` (``"dense"``: without pruning), ``sparsity`` (the target, 0 for dense), ``frequency`` (Int64, steps of
    the training between two updates, NA where it cannot be set), ``seed``, the metric at the end by its name, a
    fraction if that is accuracy, ``applied`` (the sparsity applied in the end, less than the target of a Gradual whose
    frequency misses the end of its window), and ``problem`` (``""``, or what the trial has raised: then the metric is
    nan, and the run is made again the next time). ``attrs`` of the frame remember ``higher_is_better``, which
    a file does not: set ``frame.attrs["higher_is_better"] = False`` again for a loss that was read from CSV.

    >>> from entrenar_viz import Cubic
    >>> config = PruningConfig(schedule=Cubic(start_step=200, end_step=700, final_sparsity=0.5))
    >>> frame = sweep(config, 1000, sparsities=[0.5, 0.9], seeds=2, steps=100)
    >>> frame.groupby(["schedule", "sparsity"], sort=False).size().to_dict()  # doctest: +NORMALIZE_WHITESPACE
    {('dense', 0.0): 2, ('OneShot', 0.5): 2, ('Gradual', 0.5): 2, ('Cubic', 0.5): 2, ('OneShot', 0.9): 2,
     ('Gradual', 0.9): 2, ('Cubic', 0.9): 2}
    """
    check_progress(progress)
    pandas = optional("pandas", "sweep needs pandas", "rehearse one sparsity after the other")
    what = trial_of(trial, X, y, widths)
    told = metric_of_trial(metric, higher_is_better=higher_is_better, trial=what)
    check_trial(what, executor)
    shared = trials(total_steps, seeds, steps=steps, trial=what, within=within)
    jobs = list(_jobs(config, shared, sparsities, frequencies, schedules))
    file = None if results is None else ResultsFile(Path(results), _settings(config, shared), metric)
    runs = {} if file is None else _known(file, jobs)
    rest = [job for job in jobs if job not in runs]

    def keep(job: Job, run: Run) -> None:
        if not run.problem:
            check_run(run, run, told)
        runs[job] = run
        if file is not None and not run.problem:
            file.append(_what(job), run.metric)

    with reporting(progress, len(rest), "run") as report:
        for done, (_, run) in enumerate(iter_runs(rest, executor, attempt_run, keep), 1):
            report(done, len(rest), run)
    frame = _frame(pandas, [(job, runs[job]) for job in jobs], metric)
    frame.attrs |= {HIGHER: told.higher_is_better, GRAIN: told.grain}
    return frame


def _jobs(
    config: PruningConfig,
    shared: Trials,
    sparsities: Iterable[float],
    frequencies: Iterable[int] | None,
    schedules: Sequence[Schedule] | None,
) -> Iterator[Job]:
    """The runs in the order of the rows, dense first."""
    check_masks(config, shared.within)
    targets, every = _targets(sparsities, config), _frequencies(frequencies)
    tried = alternatives(config, shared.total_steps) if schedules is None else listed(schedules)
    names = names_of(tried)
    if every and all(schedule.every is None for schedule in tried):
        raise EntrenarVizError(f"{', '.join(names)} have no frequency: leave frequencies out")
    dense = shared.jobs(DENSE, shared.staircase(asking_nothing(config)))
    if isinstance(shared.trial, SmallTraining):
        shared.trial.left_whole(dense[0].pruner())
    yield from dense
    for target in targets:
        for name, schedule in zip(names, tried, strict=True):
            for one in _at_each(_set(schedule, final_sparsity=target), every):
                asked = replace(config, schedule=one, target_sparsity=target)
                yield from shared.jobs(name, shared.staircase(asked))


def _at_each(schedule: Schedule, frequencies: Sequence[int]) -> list[Schedule]:
    """``schedule`` with each of ``frequencies``; as it is if there are none, or if it has none."""
    if schedule.every is None or not frequencies:
        return [schedule]
    return [_set(schedule, frequency=frequency) for frequency in frequencies]


def _set(schedule: Schedule, **fields: Any) -> Schedule:
    """``schedule`` with those of ``fields`` that it has."""
    return replace(schedule, **{name: value for name, value in fields.items() if hasattr(schedule, name)})


def _targets(sparsities: Iterable[float], config: PruningConfig) -> list[float]:
    """The targets ascending, each once, as the shortest decimals of the trainer's f32."""
    try:
        given = [float(sparsity) for sparsity in sparsities]
    except (TypeError, ValueError):
        raise EntrenarVizError(f"sparsities are numbers such as (0.5, 0.9), not {sparsities!r:.60}") from None
    targets = sorted({float(str(np.float32(sparsity))) for sparsity in given})
    if not targets or not all(0 < target < 1 for target in targets):
        wrong = next((target for target in targets if not 0 < target < 1), "none")
        raise EntrenarVizError(f"sparsities are fractions between 0 and 1, such as 0.9 for 90%, not {wrong}")
    fixed = fixed_sparsity(config.pattern)
    if fixed is not None and len(targets) > 1:
        what = f"{pattern_name(config.pattern)} masks have {percent(fixed)} whatever a schedule asks for"
        raise EntrenarVizError(f"{what}: rehearse them, or sweep another pattern")
    return targets


def _frequencies(given: Iterable[int] | None) -> list[int]:
    try:
        found = [] if given is None else sorted({operator.index(frequency) for frequency in given})
    except TypeError:
        found = [0]
    if given is not None and (not found or found[0] < 1):
        raise EntrenarVizError(f"frequencies are whole numbers of steps, such as (100, 500), not {given!r:.60}")
    return found


def _settings(config: PruningConfig, shared: Trials) -> dict[str, Any]:
    """What the numbers depend on, but for schedule, sparsity and seed, which each run has."""
    fields = asdict(config)
    others = {name: fields[name] for name in fields if name not in ("schedule", "target_sparsity")}
    trial = shared.trial
    return {
        "rules": RULES,
        "config": others,
        "total_steps": shared.total_steps,
        "steps": shared.steps,
        "trial": trial.in_words() if isinstance(trial, SmallTraining) else _name(trial),
        "data": trial.digest() if isinstance(trial, SmallTraining) else None,
        "within": shared.within,
    }


def _name(trial: Trial) -> str:
    """The name of a function, or of the class of an object that can be called."""
    named: Any = trial if hasattr(trial, "__qualname__") else type(trial)
    return f"{named.__module__}.{named.__qualname__}"


def _what(job: Job) -> dict[str, Any]:
    """What a run is known by in the file."""
    schedule = DENSE if job.name == DENSE else asdict(job.config.schedule)
    return {"schedule": schedule, "sparsity": job.config.target_sparsity, "seed": job.seed}


def _known(file: ResultsFile, jobs: Iterable[Job]) -> dict[Job, Run]:
    """The runs that are in the file."""
    kept = file.read()
    found = ((job, kept.get(key(_what(job)))) for job in jobs)
    return {job: run_of(job, [job.staircase.steps], [metric]) for job, metric in found if metric is not None}


def _frame(pandas: Any, rows: Sequence[tuple[Job, Run]], metric: str) -> "pd.DataFrame":
    return pandas.DataFrame(
        {
            "schedule": [job.name for job, _ in rows],
            "sparsity": [job.config.target_sparsity for job, _ in rows],
            "frequency": pandas.array([job.frequency for job, _ in rows], dtype="Int64"),
            "seed": [job.seed for job, _ in rows],
            metric: [run.metric for _, run in rows],
            "applied": [job.sparsity for job, _ in rows],
            "problem": [run.problem for _, run in rows],
        }
    )
