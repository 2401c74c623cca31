"""Explorer: the dashboard put together. State flows one way, from the controls to the configuration to the rest."""

import base64
import os
from collections.abc import Callable, Mapping
from functools import wraps
from pathlib import Path
from typing import Any, Literal

import ipywidgets as w
import traitlets as tr
from numpy.typing import ArrayLike

from entrenar_viz.config import PruningConfig
from entrenar_viz.errors import ConfigError, EntrenarVizError, Problem, StepError, WeightsError
from entrenar_viz.explorer.controls import Controls
from entrenar_viz.explorer.panels import Export, Findings, Import, show
from entrenar_viz.explorer.preview import Preview
from entrenar_viz.explorer.screen import Screen
from entrenar_viz.explorer.still import Still, schedule_png
from entrenar_viz.findings import Finding, review
from entrenar_viz.reach import Reach
from entrenar_viz.weights import load_weights

Weights = ArrayLike | Mapping[str, ArrayLike] | str | os.PathLike[str]


class Explorer(tr.HasTraits):
    """Tune a pruning schedule, watch what the trainer will do with it, export the configuration.

    ``config`` is where to start (an example of the chapter if None), ``total_steps`` the length of the training,
    ``weights`` an array, a dict of arrays or a path to preview masks on: a .npy, .npz or .safetensors file, or the
    folder or index of a checkpoint in shards.
    ``view="matplotlib"`` draws in the kernel, for front ends that cannot show the live canvas.
    ``reach`` is for visitors who must not read and write where they like: they open what it reaches, and files come
    and go through their browser only. None: whoever uses the explorer may run code anyway.

    Displaying it twice shows two views of one state. Raises ConfigError or WeightsError for what it cannot show.
    """

    config = tr.Instance(PruningConfig, read_only=True)
    """What the controls add up to, the last valid one; ``explorer.observe(callback, "config")`` follows it."""

    def __init__(
        self,
        config: PruningConfig | None = None,
        *,
        total_steps: int | None = None,
        weights: Weights | None = None,
        view: Literal["canvas", "matplotlib"] = "canvas",
        reach: Reach | None = None,
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
        """What ``review`` says of the configuration."""
        self.closed = False
        self._followed: tuple[Any, ...] | None = None
        self._masked: tuple[Any, ...] | None = None
        self._reach = reach
        self._build(live=view == "canvas")
        if given:
            self.preview.add(given)
        try:
            if config is not None or total_steps is not None:
                self.load(self.controls.config() if config is None else config, total_steps)
            self._follow()
        except EntrenarVizError:
            self.close()
            raise
        self._listen()

    def load(self, config: PruningConfig, total_steps: int | None = None) -> None:
        """Show ``config``: ``explorer.config == config`` afterwards.

        Without ``total_steps`` the training stays as long as it is if the schedule ends within it, and else becomes so
        long that 40% are left for recovery. Raises ConfigError for what is no configuration or has steps that a browser
        cannot count, StepError for a ``total_steps`` that is no number of steps.
        """
        self.controls.set(config, total_steps)

    def export(self, path: str | os.PathLike[str], *, overwrite: bool = False) -> Path:
        """Save the configuration to ``path``, atomically.

        Raises ConfigError while the controls hold a problem, FileExistsError unless ``overwrite``.
        """
        if self.problems:
            raise ConfigError(self.problems, "nothing was exported")
        return self.config.save(path, overwrite=overwrite)

    @property
    def total_steps(self) -> int:
        """The length of the training, in steps."""
        return int(self.controls.total_steps.value)

    def close(self) -> None:
        """Take the explorer off the screen and free its widgets and links; closing it again does nothing."""
        if self.closed:
            return
        self.closed = True
        for widget in _all_widgets(self.screen, *self.controls.links):
            widget.unobserve_all()
            widget.close()
        self.unobserve_all()

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        """The live widget, and a picture for where widgets cannot run."""
        bundle: dict[str, Any] = {} if self.closed else dict(self.screen._repr_mimebundle_() or {})
        png = base64.b64encode(schedule_png(self.controls, self.config)).decode()
        return bundle | {"text/plain": repr(self), "image/png": png}

    def __repr__(self) -> str:
        return f"Explorer({self.config!r}, total_steps={self.total_steps})"

    # Putting together ------------------------------------------------------------------------------------------------

    def _build(self, *, live: bool) -> None:
        self.controls, self.preview = Controls(typed=live), Preview()
        self.canvas = self.controls.canvas() if live else None
        self.still = None if live else Still()
        self.findings_panel = Findings(self._guarded(lambda fix: self.load(fix.config, self.total_steps)))
        by_path = self._reach is None  # of the kernel's files
        self.exporter = Export(self._guarded(self._save) if by_path else None, live=live)
        self.importer = Import(self._guarded(self._import_path) if by_path else None, self._guarded(self._import_text))
        files = (self.exporter, self.importer)
        self.screen = Screen(self.controls, self.preview, self.canvas or self.still, self.findings_panel, files)
        show(self.screen.rows["path"], self._reach is None or self._reach.root is not None)

    def _listen(self) -> None:
        follow = self._guarded(self._follow)
        for control in (self.controls.total_steps, *self.controls.holding_config()):
            control.observe(follow, "value")
        for field in self.controls.fields:
            field.observe(follow, "problem")
        masks = self._guarded(self._show_masks)
        for control in (self.preview.layer, *(() if self.canvas else (self.controls.cursor,))):
            control.observe(masks, "value")
        self.preview.source.observe(self._guarded(self._pick_source), "value")
        self.preview.search.observe(self._guarded(lambda _: self.preview.show_layers()), "value")
        self.preview.open.on_click(self._guarded(self._open_weights))

    def _guarded(self, callback: Callable[..., None]) -> Callable[..., None]:
        """``callback`` with a banner for what it raises: JupyterLab hides the exceptions of widgets."""

        @wraps(callback)
        def run(*arguments: Any) -> None:
            try:
                callback(*arguments)
            except Exception as error:
                self.errors.append(error)
                self.screen.banner.say(f"Something went wrong ({type(error).__name__}): {error}")

        return run

    # Following the controls ------------------------------------------------------------------------------------------

    def _follow(self, _: object = None) -> None:
        """Bring everything that shows the configuration up to the controls."""
        self.controls.fit_ranges()
        self.screen.show_sizes(self.controls.pattern.value)
        try:
            config = self.controls.config()
            now = (config, self.total_steps, tuple(self.controls.schedules().values()))
            if now == self._followed:  # one of many controls that changed together has told of it already
                return
            findings = review(config, self.total_steps)
        except ConfigError as error:
            self._complain(error.problems)
            return
        except StepError as error:
            self._complain((Problem("schedule", str(error)),))
            return
        self._complain(())
        self._followed, self.findings = now, findings
        self.findings_panel.fill(findings)
        self.exporter.offer(config)
        self.set_trait("config", config)
        self._show_masks()

    def _complain(self, problems: tuple[Problem, ...]) -> None:
        """Show each problem beside the control that made it, and block export and fixes while there are any."""
        self.problems = problems
        self.screen.complain(problems)
        self.findings_panel.layout.visibility = "hidden" if problems else None
        if problems:
            self._followed = None
            self.exporter.offer(None)

    def _show_masks(self, _: object = None) -> None:
        """Show the masks of the picked layer, unless they are shown already."""
        if self.problems:
            return
        picked = (self.preview.version, self.preview.source.value, self.preview.layer.value)
        drawn = (self._followed, self.controls.cursor.value) if self.still else ()
        now = (*picked, self.config.pattern, self.config.method, *drawn)
        if now == self._masked:
            return
        if self.still:
            self.still.draw(self.controls, self.config, self.preview)
        if self.canvas:
            self.canvas.layer = self.preview.layer_data(self.config.pattern, self.config.method)
        self._masked = now

    def _pick_source(self, _: object = None) -> None:
        self.preview.show_source()
        self.screen.rows["path"].complain("")
        self._show_masks()

    # Files -----------------------------------------------------------------------------------------------------------

    def _open_weights(self, _: object = None) -> None:
        try:
            self.preview.open_path(self._reach.open if self._reach else load_weights)
        except WeightsError as error:
            self.screen.rows["path"].complain(str(error))
        else:
            self.screen.rows["path"].complain("")
            self._show_masks()

    def _save(self, path: str, overwrite: bool) -> None:
        chosen = Path(path.strip() or "pruning.json").expanduser()
        try:
            saved = self.export(chosen, overwrite=overwrite)
        except FileExistsError:
            self.exporter.say(f"{chosen} exists already.", exists=True)
        except (OSError, ValueError) as error:
            self.exporter.say(str(error))
        else:
            self.exporter.say(f"Saved {saved.resolve()}")

    def _import_path(self, path: str) -> None:
        self._import(lambda: PruningConfig.load(Path(path.strip()).expanduser()), path)

    def _import_text(self, content: str | bytes, name: str) -> None:
        self._import(lambda: PruningConfig.from_json(content), name)

    def _import(self, read: Callable[[], PruningConfig], name: str) -> None:
        before = self.total_steps
        try:
            self.load(read())
        except ConfigError as error:
            self.importer.status.value = f"Nothing was loaded: {error}"
            return
        grown = f" The training now has {self.total_steps:,} steps." if self.total_steps != before else ""
        self.importer.status.value = f"Loaded {name}.{grown}"


def _all_widgets(*roots: w.Widget) -> list[w.Widget]:
    """Every widget that can be reached from ``roots``, each once: children, layouts, styles and links."""
    found: dict[str, w.Widget] = {}
    waiting = list(roots)
    while waiting:
        widget = waiting.pop()
        if widget.model_id in found:
            continue
        found[widget.model_id] = widget
        for name in widget.keys:
            value = getattr(widget, name)
            parts = value if isinstance(value, list | tuple) else (value,)
            waiting += [part for part in parts if isinstance(part, w.Widget)]
    return list(found.values())
