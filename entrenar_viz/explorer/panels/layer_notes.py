"""What the tab "Layers" says of the plan: what it holds, what is wrong or other than one may think, findings."""

from collections.abc import Callable, Sequence

from entrenar_viz.analysis.finding import Finding
from entrenar_viz.config.pruning_config import PruningConfig
from entrenar_viz.errors import EntrenarVizError
from entrenar_viz.explorer.panels import plain
from entrenar_viz.explorer.panels.allot_form import AllotForm
from entrenar_viz.explorer.panels.layer_plans import PlansOfWeights
from entrenar_viz.explorer.panels.layer_words import ASIDE, START, WAITS, about, beside_schedule
from entrenar_viz.explorer.panels.measured_layers import Measured, MeasuredLayers, MeasureRequest
from entrenar_viz.explorer.panels.parts import button, line, quiet, show, text
from entrenar_viz.formatting import counted, percent
from entrenar_viz.plan.plan_findings import review_plan


class LayerNotes(plain.VBox):
    """Lines of text, each shown while it says something; ``allot`` makes the plan meet the schedule."""

    def __init__(self, allot: Callable[[], None]) -> None:
        self.problem, self.words = text("", "entrenar-viz-problem"), text()
        self.schedule, self.outdated, self.missing, self.other = (
            text(),
            text("", "entrenar-viz-outdated"),
            text(),
            quiet(),
        )
        self.said = ""
        self.allot = button("", "Share out what the schedule ends with", allot)
        self.beside = line(self.schedule, self.allot)
        self.findings = FindingLines()
        super().__init__([self.problem, self.words, self.beside, self.missing, self.other, self.outdated])
        self.add_class("entrenar-viz-plan-notes")

    def say(self, said: str) -> None:
        """Tell how the last act went, beside what is planned."""
        self.said = said

    def clear(self) -> None:
        """Take back what was said of the last act."""
        self.problem.value = self.said = ""

    def tell(
        self, plans: PlansOfWeights, config: PruningConfig, form: AllotForm, names: Sequence[str], *, blocked: bool
    ) -> None:
        """Say what is to be known of the present plan for layers of these ``names``."""
        plan = plans.plan
        if blocked or self.problem.value == WAITS:
            self.problem.value = WAITS if blocked else ""
        self.words.value = " ".join(filter(None, (about(plan) if plan else ASIDE if plans.aside else START, self.said)))
        self.schedule.value = beside_schedule(plan, config) if plan else ""
        target = percent(float(config.schedule.target(config.target_sparsity)))
        self.allot.description, self.allot.disabled = f"Allot {target}", blocked
        show(self.allot, "the plan holds" in self.schedule.value)
        lacking = [name for name in names if name not in plan] if plan else []
        self.missing.value = f"Not in the plan, and left whole: {counted(len(lacking), 'layer')}." if lacking else ""
        other = _other(plans, form)
        self.other.value = "" if other == self.problem.value else other  # not twice
        for part in (self.problem, self.missing, self.other):
            show(part, bool(part.value))
        show(self.beside, bool(self.schedule.value))

    def tell_of_curves(self, plans: PlansOfWeights, measured: Measured, asked: MeasureRequest) -> MeasuredLayers | None:
        """Say whether what was measured is of something else by now; what is of now, None if nothing is."""
        now, other = measured.of(asked), measured.others(asked)
        outdated = now is None and other is not None and plans.drawn is not None
        how = other.found.words() if other and other.found else "other settings"
        self.outdated.value = f"The curves were measured for {how}: measure again." if outdated else ""
        show(self.outdated, outdated)
        found = now.found if now else None
        self.findings.tell(review_plan(plans.plan, found) if plans.plan else [])
        return now


class FindingLines(plain.VBox):
    """Findings, as those of the configuration look."""

    def __init__(self) -> None:
        self.rows: list[_FindingLine] = []
        super().__init__([])
        self.add_class("entrenar-viz-plan-findings")

    def tell(self, findings: Sequence[Finding]) -> None:
        """Show ``findings``; lines are used again, so that a long session does not fill the kernel."""
        if len(findings) > len(self.rows):
            self.rows += [_FindingLine() for _ in range(len(self.rows), len(findings))]
            self.children = self.rows
        for place, row in enumerate(self.rows):
            row.tell(findings[place] if place < len(findings) else None)
        show(self, bool(findings))


class _FindingLine(plain.HBox):
    def __init__(self) -> None:
        self.severity, self.message = text("", "entrenar-viz-severity"), text()
        super().__init__([self.severity, self.message])
        self.add_class("entrenar-viz-finding")

    def tell(self, finding: Finding | None) -> None:
        show(self, finding is not None)
        self.severity.value, self.message.value = (finding.severity, finding.message) if finding else ("", "")
        for severity in ("error", "warning", "info"):
            on = finding is not None and severity == finding.severity
            (self.add_class if on else self.remove_class)(f"entrenar-viz-{severity}")


def _other(plans: PlansOfWeights, form: AllotForm) -> str:
    """Whether what stands in the controls is not what the plan was made by."""
    if plans.plan is None:
        return ""
    try:
        made = form.asked.made(plans.plan.origin)
    except EntrenarVizError as error:
        return f"{error}."
    return "" if made else "The plan was made by other settings than those above: Allot shares out anew."
