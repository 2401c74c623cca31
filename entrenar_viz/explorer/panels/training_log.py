"""The section "Training log" of the tab "Compare": what a training reported, beside the plan that is shown."""

from collections.abc import Callable
from pathlib import Path

from entrenar_viz.analysis.planned_and_happened import happened, sentences
from entrenar_viz.analysis.training_log import CSV, TrainingLog
from entrenar_viz.config.pruning_config import PruningConfig
from entrenar_viz.errors import ConfigError, StepError
from entrenar_viz.explorer.on_screen import DrawnLog
from entrenar_viz.explorer.panels import plain
from entrenar_viz.explorer.panels.parts import (
    Guard,
    button,
    files_below,
    heading,
    line,
    named,
    path_box,
    quiet,
    show,
    take_uploaded,
    text,
    typed_path,
)
from entrenar_viz.formatting import counted

MAX_UPLOAD = 8 << 20  # above 10 MB a notebook's connection hangs
SUFFIXES = (".jsonl", CSV)
NO_METRIC = ("no metric", "")
MOST_MARKS = 100
MOST_METRICS = 200  # in the list
ABOUT = "A log of a training is drawn over the plan: JSON Lines as pruner.log saves them, or a CSV with a column step."


class TrainingLogPanel(plain.VBox):
    """Which log is drawn, with which metric, and where it parts from the plan, in words.

    ``load(config, total_steps)`` shows a configuration, ``changed`` hears that another log or metric is to be drawn.
    """

    def __init__(
        self,
        load: Callable[[PruningConfig, int | None], None],
        changed: Callable[[], None],
        guarded: Guard,
        *,
        own: bool,
    ) -> None:
        self.told: TrainingLog | None = None
        self._load, self._changed, self._own = load, changed, own
        self.path = path_box("Training log", "run.jsonl or log.csv")
        self.read = button("Load", "Draw this log", guarded(self._read_path), enter=self.path)
        self.upload = plain.FileUpload(accept=",".join(SUFFIXES), multiple=False, description="Upload")
        self.metric = named(plain.Dropdown(options=[NO_METRIC], tooltip="A metric to draw too"), "Metric")
        self.remove = button("Remove", "Draw no log", guarded(lambda: self.take(None)))
        self.plan = button("Show the log's configuration", "The one that the log was made with", guarded(self._plan))
        self.status, self.words = text(), text()
        by_path = [self.path, self.read] if own else []
        files = line(*by_path, self.upload, self.metric, self.remove)
        super().__init__([heading("Training log"), quiet(ABOUT), files, self.status, self.words, line(self.plan)])
        self.add_class("entrenar-viz-training-log")
        uploaded, picked = guarded(self._uploaded), guarded(self._picked)
        self.upload.observe(lambda _: uploaded(), "value")
        self.metric.observe(lambda _: picked(), "value")
        self._show()

    @property
    def drawn(self) -> DrawnLog:
        """The log and the metric that are drawn."""
        return DrawnLog(self.told, str(self.metric.value))

    def parted(self, config: PruningConfig, total_steps: int) -> list[list[int]]:
        """From which to which step the log parts from ``config``: the first hundred stretches."""
        if self.told is None:
            return []
        known = happened(config, total_steps, self.told)
        return [[int(known.steps[first]), int(known.steps[last])] for first, last in known.stretches[:MOST_MARKS]]

    def refresh(self) -> None:
        """Offer the files that there are by now."""
        if self._own:
            self.path.options = files_below(Path(), SUFFIXES)

    def take(self, log: TrainingLog | None, metric: str | None = None) -> None:
        """Draw ``log`` with ``metric``, or with its first one for None; no log for None."""
        if log is not None and metric:
            log.metric(metric)  # EntrenarVizError if there is none of that name
        self.told = None  # so that the choice is not heard before there is what it is of
        names = log.metrics[:MOST_METRICS] if log is not None else ()
        chosen = next(iter(names), "") if metric is None else metric
        offered = dict.fromkeys(name for name in (*names, chosen) if name)
        self.metric.options = [NO_METRIC, *((f"{name:.60}", name) for name in offered)]
        self.metric.value = chosen
        self.told = log
        self._show()
        self._changed()

    def follow(self, config: PruningConfig, total_steps: int) -> None:
        """Say where the log parts from ``config`` in a training of ``total_steps``."""
        if self.told is None:
            return
        self.words.value = "\n".join(sentences(config, total_steps, self.told))
        other = self.told.config is not None and (
            self.told.config != config or self.told.total_steps not in (None, total_steps)
        )
        show(self.plan, other)

    def _show(self) -> None:
        for part in (self.metric, self.remove, self.words):
            show(part, self.told is not None)
        show(self.plan, False)
        self.status.value = "" if self.told is None else _about(self.told)

    def _read_path(self) -> None:
        if self._own:  # a visitor can press buttons that are not shown
            self._try(lambda: TrainingLog.load(typed_path(self.path.value)))

    def _uploaded(self) -> None:
        def take(content: bytes, name: str) -> None:
            self._try(lambda: TrainingLog.read(content, name))

        take_uploaded(self.upload, take, self._say, MAX_UPLOAD, "keep every tenth row")

    def _try(self, read: Callable[[], TrainingLog]) -> None:
        try:
            self.take(read())
        except ConfigError as error:
            self._say(f"Nothing was loaded: {error}")

    def _picked(self) -> None:
        if self.told is not None:
            self._changed()

    def _say(self, message: str) -> None:
        self.status.value = message

    def _plan(self) -> None:
        if self.told is None or self.told.config is None:
            return
        try:
            self._load(self.told.config, self.told.total_steps)
        except (ConfigError, StepError) as error:  # steps that a browser cannot count
            self._say(str(error))


def _about(log: TrainingLog) -> str:
    """Which log that is, how far it goes, and what was left out of it."""
    until = f", up to step {int(log.steps[-1]):,}" if len(log) else ""
    name = Path(log.source).name or "The training log"
    return " ".join([f"{name}: {counted(len(log), 'step')} reported{until}.", *log.notes])
