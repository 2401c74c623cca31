"""Configurations in and out: export and import as text, as files, and what is said of how it went."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import ipywidgets as w

from entrenar_viz.config import PruningConfig
from entrenar_viz.errors import ConfigError
from entrenar_viz.explorer.canvas import Offer
from entrenar_viz.explorer.panels import show, text
from entrenar_viz.explorer.sharing import download_link

MAX_UPLOAD = 1 << 20  # a configuration is smaller by far; above 10 MB a notebook's connection hangs
Guard = Callable[[Callable[..., None]], Callable[..., None]]


class Export(w.VBox):  # type: ignore[misc]
    """The JSON that the trainer loads: to copy, to download, and ``by_path`` to save."""

    def __init__(self, export: Callable[..., Path], guarded: Guard, *, live: bool, by_path: bool = True) -> None:
        self.export = export
        self.json = Offer() if live else w.Textarea(disabled=True, rows=12, layout={"width": "auto"})
        self.download = None if live else w.HTML()
        if self.download:
            self.json.add_class("entrenar-viz-json")
        self.path = w.Text("pruning.json", placeholder="file to save to", tooltip="A path, seen from the kernel")
        self.path.layout.flex = "1 1 120px"
        self.save = w.Button(description="Save", button_style="primary", layout={"width": "auto"})
        self.overwrite = w.Button(description="Overwrite", button_style="warning", layout={"width": "auto"})
        self.status = text()
        offers = [self.download] if self.download else []
        saving = [self.path, self.save, self.overwrite] if by_path else []
        buttons = w.HBox([*offers, *saving])
        buttons.add_class("entrenar-viz-buttons")
        super().__init__([text("Export", "entrenar-viz-heading"), self.json, buttons, self.status])
        if by_path:  # a visitor can press buttons that are not shown
            self.save.on_click(guarded(lambda _: self._save(overwrite=False)))
            self.overwrite.on_click(guarded(lambda _: self._save(overwrite=True)))
        self.path.observe(lambda _: None if self.save.disabled else self.say(""), "value")
        show(self.overwrite, False)

    def offer(self, config: PruningConfig | None) -> None:
        """Offer ``config`` for export, or block the export with None; the JSON shown stays the last good one."""
        if config:
            self.json.value = config.to_json()
        self.save.disabled = self.overwrite.disabled = config is None
        if self.download:
            self.download.value = download_link(self.json.value, "pruning.json")
            show(self.download, config is not None)
        else:
            self.json.blocked = config is None
        self.say("" if config else "Export waits until the problems above are mended.")

    def say(self, message: str, *, exists: bool = False) -> None:
        """Tell how an export went; ``exists`` offers to overwrite."""
        self.status.value = message
        show(self.overwrite, exists)

    def _save(self, *, overwrite: bool) -> None:
        chosen = Path(self.path.value.strip() or "pruning.json").expanduser()
        try:
            saved = self.export(chosen, overwrite=overwrite)
        except FileExistsError:
            self.say(f"{chosen} exists already.", exists=True)
        except (OSError, ValueError) as error:
            self.say(str(error))
        else:
            self.say(f"Saved {saved.resolve()}")


class Import(w.VBox):  # type: ignore[misc]
    """A configuration from a small upload, pasted text or, ``by_path``, a file; ``load`` says what it changed."""

    def __init__(self, load: Callable[[PruningConfig], str], guarded: Guard, *, by_path: bool = True) -> None:
        self.load = load
        self.path = w.Text(placeholder="path of a configuration", tooltip="A path, seen from the kernel")
        self.path.layout.flex = "1 1 120px"
        self.read = w.Button(description="Load", layout={"width": "auto"})
        self.upload = w.FileUpload(accept=".json", multiple=False, description="Upload", layout={"width": "auto"})
        self.paste = w.Textarea(placeholder="or paste the JSON here", rows=12, layout={"width": "auto"})
        self.paste.add_class("entrenar-viz-json")
        self.take = w.Button(description="Load pasted", layout={"width": "auto"})
        self.status = text()
        reading = [self.path, self.read] if by_path else []
        buttons = w.HBox([*reading, self.upload, self.take])
        buttons.add_class("entrenar-viz-buttons")
        super().__init__([text("Import", "entrenar-viz-heading"), self.paste, buttons, self.status])
        if by_path:
            self.read.on_click(guarded(lambda _: self._read_path(self.path.value)))
        self.take.on_click(guarded(lambda _: self._read_text(self.paste.value, "pasted text")))
        self.upload.observe(guarded(lambda change: self._uploaded(change.new)), "value")

    def _read_path(self, path: str) -> None:
        self._import(lambda: PruningConfig.load(Path(path.strip()).expanduser()), path)

    def _read_text(self, content: str | bytes, name: str) -> None:
        self._import(lambda: PruningConfig.from_json(content), name)

    def _import(self, read: Callable[[], PruningConfig], name: str) -> None:
        try:
            self.status.value = f"Loaded {name}.{self.load(read())}"
        except ConfigError as error:
            self.status.value = f"Nothing was loaded: {error}"

    def _uploaded(self, files: Any) -> None:
        for file in files:
            if file["size"] > MAX_UPLOAD:
                self.status.value = f"{file['name']} is larger than 1 MiB: this is not a pruning configuration"
            else:
                self._read_text(bytes(file["content"]), file["name"])
        self.upload.value = ()  # so that the same file can be uploaded again after mending it
