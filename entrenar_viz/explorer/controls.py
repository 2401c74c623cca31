"""Sliders and pickers: what each may hold, and the configuration they add up to."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from typing import Any

import ipywidgets as w
import numpy as np

from entrenar_viz.config.pruning_config import (
    METHODS,
    NM,
    PATTERN_NAMES,
    Block,
    Column,
    Pattern,
    PruningConfig,
    Row,
    Unstructured,
    pattern_name,
)
from entrenar_viz.config.schedules import SCHEDULE_NAMES, Cubic, Gradual, OneShot, Schedule
from entrenar_viz.errors import ConfigError, Problem
from entrenar_viz.explorer import plain
from entrenar_viz.explorer.canvas import Canvas, Field
from entrenar_viz.explorer.entries import Kind, entry
from entrenar_viz.explorer.panels import named
from entrenar_viz.explorer.values import room_for, tidy_step, values_for


class Controls:
    """All controls and their links; ``config()`` is what they add up to, ``set()`` writes a configuration back.

    A number is held exactly by its typed entry (``Field``); the slider beside it is moved along in the browser. Sliders
    have no steps but the smallest, because a slider rounds what it is given to its steps and writes that back. Without
    typed entries (``typed=False``) the sliders hold the numbers.
    """

    def __init__(self, *, typed: bool) -> None:
        self.typed = typed
        self.sliders: dict[str, w.Widget] = {}
        self.links: list[w.Widget] = []
        self.fields: list[Field] = []
        toggles = w.ToggleButtons(
            options=[(name, kind) for kind, name in SCHEDULE_NAMES.items()],
            value="gradual",
            tooltips=[
                "All at once: after the training, for quick experiments",
                "A straight line: up to 50%, training from scratch",
                "Fast first, slow at the end: above 50%",
            ],
            style={"button_width": "104px"},
        )
        self.schedule = named(toggles, "Schedule to export")
        self.total_steps = self._number("total_steps", "How long the training is", 10_000, 20_000, "Total steps")
        self.window = self._number(
            "window",
            "Steps between which Gradual and Cubic prune: start at 10%, end at 50 to 80% of the training",
            [1000, 5000],
            10_000,
            "Start step",
            "End step",
        )
        self.one_shot_step = self._number("one_shot_step", "Where OneShot prunes", 2000, 10_000, "OneShot step")
        self.initial = self._number("initial", "Where Gradual starts, typically 0%", 0.0, 1.0, "Initial sparsity")
        self.target = self._number("target", "Where to end, typically 30 to 90%", 0.5, 1.0, "Target sparsity")
        self.frequency = self._number("frequency", "Typically 100 to 1,000", 500, 2000, "Steps between updates")
        self.cursor = self._number("cursor", "The step that readout and masks show", 3000, 10_000, "Cursor step")
        methods = plain.Dropdown(options=METHODS, value="magnitude", tooltip="How the trainer scores the weights")
        self.method = named(methods, "Method")
        kinds = [(name, kind) for kind, name in PATTERN_NAMES.items()]
        self.pattern = named(
            plain.Dropdown(options=kinds, value="unstructured", tooltip="What is pruned together"), "Pattern"
        )
        self.n, self.m = self._entry("count", 2, "weights kept"), self._entry("count", 4, "of every")
        self.height = self._entry("count", 4, "rows of a block")
        self.width = self._entry("count", 4, "columns of a block")
        self.fine_tune = plain.Checkbox(value=True, description="fine-tune after pruning", indent=False)
        self.fine_tune_steps = self._entry("count", 1000, "fine_tune_steps", 100)
        self.fine_tune_lr = self._entry("number", 1e-5, "fine_tune_lr", 1e-6)
        self.skip_embed_layers = plain.Checkbox(value=True, description="skip embeddings and output head", indent=False)
        self.same_target = plain.Checkbox(value=True, description="target_sparsity is the target above", indent=False)
        self.own_target = self._entry("fraction", 0.5, "target_sparsity", 0.05)

    def _number(self, name: str, tooltip: str, value: Any, largest: Any, *labels: str) -> w.Widget:
        """The widget that holds a number (or the two of a range), and beside it the slider that moves it."""
        exact = isinstance(largest, float)
        kind = plain.FloatSlider if exact else plain.IntRangeSlider if isinstance(value, list) else plain.IntSlider
        slider = kind(value=value, min=0, max=largest, tooltip=tooltip, readout=not self.typed)
        slider.step = None if exact else 1
        self.sliders[name] = slider
        if not self.typed:
            slider.readout_format = ".3f" if exact else ",d"
            if name in ("total_steps", "frequency"):
                slider.max = 100 * largest  # no typed entry widens it
            return slider
        field = Field(
            value=value,
            position=value,
            kind="fraction" if exact else "count",
            labels=labels,
            max=largest,
            step=0.005 if exact else tidy_step(largest),
        )
        self.links.append(w.jsdlink((field, "max"), (slider, "max")))
        self.links.append(w.jslink((field, "position"), (slider, "value")))
        self.fields.append(field)
        return field

    def _entry(self, kind: Kind, value: float, label: str, step: float = 1) -> w.Widget:
        """The widget that holds a number without a slider."""
        made = entry(kind, value, label, step=step, typed=self.typed)
        if isinstance(made, Field):
            self.fields.append(made)
        return made

    def holding_config(self) -> list[w.Widget]:
        """The controls that the configuration is made of."""
        return [
            *(self.schedule, self.window, self.one_shot_step, self.initial, self.target, self.frequency),
            *(self.method, self.pattern, self.n, self.m, self.height, self.width, self.same_target, self.own_target),
            *(self.fine_tune, self.fine_tune_steps, self.fine_tune_lr, self.skip_embed_layers),
        ]

    @property
    def mask_controls(self) -> list[w.Widget]:
        """The controls that decide how weights are scored and what is pruned together."""
        return [self.method, self.pattern, self.n, self.m, self.height, self.width]

    def canvas(self) -> Canvas:
        """A canvas that follows these controls in the browser, without the kernel."""
        names = ("total_steps", "one_shot_step", "window", "initial", "target", "frequency", "cursor")
        sources = {name: (getattr(self, name), "value") for name in (*names, "same_target", "own_target")}
        sources["chosen"] = (self.schedule, "index")
        return Canvas(
            follows={name: (control.model_id, trait) for name, (control, trait) in sources.items()},
            **{name: getattr(control, trait) for name, (control, trait) in sources.items()},
        )

    def target_sparsity(self) -> float:
        """The configuration's own target, which OneShot applies."""
        return float(self.target.value if self.same_target.value else self.own_target.value)

    def schedules(self) -> dict[str, Schedule]:
        """The three schedules by type, for drawing: a window without length has one step."""
        start, end = self.window.value
        window = {"start_step": start, "end_step": max(end, start + 1), "final_sparsity": self.target.value}
        return {
            "one_shot": OneShot(step=self.one_shot_step.value),
            "gradual": Gradual(**window, initial_sparsity=self.initial.value, frequency=self.frequency.value),
            "cubic": Cubic(**window),
        }

    def config(self) -> PruningConfig:
        """What the controls add up to; ConfigError lists everything that is wrong, each with its place."""
        problems = [Problem(" and ".join(f.labels), f.problem) for f in self.fields if f.problem]
        parts: dict[str, Any] = {}
        for place, make in (("schedule", self._chosen), ("pattern", self.chosen_pattern)):
            try:
                parts[place] = make()
            except ConfigError as error:
                problems += [Problem(f"{place}.{problem.where}", problem.message) for problem in error.problems]
        try:
            config = PruningConfig(
                method=self.method.value,
                target_sparsity=self.target_sparsity(),
                fine_tune_after_pruning=self.fine_tune.value,
                fine_tune_steps=self.fine_tune_steps.value,
                fine_tune_lr=float(self.fine_tune_lr.value),
                skip_embed_layers=self.skip_embed_layers.value,
            )
        except ConfigError as error:
            problems += error.problems
        if problems:
            raise ConfigError(problems)
        return replace(config, **parts)

    def _chosen(self) -> Schedule:
        chosen = self.schedules()[self.schedule.value]
        start, end = chosen.window
        return chosen if start == end else replace(chosen, end_step=self.window.value[1])

    def chosen_pattern(self) -> Pattern:
        """The pattern with its sizes; ConfigError if they are none."""
        return self._pattern(self.pattern.value)

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
            "nm": lambda: NM(n=self.n.value, m=self.m.value),
            "block": lambda: Block(height=self.height.value, width=self.width.value),
            "row": Row,
            "column": Column,
        }
        return makers[kind]()

    def set(self, config: PruningConfig, total_steps: int | None = None) -> None:
        """Write a configuration into the controls as one change: all hold their new values before any tells of it.

        Raises ConfigError for what is no configuration and for steps that a browser cannot count, StepError for a
        ``total_steps`` that is no number of steps.
        """
        if not isinstance(config, PruningConfig):
            raise ConfigError([Problem("", f"a PruningConfig is needed, not {config!r:.60}")], "not shown")
        if total_steps is None:
            total_steps = room_for(config, self.total_steps.value)
        self.put(values_for(config, total_steps))

    def put(self, values: Mapping[str, Any]) -> None:
        """Write ``values`` by the names of their controls, as one change."""
        with held(*(getattr(self, name) for name in values)):
            for name, value in values.items():
                control = getattr(self, name)
                if hasattr(control, "max"):  # a slider clamps silently, so it is widened first
                    control.max = max(control.max, np.max(value).item())
                if hasattr(control, "min"):
                    control.min = min(control.min, np.min(value).item())
                control.value = value
                if isinstance(control, Field):
                    control.problem = ""

    def fit_ranges(self) -> None:
        """Let the step sliders end where the plot ends: at the training's end, or at a later end of the window."""
        for control in (self.window, self.one_shot_step, self.cursor):
            value = 1 if control is self.cursor else np.max(control.value).item()
            control.max = max(self.total_steps.value, value)
        if self.typed:
            for control in (self.total_steps, self.window, self.one_shot_step, self.frequency, self.cursor):
                control.step = tidy_step(control.max)
        self.cursor.value = min(self.cursor.value, self.cursor.max)


@contextmanager
def held(*widgets: w.Widget) -> Iterator[None]:
    """Let ``widgets`` tell of their changes only when all of them have changed."""
    with ExitStack() as together:
        for widget in widgets:
            together.enter_context(widget.hold_trait_notifications())
        yield
