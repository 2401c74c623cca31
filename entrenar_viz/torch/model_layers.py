"""The parameters of a model: which of them are pruned, which are not and why, and what cannot be pruned at all."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

import torch
from torch import nn
from torch.nn.parameter import is_lazy

from entrenar_viz.config.pruning_config import Method
from entrenar_viz.errors import EntrenarVizError, Problem, WeightsError
from entrenar_viz.masks.activations import columns_of, misfit
from entrenar_viz.masks.calibration import Calibration
from entrenar_viz.masks.order import Within
from entrenar_viz.masks.scores import NEEDS_ACTIVATIONS
from entrenar_viz.masks.units import pattern_misfit
from entrenar_viz.models.layout import Layout, expert_name, layout_of
from entrenar_viz.models.matrices import matrices
from entrenar_viz.models.torch_tensors import LAZY, QUANTIZED, dtype_of, packed_weight, plain_name, stored_tensor
from entrenar_viz.models.weights import not_prunable
from entrenar_viz.plan.layer_plan import Plan
from entrenar_viz.plan.layer_targets import LayerTargets
from entrenar_viz.torch.layer import PrunedLayer, PrunedMatrix
from entrenar_viz.torch.plan_problems import Named, plan_problems
from entrenar_viz.torch.scores_on_device import Score, scorer_on_device

_PACKED = ("torch.ao.nn.quantized", "torch.nn.quantized", "bitsandbytes", "torchao")  # modules of quantized layers


@dataclass
class Sorted:
    """The layers to prune, the reason for each of the others, and what stands in the way of all."""

    layers: list[PrunedLayer] = field(default_factory=list)
    skipped: dict[str, str] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)


@dataclass(frozen=True)
class Shared:
    """A parameter, and each place where it is used: its name there, and the module that has it."""

    parameter: nn.Parameter
    places: list[tuple[str, nn.Module]]

    @property
    def name(self) -> str:
        """The first of its names."""
        return self.places[0][0]

    @property
    def kind(self) -> str:
        """The class of the first module that has it."""
        return type(self.places[0][1]).__name__

    @cached_property
    def layout(self) -> Layout:
        """How the matrices to prune lie in it."""
        return layout_of(self.name, tuple(self.parameter.shape), self.kind)

    @property
    def names(self) -> list[list[str]]:
        """The names of each of these matrices, all that it has."""
        experts = range(self.layout.experts)
        each = [[expert_name(name, index) for name, _ in self.places] for index in experts]
        return each or [[name for name, _ in self.places]]

    @property
    def matrices(self) -> list[str]:
        """The first of their names."""
        return [first for first, *_ in self.names]

    def planned(self, plan: Plan | None) -> list[str]:
        """The names by which ``plan`` has them, and the first of their names for what it does not have."""
        return [next((name for name in names if plan and name in plan), names[0]) for names in self.names]

    @property
    def grid(self) -> tuple[int, int]:
        """(out, rest) of each."""
        return self.layout.shape[0], columns_of(self.layout.shape)


def sort_layers(model: nn.Module, targets: LayerTargets, calibration: Calibration | None, within: Within) -> Sorted:
    """What is to be pruned in ``model``, and all problems together."""
    found, parameters = Sorted(problems=list(_unsuitable(model))), shared_parameters(model)
    found.problems += plan_problems(list(_matrices(parameters, targets.plan)), targets, within)
    for shared in parameters:
        if why := _refused(shared):
            found.problems.append(Problem(shared.name, why))
            continue
        reasons = _skipped(shared, targets, calibration)
        if all(reasons):
            found.skipped[shared.name] = reasons[0]
            continue
        found.skipped |= {name: why for name, why in zip(shared.matrices, reasons, strict=True) if why}
        try:
            found.layers.append(_layer(shared, reasons, targets, calibration, within))
        except EntrenarVizError as error:
            found.problems.append(Problem(shared.name, str(error).removeprefix(f"{shared.name}: ")))
    if not found.layers and not found.problems:
        why = "; ".join(f"{name}: {reason}" for name, reason in list(found.skipped.items())[:3])
        found.problems.append(Problem("model", f"nothing here can be pruned ({why or 'it has no parameters'})"))
    return found


def shared_parameters(model: nn.Module) -> list[Shared]:
    """Each parameter once, in the order of ``named_parameters``, with all of its names."""
    found: dict[int, Shared] = {}
    for prefix, module in model.named_modules():
        for name, parameter in module.named_parameters(prefix, recurse=False):
            found.setdefault(id(parameter), Shared(parameter, [])).places.append((plain_name(name), module))
    return list(found.values())


def _unsuitable(model: nn.Module) -> Iterator[Problem]:
    """Modules whose weights are not parameters that could be set to zero one by one."""
    for name, module in model.named_modules():
        kind = type(module).__name__
        if kind in ("FullyShardedDataParallel", "FSDPModule"):
            yield Problem(name or "model", f"{kind} keeps pieces of weights: prune before the model is sharded")
        if type(module).__module__.startswith(_PACKED) or packed_weight(module):
            yield Problem(name or "model", f"{kind} is {QUANTIZED}")


def _refused(shared: Shared) -> str:
    """Why pruning this parameter would go wrong."""
    parameter, kind = shared.parameter, type(shared.parameter).__name__
    if any(cls.__name__ == "DTensor" for cls in (type(parameter), type(parameter.data))):
        return "is sharded (DTensor): masks need whole weights, prune before the model is sharded"
    if is_lazy(parameter):
        return LAZY
    if parameter.is_meta:
        return "has no numbers (device meta): load the weights first"
    if kind.startswith(("Params4bit", "Int8Params")) or parameter.is_quantized:
        return f"is {QUANTIZED}"
    if type(parameter.data) is not torch.Tensor:
        own = f"is a {type(parameter.data).__name__}, which keeps its numbers in a way of its own"
        return f"{own}: prune plain tensors, before they are quantized or sharded"
    if parameter.ndim > 1 and not parameter.is_floating_point():
        return f"{dtype_of(parameter)} is quantized or no weight: prune before quantizing"
    if parameter.layout != torch.strided:
        return f"is sparse ({parameter.layout}): to_dense() first"
    if any(name.endswith("_orig") and hasattr(module, _mask_name(name)) for name, module in shared.places):
        return "has a mask of torch.nn.utils.prune: make it permanent first, prune.remove(module, name)"
    return ""


def _mask_name(name: str) -> str:
    """What torch.nn.utils.prune calls the mask of ``fc.weight_orig``: ``weight_mask``."""
    return name.rpartition(".")[2].removesuffix("_orig") + "_mask"


def _matrices(parameters: list[Shared], plan: Plan | None) -> Iterator[Named]:
    """The matrices that may be planned; what is refused is as the plan has it: one problem of it is enough."""
    for shared in parameters:
        if _refused(shared):
            yield from (([name], plan[name].shape) for name, _ in shared.places if plan and name in plan)
        elif not _no_weight(shared):
            yield from ((names, shared.layout.shape) for names in shared.names)


def _skipped(shared: Shared, targets: LayerTargets, calibration: Calibration | None) -> list[str]:
    """Why each matrix of this parameter is left as it is, empty for those that are to be pruned."""
    planned = shared.planned(targets.plan)
    if why := _no_weight(shared):
        return [why] * len(planned)
    whole = _left_whole(shared, targets, planned)
    pruned = [name for name, why in zip(shared.matrices, whole, strict=True) if not why]
    missing = _without_calibration(pruned, targets.config.method, calibration)
    grid = shared.grid
    named = zip(planned, whole, strict=True)
    return [why or missing or pattern_misfit(grid, targets.pattern(name)) for name, why in named]


def _left_whole(shared: Shared, targets: LayerTargets, planned: list[str]) -> list[str]:
    if targets.plan is not None:
        return [targets.why_whole(name) for name in planned]
    reasons = (targets.why_whole(name, type(module).__name__) for name, module in shared.places)
    return [next(filter(None, reasons), "")] * len(planned)


def _no_weight(shared: Shared) -> str:
    """Why this parameter is not pruned, whatever is asked."""
    matrix, *_ = matrices({shared.name: stored_tensor(shared.parameter, shared.kind)}).values()
    if why := not_prunable(matrix):
        return why
    if ".parametrizations." in f".{shared.name}" or shared.name.endswith("weight_g"):
        return "a part of a parametrization, not a weight itself"
    return ""


def _without_calibration(names: list[str], method: Method, calibration: Calibration | None) -> str:
    if method not in NEEDS_ACTIVATIONS or calibration is None:
        return ""
    missing = [name for name in names if name not in calibration]
    return f"{calibration.source} has nothing for {missing[0]}, which {method} needs" if missing else ""


def _layer(
    shared: Shared, reasons: list[str], targets: LayerTargets, calibration: Calibration | None, within: Within
) -> PrunedLayer:
    columns, method = shared.grid[1], targets.config.method
    parts = [
        PrunedMatrix(name, None if why else _score(first, columns, method, calibration))
        for name, first, why in zip(shared.planned(targets.plan), shared.matrices, reasons, strict=True)
    ]
    names = [name for name, _ in shared.places]
    layer = PrunedLayer(names, shared.parameter, shared.layout, parts, targets, within)
    layer.check()
    return layer


def _score(name: str, columns: int, method: Method, calibration: Calibration | None) -> Score:
    activations = calibration.for_method(name, method) if calibration else None
    if calibration is None or activations is None:
        return scorer_on_device("magnitude", None)
    if wrong := misfit(activations.shape, columns):
        raise WeightsError(f"{calibration.source}: {wrong}")
    if method == "sparse_gpt" and activations.ndim == 1:
        raise WeightsError(f"{calibration.source}: sparse_gpt needs the activations themselves, norms are for wanda")
    return scorer_on_device(method, activations)
