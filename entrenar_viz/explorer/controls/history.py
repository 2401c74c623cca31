"""States in the order in which they came, one entry for each gesture."""

from collections.abc import Hashable
from typing import Generic, TypeVar

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
