"""The table of a survey: one that the browser sorts, marks and lets pick layers, and one that is plain text."""

from collections.abc import Sequence
from dataclasses import fields
from typing import Any

import anywidget
import traitlets as tr

from entrenar_viz.explorer import plain
from entrenar_viz.explorer.canvas import module
from entrenar_viz.explorer.panels import read_only, show
from entrenar_viz.explorer.plain import Plain
from entrenar_viz.explorer.sharing import download_link
from entrenar_viz.model_survey.layer import LayerSurvey
from entrenar_viz.model_survey.text import as_csv, as_text, printable

FIELDS = [one.name for one in fields(LayerSurvey)]


class Table(Plain, anywidget.AnyWidget):
    """A row for each layer. Its ``picked`` is written by both sides; everything else comes from the kernel."""

    _esm = module("format.js", "cells.js", "table.js")

    fields = tr.List(tr.Unicode(), FIELDS).tag(sync=True)
    """What the values of a row are, in their order."""
    rows = tr.List(tr.List()).tag(sync=True)
    """A list for each layer, in the order of the model (see ``row_of``)."""
    picked = tr.Int(-1).tag(sync=True)
    """The row of the layer whose masks are shown; -1: of none here."""
    csv = tr.Unicode("").tag(sync=True)
    """The same layers as the file to download; empty while they are still coming."""
    caption = tr.Unicode("").tag(sync=True)
    """What was surveyed."""

    def fill(self, records: Sequence[LayerSurvey], caption: str, *, ended: bool) -> None:
        """Show ``records``; they can be downloaded once the survey has ``ended``."""
        self.names = [record.layer for record in records]
        with self.hold_sync():  # the browser is told of all of it at once
            self.rows, self.caption = [row_of(record) for record in records], caption
            self.csv = as_csv(records).decode() if ended and records else ""

    def mark(self, layer: str | None) -> None:
        """Mark the row of ``layer``, or none."""
        names = getattr(self, "names", [])
        self.picked = names.index(layer) if layer in names else -1


class PlainTable(plain.VBox):
    """The same in a front end that cannot show it: text in lines, and a link."""

    def __init__(self) -> None:
        self.text = read_only("Survey of the model", rows=14)
        self.download = plain.HTML()
        super().__init__([self.text, self.download])

    def fill(self, records: Sequence[LayerSurvey], caption: str, *, ended: bool) -> None:
        """Show ``records``; they can be downloaded once the survey has ``ended``."""
        lines = as_text(caption, records, len(records)) if records else ()
        self.text.value = "\n".join(lines)
        content = as_csv(records) if ended else b""
        self.download.value = download_link(content, "text/csv", "layers.csv", "Download CSV")
        show(self.download, ended)

    def mark(self, layer: str | None) -> None:
        """Nothing is marked in plain text."""


def row_of(record: LayerSurvey) -> list[Any]:
    """The values of ``record`` as the browser gets them: text without control characters, a shape as a list."""
    texts = {"layer": printable(record.layer), "reason": printable(record.reason), "shape": list(record.shape)}
    return [texts[name] if name in texts else getattr(record, name) for name in FIELDS]
