"""The table of a survey in a front end that cannot show ours: text in lines, and a link."""

from collections.abc import Sequence

from entrenar_viz.explorer.panels import plain
from entrenar_viz.explorer.panels.parts import Download, read_only
from entrenar_viz.model_survey.layer import LayerSurvey
from entrenar_viz.model_survey.text import as_csv, as_text


class PlainTable(plain.VBox):
    """The layers as text."""

    def __init__(self) -> None:
        self.text, self.download = read_only("Survey of the model", rows=14), Download()
        super().__init__([self.text, self.download])

    def fill(self, records: Sequence[LayerSurvey], caption: str, *, ended: bool) -> None:
        """Show ``records``; they can be downloaded once the survey has ``ended``."""
        self.text.value = "\n".join(as_text(caption, records, len(records)) if records else ())
        self.download.hide()
        if ended:
            self.download.offer(as_csv(records), "text/csv", "layers.csv")

    def mark(self, layer: str | None) -> None:
        """Nothing is marked in plain text."""
