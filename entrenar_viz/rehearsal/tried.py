"""What a rehearsal tries: schedules, or plans under one schedule, each with its name."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

from entrenar_viz.config.pruning_config import PruningConfig, fixed_sparsity
from entrenar_viz.config.schedule_facts import typical_window
from entrenar_viz.config.schedules import SCHEDULES, Schedule
from entrenar_viz.errors import EntrenarVizError
from entrenar_viz.masks.order import Within
from entrenar_viz.plan.allocation import allocate
from entrenar_viz.plan.layer_plan import Plan
from entrenar_viz.plan.layer_targets import LayerTargets
from entrenar_viz.plan.shares import Allocation
from entrenar_viz.rehearsal.runs import Trial
from entrenar_viz.rehearsal.small_training import SmallTraining
from entrenar_viz.rehearsal.staircase import Staircase
from entrenar_viz.rehearsal.trial_pruner import DENSE, TrialPruner, asking_nothing
from entrenar_viz.rehearsal.trials import listed, names_of
from entrenar_viz.rehearsal.verdict import Compared

LONGEST_NAME = 40
GivenPlan = Plan | str | None
"""A plan, a method that needs shapes only, or the same of each layer."""
FromShapes = Literal["uniform", "erk"]


@dataclass(frozen=True, eq=False)
class Tried:
    """One of what is compared, or dense: ``plan`` is None where all layers get the same."""

    name: str
    config: PruningConfig
    plan: Plan | None = None

    def check(self, trial: Trial, within: Within) -> None:
        """ConfigError for a plan that is not for what is trained, EntrenarVizError if no layer could be pruned."""
        if self.plan is not None:
            LayerTargets(self.config, self.plan).check(layers_of(trial, self.plan), within)
        if isinstance(trial, SmallTraining):
            trial.left_whole(TrialPruner(self.name, self.config, 1, within, plan=self.plan))

    def sparsity(self, staircase: Staircase, trial: Trial) -> float:
        """What is asked of all weights that can be pruned in the end, a fraction."""
        if self.plan is None:
            return staircase.final_sparsity
        targets, shapes = LayerTargets(self.config, self.plan), layers_of(trial, self.plan)
        whole, unfit = self._left_whole(trial, self.plan), self._left_whole(trial, None)
        can = {name: out * inputs for name, (out, inputs) in shapes.items() if not (name in whole and name in unfit)}
        gone = (size * _final(targets, name, staircase.applied) for name, size in can.items() if name not in whole)
        return sum(gone) / sum(can.values())

    def _left_whole(self, trial: Trial, plan: Plan | None) -> set[str]:
        """The layers of the small network that would be left whole by ``plan``; of others nobody knows."""
        if not isinstance(trial, SmallTraining):
            return set()
        return set(TrialPruner(self.name, self.config, 1, plan=plan).reasons(trial.shapes()))


def _final(targets: LayerTargets, name: str, applied: float) -> float:
    asked, fixed = targets.asked(name, applied), fixed_sparsity(targets.pattern(name))
    return fixed if fixed is not None and asked else asked


def layers_of(trial: Trial, plan: Plan) -> dict[str, tuple[int, int]]:
    """The shapes of the layers, (out, rest): of a trial of your own, which nobody knows, those of ``plan``."""
    if isinstance(trial, SmallTraining):
        return trial.shapes()
    return {layer.name: (layer.shape[0], layer.weights // layer.shape[0]) for layer in plan.layers}


def dense_of(config: PruningConfig) -> Tried:
    """Training without pruning."""
    return Tried(DENSE, asking_nothing(config))


def with_target(config: PruningConfig, schedule: Schedule | None = None) -> PruningConfig:
    """``config`` with that schedule, whose target is that of its own."""
    target = float(str(config.schedule.target(config.target_sparsity)))
    return replace(config, schedule=schedule or config.schedule, target_sparsity=target)


def tried_of(
    config: PruningConfig,
    total_steps: int,
    schedules: Sequence[Schedule] | None,
    *,
    plan: GivenPlan,
    plans: Mapping[str, GivenPlan] | None,
    trial: Trial,
) -> list[Tried]:
    """``config`` by each of the plans, or with each of the schedules, all of them by one plan."""
    if plans is not None:
        if schedules is not None or plan is not None:
            alone = "plans are compared under the schedule of the configuration: leave schedules and plan out"
            raise EntrenarVizError(alone)
        return list(_plans(config, plans, trial))
    given = alternatives(config, total_steps) if schedules is None else listed(schedules)
    planned = plan_of(plan, config, trial)
    names = zip(names_of(given), given, strict=True)
    return [Tried(name, with_target(config, schedule), planned) for name, schedule in names]


def own_of(config: PruningConfig, tried: Sequence[Tried], compared: Compared) -> Tried:
    """The one that is ``config`` as it is; else the last schedule, or the first plan."""
    if compared == "plans":
        return next((one for one in tried if one.plan is None), tried[0])
    return next((one for one in tried if one.config.schedule == config.schedule), tried[-1])


def left_whole(pruners: Sequence[TrialPruner], trial: Trial) -> dict[str, str]:
    """Which layers of the small network are left whole, with the reasons, and by which of ``pruners`` if not by all."""
    if not isinstance(trial, SmallTraining):
        return {}
    reasons = {pruner.name: trial.left_whole(pruner) for pruner in pruners}
    found = {}
    for layer in trial.shapes():
        each = {name: those[layer] for name, those in reasons.items() if layer in those}
        if len(each) == len(reasons) and len(set(each.values())) == 1:
            found[layer] = next(iter(each.values()))
        else:
            found |= {f"{layer} ({name})": reason for name, reason in each.items()}
    return found


def _plans(config: PruningConfig, plans: Mapping[str, GivenPlan], trial: Trial) -> Iterator[Tried]:
    """``config`` by each of the plans."""
    if not isinstance(plans, Mapping) or not plans:
        how = '{"uniform": None, "ERK": "erk"}'
        raise EntrenarVizError(f"plans are a dict of plans by their names, such as {how}, not {plans!r:.60}")
    for name, given in plans.items():
        if not isinstance(name, str) or not 0 < len(name.strip()) <= LONGEST_NAME or not name.isprintable():
            raise EntrenarVizError(f"the name of a plan is up to {LONGEST_NAME} letters in a line, not {name!r:.60}")
        if name == DENSE:
            raise EntrenarVizError(f"{DENSE!r} is training without pruning, which is always there: name no plan so")
        yield Tried(name, with_target(config), plan_of(given, config, trial))


def plan_of(given: GivenPlan, config: PruningConfig, trial: Trial) -> Plan | None:
    """The plan that was given, or that the method makes for the layers of the small network."""
    if given is None or isinstance(given, Plan):
        return given
    method: Any = given
    if method not in get_args(FromShapes):
        raise EntrenarVizError(_no_method(method))
    if not isinstance(trial, SmallTraining):
        fix = f"pass a Plan, allocate(model, sparsity, {given!r})"
        raise EntrenarVizError(f"the layers of a trial of your own are not known here: {fix}")
    shapes = trial.shapes()
    unfit = TrialPruner("", config, 1).reasons(shapes)
    return allocate(shapes, with_target(config).target_sparsity, method, skip=list(unfit))


def _no_method(given: Any) -> str:
    if isinstance(given, str) and given in get_args(Allocation):
        return f"{given!r} needs weights, and the small network has none before it is trained: pass a Plan"
    return f"a plan is a Plan, {' or '.join(map(repr, get_args(FromShapes)))}, or None, not {given!r:.60}"


def alternatives(config: PruningConfig, total_steps: int) -> list[Schedule]:
    """The schedule of ``config``, and the other kinds over its window to its target, OneShot first.

    >>> alternatives(PruningConfig(target_sparsity=0.8, schedule=SCHEDULES[0](step=600)), 1000)[2]
    Cubic(start_step=100, end_step=600, final_sparsity=0.8)
    """
    start, end = config.schedule.window
    if start == end:
        first, last = typical_window(total_steps)
        start, end = (max(end - (last - first), 0), end) if end else (first, last)
    target = float(str(config.schedule.target(config.target_sparsity)))
    own = type(config.schedule)
    others = {kind: kind.over((start, end), target) for kind in SCHEDULES}
    return list((others | {own: config.schedule}).values())
