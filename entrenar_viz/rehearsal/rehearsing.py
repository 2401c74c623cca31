"""``rehearse``: a configuration and its alternatives, tried on small trainings."""

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from itertools import groupby, islice
from typing import Any

from numpy.typing import ArrayLike

from entrenar_viz.config.pruning_config import PruningConfig
from entrenar_viz.config.schedules import Schedule
from entrenar_viz.masks.order import Within
from entrenar_viz.progress import Progress, check_progress, reporting
from entrenar_viz.rehearsal.blas_threads import one_blas_thread
from entrenar_viz.rehearsal.outcome import Rehearsal, check_run, outcome_of
from entrenar_viz.rehearsal.runs import Job, Run, Trial, check_trial, iter_runs, run_of
from entrenar_viz.rehearsal.small_training import WIDTHS, SmallTraining
from entrenar_viz.rehearsal.trial_pruner import DENSE, check_masks, readings_of
from entrenar_viz.rehearsal.trials import SEEDS, Trials, metric_of_trial, trial_of, trials
from entrenar_viz.rehearsal.tried import GivenPlan, Tried, dense_of, left_whole, own_of, tried_of
from entrenar_viz.rehearsal.verdict import ACCURACY, Compared, Metric

READINGS, JUMPS = 40, 20  # evenly spaced, and before and after the largest jumps of each schedule


def rehearse(
    config: PruningConfig,
    total_steps: int,
    seeds: int | Iterable[int] = SEEDS,
    *,
    steps: int | None = None,
    schedules: Sequence[Schedule] | None = None,
    X: ArrayLike | None = None,
    y: ArrayLike | None = None,
    widths: Sequence[int] = WIDTHS,
    within: Within = "tensor",
    plan: GivenPlan = None,
    plans: Mapping[str, GivenPlan] | None = None,
    trial: Trial | None = None,
    metric: str = ACCURACY,
    higher_is_better: bool = True,
    executor: Executor | None = None,
    progress: Progress[Run] | bool | None = None,
) -> Rehearsal:
    """Train a small network under OneShot, Gradual and Cubic, and without pruning, and say which keeps more accuracy.

    It is evidence about the **shape of a schedule**, not about your model: a perceptron on handwritten digits, trained
    for 2,000 steps in well under a second. Its masks are those of ``prune_mask`` for the pattern and the method of
    ``config``; wanda and sparse_gpt score by what enters the layers in the batch of the update.

    - ``config``, ``total_steps``: the configuration and the length of its training. The updates that ``replay`` has of
      it are made at the same shares of the way in ``steps`` (default 2,000).
    - ``seeds``: how many, or which. In each seed all schedules and dense begin with the same weights and see the same
      batches, so that they are compared in pairs. At least 3 are needed for a verdict.
    - ``schedules``: what to compare instead of the configuration's schedule and the two others over its window (Gradual
      in about 20 updates, OneShot at the window's end). A OneShot has no window: the others take the typical one,
      moved so that it ends with it.
    - ``X`` (rows, ...) and ``y`` (rows,): your own data instead of the digits, numbers and classes; a quarter of each
      class is held out. ``widths``: the hidden layers.
    - ``within``: as in ``prune_mask``.
    - ``plan``: which layer gives how much, instead of the same of each: each follows the shape of the schedule, scaled
      to its own sparsity. A ``Plan`` of the layers that are trained (``fc1.weight`` and so on, (out, in), in the small
      network), or ``"uniform"`` or ``"erk"`` to ``allocate`` the target of ``config`` to these.
    - ``plans``: such plans by names, compared instead of schedules: ``{"uniform": None, "ERK": "erk"}``. The schedule
      of ``config`` is tried once by each, None being the same of each layer.
    - ``trial``: your own training instead of all that, as long as ``total_steps``. It is called as
      ``trial(pruner, seed)`` and yields steps with the metric at their end, the last time at the end of the training;
      ``pruner`` is a ``TrialPruner``, whose ``config`` is the one to train with. ``metric`` names what it yields, a
      fraction if that is accuracy; set ``higher_is_better`` to False for a loss.
    - ``executor``: any of concurrent.futures, or ``client.get_executor()`` of Dask; it makes one run at a time for each
      worker and is not closed. Runs are the same whatever the executor, on one machine.
    - ``progress``: called as ``progress(done, total, run)`` after each run, as they finish; what it raises ends the
      rehearsal. True shows a bar of tqdm.

    ConfigError for a configuration that gives no masks and for a plan of other layers, StepError for steps that are
    none, EntrenarVizError for data, widths, seeds, plans or a trial that cannot be used.

    >>> from entrenar_viz import Cubic
    >>> schedule = Cubic(start_step=2000, end_step=7000, final_sparsity=0.98)
    >>> result = rehearse(PruningConfig(schedule=schedule), total_steps=10_000, seeds=3, steps=500)
    >>> [outcome.name for outcome in result.outcomes], result.dense.accuracy > result["Cubic"].accuracy
    (['OneShot', 'Gradual', 'Cubic'], True)
    """
    check_progress(progress)
    what = trial_of(trial, X, y, widths)
    check_trial(what, executor)
    told = metric_of_trial(metric, higher_is_better=higher_is_better, trial=what)
    which: dict[str, Any] = {"schedules": schedules, "plan": plan, "plans": plans}
    prepared = prepare(config, total_steps, seeds, steps=steps, **which, trial=what, within=within)
    runs, firsts = dict[Job, Run](), dict[str, Run]()
    with reporting(progress, len(prepared.jobs), "run") as report:
        for done, (job, run) in enumerate(iter_runs(prepared.jobs, executor), 1):
            check_run(run, firsts.setdefault(run.name, run), told)  # at once: a run of your own may have taken hours
            runs[job] = run
            report(done, len(prepared.jobs), run)
    return prepared.result([runs[job] for job in prepared.jobs], told)


