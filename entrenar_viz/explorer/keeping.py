"""What the explorer keeps for its user: history, pins, session, presets."""

import os
from collections.abc import Callable
from pathlib import Path

import ipywidgets as w
import traitlets as tr

from entrenar_viz.config.pin import Pin
from entrenar_viz.config.pruning_config import PruningConfig
from entrenar_viz.config.training import Training
from entrenar_viz.errors import ConfigError, Problem
from entrenar_viz.explorer.controls import Controls
from entrenar_viz.explorer.counting import countable
from entrenar_viz.explorer.history import Steps
from entrenar_viz.explorer.panels import Guard
from entrenar_viz.explorer.pins import Pins, default_name, merged
from entrenar_viz.explorer.presets_panel import PresetsPanel
from entrenar_viz.explorer.sessions import Sessions
from entrenar_viz.workspace.session import Session


class Keeping(tr.HasTraits):
    """The part of the explorer that remembers."""

    config: tr.Instance[PruningConfig]
    problems: tuple[Problem, ...]
    controls: Controls
    load: Callable[..., None]
    steps: Steps
    training: Training | None

    def undo(self) -> None:
        """Go back to the configuration before the last gesture; does nothing if there is none."""
        self.steps.undo()

    def redo(self) -> None:
        """Go forward to what was undone last; does nothing if there is nothing."""
        self.steps.redo()

    def reset(self) -> None:
        """Show what the explorer was opened with; ``undo`` takes this back."""
        self.steps.reset()

    @property
    def pins(self) -> tuple[Pin, ...]:
        """The pinned configurations, in order."""
        return self.pins_panel.pins

    def pin(self, name: str | None = None) -> Pin:
        """Keep the present configuration for comparison, and return it as it is called now.

        Without a name it is called by its schedule and target; a name that is taken gets a number. Raises ConfigError
        while the controls hold a problem, for a name that is none, and above 50 pins.
        """
        return self.pins_panel.pin(name)

    def unpin(self, name: str) -> None:
        """Forget the pin ``name``; ConfigError if there is none."""
        self.pins_panel.unpin(name)

    def save_session(self, path: str | os.PathLike[str], *, overwrite: bool = False) -> Path:
        """Save the configuration and all pins to ``path``, atomically.

        Raises ConfigError while the controls hold a problem, FileExistsError unless ``overwrite``.
        """
        return self._session().save(path, overwrite=overwrite)

    def load_session(self, path: str | os.PathLike[str]) -> None:
        """Show the configuration of a session, which ``undo`` takes back, and add its pins to those that there are.

        A pin whose name is taken by another one gets a number. Raises ConfigError for a file that is no session, steps
        that a browser cannot count, and above 50 pins; nothing has changed then.
        """
        self._take_session(Session.load(path))

    def _build_keeping(self, guarded: Guard, draw: Callable[[tuple[Pin, ...]], None], *, live: bool, own: bool) -> None:
        """Make the widgets; ``own`` says whether the user has files in the kernel."""
        self.steps = Steps(self.controls, guarded, live=live)
        self.presets_panel = PresetsPanel(self._present, self._total, self._load, guarded, own=own, live=live)
        self.pins_panel = Pins(self._present, self._load, draw, guarded, live=live)
        shared = self.pins_panel.shared
        self.sessions = Sessions(self._session, self._take_session, shared, guarded, by_path=own)
        self.above: list[w.Widget] = [self.steps, *self.presets_panel.above]
        self.below: list[w.Widget] = [self.pins_panel, self.sessions]

    def _load(self, config: PruningConfig, total_steps: int) -> None:
        self.load(config, total_steps)

    def _total(self) -> int:
        return int(self.controls.total_steps.value)

    def _present(self, name: str | None) -> Pin:
        """What is on the screen as a pin; ConfigError while the controls hold a problem."""
        if self.problems:
            raise ConfigError(self.problems, "nothing was kept")
        config, total_steps = self.config, self._total()
        return Pin(name=default_name(config) if name is None else name, config=config, total_steps=total_steps)

    def _session(self) -> Session:
        now = self._present("now")
        return Session(config=now.config, total_steps=now.total_steps, training=self.training, pins=self.pins)

    def _take_session(self, session: Session) -> str:
        """Show ``session``, and say what became of its pins."""
        before = self.pins
        pins = merged(before, session.pins)
        if session.training:
            countable(session.training)
        self.load(session.config, session.total_steps)
        if session.training:
            self.training = session.training
        self.pins_panel.put(pins)
        renamed = len({pin.name for pin in pins[len(before) :]} - {pin.name for pin in session.pins})
        said = f" Pins added: {len(pins) - len(before)}."
        return said + (f" Renamed, since their names were taken: {renamed}." if renamed else "")
