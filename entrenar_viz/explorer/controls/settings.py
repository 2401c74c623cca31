"""All that can be set in the explorer, as one value: whatever shows it takes the whole of it."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from functools import cache
from math import ceil
from typing import Any

from entrenar_viz.analysis.updates import whole_steps
from entrenar_viz.config.pruning_config import (
    METHODS,
    NM,
    PATTERN_NAMES,
    Block,
    Column,
    Method,
    Pattern,
    PruningConfig,
    Row,
    Unstructured,
    pattern_name,
)
from entrenar_viz.config.schedules import SCHEDULE_NAMES, Cubic, Gradual, OneShot, Schedule
from entrenar_viz.config.training import Training
from entrenar_viz.config.typical import RECOVERY
from entrenar_viz.errors import ConfigError, EntrenarVizError, Problem

LARGEST_STEP = 2**53 - 1  # a browser counts exactly up to here
TOO_LARGE = f"is above {LARGEST_STEP:,}: a browser cannot count that far"
CHOICES = {"schedule": tuple(SCHEDULE_NAMES), "method": METHODS, "pattern": tuple(PATTERN_NAMES)}
SHARES = ("initial", "target", "own_target")
TRAINING = ("dataset_size", "batch_size", "gradient_accumulation", "epochs", "drop_last")
VIEWED = ("cursor", "window_row", "window_column")  # what is looked at, which no history remembers
OWN_NAMES = {"step": "one_shot_step", "initial_sparsity": "initial", "frequency": "frequency"}  # of schedules' fields


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The numbers and choices of all three schedules, of the pattern, the training and the picture.

    Steps are whole numbers that a browser can count, sparsities fractions. They may contradict each other:
    ``config`` tells of that.
    """

    schedule: str = "gradual"
    total_steps: int = 10_000
    start_step: int = 1000
    end_step: int = 5000
    one_shot_step: int = 2000
    initial: float = 0.0
    target: float = 0.5
    same_target: bool = True
    """Whether target_sparsity, which OneShot applies, is ``target``."""
    own_target: float = 0.5
    frequency: int = 500
    method: Method = "magnitude"
    pattern: str = "unstructured"
    n: int = 2
    m: int = 4
    height: int = 4
    width: int = 4
    fine_tune: bool = True
    fine_tune_steps: int = 1000
    fine_tune_lr: float = 1e-5
    skip_embed_layers: bool = True
    in_epochs: bool = False
    """Whether ``total_steps`` follows the next five."""
    dataset_size: int = 50_000
    batch_size: int = 64
    gradient_accumulation: int = 1
    epochs: int = 10
    drop_last: bool = False
    cursor: int = 3000
    """The step that readout and masks show; where the training is shorter, its end is shown."""
    window_row: int = 0
    window_column: int = 0
    """Where the window on a large layer starts, as it was asked for."""

    @property
    def shown_cursor(self) -> int:
        """The step that is shown: a cursor beyond a shorter training comes back with a longer one."""
        return min(self.cursor, self.total_steps)

    @property
    def target_sparsity(self) -> float:
        """The configuration's own target, which OneShot applies."""
        return self.target if self.same_target else self.own_target

    @property
    def training(self) -> Training | None:
        """How steps are counted in epochs, None if they are not or the numbers make no training."""
        try:
            return self.stated_training() if self.in_epochs else None
        except ConfigError:
            return None

    def stated_training(self) -> Training:
        """What the numbers make, counted or not; ConfigError for what is no training or cannot be counted."""
        training = Training(**{name: getattr(self, name) for name in TRAINING})
        countable(training)
        return training

    def schedules(self) -> dict[str, Schedule]:
        """The three schedules by type, for drawing: a window without length has one step."""
        end = max(self.end_step, self.start_step + 1)
        window: dict[str, Any] = {"start_step": self.start_step, "end_step": end, "final_sparsity": self.target}
        return {
            "one_shot": OneShot(step=self.one_shot_step),
            "gradual": Gradual(**window, initial_sparsity=self.initial, frequency=self.frequency),
            "cubic": Cubic(**window),
        }

    def config(self) -> PruningConfig:
        """What the settings add up to; ConfigError lists everything that is wrong, each with its place."""
        problems: list[Problem] = []
        parts: dict[str, Any] = {}
        for place, make in (("schedule", self._chosen), ("pattern", self.chosen_pattern)):
            try:
                parts[place] = make()
            except ConfigError as error:
                problems += [Problem(f"{place}.{problem.where}", problem.message) for problem in error.problems]
        try:
            config = PruningConfig(
                method=self.method,
                target_sparsity=self.target_sparsity,
                fine_tune_after_pruning=self.fine_tune,
                fine_tune_steps=self.fine_tune_steps,
                fine_tune_lr=self.fine_tune_lr,
                skip_embed_layers=self.skip_embed_layers,
            )
        except ConfigError as error:
            problems += error.problems
        if problems:
            raise ConfigError(problems)
        return replace(config, **parts)

    def _chosen(self) -> Schedule:
        chosen: Any = self.schedules()[self.schedule]
        start, end = chosen.window
        exact: Schedule = chosen if start == end else replace(chosen, end_step=self.end_step)
        return exact

    def chosen_pattern(self) -> Pattern:
        """The pattern with its sizes; ConfigError if they are none."""
        return self._pattern(self.pattern)

    def patterns(self) -> tuple[tuple[str, Pattern | str], ...]:
        """The five patterns with their sizes, by their names; the reason instead of one whose sizes are none."""
        found: list[tuple[str, Pattern | str]] = []
        for kind, name in PATTERN_NAMES.items():
            try:
                pattern = self._pattern(kind)
                found.append((pattern_name(pattern), pattern))
            except ConfigError as error:
                found.append((name, "; ".join(problem.message for problem in error.problems)))
        return tuple(found)

    def _pattern(self, kind: str) -> Pattern:
        makers: dict[str, Callable[[], Pattern]] = {
            "unstructured": Unstructured,
            "nm": lambda: NM(n=self.n, m=self.m),
            "block": lambda: Block(height=self.height, width=self.width),
            "row": Row,
            "column": Column,
        }
        return makers[kind]()

    def changed(self, changes: Mapping[str, Any]) -> "Settings":
        """The settings with ``changes`` made by hand: the total follows the epochs, until it is set itself.

        EntrenarVizError for a name or a value that no control has.
        """
        after = replace(self, **checked(changes))
        if after.total_steps != self.total_steps and not after.in_epochs > self.in_epochs:
            return replace(after, in_epochs=False)
        if any(getattr(after, name) != getattr(self, name) for name in TRAINING):
            after = replace(after, in_epochs=True)
        return replace(after, total_steps=after.training.total_steps) if after.training else after

    def counting(self, training: Training | None) -> "Settings":
        """The settings that count in ``training``, or in steps with None; ConfigError for what cannot be counted."""
        if training is None:
            return replace(self, in_epochs=False)
        countable(training)
        numbers = {name: getattr(training, name) for name in TRAINING}
        return replace(self, in_epochs=True, total_steps=training.total_steps, **numbers)

    def showing(self, config: PruningConfig, total_steps: int | None = None) -> "Settings":
        """The settings that add up to ``config``; the numbers of other schedules and patterns stay.

        Without ``total_steps`` the training stays as long as it is if the schedule ends within it, else 40% are left
        for recovery. Raises ConfigError for what is no configuration and for steps that a browser cannot count,
        StepError for a ``total_steps`` that is no number of steps.
        """
        if not isinstance(config, PruningConfig):
            raise ConfigError([Problem("", f"a PruningConfig is needed, not {config!r:.60}")], "not shown")
        total = _room_for(config, self.total_steps) if total_steps is None else whole_steps(total_steps)
        values = {"total_steps": total, **_values_of(config)}
        above = [name for name, value in values.items() if isinstance(value, int) and value > LARGEST_STEP]
        if above:
            raise ConfigError([Problem(name, TOO_LARGE) for name in above], "not shown")
        return replace(self, **values, in_epochs=self.in_epochs and total == self.total_steps)

    def masked_by(self, pattern: Pattern, method: Method) -> "Settings":
        """The settings with another way to score weights and to group them."""
        return replace(self, method=method, **_pattern_values(pattern))

    def looking_as(self, other: "Settings") -> "Settings":
        """These settings, looked at as ``other`` is."""
        return replace(self, **{name: getattr(other, name) for name in VIEWED})


