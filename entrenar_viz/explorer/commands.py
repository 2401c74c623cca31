"""What is asked of an explorer: messages of a page, changes by hand, and what buttons of the picture do."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from entrenar_viz.errors import EntrenarVizError
from entrenar_viz.explorer.browser import payload
from entrenar_viz.explorer.controls.state import Told
from entrenar_viz.explorer.languages import LANGUAGES

if TYPE_CHECKING:
    from entrenar_viz.explorer.dashboard import Dashboard


class Commands:
    """Hears what is asked of ``dashboard``, and has it done."""

    def __init__(self, dashboard: "Dashboard") -> None:
        self._dashboard = dashboard

    def hear(self, content: Any) -> None:
        """Take a message of a page: how many views it has, or its settings and what it asks for."""
        match content:
            case {"page": str(page), "views": int(views)}:
                self._dashboard.presenter.seen_by(page, views)
                self._dashboard.tabs.fill()
            case _:
                self._dashboard.state.take(Told.of(content))
                try:
                    self._dashboard.follow()
                except Exception:
                    self._dashboard.picture.tell_failure(
                        self._dashboard.told()
                    )  # a page that hears nothing tells nothing more
                    raise
                if ask := content.get("ask"):
                    self.do(ask)

    def change(self, changes: Mapping[str, Any]) -> None:
        """Take changes that were made by hand without a page; those of one number go on as one gesture."""
        ((name, value),) = changes.items() if len(changes) == 1 else [("", None)]
        gesture = name if type(value) in (int, float) else None  # a bare slider does not tell when it was taken hold of
        self._dashboard.state.change(self._dashboard.state.settings.changed(changes), gesture)
        self._dashboard.follow()

    def do(self, ask: payload.Command) -> None:
        """Do what a button of the picture asks for; EntrenarVizError for what none of ours does."""
        match dict(ask):
            case {"do": "undo" | "redo" | "reset" as step}:
                self._dashboard.step_back(step)
            case {"do": "fix", "finding": int(finding), "fix": int(fix), "name": str(label)}:
                self._fix(finding, fix, label)
            case {"do": "preset", "kind": str(kind), "name": str(name)}:
                self._start_from(kind, name)
            case {"do": "language", "name": str(name)}:
                self._dashboard.choose(next(language for language in LANGUAGES if language.name == name))
            case {"do": "cancel"}:
                self._cancel()
            case {"do": "open", "name": str(title)} if title in self._dashboard.tabs.panels:
                self._dashboard.tabs.open_tab(title)
            case _:
                raise EntrenarVizError(f"not understood: {ask!r:.80}")

    def _start_from(self, kind: str, name: str) -> None:
        try:
            self._dashboard.said = self._dashboard.start.pick(kind, name)
        except EntrenarVizError as error:
            self._dashboard.said = str(error)
        self._dashboard.answer()

    def _fix(self, finding: int, fix: int, label: str) -> None:
        """Apply a fix, unless what it was pressed for is no more there."""
        fixes = self._dashboard.findings[finding].fixes if finding < len(self._dashboard.findings) else ()
        if fix < len(fixes) and fixes[fix].label == label:
            self._dashboard.load(fixes[fix].config, self._dashboard.total_steps)

    def _cancel(self) -> None:
        """Drop the layer that is being prepared and go back to what is shown; if nothing is, to the first sample."""
        self._dashboard.presenter.stop()
        shown = self._dashboard.presenter.shown
        back, before = shown.request if shown else None, self._dashboard.state.settings
        if back:
            self._dashboard.state.show(before.masked_by(back.pattern, back.method))
        self._dashboard.masks.go_back(back)
        if self._dashboard.state.settings != before:
            self._dashboard.follow()
