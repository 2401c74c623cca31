"""Undo, redo, reset: what the controls have held, one entry for each gesture."""

from collections.abc import Callable, Hashable
from typing import Any, Generic, TypeVar

import anywidget

from entrenar_viz.explorer import plain
from entrenar_viz.explorer.canvas import Field, module
from entrenar_viz.explorer.controls import Controls
from entrenar_viz.explorer.plain import Plain

MAX_ENTRIES = 200
S = TypeVar("S")


class History(Generic[S]):
    """States in the order in which they came, and which of them is the present one.

    >>> history = History[str]()
    >>> for state, gesture in [("a", None), ("b", 1), ("c", 1), ("d", 2)]:
    ...     history.record(state, gesture)
    >>> [history.undo(), history.undo(), history.redo()]
    ['c', 'a', 'c']
    """

    def __init__(self, limit: int = MAX_ENTRIES) -> None:
        self.limit = limit
        self.entries: list[S] = []
        self.at = -1
        self.first: S | None = None
        """What it began with: kept when the oldest entries go."""
        self._gesture: Hashable = None

    @property
    def present(self) -> S | None:
        """The state that was recorded or gone back to last; None before the first."""
        return self.entries[self.at] if self.entries else None

    @property
    def can_undo(self) -> bool:
        """Whether there is an older state."""
        return self.at > 0

    @property
    def can_redo(self) -> bool:
        """Whether there is a state that was undone."""
        return self.at + 1 < len(self.entries)

    @property
    def can_reset(self) -> bool:
        """Whether the present state is another one than the first."""
        return self.present != self.first

    def record(self, state: S, gesture: Hashable = None) -> None:
        """Make ``state`` the present one; it takes the place of the last one if both are of the same ``gesture``.

        A gesture that ends where it began leaves no entry.
        """
        if not self.entries:
            self.first = state
        elif state == self.present:
            return
        del self.entries[self.at + 1 :]
        if gesture is not None and gesture == self._gesture:
            self.entries.pop()
        self._gesture = gesture
        if self.entries and self.entries[-1] == state:
            self.cut()
        else:
            self.entries.append(state)
        del self.entries[: -self.limit]
        self.at = len(self.entries) - 1

    def cut(self) -> None:
        """End the gesture: what comes next is an entry of its own."""
        self._gesture = None

    def undo(self) -> S | None:
        """Go to the state before, and return it; None if there is none."""
        return self._go(-1) if self.can_undo else None

    def redo(self) -> S | None:
        """Go to the state that was undone last, and return it; None if there is none."""
        return self._go(1) if self.can_redo else None

    def reset(self) -> S | None:
        """Record the first state once more, and return it; None if it is the present one."""
        if not self.can_reset or self.first is None:
            return None
        self.cut()
        self.record(self.first)
        return self.first

    def _go(self, by: int) -> S | None:
        self.cut()
        self.at += by
        return self.present


class Keys(Plain, anywidget.AnyWidget):
    """Ctrl+Z and the like, while the focus is inside the explorer; tells of them by messages."""

    _esm = module("keys.js")


class Steps(plain.HBox):
    """The history of ``controls``, with its buttons and, if ``live``, its keys."""

    def __init__(self, controls: Controls, guarded: Callable[..., Callable[..., None]], *, live: bool) -> None:
        self.history: History[dict[str, Any]] = History()
        self.controls = controls
        held = {id(control) for control in (controls.total_steps, *controls.holding_config())}
        self._held = {name: control for name, control in vars(controls).items() if id(control) in held}
        self._broken = False  # whether the controls hold what is no configuration
        self._ended: dict[str, list[Any]] = {}  # of each control, the gestures that are known to have ended
        self.buttons = {
            "undo": plain.Button(description="Undo", tooltip="Undo the last change (Ctrl+Z)"),
            "redo": plain.Button(description="Redo", tooltip="Do again what was undone (Ctrl+Shift+Z)"),
            "reset": plain.Button(
                description="Reset", tooltip="Back to what the explorer was opened with; this can be undone"
            ),
        }
        super().__init__([*self.buttons.values(), *([Keys()] if live else [])])
        self.add_class("entrenar-viz-steps")
        acts = {name: guarded(lambda _=None, name=name: getattr(self, name)()) for name in self.buttons}
        for name, button in self.buttons.items():
            button.on_click(acts[name])
        for keys in self.children[3:]:
            keys.on_msg(guarded(lambda _, content, __: acts[content]() if content in ("undo", "redo") else None))
        self._fit()

    def record(self) -> None:
        """Take down what the controls hold, which is a configuration."""
        values, before = self._values(), self.history.present or {}
        self._broken = False
        changed = [name for name in values if values[name] != before.get(name)]
        for name, ended, value in self._newly_ended():
            if [name] == changed:
                self.history.record(values | {name: value}, (name, ended))
        self.history.record(values, self._gesture(changed))
        self._fit()

    def _newly_ended(self) -> list[tuple[str, float, Any]]:
        """Gestures that have ended while the kernel was busy: name of the control, gesture, value that it has left."""
        found: list[tuple[str, float, Any]] = []
        for name, control in self._held.items():
            ended: list[Any] = control.ended if isinstance(control, Field) else []
            before, self._ended[name] = self._ended.get(name, []), ended
            found += [(name, *one) for one in ended if one not in before]
        return [one for one in found if not _without_length(one[-1])]

    def broken(self) -> None:
        """Hear that the controls hold what is no configuration: undo goes back to the last one."""
        self._broken = True
        self._fit()

    def whole(self, change: Callable[[], None]) -> None:
        """Make ``change`` one entry."""
        self.history.cut()
        change()
        self.history.cut()

    def undo(self) -> None:
        """Show the state before the last change; after a mistake, the last one that was a configuration."""
        self._show(self.history.present if self._broken else self.history.undo())

    def redo(self) -> None:
        """Show again what was undone."""
        self._show(self.history.redo())

    def reset(self) -> None:
        """Show what there was at first."""
        self._show(self.history.first if self._broken else self.history.reset())

    def _show(self, values: dict[str, Any] | None) -> None:
        if values is not None:
            self.whole(lambda: self.controls.put(values))
            self._fit()

    def _values(self) -> dict[str, Any]:
        values = {name: control.value for name, control in self._held.items()}
        return {name: list(value) if isinstance(value, tuple | list) else value for name, value in values.items()}

    def _gesture(self, changed: list[str]) -> Hashable:
        """What the changes of one drag have in common; None for a change that is a gesture of its own."""
        if len(changed) != 1 or changed[0] not in self.controls.sliders:
            return None
        control = self._held[changed[0]]
        if not isinstance(control, Field):  # a bare slider does not tell when it was taken hold of
            return changed[0]
        return (changed[0], control.gesture) if control.gesture else None

    def _fit(self) -> None:
        history = self.history
        self.buttons["undo"].disabled = not (history.can_undo or (self._broken and history.entries))
        self.buttons["redo"].disabled = not history.can_redo
        self.buttons["reset"].disabled = not (history.can_reset or (self._broken and history.entries))


def _without_length(value: Any) -> bool:
    """Whether it is a window without a step, which is no configuration."""
    return isinstance(value, list) and value[0] >= value[-1]