def checked(changes: Mapping[str, Any]) -> dict[str, Any]:
    """``changes`` if each is a value that its control can have; EntrenarVizError names the first one that is not."""
    return {name: _checked(name, value) for name, value in changes.items()}


def _checked(name: str, value: Any) -> Any:
    kind = _kinds().get(name)
    if kind is float and type(value) is int:
        value = float(value)
    right = kind is type(value)
    if right and name in CHOICES:
        right = value in CHOICES[name]
    elif right and kind is int:
        right = 0 <= value <= LARGEST_STEP
    elif right and kind is float:
        right = 0 <= value <= 1 if name in SHARES else math.isfinite(value)
    if not right:
        raise EntrenarVizError(f"{name!r:.40} cannot be set to {value!r:.40}")
    return value


@cache
def _kinds() -> dict[str, type]:
    defaults = Settings()
    return {field.name: type(getattr(defaults, field.name)) for field in fields(Settings)}


def countable(training: Training) -> None:
    """ConfigError for a training with numbers that a browser cannot count."""
    problems = [Problem(name, TOO_LARGE) for name in TRAINING if getattr(training, name) > LARGEST_STEP]
    if training.total_steps > LARGEST_STEP:
        problems.append(Problem("epochs", f"make {training.total_steps:,} steps, which {TOO_LARGE}"))
    if problems:
        raise ConfigError(problems, "not counted in epochs")


