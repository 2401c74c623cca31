"""What enters a layer while it works on calibration data: checked, its norms, and the curvature that it gives.

Activations are (samples, columns): a row for each sample or token, a column for each input of the layer. Where norms
are enough, (columns,): the L2 norm of each of those columns. A layer of more than two dimensions is viewed as
(out, rest), so the columns of a convolution are the entries of its unfolded patches.
"""

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from entrenar_viz.errors import WeightsError
from entrenar_viz.models.weights import finite_float32

Activations = NDArray[np.float32]  # (samples, columns), or (columns,) of norms
DAMPING = 0.01  # of the mean of the diagonal, as in SparseGPT
_BAND = 1 << 22  # numbers held in float64 at a time
_SOLVED = 512  # columns of the factor's inverse held at a time


def columns_of(shape: tuple[int, ...]) -> int:
    """The inputs of weights of ``shape``, viewed as (out, rest); weights of one dimension are one row."""
    return math.prod(shape[1:] if len(shape) > 1 else shape)


def misfit(shape: tuple[int, ...], columns: int) -> str:
    """Why activations of ``shape`` do not go with a layer of ``columns`` inputs, and the fix; empty if they do."""
    if wrong := no_activations(shape):
        return wrong
    given = shape[-1]
    if given == columns:
        return ""
    if len(shape) == 1:
        return f"{given:,} norms for a layer of {columns:,} columns: pass one norm for each column"
    fix = "transpose them" if shape[0] == columns else "pass the inputs of this layer, a row for each sample"
    return f"{given:,} columns for a layer of {columns:,}: {fix}"


def no_activations(shape: tuple[int, ...]) -> str:
    """Why an array of ``shape`` can be no activations or norms at all; empty if it can."""
    if 0 in shape:
        return f"empty: shape {list(shape)}"
    if not shape:
        return "a single number: pass (samples, columns) or the norms of the columns"
    if len(shape) > 2:
        return f"shape {list(shape)} is no matrix: pass (samples, columns), for tokens reshape(-1, {shape[-1]})"
    return ""


def checked_activations(values: NDArray[Any], where: str) -> Activations:
    """``values`` as float32; WeightsError, which starts with ``where``, if not finite or if norms are negative."""
    noun = "norms" if values.ndim == 1 else "activations"
    single = finite_float32(values, where, noun)
    if noun == "norms" and (negative := np.flatnonzero(single < 0)).size:
        first = f"the first is {single[negative[0]]} at [{negative[0]}]"
        raise WeightsError(f"{where}: {negative.size:,} of {single.size:,} norms are negative, {first}")
    return single


def input_norms(activations: Activations) -> NDArray[np.float32]:
    """(columns,): the L2 norm of each column; norms are returned as they are.

    Squares are summed in float64 and the root is rounded to float32 once, so that the order of the samples hardly
    ever matters and nothing overflows on the way. WeightsError if a norm itself is beyond float32.
    """
    if activations.ndim == 1:
        return activations
    total = np.zeros(activations.shape[1])
    for band in _bands(activations):
        total += np.square(band, out=band).sum(axis=0)
    return finite_float32(np.sqrt(total), "activations", "norms")


def inverse_curvature(activations: Activations) -> NDArray[np.float64]:
    """(columns,): the diagonal of the inverse of H = X^T X / n + 0.01 mean(diag(X^T X / n)) I, X (n, columns).

    H is factored as L L^T by Cholesky, and [H^-1]_jj is the squared norm of column j of L^-1, solved for some columns
    at a time; neither inverse is ever held. All in float64; takes 8 * columns^2 bytes for H and about as much again on
    the way. WeightsError if H is singular, which it is for activations that are all zero.
    """
    hessian = _gram(activations)
    diagonal = np.einsum("ii->i", hessian)
    diagonal += DAMPING * diagonal.mean()
    return _inverse_diagonal(_factor(hessian))


def _bands(activations: Activations) -> Iterator[NDArray[np.float64]]:
    """Some rows at a time, in float64: a copy of all of them would take twice the room of the activations."""
    step = max(_BAND // activations.shape[1], 1)
    for start in range(0, len(activations), step):
        yield activations[start : start + step].astype(np.float64)


def _gram(activations: Activations) -> NDArray[np.float64]:
    """X^T X / n, only the lower triangle of which is filled."""
    from scipy.linalg.blas import dsyrk

    samples, columns = activations.shape
    gram = np.zeros((columns, columns), order="F")
    for band in _bands(activations):
        gram = dsyrk(1 / samples, band.T, beta=1, c=gram, lower=1, overwrite_c=1)
    return gram


def _factor(hessian: NDArray[np.float64]) -> NDArray[np.float64]:
    from scipy.linalg import LinAlgError, cholesky

    try:
        factor: NDArray[np.float64] = cholesky(hessian, lower=True, overwrite_a=True, check_finite=False)
    except LinAlgError as error:
        fix = "pass activations of real inputs, they must not all be zero"
        raise WeightsError(f"activations: X^T X / n + 0.01 mean(diag) I is singular ({error}): {fix}") from error
    return factor


def _inverse_diagonal(factor: NDArray[np.float64]) -> NDArray[np.float64]:
    """The diagonal of (L L^T)^-1; column j of L^-1 is zero above j, so the solves get smaller and smaller."""
    from scipy.linalg import solve_triangular

    diagonal = np.empty(len(factor))
    for start in range(0, len(factor), _SOLVED):
        rest = factor[start:, start:]
        unit = np.eye(len(rest), min(_SOLVED, len(rest)), order="F")
        solved = solve_triangular(rest, unit, lower=True, overwrite_b=True, check_finite=False)
        diagonal[start : start + _SOLVED] = np.einsum("ij,ij->j", solved, solved)
    return diagonal
