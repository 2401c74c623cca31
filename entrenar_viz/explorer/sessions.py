"""Sessions in and out: what is on the screen and what is pinned, as a file."""

from collections.abc import Callable
from pathlib import Path

import ipywidgets as w

from entrenar_viz.errors import ConfigError, StepError
from entrenar_viz.explorer import plain
from entrenar_viz.explorer.panels import Guard, named, show, text
from entrenar_viz.explorer.sharing import Shared, save_and_say, take_uploaded, typed_path
from entrenar_viz.workspace.session import Session


class Sessions(plain.VBox):
    """The session as a file: downloaded and uploaded, or ``by_path`` saved and loaded.

    ``session()`` makes it, ``take`` shows one and says what became of its pins.
    """

    def __init__(
        self,
        session: Callable[[], Session],
        take: Callable[[Session], str],
        shared: Shared,
        guarded: Guard,
        *,
        by_path: bool,
    ) -> None:
        self.session, self.take, self.shared = session, take, shared
        path = plain.Text("session.json", placeholder="file of a session", tooltip="A path, seen from the kernel")
        self.path = named(path, "File of the session")
        self.path.layout = w.Layout(width="200px")
        self.save, self.load = plain.Button(description="Save"), plain.Button(description="Load")
        self.overwrite = plain.Button(description="Overwrite")
        self.overwrite.button_style = "warning"
        self.download = plain.Button(description="Download …", tooltip="The configuration and all pins as a file")
        self.upload = plain.FileUpload(accept=".json", multiple=False, description="Upload")
        self.status = text()
        by_name = [self.path, self.save, self.overwrite, self.load] if by_path else []
        about = text("Session: the configuration and all pins", "entrenar-viz-quiet")
        line = plain.HBox([about, *by_name, self.download, self.upload])
        line.add_class("entrenar-viz-buttons")
        super().__init__([line, self.status])
        if by_path:  # a visitor can press buttons that are not shown
            self.save.on_click(guarded(lambda _: self._save(overwrite=False)))
            self.overwrite.on_click(guarded(lambda _: self._save(overwrite=True)))
            self.load.on_click(guarded(lambda _: self._take(self._read, self.path.value.strip())))
            self.path.observe(lambda _: self.say(""), "value")
        self.download.on_click(guarded(lambda _: self._offer()))
        self.upload.observe(guarded(lambda _: self._uploaded()), "value")
        self.say("")

    def say(self, message: str, *, exists: bool = False) -> None:
        """Tell how it went; ``exists`` offers to overwrite."""
        self.status.value = message
        show(self.overwrite, exists)

    def _save(self, *, overwrite: bool) -> None:
        if path := typed_path(self.path.value):
            save_and_say(Path(path), lambda chosen: self.session().save(chosen, overwrite=overwrite), self.say)
        else:
            self.say("Nothing was saved: name the file, for example session.json")

    def _read(self) -> Session:
        return Session.load(typed_path(self.path.value))

    def _take(self, read: Callable[[], Session], name: str) -> None:
        try:
            self.say(f"Loaded {name}.{self.take(read())}")
        except (ConfigError, StepError) as error:
            self.say(f"Nothing was loaded: {error}")

    def _offer(self) -> None:
        try:
            self.shared.offer("Session, as it was when you asked for it", self.session().to_json(), "session.json")
        except ConfigError as error:
            self.say(str(error))

    def _uploaded(self) -> None:
        def take(content: bytes, name: str) -> None:
            self._take(lambda: Session.from_json(content), name)

        take_uploaded(self.upload, take, self.say, "no session")
