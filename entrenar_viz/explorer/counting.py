"""The length of the training from the size of the dataset, and an axis that counts epochs."""

from collections.abc import Callable
from typing import Any

import ipywidgets as w

from entrenar_viz.config.training import Training
from entrenar_viz.errors import ConfigError, EntrenarVizError, Problem
from entrenar_viz.explorer import plain
from entrenar_viz.explorer.canvas import Canvas, Field
from entrenar_viz.explorer.controls import Controls, held
from entrenar_viz.explorer.entries import entry
from entrenar_viz.explorer.layout import RowOf
from entrenar_viz.explorer.panels import Guard, text
from entrenar_viz.explorer.values import LARGEST_STEP

NUMBERS = {  # fields of Training: label, accessible name, where to start
    "dataset_size": ("Dataset size", "Examples in the dataset", 50_000),
    "batch_size": ("Batch size", "Examples in a batch, of all devices together", 64),
    "gradient_accumulation": ("Accumulation", "Batches between two changes of the weights", 1),
    "epochs": ("Epochs", "Epochs", 10),
}


class Counted:
    """The part of an Explorer that counts in epochs."""

    counting: "Counting"

    @property
    def training(self) -> Training | None:
        """How steps are counted in epochs, None if they are not. Setting it sets ``total_steps`` too.

        A ``total_steps`` that is set otherwise, by hand or by ``load``, ends it. ConfigError for numbers that a browser
        cannot count.
        """
        return self.counting.training

    @training.setter
    def training(self, training: Training | None) -> None:
        self.counting.restore(training)


class Counting(plain.Accordion):
    """Four numbers that the total steps follow while ``on``; ``training`` is what they say, None while it is off.

    A total that is set in another way switches it off. Numbers that make no training are told of beside them; the
    training before stays until they are fixed, and nothing else waits for that.
    """

    def __init__(self, controls: Controls, picture: w.Widget, guarded: Guard) -> None:
        self.controls = controls
        self.canvas = picture if isinstance(picture, Canvas) else None
        self.training: Training | None = None
        self.on = plain.Checkbox(value=False, description="count in epochs", indent=False)
        self.drop_last = plain.Checkbox(value=False, description="drop an incomplete last batch", indent=False)
        self.numbers = {
            name: entry("count", start, label, typed=controls.typed) for name, (_, label, start) in NUMBERS.items()
        }
        self.rows = {name: RowOf(NUMBERS[name][0], number) for name, number in self.numbers.items()}
        self.status = text("", "entrenar-viz-quiet")
        body = plain.VBox([*self.rows.values(), self.drop_last, self.on, self.status])
        super().__init__([body], titles=["From dataset size"])
        self.add_class("entrenar-viz-counting")
        self._listen(guarded)
        self._follow()

    def restore(self, training: Training | None) -> None:
        """Count in ``training``, or in steps with None; ConfigError for what a browser cannot count."""
        if training is None:
            self.on.value = False
            return
        countable(training)
        values = {name: getattr(training, name) for name in NUMBERS}
        self.selected_index = 0
        with held(*self.numbers.values(), self.drop_last, self.on):
            for name, value in values.items():
                self.numbers[name].value = value
                if isinstance(self.numbers[name], Field):
                    self.numbers[name].problem = ""
            self.drop_last.value, self.on.value = training.drop_last, True

    def _listen(self, guarded: Callable[..., Any]) -> None:
        follow = guarded(self._follow)
        for widget in (*self.numbers.values(), self.drop_last, self.on):
            widget.observe(follow, "value")
        self.controls.total_steps.observe(guarded(self._told_otherwise), "value")

    def _told_otherwise(self, _: object) -> None:
        if self.training and self.controls.total_steps.value != self.training.total_steps:
            self.on.value = False

    def _follow(self, _: object = None) -> None:
        """Bring total steps, the axis and what is said of them up to the numbers."""
        try:
            training = self._stated()
        except ConfigError as error:
            self._complain(error.problems)
            self.status.value = "These numbers make no training."
        else:
            self._complain(())
            self.status.value = _said(training)
            self.training = training
        if not self.on.value:
            self.training = None
        if self.canvas:
            self.canvas.steps_per_epoch = float(self.training.steps_per_epoch) if self.training else 0.0
        if self.training:
            self.controls.put({"total_steps": self.training.total_steps})

    def _stated(self) -> Training:
        """What the numbers make, checked as a training and against what a browser counts."""
        values = {name: int(number.value) for name, number in self.numbers.items()}
        training = Training(**values, drop_last=self.drop_last.value)
        countable(training)
        return training

    def _complain(self, problems: tuple[Problem, ...]) -> None:
        for name, row in self.rows.items():
            places = (name, "drop_last") if name == "batch_size" else (name,)
            row.complain("; ".join(problem.message for problem in problems if problem.where in places))


def countable(training: Training) -> None:
    """ConfigError for a training with numbers that a browser cannot count."""
    limit = f"is above {LARGEST_STEP:,}: a browser cannot count that far"
    problems = [Problem(name, limit) for name in NUMBERS if getattr(training, name) > LARGEST_STEP]
    if training.total_steps > LARGEST_STEP:
        problems.append(Problem("epochs", f"make {training.total_steps:,} steps, which {limit}"))
    if problems:
        raise ConfigError(problems, "not counted in epochs")


def _said(training: Training) -> str:
    """The steps of ``training``, and the optimizer's where they are others."""
    steps = f"{training.steps_per_epoch:,} steps an epoch, {training.total_steps:,} in all"
    fewer = training.optimizer_steps < training.total_steps
    return f"{steps}; the optimizer makes {training.optimizer_steps:,}" if fewer else steps


def agreed(training: Training, total_steps: int | None) -> int:
    """The steps of ``training``; EntrenarVizError if ``total_steps`` says otherwise."""
    if total_steps not in (None, training.total_steps):
        made = f"training makes {training.total_steps:,} steps, total_steps says {total_steps:,}"
        raise EntrenarVizError(f"{made}: leave one of them out")
    return training.total_steps
