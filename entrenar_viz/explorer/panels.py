"""What stands below the controls and the canvas: findings, export and import, and the banner for what went wrong."""

import base64
import re
from collections.abc import Callable
from typing import Any

import ipywidgets as w
import traitlets as tr

from entrenar_viz.config import PruningConfig
from entrenar_viz.explorer.canvas import Offer
from entrenar_viz.findings import Finding, Fix

MAX_UPLOAD = 1 << 20  # a configuration is smaller by far; above 10 MB a notebook's connection hangs


class Text(w.Label):  # type: ignore[misc]
    """A line of text, neither HTML nor mathematics: file names and tensor names come from elsewhere."""

    @tr.validate("value")
    def _no_mathematics(self, proposal: dict[str, str]) -> str:
        """Break what MathJax would typeset in a label by a space of no width."""
        return re.sub(r"(\$|\\(?=[(\[]))", "\\1\u200b", proposal["value"])


def text(value: str = "", *classes: str) -> Text:
    """A line of text with the style of ``classes``."""
    label = Text(value)
    for name in ("entrenar-viz-text", *classes):
        label.add_class(name)
    return label


def show(widget: w.Widget, visible: bool) -> None:
    """Show a widget or take it out of the layout."""
    widget.layout.display = None if visible else "none"


class Banner(w.HBox):  # type: ignore[misc]
    """What a callback raised: JupyterLab would hide it."""

    def __init__(self) -> None:
        self.message = text()
        close = w.Button(description="Dismiss", layout={"width": "auto"})
        super().__init__([self.message, close])
        self.add_class("entrenar-viz-banner")
        close.on_click(lambda _: show(self, False))
        show(self, False)

    def say(self, message: str) -> None:
        """Show ``message`` until it is dismissed."""
        self.message.value = message
        show(self, True)


class FindingRow(w.HBox):  # type: ignore[misc]
    """One finding and the buttons of its fixes; used again for the next finding in its place."""

    def __init__(self, apply: Callable[[Fix], None]) -> None:
        self.severity, self.message = text("", "entrenar-viz-severity"), text()
        self.buttons = [w.Button(layout={"width": "auto"}) for _ in range(2)]
        self.fixes: tuple[Fix, ...] = ()
        super().__init__([self.severity, self.message, *self.buttons])
        self.add_class("entrenar-viz-finding")
        for i, button in enumerate(self.buttons):
            button.on_click(lambda _, i=i: apply(self.fixes[i]))

    def fill(self, finding: Finding | None) -> None:
        """Show ``finding``, or nothing."""
        show(self, finding is not None)
        if finding is None:
            return
        self.fixes = finding.fixes
        self.severity.value, self.message.value = finding.severity, finding.message
        for severity in ("error", "warning", "info"):
            (self.add_class if severity == finding.severity else self.remove_class)(f"entrenar-viz-{severity}")
        for i, button in enumerate(self.buttons):
            show(button, i < len(self.fixes))
            button.description = self.fixes[i].label if i < len(self.fixes) else ""


class Findings(w.VBox):  # type: ignore[misc]
    """The findings of the configuration, in words, each with its fixes."""

    def __init__(self, apply: Callable[[Fix], None]) -> None:
        self.apply = apply
        self.rows: list[FindingRow] = []  # never thrown away, so that a long session does not fill the kernel
        nothing = "No findings: the trainer reaches the target and leaves time to recover."
        self.nothing = text(nothing, "entrenar-viz-quiet")
        super().__init__([self.nothing])
        self.add_class("entrenar-viz-findings")

    def fill(self, findings: list[Finding]) -> None:
        """Show ``findings``."""
        if len(findings) > len(self.rows):
            self.rows += [FindingRow(self.apply) for _ in findings[len(self.rows) :]]
            self.children = (self.nothing, *self.rows)
        for i, row in enumerate(self.rows):
            row.fill(findings[i] if i < len(findings) else None)
        show(self.nothing, not findings)


class Export(w.VBox):  # type: ignore[misc]
    """The JSON that the trainer loads: to copy, to download, and with ``save`` to save to a path."""

    def __init__(self, save: Callable[[str, bool], None] | None, *, live: bool) -> None:
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
        saving = [self.path, self.save, self.overwrite] if save else []
        buttons = w.HBox([*offers, *saving])
        buttons.add_class("entrenar-viz-buttons")
        super().__init__([text("Export", "entrenar-viz-heading"), self.json, buttons, self.status])
        if save:
            self.save.on_click(lambda _: save(self.path.value, False))
            self.overwrite.on_click(lambda _: save(self.path.value, True))
        self.path.observe(lambda _: None if self.save.disabled else self.say(""), "value")
        show(self.overwrite, False)

    def offer(self, config: PruningConfig | None) -> None:
        """Offer ``config`` for export, or block the export with None; the JSON shown stays the last good one."""
        if config:
            self.json.value = config.to_json()
        self.save.disabled = self.overwrite.disabled = config is None
        if self.download:
            data = base64.b64encode(self.json.value.encode()).decode()
            link = f'download="pruning.json" href="data:application/json;base64,{data}"'
            self.download.value = f'<a class="jupyter-button widget-button entrenar-viz-download" {link}>Download</a>'
            show(self.download, config is not None)
        else:
            self.json.blocked = config is None
        self.say("" if config else "Export waits until the problems above are mended.")

    def say(self, message: str, *, exists: bool = False) -> None:
        """Tell how an export went; ``exists`` offers to overwrite."""
        self.status.value = message
        show(self.overwrite, exists)


class Import(w.VBox):  # type: ignore[misc]
    """A configuration from a small upload or pasted text, and with ``read_path`` from a path."""

    def __init__(self, read_path: Callable[[str], None] | None, read_text: Callable[[str | bytes, str], None]) -> None:
        self.path = w.Text(placeholder="path of a configuration", tooltip="A path, seen from the kernel")
        self.path.layout.flex = "1 1 120px"
        self.read = w.Button(description="Load", layout={"width": "auto"})
        self.upload = w.FileUpload(accept=".json", multiple=False, description="Upload", layout={"width": "auto"})
        self.paste = w.Textarea(placeholder="or paste the JSON here", rows=12, layout={"width": "auto"})
        self.paste.add_class("entrenar-viz-json")
        self.take = w.Button(description="Load pasted", layout={"width": "auto"})
        self.status = text()
        reading = [self.path, self.read] if read_path else []
        buttons = w.HBox([*reading, self.upload, self.take])
        buttons.add_class("entrenar-viz-buttons")
        super().__init__([text("Import", "entrenar-viz-heading"), self.paste, buttons, self.status])
        if read_path:
            self.read.on_click(lambda _: read_path(self.path.value))
        self.take.on_click(lambda _: read_text(self.paste.value, "pasted text"))
        self.upload.observe(lambda change: self._uploaded(change.new, read_text), "value")

    def _uploaded(self, files: Any, read_text: Callable[[str | bytes, str], None]) -> None:
        for file in files:
            if file["size"] > MAX_UPLOAD:
                self.status.value = f"{file['name']} is larger than 1 MiB: this is no pruning configuration"
            else:
                read_text(bytes(file["content"]), file["name"])
        self.upload.value = ()  # so that the same file can be uploaded again after mending it
