"""What a rehearsal has found."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from entrenar_viz.config.pruning_config import PruningConfig
from entrenar_viz.config.steps import Steps
from entrenar_viz.errors import EntrenarVizError
from entrenar_viz.formatting import counted, sentence
from entrenar_viz.plan.layer_plan import Plan
from entrenar_viz.progress import optional
from entrenar_viz.rehearsal.runs import Job, Run
from entrenar_viz.rehearsal.trial_pruner import DENSE
from entrenar_viz.rehearsal.verdict import (
    ACCURACY,
    Compared,
    Metric,
    PairedDifference,
    interval,
    paired_differences,
    uneven,
    verdict,
)

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False)
class RehearsedSchedule:
    """What the trials of one schedule, of one plan, or of no pruning, have come to. Accuracies are fractions."""

    name: str
    """``OneShot``, ``Gradual``, ``Cubic``, the name of a plan, or ``dense``."""
    config: PruningConfig
    """What was tried: of ``dense``, a configuration that asks for nothing."""
    sparsity: float
    """What is asked for in the end, a fraction; by a plan, of all layers that can be pruned together."""
    per_seed: NDArray[np.float64]
    """The accuracy at the end for each seed, (seeds,)."""
    steps: Steps = field(repr=False)
    """The steps of the training at which the accuracy was read, uint64, ascending, (readings,)."""
    curves: NDArray[np.float64] = field(repr=False)
    """The accuracy at each of ``steps`` for each seed, (seeds, readings)."""
    drop: tuple[float, float, float] | None
    """How much less than dense, with the 95% interval of that: mean, low, high; None for dense itself."""
    metric: Metric = field(repr=False, default_factory=Metric)
    plan: Plan | None = field(repr=False, default=None)
    """Which layer gave how much; None: each the same."""

    @property
    def accuracy(self) -> float:
        """The mean over the seeds at the end; of a trial with another metric, that metric."""
        return float(self.per_seed.mean())

    @property
    def low(self) -> float:
        """The lower end of the 95% interval of ``accuracy``, by Student's t over the seeds; nan for one seed."""
        return float(self.metric.interval(self.per_seed)[0])

    @property
    def high(self) -> float:
        """The upper end of it."""
        return float(self.metric.interval(self.per_seed)[1])

    def words(self) -> str:
        """``Cubic 94.0 (95%: 93.0 to 95.0), 2.8 points below dense``."""
        number = self.metric.number
        words = f"{self.name} {number(self.accuracy)}"
        if len(self.per_seed) > 1:
            words += f" (95%: {number(self.low)} to {number(self.high)})"
        if self.drop is None:
            return words
        above = self.drop[0] < 0
        return f"{words}, {self.metric.amount(abs(self.drop[0]))} {'above' if above else 'below'} {DENSE}"


