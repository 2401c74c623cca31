"""Text that is never HTML, findings with their fixes, and the banner for what went wrong."""

import re
from collections.abc import Callable

import ipywidgets as w
import traitlets as tr

from entrenar_viz.analysis.finding import Finding, Fix
from entrenar_viz.errors import ConfigError
from entrenar_viz.explorer import plain

Guard = Callable[[Callable[..., None]], Callable[..., None]]  # a callback to the same with a banner for what it raises


class Text(plain.Label):
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


def named(widget: w.Widget, name: str) -> w.Widget:
    """``widget`` with an accessible name that is not seen, for a control with our own text beside it or none."""
    widget.description = name
    widget.add_class("entrenar-viz-named")
    return widget


def read_only(name: str, rows: int = 12) -> plain.Textarea:
    """A box of lines to read and copy, for front ends that cannot show ours."""
    box = plain.Textarea(disabled=True, rows=rows)
    named(box, name)
    box.add_class("entrenar-viz-json")
    return box


def about_name(error: Exception) -> str:
    """``error`` in words; beside the entry of a name, without saying again that it is about the name."""
    if isinstance(error, ConfigError) and all(problem.where == "name" for problem in error.problems):
        return "; ".join(problem.message for problem in error.problems)
    return str(error)


def show(widget: w.Widget, visible: bool) -> None:
    """Show a widget, none of anywidget's, or take it out of the layout."""
    _mark(widget, "entrenar-viz-hidden", not visible)


def is_shown(widget: w.Widget) -> bool:
    """Whether ``widget`` is neither hidden nor blank."""
    return not {"entrenar-viz-hidden", "entrenar-viz-blank"} & set(widget._dom_classes)


def blank(widget: w.Widget, empty: bool) -> None:
    """Let a widget keep its room and show nothing."""
    _mark(widget, "entrenar-viz-blank", empty)


def _mark(widget: w.Widget, name: str, on: bool) -> None:
    (widget.add_class if on else widget.remove_class)(name)


class Banner(plain.HBox):
    """What a callback raised: JupyterLab would hide it."""

    def __init__(self) -> None:
        self.message = text()
        close = plain.Button(description="Dismiss")
        super().__init__([self.message, close])
        self.add_class("entrenar-viz-banner")
        close.on_click(lambda _: show(self, False))
        show(self, False)

    def say(self, message: str) -> None:
        """Show ``message`` until it is dismissed."""
        self.message.value = message
        show(self, True)


class Progress(plain.HBox):
    """What is being prepared, how much of it is done, and a button to cancel it; hidden, it keeps its room."""

    def __init__(self, cancel: Callable[..., None]) -> None:
        self.message = text("", "entrenar-viz-quiet")
        self.bar = plain.FloatProgress(min=0.0, max=1.0, tooltip="How much of the layer is prepared")
        self.cancel = plain.Button(description="Cancel", tooltip="Stay with what is shown")
        super().__init__([self.bar, self.cancel, self.message])
        self.add_class("entrenar-viz-progress")
        self.cancel.on_click(cancel)
        self.hide()

    def say(self, message: str, share: float) -> None:
        """Show ``message`` and the ``share`` that is done, 0 to 1."""
        self.message.value, self.bar.value = message, share
        blank(self, False)

    def hide(self) -> None:
        """Show nothing."""
        blank(self, True)


class FindingRow(plain.HBox):
    """One finding and the buttons of its fixes; used again for the next finding in its place."""

    def __init__(self, apply: Callable[[Fix], None]) -> None:
        self.severity, self.message = text("", "entrenar-viz-severity"), text()
        self.buttons = [plain.Button() for _ in range(2)]
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


class Findings(plain.VBox):
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
