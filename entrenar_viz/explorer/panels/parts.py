"""What panels are made of: text that is never HTML, rows with a label, progress, a file to download."""

import base64
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import ipywidgets as w
import traitlets as tr

from entrenar_viz.errors import ConfigError
from entrenar_viz.explorer.panels import plain

Guard = Callable[[Callable[..., Any]], Callable[..., None]]  # a callback to the same with a banner for what it raises
MAX_UPLOAD = 1 << 20  # a configuration is smaller by far; above 10 MB a notebook's connection hangs
MAX_STEM = 60
LISTED = 200  # files that a box of paths offers
DEEPEST = 4  # folders below the one that is looked through


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


def quiet(value: str = "") -> Text:
    """A line of text that stands back."""
    return text(value, "entrenar-viz-quiet")


def heading(value: str) -> Text:
    """The heading of a section."""
    return text(value, "entrenar-viz-heading")


def named(widget: w.Widget, name: str) -> w.Widget:
    """``widget`` with an accessible name that is not seen, for a control with our own text beside it or none."""
    widget.description = name
    widget.add_class("entrenar-viz-named")
    return widget


def button(label: str, tip: str, press: Callable[..., Any], *, enter: w.Text | None = None) -> w.Button:
    """A button; ``press`` is called without arguments, also when Enter is pressed in the box ``enter``."""
    made = plain.Button(description=label, tooltip=tip)
    made.on_click(lambda _: press())
    if enter is not None:
        enter.on_msg(lambda _, content, __: press() if content.get("event") == "submit" else None)
    return made


def line(*parts: w.Widget) -> plain.HBox:
    """Widgets side by side, in more lines where the window is narrow."""
    box = plain.HBox(list(parts))
    box.add_class("entrenar-viz-buttons")
    return box


def path_box(name: str, placeholder: str, value: str = "") -> plain.Combobox:
    """A box for a path, which offers the files that it is given as ``options``."""
    box = plain.Combobox(value=value, placeholder=placeholder, tooltip="A path, seen from the kernel")
    named(box, name)
    box.add_class("entrenar-viz-path")
    return box


def read_only(name: str, rows: int = 12) -> plain.Textarea:
    """A box of lines to read and copy."""
    box = plain.Textarea(disabled=True, rows=rows)
    named(box, name)
    box.add_class("entrenar-viz-json")
    return box


class RowOf(plain.VBox):
    """A labelled control, and room for what is wrong with it."""

    def __init__(self, label: str, *parts: w.Widget) -> None:
        self.problem = text("", "entrenar-viz-problem")
        row = plain.HBox([text(label, "entrenar-viz-label"), *parts])
        row.add_class("entrenar-viz-row")
        super().__init__([row, self.problem])
        self.complain("")

    def complain(self, message: str) -> None:
        """Show what is wrong here, or nothing."""
        self.problem.value = message
        show(self.problem, bool(message))


class Progress(plain.HBox):
    """What is being done, how much of it is done, and a button to cancel it; hidden, it keeps its room."""

    def __init__(self, tip: str, cancel: Callable[..., None]) -> None:
        self.message = quiet()
        self.bar = plain.FloatProgress(min=0.0, max=1.0, tooltip=tip)
        self.cancel = button("Cancel", "Stop, and keep what is shown", cancel)
        super().__init__([self.bar, self.cancel, self.message])
        self.add_class("entrenar-viz-progress")
        self.say("", 0.0)

    def say(self, message: str, share: float) -> None:
        """Show ``message`` and the ``share`` that is done, 0 to 1; nothing for an empty message."""
        self.message.value, self.bar.value = message, share
        _mark(self, "entrenar-viz-blank", not message)


class Banner(plain.HBox):
    """What a callback raised: JupyterLab would hide it."""

    def __init__(self) -> None:
        self.message = text()
        super().__init__([self.message, button("Dismiss", "Hide this message", lambda: show(self, False))])
        self.add_class("entrenar-viz-banner")
        show(self, False)

    def say(self, message: str) -> None:
        """Show ``message`` until it is dismissed."""
        self.message.value = message
        show(self, True)


class Download(plain.VBox):
    """A link to a file that was asked for, hidden until then."""

    def __init__(self) -> None:
        self.link = plain.HTML()
        super().__init__([self.link])  # hidden with its box
        self.hide()

    def offer(self, content: bytes, media: str, file: str) -> None:
        """Offer ``content`` as ``file``, a name of ours or one made by ``file_name``."""
        data = base64.b64encode(content).decode()
        self.link.value = (
            '<a class="jupyter-button widget-button entrenar-viz-download" '
            f'download="{file}" href="data:{media};base64,{data}">Download {file}</a>'
        )
        show(self, True)

    def hide(self) -> None:
        """Offer nothing."""
        self.link.value = ""
        show(self, False)


