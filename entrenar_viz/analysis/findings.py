"""What to know about a configuration before its training starts: findings with the numbers, and fixes."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any, Literal

import numpy as np

from entrenar_viz.analysis.fixes import (
    MANY_UPDATES,
    RECOVERY,
    ending_by,
    latest_end,
    reaching_frequency,
    typical,
    typical_frequency,
)
from entrenar_viz.analysis.updates import Replay, replay
from entrenar_viz.config.pruning_config import NM, PruningConfig
from entrenar_viz.config.schedules import Cubic, Gradual, OneShot, Schedule
from entrenar_viz.formatting import percent

Severity = Literal["error", "warning", "info"]
HIGH_SPARSITY = np.float32(0.7)


@dataclass(frozen=True)
class Fix:
    """A changed configuration that removes a finding; ``label`` says in a few words what changes."""

    label: str
    config: PruningConfig


@dataclass(frozen=True)
class Finding:
    """Something to know before the training starts: a stable ``code``, and a sentence with the numbers."""

    code: str
    severity: Severity
    message: str
    fixes: tuple[Fix, ...] = ()

    @property
    def fix(self) -> PruningConfig | None:
        """The first of ``fixes``, if there is one."""
        return self.fixes[0].config if self.fixes else None


def review(config: PruningConfig, total_steps: int) -> list[Finding]:
    """What to know about ``config`` in a training of ``total_steps`` steps, the gravest first.

    Raises StepError for a bad ``total_steps``.
    """
    run = replay(config, total_steps)
    found = [finding for check in CHECKS for finding in check(config, run)]
    return sorted(found, key=lambda finding: ("error", "warning", "info").index(finding.severity))


def _moved(config: PruningConfig, latest: int) -> tuple[Fix, ...]:
    moved = ending_by(config, latest)
    return (Fix(_change(config.schedule, moved.schedule), moved),) if moved else ()


def _change(old: Any, new: Schedule) -> str:
    if isinstance(new, OneShot):
        return f"prune at step {new.step:,}"
    changes = []
    if replace(old, start_step=new.start_step, end_step=new.end_step) != old:
        changes.append(f"prune in steps {new.start_step:,} to {new.end_step:,}")
    if isinstance(new, Gradual) and replace(old, initial_sparsity=new.initial_sparsity) != old:
        changes.append(f"start at {percent(new.initial_sparsity)}")
    if isinstance(new, Gradual) and replace(old, frequency=new.frequency) != old:
        changes.append(_every(new.frequency))
    return ", ".join(changes)


def _every(steps: int) -> str:
    return "every step" if steps == 1 else f"every {steps:,} steps"


def _rescheduled(label: str, config: PruningConfig, **fields: Any) -> Fix:
    return Fix(label, replace(config, schedule=replace(config.schedule, **fields)))


def _nothing_pruned(config: PruningConfig, run: Replay) -> Iterator[Finding]:
    if run.num_updates:
        return
    why = _why_nothing(config, run)
    fixes: tuple[Fix, ...] = ()
    if run.target > 0:
        fixes = _moved(config, latest_end(run.total_steps)) or _moved(config, run.total_steps)
    yield Finding("nothing-pruned", "error", f"Nothing is pruned: {why}.", fixes)


def _why_nothing(config: PruningConfig, run: Replay) -> str:
    schedule, total = config.schedule, run.total_steps
    start = schedule.step if isinstance(schedule, OneShot) else schedule.start_step
    if start > total:
        return f"the schedule starts at step {start:,}, after the training ends at step {total:,}"
    if run.target == 0:
        return "the target is 0%"
    if not isinstance(schedule, Gradual) or 0 < schedule.frequency <= schedule.end_step - start:
        return f"the training ends at step {total:,}, before the first update that would prune"
    if schedule.frequency == 0:
        return f"frequency 0 allows one update only, at step {start:,}, where the sparsity is still 0%"
    window = schedule.end_step - start
    return f"frequency {schedule.frequency:,} is longer than the window of {window:,} steps, and it starts at 0%"


def _target_missed(config: PruningConfig, run: Replay) -> Iterator[Finding]:
    schedule = config.schedule
    if not isinstance(schedule, Gradual) or not run.num_updates or not run.shortfall:
        return
    if isinstance(config.pattern, NM):  # then no schedule decides the sparsity
        return
    if schedule.end_step > run.total_steps:  # ends-after-training says why
        return
    window, every = schedule.end_step - schedule.start_step, schedule.frequency
    why = f"{every:,} does not divide the window of {window:,} steps"
    if every == 0:
        why = f"frequency 0 allows one update only, at step {schedule.start_step:,}"
    short = f"{float(run.shortfall) * 100:.3g} points short of {percent(run.target)}"
    message = f"Gradual stops at {percent(run.final_sparsity)}, {short}: {why}."
    yield Finding("target-missed", "warning", message, tuple(_reaching_fixes(config, schedule, run.total_steps)))


def _reaching_fixes(config: PruningConfig, schedule: Gradual, total: int) -> Iterator[Fix]:
    every, window = schedule.frequency, schedule.end_step - schedule.start_step
    better = reaching_frequency(schedule)
    updates = 0
    if every:
        updates = min(max(round(Fraction(window, every)), 1), (total - schedule.start_step) // every)
    if not updates or better <= 2 * every <= 4 * better:  # of a window with few divisors none may be near
        yield _rescheduled(_every(better), config, frequency=better)
    if updates:
        end = schedule.start_step + updates * every
        yield _rescheduled(f"end at step {end:,}", config, end_step=end)


def _ends_after_training(config: PruningConfig, run: Replay) -> Iterator[Finding]:
    schedule, total = config.schedule, run.total_steps
    if isinstance(schedule, OneShot) or schedule.end_step <= total or not run.num_updates or not run.shortfall:
        return
    if isinstance(config.pattern, NM):  # one update is all it takes
        return
    ends = f"The window ends at step {schedule.end_step:,}, after the training ends at step {total:,}"
    reached = f"the sparsity stops at {percent(run.final_sparsity)} of {percent(run.target)}"
    fixes = _moved(config, latest_end(total)) or _moved(config, total)
    yield Finding("ends-after-training", "warning", f"{ends}: {reached}.", fixes)


def _no_recovery(config: PruningConfig, run: Replay) -> Iterator[Finding]:
    left, total = run.recovery_steps, run.total_steps
    if run.num_updates and left < RECOVERY * total:
        share = f"{left:,} of {total:,} steps ({percent(left / total)}) are left"
        message = f"Only {share} for recovery after the last update: the chapter keeps 40%."
        yield Finding("no-recovery", "warning", message, _moved(config, latest_end(total)))


def _one_shot_high_sparsity(config: PruningConfig, run: Replay) -> Iterator[Finding]:
    if not isinstance(config.schedule, OneShot) or run.target <= HIGH_SPARSITY or isinstance(config.pattern, NM):
        return
    fixes: tuple[Fix, ...] = ()
    if run.total_steps > 1:
        fixes = (Fix("use Cubic", replace(config, schedule=typical(Cubic, config, run.total_steps))),)
    message = f"OneShot takes {percent(run.target)} at once: above 70% the network seldom recovers from that."
    yield Finding("one-shot-high-sparsity", "warning", message, fixes)


def _sparsity_mismatch(config: PruningConfig, run: Replay) -> Iterator[Finding]:
    schedule = config.schedule
    if isinstance(schedule, OneShot) or run.target == np.float32(config.target_sparsity):
        return
    label = f"set target_sparsity to {percent(run.target)}"
    message = (
        f"target_sparsity is {percent(config.target_sparsity)}, but the schedule ends at {percent(run.target)}: "
        "the trainer follows the schedule and does not compare them."
    )
    fixed = replace(config, target_sparsity=schedule.final_sparsity)
    yield Finding("sparsity-mismatch", "warning", message, (Fix(label, fixed),))


def _decreasing(config: PruningConfig, run: Replay) -> Iterator[Finding]:
    schedule = config.schedule
    if not isinstance(schedule, Gradual) or np.float32(schedule.initial_sparsity) <= run.target:
        return
    if isinstance(config.pattern, NM) or not run.num_updates:
        return
    initial = percent(schedule.initial_sparsity)
    message = f"The schedule falls from {initial} to {percent(run.target)}, but pruned weights stay pruned: {initial}."
    rising = replace(schedule, initial_sparsity=0.0, frequency=reaching_frequency(schedule))
    fits = run.target and schedule.start_step + rising.frequency <= run.total_steps
    fixes = (Fix(_change(schedule, rising), replace(config, schedule=rising)),) if fits else ()
    yield Finding("decreasing", "warning", message, fixes)


def _many_updates(config: PruningConfig, run: Replay) -> Iterator[Finding]:
    if run.num_updates <= MANY_UPDATES:
        return
    schedule = config.schedule
    fixes: tuple[Fix, ...] = ()
    if isinstance(schedule, Gradual):
        every = typical_frequency(schedule.end_step - schedule.start_step)
        fixes = (_rescheduled(_every(every), config, frequency=every),)
    how = "at every step of its window" if isinstance(schedule, Cubic) else "very often"
    message = f"The mask changes {how}: {run.num_updates:,} updates, each of which ranks all weights again."
    yield Finding("many-updates", "info", message, fixes)


def _nm_fixes_sparsity(config: PruningConfig, run: Replay) -> Iterator[Finding]:
    pattern, schedule = config.pattern, config.schedule
    if not isinstance(pattern, NM) or pattern.n == 0:  # keeps-nothing says it
        return
    sparsity = 1 - pattern.n / pattern.m
    if isinstance(schedule, OneShot) and run.target == np.float32(sparsity):
        return
    name = f"{pattern.n}:{pattern.m}"
    message = f"{name} prunes {percent(sparsity)} from the first update on: it ignores the sparsity of the schedule."
    step = schedule.step if isinstance(schedule, OneShot) else min(schedule.start_step, run.total_steps)
    fixed = replace(config, schedule=OneShot(step=step), target_sparsity=sparsity)
    yield Finding("nm-fixes-sparsity", "info", message, (Fix(f"OneShot at {percent(sparsity)}", fixed),))


def _needs_calibration(config: PruningConfig, run: Replay) -> Iterator[Finding]:
    if config.method != "magnitude":
        message = f"The trainer needs calibration data for {config.method}; magnitude does without."
        fix = Fix("use magnitude", replace(config, method="magnitude"))
        yield Finding("needs-calibration", "info", message, (fix,))


def _keeps_nothing(config: PruningConfig, run: Replay) -> Iterator[Finding]:
    pattern = config.pattern
    if not isinstance(pattern, NM) and run.final_sparsity == 1:
        yield Finding("keeps-nothing", "error", "A sparsity of 100% keeps no weight: every layer becomes zero.")
    if isinstance(pattern, NM) and pattern.n == 0:
        half = pattern.m // 2
        fixes = (Fix(f"keep {half} of {pattern.m}", replace(config, pattern=replace(pattern, n=half))),) if half else ()
        message = f"0:{pattern.m} keeps none of every {pattern.m} weights: every layer becomes zero."
        yield Finding("keeps-nothing", "error", message, fixes)


def _learning_rate(config: PruningConfig, run: Replay) -> Iterator[Finding]:
    if config.fine_tune_after_pruning and np.float32(config.fine_tune_lr) <= 0:
        message = f"fine_tune_lr is {config.fine_tune_lr:g}: fine-tuning cannot recover what pruning has cost."
        fix = Fix("set fine_tune_lr to 1e-05", replace(config, fine_tune_lr=1e-5))
        yield Finding("learning-rate", "warning", message, (fix,))


CHECKS = (
    _nothing_pruned,
    _keeps_nothing,
    _target_missed,
    _ends_after_training,
    _no_recovery,
    _one_shot_high_sparsity,
    _sparsity_mismatch,
    _decreasing,
    _learning_rate,
    _many_updates,
    _nm_fixes_sparsity,
    _needs_calibration,
)
