"""Files that come and go: saved by path, uploaded, and shown to copy and download under a safe name."""

import base64
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from entrenar_viz.explorer import plain
from entrenar_viz.explorer.canvas import Offer
from entrenar_viz.explorer.panels import read_only, show, text

MAX_STEM = 60
MAX_UPLOAD = 1 << 20  # a configuration is smaller by far; above 10 MB a notebook's connection hangs


def file_name(name: str) -> str:
    """A name for the file of what somebody has called ``name``, safe in a link and on any system.

    >>> file_name("Gradual 50%"), file_name("../../<b>")
    ('pruning-Gradual-50.json', 'pruning-b.json')
    """
    stem = re.sub(r"\W+", "-", name).strip("-")[:MAX_STEM]
    return f"pruning-{stem}.json" if stem else "pruning.json"


def typed_path(text: str) -> str:
    """The path that somebody has typed, ``~`` in it followed; empty if there is none."""
    return os.path.expanduser(text.strip())


def download_link(content: bytes, media: str, file: str, label: str = "Download") -> str:
    """HTML of a link that saves ``content`` in the visitor's browser; ``file`` is ours or comes from ``file_name``."""
    link = f'download="{file}" href="data:{media};base64,{base64.b64encode(content).decode()}"'
    return f'<a class="jupyter-button widget-button entrenar-viz-download" {link}>{label}</a>'


def save_and_say(path: Path, save: Callable[[Path], Path], say: Callable[..., None]) -> None:
    """Save to ``path`` and tell how it went; where a file is there already, that it may be overwritten."""
    try:
        saved = save(path)
    except FileExistsError:
        say(f"{path} exists already.", exists=True)
    except (OSError, ValueError) as error:
        say(str(error))
    else:
        say(f"Saved {saved.resolve()}")


def take_uploaded(
    upload: plain.FileUpload, take: Callable[[bytes, str], None], say: Callable[[str], None], what: str
) -> None:
    """Give each uploaded file to ``take``, content and name; one that is too large to be ``what`` is refused."""
    files: Any = upload.value
    for file in files:
        if file["size"] > MAX_UPLOAD:
            say(f"{file['name']} is larger than 1 MiB: this is {what}")
        else:
            take(bytes(file["content"]), file["name"])
    upload.value = ()  # so that the same file can be uploaded again after mending it


class Shared(plain.VBox):
    """The file that was asked for last, hidden until then."""

    def __init__(self, *, live: bool) -> None:
        self.title = text("", "entrenar-viz-quiet")
        self.json = Offer(label="File as JSON") if live else read_only("File as JSON")
        self.link = None if live else plain.HTML()
        hide = plain.Button(description="Hide", tooltip="Hide this file")
        super().__init__([self.title, self.json, *([self.link] if self.link else []), hide])
        hide.on_click(lambda _: self.hide())
        self.hide()

    def offer(self, title: str, content: str, name: str) -> None:
        """Show ``content`` under ``title``, to be downloaded as ``name``."""
        self.title.value, self.json.value = title, content
        if self.link:
            self.link.value = download_link(content.encode(), "application/json", name)
        else:
            self.json.file = name
        show(self, True)

    def hide(self) -> None:
        """Show nothing."""
        show(self, False)
