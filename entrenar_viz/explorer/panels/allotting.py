"""One allocation in the explorer: what it is made of, and the plan that comes of it."""

from dataclasses import dataclass
from typing import Any

from entrenar_viz.errors import EntrenarVizError
from entrenar_viz.explorer.background_job import Report
from entrenar_viz.explorer.panels.allot_form import AllotRequest
from entrenar_viz.explorer.panels.layer_words import METHODS
from entrenar_viz.explorer.panels.measured_layers import MeasuredLayers
from entrenar_viz.plan.allocation import allocate
from entrenar_viz.plan.layer_plan import Plan
from entrenar_viz.plan.layers import Layers


@dataclass(frozen=True, eq=False)
class Allotting:
    """``asked`` of the weights that ``measured`` is of; what ``before`` has locked or skipped stays so."""

    asked: AllotRequest
    measured: MeasuredLayers
    before: Plan | None

    @property
    def takes_a_while(self) -> bool:
        """Whether weights are read for it that were not read before."""
        return self.asked.reads and not (self.asked.method == "sensitivity" and self.measured.found)

    def work(self, report: Report) -> Plan:
        """The plan; EntrenarVizError where bounds, data or weights allow none."""
        self.check()
        layers: Layers = self.measured.asked.request.tensors
        if self.asked.method == "sensitivity":
            layers = self.measured.found or self.measured.work(report)
        how: dict[str, Any] = {**self._held(), **self.asked.bounds, **self.asked.options}
        if self.asked.method == "owl":
            how["calibration"] = self.measured.asked.request.calibration
        name = METHODS[self.asked.method]

        def told(done: int, total: int) -> None:
            report(f"{name}: {done:,} of {total:,} readings of a layer", done / total)

        return allocate(layers, self.asked.sparsity, self.asked.method, progress=told, **how)

    def check(self) -> None:
        """EntrenarVizError, with what to do here, where calibration data are missing."""
        request, asked = self.measured.asked.request, self.asked
        if request.calibration is not None:
            return
        fix = "open a file with it in the tab Masks" if request.can_calibrate else "none can be opened here"
        if asked.method == "owl":
            raise EntrenarVizError(f"OWL counts outliers among wanda's scores and needs calibration data: {fix}")
        if asked.options.get("loss") == "output":
            raise EntrenarVizError(f"The error of the outputs needs calibration data: {fix}, or choose the energy")

    def _held(self) -> dict[str, Any]:
        """Layers that are not free: those of the plan before, else what the configuration leaves whole."""
        asked = self.measured.asked
        if self.before is None:
            return {"skip_embed_layers": asked.skip_embed_layers}
        there, before = asked.request.tensors, self.before
        fixed = {one.name: one.sparsity for one in before.layers if one.locked and not one.skip and one.name in there}
        skip = [name for name in there if name not in before or before[name].skip]
        return {"fixed": fixed, "count_fixed": True, "skip": skip, "skip_embed_layers": False}
