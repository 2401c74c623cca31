"""What to know about a configuration before its training starts: findings with the numbers, and fixes."""

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np

from entrenar_viz.analysis.finding import Finding, Fix, by_severity
from entrenar_viz.analysis.updates import Replay, replay, requested_at, updates_due
from entrenar_viz.analysis.weight_findings import weight_findings
from entrenar_viz.config.pruning_config import NM, PruningConfig, fixed_sparsity, pattern_name
from entrenar_viz.config.schedules import Cubic, OneShot
from entrenar_viz.config.steps import num_steps
from entrenar_viz.config.typical import (
    MANY_UPDATES,
    RECOVERY,
    TYPICAL_UPDATES,
    latest_end,
    reaching_frequency,
    typical_frequency,
)
from entrenar_viz.formatting import counted, percent, points
from entrenar_viz.models.weights import Source, load_weights

HIGH_SPARSITY = np.float32(0.7)
NEARLY_ALL = np.float32(0.999)


def review(config: PruningConfig, total_steps: int, weights: Source | None = None) -> list[Finding]:
    """What to know about ``config`` in a training of ``total_steps`` steps, the most serious first.

    With ``weights``, what ``load_weights`` takes, also what does not go with them: by names and shapes, no number is
    read. Raises StepError for a bad ``total_steps``, WeightsError for weights that cannot be opened.

    >>> [finding.code for finding in review(PruningConfig(), 10_000, {"lm_head.weight": [[1.0, 2.0]]})]
    ['never-fires', 'layers-left-whole']
    """
    run = replay(config, total_steps)
    found = [finding for check in CHECKS for finding in check(config, run)]
    if weights is not None:
        found += weight_findings(config, load_weights(weights))
    return by_severity(found)


def _moved(config: PruningConfig, latest: int, total_steps: int) -> tuple[Fix, ...]:
    """The schedule ended by ``latest``; where that leaves a window of a few steps, a typical one."""
    schedule: Any = config.schedule
    moved, target = schedule.within(latest), schedule.target(config.target_sparsity)
    short = moved and 0 < moved.window[1] - moved.window[0] < TYPICAL_UPDATES
    if short and target and latest_end(total_steps) >= TYPICAL_UPDATES:  # typical ones rise from 0%
        moved = type(schedule).typical(total_steps, float(str(target)))
    if not moved:
        return ()
    fixed = replace(config, schedule=moved)
    return (Fix(_change(schedule, moved), fixed),) if _prunes(fixed, total_steps) else ()


def _prunes(config: PruningConfig, total_steps: int) -> bool:
    """Whether any update is asked for anything; schedules rise or fall all the way, so the ends tell."""
    due = updates_due(config, total_steps)
    return bool(due) and bool((requested_at(config, [due[0], due[-1]]) > 0).any())


def _change(old: Any, new: Any) -> str:
    """What differs between two schedules of a kind."""
    start, end = new.window
    changes = []
    if old.window != new.window:
        changes.append(f"prune at step {end:,}" if start == end else f"prune in steps {start:,} to {end:,}")
    if old.initial != new.initial:
        changes.append(f"start at {percent(new.initial)}")
    if new.every is not None and old.every != new.every:
        changes.append(_every(new.every))
    return ", ".join(changes)


def _every(steps: int) -> str:
    return "every step" if steps == 1 else f"every {steps:,} steps"


def _rescheduled(label: str, config: PruningConfig, **fields: Any) -> Fix:
    return Fix(label, replace(config, schedule=replace(config.schedule, **fields)))


def _never_fires(config: PruningConfig, run: Replay) -> Iterator[Finding]:
    if not _only_at_step_0(config) or run.target == 0:
        return
    message = (
        "Nothing is pruned in a training: the only update is at step 0, and a training counts its steps from 1. "
        f"Pruning after the training goes to {percent(config.target_sparsity)} at once and never looks at the schedule."
    )
    fixes = _moved(config, latest_end(run.total_steps), run.total_steps)
    yield Finding("never-fires", "error", message, fixes or _moved(config, run.total_steps, run.total_steps))


