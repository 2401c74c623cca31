"""The tab "Layers": which layer gives how much, allotted, changed by hand, measured and kept."""

from collections.abc import Callable, Mapping
from concurrent.futures import Future
from typing import Any

from entrenar_viz.config.pruning_config import PruningConfig
from entrenar_viz.errors import EntrenarVizError
from entrenar_viz.explorer.background_job import BackgroundJob, no_report
from entrenar_viz.explorer.browser.live import Live
from entrenar_viz.explorer.panels import plain
from entrenar_viz.explorer.panels.allot_form import AllotForm, AllotRequest
from entrenar_viz.explorer.panels.allotting import Allotting
from entrenar_viz.explorer.panels.layer_notes import LayerNotes
from entrenar_viz.explorer.panels.layer_page import Change, LayerPage
from entrenar_viz.explorer.panels.layer_plans import DrawnPlan, PlansOfWeights, Shelf
from entrenar_viz.explorer.panels.layer_words import kept_as_they_are
from entrenar_viz.explorer.panels.measured_layers import Measured, MeasuredLayers, MeasureRequest
from entrenar_viz.explorer.panels.parts import Guard, Progress, button, show
from entrenar_viz.explorer.panels.plain_layers import PlainLayers
from entrenar_viz.explorer.panels.plan_files import PlanFiles
from entrenar_viz.explorer.preview.mask_request import MaskRequest
from entrenar_viz.explorer.preview.preparation import ReadyMasks
from entrenar_viz.formatting import sentence
from entrenar_viz.plan.layer_plan import Plan
from entrenar_viz.plan.layer_targets import LayerTargets
from entrenar_viz.plan.shares import Allocation

BATCHES = 50  # in which curves are sent
ALLOT = "Share out the sparsity among the layers; what is locked or skipped stays so"
MEASURE = "What each layer loses at some sparsities, as curves behind the bars"
DROP = "Prune all layers alike again; the plan can be brought back"