@dataclass(frozen=True, eq=False)
class PreparedRehearsal:
    """The runs of a rehearsal, schedule by schedule or plan by plan, dense first, and what will be made of them."""

    config: PruningConfig
    total_steps: int
    steps: int
    seeds: tuple[int, ...]
    jobs: tuple[Job, ...]
    own: Job
    """One of those with the configuration's schedule, or of the last schedule if that is not tried; of plans, one of
    those without one, or of the first."""
    compared: Compared = "schedules"

    def side_by_side(self) -> Iterator[tuple[int, int, float]]:
        """Make all runs together, a reading of each in turn: the number of its job, the step of the run, the metric.

        So their curves grow together. ``runs_of`` makes runs of all that it yields.
        """
        with one_blas_thread():
            waiting = deque((number, job.readings_of_trial()) for number, job in enumerate(self.jobs))
            while waiting:
                number, trial = waiting.popleft()
                for step, metric in islice(trial, 1):
                    yield number, step, metric
                    waiting.append((number, trial))

    def runs_of(self, readings: Iterable[tuple[int, int, float]]) -> list[Run]:
        """The runs that all ``readings`` of ``side_by_side`` are of, in the order of ``jobs``."""
        told: list[tuple[list[int], list[float]]] = [([], []) for _ in self.jobs]
        for number, step, metric in readings:
            told[number][0].append(step)
            told[number][1].append(metric)
        return [run_of(job, steps, metrics) for job, (steps, metrics) in zip(self.jobs, told, strict=True)]

    def asked_of(self, config: PruningConfig) -> "PreparedRehearsal":
        """The same runs for ``config``, whose schedule is among those that are tried."""
        own = next(job for job in self.jobs if job.config.schedule == config.schedule)
        return replace(self, config=config, own=own)

    def result(self, runs: Sequence[Run], metric: Metric | None = None) -> Rehearsal:
        """What the runs, which are in the order of ``jobs``, have found."""
        jobs = {name: list(of) for name, of in groupby(self.jobs, key=lambda job: job.name)}
        by_name = {name: list(of) for name, of in groupby(runs, key=lambda run: run.name)}
        told = metric or metric_of_trial(ACCURACY, higher_is_better=True, trial=self.own.trial)
        dense, *outcomes = (outcome_of(jobs[name], by_name[name], by_name[DENSE], told) for name in jobs)
        trial, windows = self.own.trial, [job.staircase.squeezed for job in self.jobs]
        return Rehearsal(
            config=self.config,
            total_steps=self.total_steps,
            steps=self.steps,
            seeds=self.seeds,
            outcomes=tuple(outcomes),
            dense=dense,
            scaling=self.own.staircase.in_words(),
            trained=trial.in_words() if isinstance(trial, SmallTraining) else "your own training",
            left_whole=left_whole([of[0].pruner() for of in jobs.values()][1:], trial),
            metric=told,
            compared=self.compared,
            squeezed=min((steps for steps in windows if steps is not None), default=None),
        )


def prepare(
    config: PruningConfig,
    total_steps: int,
    seeds: int | Iterable[int] = SEEDS,
    *,
    steps: int | None = None,
    schedules: Sequence[Schedule] | None = None,
    plan: GivenPlan = None,
    plans: Mapping[str, GivenPlan] | None = None,
    trial: Trial,
    within: Within = "tensor",
) -> PreparedRehearsal:
    """The runs that a rehearsal will make; arguments and errors as those of ``rehearse``."""
    shared = trials(total_steps, seeds, steps=steps, trial=trial, within=within)
    check_masks(config, within)
    tried = tried_of(config, shared.total_steps, schedules, plan=plan, plans=plans, trial=trial)
    for one in tried:
        one.check(trial, within)
    jobs = _jobs(shared, [dense_of(config), *tried])
    compared: Compared = "schedules" if plans is None else "plans"
    own = own_of(config, tried, compared).name
    own_job = next(job for job in jobs if job.name == own)
    return PreparedRehearsal(config, shared.total_steps, shared.steps, shared.seeds, jobs, own_job, compared)


def _jobs(shared: Trials, tried: Sequence[Tried]) -> tuple[Job, ...]:
    """The runs of all that is tried, which have the same readings."""
    staircases = [shared.staircase(one.config) for one in tried]
    readings = readings_of((staircase.updates for staircase in staircases), shared.steps, READINGS, JUMPS)
    found = list[Job]()
    for one, staircase in zip(tried, staircases, strict=True):
        sparsity = one.sparsity(staircase, shared.trial)
        found += shared.jobs(one.name, staircase, readings, plan=one.plan, sparsity=sparsity)
    return tuple(found)
