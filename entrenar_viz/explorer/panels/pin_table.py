"""The table of pins: what the trainer makes of each, and how far that is from the present configuration."""

from collections.abc import Callable
from dataclasses import dataclass

from entrenar_viz.analysis.comparison import Outcome, compare
from entrenar_viz.config.pin import Pin
from entrenar_viz.errors import StepError
from entrenar_viz.explorer.panels import plain
from entrenar_viz.explorer.panels.parts import button, show, text
from entrenar_viz.formatting import percent

HEADINGS = ("", "updates", "final sparsity", "shortfall", "recovery", "mean sparsity")
NUMBERS = ("updates", "final_sparsity", "shortfall", "recovery_steps", "mean_sparsity")  # of an Outcome
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


def cells(outcome: Outcome | None, present: Outcome | None) -> list[str]:
    """The numbers of a pin in words, each with how far it is from the present configuration."""
    if outcome is None:
        return ["cannot be replayed", "", "", "", ""]
    counts = {"updates": "", "recovery_steps": " steps"}
    shown = []
    for name in NUMBERS:
        number, now = getattr(outcome, name), getattr(present or outcome, name)
        if name in counts:
            shown.append(f"{number:,}{counts[name]}" + _apart(f"{number - now:+,}"))
        else:
            shown.append(percent(number) + _apart(_pts(float(number) - float(now))))
    return shown


def _apart(difference: str) -> str:
    return f" ({difference})" if difference.strip("+-0") else ""


def _pts(difference: float) -> str:
    """``+1.25 pts``; nothing where the difference is none on screen.

    >>> _pts(0.0125), _pts(-0.5), _pts(1e-9)
    ('+1.25 pts', '-50 pts', '')
    """
    number = f"{100 * difference:+.2f}".rstrip("0").rstrip(".")
    return f"{number} pts" if number.strip("+-") not in ("", "0") else ""


class PinRow(plain.HBox):
    """One line of the table; used again for the next pin in its place."""

    def __init__(self, act: Callable[[str, int], None] | None, index: int = 0, *marks: str) -> None:
        self.cells = [text("", "entrenar-viz-cell", *marks) for _ in HEADINGS]
        self.buttons = {
            name: button(shown, tip, lambda name=name: act and act(name, index))
            for name, (shown, tip) in (ACTIONS if act else {}).items()
        }
        actions = plain.HBox(list(self.buttons.values()))
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