class LayersPanel(plain.VBox):
    """Controls, bars, findings, and the plan as a file, for the weights that are picked.

    ``pick`` shows the masks of a layer, ``changed`` hears of another plan; ``live`` is the view that has the masks,
    None where there is none; ``own`` says whether the user has files in the kernel.
    """

    def __init__(
        self,
        pick: Callable[[str], None],
        changed: Callable[[], None],
        guarded: Guard,
        live: Live | None,
        *,
        own: bool,
    ) -> None:
        self._pick_layer, self._changed, self._guarded = pick, changed, guarded
        self.shelf, self.measured = Shelf(), Measured()
        self.request: MaskRequest | None = None
        self.config = PruningConfig()
        self._masks_of, self._blocked = "", False
        self._sent = 0
        self.running: MeasuredLayers | None = None
        self.job = BackgroundJob(guarded(self._tell))
        self._build(guarded, live, own=own)

    def _build(self, guarded: Guard, live: Live | None, *, own: bool) -> None:
        self.start = button("Allot", ALLOT, guarded(self._press))
        self.start.button_style = "primary"
        self.measuring = button("Measure sensitivity", MEASURE, guarded(lambda: self._try(self.measure)))
        self.drop = button("Drop the plan", DROP, guarded(lambda: self.take(None)))
        self.back = button("Bring the plan back", "Follow the plan that was put aside", guarded(self._bring_back))
        self.form = AllotForm(self._retyped, guarded, self.start, self.measuring, self.back)
        self.progress = Progress("How many layers are read", guarded(self.cancel))
        self.notes = LayerNotes(guarded(self._allot_target))
        told = (self._change, self._step, self._pick, guarded)
        self.bars = LayerPage(live, *told) if live else PlainLayers(*told)
        self.files = PlanFiles(lambda: self.plan, self.take, guarded, self.drop, own=own)
        super().__init__([self.form, self.progress, self.notes, self.bars, self.notes.findings, self.files])
        self.add_class("entrenar-viz-plan")

    # What there is ---------------------------------------------------------------------------------------------------

    @property
    def plans(self) -> PlansOfWeights:
        """Those of the picked weights."""
        return self.shelf.of(self.request.source, self.request.tensors) if self.request else PlansOfWeights()

    @property
    def plan(self) -> Plan | None:
        """The plan of the picked weights, None if there is none."""
        return self.plans.plan

    @property
    def _target(self) -> float:
        return float(self.config.schedule.target(self.config.target_sparsity))

    @property
    def _measurable(self) -> MeasureRequest:
        assert self.request is not None
        return MeasureRequest.of(self.request, skip_embed_layers=self.config.skip_embed_layers)

    def follow(self, request: MaskRequest, config: PruningConfig, ready: ReadyMasks | None, *, blocked: bool) -> None:
        """Take note of the picked weights and layer, of the configuration, and of the masks that are shown."""
        other = self.request is None or request.tensors is not self.request.tensors
        before, self.request, self.config, self._blocked = self._target, request, config, blocked
        same = ready is not None and ready.request.tensors is request.tensors
        self._masks_of = ready.request.layer if ready and same else ""
        if self.plan is None and (other or self.form.sparsity.is_at(before)):
            self.form.sparsity.put(self._target)
        if other:
            self.notes.clear()
            self.files.follow(self.plan)

    def show(self) -> None:
        """Bring the tab up to what there is."""
        self._mark()

    # What is done ----------------------------------------------------------------------------------------------------

    def take(self, plan: Plan | None) -> None:
        """Let this be the plan, None: none; ConfigError for one that does not go with the picked weights."""
        if plan is not None and self.request is not None:
            there = self.request.tensors
            LayerTargets(PruningConfig(), plan).check({name: there.shape(name) for name in there})
        self._keep(self.plans, None if plan is None else DrawnPlan.of(plan))

    def allot_as(self, sparsity: float | None, method: Allocation, options: Mapping[str, Any]) -> None:
        """Set that in the controls, and press; the errors are raised that are known at once."""
        asked = AllotRequest.of(self._target if sparsity is None else sparsity, method, options)
        self.form.put(asked)
        self.allot(asked)

    def allot(self, asked: AllotRequest) -> None:
        """Make a plan, in the background where weights are read for it; EntrenarVizError where none can be made."""
        if self.request is None or self._blocked:
            return
        measured = self.measured.of(self._measurable) or MeasuredLayers(self._measurable)
        work, plans = Allotting(asked, measured, self.plan), self.plans
        work.check()
        self.notes.clear()
        if not work.takes_a_while:
            self._allotted(plans, work, work.work(no_report))
            return
        if asked.method == "sensitivity":
            work = Allotting(asked, self.measured.begin(self._measurable), self.plan)
        self._begin(work.work, lambda plan: self._allotted(plans, work, plan), work.measured)

    def measure(self) -> None:
        """Measure how sensitive the layers are, in the background."""
        if self.request is not None and not self._blocked:
            self.notes.clear()
            run = self.measured.begin(self._measurable)
            self._begin(run.work, lambda _: None, run)

    def cancel(self) -> None:
        """Stop, and keep the plan, and the curves as far as they went."""
        run = self.running
        if run and self.job.busy:
            self.job.cancel()
            got = len(run.records)
            self._end(f"Cancelled after {got:,} of {run.total:,} layers." if got else "Cancelled: the plan stays.")

    def _press(self) -> None:
        self._try(lambda: self.allot(self.form.asked))

    def _retyped(self) -> None:
        self.notes.problem.value = ""  # of what was asked for before
        self._mark()

    def _allot_target(self) -> None:
        self.form.sparsity.put(self._target)
        self._press()

    def _bring_back(self) -> None:
        self._keep(self.plans, self.plans.history.present)

    def _change(self, change: Change) -> None:
        plans, drawn = self.plans, self.plans.drawn
        if drawn is not None:
            self.notes.clear()
            self._try(lambda: self._keep(plans, change(drawn)))

    def _step(self, which: str) -> None:
        if self.plans.drawn is not None:
            self.plans.step(which)
            self._keep(self.plans, self.plans.drawn)

    def _pick(self, layer: str) -> None:
        if self.request and layer in self.request.tensors:
            self._pick_layer(layer)

    def _try(self, act: Callable[[], None]) -> None:
        """Do it; what is wrong with it is said here, and what is shown stays."""
        try:
            act()
        except EntrenarVizError as error:
            self.notes.problem.value = sentence(str(error).rstrip("."))
            self._mark()

    def _keep(self, plans: PlansOfWeights, plan: DrawnPlan | None) -> None:
        """Let this be the present plan of some weights, mostly those that are picked."""
        plans.take(plan)
        self.files.follow(self.plan)
        self._changed()
        self._mark()

    def _allotted(self, plans: PlansOfWeights, work: Allotting, plan: Plan) -> None:
        self._keep(plans, DrawnPlan.of(plan))
        if plans is self.plans and work.before is not None:
            self.notes.say(kept_as_they_are(plan))
            self._mark()

    # In the background -----------------------------------------------------------------------------------------------

    def _begin(self, work: Callable[..., Any], done: Callable[[Any], None], run: MeasuredLayers) -> None:
        self.running, self._sent = run, 0
        self.progress.say("waiting", 0.0)
        self.job.start(work, self._guarded(lambda future: self._finish(future, done)))
        self._mark()

    def _tell(self, stage: str, share: float) -> None:
        self.progress.say(stage, share)
        if (run := self.running) and len(run.records) - self._sent >= max(run.total // BATCHES, 1):
            self._sent = len(run.records)
            self._mark()

    def _finish(self, future: "Future[Any]", done: Callable[[Any], None]) -> None:
        self.running = None
        try:
            done(future.result())
        except EntrenarVizError as error:
            self.notes.problem.value = sentence(str(error).rstrip("."))
        finally:
            self._end("")

    def _end(self, how: str) -> None:
        self.running = None
        self.progress.say("", 0.0)
        self.notes.say(how or self.notes.said)
        self._mark()

    def _mark(self) -> None:
        """Bring controls, words and bars up to what there is."""
        if self.request is None:
            return
        plans, there, busy = self.plans, self.plans.drawn is not None, self.running is not None
        self.start.disabled = self._blocked
        self.measuring.disabled = self._blocked or busy
        self.notes.tell(plans, self.config, self.form, self.request.tensors.names, blocked=self._blocked)
        now = self.notes.tell_of_curves(plans, self.measured, self._measurable)
        show(self.progress, busy)
        for part in (self.bars, self.measuring, self.drop):
            show(part, there)
        show(self.back, plans.aside)
        self.bars.look(plans, now, self.request.layer, self._masks_of)
