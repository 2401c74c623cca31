"""Configurations in and out: export and import as text, as files, and what is said of how it went."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import ipywidgets as w

from entrenar_viz.config.pruning_config import PruningConfig
from entrenar_viz.errors import ConfigError
from entrenar_viz.explorer import plain
from entrenar_viz.explorer.canvas import Offer
from entrenar_viz.explorer.languages import JSON, LANGUAGES, Language
from entrenar_viz.explorer.panels import Guard, named, read_only, show, text
from entrenar_viz.explorer.sharing import download_link, save_and_say, take_uploaded, typed_path
from entrenar_viz.files.atomic import write_atomically


class Export(plain.VBox):
    """The JSON that the trainer loads, or the same as source text or a report: to copy, download, and save by path."""

    def __init__(self, export: Callable[..., Path], guarded: Guard, *, live: bool, by_path: bool = True) -> None:
        self.export = export
        self.offered: tuple[PruningConfig, int] | None = None
        choices = [(language.name, language) for language in LANGUAGES]
        self.language = named(w.ToggleButtons(options=choices, style={"button_width": "auto"}), "Export as")
        self.json = Offer() if live else read_only("Exported text")
        self.download = None if live else plain.HTML()
        path = plain.Text(JSON.file, placeholder="file to save to", tooltip="A path, seen from the kernel")
        self.path = named(path, "File to save to")
        self.path.layout = w.Layout(flex="1 1 120px")
        self.save = plain.Button(description="Save", button_style="primary")
        self.overwrite = plain.Button(description="Overwrite", button_style="warning")
        self.status = text()
        offers = [self.download] if self.download else []
        saving = [self.path, self.save, self.overwrite] if by_path else []
        buttons = plain.HBox([*offers, *saving])
        buttons.add_class("entrenar-viz-buttons")
        super().__init__([text("Export", "entrenar-viz-heading"), self.language, self.json, buttons, self.status])
        self.add_class("entrenar-viz-export")
        self.language.observe(guarded(self._translate), "value")
        if by_path:  # a visitor can press buttons that are not shown
            self.save.on_click(guarded(lambda _: self._save(overwrite=False)))
            self.overwrite.on_click(guarded(lambda _: self._save(overwrite=True)))
        self.path.observe(lambda _: None if self.save.disabled else self.say(""), "value")
        show(self.overwrite, False)

    def offer(self, config: PruningConfig | None, total_steps: int = 0) -> None:
        """Offer ``config`` for export, or block the export with None; the text shown stays the last good one."""
        if config:
            self.offered = config, total_steps
            self._write()
        self.save.disabled = self.overwrite.disabled = config is None
        if self.download:
            show(self.download, config is not None)
        else:
            self.json.blocked = config is None
        self.say("" if config else "Export waits until the problems above are fixed.")

    def _write(self) -> None:
        """Write what is offered in the chosen language only: a report takes a replay."""
        language: Language = self.language.value
        written = language.write(*self.offered) if self.offered else ""
        if isinstance(self.json, Offer):
            with self.json.hold_sync():  # one message to the page
                self.json.value, self.json.media = written, language.media
                self.json.file, self.json.label = language.file, f"Configuration as {language.name}"
        elif self.download:
            self.json.value = written
            self.download.value = download_link(written.encode(), language.media, language.file)

    def _translate(self, change: Any) -> None:
        """Show another language; the file to save to follows if it had the suffix of the one before."""
        path = self.path.value.strip()
        if path.endswith(change.old.suffix):
            self.path.value = path.removesuffix(change.old.suffix) + change.new.suffix
        self._write()

    def say(self, message: str, *, exists: bool = False) -> None:
        """Tell how an export went; ``exists`` offers to overwrite."""
        self.status.value = message
        show(self.overwrite, exists)

    def _save(self, *, overwrite: bool) -> None:
        language: Language = self.language.value
        chosen = typed_path(self.path.value)
        if not chosen:
            self.say(f"Nothing was saved: name the file, for example {language.file}")
        elif Path(chosen).suffix != language.suffix:
            ending = f"{language.name} goes to a file that ends in {language.suffix}"
            self.say(f"Nothing was saved: {ending}, for example {Path(chosen).stem}{language.suffix}")
        else:
            save_and_say(Path(chosen), lambda path: self._saved(path, language, overwrite=overwrite), self.say)

    def _saved(self, path: Path, language: Language, *, overwrite: bool) -> Path:
        if language is JSON:
            return self.export(path, overwrite=overwrite)
        return write_atomically(path, self.json.value.encode(), overwrite=overwrite)


class Import(plain.VBox):
    """A configuration from a small upload, pasted text or, ``by_path``, a file; ``load`` says what it changed."""

    def __init__(self, load: Callable[[PruningConfig], str], guarded: Guard, *, by_path: bool = True) -> None:
        self.load = load
        path = plain.Text(placeholder="path of a configuration", tooltip="A path, seen from the kernel")
        self.path = named(path, "File to load")
        self.path.layout = w.Layout(flex="1 1 120px")
        self.read = plain.Button(description="Load")
        self.upload = plain.FileUpload(accept=".json", multiple=False, description="Upload")
        paste = plain.Textarea(placeholder="or paste the JSON here", rows=12)
        self.paste = named(paste, "JSON to load")
        self.paste.add_class("entrenar-viz-json")
        self.take = plain.Button(description="Load pasted")
        self.status = text()
        reading = [self.path, self.read] if by_path else []
        buttons = plain.HBox([*reading, self.upload, self.take])
        buttons.add_class("entrenar-viz-buttons")
        super().__init__([text("Import", "entrenar-viz-heading"), self.paste, buttons, self.status])
        self.add_class("entrenar-viz-import")
        if by_path:
            self.read.on_click(guarded(lambda _: self._read_path(self.path.value)))
        self.take.on_click(guarded(lambda _: self._read_text(self.paste.value, "pasted text")))
        self.upload.observe(guarded(lambda _: self._uploaded()), "value")

    def _read_path(self, path: str) -> None:
        self._import(lambda: PruningConfig.load(typed_path(path)), path.strip())

    def _read_text(self, content: str | bytes, name: str) -> None:
        self._import(lambda: PruningConfig.from_json(content), name)

    def _import(self, read: Callable[[], PruningConfig], name: str) -> None:
        try:
            self._say(f"Loaded {name}.{self.load(read())}")
        except ConfigError as error:
            self._say(f"Nothing was loaded: {error}")

    def _uploaded(self) -> None:
        take_uploaded(self.upload, self._read_text, self._say, "not a pruning configuration")

    def _say(self, message: str) -> None:
        self.status.value = message
