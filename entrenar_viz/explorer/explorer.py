"""Explorer: the dashboard put together. State flows one way, from the controls to the configuration to the rest."""

import base64
import os
from collections.abc import Callable, Mapping
from functools import wraps
from pathlib import Path
from typing import Any, Literal

import traitlets as tr
from numpy.typing import ArrayLike

from entrenar_viz.analysis.finding import Finding, by_severity
from entrenar_viz.analysis.findings import review
from entrenar_viz.analysis.weight_findings import unreadable, weight_findings
from entrenar_viz.config.pin import Pin
from entrenar_viz.config.pruning_config import PruningConfig, fixed_sparsity
from entrenar_viz.config.training import Training
from entrenar_viz.errors import ConfigError, EntrenarVizError, Problem, StepError, WeightsError
from entrenar_viz.explorer.canvas import Canvas
from entrenar_viz.explorer.controls import Controls
from entrenar_viz.explorer.counting import Counted, Counting, agreed
from entrenar_viz.explorer.drawings import Drawings, Drawn
from entrenar_viz.explorer.exchange import Export, Import
from entrenar_viz.explorer.fallback import Fallback, schedule_png
from entrenar_viz.explorer.keeping import Keeping
from entrenar_viz.explorer.layout import Layout, all_widgets
from entrenar_viz.explorer.mask_presenter import MaskPresenter
from entrenar_viz.explorer.panels import Findings, blank, show
from entrenar_viz.explorer.pins import ghost
from entrenar_viz.explorer.preview import Preview
from entrenar_viz.explorer.survey_panel import SurveyPanel
from entrenar_viz.masks.calibration import Calibration
from entrenar_viz.models.allowed_folder import AllowedFolder
from entrenar_viz.models.weights import load_weights

Weights = ArrayLike | Mapping[str, ArrayLike] | str | os.PathLike[str]
CalibrationData = Mapping[str, ArrayLike] | str | os.PathLike[str] | Calibration


