"""``allocate``: a budget shared out among the layers of a model, exact in whole weights."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Executor
from itertools import chain
from typing import Any

from entrenar_viz.errors import EntrenarVizError
from entrenar_viz.formatting import percent
from entrenar_viz.masks.calibration import CalibrationSource
from entrenar_viz.models.layer_names import reason_left_whole
from entrenar_viz.plan.budget import count_of, fraction, whole_budget
from entrenar_viz.plan.evidence import Evidence
from entrenar_viz.plan.layer_plan import Plan
from entrenar_viz.plan.layers import Layer, Layers, layers_of, named
from entrenar_viz.plan.planned_layer import NO_BOUNDS, PlannedLayer, PlanOrigin
from entrenar_viz.plan.shares import PASSES, Allocation, Shares, options_of
from entrenar_viz.progress import reporting

Held = Mapping[str, float | None]  # sparsities that are given, by name; None: the layer is skipped


def allocate(
    layers: Layers,
    sparsity: float,
    method: Allocation = "erk",
    *,
    fixed: Mapping[str, float] | None = None,
    skip: Iterable[str] = (),
    min_sparsity: float = 0.0,
    max_sparsity: float = 1.0,
    skip_embed_layers: bool = True,
    count_fixed: bool = False,
    calibration: CalibrationSource | None = None,
    executor: Executor | None = None,
    progress: Callable[[int, int], object] | bool | None = None,
    **options: Any,
) -> Plan:
    """Share out ``sparsity`` among ``layers``: how much each of them gives, exact in whole weights.

    Masks take a little more where weights tie with the last one to go (``PlannedLayer.pruned``).

    - ``layers``: what ``load_weights`` takes; a dict of names with shapes, (out, in) or (out, in, height, width), which
      is enough for ``uniform`` and ``erk``; or what ``sensitivity`` has measured.
    - ``sparsity``: the share of the weights that goes, of all layers that are neither skipped nor fixed: the nearest
      whole number of them.
    - ``method``: ``uniform``; ``erk`` (Evci et al. 2020, arXiv:1911.11134), options ``power=1.0`` and
      ``include_kernel=True``; ``global_magnitude``, one threshold for the whole model; ``sensitivity``, what loses
      least energy of the layers, or with ``loss="output"`` least of their outputs; ``owl`` (Yin et al. 2024,
      arXiv:2310.05175), options ``M=5.0``, ``lam=0.08`` and ``per="block"`` or ``"layer"``.
    - ``fixed``: sparsities that are given, by names. These layers take no part in the budget, as in JaxPruner; with
      ``count_fixed`` they are in it, and the others make up for them.
    - ``skip``: layers that are left whole. Names may have * and ?. Embeddings and output heads are skipped too, unless
      ``skip_embed_layers=False``.
    - ``min_sparsity``, ``max_sparsity``: bounds for each layer that is not fixed.
    - ``calibration``: what ``load_calibration`` takes; ``owl`` needs it, and ``sensitivity`` for the outputs.
    - ``executor``: any of concurrent.futures, where the weights are looked at. ``progress``: called as
      ``progress(done, total)`` after each layer that was read; True shows a bar of tqdm.

    EntrenarVizError, with the nearest possible budget, if the bounds do not allow it, and for options that a method
    does not have; WeightsError for what cannot be read and for missing calibration data.

    >>> plan = allocate({"fc1": (128, 64), "fc2": (64, 128), "fc3": (10, 64)}, 0.9)
    >>> plan.pruned, sum(plan.pruned.values()) == round(0.9 * plan.weights)
    ({'fc1': 7479, 'fc2': 7478, 'fc3': 365}, True)
    """
    how = options_of(method, options)
    sparsity, bounds = fraction(sparsity, "sparsity"), _bounds(min_sparsity, max_sparsity)
    everything, weights = layers_of(layers)
    held = _held(everything, fixed or {}, skip, skip_embed_layers=skip_embed_layers)
    shares = Shares.of([layer for layer in everything if layer.name not in held], **bounds)
    gone, of = _fixed(everything, held) if count_fixed else (0, 0)
    budget = whole_budget(int(shares.sizes.sum()) + of, sparsity) - gone
    shares.check(budget, (gone, of))
    evidence = Evidence.of(layers, weights, calibration, executor)
    with reporting(progress, PASSES[method] * len(shares.layers), "layer", told="done, total") as report:
        evidence.tell_of(PASSES[method] * len(shares.layers), report)
        sparsities = shares.allotted(budget, method, how, evidence)
    origin = PlanOrigin(
        method=method,
        sparsity=sparsity,
        source=evidence.source,
        calibration=evidence.calibrated_by,
        options=how | {name: bound for name, bound in bounds.items() if bound != NO_BOUNDS[name]},
    )
    return Plan(origin=origin, layers=tuple(_planned(layer, held, sparsities) for layer in everything))


def _bounds(least: float, most: float) -> dict[str, float]:
    lower, upper = fraction(least, "min_sparsity"), fraction(most, "max_sparsity")
    if lower > upper:
        raise EntrenarVizError(f"min_sparsity ({percent(lower)}) must not be above max_sparsity ({percent(upper)})")
    return {"min_sparsity": lower, "max_sparsity": upper}


def _held(
    layers: Sequence[Layer], fixed: Mapping[str, float], skip: Iterable[str], *, skip_embed_layers: bool
) -> dict[str, float | None]:
    """What is given of some layers. Whoever names a layer knows it: no rule skips what is fixed."""
    held: dict[str, float | None] = {}
    if skip_embed_layers:
        held |= {layer.name: None for layer in layers if reason_left_whole(layer.name, layer.kind)}
    if not isinstance(fixed, Mapping):
        raise EntrenarVizError(f"fixed: pass sparsities by name, {{'fc1.weight': 0.5}}, not {fixed!r:.60}")
    shares = {name: fraction(sparsity, f"fixed[{name!r:.80}]") for name, sparsity in fixed.items()}
    for name, its in named(shares, layers, "fixed").items():
        held |= dict.fromkeys(its, shares[name])
    for name in chain.from_iterable(named(skip, layers, "skip").values()):
        if held.get(name) is not None:
            raise EntrenarVizError(f"{name!r:.80} is fixed and skipped: choose one")
        held[name] = None
    return held


def _fixed(layers: Sequence[Layer], held: Held) -> tuple[int, int]:
    """How many weights go of how many in the layers that are fixed."""
    fixed = [(layer.weights, share) for layer in layers if (share := held.get(layer.name)) is not None]
    return sum(count_of(share, weights) for weights, share in fixed), sum(weights for weights, _ in fixed)


def _planned(layer: Layer, held: Held, sparsities: Mapping[str, float]) -> PlannedLayer:
    if layer.name in sparsities:
        return PlannedLayer(name=layer.name, shape=layer.shape, sparsity=sparsities[layer.name])
    share = held[layer.name]
    if share is None:
        return PlannedLayer(name=layer.name, shape=layer.shape, skip=True)
    return PlannedLayer(name=layer.name, shape=layer.shape, sparsity=share, locked=True)
