"""The tab "Accuracy": what each schedule costs a small network, watched while it is trained."""

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import replace
from time import monotonic

from entrenar_viz.config.pruning_config import PruningConfig
from entrenar_viz.errors import EntrenarVizError
from entrenar_viz.explorer.background_job import BackgroundJob
from entrenar_viz.explorer.browser.accuracy import NOTHING, AccuracyPlot
from entrenar_viz.explorer.browser.live import Live
from entrenar_viz.explorer.controls.settings import Settings
from entrenar_viz.explorer.panels import plain
from entrenar_viz.explorer.panels.accuracy_picture import AccuracyPicture
from entrenar_viz.explorer.panels.parts import Guard, Progress, button, named, quiet, show, text
from entrenar_viz.explorer.panels.rehearsal_words import about, outcome_table, verdict_of
from entrenar_viz.explorer.panels.watched_rehearsal import RehearsalRequest, WatchedRehearsal
from entrenar_viz.formatting import sentence
from entrenar_viz.masks.order import Within
from entrenar_viz.rehearsal.outcome import Rehearsal, RehearsedSchedule
from entrenar_viz.rehearsal.small_training import WIDTHS, SmallTraining, small_training
from entrenar_viz.rehearsal.trials import SEEDS

CHOICES = (3, 5, 10)
EVERY = 0.1  # seconds between two pictures of what grows
START = (
    "What the three schedules cost in accuracy: a small network is trained under each of them, and without pruning. "
    "That takes some seconds."
)
WAITS = "The rehearsal waits until the problems above are fixed."
OLD = "This is of the settings before: rehearse again."


