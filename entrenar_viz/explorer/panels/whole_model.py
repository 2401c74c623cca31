"""The tab "Whole model": a survey started, told, cancelled, and never taken for a newer one."""

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from functools import cached_property

from entrenar_viz.analysis.updates import sparsity_in_the_end
from entrenar_viz.config.pruning_config import PruningConfig
from entrenar_viz.errors import ConfigError, StepError, WeightsError
from entrenar_viz.explorer.background_job import BackgroundJob, Report
from entrenar_viz.explorer.browser.table import Table
from entrenar_viz.explorer.panels import plain
from entrenar_viz.explorer.panels.parts import Guard, Progress, button, quiet, show, text
from entrenar_viz.explorer.panels.plain_table import PlainTable
from entrenar_viz.explorer.preview.mask_request import MaskRequest
from entrenar_viz.masks.scores import NEEDS_ACTIVATIONS
from entrenar_viz.model_survey.layer import LayerSurvey
from entrenar_viz.model_survey.text import headline, short, summary
from entrenar_viz.model_survey.whole_model import iter_survey
from entrenar_viz.plan.layer_plan import Plan
from entrenar_viz.plan.layer_targets import LayerTargets

BATCHES = 50  # in which rows are sent: each sends all that are there
START = "What this configuration does to each layer of the picked weights; by the plan, if the tab Layers has one"
WAITS = "The survey waits until the problems above are fixed."


@dataclass(frozen=True)
class SurveyRequest:
    """What a survey is made of; equal ones have equal records. Of ``request`` all but the layer counts."""

    request: MaskRequest
    config: PruningConfig
    total_steps: int
    plan: Plan | None = None

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
            raise WeightsError(asked.request.without_data)  # the survey itself names what one types in a shell
        for record in iter_survey(
            asked.request.tensors,
            asked.config,
            total_steps=asked.total_steps,
            calibration=asked.request.calibration,
            within=asked.request.within,
            plan=asked.plan,
        ):
            self.records.append(record)
            report(short(record.layer), len(self.records) / self.total)

    @cached_property
    def caption(self) -> str:
        """What was surveyed, in words."""
        asked, request, how = self.asked, self.asked.request, ""
        if request.calibration:
            how += f"; calibration {short(request.calibration.source)}"
        if request.within == "row":
            how += "; each row by itself, as in Wanda's paper, which the trainer does not do"
        applied = sparsity_in_the_end(asked.config, asked.total_steps)
        return headline(request.source, LayerTargets(asked.config, asked.plan), asked.total_steps, applied) + how


class WholeModelPanel(plain.VBox):
    """A button, progress, and a row for each layer of the picked source; ``pick`` shows the masks of one."""

    def __init__(self, pick: Callable[[str], None], guarded: Guard, *, live: bool) -> None:
        self._pick_layer = pick
        self.start = button("Survey the model", START, guarded(self._begin))
        self.start.button_style = "primary"
        self.progress = Progress("How many layers are surveyed", guarded(self.cancel))
        self.problem, self.old = text("", "entrenar-viz-problem"), text("", "entrenar-viz-outdated")
        self.status = quiet()
        self.table = Table() if live else PlainTable()
        if isinstance(self.table, Table):
            picked = guarded(self._pick)
            self.table.observe(lambda change: picked(change.new), "picked")
        self.job = BackgroundJob(guarded(self._tell))
        self.now: SurveyRequest | None = None
        self.layer = ""
        self.run: Run | None = None
        self._done = guarded(self._finish)
        line = plain.HBox([self.start, self.progress])
        line.add_class("entrenar-viz-survey-line")
        self.surveyed = plain.VBox([self.table])  # a view of anywidget does not hear of classes
        super().__init__([line, self.problem, self.old, self.status, self.surveyed])
        self.add_class("entrenar-viz-survey")
        self._show()

    def follow(
        self, request: MaskRequest | None, config: PruningConfig, total_steps: int, plan: Plan | None = None
    ) -> None:
        """Take note of what would be surveyed now; what is in the table may be outdated by that.

        Without a request the settings hold a problem, and no survey begins.
        """
        self.start.disabled = request is None
        if request is None:
            self.problem.value = WAITS
        else:
            self.layer = request.layer
            now = SurveyRequest(request.whichever_layer, config, total_steps, plan)
            if now != self.now or self.problem.value == WAITS:
                self.now, self.problem.value = now, ""
        self._mark()

    def cancel(self) -> None:
        """Stop, and keep the layers so far."""
        if self.run and self.job.busy:
            self.job.cancel()
            self._end(f"Cancelled after {len(self.run.records):,} of {self.run.total:,} layers.")

    def stop(self) -> None:
        """Drop what is under way without another word: the widgets are about to go."""
        self.job.cancel()

    def _begin(self) -> None:
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
        except (WeightsError, StepError, ConfigError) as error:
            self.problem.value = str(error)
            self._end("Not surveyed.")
        except Exception:
            self._end("Not surveyed to the end.")
            raise
        else:
            self._end("")

    def _end(self, how: str) -> None:
        self.progress.say("", 0.0)
        if run := self.run:
            run.ended = " ".join(filter(None, (how, summary(run.records) if run.records else "")))
            self._show()

    def _show(self) -> None:
        """Bring table and words up to the records."""
        run = self.run
        records = list(run.records) if run else []
        if run:
            run.sent = len(records)
            self.table.fill(records, run.caption if records else "", ended=bool(run.ended))
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
        self.table.mark(self.layer if same else None)

    def _pick(self, row: int) -> None:
        """Show the masks of the layer of that row; not while other weights are picked."""
        run, now = self.run, self.now
        if run and now and 0 <= row < run.sent and run.asked.same_weights(now):
            self._pick_layer(run.records[row].layer)
        self._mark()
