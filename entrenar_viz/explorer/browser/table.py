"""The table of a survey, which the page sorts and marks and in which it lets one pick layers."""

from collections.abc import Sequence
from dataclasses import fields
from typing import Any

import anywidget
import traitlets as tr

from entrenar_viz.explorer.browser.module import module
from entrenar_viz.explorer.panels.plain import Plain
from entrenar_viz.formatting import printable
from entrenar_viz.model_survey.layer import LayerSurvey
from entrenar_viz.model_survey.text import as_csv

FIELDS = [one.name for one in fields(LayerSurvey)]


class Table(Plain, anywidget.AnyWidget):
    """A row for each layer. Its ``picked`` is written by both sides; everything else comes from the kernel."""

    _esm = module("table.js")

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


def row_of(record: LayerSurvey) -> list[Any]:
    """The values of ``record`` as the browser gets them: text without control characters, a shape as a list."""
    texts = {name: printable(getattr(record, name)) for name in ("layer", "reason", "kind", "note")}
    values = vars(record) | texts | {"shape": list(record.shape)}
    return [values[name] for name in FIELDS]
