"""Explorer: the dashboard put together. State flows one way, from the settings to the configuration to the rest."""

import os
from collections.abc import Callable, Mapping
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import ipywidgets as w
import traitlets as tr

from entrenar_viz.analysis.finding import Finding, by_severity
from entrenar_viz.analysis.findings import review
from entrenar_viz.analysis.weight_findings import unreadable, weight_findings
from entrenar_viz.config.pin import Pin
from entrenar_viz.config.pruning_config import METHODS, PATTERN_NAMES, PruningConfig
from entrenar_viz.config.training import Training
from entrenar_viz.errors import ConfigError, EntrenarVizError, Problem, StepError
from entrenar_viz.explorer.answer import answer_to
from entrenar_viz.explorer.browser import payload
from entrenar_viz.explorer.browser.live import Live, MaskDetails
from entrenar_viz.explorer.controls.settings import Settings, countable
from entrenar_viz.explorer.controls.state import State, Told
from entrenar_viz.explorer.languages import LANGUAGES, Language, saved_as
from entrenar_viz.explorer.on_screen import masks_drawn, schedules_drawn
from entrenar_viz.explorer.panels import plain
from entrenar_viz.explorer.panels.exchange import Doors, ExchangePanel
from entrenar_viz.explorer.panels.figure import WHATS, FigurePanel, What
from entrenar_viz.explorer.panels.masks import CalibrationData, MasksPanel
from entrenar_viz.explorer.panels.parts import Banner
from entrenar_viz.explorer.panels.pins import ComparePanel, default_name, merged
from entrenar_viz.explorer.panels.start_from import StartPanel
from entrenar_viz.explorer.panels.whole_model import WholeModelPanel
from entrenar_viz.explorer.preview.mask_presenter import MaskPresenter
from entrenar_viz.explorer.tabs import Tabs
from entrenar_viz.figures.still_svg import still_svg
from entrenar_viz.files.atomic import write_atomically
from entrenar_viz.models.allowed_folder import AllowedFolder
from entrenar_viz.models.weights import Source, load_weights
from entrenar_viz.workspace.session import Session

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class Explorer(tr.HasTraits):
    """Tune a pruning schedule, watch what the trainer will do with it, export the configuration.

    ``config`` is where to start, or the path of its file (an example of the chapter if None), ``total_steps`` how long
    the training is, ``weights`` what ``load_weights`` takes, to preview masks on: arrays, a module, or the path of a
    model file or a checkpoint. ``calibration`` is what ``load_calibration`` takes: what
    enters the layers, for masks by wanda and sparse_gpt. ``training`` says how long the training is in epochs, instead
    of ``total_steps``.
    ``view="matplotlib"`` draws in the kernel, for front ends that cannot show the live view.
    ``allowed_folder`` is for visitors who must not read and write where they like: they open what is below it, and
    files come and go through their browser only. None: whoever uses the explorer may run code anyway.

    Displaying it twice shows two views of one state. Raises ConfigError or WeightsError for what it cannot show.
    """

    config = tr.Instance(PruningConfig, read_only=True)
    """What the settings add up to, the last valid one; ``explorer.observe(callback, "config")`` follows it."""

    def __init__(
        self,
        config: PruningConfig | str | os.PathLike[str] | None = None,
        *,
        total_steps: int | None = None,
        weights: Source | None = None,
        calibration: CalibrationData | None = None,
        training: Training | None = None,
        view: Literal["canvas", "matplotlib"] = "canvas",
        allowed_folder: AllowedFolder | None = None,
    ) -> None:
        super().__init__()
        if view not in ("canvas", "matplotlib"):
            raise EntrenarVizError(f'view {view!r:.40} is unknown: use "canvas" or "matplotlib"')
        given = None if weights is None else load_weights(weights)
        self.errors: list[Exception] = []
        """What callbacks have raised; the banner shows the last one."""
        self.problems: tuple[Problem, ...] = ()
        """What is wrong with the settings as they stand."""
        self.findings: list[Finding] = []
        """What is to be known of the configuration and of the weights that are shown."""
        self.closed = False
        self._state = State()
        self._language = LANGUAGES[0]
        self._said = ""
        self._of_config: list[Finding] = []
        self._build(view, allowed_folder)
        self.set_trait("config", Settings().config())
        try:
            if given:
                self._masks.add(given)
            if calibration is not None:
                self._masks.calibrate(calibration)
            settings = self._state.settings
            if training is not None:
                total_steps = agreed(training, total_steps)
            if config is not None or total_steps is not None:
                settings = settings.showing(settings.config() if config is None else read(config), total_steps)
            self._show(settings.counting(training))
        except EntrenarVizError:
            self.close()
            raise

    # What it shows ---------------------------------------------------------------------------------------------------

    def load(self, config: PruningConfig | str | os.PathLike[str], total_steps: int | None = None) -> None:
        """Show ``config``, or that of the file at a path: ``explorer.config`` is equal to it afterwards.

        Without ``total_steps`` the training stays as long as it is if the schedule ends within it, and else becomes so
        long that 40% are left for recovery. Raises ConfigError for what is no configuration or has steps that a browser
        cannot count, StepError for a ``total_steps`` that is no number of steps.
        """
        self._show(self._state.settings.showing(read(config), total_steps))

    @property
    def total_steps(self) -> int:
        """The length of the training, in steps."""
        return self._state.settings.total_steps

    @property
    def training(self) -> Training | None:
        """How steps are counted in epochs, None if they are not. Setting it sets ``total_steps`` too.

        A ``total_steps`` that is set otherwise, by hand or by ``load``, ends it. ConfigError for numbers that a browser
        cannot count.
        """
        return self._state.settings.training

    @training.setter
    def training(self, training: Training | None) -> None:
        self._show(self._state.settings.counting(training))

    def undo(self) -> None:
        """Go back to the configuration before the last gesture; does nothing if there is none."""
        self._state.undo()
        self._follow()

    def redo(self) -> None:
        """Go forward to what was undone last; does nothing if there is nothing."""
        self._state.redo()
        self._follow()

    def reset(self) -> None:
        """Show what the explorer was opened with; ``undo`` takes this back."""
        self._state.reset()
        self._follow()

    def wait(self) -> None:
        """Block until no layer is being prepared and no model surveyed: both are done in the background.

        For scripts and tests, and for a cell that wants to see what has become of the cell before.
        """
        self._presenter.job.wait()
        self._survey.job.wait()

    # What is kept of it ----------------------------------------------------------------------------------------------

    def export(self, path: str | os.PathLike[str], *, overwrite: bool = False) -> Path:
        """Save the configuration to ``path``, atomically: as YAML if it ends in .yaml or .yml, else as JSON.

        Raises ConfigError while the settings hold a problem, FileExistsError unless ``overwrite``.
        """
        self._check("nothing was exported")
        return self.config.save(path, overwrite=overwrite)

    @property
    def pins(self) -> tuple[Pin, ...]:
        """The pinned configurations, in order."""
        return self._compare.pins

    def pin(self, name: str | None = None) -> Pin:
        """Keep the present configuration for comparison, and return it as it is called now.

        Without a name it is called by its schedule and target; a name that is taken gets a number. Raises ConfigError
        while the settings hold a problem, for a name that is none, and above 50 pins.
        """
        return self._compare.pin(name)

    def unpin(self, name: str) -> None:
        """Forget the pin ``name``; ConfigError if there is none."""
        self._compare.unpin(name)

    def save_session(self, path: str | os.PathLike[str], *, overwrite: bool = False) -> Path:
        """Save the configuration and all pins to ``path``, atomically.

        Raises ConfigError while the settings hold a problem, FileExistsError unless ``overwrite``.
        """
        return self._session().save(path, overwrite=overwrite)

    def load_session(self, path: str | os.PathLike[str]) -> None:
        """Show the configuration of a session, which ``undo`` takes back, and add its pins to those that there are.

        A pin whose name is taken by another one gets a number. Raises ConfigError for a file that is no session, steps
        that a browser cannot count, and above 50 pins; nothing has changed then.
        """
        self._take_session(Session.load(path))

    def figure(self, what: What = "schedule", *, theme: str = "light") -> "Figure":
        """What is on the screen as a matplotlib figure: the ``"schedule"``, or the ``"masks"`` at the cursor.

        Raises ConfigError while the settings hold a problem, WeightsError where no mask is shown, EntrenarVizError for
        another ``what`` or ``theme``.
        """
        if what not in WHATS:
            raise EntrenarVizError(f"{what!r:.40} cannot be drawn: use one of {', '.join(WHATS)}")
        self._check("nothing was drawn")
        if what == "schedule":
            return schedules_drawn(self._state.settings, self.config, self._compare.drawn, theme)
        return masks_drawn(self._state.settings, self.config, self._presenter.shown, theme)

    def save_figure(
        self, path: str | os.PathLike[str], *, what: What = "schedule", theme: str = "light", overwrite: bool = False
    ) -> Path:
        """Save ``figure(what)`` to ``path``, a .png, .svg or .pdf, atomically; FileExistsError unless ``overwrite``."""
        from entrenar_viz.figures.saving import save_figure

        return save_figure(self.figure(what, theme=theme), path, overwrite=overwrite)

    def close(self) -> None:
        """Take the explorer off the screen and free its widgets; closing it again does nothing."""
        if self.closed:
            return
        self.closed = True
        self._presenter.stop()
        self._presenter.let_go()
        self._survey.job.cancel()
        for widget in all_widgets(self._root, *self._tabs.panels.values()):
            widget.unobserve_all()
            widget.close()
        self.unobserve_all()

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        """The live widget, and a picture for where widgets cannot run."""
        bundle: dict[str, Any] = {} if self.closed else dict(self._root._repr_mimebundle_() or {})
        if not self._live:
            self._tabs.fill()
        others = list(self._state.settings.schedules().values())
        svg = still_svg(self.config, self._state.settings.total_steps, others)
        return bundle | {"text/plain": repr(self), "image/svg+xml": svg}

    def __repr__(self) -> str:
        return f"Explorer({self.config!r}, total_steps={self.total_steps})"

    # Putting together ------------------------------------------------------------------------------------------------

    def _build(self, view: str, allowed: AllowedFolder | None) -> None:
        own, guarded = allowed is None, self._guarded  # own: the user has files in the kernel
        self._banner = Banner()
        self._live = Live() if view == "canvas" else None
        if self._live:
            self._picture: Any = self._live
        else:
            from entrenar_viz.explorer.matplotlib_view import MatplotlibView

            self._picture = MatplotlibView(guarded, self._change, self._do)
        self._presenter = MaskPresenter(self._picture, guarded, self._follow)
        details = MaskDetails(self._live) if self._live else None
        self._masks = MasksPanel(details, guarded, self._follow, allowed=allowed)
        self._survey = WholeModelPanel(self._masks.pick, guarded, live=bool(self._live))
        self._compare = ComparePanel(self._present, self.load, self._draw_pins, guarded)
        self._start = StartPanel(self._present, lambda: self.total_steps, self.load, self._offer, guarded, own=own)
        doors = Doors(self._save_exported, self._choose, self._imported, self._session, self._take_session)
        self._exchange = ExchangePanel(doors, guarded, own=own, live=bool(self._live))
        self._figures = FigurePanel(self.figure, self.save_figure, guarded, own=own)
        panels = {
            "Masks": self._masks,
            "Whole model": self._survey,
            "Compare": self._compare,
            "Start from": self._start,
            "Export & import": self._exchange,
            "Figure": self._figures,
        }
        self._tabs = Tabs(panels, guarded(self._opened))
        self._root = plain.VBox([self._banner, self._picture, self._tabs])
        self._root.add_class("entrenar-viz")
        self._offer()
        if self._live:
            self._live.on_msg(guarded(lambda _, content, __: self._hear(content)))

    def _guarded(self, callback: Callable[..., Any]) -> Callable[..., None]:
        """``callback`` with a banner for what it raises: JupyterLab hides the exceptions of widgets."""

        @wraps(callback)
        def run(*arguments: Any) -> None:
            try:
                callback(*arguments)
            except Exception as error:
                self.errors.append(error)
                self._banner.say(f"Something went wrong ({type(error).__name__}): {error}")

        return run

    # From the page ---------------------------------------------------------------------------------------------------

    def _hear(self, content: Any) -> None:
        """Take a message of a page: how many views it has, or its settings and what it asks for."""
        match content:
            case {"page": str(page), "views": int(views)}:
                self._presenter.seen_by(page, views)
                self._tabs.fill()
            case _:
                self._state.take(Told.of(content))
                try:
                    self._follow()
                except Exception:
                    self._picture.tell_failure(self._told())  # a page that hears nothing tells nothing more
                    raise
                if ask := content.get("ask"):
                    self._do(ask)

    def _change(self, changes: Mapping[str, Any]) -> None:
        """Take changes that were made by hand without a page; those of one number go on as one gesture."""
        ((name, value),) = changes.items() if len(changes) == 1 else [("", None)]
        gesture = name if type(value) in (int, float) else None  # a bare slider does not tell when it was taken hold of
        self._state.change(self._state.settings.changed(changes), gesture)
        self._follow()

    def _do(self, ask: payload.Command) -> None:
        match dict(ask):
            case {"do": "undo" | "redo" | "reset" as step}:
                getattr(self, step)()
            case {"do": "fix", "finding": int(finding), "fix": int(fix), "name": str(label)}:
                self._fix(finding, fix, label)
            case {"do": "preset", "kind": str(kind), "name": str(name)}:
                self._start_from(kind, name)
            case {"do": "language", "name": str(name)}:
                self._choose(next(language for language in LANGUAGES if language.name == name))
            case {"do": "cancel"}:
                self._cancel()
            case {"do": "open", "name": str(title)} if title in self._tabs.panels:
                self._tabs.open_tab(title)
            case _:
                raise EntrenarVizError(f"not understood: {ask!r:.80}")

    def _start_from(self, kind: str, name: str) -> None:
        try:
            self._said = self._start.pick(kind, name)
        except EntrenarVizError as error:
            self._said = str(error)
        self._answer()

    def _fix(self, finding: int, fix: int, label: str) -> None:
        """Apply a fix, unless what it was pressed for is no more there."""
        fixes = self.findings[finding].fixes if finding < len(self.findings) else ()
        if fix < len(fixes) and fixes[fix].label == label:
            self.load(fixes[fix].config, self.total_steps)

    def _cancel(self) -> None:
        """Drop the layer that is being prepared and go back to what is shown; if nothing is, to the first sample."""
        self._presenter.stop()
        shown = self._presenter.shown
        back, before = shown.request if shown else None, self._state.settings
        if back:
            self._state.show(before.masked_by(back.pattern, back.method))
        self._masks.go_back(back)
        if self._state.settings != before:
            self._follow()

    # Following the settings ------------------------------------------------------------------------------------------

    def _show(self, settings: Settings) -> None:
        """Let the settings be these: the one way back from what follows them."""
        self._state.show(settings)
        self._follow()

    def _follow(self) -> None:
        """Bring everything that shows the settings up to them."""
        settings, self._said = self._state.settings, ""
        config = self._read(settings)
        if config is None:
            self._state.broken()
        else:
            self._state.record()
            corner = (settings.window_row, settings.window_column)
            self._presenter.show(self._masks.request(settings, config.pattern), corner)
            self._findings(config)
            self.set_trait("config", config)
        self._answer()
        if config:
            self._draw()
        self._follow_tabs()

    def _draw(self) -> None:
        self._picture.draw(self._state.settings, self.config, self._compare.drawn, self._presenter.shown)

    def _read(self, settings: Settings) -> PruningConfig | None:
        """The configuration and what is to be known of it; None while there are problems."""
        problems = self._state.read_problems()
        try:
            config = settings.config()
            self._of_config = review(config, settings.total_steps)
        except ConfigError as error:
            problems += error.problems
        except StepError as error:
            problems.append(Problem("schedule", str(error)))
        self.problems = tuple(problems)
        return None if problems else config

    def _findings(self, config: PruningConfig) -> None:
        weights, layer = self._masks.picked()
        found = [*self._of_config, *weight_findings(config, weights, layer)]
        failure = self._presenter.failure_of(self._masks.request(self._state.settings, config.pattern))
        if failure and "pattern-does-not-fit" not in (finding.code for finding in found):
            found.append(unreadable(layer, failure))
        self.findings = by_severity(found)

    def _told(self) -> payload.Settings:
        state = self._state
        return payload.Settings(values=state.values(), page=state.page, told=state.count, unread=dict(state.unread))

    def _answer(self) -> None:
        """Tell the page what its settings amount to."""
        exported = payload.Exported(
            language=self._language.name,
            text=self._language.write(self.config, self.total_steps),
            file=self._language.file,
            media=self._language.media,
        )
        known: dict[str, Any] = {
            "problems": self.problems,
            "findings": self.findings,
            "exported": exported,
            "said": self._said,
        }
        self._picture.tell(self._told(), answer_to(self._state, self.config, **known))

    def _follow_tabs(self) -> None:
        """Bring the panel that is open up to the settings."""
        settings, config = self._state.settings, self.config
        shown, blocked = self._presenter.shown, bool(self.problems)
        request = None if blocked else self._masks.request(settings, config.pattern)
        self._figures.forget()
        match self._tabs.open_title:
            case "Masks":
                self._masks.follow(settings, request, str(shown.layer.get("note", "")) if shown else "")
            case "Whole model":
                self._survey.follow(request, config, settings.total_steps)
            case "Compare" if not blocked:
                self._compare.follow()
            case "Start from":
                self._start.follow(config)
            case "Export & import":
                text = self._language.write(config, settings.total_steps)
                self._exchange.exporting.offer(self._language, text, blocked)

    def _opened(self, title: str) -> None:
        if title == "Masks":
            self._masks.refresh()
        if title == "Export & import":
            self._exchange.refresh()
        self._follow_tabs()

    def _draw_pins(self) -> None:
        self._picture.show_pins(self._compare.drawn)
        self._figures.forget()
        if not self.problems:
            self._compare.follow()
            self._draw()

    def _offer(self) -> None:
        """Tell the page what there is to choose from."""
        choices = payload.Choices(
            methods=list(METHODS),
            patterns=dict(PATTERN_NAMES),
            languages=[language.name for language in LANGUAGES],
            presets=self._start.offered,
        )
        self._picture.choose_from(choices)

    # Files -----------------------------------------------------------------------------------------------------------

    def _check(self, nothing: str) -> None:
        if self.problems:
            raise ConfigError(self.problems, nothing)

    def _present(self, name: str | None) -> Pin:
        """What is on the screen as a pin; ConfigError while the settings hold a problem."""
        self._check("nothing was kept")
        called = default_name(self.config) if name is None else name
        return Pin(name=called, config=self.config, total_steps=self.total_steps)

    def _save_exported(self, path: str, *, overwrite: bool) -> Path:
        language = saved_as(path, self._language)
        self._check("nothing was exported")
        if not path:
            raise EntrenarVizError(f"Nothing was saved: name the file, for example {language.file}")
        if not language.fits(path):
            ending = f"{language.name} goes to a file that ends in {language.suffix}"
            raise EntrenarVizError(f"Nothing was saved: {ending}, for example {Path(path).stem}{language.suffix}")
        text = language.write(self.config, self.total_steps)
        return write_atomically(Path(path), text.encode(), overwrite=overwrite)

    def _choose(self, language: Language) -> None:
        if language != self._language:
            self._language = language
            self._follow()

    def _imported(self, config: PruningConfig) -> str:
        before = self.total_steps
        self.load(config)
        return f" The training now has {self.total_steps:,} steps." if self.total_steps != before else ""

    def _session(self) -> Session:
        now = self._present("now")
        return Session(config=now.config, total_steps=now.total_steps, training=self.training, pins=self.pins)

    def _take_session(self, session: Session) -> str:
        """Show ``session``, and say what became of its pins."""
        before = self.pins
        pins = merged(before, session.pins)
        if session.training:
            countable(session.training)
        settings = self._state.settings.showing(session.config, session.total_steps)
        self._show(settings.counting(session.training))
        self._compare.put(pins)
        renamed = len({pin.name for pin in pins[len(before) :]} - {pin.name for pin in session.pins})
        said = f" Pins added: {len(pins) - len(before)}."
        return said + (f" Renamed, since their names were taken: {renamed}." if renamed else "")


def read(config: PruningConfig | str | os.PathLike[str]) -> PruningConfig:
    """The configuration, or that of the file at a path; ConfigError for a file that is none."""
    return PruningConfig.load(config) if isinstance(config, str | os.PathLike) else config


def agreed(training: Training, total_steps: int | None) -> int:
    """The steps of ``training``; EntrenarVizError if ``total_steps`` says otherwise."""
    if total_steps not in (None, training.total_steps):
        made = f"training makes {training.total_steps:,} steps, total_steps says {total_steps:,}"
        raise EntrenarVizError(f"{made}: leave one of them out")
    return training.total_steps


def all_widgets(*roots: Any) -> list[Any]:
    """Every widget that can be reached from ``roots``, each once: children, layouts and styles."""
    found: dict[int, Any] = {}
    waiting = list(roots)
    while waiting:
        widget = waiting.pop()
        if id(widget) in found:
            continue
        found[id(widget)] = widget
        for name in widget.keys:
            value = getattr(widget, name)
            parts = value if isinstance(value, list | tuple) else (value,)
            waiting += [part for part in parts if isinstance(part, w.Widget)]
    return list(found.values())