def _only_at_step_0(config: PruningConfig) -> bool:
    due = config.schedule.update_steps
    return due.start == 0 and num_steps(due) == 1


def _nothing_pruned(config: PruningConfig, run: Replay) -> Iterator[Finding]:
    if run.num_updates or (_only_at_step_0(config) and run.target > 0):
        return
    why, total = _why_nothing(config, run), run.total_steps
    fixes: tuple[Fix, ...] = ()
    if run.target > 0:
        fixes = _moved(config, latest_end(total), total) or _moved(config, total, total)
    yield Finding("nothing-pruned", "error", f"Nothing is pruned: {why}.", fixes)


def _why_nothing(config: PruningConfig, run: Replay) -> str:
    schedule, total = config.schedule, run.total_steps
    (start, end), every = schedule.window, schedule.every
    if start > total:
        return f"the schedule starts at step {start:,}, after the training ends at step {total:,}"
    if run.target == 0:
        return "the target is 0%"
    if every is None or 0 < every <= end - start:
        return f"the training ends at step {total:,}, before the first update that would prune"
    if every == 0:
        return f"frequency 0 allows one update only, at step {start:,}, where the sparsity is still 0%"
    return f"frequency {every:,} is longer than the window of {counted(end - start, 'step')}, and it starts at 0%"


def _target_missed(config: PruningConfig, run: Replay) -> Iterator[Finding]:
    schedule = config.schedule
    (start, end), every = schedule.window, schedule.every
    if every is None or not run.num_updates or not run.shortfall:
        return
    if isinstance(config.pattern, NM):  # then no schedule decides the sparsity
        return
    if end > run.total_steps:  # ends-after-training says why
        return
    why = f"{every:,} does not divide the window of {counted(end - start, 'step')}"
    if every == 0:
        why = f"frequency 0 allows one update only, at step {start:,}"
    short = f"{points(run.shortfall)} short of {percent(run.target)}"
    message = f"{type(schedule).__name__} stops at {percent(run.final_sparsity)}, {short}: {why}."
    yield Finding("target-missed", "warning", message, tuple(_reaching_fixes(config, every, run.total_steps)))


