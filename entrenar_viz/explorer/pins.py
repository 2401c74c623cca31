"""Pinned configurations: kept by name, compared with the present one, drawn as thin curves."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import ipywidgets as w

from entrenar_viz.checked import did_you_mean
from entrenar_viz.comparison import Outcome, compare
from entrenar_viz.config import PruningConfig
from entrenar_viz.errors import ConfigError, Problem, StepError
from entrenar_viz.explorer.exchange import Guard
from entrenar_viz.explorer.panels import show, text
from entrenar_viz.explorer.sharing import Shared, file_name
from entrenar_viz.findings import percent
from entrenar_viz.schedules import SCHEDULE_NAMES, OneShot
from entrenar_viz.session import MAX_NAME, MAX_PINS, Pin

HEADINGS = ("", "updates", "final sparsity", "shortfall", "recovery", "mean sparsity")
ACTIONS = {
    "load": ("Load", "Show this configuration"),
    "export": ("Export", "Its JSON, to copy and download"),
    "hide": ("Hide", "Whether its curve is drawn"),
    "remove": ("Remove", "Forget this pin"),
}


@dataclass(frozen=True)
class Kept:
    """A pin, what the trainer makes of it (None: it cannot be replayed), and whether its curve is drawn."""

    pin: Pin
    outcome: Outcome | None
    drawn: bool = True


def kept(pin: Pin) -> Kept:
    """``pin`` with its outcome."""
    try:
        return Kept(pin, compare([pin])[0])
    except StepError:
        return Kept(pin, None)


def default_name(config: PruningConfig) -> str:
    """``Gradual 50%``."""
    schedule = config.schedule
    final = config.target_sparsity if isinstance(schedule, OneShot) else schedule.final_sparsity
    return f"{SCHEDULE_NAMES[schedule.type]} {percent(final)}"


def free_name(name: str, taken: set[str]) -> str:
    """``name``, or if it is taken the name with the first number that is not."""
    free, number = name, 1
    while free in taken:
        number += 1
        suffix = f" ({number})"
        free = f"{name[: MAX_NAME - len(suffix)].rstrip()}{suffix}"
    return free


def merged(pins: tuple[Pin, ...], more: tuple[Pin, ...]) -> tuple[Pin, ...]:
    """``pins`` and those of ``more`` that are not among them, renamed where a name is taken.

    ConfigError if these are more than a session can hold.
    """
    found = list(pins)
    for pin in more:
        if pin not in found:
            name = free_name(pin.name, {one.name for one in found})
            found.append(Pin(name=name, config=pin.config, total_steps=pin.total_steps))
    return checked_number(tuple(found))


def checked_number(pins: tuple[Pin, ...]) -> tuple[Pin, ...]:
    """``pins``, unless they are too many: ConfigError."""
    if len(pins) > MAX_PINS:
        message = f"at most {MAX_PINS} can be kept, and this makes {len(pins)}: remove some first"
        raise ConfigError([Problem("pins", message)], "nothing was pinned")
    return pins


def cells(outcome: Outcome | None, present: Outcome | None) -> list[str]:
    """The numbers of a pin in words, each with how far it is from the present configuration."""
    if outcome is None:
        return ["cannot be replayed", "", "", "", ""]
    shares = [outcome.final_sparsity, outcome.shortfall, outcome.recovery_share, outcome.mean_sparsity]
    shown = [f"{outcome.updates:,}", *map(percent, shares)]
    shown[3] = f"{outcome.recovery_steps:,} steps"
    if present is None:
        return shown
    now = [present.final_sparsity, present.shortfall, present.recovery_share, present.mean_sparsity]
    steps = outcome.recovery_steps - present.recovery_steps
    points = [_points(float(share) - float(other)) for share, other in zip(shares, now, strict=True)]
    more = [f"{outcome.updates - present.updates:+,}", *points]
    more[3] = f"{steps:+,}"
    return [f"{number} ({by})" if by.strip("+-0") else number for number, by in zip(shown, more, strict=True)]


def _points(difference: float) -> str:
    """``+1.25 points``; nothing where the difference is none on screen.

    >>> _points(0.0125), _points(-0.5), _points(1e-9)
    ('+1.25 points', '-50 points', '')
    """
    number = f"{100 * difference:+.2f}".rstrip("0").rstrip(".")
    return f"{number} points" if number.strip("+-") not in ("", "0") else ""


class PinRow(w.HBox):  # type: ignore[misc]
    """One line of the table; used again for the next pin in its place."""

    def __init__(self, act: Callable[[str, int], None] | None, index: int = 0, *marks: str) -> None:
        self.cells = [text("", "entrenar-viz-cell", *marks) for _ in HEADINGS]
        self.buttons = {name: _button(*shown) for name, shown in ACTIONS.items()} if act else {}
        for name, button in self.buttons.items():
            button.on_click(lambda _, name=name: act and act(name, index))
        actions = w.HBox(list(self.buttons.values()))
        actions.add_class("entrenar-viz-actions")
        super().__init__([*self.cells, actions])
        self.add_class("entrenar-viz-pin")

    def fill(self, *values: str) -> None:
        """Show ``values``, as many as there are cells."""
        for cell, value in zip(self.cells, values, strict=True):
            cell.value = value

    def show_pin(self, one: Kept | None, present: Outcome | None) -> None:
        """Show a pin, or nothing."""
        show(self, one is not None)
        if one is None:
            return
        self.fill(one.pin.name, *cells(one.outcome, present))
        self.buttons["hide"].description = "Hide" if one.drawn else "Draw"
        for name, (description, _) in ACTIONS.items():  # which pin: for those who only hear the button
            self.buttons[name].tooltip = f"{description if name != 'hide' else 'Draw or hide'} {one.pin.name}"


class Pins(w.VBox):  # type: ignore[misc]
    """The pins as a table of differences to the present configuration.

    ``present()`` is that configuration as a pin, ``load`` shows one, ``draw`` gets the curves.
    """

    def __init__(
        self,
        present: Callable[[str | None], Pin],
        load: Callable[[PruningConfig, int], None],
        draw: Callable[[list[dict[str, Any]]], None],
        guarded: Guard,
        *,
        live: bool,
    ) -> None:
        self.present, self.load, self.draw, self.guarded = present, load, draw, guarded
        self.kept: tuple[Kept, ...] = ()
        self.rows: list[PinRow] = []  # never thrown away, so that a long session does not fill the kernel
        self.name = w.Text(placeholder="name, such as Gradual 50%", tooltip="Name of the pin")
        self.name.layout.width = "200px"
        self.add = w.Button(description="Pin", tooltip="Keep the present configuration", layout={"width": "auto"})
        self.status, self.shared = text(), Shared(live=live)
        self.headings, self.current = PinRow(None, 0, "entrenar-viz-quiet"), PinRow(None)
        self.headings.fill(*HEADINGS)
        self.table = w.VBox([self.headings, self.current])
        self.table.add_class("entrenar-viz-pins")
        line = w.HBox([self.name, self.add, self.status])
        line.add_class("entrenar-viz-buttons")
        super().__init__([text("Pins", "entrenar-viz-heading"), line, self.table, self.shared])
        self.add.on_click(guarded(lambda _: self._add()))
        self.put(())

    @property
    def pins(self) -> tuple[Pin, ...]:
        """What is pinned, in order."""
        return tuple(one.pin for one in self.kept)

    def pin(self, name: str | None) -> Pin:
        """Keep the present configuration as ``name``, with a number if that is taken; ConfigError if it cannot be."""
        now = self.present(name)
        pin = Pin(
            name=free_name(now.name, {one.name for one in self.pins}), config=now.config, total_steps=now.total_steps
        )
        self.put(checked_number((*self.pins, pin)))
        return pin

    def unpin(self, name: str) -> None:
        """Forget the pin ``name``; ConfigError if there is none."""
        names = [pin.name for pin in self.pins]
        if name not in names:
            hint = did_you_mean(name, names) if names else "nothing is pinned"
            raise ConfigError([Problem("name", f"{name!r:.90} is unknown, {hint}")], "unpin")
        self.put(tuple(pin for pin in self.pins if pin.name != name))

    def put(self, pins: tuple[Pin, ...]) -> None:
        """Show ``pins`` and no others."""
        before = {one.pin: one for one in self.kept}
        self._show(tuple(before.get(pin) or kept(pin) for pin in pins))

    def follow(self) -> None:
        """Compare with what is the present configuration now."""
        if not self.kept:
            return
        now = kept(self.present("now")).outcome
        self.current.fill("Present configuration", *cells(now, None))
        for i, row in enumerate(self.rows):
            row.show_pin(self.kept[i] if i < len(self.kept) else None, now)

    def _show(self, found: tuple[Kept, ...]) -> None:
        self.kept = found
        if len(found) > len(self.rows):
            act = self.guarded(self._act)
            self.rows += [PinRow(act, i) for i in range(len(self.rows), len(found))]
            self.table.children = (self.headings, self.current, *self.rows)
        show(self.table, bool(found))
        self.draw([_ghost(one.pin) for one in found if one.drawn])
        self.follow()

    def _add(self) -> None:
        try:
            pin = self.pin(self.name.value.strip() or None)
        except ConfigError as error:
            self.status.value = str(error)
        else:
            self.name.value, self.status.value = "", f"Pinned {pin.name}"

    def _act(self, action: str, index: int) -> None:
        one = self.kept[index]
        pin = one.pin
        match action:
            case "load":
                self._load(pin)
            case "export":
                self.shared.offer(pin.name, pin.config.to_json(), file_name(pin.name))
            case "hide":
                turned = Kept(pin, one.outcome, drawn=not one.drawn)
                self._show((*self.kept[:index], turned, *self.kept[index + 1 :]))
            case "remove":
                self.unpin(pin.name)
                self.shared.hide()
                self.status.value = f"Removed {pin.name}"

    def _load(self, pin: Pin) -> None:
        try:
            self.load(pin.config, pin.total_steps)
        except ConfigError as error:  # steps that a browser cannot count
            self.status.value = str(error)
        else:
            self.status.value = f"Loaded {pin.name}"


def _ghost(pin: Pin) -> dict[str, Any]:
    schedule = json.loads(pin.config.to_json())["schedule"]
    return {"name": pin.name, "schedule": schedule, "target": pin.config.target_sparsity}


def _button(description: str, tooltip: str) -> w.Button:
    return w.Button(description=description, tooltip=tooltip, layout={"width": "auto"})
