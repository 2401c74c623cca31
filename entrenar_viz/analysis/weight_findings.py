"""What of a configuration does not go with the weights of a model, by their names and shapes: no number is read."""

from collections.abc import Iterator
from dataclasses import replace
from math import gcd

from entrenar_viz.analysis.finding import Finding, Fix
from entrenar_viz.config.pruning_config import NM, Block, Pattern, PruningConfig, pattern_name
from entrenar_viz.config.typical import nearest_divisor
from entrenar_viz.formatting import counted
from entrenar_viz.masks.activations import columns_of
from entrenar_viz.masks.units import pattern_misfit
from entrenar_viz.models.layer_names import left_whole, why_left_whole
from entrenar_viz.models.tensor_files import shown
from entrenar_viz.models.weights import Tensors

Shape = tuple[int, int]


def weight_findings(config: PruningConfig, weights: Tensors, layer: str | None = None) -> list[Finding]:
    """What does not go with ``weights``; with ``layer``, the one that is looked at, also what is only of it."""
    return [*_left_whole(config, weights, layer), *_does_not_fit(config, weights)]


def unreadable(layer: str, reason: str) -> Finding:
    """The finding for a layer that nobody can prune as it is."""
    return Finding("layer-unusable", "error", f"{shown(layer)} cannot be pruned: {reason}")


def _left_whole(config: PruningConfig, weights: Tensors, layer: str | None) -> Iterator[Finding]:
    if not config.skip_embed_layers:
        return
    whole = [name for name in weights if left_whole(name, weights.kind(name))]
    fixes = (Fix("prune embeddings and heads too", replace(config, skip_embed_layers=False)),)
    if len(whole) == len(weights):
        why = f"{shown(whole[0])} since {why_left_whole(whole[0], weights.kind(whole[0]))}"
        more = ", and others like it" if whole[1:] else ""
        message = f"Nothing of these weights is pruned: skip_embed_layers leaves all of it whole, {why}{more}."
        yield Finding("layers-left-whole", "error", message, fixes)
    elif layer in whole:
        why = why_left_whole(layer, weights.kind(layer))
        message = f"skip_embed_layers leaves {shown(layer)} whole, since {why}: its masks are a preview only."
        yield Finding("layer-left-whole", "info", message, fixes)


def _does_not_fit(config: PruningConfig, weights: Tensors) -> Iterator[Finding]:
    skip = config.skip_embed_layers
    looked_at = {name: weights.shape(name) for name in weights if not (skip and left_whole(name, weights.kind(name)))}
    shapes = {name: (shape[0], columns_of(shape)) for name, shape in looked_at.items()}
    misfits = {shape: why for shape in set(shapes.values()) if (why := pattern_misfit(shape, config.pattern))}
    odd = [name for name, shape in shapes.items() if shape in misfits]
    if not odd:
        return
    more = f" and {len(odd) - 1:,} more of {counted(len(shapes), 'layer')}" if odd[1:] else ""
    message = f"{shown(odd[0])}{more} cannot be pruned: {misfits[shapes[odd[0]]]}."
    fitting = _fitting(config.pattern, list(shapes.values()))
    fixes = (Fix(f"use {pattern_name(fitting)}", replace(config, pattern=fitting)),) if fitting else ()
    yield Finding("pattern-does-not-fit", "error", message, fixes)


def _fitting(pattern: Pattern, shapes: list[Shape]) -> Pattern | None:
    """The nearest sizes of ``pattern`` that go into all ``shapes``; None if that are single weights."""
    if isinstance(pattern, Block):
        height = nearest_divisor(gcd(*(rows for rows, _ in shapes)), pattern.height)
        width = nearest_divisor(gcd(*(columns for _, columns in shapes)), pattern.width)
        return Block(height=height, width=width) if height * width > 1 else None
    length = gcd(*(rows * columns for rows, columns in shapes))
    if not isinstance(pattern, NM) or length < 2:
        return None
    m = nearest_divisor(length, pattern.m, at_least=2)
    return NM(n=min(max(round(pattern.n * m / pattern.m), 1), m - 1), m=m)
