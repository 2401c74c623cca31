"""What the tab "Layers" says of plans, in words."""

from entrenar_viz.config.pruning_config import PruningConfig, fixed_sparsity, pattern_name
from entrenar_viz.formatting import counted, percent
from entrenar_viz.plan.budget import whole_budget
from entrenar_viz.plan.layer_plan import Plan
from entrenar_viz.plan.shares import Allocation

METHODS: dict[Allocation, str] = {
    "uniform": "uniform",
    "erk": "ERK",
    "global_magnitude": "one threshold",
    "sensitivity": "least loss",
    "owl": "OWL",
}
ABOUT: dict[str, str] = {
    "uniform": "The same sparsity for every layer",
    "erk": "Erdős-Rényi-Kernel: small layers keep more, by their shapes alone",
    "global_magnitude": "One threshold for the whole model: the smallest weights go, wherever they are",
    "sensitivity": "What loses least, by the measured curves of the layers",
    "owl": "Layers with more outliers among wanda's scores keep more; needs calibration data",
}
START = (
    "Which layer gives how much: a budget is shared out among the layers of the picked weights. "
    "Then drag one, and the others give way so that the total holds."
)
ASIDE = "The plan was put aside: all layers get the same. "
WAITS = "Plans wait until the problems above are fixed."
NOT_EXPORTED = (
    "The trainer's file has no field for the plan of the layers: it prunes all alike. Save the plan in the tab Layers; "
    "entrenar-viz prune --plan and Pruner(plan=...) follow it."
)
SESSIONS = "A session keeps the configuration and all pins; the plan has a file of its own, in the tab Layers."


def about(plan: Plan) -> str:
    """What is planned, and how it came to be."""
    way, _, rest = plan.words().partition(":")
    name, comma, edited = way.partition(",")
    label = dict(METHODS).get(name, name)  # type: ignore[call-overload]
    return f"{label[:1].upper()}{label[1:]}{comma}{edited}:{rest}."


def beside_schedule(plan: Plan, config: PruningConfig) -> str:
    """How the plan goes with the schedule, where that is not plain; empty where it is."""
    target = float(config.schedule.target(config.target_sparsity))
    if not target:
        return "The schedule ends with 0%, so that the layers have no shape to follow: set its target above 0."
    fixed = fixed_sparsity(config.pattern)
    if fixed is not None:
        takes = f"{pattern_name(config.pattern)} takes {percent(fixed)} of each layer that is pruned"
        return f"{takes}, whatever the plan says: choose another pattern to follow it."
    same = whole_budget(plan.weights, target) == sum(plan.pruned.values()) or percent(target) == percent(plan.sparsity)
    if same:
        return ""
    ends = f"The schedule ends with {percent(target)}, the plan holds {percent(plan.sparsity)} in all"
    return f"{ends}: each layer follows the schedule's shape to its own sparsity."


def kept_as_they_are(plan: Plan) -> str:
    """What an allocation has left alone."""
    locked = sum(layer.locked and not layer.skip for layer in plan.layers)
    if not locked:
        return ""
    return f"{counted(locked, 'locked layer')} kept {'their' if locked > 1 else 'its'} sparsity."
