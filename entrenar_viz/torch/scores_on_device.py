"""Scores and masks of one matrix on its own device: those of ``importance`` and ``prune_mask``, bit for bit.

Multiplying, dividing, comparing and picking the k-th smallest give the same bits everywhere. Sums do not, so the sums
of blocks, rows and columns are taken by numpy: for these patterns the scores are copied to the CPU.
"""

from collections.abc import Callable
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from entrenar_viz.config.pruning_config import NM, Method, Pattern, Unstructured
from entrenar_viz.errors import WeightsError
from entrenar_viz.masks.activations import Activations, input_norms, inverse_curvature
from entrenar_viz.masks.bands import BAND, SMALL, nth_smallest
from entrenar_viz.masks.order import Within, unit_order
from entrenar_viz.masks.units import unit_cell, unit_sums, units_gone

Score = Callable[[Tensor], Tensor]  # (out, rest) of float32 to the scores of its weights


def scorer_on_device(method: Method, activations: Activations | None) -> Score:
    """The scores of a matrix by ``method``, as ``importance`` gives them; what enters it has been checked."""
    if activations is None:
        return torch.square
    if method == "wanda":
        return partial(_wanda, norms=input_norms(activations))
    return partial(_sparse_gpt, diagonal=inverse_curvature(activations))


def kept(scores: Tensor, sparsity: float, pattern: Pattern, within: Within) -> Tensor:
    """The mask of ``scores``, (out, rest), at ``sparsity``: bool, True = keep, on their device."""
    match pattern:
        case NM():
            return _highest_of_groups(scores, pattern)
        case Unstructured():
            count = units_gone(scores.shape[1] if within == "row" else scores.numel(), sparsity)
            return scores > (_last_to_go(scores, count, within) if count else -1)
    return _whole_units(scores, sparsity, pattern)


def as_float32(matrix: Tensor, where: str) -> Tensor:
    """``matrix`` in float32, on its device; WeightsError if numbers are NaN, infinite or beyond float32."""
    single = matrix.to(torch.float32)
    if not all(extreme.isfinite() for extreme in single.aminmax()):  # one pass, and NaN comes through
        finite = torch.isfinite(single)
        bad = f"{finite.numel() - int(finite.sum()):,} of {finite.numel():,} weights"
        place = np.unravel_index(int(finite.ravel().to(torch.uint8).argmin()), single.shape)
        first = [int(number) for number in place]
        raise WeightsError(f"{where}: {bad} are not finite as float32, the first at {first}")
    return single


def _wanda(matrix: Tensor, norms: NDArray[np.float32]) -> Tensor:
    return matrix.abs() * torch.tensor(norms, device=matrix.device)


def _sparse_gpt(matrix: Tensor, diagonal: NDArray[np.float64]) -> Tensor:
    return (matrix.square().double() / torch.tensor(diagonal, device=matrix.device)).float()


def _last_to_go(scores: Tensor, count: int, within: Within) -> Tensor | float:
    """The ``count``-th smallest of the scores, or (rows, 1) of each row."""
    if within == "row":
        return scores.kthvalue(count, dim=1, keepdim=True).values
    if scores.device.type != "cpu":
        return scores.ravel().kthvalue(count).values
    flat = scores.ravel().numpy()
    if flat.size <= SMALL:
        return float(np.partition(flat, count - 1)[count - 1])
    # counting bits takes a quarter of the time of kthvalue
    return float(nth_smallest(lambda: (flat[start : start + BAND] for start in range(0, flat.size, BAND)), [count])[0])


def _highest_of_groups(scores: Tensor, pattern: NM) -> Tensor:
    groups = scores.reshape(-1, pattern.m)
    order = groups.argsort(dim=1, descending=True, stable=True)  # of equals, the lower index first
    keep = torch.zeros_like(groups, dtype=torch.bool)
    return keep.scatter_(1, order[:, : pattern.n], True).reshape(scores.shape)


def _whole_units(scores: Tensor, sparsity: float, pattern: Pattern) -> Tensor:
    rows, columns = scores.shape
    cell = unit_cell((rows, columns), pattern)
    with np.errstate(over="ignore"):
        sums = unit_sums(np.ascontiguousarray(scores.cpu().numpy()), cell)
    order = unit_order((rows, columns), pattern, sums)
    stays = torch.from_numpy(order.keys >= order.count(sparsity)).to(scores.device)
    return stays.repeat_interleave(cell[0], 0).repeat_interleave(cell[1], 1)
