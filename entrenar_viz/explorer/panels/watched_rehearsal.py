"""One rehearsal of the explorer: what it is made of, what has been read so far, and how it ended."""

from dataclasses import dataclass, field

import numpy as np

from entrenar_viz.config.pruning_config import PruningConfig
from entrenar_viz.config.schedules import Schedule
from entrenar_viz.explorer.background_job import Report
from entrenar_viz.explorer.browser import payload
from entrenar_viz.explorer.controls.settings import Settings
from entrenar_viz.masks.order import Within
from entrenar_viz.rehearsal.outcome import Rehearsal
from entrenar_viz.rehearsal.rehearsing import PreparedRehearsal, prepare
from entrenar_viz.rehearsal.runs import Job
from entrenar_viz.rehearsal.small_training import SmallTraining
from entrenar_viz.rehearsal.trial_pruner import DENSE
from entrenar_viz.rehearsal.verdict import FEWEST, Metric

DECIMALS = 5  # of a fraction: a thousandth of a point


@dataclass(frozen=True)
class RehearsalRequest:
    """What runs are made of: equal ones have equal curves, whichever schedule is chosen.

    ``config`` has method, pattern and target only; ``schedules`` are those that the picture draws.
    """

    config: PruningConfig
    schedules: tuple[Schedule, ...]
    total_steps: int
    within: Within
    training: SmallTraining

    @classmethod
    def of(cls, settings: Settings, within: Within, training: SmallTraining) -> "RehearsalRequest":
        """What the settings ask for; ConfigError for a pattern without sizes."""
        schedules = settings.schedules()
        config = PruningConfig(
            method=settings.method,
            pattern=settings.chosen_pattern(),
            target_sparsity=settings.target_sparsity,
            schedule=schedules["one_shot"],  # whose target is the one of the configuration, as in the picture
        )
        return cls(config, tuple(schedules.values()), settings.total_steps, within, training)


@dataclass(eq=False)
class WatchedRehearsal:
    """The runs of one rehearsal; ``config`` is the one that was chosen when it began, ``steps`` as in ``rehearse``."""

    asked: RehearsalRequest
    config: PruningConfig
    seeds: int
    steps: int | None = None
    ended: bool = False
    result: Rehearsal | None = None
    first: int | None = None
    """The first update of all schedules, a step of the training."""
    jobs: tuple[Job, ...] = ()
    read: list[tuple[int, np.ndarray]] = field(default_factory=list)
    """Steps of the training, each with mean, low and high end of each schedule, (schedules, 3): added by the thread."""

    @property
    def until(self) -> int:
        """The step of the training that the curves have come to."""
        return self.read[-1][0] if self.read else 0

    def work(self, report: Report) -> None:
        """Make all runs side by side until ``report`` raises, then say what they have found."""
        asked = self.asked
        prepared = prepare(
            asked.config,
            asked.total_steps,
            self.seeds,
            steps=self.steps,
            schedules=asked.schedules,
            trial=asked.training,
            within=asked.within,
        )
        self.first, self.jobs = _first_update(prepared), prepared.jobs
        whole = len(prepared.jobs) * len(prepared.own.readings)
        readings = []
        for reading in prepared.side_by_side():
            readings.append(reading)
            if len(readings) % len(prepared.jobs) == 0:
                self._take(prepared, reading[1], [metric for _, _, metric in readings[-len(prepared.jobs) :]])
            report("rehearsing", len(readings) / whole)
        result = prepared.asked_of(self.config).result(prepared.runs_of(readings))
        report(result.verdict, 1.0)
        self.result = result

    def _take(self, prepared: PreparedRehearsal, step: int, metrics: list[float]) -> None:
        """Add what all runs have at a step of the rehearsal."""
        values = np.array(metrics).reshape(-1, self.seeds).T
        mean = values.mean(axis=0)
        ends = Metric().interval(values) if self.seeds >= FEWEST else (mean, mean)
        of_training = int(prepared.own.staircase.unscaled(step))
        self.read.append((of_training, np.stack([mean, *ends], axis=1)))

    def accuracy(self, *, outdated: bool) -> payload.Accuracy:
        """What has been read so far, for the page."""
        read = list(self.read)
        found = np.array([values for _, values in read]).round(DECIMALS)  # (readings, schedules, 3)
        named = self.jobs[:: self.seeds] if read else ()
        curves = [_curve(job, found[:, number]) for number, job in enumerate(named)]
        return payload.Accuracy(steps=[step for step, _ in read], curves=curves, first=self.first, outdated=outdated)


def _curve(job: Job, values: np.ndarray) -> payload.Curve:
    mean, low, high = values.T.tolist()
    kind = DENSE if job.name == DENSE else job.config.schedule.type
    return payload.Curve(name=job.name, type=kind, mean=mean, low=low, high=high)


def _first_update(prepared: PreparedRehearsal) -> int | None:
    staircase = prepared.own.staircase
    firsts = [step for job in prepared.jobs for step in job.staircase.rises[0][:1].tolist()]
    return int(staircase.unscaled(min(firsts))) if firsts else None
