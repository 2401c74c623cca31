"""A figure of what is on the screen: saved by path, or made for download when that is asked for."""

import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import ipywidgets as w
import traitlets as tr

from entrenar_viz.config.pruning_config import PruningConfig
from entrenar_viz.errors import ConfigError, EntrenarVizError, Problem
from entrenar_viz.explorer import plain
from entrenar_viz.explorer.controls import Controls
from entrenar_viz.explorer.mask_presenter import MaskPresenter
from entrenar_viz.explorer.on_screen import masks_drawn, schedules_drawn
from entrenar_viz.explorer.panels import Guard, named, show, text
from entrenar_viz.explorer.pins import Pins
from entrenar_viz.explorer.sharing import download_link, save_and_say
from entrenar_viz.figures.palette import COLORS, FORMATS

if TYPE_CHECKING:
    from matplotlib.figure import Figure

What = Literal["schedule", "masks"]
WHATS: tuple[What, ...] = ("schedule", "masks")
MEDIA = {".png": "image/png", ".svg": "image/svg+xml", ".pdf": "application/pdf"}
MOST = 4 << 20  # bytes of a link: browsers and the connection of a notebook get slow with more


class Drawn:
    """The part of an Explorer that is drawn for keeping."""

    controls: Controls
    problems: tuple[Problem, ...]
    config: tr.Instance[PruningConfig]
    mask_presenter: MaskPresenter
    pins_panel: Pins

    def figure(self, what: What = "schedule", *, theme: str = "light") -> "Figure":
        """What is on the screen as a matplotlib figure: the ``"schedule"``, or the ``"masks"`` at the cursor.

        Raises ConfigError while the controls hold a problem, WeightsError where no mask is shown, EntrenarVizError for
        another ``what`` or ``theme``.
        """
        if what not in WHATS:
            raise EntrenarVizError(f"{what!r:.40} cannot be drawn: use one of {', '.join(WHATS)}")
        if self.problems:
            raise ConfigError(self.problems, "nothing was drawn")
        if what == "schedule":
            return schedules_drawn(self.controls, self.config, self.pins_panel.drawn, theme)
        return masks_drawn(self.controls, self.config, self.mask_presenter.shown, theme)

    def save_figure(
        self, path: str | os.PathLike[str], *, what: What = "schedule", theme: str = "light", overwrite: bool = False
    ) -> Path:
        """Save ``figure(what)`` to ``path``, a .png, .svg or .pdf, atomically; FileExistsError unless ``overwrite``."""
        from entrenar_viz.figures.saving import save_figure

        return save_figure(self.figure(what, theme=theme), path, overwrite=overwrite)


class Drawings(plain.VBox):
    """Which figure, in which format and colours; ``by_path`` adds a file to save it to.

    ``make(what, theme=)`` draws it, ``save(path, what=, theme=, overwrite=)`` writes it.
    """

    def __init__(
        self, make: "Callable[..., Figure]", save: Callable[..., Path], guarded: Guard, *, by_path: bool
    ) -> None:
        self._make, self._write = make, save
        self.what = named(plain.Dropdown(options=WHATS, layout=w.Layout(width="110px")), "What to draw")
        formats = [(suffix[1:].upper(), suffix) for suffix in FORMATS]
        self.format = named(plain.Dropdown(options=formats, layout=w.Layout(width="80px")), "Format")
        self.theme = named(plain.Dropdown(options=list(COLORS), layout=w.Layout(width="80px")), "Colours")
        self.path = named(plain.Text(self._file, tooltip="A path, seen from the kernel"), "File to save the figure to")
        self.path.layout = w.Layout(flex="0 1 260px")
        self.save = plain.Button(description="Save", tooltip="Save the figure")
        self.overwrite = plain.Button(description="Overwrite", button_style="warning")
        self.prepare = plain.Button(description="Make download", tooltip="Draw it now")
        self.link, self.status = plain.HTML(), text()
        saving = [self.path, self.save, self.overwrite] if by_path else []
        row = plain.HBox([self.what, self.format, self.theme, *saving, self.prepare, self.link])
        row.add_class("entrenar-viz-buttons")
        super().__init__([text("Figure", "entrenar-viz-heading"), row, self.status])
        self.prepare.on_click(guarded(lambda _: self._offer()))
        if by_path:  # a visitor can press buttons that are not shown
            self.save.on_click(guarded(lambda _: self._save(overwrite=False)))
            self.overwrite.on_click(guarded(lambda _: self._save(overwrite=True)))
        for choice in (self.what, self.format, self.theme):
            choice.observe(self._rename, "value")
        self.path.observe(lambda _: self.say(""), "value")
        self._named = self._file
        self.forget()

    @property
    def _file(self) -> str:
        return f"{self.what.value}{self.format.value}"

    def forget_with(self, widgets: Iterable[w.Widget]) -> None:
        """Take the offered file back when one of ``widgets`` changes what it should show."""
        for widget in widgets:
            widget.observe(self.forget, "value")

    def forget(self, _: object = None) -> None:
        """Take back the file that is offered for download, if there is one."""
        self.link.value = ""
        show(self.link, False)
        self.say("")

    def say(self, message: str, *, exists: bool = False) -> None:
        """Tell how it went; ``exists`` offers to overwrite."""
        self.status.value = message
        show(self.overwrite, exists)

    def _rename(self, _: object) -> None:
        """A name that we have given follows the choice, one that was typed keeps all but its suffix."""
        typed = Path(self.path.value.strip())
        if typed.name == self._named:
            self.path.value = str(typed.with_name(self._file))
        elif typed.suffix.lower() in FORMATS:
            self.path.value = str(typed.with_suffix(self.format.value))
        self._named = self._file
        self.forget()

    def _offer(self) -> None:
        from entrenar_viz.figures.saving import figure_bytes

        self.forget()
        try:
            content = figure_bytes(self._make(self.what.value, theme=self.theme.value), self.format.value)
        except EntrenarVizError as error:
            self.say(str(error))
            return
        if len(content) > MOST:
            self.say(f"The file has {len(content) / 2**20:.1f} MB, too many for a download: choose another format.")
            return
        self.link.value = download_link(content, MEDIA[self.format.value], self._file)
        show(self.link, True)
        self.say(f"{self._file}, {len(content) / 1000:,.0f} kB, as the screen was when it was made.")

    def _save(self, *, overwrite: bool) -> None:
        path = Path(self.path.value.strip() or self._file).expanduser()
        chosen = path if path.suffix else path.with_suffix(self.format.value)
        how: dict[str, Any] = {"what": self.what.value, "theme": self.theme.value, "overwrite": overwrite}
        save_and_say(chosen, lambda path: self._write(path, **how), self.say)
