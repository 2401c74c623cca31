"""The parts of an explorer put together. State flows one way, from the settings to the configuration to the rest."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from entrenar_viz.analysis.finding import Finding, by_severity
from entrenar_viz.analysis.findings import review
from entrenar_viz.analysis.weight_findings import unreadable, weight_findings
from entrenar_viz.config.pin import Pin
from entrenar_viz.config.pruning_config import PruningConfig
from entrenar_viz.errors import ConfigError, Problem, StepError
from entrenar_viz.explorer.answer import answer_to, choices
from entrenar_viz.explorer.browser import payload
from entrenar_viz.explorer.browser.live import Live
from entrenar_viz.explorer.browser.mask_details import MaskDetails
from entrenar_viz.explorer.commands import Commands
from entrenar_viz.explorer.controls.settings import Settings
from entrenar_viz.explorer.controls.state import State
from entrenar_viz.explorer.guarded import Guarded
from entrenar_viz.explorer.kept_files import KeptFiles
from entrenar_viz.explorer.languages import LANGUAGES, Language
from entrenar_viz.explorer.panels import plain
from entrenar_viz.explorer.panels.accuracy import AccuracyPanel
from entrenar_viz.explorer.panels.exchange import Doors, ExchangePanel
from entrenar_viz.explorer.panels.figure import FigurePanel
from entrenar_viz.explorer.panels.layer_words import NOT_EXPORTED
from entrenar_viz.explorer.panels.layers import LayersPanel
from entrenar_viz.explorer.panels.masks import MasksPanel
from entrenar_viz.explorer.panels.parts import Banner
from entrenar_viz.explorer.panels.pins import ComparePanel, default_name
from entrenar_viz.explorer.panels.start_from import StartPanel
from entrenar_viz.explorer.panels.training_log import TrainingLogPanel
from entrenar_viz.explorer.panels.whole_model import WholeModelPanel
from entrenar_viz.explorer.preview.mask_presenter import MaskPresenter
from entrenar_viz.explorer.tabs import Tabs
from entrenar_viz.models.allowed_folder import AllowedFolder
from entrenar_viz.plan.shares import Allocation
from entrenar_viz.rehearsal.small_training import SmallTraining


class Dashboard:
    """All parts, each of which knows only what it is given, and how they follow the settings.

    ``view`` and ``allowed`` are the explorer's ``view`` and ``allowed_folder``; ``changed`` hears of every
    configuration that the settings add up to.
    """

    def __init__(self, view: str, allowed: AllowedFolder | None, changed: Callable[[PruningConfig], None]) -> None:
        self._changed = changed
        self.banner = Banner()
        self.guarded = Guarded(self.banner.say)
        self.problems: tuple[Problem, ...] = ()
        self.findings: list[Finding] = []
        self.state = State()
        self.config = Settings().config()
        """What the settings add up to, the last valid one."""
        self.language = LANGUAGES[0]
        self.said = ""
        """What has become of what was asked for last."""
        self._of_config: list[Finding] = []
        self.commands, self.files = Commands(self), KeptFiles(self)
        self._build_picture(view)
        self._build_panels(allowed)
        self._offer()
        if self.live:
            self.live.on_msg(self.guarded(lambda _, content, __: self.commands.hear(content)))

    def _build_picture(self, view: str) -> None:
        self.live = Live() if view == "canvas" else None
        if self.live:
            self.picture: Any = self.live
        else:
            from entrenar_viz.explorer.matplotlib_view import MatplotlibView

            self.picture = MatplotlibView(self.guarded, self.commands.change, self.commands.do)
        self.presenter = MaskPresenter(self.picture, self.guarded, self.follow)

    def _build_panels(self, allowed: AllowedFolder | None) -> None:
        own, guarded, files = allowed is None, self.guarded, self.files  # own: the user has files in the kernel
        details = MaskDetails(self.live) if self.live else None
        self.masks = MasksPanel(details, guarded, self.follow, allowed=allowed)
        self.accuracy = AccuracyPanel(self._choose_schedule, self._forget_figures, guarded, self.live)
        self.layers = LayersPanel(self.masks.pick, self._follow_plan, guarded, self.live, own=own)
        self.survey = WholeModelPanel(self.masks.pick, guarded, live=bool(self.live))
        self.compare = ComparePanel(self.present, self.load, self._draw_pins, guarded)
        self.logs = TrainingLogPanel(self.load, self._draw_log, guarded, own=own)
        self.start = StartPanel(self.present, lambda: self.total_steps, self.load, self._offer, guarded, own=own)
        doors = Doors(files.save_exported, self.choose, files.imported, files.session, files.take_session)
        self.exchange = ExchangePanel(doors, guarded, own=own, live=bool(self.live))
        self.figures = FigurePanel(files.figure, files.save_figure, guarded, own=own)
        panels = {
            "Masks": self.masks,
            "Accuracy": self.accuracy,
            "Layers": self.layers,
            "Whole model": self.survey,
            "Compare": plain.VBox([self.compare, self.logs]),
            "Start from": self.start,
            "Export & import": self.exchange,
            "Figure": self.figures,
        }
        self.tabs = Tabs(panels, guarded(self._opened))
        self.root = plain.VBox([self.banner, self.picture, self.tabs])
        self.root.add_class("entrenar-viz")

    def close(self) -> None:
        """Free all widgets, and what the background was at."""
        self.presenter.stop()
        self.presenter.let_go()
        self.accuracy.job.cancel()
        self.layers.job.cancel()
        self.survey.job.cancel()
        for widget in plain.all_widgets(self.root, *self.tabs.panels.values()):
            widget.unobserve_all()
            widget.close()

    # What it shows ---------------------------------------------------------------------------------------------------

    @property
    def total_steps(self) -> int:
        """The length of the training, in steps."""
        return self.state.settings.total_steps

    def load(self, config: PruningConfig, total_steps: int | None = None) -> None:
        """Show ``config``; otherwise as ``Explorer.load``."""
        self.show(self.state.settings.showing(config, total_steps))

    def show(self, settings: Settings) -> None:
        """Let the settings be these: the one way back from what follows them."""
        self.state.show(settings)
        self.follow()

    def step_back(self, step: str) -> None:
        """``undo``, ``redo`` or ``reset``."""
        getattr(self.state, step)()
        self.follow()

    def choose(self, language: Language) -> None:
        """Export in ``language``."""
        if language != self.language:
            self.language = language
            self.follow()

    def rehearse(self, seeds: int, training: SmallTraining, steps: int | None) -> None:
        """Open the tab "Accuracy" and begin there; ConfigError while the settings hold a problem."""
        self.check("nothing was rehearsed")
        self.tabs.open_tab("Accuracy")
        self.accuracy.rehearse(seeds, training, steps)

    def allocate(self, sparsity: float | None, method: Allocation, options: Mapping[str, Any]) -> None:
        """Open the tab "Layers" and allot there; ConfigError while the settings hold a problem."""
        self.check("nothing was allotted")
        self.tabs.open_tab("Layers")
        self.layers.allot_as(sparsity, method, options)

    def _choose_schedule(self, kind: str) -> None:
        self.show(replace(self.state.settings, schedule=kind))

    def _forget_figures(self) -> None:
        self.figures.forget()

    def check(self, nothing: str) -> None:
        """Raise a ConfigError that says ``nothing`` was done, while there are problems."""
        if self.problems:
            raise ConfigError(self.problems, nothing)

    def present(self, name: str | None) -> Pin:
        """What is on the screen as a pin; ConfigError while the settings hold a problem."""
        self.check("nothing was kept")
        called = default_name(self.config) if name is None else name
        return Pin(name=called, config=self.config, total_steps=self.total_steps)

    # Following the settings ------------------------------------------------------------------------------------------

    def follow(self) -> None:
        """Bring everything that shows the settings up to them."""
        settings, self.said = self.state.settings, ""
        config = self._read(settings)
        if config is None:
            self.state.broken()
        else:
            self.state.record()
            corner = (settings.window_row, settings.window_column)
            self.presenter.show(self.masks.request(settings, config.pattern), corner)
            self._find(config)
            self.config = config
            self._changed(config)
        picked = self.masks.request(settings, self.config.pattern)
        self.layers.follow(picked, self.config, self.presenter.shown, blocked=bool(self.problems))
        self.answer()
        if config:
            self._draw()
        self._follow_tabs()

    def _draw(self) -> None:
        self.picture.draw(self.state.settings, self.config, self.compare.drawn, self.presenter.shown)

    def _read(self, settings: Settings) -> PruningConfig | None:
        """The configuration and what is to be known of it; None while there are problems."""
        problems = self.state.read_problems()
        try:
            config = settings.config()
            self._of_config = review(config, settings.total_steps)
        except ConfigError as error:
            problems += error.problems
        except StepError as error:
            problems.append(Problem("schedule", str(error)))
        self.problems = tuple(problems)
        return None if problems else config

    def _find(self, config: PruningConfig) -> None:
        weights, layer = self.masks.picked()
        found = [*self._of_config, *weight_findings(config, weights, layer)]
        failure = self.presenter.failure_of(self.masks.request(self.state.settings, config.pattern))
        if failure and "pattern-does-not-fit" not in (finding.code for finding in found):
            found.append(unreadable(layer, failure))
        self.findings = by_severity(found)

    def told(self) -> payload.Settings:
        """The settings, and whose they are."""
        state = self.state
        return payload.Settings(values=state.values(), page=state.page, told=state.count, unread=dict(state.unread))

    def answer(self) -> None:
        """Tell the page what its settings amount to."""
        note = NOT_EXPORTED if self.layers.plan else ""
        self.exchange.exporting.tell_of_plan(bool(note))
        known: dict[str, Any] = {
            "problems": self.problems,
            "findings": self.findings,
            "exported": self.language.exported(self.config, self.total_steps, note),
            "parted": [] if self.problems else self.logs.parted(self.config, self.total_steps),
            "said": self.said,
        }
        self.picture.tell(self.told(), answer_to(self.state, self.config, **known))

    def _follow_tabs(self) -> None:
        """Bring the panel that is open up to the settings."""
        settings, config = self.state.settings, self.config
        shown, blocked = self.presenter.shown, bool(self.problems)
        request = None if blocked else self.masks.request(settings, config.pattern)
        self.figures.forget()
        match self.tabs.open_title:
            case "Masks":
                self.masks.follow(settings, request, str(shown.layer.get("note", "")) if shown else "")
            case "Accuracy":
                self.accuracy.follow(settings, None if blocked else config, self.masks.within.value)
            case "Layers":
                self.layers.show()
            case "Whole model":
                self.survey.follow(request, config, settings.total_steps, self.layers.plan)
            case "Compare" if not blocked:
                self.compare.follow()
                self.logs.follow(config, settings.total_steps)
            case "Start from":
                self.start.follow(config)
            case "Export & import":
                text = self.language.write(config, settings.total_steps)
                self.exchange.exporting.offer(self.language, text, blocked)

    def _opened(self, title: str) -> None:
        if title == "Masks":
            self.masks.refresh()
        if title == "Layers":
            self.layers.files.refresh()
        if title == "Export & import":
            self.exchange.refresh()
        if title == "Compare":
            self.logs.refresh()
        self._follow_tabs()

    def _follow_plan(self) -> None:
        """Hear that there is another plan of the layers."""
        self.answer()
        self._follow_tabs()

    def _draw_pins(self) -> None:
        self.picture.show_pins(self.compare.drawn)
        self.figures.forget()
        if not self.problems:
            self.compare.follow()
            self._draw()

    def _draw_log(self) -> None:
        self.picture.show_log(self.logs.drawn)
        self.figures.forget()
        self.answer()
        if not self.problems:
            self._draw()
        self._follow_tabs()

    def _offer(self) -> None:
        """Tell the page what there is to choose from."""
        self.picture.choose_from(choices(self.start.offered))