class Saving(plain.HBox):
    """A box for a path with Save, and Overwrite where a file is there already; ``write(path, overwrite=)`` saves.

    Without files of one's ``own`` nothing is: a visitor can press buttons that are not shown.
    """

    def __init__(
        self,
        box: plain.Combobox,
        write: Callable[..., Path],
        say: Callable[[str], None],
        guarded: Guard,
        *,
        own: bool,
    ) -> None:
        self.path, self._write, self._say, self._own = box, write, say, own
        self.save = button("Save", "Save to this path", guarded(lambda: self._save(overwrite=False)))
        self.overwrite = button("Overwrite", "Save over the file", guarded(lambda: self._save(overwrite=True)))
        self.overwrite.button_style = "warning"
        super().__init__([self.path, self.save, self.overwrite])
        self.add_class("entrenar-viz-saving")
        self.path.observe(lambda _: self.forget(), "value")
        show(self.overwrite, False)

    def forget(self) -> None:
        """Take back what was said of the last try."""
        self._say("")
        show(self.overwrite, False)

    def _save(self, *, overwrite: bool) -> None:
        if not self._own:
            return
        exists = False
        try:
            said = f"Saved {self._write(typed_path(self.path.value), overwrite=overwrite).resolve()}"
        except FileExistsError:
            said, exists = f"{self.path.value.strip()} exists already.", True
        except (OSError, ValueError) as error:
            said = str(error)
        self._say(said)
        show(self.overwrite, exists)


def typed_path(given: str) -> str:
    """The path that somebody has typed, ``~`` in it followed; empty if there is none."""
    return os.path.expanduser(given.strip())


def file_name(name: str) -> str:
    """A name for the file of what somebody has called ``name``, safe in a link and on any system.

    >>> file_name("Gradual 50%"), file_name("../../<b>")
    ('pruning-Gradual-50.json', 'pruning-b.json')
    """
    stem = re.sub(r"\W+", "-", name).strip("-")[:MAX_STEM]
    return f"pruning-{stem}.json" if stem else "pruning.json"


def files_below(folder: Path, suffixes: tuple[str, ...]) -> list[str]:
    """Paths of files below ``folder``, relative to it, in order; the first 200, and none in hidden folders."""
    return sorted(found for found, _ in zip(_walk(folder, suffixes), range(LISTED), strict=False))


def _walk(folder: Path, suffixes: tuple[str, ...]) -> Iterator[str]:
    for place, folders, files in os.walk(folder):
        inside = Path(place).relative_to(folder)
        folders[:] = sorted(name for name in folders if not name.startswith(".")) if len(inside.parts) < DEEPEST else []
        yield from (str(inside / name) for name in sorted(files) if name.endswith(suffixes))


def about_name(error: Exception) -> str:
    """``error`` in words; beside the entry of a name, without saying again that it is about the name."""
    if isinstance(error, ConfigError) and all(problem.where == "name" for problem in error.problems):
        return "; ".join(problem.message for problem in error.problems)
    return str(error)


def take_uploaded(
    upload: plain.FileUpload,
    take: Callable[[bytes, str], None],
    say: Callable[[str], None],
    most: int = MAX_UPLOAD,
    hint: str = "it is none of our files",
) -> None:
    """Give each uploaded file to ``take``, content and name; one of more than ``most`` bytes is refused."""
    files: Any = upload.value
    for file in files:
        if file["size"] > most:
            say(f"{file['name']} is larger than {most >> 20} MiB: {hint}")
        else:
            take(bytes(file["content"]), file["name"])
    upload.value = ()  # so that the same file can be uploaded again after mending it


def show(widget: w.Widget, visible: bool) -> None:
    """Show a widget, none of anywidget's, or take it out of the layout."""
    _mark(widget, "entrenar-viz-hidden", not visible)


def is_shown(widget: w.Widget) -> bool:
    """Whether ``widget`` is neither hidden nor blank."""
    return not {"entrenar-viz-hidden", "entrenar-viz-blank"} & set(widget._dom_classes)


def _mark(widget: w.Widget, name: str, on: bool) -> None:
    (widget.add_class if on else widget.remove_class)(name)