def _pattern_values(pattern: Pattern) -> dict[str, Any]:
    values: dict[str, Any] = {"pattern": pattern.type}
    if isinstance(pattern, NM):
        values |= {"n": pattern.n, "m": pattern.m}
    if isinstance(pattern, Block):
        values |= {"height": pattern.height, "width": pattern.width}
    return values


def _values_of(config: PruningConfig) -> dict[str, Any]:
    schedule = config.schedule
    final = getattr(schedule, "final_sparsity", config.target_sparsity)
    values: dict[str, Any] = {
        "schedule": schedule.type,
        "method": config.method,
        **_pattern_values(config.pattern),
        "fine_tune": config.fine_tune_after_pruning,
        "fine_tune_steps": config.fine_tune_steps,
        "fine_tune_lr": config.fine_tune_lr,
        "skip_embed_layers": config.skip_embed_layers,
        "target": final,
        "same_target": final == config.target_sparsity,
        "own_target": config.target_sparsity,
    }
    start, end = schedule.window
    if start != end:
        values |= {"start_step": start, "end_step": end}
    return values | {own: getattr(schedule, name) for name, own in OWN_NAMES.items() if hasattr(schedule, name)}


def _room_for(config: PruningConfig, total_steps: int) -> int:
    """``total_steps`` if the schedule ends within it, else so many that 40% are left for recovery."""
    end = config.schedule.window[1]
    return total_steps if end <= total_steps else max(min(ceil(end / (1 - RECOVERY)), LARGEST_STEP), end)


def tidy_step(largest: int) -> int:
    """A round step of which a slider to ``largest`` has about 200.

    >>> tidy_step(10_000), tidy_step(20_000), tidy_step(99), tidy_step(5_000_000)
    (50, 100, 1, 20000)
    """
    rough = max(largest / 200, 1.0)
    power = 10 ** (len(str(int(rough))) - 1)
    return int(max(digit * power for digit in (1, 2, 5) if digit * power <= rough))
