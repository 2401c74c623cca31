"""The survey of the whole model inside the explorer: started, told, cancelled, and never taken for a newer one."""

from concurrent.futures import Future
from dataclasses import dataclass, field, replace

from entrenar_viz.config.pruning_config import PruningConfig
from entrenar_viz.errors import StepError, WeightsError
from entrenar_viz.explorer import plain
from entrenar_viz.explorer.background_job import BackgroundJob
from entrenar_viz.explorer.layer import Report
from entrenar_viz.explorer.mask_request import MaskRequest
from entrenar_viz.explorer.panels import Guard, Progress, show, text
from entrenar_viz.explorer.preview import Preview
from entrenar_viz.explorer.table import PlainTable, Table
from entrenar_viz.masks.scores import NEEDS_ACTIVATIONS
from entrenar_viz.model_survey.layer import LayerSurvey
from entrenar_viz.model_survey.text import headline, short, summary
from entrenar_viz.model_survey.whole_model import iter_survey

BATCHES = 50  # in which rows are sent: each sends all that are there
START = "What this configuration does to each layer of the picked weights"
WAITS = "The survey waits until the problems above are fixed."


@dataclass(frozen=True)
class SurveyRequest:
    """What a survey is made of; equal ones have equal records. Of ``request`` all but the layer counts."""

    request: MaskRequest
    config: PruningConfig
    total_steps: int

    def same_weights(self, other: "SurveyRequest") -> bool:
        """Whether both are about the same tensors."""
        return self.request.tensors is other.request.tensors


@dataclass(eq=False)
class Run:
    """One survey: what it is made of, the records so far, and how it ended, ``""`` while it has not."""

    asked: SurveyRequest
    records: list[LayerSurvey] = field(default_factory=list)  # written by the thread
    sent: int = 0
    ended: str = ""

    @property
    def total(self) -> int:
        """The layers of the model."""
        return len(self.asked.request.tensors)

    def work(self, report: Report) -> None:
        """Survey layer after layer until ``report`` raises."""
        asked = self.asked
        if asked.request.calibration is None and asked.config.method in NEEDS_ACTIVATIONS:
            raise WeightsError(asked.request.without_data())  # the survey itself names what one types in a shell
        for record in iter_survey(
            asked.request.tensors,
            asked.config,
            total_steps=asked.total_steps,
            calibration=asked.request.calibration,
            within=asked.request.within,
        ):
            self.records.append(record)
            report(short(record.layer), len(self.records) / self.total)

    def caption(self, asked: float) -> str:
        """What was surveyed, in words."""
        request, how = self.asked.request, ""
        if request.calibration:
            how += f"; calibration {short(request.calibration.source)}"
        if request.within == "row":
            how += "; each row by itself, as in Wanda's paper, which the trainer does not do"
        return headline(request.source, self.asked.config, self.asked.total_steps, asked) + how


class SurveyPanel(plain.Accordion):
    """The section "Whole model": a button, progress, and a row for each layer of the picked source."""

    def __init__(self, preview: Preview, guarded: Guard, *, live: bool) -> None:
        self.preview = preview
        self.start = plain.Button(description="Survey the model", button_style="primary")
        self.start.tooltip = START
        self.progress = Progress(guarded(self.cancel))
        self.progress.bar.tooltip = "How many layers are surveyed"
        self.progress.cancel.tooltip = "Stop, and keep the layers so far"
        self.problem, self.old = text("", "entrenar-viz-problem"), text("", "entrenar-viz-outdated")
        self.status = text("", "entrenar-viz-quiet")
        self.table = Table() if live else PlainTable()
        if isinstance(self.table, Table):
            self.table.observe(guarded(self._pick), "picked")
        self.job = BackgroundJob(guarded(self._tell))
        self.now: SurveyRequest | None = None
        self.run: Run | None = None
        self._done = guarded(self._finish)
        self.start.on_click(guarded(self._begin))
        line = plain.HBox([self.start, self.progress])
        line.add_class("entrenar-viz-survey-line")
        self.surveyed = plain.VBox(
            [self.table]
        )  # shown or hidden with it: a view of anywidget does not hear of classes
        parts = plain.VBox([line, self.problem, self.old, self.status, self.surveyed])
        super().__init__([parts], titles=["Whole model"])
        self.add_class("entrenar-viz-survey")
        self._show()

    def follow(self, config: PruningConfig, total_steps: int) -> None:
        """Take note of what would be surveyed now; what is in the table may be outdated by that."""
        request = self.preview.request(config.pattern, config.method, lambda: ())
        now = SurveyRequest(replace(request, layer=request.tensors.names[0], patterns=()), config, total_steps)
        if now != self.now:
            self.now, self.problem.value = now, ""
        self._mark()

    def block(self, blocked: bool) -> None:
        """Let no survey begin while the controls hold a problem."""
        self.start.disabled = blocked
        self.problem.value = WAITS if blocked else ""
        self._mark()

    def cancel(self, _: object = None) -> None:
        """Stop, and keep the layers so far."""
        if self.run and self.job.busy:
            self.job.cancel()
            self._end(f"Cancelled after {len(self.run.records):,} of {self.run.total:,} layers.")

    def stop(self) -> None:
        """Drop what is under way without another word: the widgets are about to go."""
        self.job.cancel()

    def _begin(self, _: object = None) -> None:
        if self.now is None or self.start.disabled:
            return
        self.run = run = Run(self.now)
        self.problem.value = ""
        self._show()
        self._say("waiting")
        self.job.start(run.work, self._done)

    def _tell(self, stage: str, _share: float) -> None:
        run = self.run
        if run:
            self._say(stage)
            if len(run.records) - run.sent >= max(run.total // BATCHES, 1):
                self._show()

    def _say(self, what: str) -> None:
        if self.run:
            done, total = len(self.run.records), self.run.total
            self.progress.say(f"{done:,} of {total:,} layers: {what}", done / total)

    def _finish(self, future: "Future[None]") -> None:
        try:
            future.result()
        except (WeightsError, StepError) as error:
            self.problem.value = str(error)
            self._end("Not surveyed.")
        except Exception:
            self._end("Not surveyed to the end.")
            raise
        else:
            self._end("")

    def _end(self, how: str) -> None:
        self.progress.hide()
        if run := self.run:
            run.ended = " ".join(filter(None, (how, summary(run.records) if run.records else "")))
            self._show()

    def _show(self) -> None:
        """Bring table and words up to the records."""
        run = self.run
        records = list(run.records) if run else []
        if run:
            run.sent = len(records)
            caption = run.caption(records[0].asked) if records else ""
            self.table.fill(records, caption, ended=bool(run.ended))
        self.status.value = run.ended if run else f"{START}."
        show(self.surveyed, bool(records))
        self._mark()

    def _mark(self) -> None:
        """Say whether the records are of something else by now, and mark the row of the picked layer."""
        run, now = self.run, self.now
        outdated = bool(run and now and run.asked != now)
        same = bool(run and now and run.asked.same_weights(now))
        what = "the configuration before" if same else "other weights"
        self.old.value = f"These numbers are of {what}: survey again." if outdated else ""
        for label in (self.problem, self.old, self.status):
            show(label, bool(label.value))
        self.table.mark(self.preview.picked()[1] if same else None)

    def _pick(self, change: dict[str, int]) -> None:
        """Show the masks of the layer of that row; not while other weights are picked."""
        run, tensors = self.run, self.preview.picked()[0]
        if run and 0 <= change["new"] < run.sent and tensors is run.asked.request.tensors:
            self.preview.pick(run.records[change["new"]].layer)
        self._mark()
