"""``entrenar-viz prune``: a checkpoint pruned to the sparsity that its schedule ends with, and what that did."""

from collections.abc import Iterator, Sequence

from entrenar_viz.cli.survey_model import SHOWN, caption, tell
from entrenar_viz.config.pruning_config import PruningConfig
from entrenar_viz.formatting import counted, percent, printable
from entrenar_viz.masks.order import Within
from entrenar_viz.model_pruning.checkpoint import PrunedCheckpoint, prune_checkpoint
from entrenar_viz.model_pruning.layer import PrunedLayer
from entrenar_viz.model_survey.text import aligned, once_each, shape_text, short
from entrenar_viz.plan.layer_plan import Plan
from entrenar_viz.plan.layer_targets import LayerTargets

_HEAD = ("layer", "shape", "format", "pruned", "zeros")
_PYTHON = "prune_checkpoint in Python has all"
_FILES = 20  # named in a line


def prune(
    model: str,
    config_file: str,
    output: str,
    *,
    steps: int | None,
    calibration: str | None,
    plan: str | None,
    within: Within,
    overwrite: bool,
) -> int:
    """Write the pruned ``model`` to ``output`` and print its layers; 0, or an error if nothing could be pruned."""
    targets = LayerTargets(PruningConfig.load(config_file), None if plan is None else Plan.load(plan))
    pruned = prune_checkpoint(
        model,
        targets.config,
        output,
        total_steps=steps,
        calibration=calibration,
        within=within,
        plan=targets.plan,
        overwrite=overwrite,
        progress=tell,
    )
    print("\n".join(_as_text(caption(model, targets, steps), pruned)))
    return 0


def _as_text(head: str, pruned: PrunedCheckpoint) -> Iterator[str]:
    yield head
    yield ""
    yield from aligned([_HEAD, *map(_cells, pruned.layers[:SHOWN])])
    if len(pruned.layers) > SHOWN:
        yield f"and {counted(len(pruned.layers) - SHOWN, 'layer')} more: {pruned.metadata.name} has all"
    yield from once_each([(one.layer, one.reason) for one in pruned.layers], SHOWN, f"reasons more: {_PYTHON}")
    yield from once_each([(one.layer, one.note) for one in pruned.layers], SHOWN, f"notes more: {_PYTHON}")
    yield ""
    yield _summary(pruned)
    if pruned.copied:
        yield f"copied along: {_listed(pruned.copied)}"
    if pruned.not_copied:
        yield f"not copied: {_listed([f'{name} ({reason})' for name, reason in pruned.not_copied.items()])}"
    yield f"wrote {printable(str(pruned.path))} and {printable(str(pruned.metadata))}"


def _cells(layer: PrunedLayer) -> tuple[str, ...]:
    share = "whole" if layer.is_whole else percent(layer.achieved)
    return short(layer.layer), shape_text(layer.shape), layer.dtype, share, f"{layer.zeros:,}"


def _summary(pruned: PrunedCheckpoint) -> str:
    """All layers together, those that were left whole included, as a survey counts them."""
    layers, left = pruned.layers, sum(layer.is_whole for layer in pruned.layers)
    weights, gone = sum(layer.weights for layer in layers), sum(layer.weights * layer.achieved for layer in layers)
    whole = f", {left:,} left whole" if left else ""
    share = f"{percent(gone / weights)} of {weights:,} weights pruned"
    everything = f"{percent(pruned.global_sparsity)} of all {pruned.total_parameters:,} parameters are zero"
    return f"{counted(len(layers), 'layer')}{whole}: {share}; {everything}"


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _FILES:,} more" if len(names) > _FILES else ""
    return printable(", ".join(names[:_FILES]) + more)