def _reaching_fixes(config: PruningConfig, every: int, total: int) -> Iterator[Fix]:
    start, end = config.schedule.window
    better, updates = reaching_frequency(end - start, every), 0
    if every:
        updates = min(max(round(Fraction(end - start, every)), 1), (total - start) // every)
    if not updates or better <= 2 * every <= 4 * better:  # of a window with few divisors none may be near
        yield _rescheduled(_every(better), config, frequency=better)
    if updates:
        end = start + updates * every
        yield _rescheduled(f"end at step {end:,}", config, end_step=end)


def _ends_after_training(config: PruningConfig, run: Replay) -> Iterator[Finding]:
    end, total = config.schedule.window[1], run.total_steps
    if end <= total or not run.num_updates or not run.shortfall:
        return
    if isinstance(config.pattern, NM):  # one update is all it takes
        return
    ends = f"The window ends at step {end:,}, after the training ends at step {total:,}"
    reached = f"the sparsity stops at {percent(run.final_sparsity)} of {percent(run.target)}"
    fixes = _moved(config, latest_end(total), total) or _moved(config, total, total)
    yield Finding("ends-after-training", "warning", f"{ends}: {reached}.", fixes)


def _no_recovery(config: PruningConfig, run: Replay) -> Iterator[Finding]:
    left, total = run.recovery_steps, run.total_steps
    if run.num_updates and left < RECOVERY * total:
        share = f"{left:,} of {total:,} steps ({percent(left / total)}) are left"
        message = f"Only {share} for recovery after the last update: the chapter keeps 40%."
        yield Finding("no-recovery", "warning", message, _moved(config, latest_end(total), total))


def _one_shot_high_sparsity(config: PruningConfig, run: Replay) -> Iterator[Finding]:
    start, end = config.schedule.window
    if start != end or run.target <= HIGH_SPARSITY or isinstance(config.pattern, NM):
        return
    fixes: tuple[Fix, ...] = ()
    if run.total_steps > 1:
        slower = Cubic.typical(run.total_steps, config.target_sparsity)
        fixes = (Fix("use Cubic", replace(config, schedule=slower)),)
    name = type(config.schedule).__name__
    message = f"{name} takes {percent(run.target)} at once: above 70% the network seldom recovers from that."
    yield Finding("one-shot-high-sparsity", "warning", message, fixes)


def _sparsity_mismatch(config: PruningConfig, run: Replay) -> Iterator[Finding]:
    if run.target == np.float32(config.target_sparsity):
        return
    label = f"set target_sparsity to {percent(run.target)}"
    message = (
        f"target_sparsity is {percent(config.target_sparsity)}, but the schedule ends at {percent(run.target)}: "
        "the trainer follows the schedule and does not compare them."
    )
    fixed = replace(config, target_sparsity=float(str(run.target)))
    yield Finding("sparsity-mismatch", "warning", message, (Fix(label, fixed),))


def _decreasing(config: PruningConfig, run: Replay) -> Iterator[Finding]:
    schedule: Any = config.schedule
    if np.float32(schedule.initial) <= run.target or isinstance(config.pattern, NM) or not run.num_updates:
        return
    (start, end), falls = schedule.window, f"from {percent(schedule.initial)} to {percent(run.target)}"
    message = f"The schedule falls {falls}, but pruned weights stay pruned: {percent(run.final_sparsity)}."
    rising = replace(schedule, initial_sparsity=0.0, frequency=reaching_frequency(end - start, schedule.every))
    fixed = replace(config, schedule=rising)
    fixes = (Fix(_change(schedule, rising), fixed),) if run.target and _prunes(fixed, run.total_steps) else ()
    yield Finding("decreasing", "warning", message, fixes)


def _many_updates(config: PruningConfig, run: Replay) -> Iterator[Finding]:
    (start, end), every = config.schedule.window, config.schedule.every
    if run.num_updates <= MANY_UPDATES or every is None:  # a schedule without a frequency leaves no choice
        return
    fewer = typical_frequency(end - start)
    fixes = (_rescheduled(_every(fewer), config, frequency=fewer),) if start + fewer <= run.total_steps else ()
    message = f"The mask changes very often: {run.num_updates:,} updates, each of which ranks all weights again."
    yield Finding("many-updates", "info", message, fixes)


def _nm_fixes_sparsity(config: PruningConfig, run: Replay) -> Iterator[Finding]:
    sparsity, (start, end) = fixed_sparsity(config.pattern), config.schedule.window
    if sparsity in (None, 1.0):  # keeps-nothing says it
        return
    if start == end and run.target == np.float32(sparsity):
        return
    name = pattern_name(config.pattern)
    message = f"{name} prunes {percent(sparsity)} from the first update on: it ignores the sparsity of the schedule."
    once = OneShot(step=max(min(start, run.total_steps), 1))
    fix = Fix(f"OneShot at {percent(sparsity)}", replace(config, schedule=once, target_sparsity=sparsity))
    yield Finding("nm-fixes-sparsity", "info", message, (fix,) if run.total_steps else ())  # no step, no update


def _needs_calibration(config: PruningConfig, run: Replay) -> Iterator[Finding]:
    if config.method != "magnitude":
        message = f"The trainer needs calibration data for {config.method}; magnitude does without."
        fix = Fix("use magnitude", replace(config, method="magnitude"))
        yield Finding("needs-calibration", "info", message, (fix,))


def _keeps_nothing(config: PruningConfig, run: Replay) -> Iterator[Finding]:
    pattern = config.pattern
    if not isinstance(pattern, NM) and run.final_sparsity == 1:
        yield Finding("keeps-nothing", "error", "A sparsity of 100% keeps no weight: every layer becomes zero.")
    elif not isinstance(pattern, NM) and run.final_sparsity >= NEARLY_ALL:
        message = f"A sparsity of {percent(run.final_sparsity)} keeps at most one weight in 1,000."
        yield Finding("keeps-nearly-nothing", "warning", message)
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
    _never_fires,
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