@dataclass(frozen=True, eq=False, repr=False)
class Rehearsal:
    """What a configuration and its alternatives cost in accuracy, in small trainings. Print it to read all of it."""

    config: PruningConfig
    """What was asked about."""
    total_steps: int
    """The length of its training."""
    steps: int
    """The length of each trial."""
    seeds: tuple[int, ...]
    outcomes: tuple[RehearsedSchedule, ...]
    """One for each schedule, in the order OneShot, Gradual, Cubic; or for each plan, as given."""
    dense: RehearsedSchedule
    """Training without pruning."""
    scaling: str
    """How the training was scaled to the length of a trial, in words."""
    trained: str
    """What was trained on what, in words."""
    left_whole: dict[str, str]
    """The layers of the small network that are not pruned, with the reasons."""
    metric: Metric
    squeezed: int | None = None
    """The steps of a trial that the shortest window has, if scaling has left too few to tell schedules apart."""
    compared: Compared = "schedules"
    """Or ``"plans"``, all of them under the schedule of ``config``."""

    @cached_property
    def differences(self) -> tuple[PairedDifference, ...]:
        """Each pair of schedules, or of plans, that prune, the better one first."""
        finals = {one.name: one.per_seed for one in self.outcomes if one.sparsity > 0}
        return paired_differences(finals, self.metric)

    @cached_property
    def verdict(self) -> str:
        """What can be said of them, in a sentence: which one keeps more, or that there is no difference."""
        ends = {one.name: one.sparsity for one in self.outcomes}
        return "; ".join([verdict(self.differences, self.compared), *uneven(ends, self._grain), *self._too_short()])

    @property
    def own(self) -> RehearsedSchedule | None:
        """That of ``config`` as it is, None if it was not tried; of plans, that without one, or else the first."""
        if self.compared == "plans":
            return next((one for one in self.outcomes if one.plan is None), self.outcomes[0])
        return next((one for one in self.outcomes if one.config.schedule == self.config.schedule), None)

    @property
    def better(self) -> RehearsedSchedule | None:
        """The best of those that are certainly better than ``own`` and prune as much; None if none is known to be."""
        own = self.own
        if own is None or self.squeezed is not None:
            return None
        better = [self[pair.first] for pair in self.differences if pair.is_certain and pair.second == own.name]
        return next((one for one in better if one.sparsity >= own.sparsity - self._grain), None)

    @property
    def _grain(self) -> float:
        """What plans may differ in since they are of whole weights: a weight in each layer."""
        return max((len(plan.layers) / plan.weights for plan in self._plans if plan.weights), default=0.0)

    @property
    def _plans(self) -> list[Plan]:
        return [one.plan for one in self.outcomes if one.plan is not None]

    def _too_short(self) -> list[str]:
        if self.squeezed is None:
            return []
        left = counted(self.squeezed, "step") if self.squeezed else "less than a step"
        what = "tell schedules apart" if self.compared == "schedules" else "follow the schedule"
        return [f"the window has {left} of the rehearsal, too few to {what}: rehearse with more steps"]

    def by_plan(self) -> list[str]:
        """Which layers give how much, a line for each plan; none where all give the same."""
        if self.compared == "plans":
            how = self.config.schedule.words(self.config.target_sparsity)
            return [f"All under {how}", *(f"{one.name}, {one.plan.words()}" for one in self.outcomes if one.plan)]
        return [f"By a plan, {plan.words()}" for plan in self._plans[:1]]

    def __getitem__(self, name: str) -> RehearsedSchedule:
        for one in (*self.outcomes, self.dense):
            if one.name == name:
                return one
        known = ", ".join(one.name for one in (*self.outcomes, self.dense))
        raise EntrenarVizError(f"{name!r:.40} was not rehearsed: there are {known}")

    def to_dataframe(self) -> "pd.DataFrame":
        """A row for each reading: schedule, sparsity, seed, step (of the training), and the metric by its name.

        Where plans are compared, ``plan`` with their names stands in the place of ``schedule``.
        """
        pd = optional("pandas", "to_dataframe needs pandas", "take per_seed and curves of the outcomes")
        parts = []
        for one in (self.dense, *self.outcomes):
            for seed, curve in zip(self.seeds, one.curves, strict=True):
                fixed = {self.compared.removesuffix("s"): one.name, "sparsity": one.sparsity, "seed": seed}
                parts.append(pd.DataFrame({**fixed, "step": one.steps, self.metric.name: curve}))
        return pd.concat(parts, ignore_index=True)

    def __str__(self) -> str:
        rows = [f"  {one.words()}" for one in (self.dense, *self.outcomes)]
        whole = [f"{name} is left whole: {reason}." for name, reason in self.left_whole.items()]
        about = f"{self.trained}; {counted(len(self.seeds), 'seed')}. {sentence(self.scaling)}"
        plans = [f"{words}." for words in self.by_plan()]
        return "\n".join([sentence(self.verdict), f"{self.metric.name} at the end:", *rows, about, *plans, *whole])

    def __repr__(self) -> str:
        return f"<Rehearsal of {self.config.schedule.words(self.config.target_sparsity)}: {self.verdict}>"


def check_run(run: Run, first: Run, metric: Metric) -> None:
    """EntrenarVizError for a run that cannot stand beside ``first``, of the same schedule, or has no such metric."""
    if run.steps != first.steps:
        what = f"seed {run.seed} has {counted(len(run.steps), 'reading')}, seed {first.seed} {len(first.steps):,}"
        if len(run.steps) == len(first.steps):
            step, other = next(pair for pair in zip(run.steps, first.steps, strict=True) if pair[0] != pair[1])
            what = f"seed {run.seed} at {step:,}, seed {first.seed} at {other:,}"
        raise EntrenarVizError(f"{run.name}: a trial must yield at the same steps for every seed; {what}")
    wrong = next((value for value in run.metrics if not 0 <= value <= 1), None)
    if metric.name == ACCURACY and wrong is not None:
        fix = "divide percent by 100, or name another metric"
        raise EntrenarVizError(f"{run.name}, seed {run.seed}: accuracy is a fraction from 0 to 1, not {wrong:g}: {fix}")


def outcome_of(jobs: Sequence[Job], runs: Sequence[Run], dense: Sequence[Run], metric: Metric) -> RehearsedSchedule:
    """The outcome of the ``runs`` of one schedule, a run a seed, beside those of ``dense`` in the same order."""
    job, first = jobs[0], runs[0]
    curves = np.array([run.metrics for run in runs], np.float64)
    lost = np.array([run.metric for run in dense]) - curves[:, -1]
    drop: Any = None if job.name == DENSE else (lost.mean(), *interval(lost))
    return RehearsedSchedule(
        name=job.name,
        config=job.config,
        sparsity=job.sparsity,
        per_seed=curves[:, -1],
        steps=job.staircase.unscaled(first.steps),
        curves=curves,
        drop=drop and tuple(map(float, drop)),
        metric=metric,
        plan=job.plan,
    )
