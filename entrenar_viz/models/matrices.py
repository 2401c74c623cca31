"""The matrices to prune in what is stored: outputs first, and each expert by itself. The one place that turns them."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from numpy.typing import NDArray

from entrenar_viz.models.layout import Layout, expert_name, is_of_experts, kernel_of, layout_of
from entrenar_viz.models.tensor_files import FLOATS, Stored, shown
from entrenar_viz.models.torch_tensors import QUANTIZED

_PACKED = ("qweight", "qzeros")  # of GPTQ and AWQ, as 32-bit integers
_SCALES = ("weight_scale", "weight_scale_inv", "weight_scale_2")  # of weights in 8 or 4 bits
MAX_EXPERTS = 4096  # in one tensor; more of them are a mistake, or a file that means harm


def matrices(stored: Mapping[str, Stored]) -> dict[str, Stored]:
    """``stored`` as it is pruned, each with a note of what was done to it. Numbers are turned when they are read.

    ValueError if a tensor has the name of an expert of another one.
    """
    found: dict[str, Stored] = {}
    for name, one in stored.items():
        why = one.refused or _of_quantized(name, stored)
        for part, matrix in _matrices(name, replace(one, refused=why) if why else one):
            if part in found:
                raise ValueError(f"{shown(part)} is the name of a tensor and of an expert")
            found[part] = matrix
    return found


def _of_quantized(name: str, stored: Mapping[str, Stored]) -> str:
    """Why a tensor is only a part of quantized weights, an empty text if it is not."""
    layer, _, last = name.rpartition(".")
    if last in _PACKED and not stored[name].dtype.startswith("float"):
        return f"{stored[name].dtype}, {QUANTIZED}"
    if last in _SCALES or (last in ("scales", "g_idx") and f"{layer}.qweight" in stored):
        return "scales of quantized weights: not pruned"
    return ""


def _matrices(name: str, one: Stored) -> Iterator[tuple[str, Stored]]:
    if one.refused or one.dtype not in FLOATS or len(one.shape) < 2 or not math.prod(one.shape):
        yield name, one
    elif why := _no_matrix(name, one):
        yield name, replace(one, refused=why)
    else:
        layout = layout_of(name, one.shape, one.kind)
        note = "; ".join(filter(None, (one.note, _turned(name, one.kind, layout))))
        if layout.experts:
            for index in range(layout.experts):
                read = partial(_read_expert, one, layout, index)
                said = "; ".join(filter(None, (f"one of {layout.experts:,} experts", note)))
                yield expert_name(name, index), replace(one, shape=layout.shape, read=read, part=None, note=said)
        elif layout.is_turned:
            yield name, replace(one, shape=layout.shape, read=partial(_read, one, layout), part=None, note=note)
        else:
            yield name, one


def _no_matrix(name: str, one: Stored) -> str:
    """Why a tensor of two or more dimensions holds no matrix to prune, an empty text if it does."""
    of_experts = is_of_experts(name, one.kind)
    if one.kind == "bias" or "bias" in name.rpartition(".")[2].lower():
        return "the biases of experts: not pruned" if of_experts else "a bias: not pruned"
    if of_experts:
        experts = layout_of(name, one.shape, one.kind).experts
        return f"{experts:,} experts: more than {MAX_EXPERTS:,}" if experts > MAX_EXPERTS else ""
    if _is_vector(name, one.shape):
        return f"a vector in {len(one.shape)} dimensions: scales of channels and tokens are not pruned"
    return ""


def _is_vector(name: str, shape: tuple[int, ...]) -> bool:
    """Whether more than two dimensions hold but one axis: layer scales (channels, 1, 1), class tokens (1, 1, width).

    Layers of one channel have such weights too, and are called so.
    """
    last = name.rpartition(".")[2].lower()
    is_weight = "weight" in last or "kernel" in last or last == "w" or last.isdigit()
    return len(shape) > 2 and math.prod(shape) == max(shape) and not is_weight


def _turned(name: str, kind: str, layout: Layout) -> str:
    """``kernel (in, out), turned to (out, in)``, an empty text if it is not turned."""
    if not layout.is_turned:
        return ""
    what = kernel_of(name, kind) or "weight"
    if len(layout.stored) == 2:
        return f"{what} (in, out), turned to (out, in)"
    return f"{what} {' × '.join(map(str, layout.stored))}, outputs turned to the front"


def _read(one: Stored, layout: Layout) -> NDArray[Any]:
    return layout.turned(one.read())


def _read_expert(one: Stored, layout: Layout, index: int) -> NDArray[Any]:
    """One expert; no other is read, except in files that cannot be read in part (.npz)."""
    return layout.turned(one.part(index, index + 1)[0] if one.part else one.read()[index])
