"""The settings as they stand, who has set them last, and the way back to those before."""

from collections.abc import Hashable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from entrenar_viz.errors import ConfigError, EntrenarVizError, Problem
from entrenar_viz.explorer.controls.history import History
from entrenar_viz.explorer.controls.settings import VIEWED, Settings, checked

MOST_ENDED = 64  # gestures that one message may tell of


@dataclass(frozen=True)
class Told:
    """A message of a page, checked: all of its settings, and the gesture in which they were made."""

    page: str
    count: int
    """How many changes there were in that page by then."""
    settings: Settings
    gesture: float
    ended: tuple[tuple[float, Settings], ...] = ()
    """Gestures before that one which the kernel may not have heard of, and what each has left."""
    unread: Mapping[str, str] = field(default_factory=dict)
    """What is wrong with texts that stand in entries and are no numbers, by the names of the entries."""

    @classmethod
    def of(cls, content: object) -> "Told":
        """The message ``content``; EntrenarVizError for what no page of ours sends."""
        match content:
            case {
                "page": str(page),
                "told": int(count),
                "values": dict(values),
                "gesture": int() | float() as gesture,
                "ended": list(ended),
                "unread": dict(unread),
            } if len(ended) <= MOST_ENDED:
                before = tuple((float(one), Settings(**checked(left))) for one, left in ended)
                said = {str(name): str(text) for name, text in unread.items()}
                return cls(page, count, Settings(**checked(values)), float(gesture), before, said)
        raise EntrenarVizError(f"not understood: {content!r:.80}")


class State:
    """The settings, and their history with one entry for each gesture that left a configuration."""

    def __init__(self) -> None:
        self.settings = Settings()
        self.unread: Mapping[str, str] = {}
        self.page, self.count = "", 0
        """The page that was heard last, and how many of its changes are in the settings."""
        self.history: History[Settings] = History()
        self._gesture: Hashable = None
        self._broken = False  # whether the settings are no configuration
        self._ended: set[float] = set()

    def take(self, told: Told) -> None:
        """Let the settings be those of a page."""
        for gesture, left in told.ended:
            if gesture not in self._ended and _is_configuration(left):
                self.history.record(_kept(left), gesture)
        self._ended = {gesture for gesture, _ in told.ended}
        self.settings, self.unread = told.settings, told.unread
        self.page, self.count, self._gesture = told.page, told.count, told.gesture

    def show(self, settings: Settings) -> None:
        """Let the settings be these; it is an entry of its own."""
        self.settings, self.unread, self._gesture = settings, {}, None
        self.history.cut()

    def change(self, settings: Settings, gesture: Hashable) -> None:
        """Let the settings be these, by a gesture that may go on."""
        self.settings, self._gesture = settings, gesture

    def read_problems(self) -> list[Problem]:
        """What is wrong with the texts that stand in entries."""
        return [Problem(name, text) for name, text in self.unread.items() if name not in VIEWED]

    def record(self) -> None:
        """Take down the settings, which are a configuration."""
        self._broken = False
        self.history.record(_kept(self.settings), self._gesture)

    def broken(self) -> None:
        """Hear that the settings are no configuration: undo goes back to the last one that was."""
        self._broken = True

    @property
    def can(self) -> dict[Literal["undo", "redo", "reset"], bool]:
        """Which of ``undo``, ``redo`` and ``reset`` lead anywhere."""
        history = self.history
        mend = self._broken and bool(history.entries)
        return {
            "undo": mend or history.can_undo,
            "redo": history.can_redo,
            "reset": bool(history.entries) and (mend or history.can_reset),
        }

    def undo(self) -> None:
        """Go back to the settings before the last gesture; after a mistake, to the last that were a configuration."""
        self._go(self.history.present if self._broken else self.history.undo())

    def redo(self) -> None:
        """Go forward to what was undone last."""
        self._go(self.history.redo())

    def reset(self) -> None:
        """Go to the settings that there were at first."""
        self._go(self.history.first if self._broken else self.history.reset())

    def _go(self, settings: Settings | None) -> None:
        if settings is not None:
            self.show(settings.looking_as(self.settings))

    def values(self) -> dict[str, Any]:
        """The settings by name."""
        return asdict(self.settings)


def _kept(settings: Settings) -> Settings:
    """``settings`` without what no history remembers."""
    return settings.looking_as(Settings())


def _is_configuration(settings: Settings) -> bool:
    try:
        settings.config()
    except ConfigError:
        return False
    return True
