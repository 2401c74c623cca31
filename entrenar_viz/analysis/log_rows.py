"""What the files of training logs have in common: rows with the lines they stand in, and what is wrong by line."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from entrenar_viz.errors import ConfigError, Problem

MAX_ROWS = 1_000_000
MOST_PROBLEMS = 10
MOST_NAMED = 5  # columns, in a note
STEP_0 = "is of step 0 and was left out: a training counts its steps from 1."


@dataclass(frozen=True)
class Line:
    """What one line reports; ``sparsity`` None and metrics that are not there: it says nothing of them."""

    number: int
    step: int
    sparsity: float | None
    metrics: dict[str, float]


@dataclass
class LogFile:
    """What a file holds: its first line, if that is ours, its reports, and what was left out of it."""

    lines: list[Line] = field(default_factory=list)
    head: dict[str, Any] | None = None
    notes: list[str] = field(default_factory=list)


def whole_step(value: object) -> int:
    """A step as whole number; ValueError says what is wrong with ``value``."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)  # what pandas writes in a column with gaps
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError(f"step must be a whole number, not {value!r:.40}")
    if not 0 <= value < 2**64:
        raise ValueError(f"step must be from 1 to {2**64 - 1}, not {value!r:.40}")
    return value


def share(value: object) -> float:
    """A sparsity as a fraction; ValueError says what is wrong with ``value``."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"sparsity must be a number, not {value!r:.40}")
    if value > 1:
        raise ValueError(f"sparsity {value!r:.40} is above 1: write fractions, such as 0.4875 for 48.75%")
    if not value >= 0:  # nan too
        raise ValueError(f"sparsity must be between 0 and 1, not {value!r:.40}")
    return float(value)


def finite(value: float) -> float:
    """``value``, nan if it is not finite: a training that diverges is drawn as a gap."""
    try:
        number = float(value)
    except OverflowError:  # a whole number of hundreds of digits
        return math.nan
    return number if math.isfinite(number) else math.nan


def append(found: LogFile, line: Line) -> None:
    """Take a line; ValueError if its step is before those that there are, or if there are too many."""
    if line.step == 0:
        if not any(STEP_0 in note for note in found.notes):
            found.notes.append(f"Line {line.number:,} {STEP_0}")
        return
    before = found.lines[-1].step if found.lines else 0
    if line.step < before:
        raise ValueError(f"step {line.step:,} comes after step {before:,}: keep the rows of one run, in their order")
    if len(found.lines) == MAX_ROWS:
        raise ValueError(f"is one more than the {MAX_ROWS:,} rows that are read: keep every tenth")
    found.lines.append(line)


def noted(found: LogFile, ignored: set[str], source: str) -> LogFile:
    """``found`` with a note of what was ``ignored``; ConfigError if nothing is left of it."""
    if found.head is None and not found.lines:
        raise ConfigError([Problem("", "reports no step")], source)
    if ignored:
        names = sorted(f"{name:.40}" for name in ignored)
        more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
        found.notes.append(f"Left out, since it is no number: {', '.join(names[:MOST_NAMED])}{more}.")
    return found


class Problems:
    """What is wrong by line; the first ten are told."""

    def __init__(self, source: str) -> None:
        self.found: list[Problem] = []
        self.source = source

    def add(self, number: int, message: str) -> None:
        """Take down what is wrong in a line; ConfigError once there are ten."""
        self.found.append(Problem(f"line {number:,}", message))
        if len(self.found) == MOST_PROBLEMS:
            self.raise_any()

    def attempt(self, number: int, take: Callable[[], None]) -> None:
        """Take down the ValueError of ``take``, if it raises one."""
        try:
            take()
        except ValueError as error:
            self.add(number, str(error))

    def raise_any(self) -> None:
        """Raise a ConfigError if anything is wrong."""
        if self.found:
            raise ConfigError(self.found, self.source)
