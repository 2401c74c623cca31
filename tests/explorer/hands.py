"""What a person does with an explorer, without a page: its messages are made here, or core widgets are set."""

from itertools import count
from typing import Any

from entrenar_viz import Explorer
from entrenar_viz.explorer.browser import payload
from entrenar_viz.explorer.browser.live import Live

NUMBERS = count(1)


def put(explorer: Explorer, gesture: float | None = None, **changes: Any) -> None:
    """Set numbers and choices by hand; changes of one ``gesture`` are one entry of the history."""
    if isinstance(explorer._parts.picture, Live):
        values = explorer._parts.state.values() | changes
        tell(explorer, values=values, gesture=float(1000 + next(NUMBERS)) if gesture is None else gesture)
        return
    explorer._parts.guarded(explorer._parts.commands.change)(changes)


def tell(explorer: Explorer, **message: Any) -> None:
    """Hand a message of a page to the explorer."""
    usual = {"page": "one", "told": next(NUMBERS), "values": explorer._parts.state.values(), "gesture": 1.0}
    live(explorer)._handle_custom_msg(usual | {"ended": [], "unread": {}} | message, [])


def live(explorer: Explorer) -> Live:
    """The live view, which there must be."""
    assert isinstance(explorer._parts.picture, Live)
    return explorer._parts.picture


def answer(explorer: Explorer) -> payload.Answer:
    """What the picture was told last."""
    told: payload.Answer = explorer._parts.picture.answer
    return told


def press(explorer: Explorer, do: str, **how: Any) -> None:
    """Press a button of the picture."""
    explorer._parts.guarded(explorer._parts.commands.do)({"do": do, **how})


def press_fix(explorer: Explorer, finding: int = 0, fix: int = 0) -> None:
    """Press a fix of a finding."""
    press(explorer, "fix", finding=finding, fix=fix, name=explorer.findings[finding].fixes[fix].label)


def show_tab(explorer: Explorer, title: str) -> None:
    """Open a tab."""
    explorer._parts.tabs.open_tab(title)
