"""The tab "Compare": configurations pinned by name, compared with the present one, drawn as thin curves."""

from collections.abc import Callable
from dataclasses import replace

from entrenar_viz.config.pin import MAX_NAME, Pin
from entrenar_viz.config.pruning_config import PruningConfig
from entrenar_viz.config.schedules import SCHEDULE_NAMES
from entrenar_viz.config.validation import did_you_mean
from entrenar_viz.errors import ConfigError, Problem
from entrenar_viz.explorer.panels import plain
from entrenar_viz.explorer.panels.parts import (
    Download,
    Guard,
    about_name,
    button,
    file_name,
    line,
    named,
    quiet,
    show,
    text,
)
from entrenar_viz.explorer.panels.pin_table import HEADINGS, Kept, PinRow, cells, kept
from entrenar_viz.formatting import percent
from entrenar_viz.workspace.session import MAX_PINS


def default_name(config: PruningConfig) -> str:
    """``Gradual 50%``."""
    schedule = config.schedule
    return f"{SCHEDULE_NAMES[schedule.type]} {percent(schedule.target(config.target_sparsity))}"


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
        if not any(_same(one, pin) for one in found):
            name = free_name(pin.name, {one.name for one in found})
            found.append(replace(pin, name=name))
    return checked_number(tuple(found))


def _same(one: Pin, other: Pin) -> bool:
    """Whether they are the same but for a number that the name of ``one`` was given here."""
    named = one.name == other.name or one.name.startswith(f"{other.name} (")
    return named and (one.config, one.total_steps) == (other.config, other.total_steps)


def checked_number(pins: tuple[Pin, ...]) -> tuple[Pin, ...]:
    """``pins``, unless they are too many: ConfigError."""
    if len(pins) > MAX_PINS:
        message = f"at most {MAX_PINS} can be kept, and this makes {len(pins)}: remove some first"
        raise ConfigError([Problem("pins", message)])
    return pins


class ComparePanel(plain.VBox):
    """The pins as a table of differences to the present configuration.

    ``present()`` is that configuration as a pin, ``load`` shows one, ``draw`` draws the curves of those that are shown.
    """

    def __init__(
        self,
        present: Callable[[str | None], Pin],
        load: Callable[[PruningConfig, int], None],
        draw: Callable[[], None],
        guarded: Guard,
    ) -> None:
        self.present, self.load, self.draw, self.guarded = present, load, draw, guarded
        self.kept: tuple[Kept, ...] = ()
        self.rows: list[PinRow] = []  # never thrown away, so that a long session does not fill the kernel
        name = plain.Text(placeholder="name, such as Gradual 50%", tooltip="Name of the pin")
        self.name = named(name, "Name of the pin")
        self.add = button("Pin", "Keep the present configuration", guarded(self._add))
        self.status, self.download = text(), Download()
        self.about = quiet(
            "Pin the present configuration to compare others with it: each pin is a thin curve in the plot."
        )
        self.headings, self.current = PinRow(None, 0, "entrenar-viz-quiet"), PinRow(None)
        self.headings.fill(*HEADINGS)
        self.table = plain.VBox([self.headings, self.current])
        self.table.add_class("entrenar-viz-pins")
        super().__init__([self.about, line(self.name, self.add, self.download, self.status), self.table])
        self._show(())

    @property
    def pins(self) -> tuple[Pin, ...]:
        """What is pinned, in order."""
        return tuple(one.pin for one in self.kept)

    @property
    def drawn(self) -> tuple[Pin, ...]:
        """Those whose curves are drawn, in order."""
        return tuple(one.pin for one in self.kept if one.drawn)

    def pin(self, name: str | None) -> Pin:
        """Keep the present configuration as ``name``, with a number if that is taken; ConfigError if it cannot be."""
        now = self.present(name)
        pin = replace(now, name=free_name(now.name, {one.name for one in self.pins}))
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
        self.draw()

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
        show(self.about, not found)
        self.download.hide()

    def _add(self) -> None:
        try:
            pin = self.pin(self.name.value.strip() or None)
        except ConfigError as error:
            self.status.value = f"Nothing was pinned: {about_name(error)}"
        else:
            self.name.value, self.status.value = "", f"Pinned {pin.name}"

    def _act(self, action: str, index: int) -> None:
        one = self.kept[index]
        pin = one.pin
        match action:
            case "load":
                self._load(pin)
            case "export":
                self.download.offer(pin.config.to_json().encode(), "application/json", file_name(pin.name))
            case "hide":
                turned = Kept(pin, one.outcome, drawn=not one.drawn)
                self._show((*self.kept[:index], turned, *self.kept[index + 1 :]))
                self.draw()
            case "remove":
                self.unpin(pin.name)
                self.status.value = f"Removed {pin.name}"

    def _load(self, pin: Pin) -> None:
        try:
            self.load(pin.config, pin.total_steps)
        except ConfigError as error:  # steps that a browser cannot count
            self.status.value = str(error)
        else:
            self.status.value = f"Loaded {pin.name}"
