"""What is left of a layer at each of some sparsities: of each cell of its picture, of its energy, of its output.

All of it is computed once for a layer. What a slider shows between two of the levels is then interpolated.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from entrenar_viz.config.pruning_config import NM
from entrenar_viz.errors import WeightsError
from entrenar_viz.masks.activations import Activations
from entrenar_viz.masks.order import Keys, PruneOrder
from entrenar_viz.models.weights import Matrix

Levels = NDArray[np.uint8]
Shares = NDArray[np.float64]
MOST_SAMPLES = 256  # of the activations that the error of the output is measured on
_WORK = 2 * 10**10  # multiplications for the errors of one layer, a few seconds
_FEWEST, _MOST = 8, 64  # levels at which that error is measured


@dataclass(frozen=True, eq=False)
class Survival:
    """What is left of a layer at some counts.

    ``density`` (levels + 1, h, w): how much of each cell is left at ``level_counts(order, levels)``, 255 = all.
    ``energy`` (n,): the share of the squared Frobenius norm of the layer that is left at ``counts`` (n,), which are
    ``energy_counts(order, levels)``, 0 to 1; 1 throughout for a layer of zeros.
    """

    density: Levels
    energy: Shares
    counts: NDArray[np.int64]


def level_counts(order: PruneOrder, levels: int) -> NDArray[np.int64]:
    """(levels + 1,): ``count`` at each level, ``floor(j * units / levels + 1/2)``; N:M: 0, then always 1."""
    if isinstance(order.pattern, NM):
        return np.minimum(np.arange(levels + 1), 1)
    return (2 * np.arange(levels + 1) * order.units + levels) // (2 * levels)


def energy_counts(order: PruneOrder, levels: int) -> NDArray[np.int64]:
    """(n,): the counts of the levels, and more and more of them towards the last: few weights hold much of the energy.

    Between the last two levels each is nearer to the last by a factor of the square root of 2.
    """
    counts = level_counts(order, levels)
    left = int(counts[-1] - counts[-2])
    if isinstance(order.pattern, NM) or left < 2:
        return counts
    nearer = (left * 2 ** (-np.arange(1, 2 * left.bit_length() + 1) / 2)).astype(np.int64)  # the last of them is 0
    return np.concatenate([counts[:-1], np.unique(counts[-1] - nearer)])


def survival(
    order: PruneOrder,
    matrix: Matrix,
    height: int = 256,
    width: int = 256,
    levels: int = 64,
    *,
    on_progress: Callable[[float], None] = lambda share: None,
) -> Survival:
    """What is left of ``matrix`` at each of ``levels`` + 1 counts, of h x w cells and of the energy.

    h = min(rows, height) and w = min(columns, width); cells are the bins ``row * h // rows`` and
    ``column * w // columns``. Works through bands of rows: a frame of the answer costs the same for any layer.
    ``on_progress`` is told the share that is done.
    """
    (rows, columns), span = order.shape, levels + 2
    h, w = min(rows, height), min(columns, width)
    counts = energy_counts(order, levels)
    density, energy = np.empty((levels + 1, h, w), np.uint8), np.zeros(len(counts) + 1)
    first = np.arange(columns, dtype=np.int64) * w // columns * span  # of each column: where its histogram starts
    level_of = np.append(np.minimum(np.arange(len(counts)), levels), levels + 1)  # of each index into counts
    for y, (band, gone) in enumerate(_first_counts(order, h, counts, levels)):
        tally = np.bincount((first + level_of[gone]).ravel(), minlength=w * span).reshape(w, span).cumsum(axis=1)
        total = tally[:, -1:]
        density[:, y] = np.rint(255 * (total - tally[:, :-1]) / total).T
        energy += np.bincount(gone.ravel(), np.square(matrix[band], dtype=np.float64).ravel(), len(energy))
        on_progress((y + 1) / h)
    lost = energy.cumsum()
    return Survival(density, 1 - lost[:-1] / (lost[-1] or 1.0), counts)


def _first_counts(
    order: PruneOrder, bands: int, counts: NDArray[np.int64], levels: int
) -> Iterator[tuple[slice, Keys]]:
    """Bands of rows, and which of ``counts`` is the first at which each weight there is gone, their number if none is.

    Those of the levels are compared with every weight, those beyond only with weights that go after the last but one.
    """
    rows, none = order.shape[0], np.count_nonzero(counts == 0)
    last = order.ordered[..., counts[counts > 0] - 1]
    cutoffs = np.broadcast_to(last, (len(order.keys), last.shape[-1]))
    for_all = (levels if len(counts) > levels + 1 else len(counts)) - none
    for y in range(bands):
        band = slice(-(-y * rows // bands), -(-(y + 1) * rows // bands))
        units = np.arange(band.start, band.stop) // order.cell[0]
        lines = slice(units[0], units[-1] + 1)
        keys = order.keys[lines]
        index = np.full(keys.shape, none, np.min_scalar_type(len(counts)))
        for cutoff in cutoffs[lines, :for_all].T:
            index += keys > cutoff[:, None]
        if for_all < cutoffs.shape[1]:
            line, column = np.nonzero(index >= levels)
            beyond = keys[line, column][:, None] > cutoffs[lines, for_all:][line]
            index[line, column] += beyond.sum(axis=1, dtype=index.dtype)
        yield band, np.repeat(index[units - units[0]], order.cell[1], axis=1)


def output_errors(
    order: PruneOrder,
    matrix: Matrix,
    activations: Activations,
    on_progress: Callable[[float], None] = lambda share: None,
) -> Shares:
    """(levels + 1,): the relative squared error of the layer's output, ||X (W - W')^T||^2 / ||X W^T||^2.

    W is ``matrix`` (rows, columns), W' what is left of it at ``level_counts(order, levels)``, and X are up to 256
    evenly spaced of ``activations`` (samples, columns). There are 8 to 64 levels: fewer for a larger layer, so that the
    work stays the same. 0 throughout where X W^T is zero. WeightsError for norms, which do not tell the error.
    """
    if activations.ndim == 1:
        raise WeightsError("norms do not tell the error of the output: pass activations, (samples, columns)")
    inputs = sampled(activations)
    levels = int(np.clip(_WORK // (len(inputs) * matrix.size), _FEWEST, _MOST))
    errors = np.zeros(levels + 1)
    for j, count in enumerate(level_counts(order, levels)):
        errors[j] = squared_norm(inputs, np.where(order.mask_of(int(count)), np.float32(0), matrix))
        on_progress((j + 1) / (levels + 1))
    return errors / (squared_norm(inputs, matrix) or 1.0)


def sampled(activations: Activations) -> Activations:
    """Up to 256 evenly spaced of ``activations`` (samples, columns)."""
    return activations[:: -(-len(activations) // MOST_SAMPLES)]


def squared_norm(inputs: Activations, matrix: Matrix) -> float:
    """Of the outputs that ``matrix`` (rows, columns) makes of ``inputs``: products of 32 bits, summed in float64."""
    output = (inputs @ matrix.T).astype(np.float64)
    return float(np.vdot(output, output))
