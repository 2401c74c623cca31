"""What an explorer keeps and takes: what is exported, configurations that are imported, sessions, figures."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

from entrenar_viz.config.pruning_config import PruningConfig
from entrenar_viz.errors import EntrenarVizError
from entrenar_viz.explorer.controls.settings import countable
from entrenar_viz.explorer.languages import saved_as
from entrenar_viz.explorer.on_screen import accuracy_drawn, masks_drawn, schedules_drawn
from entrenar_viz.explorer.panels.figure import WHATS, What
from entrenar_viz.explorer.panels.pins import merged
from entrenar_viz.files.atomic import write_atomically
from entrenar_viz.workspace.session import Session

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from entrenar_viz.explorer.dashboard import Dashboard


class KeptFiles:
    """Saves what ``dashboard`` shows, and lets it show what was saved."""

    def __init__(self, dashboard: "Dashboard") -> None:
        self._dashboard = dashboard

    def save_exported(self, path: str, *, overwrite: bool) -> Path:
        """Save what is exported; ConfigError while there are problems, EntrenarVizError for another ending."""
        language = saved_as(path, self._dashboard.language)
        self._dashboard.check("nothing was exported")
        if not path:
            raise EntrenarVizError(f"Nothing was saved: name the file, for example {language.file}")
        if not language.fits(path):
            ending = f"{language.name} goes to a file that ends in {language.suffix}"
            raise EntrenarVizError(f"Nothing was saved: {ending}, for example {Path(path).stem}{language.suffix}")
        text = language.write(self._dashboard.config, self._dashboard.total_steps)
        return write_atomically(Path(path), text.encode(), overwrite=overwrite)

    def imported(self, config: PruningConfig) -> str:
        """Show ``config``, and say what else that has changed."""
        before = self._dashboard.total_steps
        self._dashboard.load(config)
        after = self._dashboard.total_steps
        return f" The training now has {after:,} steps." if after != before else ""

    def session(self) -> Session:
        """What is on the screen and pinned; ConfigError while there are problems."""
        now, training = self._dashboard.present("now"), self._dashboard.state.settings.training
        pins = self._dashboard.compare.pins
        return Session(config=now.config, total_steps=now.total_steps, training=training, pins=pins)

    def take_session(self, session: Session) -> str:
        """Show ``session``, and say what became of its pins."""
        before = self._dashboard.compare.pins
        pins = merged(before, session.pins)
        if session.training:
            countable(session.training)
        settings = self._dashboard.state.settings.showing(session.config, session.total_steps)
        self._dashboard.show(settings.counting(session.training))
        self._dashboard.compare.put(pins)
        renamed = len({pin.name for pin in pins[len(before) :]} - {pin.name for pin in session.pins})
        said = f" Pins added: {len(pins) - len(before)}."
        return said + (f" Renamed, since their names were taken: {renamed}." if renamed else "")

    def figure(self, what: What = "schedule", *, theme: str = "light") -> "Figure":
        """The schedules, the masks, the rehearsal or the plan on the screen; otherwise as ``Explorer.figure``."""
        if what not in WHATS:
            raise EntrenarVizError(f"{what!r:.40} cannot be drawn: use one of {', '.join(WHATS)}")
        shown = self._dashboard
        shown.check("nothing was drawn")
        if what == "schedule":
            return schedules_drawn(shown.state.settings, shown.config, shown.compare.drawn, shown.logs.drawn, theme)
        if what == "layers":
            if shown.layers.plan is None:
                raise EntrenarVizError("there is no plan of the layers yet: press Allot in the tab Layers")
            return shown.layers.plan.figure(theme=theme)
        if what == "accuracy":
            return accuracy_drawn(shown.accuracy.result, shown.state.settings.shown_cursor, theme)
        return masks_drawn(shown.state.settings, shown.config, shown.presenter.shown, theme)

    def save_figure(self, path: str | os.PathLike[str], *, what: What, theme: str, overwrite: bool) -> Path:
        """Save ``figure(what)`` to ``path``."""
        from entrenar_viz.figures.saving import save_figure

        return save_figure(self.figure(what, theme=theme), path, overwrite=overwrite)