class AccuracyPanel(plain.VBox):
    """A button, the curves as they grow, and what they amount to.

    ``choose(type)`` makes a schedule the one to export, ``changed`` hears of another result. ``live`` is the live view
    whose cursor the curves share, None where there is none. ``steps`` is the length of a run, None: the usual one.
    """

    def __init__(
        self, choose: Callable[[str], None], changed: Callable[[], None], guarded: Guard, live: Live | None
    ) -> None:
        self._choose_schedule, self._changed = choose, changed
        self.steps: int | None = None
        self.training = small_training(None, None, WIDTHS)
        self.watched: WatchedRehearsal | None = None
        self._settings = Settings()
        self._config: PruningConfig | None = None
        self._within: Within = "tensor"
        self._sent = 0.0
        self.job = BackgroundJob(guarded(self._tell))
        self._done = guarded(self._finish)
        self._build(guarded, live)
        self._show()

    def _build(self, guarded: Guard, live: Live | None) -> None:
        self.start = button("Rehearse", START, guarded(self._begin))
        self.start.button_style = "primary"
        options = [(f"{seeds} seeds", seeds) for seeds in CHOICES]
        tip = "Each trains all schedules from other weights; more of them tell smaller differences"
        self.seeds = named(plain.Dropdown(options=options, value=SEEDS, tooltip=tip), "Seeds")
        self.progress = Progress("How much of the rehearsal is done", guarded(self.cancel))
        self.problem, self.old = text("", "entrenar-viz-problem"), text("", "entrenar-viz-outdated")
        self.verdict, self.about = text("", "entrenar-viz-verdict"), quiet()
        self.choose = button("", "Make it the schedule to export; Undo takes that back", guarded(self._choose))
        self.table = plain.HTML()
        self.plot = AccuracyPlot(live) if live else AccuracyPicture()
        line = plain.HBox([self.start, self.seeds])
        line.add_class("entrenar-viz-buttons")
        parts = [line, self.progress, self.problem, self.old, self.verdict, self.choose, self.table, self.about]
        words = plain.VBox(parts)
        words.add_class("entrenar-viz-controls")
        picture = plain.VBox([self.plot])  # a view of anywidget does not hear of classes
        picture.add_class("entrenar-viz-picture")
        body = plain.HBox([words, picture])
        body.add_class("entrenar-viz-rehearsal")
        super().__init__([body])
        self.add_class("entrenar-viz-accuracy")

    @property
    def result(self) -> Rehearsal | None:
        """What the rehearsal that is shown has found, None before its end."""
        return self.watched.result if self.watched and self.watched.ended else None

    def follow(self, settings: Settings, config: PruningConfig | None, within: Within) -> None:
        """Take note of what would be rehearsed now; None for settings with problems."""
        self._settings, self._config, self._within = settings, config, within
        self.start.disabled = config is None
        if config is None:
            self.problem.value = WAITS
        elif self.problem.value == WAITS or not self._is_of_now():
            self.problem.value = ""
        self._mark()

    def rehearse(self, seeds: int, training: SmallTraining, steps: int | None = None) -> None:
        """Begin with so many seeds, and train like that from now on; for so many steps, unless that is None."""
        self.steps = self.steps if steps is None else steps
        if seeds not in dict(self.seeds.options).values():
            counts = sorted({*CHOICES, seeds})
            self.seeds.options = [(f"{count} seed{'s' * (count > 1)}", count) for count in counts]
        self.seeds.value, self.training = seeds, training
        self._begin()

    def cancel(self) -> None:
        """Stop, and keep the curves as far as they went."""
        watched = self.watched
        if watched and self.job.busy:
            self.job.cancel()
            until, total = watched.until, watched.asked.total_steps
            at = f"at step {until:,} of {total:,}" if until else "before the first reading"
            self._end(f"Cancelled {at}: there is no verdict.")

    def _begin(self) -> None:
        if self._config is None:
            return
        asked = RehearsalRequest.of(self._settings, self._within, self.training)
        self.watched = watched = WatchedRehearsal(asked, self._config, self.seeds.value, self.steps)
        self.problem.value = ""
        self._show()
        self.progress.say("preparing", 0.0)
        self.job.start(watched.work, self._done)

    def _tell(self, _stage: str, share: float) -> None:
        watched, now = self.watched, monotonic()
        if watched and watched.read and now - self._sent >= EVERY:
            self._sent = now
            total = watched.asked.total_steps
            self.progress.say(f"{len(watched.jobs)} runs: step {watched.until:,} of {total:,}", share)
            self._draw()

    def _finish(self, future: "Future[None]") -> None:
        try:
            future.result()
        except EntrenarVizError as error:
            self.problem.value = sentence(str(error))
            self._end("")
        except Exception:
            self._end("Not rehearsed to the end.")
            raise
        else:
            self._end("")

    def _end(self, how: str) -> None:
        self.progress.say("", 0.0)
        if self.watched:
            self.watched.ended = True
        self._show(how)
        self._changed()

    def _show(self, how: str = "") -> None:
        """Bring words, table and curves up to what was read; ``how`` they ended without a result."""
        result = self.result
        self.verdict.value = verdict_of(result) if result else how
        self.about.value = about(result) if result else "" if self.watched else START
        self.table.value = outcome_table(result) if result else ""
        self._mark()

    def _draw(self) -> None:
        self.plot.fill(self.watched.accuracy(outdated=self._outdated()) if self.watched else NOTHING)

    def _is_of_now(self) -> bool:
        """Whether what is shown is what would be rehearsed now; so are those of settings that are no configuration."""
        if self._config is None or self.watched is None:
            return True
        return self.watched.asked == RehearsalRequest.of(self._settings, self._within, self.training)

    def _outdated(self) -> bool:
        return not self._is_of_now() and bool(self.watched and self.watched.read)

    def _better(self) -> RehearsedSchedule | None:
        """The schedule that has kept more than the one that is chosen now."""
        result, config = self.result, self._config
        return replace(result, config=config).better if result and config and not self._outdated() else None

    def _mark(self) -> None:
        """Say whether the curves are of something else by now, and offer a schedule that is better than the chosen."""
        self.old.value = OLD if self._outdated() else ""
        better = self._better()
        self.choose.description = f"Choose {better.name}" if better else ""
        show(self.progress, self.watched is not None and not self.watched.ended)
        for part in (self.problem, self.old, self.verdict, self.about, self.table):
            show(part, bool(part.value))
        show(self.choose, better is not None)
        self._draw()
        self.plot.look(self.result, self._settings.shown_cursor)

    def _choose(self) -> None:
        if better := self._better():
            self._choose_schedule(better.config.schedule.type)
