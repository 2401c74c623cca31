"""What is to be done to each layer of a checkpoint, decided before a byte is written."""

from collections.abc import Iterable
from pathlib import Path

from entrenar_viz.analysis.updates import sparsity_in_the_end
from entrenar_viz.errors import WeightsError
from entrenar_viz.masks.activations import columns_of
from entrenar_viz.masks.calibration import CalibrationSource, calibration_for, nothing_for
from entrenar_viz.masks.order import Within, check_within
from entrenar_viz.masks.units import pattern_misfit
from entrenar_viz.model_pruning.layer import LayerJob, Pruning
from entrenar_viz.model_pruning.model_file import FileJob, TensorJob
from entrenar_viz.model_pruning.source import Source
from entrenar_viz.models.layout import expert_name, layout_of
from entrenar_viz.models.tensor_files import FLOATS, shown, stamp_of
from entrenar_viz.plan.layer_targets import LayerTargets

_LISTED = 3  # reasons in a message


def file_jobs(
    source: Source,
    targets: LayerTargets,
    total_steps: int | None,
    calibration: CalibrationSource | None,
    within: Within,
) -> list[FileJob]:
    """A job for each file; WeightsError if no layer of them could lose a weight."""
    config = targets.config
    check_within(within, config.pattern)
    targets.check({name: source.tensors.shape(name) for name in source.tensors}, within)
    given = calibration_for(config.method, calibration, source.tensors)
    pruning = Pruning(targets, sparsity_in_the_end(config, total_steps), within, given)
    if not pruning.applied:
        fix = "entrenar-viz check says why; without total_steps the training ends with the schedule"
        raise WeightsError(f"there is nothing to prune: the schedule ends with 0% ({fix})")
    stamps = {path: stamp_of(path) for path in source.files}
    tensors = {name: _tensor_job(source, name, pruning) for name, one in source.stored.items() if one.dtype in FLOATS}
    layers = [layer for tensor in tensors.values() for layer in tensor.layers]
    if all(layer.left_whole for layer in layers):
        raise nothing_pruned(source, ((layer.name, layer.left_whole) for layer in layers))
    by_file: dict[Path, list[TensorJob]] = {path: [] for path in source.files}
    for name, one in tensors.items():
        by_file[source.file_of(name)].append(one)
    return [FileJob(path, stamps[path], those) for path, those in by_file.items()]


def nothing_pruned(source: Source, reasons: Iterable[tuple[str, str]]) -> WeightsError:
    """The refusal of a run in which every layer stays whole, with the first ``reasons`` by the names of layers."""
    why = [f"{shown(name)}: {reason or 'the sparsity asked is less than one weight'}" for name, reason in reasons]
    more = f"; and {len(why) - _LISTED:,} more" if len(why) > _LISTED else ""
    return WeightsError(f"{source.tensors.source}: no weight would be pruned ({'; '.join(why[:_LISTED])}{more})")


def _tensor_job(source: Source, name: str, pruning: Pruning) -> TensorJob:
    stored = source.stored[name]
    layout = layout_of(name, stored.shape, stored.kind)
    experts = layout.experts and expert_name(name, 0) in source.layers
    names = [expert_name(name, index) for index in range(layout.experts)] if experts else [name]
    layers = [_layer_job(source, name, layer, pruning) for layer in names if layer in source.layers]
    return TensorJob(name, stored.shape, stored.dtype, layout, layers)


def _layer_job(source: Source, name: str, layer: str, pruning: Pruning) -> LayerJob:
    tensors = source.tensors
    shape, note = tensors.shape(layer), tensors.notes.get(layer, "")
    where, whole = f"{source.file_of(name)}: {shown(layer)}", _left_whole(layer, shape, tensors.kind(layer), pruning)
    return LayerJob(layer, where, shape, tensors.dtype(layer), pruning, whole, note)


def _left_whole(layer: str, shape: tuple[int, ...], kind: str, pruning: Pruning) -> str:
    """Why the layer is left as it is, as far as that is known without reading it; empty if it is to be pruned."""
    method, calibration = pruning.targets.config.method, pruning.calibration
    if why := pruning.targets.why_whole(layer, kind):
        return why
    if method != "magnitude" and (calibration is None or layer not in calibration):
        return nothing_for(method)
    return pattern_misfit((shape[0], columns_of(shape)), pruning.targets.pattern(layer))
