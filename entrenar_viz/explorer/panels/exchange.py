"""The tab "Export & import": configurations and sessions, to and from files and text."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ipywidgets as w

from entrenar_viz.config.pruning_config import PruningConfig
from entrenar_viz.errors import ConfigError, EntrenarVizError, StepError
from entrenar_viz.explorer.languages import LANGUAGES, Language
from entrenar_viz.explorer.panels import plain
from entrenar_viz.explorer.panels.layer_words import NOT_EXPORTED, SESSIONS
from entrenar_viz.explorer.panels.parts import (
    Download,
    Guard,
    Saving,
    button,
    files_below,
    heading,
    line,
    named,
    path_box,
    quiet,
    read_only,
    show,
    take_uploaded,
    text,
    typed_path,
)
from entrenar_viz.files.writing import YAML_SUFFIXES, is_yaml
from entrenar_viz.workspace.session import Session

CONFIGS = (".json", *YAML_SUFFIXES)
WAITS = "Export waits until the problems above are fixed."


@dataclass(frozen=True)
class Doors:
    """What goes out of the explorer and comes in here."""

    save: Callable[..., Path]
    """Saves what is exported, ``save(path, overwrite=)``."""
    choose: Callable[[Language], None]
    """Says in which language it is to be."""
    load: Callable[[PruningConfig], str]
    """Shows a configuration, and says what else that has changed."""
    session: Callable[[], Session]
    take_session: Callable[[Session], str]
    """Shows a session, and says what became of its pins."""


class ExchangePanel(plain.VBox):
    """Export and import; ``own`` says whether the user has files in the kernel, ``live`` whether the page exports."""

    def __init__(self, doors: Doors, guarded: Guard, *, own: bool, live: bool) -> None:
        self.exporting = Exporting(doors, guarded, own=own, live=live)
        self.importing = Importing(doors.load, guarded, own=own)
        self.sessions = Sessions(doors, guarded, own=own)
        files = plain.HBox([self.exporting, self.importing])
        files.add_class("entrenar-viz-files")
        super().__init__([files, self.sessions])

    def refresh(self) -> None:
        """Offer the files that there are by now."""
        self.importing.path.options = files_below(Path(), CONFIGS)
        self.sessions.path.options = files_below(Path(), (".json",))


class Exporting(plain.VBox):
    """Saves what is exported by path; where no page exports, it is shown here, and to be downloaded."""

    def __init__(self, doors: Doors, guarded: Guard, *, own: bool, live: bool) -> None:
        self.status = text()
        self.language = LANGUAGES[0]
        self.languages = None if live else _toggles(doors.choose, guarded)
        self.text, self.download = read_only("Exported text"), Download()
        self.saving = Saving(
            path_box("File to save to", "file to save to", "pruning.json"), doors.save, self.say, guarded, own=own
        )
        self.unplanned = text(NOT_EXPORTED, "entrenar-viz-outdated")
        where = quiet("Copy and download are in the menu beside Export, above the picture.")
        shown = [self.languages, self.text, self.download] if self.languages else [where]
        super().__init__([heading("Export"), *shown, *([self.saving] if own else []), self.unplanned, self.status])
        self.add_class("entrenar-viz-exporting")
        self.tell_of_plan(False)

    def tell_of_plan(self, there: bool) -> None:
        """Say that what is exported has nothing of the plan of the layers, if there is one."""
        show(self.unplanned, there)

    def say(self, message: str) -> None:
        """Tell how an export went."""
        self.status.value = message

    def offer(self, language: Language, content: str, blocked: bool) -> None:
        """Show what is exported now; what is blocked can be read, not taken."""
        if language != self.language:
            path, typed = self.saving.path, self.saving.path.value.strip()
            if self.language.fits(typed):
                path.value = typed.removesuffix(Path(typed).suffix) + language.suffix
            self.language = language
            if self.languages:
                self.languages.value = language
        self.saving.save.disabled = self.saving.overwrite.disabled = blocked
        if content != self.text.value or blocked != (self.status.value == WAITS):
            self.text.value = content
            self.saving.forget()
            self.say(WAITS if blocked else "")
            self.download.hide()
            if not blocked:
                self.download.offer(content.encode(), language.media, language.file)


def _toggles(choose: Callable[[Language], None], guarded: Guard) -> w.ToggleButtons:
    options = [(language.name, language) for language in LANGUAGES]
    made = named(w.ToggleButtons(options=options, style={"button_width": "auto"}), "Export as")
    chosen = guarded(choose)
    made.observe(lambda change: chosen(change.new), "value")
    return made


class Importing(plain.VBox):
    """A configuration from a file, a small upload or pasted text."""

    def __init__(self, load: Callable[[PruningConfig], str], guarded: Guard, *, own: bool) -> None:
        self.load, self._own = load, own
        self.path = path_box("File to load", "path of a configuration")
        self.read = button("Load", "Load this file", guarded(self._read_path), enter=self.path)
        self.upload = plain.FileUpload(accept=",".join(CONFIGS), multiple=False, description="Upload")
        self.paste = read_only("JSON or YAML to load", rows=5)
        self.paste.placeholder, self.paste.disabled = "or paste JSON or YAML here", False
        self.take = button("Load pasted", "Load this text", guarded(self._take_pasted))
        self.status = text()
        files = line(*([self.path, self.read] if own else []), self.upload)
        super().__init__([heading("Import"), files, self.paste, line(self.take), self.status])
        self.add_class("entrenar-viz-importing")
        uploaded = guarded(lambda: take_uploaded(self.upload, self._take_file, self._say))
        self.upload.observe(lambda _: uploaded(), "value")

    def _read_path(self) -> None:
        if self._own:  # a visitor can press buttons that are not shown
            self._import(lambda: PruningConfig.load(typed_path(self.path.value)), self.path.value.strip())

    def _take_file(self, content: bytes, name: str) -> None:
        read = PruningConfig.from_yaml if is_yaml(name) else PruningConfig.from_json
        self._import(lambda: read(content), name)

    def _take_pasted(self) -> None:
        content = self.paste.value
        read = PruningConfig.from_json if content.lstrip().startswith("{") else PruningConfig.from_yaml
        self._import(lambda: read(content), "pasted text")

    def _import(self, read: Callable[[], PruningConfig], name: str) -> None:
        try:
            self._say(f"Loaded {name}.{self.load(read())}")
        except ConfigError as error:
            self._say(f"Nothing was loaded: {error}")

    def _say(self, message: str) -> None:
        self.status.value = message


class Sessions(plain.VBox):
    """The session as a file: downloaded and uploaded, or saved and loaded by path."""

    def __init__(self, doors: Doors, guarded: Guard, *, own: bool) -> None:
        self._doors, self._own = doors, own
        self.path = path_box("File of the session", "file of a session", "session.json")
        self.saving = Saving(self.path, self._save, self.say, guarded, own=own)
        self.load = button("Load", "Load this session", guarded(self._load_path))
        self.prepare = button("Make download", "The configuration and all pins as a file", guarded(self._offer))
        self.download, self.status = Download(), text()
        self.upload = plain.FileUpload(accept=".json", multiple=False, description="Upload")
        by_path: list[Any] = [self.saving, self.load] if own else []
        about = quiet(SESSIONS)
        files = line(about, *by_path, self.prepare, self.download, self.upload)
        super().__init__([heading("Session"), files, self.status])
        uploaded = guarded(lambda: take_uploaded(self.upload, self._take_text, self.say))
        self.upload.observe(lambda _: uploaded(), "value")

    def say(self, message: str) -> None:
        """Tell how it went."""
        self.status.value = message

    def _save(self, path: str, *, overwrite: bool) -> Path:
        if not path:
            raise EntrenarVizError("Nothing was saved: name the file, for example session.json")
        return self._doors.session().save(path, overwrite=overwrite)

    def _load_path(self) -> None:
        if self._own:
            self._take(lambda: Session.load(typed_path(self.path.value)), self.path.value)

    def _take_text(self, content: bytes, name: str) -> None:
        self._take(lambda: Session.from_json(content), name)

    def _take(self, read: Callable[[], Session], name: str) -> None:
        try:
            self.say(f"Loaded {name.strip()}.{self._doors.take_session(read())}")
        except (ConfigError, StepError) as error:
            self.say(f"Nothing was loaded: {error}")

    def _offer(self) -> None:
        try:
            self.download.offer(self._doors.session().to_json().encode(), "application/json", "session.json")
        except ConfigError as error:
            self.say(str(error))
