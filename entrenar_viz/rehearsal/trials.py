"""What all runs of a rehearsal or of a sweep have in common: lengths, seeds, and the training that is tried."""

import operator
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from numpy.typing import ArrayLike

from entrenar_viz.analysis.updates import whole_steps
from entrenar_viz.config.pruning_config import PruningConfig
from entrenar_viz.config.schedules import Schedule
from entrenar_viz.errors import EntrenarVizError, StepError
from entrenar_viz.masks.order import Within
from entrenar_viz.plan.layer_plan import Plan
from entrenar_viz.rehearsal.runs import Job, Trial
from entrenar_viz.rehearsal.small_training import WIDTHS, SmallTraining, small_training
from entrenar_viz.rehearsal.staircase import Staircase
from entrenar_viz.rehearsal.sweep_table import COLUMNS
from entrenar_viz.rehearsal.verdict import ACCURACY, Metric

STEPS = 2_000
SEEDS = 5
LONGEST = 10_000_000
TAKEN = (*COLUMNS, "plan", "step")  # by the columns of rehearsals and sweeps


@dataclass(frozen=True, eq=False)
class Trials:
    """Trials of ``steps`` steps for a training of ``total_steps``, the same seeds for whatever is tried."""

    total_steps: int
    steps: int
    seeds: tuple[int, ...]
    trial: Trial
    within: Within

    def staircase(self, config: PruningConfig) -> Staircase:
        """The updates of ``config``, scaled to the length of a trial."""
        return Staircase(config, self.total_steps, self.steps)

    def jobs(
        self,
        name: str,
        staircase: Staircase,
        readings: tuple[int, ...] = (),
        *,
        plan: Plan | None = None,
        sparsity: float | None = None,
    ) -> list[Job]:
        """A job for each seed; without ``readings`` the metric is read at the end only.

        ``sparsity`` is what is asked of all layers in the end, by default what the schedule comes to.
        """
        every, final = staircase.config.schedule.every, staircase.final_sparsity if sparsity is None else sparsity
        same = self.trial, readings, self.within, final, every, plan
        return [Job(name, staircase, seed, *same) for seed in self.seeds]


def trials(total_steps: int, seeds: int | Iterable[int], *, steps: int | None, trial: Trial, within: Within) -> Trials:
    """Check lengths and seeds; StepError or EntrenarVizError for what is wrong with them."""
    total, found = at_least_one(total_steps, "total_steps"), seeds_of(seeds)
    small = isinstance(trial, SmallTraining)
    length = at_least_one((STEPS if small else total) if steps is None else steps, "steps")
    if not small and length != total:
        fix = f"set total_steps to {length:,} and leave steps out"
        raise StepError(f"a trial of your own is as long as its training: {fix}")
    return Trials(total, length, found, trial, within)


def trial_of(trial: Trial | None, x: ArrayLike | None, y: ArrayLike | None, widths: Sequence[int]) -> Trial:
    """The trial given, or the small training; EntrenarVizError if both are asked for."""
    if trial is None:
        return small_training(x, y, widths)
    if x is not None or y is not None or tuple(widths) != WIDTHS:
        raise EntrenarVizError("a trial of your own has its own data and network: leave X, y and widths out")
    return trial


def metric_of_trial(name: str, *, higher_is_better: bool, trial: Trial) -> Metric:
    """What the trial tells; EntrenarVizError for what is no name of a column, and what the small training tells not."""
    if not isinstance(name, str) or not name or name in TAKEN:
        raise EntrenarVizError(f"metric is the name of a column, and none of {', '.join(TAKEN)}, not {name!r:.60}")
    if isinstance(trial, SmallTraining) and (name != ACCURACY or not higher_is_better):
        fix = "leave metric and higher_is_better out, or give a trial of your own"
        raise EntrenarVizError(f"the small network tells its accuracy, of which more is better: {fix}")
    return Metric(name, bool(higher_is_better), trial.grain() if isinstance(trial, SmallTraining) else 0.0)


def names_of(schedules: Sequence[Any]) -> list[str]:
    """The kinds of the schedules, those of a kind numbered if there are several.

    >>> from entrenar_viz import OneShot
    >>> names_of([OneShot(step=9), OneShot(step=5)])
    ['OneShot 1', 'OneShot 2']
    """
    kinds = [type(schedule).__name__ for schedule in schedules]
    numbers = [kinds[: index + 1].count(kind) for index, kind in enumerate(kinds)]
    return [kind if kinds.count(kind) == 1 else f"{kind} {at}" for kind, at in zip(kinds, numbers, strict=True)]


def listed(schedules: Iterable[Schedule]) -> list[Schedule]:
    """The schedules that were given; EntrenarVizError if there is none, and for what is none."""
    given: Any = schedules
    if not isinstance(given, Iterable) or isinstance(given, str):
        raise EntrenarVizError(f"schedules are a list, such as [{given!r:.60}], even if there is one")
    found = list(given)
    if not found:
        raise EntrenarVizError("there is no schedule to rehearse")
    if wrong := [one for one in found if not hasattr(one, "update_steps")]:
        raise EntrenarVizError(f"schedules are such as OneShot(step=100), not {wrong[0]!r:.60}")
    return found


def seeds_of(given: int | Iterable[int]) -> tuple[int, ...]:
    """The seeds, from 0 on if their number is given; EntrenarVizError for what is none."""
    listed: Any = given
    try:
        count = operator.index(listed)
        found = tuple(range(count))
    except TypeError:
        try:
            found = tuple(operator.index(seed) for seed in listed)
        except TypeError:
            found = ()
    if not found or min(found) < 0 or len(set(found)) < len(found):
        raise EntrenarVizError(f"seeds are how many there are, or different whole numbers from 0 on, not {given!r:.60}")
    return found


def at_least_one(steps: int, name: str = "steps") -> int:
    """``steps`` as a whole number; StepError, by their ``name``, for none and for a rehearsal without end."""
    number = whole_steps(steps, name)
    if number == 0:
        raise StepError(f"{name} must be at least 1: nothing can be rehearsed in no step")
    if name == "steps" and number > LONGEST:
        raise StepError(f"steps must be at most {LONGEST:,}: a rehearsal is short")
    return number
