"""Runs: a trial of one schedule with one seed. Any executor can make them."""

import math
import operator
import pickle
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ProcessPoolExecutor, wait
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from entrenar_viz.config.pruning_config import PruningConfig
from entrenar_viz.errors import EntrenarVizError
from entrenar_viz.masks.order import Within
from entrenar_viz.plan.layer_plan import Plan
from entrenar_viz.rehearsal.blas_threads import one_blas_thread
from entrenar_viz.rehearsal.staircase import Staircase
from entrenar_viz.rehearsal.trial_pruner import TrialPruner

AHEAD = 32  # runs handed to an executor before the first of them is back
MOST_SAID = 300  # letters of what a trial has raised
Trial = Callable[[TrialPruner, int], Iterable[tuple[int, float]]]
"""Trains with a pruner and a seed, and yields the metric at the end of some steps, the last time at the end."""


@dataclass(frozen=True, eq=False)
class Job:
    """What a run is made of."""

    name: str
    """Of the schedule, or ``dense``."""
    staircase: Staircase
    seed: int
    trial: Trial
    readings: tuple[int, ...] = ()
    within: Within = "tensor"
    sparsity: float = 0.0
    """The target."""
    frequency: int | None = None
    """Steps of the training between two updates; None where they cannot be set."""
    plan: Plan | None = None

    @property
    def config(self) -> PruningConfig:
        """The configuration that is tried."""
        return self.staircase.config

    def pruner(self) -> TrialPruner:
        """What the trial prunes by, at its start."""
        steps, updates = self.staircase.steps, self.staircase.updates
        return TrialPruner(self.name, self.config, steps, self.within, self.readings, updates, self.plan)

    def readings_of_trial(self) -> Iterator[tuple[int, float]]:
        """Make the run: the metric by the steps at whose end it was read, as soon as it is there.

        EntrenarVizError for a trial that yields something else.
        """
        before, last = 0, self.staircase.steps
        for told in self._started():
            step, metric = self._checked(told, before)
            yield step, metric
            before = step
        if not before:
            raise EntrenarVizError(f"{self}: the trial yielded nothing: it must yield a step and its metric")
        if before < last:
            fix = "yield the metric at the end of the training too"
            raise EntrenarVizError(f"{self}: the last metric is that of step {before:,} of {last:,}: {fix}")

    def _started(self) -> Iterable[Any]:
        told: Any = self.trial(self.pruner(), self.seed)
        if not isinstance(told, Iterable):
            what = f"it returned {type(told).__name__}"
            raise EntrenarVizError(f"{self}: a trial yields steps with their metric, again and again: {what}")
        return told

    def _checked(self, told: Any, before: int) -> tuple[int, float]:
        try:
            given_step, given_metric = told
            step, metric = operator.index(given_step), _number(given_metric)
        except (TypeError, ValueError, RuntimeError):  # the last is torch's, of a tensor with several numbers
            raise EntrenarVizError(f"{self}: a trial yields a whole step and a number, not {told!r:.60}") from None
        if not before < step <= self.staircase.steps:
            last = self.staircase.steps
            raise EntrenarVizError(f"{self}: steps must ascend from 1 to {last:,}, not {step:,} after {before:,}")
        if not math.isfinite(metric):
            raise EntrenarVizError(f"{self}: the metric at step {step:,} is {metric}: the training has diverged")
        return step, metric

    def __str__(self) -> str:
        return f"{self.name}, seed {self.seed}"


def _number(metric: Any) -> float:
    """A number of Python, numpy, torch or JAX; a loss still has its graph, of which ``float`` would warn."""
    if isinstance(metric, (str, bytes)):
        raise TypeError
    return float(metric.item() if hasattr(metric, "item") else metric)


@dataclass(frozen=True)
class Run:
    """How a run went."""

    name: str
    """Of the schedule, or ``dense``."""
    seed: int
    sparsity: float
    """The target, a fraction; 0 for dense."""
    frequency: int | None
    """Steps of the training between two updates; None where they cannot be set."""
    steps: tuple[int, ...] = field(repr=False)
    """The steps of the rehearsal at whose end the metric was read, ascending."""
    metrics: tuple[float, ...] = field(repr=False)
    """The metric at each of them."""
    problem: str = ""
    """Why the trial failed, in which case the metric is nan; only a sweep goes on then."""

    @property
    def metric(self) -> float:
        """The metric at the end."""
        return self.metrics[-1]


def make_run(job: Job) -> Run:
    """Make a run from its start to its end."""
    with one_blas_thread():
        steps, metrics = zip(*job.readings_of_trial(), strict=True)
    return run_of(job, steps, metrics)


def run_of(job: Job, steps: Iterable[int], metrics: Iterable[float], problem: str = "") -> Run:
    """The run of ``job`` that has read ``metrics`` at the end of ``steps``."""
    return Run(job.name, job.seed, job.sparsity, job.frequency, tuple(steps), tuple(metrics), problem)


def attempt_run(job: Job) -> Run:
    """Make a run; one whose trial raises is without a metric, and says what that was."""
    try:
        return make_run(job)
    except Exception as error:  # whatever it is, the other runs are worth having
        said = str(error) if isinstance(error, EntrenarVizError) else f"{type(error).__name__}: {error}"
        return run_of(job, [job.staircase.steps], [math.nan], " ".join(said.split())[:MOST_SAID])


def check_trial(trial: Trial, executor: Executor | None) -> None:
    """EntrenarVizError for what is no trial, or cannot be sent to the processes of ``executor``."""
    if not callable(trial):
        raise EntrenarVizError(f"a trial is a function of a pruner and a seed, not {type(trial).__name__}")
    if not isinstance(executor, ProcessPoolExecutor):
        return
    try:
        pickle.dumps(trial)
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        fix = "define it at the top of a module, or leave executor out"
        raise EntrenarVizError(f"the trial cannot be sent to another process: {fix} ({error})") from None


def iter_runs(
    jobs: Iterable[Job],
    executor: Executor | None,
    make: Callable[[Job], Run] = make_run,
    keep: Callable[[Job, Run], object] = lambda job, run: None,
) -> Iterator[tuple[Job, Run]]:
    """The jobs with their runs by ``make``, as these finish: in any order, with an executor some of them at a time.

    Each run is passed to ``keep`` once it is there, before it is told: also those that are there when this ends early.
    Those that wait are cancelled then.
    """
    if executor is None:
        for job in jobs:
            run = make(job)
            keep(job, run)
            yield job, run
        return
    rest, waiting = iter(jobs), dict[Future[Run], Job]()
    try:
        for job in islice(rest, AHEAD):
            waiting[executor.submit(make, job)] = job
        while waiting:
            done, _ = wait(waiting, return_when=FIRST_COMPLETED)
            for job in islice(rest, len(done)):
                waiting[executor.submit(make, job)] = job
            for future in done:
                run, job = future.result(), waiting[future]
                try:
                    keep(job, run)
                finally:  # what cannot be kept is not tried again below
                    del waiting[future]
                yield job, run
    finally:
        for future in waiting:
            future.cancel()
        for future, job in waiting.items():
            if future.done() and not future.cancelled() and future.exception() is None:
                keep(job, future.result())
