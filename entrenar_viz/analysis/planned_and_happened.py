"""Where a training parts from its plan: what its log says beside what ``replay`` says, in words with the numbers."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from entrenar_viz.analysis.training_log import TrainingLog
from entrenar_viz.analysis.updates import Replay, in_the_mask, replay
from entrenar_viz.config.pruning_config import PruningConfig, fixed_sparsity
from entrenar_viz.config.steps import Steps
from entrenar_viz.formatting import percent, points

ROUNDING = np.float32(1e-6)  # 0.2 as somebody writes it, and 0.20000002 as the trainer rounds it
TOLERANCE = np.float32(0.0005)  # of logs that measure what is pruned: counts of whole weights, and ties
MOST_STRETCHES = 3
MOST_STEPS = 4
MOST_DIFFERENCES = 4


@dataclass(frozen=True)
class Parting:
    """Something in which a training parted from its plan: a sentence with the numbers, and the step where it begins."""

    message: str
    step: int | None = None
    """None for what is at no step."""


@dataclass(frozen=True, eq=False)
class Happened:
    """What a log tells of sparsity, beside the plan: one number for each of its steps that tell of it."""

    steps: Steps
    sparsity: NDArray[np.float32]
    """What was pruned, a fraction."""
    planned: NDArray[np.float32]
    """What ``replay`` has applied by then, in the mask."""
    tolerance: np.float32

    @property
    def parted(self) -> NDArray[np.bool_]:
        """Whether the two differ by more than the tolerance."""
        return np.asarray(np.abs(self.sparsity - self.planned) > self.tolerance)

    def at(self, step: int) -> np.float32 | None:
        """What was pruned at the end of ``step``, by the last report until then; None before the first."""
        index = int(np.searchsorted(self.steps, np.uint64(step), side="right")) - 1
        return None if index < 0 else self.sparsity[index]

    def until(self, step: int) -> "Happened":
        """What was told of the steps up to ``step``."""
        count = int(np.searchsorted(self.steps, np.uint64(step), side="right"))
        return replace(self, steps=self.steps[:count], sparsity=self.sparsity[:count], planned=self.planned[:count])

    @property
    def stretches(self) -> list[tuple[int, int]]:
        """From where to where they do, both as indices of ``steps``."""
        edges = np.flatnonzero(np.diff(self.parted.astype(np.int8), prepend=0, append=0))
        return [(int(first), int(end) - 1) for first, end in zip(edges[::2], edges[1::2], strict=True)]


def happened(config: PruningConfig, total_steps: int, log: TrainingLog) -> Happened:
    """What ``log`` tells of sparsity beside the plan ``config`` in ``total_steps`` steps.

    A log that says what was planned has what was asked for, and is compared but for its last bits, 1e-6. One of
    another tool may have measured it, and may be off by 0.0005. Where an N:M pattern was asked for something, its
    fixed share was pruned.
    """
    told = ~np.isnan(log.sparsity)
    steps, sparsity = log.steps[told], log.sparsity[told]
    run = replay(config, total_steps)
    asked, planned = (np.asarray(one.applied_at(steps), np.float32) for one in (run, in_the_mask(config, run)))
    fixed = fixed_sparsity(config.pattern)
    if fixed is not None:
        as_asked = (np.abs(sparsity - asked) <= TOLERANCE) & (sparsity > 0)
        sparsity = np.where(as_asked, np.float32(fixed), sparsity)
    return Happened(steps, sparsity, planned, ROUNDING if log.config else TOLERANCE)


def partings(config: PruningConfig, total_steps: int, log: TrainingLog) -> list[Parting]:
    """Where the training of ``log`` parted from the plan ``config`` in ``total_steps`` steps; empty if nowhere.

    Sparsities are compared at the steps of which the log tells. Raises StepError for a bad ``total_steps``.

    >>> from entrenar_viz import Gradual, PruningConfig, TrainingLog
    >>> plan = PruningConfig(schedule=Gradual(start_step=0, end_step=300, initial_sparsity=0.0, final_sparsity=0.6,
    ...                                       frequency=100))
    >>> log = TrainingLog(plan, total_steps=500)
    >>> for step, sparsity in [(100, 0.2), (200, 0.2), (300, 0.6), (400, 0.6)]:
    ...     log.add(step, sparsity)
    >>> [parting.message for parting in partings(plan, 500, log)]
    ['At step 200, 20% happened where 40% was planned.', 'The log ends at step 400 of 500.']
    """
    known, run = happened(config, total_steps, log), replay(config, total_steps)
    return [
        *_other_plan(config, total_steps, log),
        *_stretches(known),
        *_not_planned(known, run),
        *_weights_came_back(known),
        *_end(total_steps, log),
        *_silent(log, known),
    ]


def sentences(config: PruningConfig, total_steps: int, log: TrainingLog) -> list[str]:
    """The sentences to show: those of ``partings``, or one that there are none."""
    found = [parting.message for parting in partings(config, total_steps, log)]
    about = "" if log.config else f", compared within {points(TOLERANCE)}"
    return found or [f"As planned up to step {int(log.steps[-1]):,}{about}."]


def _other_plan(config: PruningConfig, total_steps: int, log: TrainingLog) -> Iterator[Parting]:
    if log.config and log.config != config:
        then, now = _flat(log.config), _flat(config)
        apart = [
            f"{name} {then.get(name, 'not there')} (shown: {now.get(name, 'not there')})"
            for name in {**then, **now}
            if then.get(name) != now.get(name)
        ]
        more = f" and {len(apart) - MOST_DIFFERENCES} more" if len(apart) > MOST_DIFFERENCES else ""
        yield Parting(f"The log was made with another configuration: {', '.join(apart[:MOST_DIFFERENCES])}{more}.")
    if log.total_steps not in (None, total_steps):
        yield Parting(f"The log was made for a training of {log.total_steps:,} steps, {total_steps:,} are shown.")


def _flat(config: PruningConfig) -> dict[str, str]:
    """Every value by its place, as the JSON has it: ``{"schedule.end_step": "5000", ...}``."""
    found = {}
    for key, value in json.loads(config.to_json()).items():
        for name, one in value.items() if isinstance(value, dict) else [("", value)]:
            text = one if isinstance(one, str) else json.dumps(one)
            found[f"{key}.{name}".rstrip(".")] = text
    return found


def _stretches(known: Happened) -> Iterator[Parting]:
    """From where to where the sparsities differ."""
    found = known.stretches
    shown = found if len(found) <= MOST_STRETCHES + 1 else found[:MOST_STRETCHES]
    for first, last in shown:
        yield Parting(_stretch(known, first, last), int(known.steps[first]))
    if rest := found[len(shown) :]:
        begin, end = known.steps[rest[0][0]], known.steps[rest[-1][1]]
        yield Parting(f"They part {len(rest)} more times, from step {begin:,} to {end:,}.", int(begin))


def _stretch(known: Happened, first: int, last: int) -> str:
    steps = known.steps
    to_the_end = last == len(steps) - 1
    where = f"At step {steps[first]:,}"
    if to_the_end:
        where = f"From step {steps[first]:,} on"
    elif last > first:
        where = f"From step {steps[first]:,} to {steps[last]:,}"
    apart = np.abs(known.sparsity - known.planned)[first : last + 1]
    most = int(apart.argmax())
    further = f", and at most {points(apart[most])} apart at step {steps[first + most]:,}" if most else ""
    did, should = _told_apart(known.sparsity[first], known.planned[first])
    return f"{where}, {did} happened where {should} was planned{further}."


def _told_apart(one: np.float32, other: np.float32) -> tuple[str, str]:
    """Both as they are shown; with all their digits where these are the same."""
    shown = percent(one), percent(other)
    return shown if shown[0] != shown[1] else (str(one), str(other))


def _not_planned(known: Happened, run: Replay) -> Iterator[Parting]:
    """Updates at steps for which none was planned; between two reports, one of these may be the step."""
    before = np.concatenate([[np.uint64(0)], known.steps])[:-1]
    rises = np.diff(known.sparsity, prepend=np.float32(0)) > known.tolerance
    planned = np.searchsorted(run.update_steps, [before, known.steps], side="right")
    steps = known.steps[rises & (planned[0] == planned[1])]
    if len(steps):
        listed = ", ".join(f"{step:,}" for step in steps[:MOST_STEPS])
        more = f" and {len(steps) - MOST_STEPS:,} more" if len(steps) > MOST_STEPS else ""
        came = f"An update came at step {listed}" if len(steps) == 1 else f"Updates came at steps {listed}{more}"
        yield Parting(f"{came}, where none was planned.", int(steps[0]))


def _weights_came_back(known: Happened) -> Iterator[Parting]:
    falls = np.flatnonzero(np.diff(known.sparsity) < -known.tolerance)
    if len(falls):
        first = int(falls[0])
        did, then = _told_apart(known.sparsity[first + 1], known.sparsity[first])
        step = int(known.steps[first + 1])
        yield Parting(f"At step {step:,} the sparsity fell from {then} to {did}: pruned weights came back.", step)


def _end(total_steps: int, log: TrainingLog) -> Iterator[Parting]:
    last = int(log.steps[-1]) if len(log) else 0
    if last < total_steps:
        yield Parting(f"The log ends at step {last:,} of {total_steps:,}." if last else "The log reports no step yet.")
    if last > total_steps:
        yield Parting(f"The log goes on to step {last:,}, after the planned end at step {total_steps:,}.")


def _silent(log: TrainingLog, known: Happened) -> Iterator[Parting]:
    if len(log) and not len(known.steps):
        yield Parting(f"The log tells no sparsity, only {', '.join(log.metrics)[:80] or 'steps'}.")
