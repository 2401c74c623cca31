"""The tab "Figure": a figure of what is on the screen, saved by path, or made for download when that is asked for."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

from entrenar_viz.errors import EntrenarVizError
from entrenar_viz.explorer.panels import plain
from entrenar_viz.explorer.panels.parts import Download, Guard, Saving, button, line, named, path_box, text
from entrenar_viz.figures.palette import COLORS, FORMATS

if TYPE_CHECKING:
    from matplotlib.figure import Figure

What = Literal["schedule", "masks", "accuracy", "layers"]
WHATS: tuple[What, ...] = get_args(What)
MEDIA = {".png": "image/png", ".svg": "image/svg+xml", ".pdf": "application/pdf"}
MOST = 4 << 20  # bytes of a link: browsers and the connection of a notebook get slow with more


class FigurePanel(plain.VBox):
    """Which figure, in which format and colours; ``own`` adds a file to save it to.

    ``make(what, theme=)`` draws it, ``save(path, what=, theme=, overwrite=)`` writes it.
    """

    def __init__(self, make: "Callable[..., Figure]", save: Callable[..., Path], guarded: Guard, *, own: bool) -> None:
        self._make, self._write = make, save
        self.what = named(plain.Dropdown(options=WHATS), "What to draw")
        formats = [(suffix[1:].upper(), suffix) for suffix in FORMATS]
        self.format = named(plain.Dropdown(options=formats), "Format")
        self.theme = named(plain.Dropdown(options=list(COLORS)), "Colours")
        self.prepare = button("Make download", "Draw it now", guarded(self._offer))
        self.download, self.status = Download(), text()
        box = path_box("File to save the figure to", "file of the figure", self._file)
        self.saving = Saving(box, self._save, self.say, guarded, own=own)
        choices = (self.what, self.format, self.theme)
        super().__init__([line(*choices, *([self.saving] if own else []), self.prepare, self.download), self.status])
        for choice in choices:
            choice.observe(lambda _: self._rename(), "value")
        self._named = self._file

    @property
    def _file(self) -> str:
        return f"{self.what.value}{self.format.value}"

    def forget(self) -> None:
        """Take back the file that is offered for download, which is no more what is on the screen."""
        if self.download.link.value:
            self.download.hide()
            self.say("")

    def say(self, message: str) -> None:
        """Tell how it went."""
        self.status.value = message

    def _rename(self) -> None:
        """A name that we have given follows the choice, one that was typed keeps all but its suffix."""
        path = self.saving.path
        typed = Path(path.value.strip())
        if typed.name == self._named:
            path.value = str(typed.with_name(self._file))
        elif typed.suffix.lower() in FORMATS:
            path.value = str(typed.with_suffix(self.format.value))
        self._named = self._file
        self.download.hide()
        self.saving.forget()

    def _offer(self) -> None:
        from entrenar_viz.figures.saving import figure_bytes

        self.download.hide()
        try:
            content = figure_bytes(self._make(self.what.value, theme=self.theme.value), self.format.value)
        except EntrenarVizError as error:
            self.say(str(error))
            return
        if len(content) > MOST:
            self.say(f"The file has {len(content) / 2**20:.1f} MB, too many for a download: choose another format.")
            return
        self.download.offer(content, MEDIA[self.format.value], self._file)
        self.say(f"{self._file}, {len(content) / 1000:,.0f} kB, as the screen was when it was made.")

    def _save(self, given: str, *, overwrite: bool) -> Path:
        path = Path(given or self._file)
        chosen = path if path.suffix else path.with_suffix(self.format.value)
        how: dict[str, Any] = {"what": self.what.value, "theme": self.theme.value, "overwrite": overwrite}
        return self._write(chosen, **how)
