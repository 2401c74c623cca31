"""The plan as a file: saved and loaded by path, or downloaded and uploaded."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import ipywidgets as w

from entrenar_viz.errors import EntrenarVizError
from entrenar_viz.explorer.panels import plain
from entrenar_viz.explorer.panels.parts import (
    Download,
    Guard,
    Saving,
    button,
    files_below,
    line,
    path_box,
    quiet,
    show,
    take_uploaded,
    text,
    typed_path,
)
from entrenar_viz.plan.layer_plan import Plan

MOST_UPLOAD = 4 << 20


class PlanFiles(plain.VBox):
    """``plan()`` is the one that is saved, None if there is none; ``take(plan)`` shows one.

    ``own`` says whether the user has files in the kernel, ``more`` are buttons beside those here.
    """

    def __init__(
        self, plan: Callable[[], Plan | None], take: Callable[[Plan], None], guarded: Guard, *more: w.Widget, own: bool
    ) -> None:
        self._plan, self._take_plan, self._own = plan, take, own
        self.path = path_box("File of the plan", "file of a plan", "plan.json")
        self.saving = Saving(self.path, self._save, self.say, guarded, own=own)
        self.saving.save.description, self.saving.save.tooltip = "Save plan", "Save the plan to this path"
        self.load = button("Load plan", "Load this plan", guarded(self._load_path), enter=self.path)
        self.prepare = button("Make download", "The plan as a file", guarded(self._offer))
        self.download, self.status = Download(), text()
        self.upload = plain.FileUpload(accept=".json", multiple=False, description="Upload plan")
        by_path: list[Any] = [self.saving, self.load] if own else []
        super().__init__([line(quiet("Plan"), *by_path, self.prepare, self.download, self.upload, *more), self.status])
        self.add_class("entrenar-viz-plan-files")
        uploaded = guarded(lambda: take_uploaded(self.upload, self._take_text, self.say, MOST_UPLOAD))
        self.upload.observe(lambda _: uploaded(), "value")
        self.say("")

    def refresh(self) -> None:
        """Offer the files that there are by now."""
        if self._own:
            self.path.options = files_below(Path(), (".json",))

    def follow(self, plan: Plan | None) -> None:
        """Hear which plan there is now; a download of the one before is taken back."""
        self.saving.save.disabled = self.prepare.disabled = plan is None
        if self.download.link.value:
            self.download.hide()
        self.saving.forget()

    def say(self, message: str) -> None:
        """Tell how it went."""
        self.status.value = message
        show(self.status, bool(message))

    def _kept(self) -> Plan:
        plan = self._plan()
        if plan is None:
            raise EntrenarVizError("Nothing was saved: there is no plan yet, press Allot")
        return plan

    def _save(self, path: str, *, overwrite: bool) -> Path:
        if not path:
            raise EntrenarVizError("Nothing was saved: name the file, for example plan.json")
        return self._kept().save(path, overwrite=overwrite)

    def _load_path(self) -> None:
        if self._own:  # a visitor can press buttons that are not shown
            self._take(lambda: Plan.load(typed_path(self.path.value)), self.path.value)

    def _take_text(self, content: bytes, name: str) -> None:
        self._take(lambda: Plan.from_json(content), name)

    def _take(self, read: Callable[[], Plan], name: str) -> None:
        try:
            self._take_plan(read())
        except EntrenarVizError as error:
            self.say(f"Nothing was loaded: {error}")
        else:
            self.say(f"Loaded {name.strip()}.")

    def _offer(self) -> None:
        try:
            self.download.offer(self._kept().to_json().encode(), "application/json", "plan.json")
        except EntrenarVizError as error:
            self.say(str(error))
