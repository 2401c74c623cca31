"""Explorer: the dashboard as it is used from Python."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import traitlets as tr
from numpy.typing import ArrayLike

from entrenar_viz.analysis.finding import Finding
from entrenar_viz.analysis.training_log import TrainingLog
from entrenar_viz.config.pin import Pin
from entrenar_viz.config.pruning_config import PruningConfig
from entrenar_viz.config.training import Training
from entrenar_viz.errors import EntrenarVizError, Problem
from entrenar_viz.explorer.dashboard import Dashboard
from entrenar_viz.explorer.given import agreed, read, reported
from entrenar_viz.explorer.panels.figure import What
from entrenar_viz.explorer.panels.masks import CalibrationData
from entrenar_viz.figures.still_svg import still_svg
from entrenar_viz.models.allowed_folder import AllowedFolder
from entrenar_viz.models.weights import Source, load_weights
from entrenar_viz.plan.layer_plan import Plan
from entrenar_viz.plan.shares import Allocation
from entrenar_viz.rehearsal.outcome import Rehearsal
from entrenar_viz.rehearsal.small_training import WIDTHS, small_training
from entrenar_viz.rehearsal.trials import SEEDS, at_least_one, seeds_of
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
    ``log`` is what ``load_log`` takes: what a training has reported, over the plan. Its configuration is shown if no
    other one is given.
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
        log: TrainingLog | str | os.PathLike[str] | None = None,
        view: Literal["canvas", "matplotlib"] = "canvas",
        allowed_folder: AllowedFolder | None = None,
    ) -> None:
        super().__init__()
        if view not in ("canvas", "matplotlib"):
            raise EntrenarVizError(f'view {view!r:.40} is unknown: use "canvas" or "matplotlib"')
        given = None if weights is None else load_weights(weights)
        self.closed = False
        self._parts = Dashboard(view, allowed_folder, lambda config: self.set_trait("config", config))
        self.set_trait("config", self._parts.config)
        try:
            if given:
                self._parts.masks.add(given)
            if calibration is not None:
                self._parts.masks.calibrate(calibration)
            settings = self._parts.state.settings
            told = None if log is None else reported(log)
            if told is not None and config is None:
                config = told.config
                total_steps = total_steps if training or total_steps is not None else told.total_steps
            if training is not None:
                total_steps = agreed(training, total_steps)
            if config is not None or total_steps is not None:
                settings = settings.showing(settings.config() if config is None else read(config), total_steps)
            self._parts.show(settings.counting(training))
            if told is not None:
                self.load_log(told)
        except EntrenarVizError:
            self.close()
            raise

    @property
    def errors(self) -> list[Exception]:
        """What callbacks have raised; the banner shows the last one."""
        return self._parts.guarded.errors

    @property
    def problems(self) -> tuple[Problem, ...]:
        """What is wrong with the settings as they stand."""
        return self._parts.problems

    @property
    def findings(self) -> list[Finding]:
        """What is to be known of the configuration and of the weights that are shown."""
        return self._parts.findings

    # What it shows ---------------------------------------------------------------------------------------------------

    def load(self, config: PruningConfig | str | os.PathLike[str], total_steps: int | None = None) -> None:
        """Show ``config``, or that of the file at a path: ``explorer.config`` is equal to it afterwards.

        Without ``total_steps`` the training stays as long as it is if the schedule ends within it, and else becomes so
        long that 40% are left for recovery. Raises ConfigError for what is no configuration or has steps that a browser
        cannot count, StepError for a ``total_steps`` that is no number of steps.
        """
        self._parts.load(read(config), total_steps)

    def load_log(self, log: TrainingLog | str | os.PathLike[str] | None, *, metric: str | None = None) -> None:
        """Draw what a training has reported over the plan, and say in the tab "Compare" where the two part.

        ``log`` is a ``TrainingLog`` as it is now, or the path of a file of one (JSON Lines or CSV); None draws no log.
        ``metric`` is drawn with it: the first one that was reported if None, none if empty. A session does not keep it.
        Raises ConfigError for a file that is no log, EntrenarVizError for a metric that it does not have.
        """
        self._parts.logs.take(None if log is None else reported(log), metric)
        if log is not None:
            self._parts.tabs.open_tab("Compare")

    @property
    def log(self) -> TrainingLog | None:
        """The log that is drawn, None if there is none."""
        return self._parts.logs.told

    @property
    def total_steps(self) -> int:
        """The length of the training, in steps."""
        return self._parts.state.settings.total_steps

    @property
    def training(self) -> Training | None:
        """How steps are counted in epochs, None if they are not. Setting it sets ``total_steps`` too.

        A ``total_steps`` that is set otherwise, by hand or by ``load``, ends it. ConfigError for numbers that a browser
        cannot count.
        """
        return self._parts.state.settings.training

    @training.setter
    def training(self, training: Training | None) -> None:
        self._parts.show(self._parts.state.settings.counting(training))

    def undo(self) -> None:
        """Go back to the configuration before the last gesture; does nothing if there is none."""
        self._parts.step_back("undo")

    def redo(self) -> None:
        """Go forward to what was undone last; does nothing if there is nothing."""
        self._parts.step_back("redo")

    def reset(self) -> None:
        """Show what the explorer was opened with; ``undo`` takes this back."""
        self._parts.step_back("reset")

    def wait(self) -> None:
        """Block until nothing is prepared, rehearsed, allotted, measured or surveyed: that is done in the background.

        For scripts and tests, and for a cell that wants to see what has become of the cell before.
        """
        self._parts.presenter.job.wait()
        self._parts.survey.job.wait()
        self._parts.accuracy.job.wait()
        self._parts.layers.job.wait()

    def rehearse(
        self,
        seeds: int = SEEDS,
        *,
        steps: int | None = None,
        X: ArrayLike | None = None,
        y: ArrayLike | None = None,
        widths: Sequence[int] = WIDTHS,
    ) -> None:
        """Open the tab "Accuracy" and train a small network there under the three schedules, in the background.

        As ``entrenar_viz.rehearse`` does, for the settings as they stand. ``seeds`` is how many there are; ``X``, ``y``
        and ``widths`` are also what the button trains with from then on, and so is ``steps``, the length of a run; None
        leaves that as it is, 2,000 at first. Raises ConfigError while the settings hold a problem, EntrenarVizError for
        data, widths, steps or seeds that cannot be used; what else cannot be rehearsed, the tab tells.
        """
        if len(seeds_of(seeds)) != seeds:
            raise EntrenarVizError(f"seeds is how many there are, not {seeds!r:.60}")
        length = None if steps is None else at_least_one(steps)
        self._parts.rehearse(seeds, small_training(X, y, widths), length)

    @property
    def rehearsal(self) -> Rehearsal | None:
        """What the tab "Accuracy" shows, once it is finished; None before that."""
        return self._parts.accuracy.result

    @property
    def plan(self) -> Plan | None:
        """The plan of the layers of the picked weights, as the tab "Layers" has it; None if there is none.

        Setting it is an entry of that tab's history; None puts the plan aside. ConfigError, with all problems, for one
        that does not go with the weights.
        """
        return self._parts.layers.plan

    @plan.setter
    def plan(self, plan: Plan | None) -> None:
        self._parts.layers.take(plan)

    def allocate(self, sparsity: float | None = None, method: Allocation = "erk", **options: Any) -> None:
        """Open the tab "Layers" and share out ``sparsity`` among the layers of the picked weights there.

        As ``entrenar_viz.allocate`` does it, by ``method`` with its ``options``, ``min_sparsity`` and ``max_sparsity``;
        layers that are locked or skipped in the present plan stay so. None is what the schedule ends with. Methods that
        read weights do so in the background, and the tab tells what is wrong with those. Raises EntrenarVizError where
        no plan can be made, ConfigError while the settings hold a problem.
        """
        self._parts.allocate(sparsity, method, options)

    # What is kept of it ----------------------------------------------------------------------------------------------

    def export(self, path: str | os.PathLike[str], *, overwrite: bool = False) -> Path:
        """Save the configuration to ``path``, atomically: as YAML if it ends in .yaml or .yml, else as JSON.

        Raises ConfigError while the settings hold a problem, FileExistsError unless ``overwrite``.
        """
        self._parts.check("nothing was exported")
        return self.config.save(path, overwrite=overwrite)

    @property
    def pins(self) -> tuple[Pin, ...]:
        """The pinned configurations, in order."""
        return self._parts.compare.pins

    def pin(self, name: str | None = None) -> Pin:
        """Keep the present configuration for comparison, and return it as it is called now.

        Without a name it is called by its schedule and target; a name that is taken gets a number. Raises ConfigError
        while the settings hold a problem, for a name that is none, and above 50 pins.
        """
        return self._parts.compare.pin(name)

    def unpin(self, name: str) -> None:
        """Forget the pin ``name``; ConfigError if there is none."""
        self._parts.compare.unpin(name)

    def save_session(self, path: str | os.PathLike[str], *, overwrite: bool = False) -> Path:
        """Save the configuration and all pins to ``path``, atomically.

        Raises ConfigError while the settings hold a problem, FileExistsError unless ``overwrite``.
        """
        return self._parts.files.session().save(path, overwrite=overwrite)

    def load_session(self, path: str | os.PathLike[str]) -> None:
        """Show the configuration of a session, which ``undo`` takes back, and add its pins to those that there are.

        A pin whose name is taken by another one gets a number. Raises ConfigError for a file that is no session, steps
        that a browser cannot count, and above 50 pins; nothing has changed then.
        """
        self._parts.files.take_session(Session.load(path))

    def figure(self, what: What = "schedule", *, theme: str = "light") -> "Figure":
        """What is on the screen as a matplotlib figure: the ``"schedule"``, the ``"masks"`` at the cursor,
        the ``"accuracy"`` of a finished rehearsal, or the plan of the ``"layers"``.

        Raises ConfigError while the settings hold a problem, WeightsError where no mask is shown, EntrenarVizError
        where nothing was rehearsed or planned and for another ``what`` or ``theme``.
        """
        return self._parts.files.figure(what, theme=theme)

    def save_figure(
        self, path: str | os.PathLike[str], *, what: What = "schedule", theme: str = "light", overwrite: bool = False
    ) -> Path:
        """Save ``figure(what)`` to ``path``, a .png, .svg or .pdf, atomically; FileExistsError unless ``overwrite``."""
        return self._parts.files.save_figure(path, what=what, theme=theme, overwrite=overwrite)

    def close(self) -> None:
        """Take the explorer off the screen and free its widgets; closing it again does nothing."""
        if self.closed:
            return
        self.closed = True
        self._parts.close()
        self.unobserve_all()

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        """The live widget, and a picture for where widgets cannot run."""
        bundle: dict[str, Any] = {} if self.closed else dict(self._parts.root._repr_mimebundle_() or {})
        if not self._parts.live:
            self._parts.tabs.fill()
        others = list(self._parts.state.settings.schedules().values())
        svg = still_svg(self.config, self.total_steps, others, self.log)
        return bundle | {"text/plain": repr(self), "image/svg+xml": svg}

    def __repr__(self) -> str:
        return f"Explorer({self.config!r}, total_steps={self.total_steps})"