class Explorer(Keeping, Drawn, Counted):
    """Tune a pruning schedule, watch what the trainer will do with it, export the configuration.

    ``config`` is where to start, or the path of its file (an example of the chapter if None), ``total_steps`` how long
    the training is, ``weights`` an array, a dict of arrays or a path to preview masks on: a .npy, .npz or .safetensors
    file, or the folder or index of a checkpoint in shards. ``calibration`` is what ``load_calibration`` takes: what
    enters the layers, for masks by wanda and sparse_gpt. ``training`` says how long the training is in epochs, instead
    of ``total_steps``.
    ``view="matplotlib"`` draws in the kernel, for front ends that cannot show the live canvas.
    ``allowed_folder`` is for visitors who must not read and write where they like: they open what is below it, and
    files come and go through their browser only. None: whoever uses the explorer may run code anyway.

    Displaying it twice shows two views of one state. Raises ConfigError or WeightsError for what it cannot show.
    """

    config = tr.Instance(PruningConfig, read_only=True)
    """What the controls add up to, the last valid one; ``explorer.observe(callback, "config")`` follows it."""

    def __init__(
        self,
        config: PruningConfig | str | os.PathLike[str] | None = None,
        *,
        total_steps: int | None = None,
        weights: Weights | None = None,
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
        """What is wrong with the controls as they stand."""
        self.findings: list[Finding] = []
        """What is to be known of the configuration and of the weights that are shown."""
        self._of_config: list[Finding] = []
        self.closed = False
        self._followed: tuple[Any, ...] | None = None
        self._allowed = allowed_folder
        self._build(live=view == "canvas")
        try:
            if given:
                self.preview.add(given)
            if calibration is not None:
                self.preview.calibrate(calibration)
            if training is not None:
                total_steps = agreed(training, total_steps)
            if config is not None or total_steps is not None:
                self.load(self.controls.config() if config is None else config, total_steps)
            self.training = training
            self._follow()
        except EntrenarVizError:
            self.close()
            raise
        self._listen()

    def load(self, config: PruningConfig | str | os.PathLike[str], total_steps: int | None = None) -> None:
        """Show ``config``, or that of the file at a path: ``explorer.config`` is equal to it afterwards.

        Without ``total_steps`` the training stays as long as it is if the schedule ends within it, and else becomes so
        long that 40% are left for recovery. Raises ConfigError for what is no configuration or has steps that a browser
        cannot count, StepError for a ``total_steps`` that is no number of steps.
        """
        shown = PruningConfig.load(config) if isinstance(config, str | os.PathLike) else config
        self.steps.whole(lambda: self.controls.set(shown, total_steps))

    def export(self, path: str | os.PathLike[str], *, overwrite: bool = False) -> Path:
        """Save the configuration to ``path``, atomically.

        Raises ConfigError while the controls hold a problem, FileExistsError unless ``overwrite``.
        """
        if self.problems:
            raise ConfigError(self.problems, "nothing was exported")
        return self.config.save(path, overwrite=overwrite)

    def wait(self) -> None:
        """Block until no layer is being prepared and no model surveyed: both are done in the background.

        For scripts and tests, and for a cell that wants to see what has become of the cell before.
        """
        self.mask_presenter.job.wait()
        self.survey.job.wait()

    @property
    def total_steps(self) -> int:
        """The length of the training, in steps."""
        return int(self.controls.total_steps.value)

    def close(self) -> None:
        """Take the explorer off the screen and free its widgets and links; closing it again does nothing."""
        if self.closed:
            return
        self.closed = True
        self.mask_presenter.stop()
        self.mask_presenter.let_go()
        self.survey.stop()
        for widget in all_widgets(self.layout, *self.controls.links):
            widget.unobserve_all()
            widget.close()
        self.unobserve_all()

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        """The live widget, and a picture for where widgets cannot run."""
        bundle: dict[str, Any] = {} if self.closed else dict(self.layout._repr_mimebundle_() or {})
        png = base64.b64encode(schedule_png(self.controls, self.config, self.pins_panel.drawn)).decode()
        return bundle | {"text/plain": repr(self), "image/png": png}

    def __repr__(self) -> str:
        return f"Explorer({self.config!r}, total_steps={self.total_steps})"

    # Putting together ------------------------------------------------------------------------------------------------

    def _build(self, *, live: bool) -> None:
        self.controls, self.preview = Controls(typed=live), Preview()
        picture = self.controls.canvas() if live else Fallback()
        self.canvas = picture if isinstance(picture, Canvas) else None
        self.fallback = picture if isinstance(picture, Fallback) else None
        self.mask_presenter = MaskPresenter(self.controls, self.preview, picture, self._guarded, self._find)
        self.findings_panel = Findings(self._guarded(lambda fix: self.load(fix.config, self.total_steps)))
        by_path = self.preview.can_calibrate = self._allowed is None  # of the kernel's files
        self.exporter = Export(self.export, self._guarded, live=live, by_path=by_path)
        self.importer = Import(self._imported, self._guarded, by_path=by_path)
        files = (self.exporter, self.importer)
        pictures = (picture, self.mask_presenter.progress, self.findings_panel)
        self.drawings = Drawings(self.figure, self.save_figure, self._guarded, by_path=by_path)
        self._build_keeping(self._guarded, self._draw_pins, live=live, own=by_path)
        self.survey = SurveyPanel(self.preview, self._guarded, live=live)
        below = [self.survey, *self.below, self.drawings]
        self.layout = Layout(self.controls, self.preview, pictures, files, above=self.above, below=below)
        self.counting = Counting(self.controls, picture, self._guarded)
        self.layout.rows["total_steps"].children += (self.counting,)
        show(self.layout.rows["path"], by_path or bool(self._allowed and self._allowed.root))
        show(self.layout.rows["calibration"], by_path)

    def _listen(self) -> None:
        follow = self._guarded(self._follow)
        for control in (self.controls.total_steps, *self.controls.holding_config()):
            control.observe(follow, "value")
        for field in self.controls.fields:
            field.observe(follow, "problem")
        preview = self.preview
        shown = (self.controls.total_steps, self.controls.cursor, *self.controls.holding_config())
        self.drawings.forget_with((*shown, preview.layer, *preview.pickers))
        if self.canvas:  # a layer that was prepared in the background comes after the change that asked for it
            self.canvas.observe(self.drawings.forget, ["layer", "patterns"])
        if self.fallback:
            self.drawings.forget_with((self.fallback.masks, self.fallback.note))
        masks = self._guarded(self._show_masks)
        previewed = (self.preview.layer, self.preview.masks_of, self.preview.within)
        for control in (*previewed, *(() if self.canvas else (self.controls.cursor,))):
            control.observe(masks, "value")
        self.preview.source.observe(self._guarded(self._pick_source), "value")
        self.preview.search.observe(self._guarded(lambda _: self.preview.show_layers()), "value")
        read = self._allowed.open if self._allowed else load_weights
        self.preview.open.on_click(self._opener("path", lambda: self.preview.open_path(read)))
        if self._allowed is None:
            self.preview.open_calibration.on_click(self._opener("calibration", self.preview.open_calibration_path))

    def _guarded(self, callback: Callable[..., None]) -> Callable[..., None]:
        """``callback`` with a banner for what it raises: JupyterLab hides the exceptions of widgets."""

        @wraps(callback)
        def run(*arguments: Any) -> None:
            try:
                callback(*arguments)
            except Exception as error:
                self.errors.append(error)
                self.layout.banner.say(f"Something went wrong ({type(error).__name__}): {error}")

        return run

    # Following the controls ------------------------------------------------------------------------------------------

    def _follow(self, _: object = None) -> None:
        """Bring everything that shows the configuration up to the controls."""
        self.controls.fit_ranges()
        self.layout.fit(self.controls, self.preview)
        try:
            config = self.controls.config()
            now = (config, self.total_steps, tuple(self.controls.schedules().values()))
            if now == self._followed:  # one of many controls that changed together has told of it already
                self.steps.record()
                return
            self._of_config = review(config, self.total_steps)
        except ConfigError as error:
            self._complain(error.problems)
            return
        except StepError as error:
            self._complain((Problem("schedule", str(error)),))
            return
        self._complain(())
        self.steps.record()
        self._followed = now
        if self.canvas:
            self.canvas.fixed = fixed_sparsity(config.pattern)
        self._find(config)
        self.exporter.offer(config, self.total_steps)
        self.set_trait("config", config)
        self.pins_panel.follow()
        self._show_masks()

    def _find(self, config: PruningConfig | None = None) -> None:
        """Show the findings, of the configuration (already known) and of the weights that are shown."""
        if self.problems:
            return
        weights, layer = self.preview.picked()
        found = [*self._of_config, *weight_findings(config or self.config, weights, layer)]
        failure = self.mask_presenter.failure
        if failure and "pattern-does-not-fit" not in (finding.code for finding in found):
            found.append(unreadable(layer, failure))
        self.findings = by_severity(found)
        self.findings_panel.fill(self.findings)

    def _draw_pins(self, pins: tuple[Pin, ...]) -> None:
        self.drawings.forget()
        if self.canvas:
            self.canvas.ghosts = [ghost(pin) for pin in pins]
        if self.fallback and pins != self.fallback.pins:
            self.fallback.pins = pins
            if not self.problems:
                self.fallback.draw(self.controls, self.config)

    def _complain(self, problems: tuple[Problem, ...]) -> None:
        """Show each problem beside the control that made it, and block export and fixes while there are any."""
        self.problems = problems
        self.survey.block(bool(problems))
        said = {field.problem for field in self.controls.fields}  # by the entries themselves
        self.layout.complain([problem for problem in problems if problem.message not in said])
        blank(self.findings_panel, bool(problems))
        if problems:
            self._followed = None
            self.steps.broken()
            self.exporter.offer(None)

    def _show_masks(self, _: object = None) -> None:
        """Show the masks of the picked layer, unless they are shown already."""
        self.layout.fit(self.controls, self.preview)
        if not self.problems:
            self.mask_presenter.show(self.config)
            self._find()
            self.survey.follow(self.config, self.total_steps)

    def _pick_source(self, _: object = None) -> None:
        self.preview.show_source()
        self.layout.rows["path"].complain("")
        self._show_masks()

    # Files -----------------------------------------------------------------------------------------------------------

    def _opener(self, row: str, take: Callable[[], None]) -> Callable[..., None]:
        """Take a file; what is wrong with it is said in its row."""

        def open_it(_: object) -> None:
            try:
                take()
            except WeightsError as error:
                self.layout.rows[row].complain(str(error))
            else:
                self.layout.rows[row].complain("")
                self._show_masks()

        return self._guarded(open_it)

    def _imported(self, config: PruningConfig) -> str:
        before = self.total_steps
        self.load(config)
        return f" The training now has {self.total_steps:,} steps." if self.total_steps != before else ""
