"""The same state by core widgets and pictures drawn in the kernel, for front ends that cannot show the live view."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import ipywidgets as w

from entrenar_viz.config.pin import Pin
from entrenar_viz.config.pruning_config import METHODS, PATTERN_NAMES, PruningConfig
from entrenar_viz.config.schedules import SCHEDULE_NAMES
from entrenar_viz.errors import EntrenarVizError
from entrenar_viz.explorer.browser import payload
from entrenar_viz.explorer.browser.live import CSS
from entrenar_viz.explorer.controls.numbers import Kind, parsed, shown
from entrenar_viz.explorer.controls.settings import LARGEST_STEP, Settings
from entrenar_viz.explorer.on_screen import NO_LOG, DrawnLog, applied_now, masks_drawn, schedules_drawn
from entrenar_viz.explorer.panels import plain
from entrenar_viz.explorer.panels.parts import Guard, Progress, RowOf, button, line, named, quiet, show, text
from entrenar_viz.explorer.preview.preparation import ReadyMasks

FIXES = 2  # that a finding may have
NOTHING = "No findings: the trainer reaches the target and leaves time to recover."


@dataclass(frozen=True)
class Number:
    """A number that can be set: its name, its label, how it is typed, and where its slider ends, if it has one."""

    name: str
    label: str
    kind: Kind = "count"
    end: Callable[[Settings], float] | None = None


def _last_step(settings: Settings) -> int:
    return max(settings.total_steps, settings.end_step, settings.one_shot_step, 1)


NUMBERS = (
    Number("total_steps", "Total steps", "count", lambda settings: 2 * settings.total_steps + 10),
    Number("start_step", "Start", "count", _last_step),
    Number("end_step", "End", "count", _last_step),
    Number("one_shot_step", "OneShot step", "count", _last_step),
    Number("initial", "Initial", "fraction", lambda _: 1.0),
    Number("target", "Target", "fraction", lambda _: 1.0),
    Number("frequency", "Every n steps", "count", lambda settings: max(2000, 2 * settings.frequency)),
    Number("cursor", "Cursor", "count", lambda settings: max(settings.total_steps, 1)),
    Number("n", "N of N:M"),
    Number("m", "M of N:M"),
    Number("height", "Block rows"),
    Number("width", "Block cols"),
    Number("fine_tune_steps", "Tune steps"),
    Number("fine_tune_lr", "Tune rate", "number"),
    Number("own_target", "Own target", "fraction"),
    Number("dataset_size", "Dataset size"),
    Number("batch_size", "Batch size"),
    Number("gradient_accumulation", "Accumulation"),
    Number("epochs", "Epochs"),
)
CHECKS = {
    "fine_tune": "fine-tune after pruning",
    "skip_embed_layers": "skip embeddings and output head",
    "same_target": "target_sparsity is the target",
    "in_epochs": "count in epochs",
    "drop_last": "drop an incomplete last batch",
}


class NumberRow(RowOf):
    """A typed entry, which holds the number exactly, and mostly a slider beside it."""

    def __init__(self, number: Number, change: Callable[..., None], guarded: Guard) -> None:
        self.number, self._change = number, change
        self.value: float = 0
        self.entry = named(plain.Text(continuous_update=False), number.label)
        kind = plain.FloatSlider if number.kind == "fraction" else plain.IntSlider
        self.slider = named(kind(min=0, readout=False), f"{number.label} slider") if number.end else None
        if self.slider:
            self.slider.step = 0.005 if number.kind == "fraction" else 1
        super().__init__(number.label, *([self.slider] if self.slider else []), self.entry)
        typed, slid = guarded(self._typed), guarded(self._slid)
        self.entry.observe(lambda _: typed(), "value")
        if self.slider:
            self.slider.observe(lambda change: slid(change.new), "value")

    def show(self, settings: Settings) -> None:
        """Show the number of ``settings``."""
        self.value = settings.shown_cursor if self.number.name == "cursor" else getattr(settings, self.number.name)
        self.entry.value = shown(self.number.kind, self.value)
        self.complain("")
        if self.slider and self.number.end:
            end = min(max(self.number.end(settings), self.value), LARGEST_STEP)
            if self.value <= self.slider.max:  # or the slider would move it to its end
                self.slider.value = self.value
            if self.value > self.slider.max or 2 * end < self.slider.max or end > 4 * self.slider.max:
                self.slider.max = end  # and not at each move, or it would run away under the pointer
            self.slider.value = self.value

    def _typed(self) -> None:
        if self.entry.value == shown(self.number.kind, self.value):
            return
        try:
            number = parsed(self.number.kind, self.entry.value)
        except EntrenarVizError as error:
            self.complain(f"{error}. It is still {shown(self.number.kind, self.value)}.")
        else:
            self._change({self.number.name: number})

    def _slid(self, value: float) -> None:
        if value != self.value:
            self._change({self.number.name: round(value, 6) if self.number.kind == "fraction" else value})


class MatplotlibView(plain.VBox):
    """``change({name: value})`` takes what is set here, ``do(command)`` what is asked for."""

    def __init__(self, guarded: Guard, change: Callable[..., None], do: Callable[[Any], None]) -> None:
        self._do, self._guarded = guarded(do), guarded
        self._settings = Settings()
        self._log = NO_LOG
        self._drawn: list[tuple[Any, ...] | None] = [None, None]
        self._build_choices(change)
        self.rows = [NumberRow(number, change, guarded) for number in NUMBERS]
        self.schedules = plain.Image(format="png", layout=w.Layout(width="100%"))
        self.masks = plain.Image(format="png", layout=w.Layout(width="100%"))
        self.note, self.progress = quiet(), Progress("How much of the layer is prepared", lambda: self._step("cancel"))
        self.said, self.findings = text(), plain.VBox([quiet(NOTHING)])
        left = plain.VBox([*self.rows[:8], *self.pickers.values(), *self.rows[8:], *self.checks.values(), self.counted])
        left.add_class("entrenar-viz-controls")
        right = plain.VBox([self.schedules, self.masks, self.note, self.progress, self.said, self.findings])
        right.add_class("entrenar-viz-picture")
        body = plain.HBox([left, right])
        body.add_class("entrenar-viz-body")
        style = plain.HTML(f"<style>{CSS}</style>")
        show(style, False)
        super().__init__([style, line(self.schedule, self.presets, *self.steps.values()), body])
        show(self.masks, False)

    def _build_choices(self, change: Callable[..., None]) -> None:
        def picker(name: str, label: str, widget: w.Widget) -> w.Widget:
            def picked(changed: Any) -> None:
                if changed.new != getattr(self._settings, name):
                    change({name: changed.new})

            widget.observe(self._guarded(picked), "value")
            return named(widget, label) if label else widget

        kinds = [(name, kind) for kind, name in SCHEDULE_NAMES.items()]
        self.schedule = picker("schedule", "Schedule to export", w.ToggleButtons(options=kinds, value="gradual"))
        patterns = [(name, kind) for kind, name in PATTERN_NAMES.items()]
        self.pickers = {
            "method": RowOf("Method", picker("method", "Method", plain.Dropdown(options=METHODS))),
            "pattern": RowOf("Pattern", picker("pattern", "Pattern", plain.Dropdown(options=patterns))),
        }
        self.checks = {
            name: picker(name, "", plain.Checkbox(description=label, indent=False)) for name, label in CHECKS.items()
        }
        self.counted = quiet()
        self.presets = named(plain.Dropdown(options=[("Start from …", "")]), "Start from a preset")
        start = self._guarded(self._start_from)
        self.presets.observe(lambda changed: start(changed.new), "value")
        names = ("undo", "redo", "reset")
        self.steps = {name: button(name.capitalize(), "", lambda name=name: self._step(name)) for name in names}

    def _step(self, name: str) -> None:
        self._do({"do": name})

    def _start_from(self, picked: Any) -> None:
        if picked:
            self.presets.value = ""  # so that the same one can be picked again
            self._do({"do": "preset", "kind": picked[0], "name": picked[1]})

    # What a picture does ---------------------------------------------------------------------------------------------

    def choose_from(self, choices: payload.Choices) -> None:
        """Offer presets; the other choices are the same everywhere."""
        offered = [(preset["label"], (preset["kind"], preset["name"])) for preset in choices["presets"]]
        self.presets.options = [("Start from …", ""), *offered]

    def tell(self, settings: payload.Settings, answer: payload.Answer) -> None:
        """Show the settings and what is said of them."""
        self._settings = now = Settings(**settings["values"])
        self.answer = answer
        self.schedule.value = now.schedule
        for name, row in self.pickers.items():
            row.children[0].children[1].value = getattr(now, name)
        for name, check in self.checks.items():
            check.value = getattr(now, name)
        for row in self.rows:
            row.show(now)
            wrong = [problem["message"] for problem in answer["problems"] if row.number.name in problem["names"]]
            row.complain("; ".join(wrong))
        for name, step in self.steps.items():
            step.disabled = not answer["can"][name]  # type: ignore[literal-required]
        self.counted.value = answer["counted"]
        self.said.value = answer["said"]
        self._say(answer)

    def _say(self, answer: payload.Answer) -> None:
        problems = [payload.Found(severity="error", message=one["message"], fixes=[]) for one in answer["problems"]]
        found = problems or answer["findings"]
        rows = list(self.findings.children)
        while len(rows) <= len(found):  # never thrown away, so that a long session does not fill the kernel
            rows.append(self._finding(len(rows) - 1))
        if len(rows) > len(self.findings.children):
            self.findings.children = rows
        show(rows[0], not found)
        for i, row in enumerate(rows[1:]):
            show(row, i < len(found))
            if i < len(found):
                row.children[0].value = f"{found[i]['severity']}: {found[i]['message']}"
                for j, fix in enumerate(row.children[1:]):
                    show(fix, j < len(found[i]["fixes"]))
                    fix.description = found[i]["fixes"][j] if j < len(found[i]["fixes"]) else ""

    def _finding(self, index: int) -> w.Widget:
        def fix(number: int) -> w.Button:
            made = button(
                "", "", lambda: self._do({"do": "fix", "finding": index, "fix": number, "name": made.description})
            )
            return made

        return line(text(), *(fix(number) for number in range(FIXES)))

    def draw(self, settings: Settings, config: PruningConfig, pins: Sequence[Pin], ready: ReadyMasks | None) -> None:
        """Draw schedules and masks, unless they are drawn already."""
        from entrenar_viz.figures.saving import png_bytes

        seen = (config, settings.shown_cursor, settings.total_steps, pins, self._log, *settings.schedules().values())
        if seen != self._drawn[0]:
            self.schedules.value = png_bytes(schedules_drawn(settings, config, pins, self._log))
        masks = (ready, config.schedule.type, *applied_now(settings, config).values())
        if masks != self._drawn[1]:
            self.note.value = str(ready.layer.get("note", "")) if ready else ""
            drawable = bool(ready and (ready.request.patterns or not ready.failure))
            if drawable:
                self.masks.value = png_bytes(masks_drawn(settings, config, ready))
            show(self.masks, drawable)
        self._drawn = [seen, masks]

    def show_pins(self, pins: Sequence[Pin]) -> None:
        """They are drawn with the schedules."""

    def show_log(self, told: DrawnLog) -> None:
        """It is drawn with the schedules."""
        self._log = told

    def show_masks(self, ready: ReadyMasks, window: dict[str, Any]) -> None:
        """They are drawn at the cursor."""

    def show_window(self, window: dict[str, Any]) -> None:
        """Single weights are not shown here."""

    def show_progress(self, message: str, share: float) -> None:
        """Tell what is being prepared; nothing is with an empty message."""
        self.progress.say(message, share)
