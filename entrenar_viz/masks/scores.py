"""How much each weight matters: the scores that the masks are made from."""

from collections.abc import Callable
from functools import partial

import numpy as np
from numpy.typing import ArrayLike, NDArray

from entrenar_viz.config.pruning_config import METHODS, Method
from entrenar_viz.errors import WeightsError
from entrenar_viz.masks.activations import (
    Activations,
    checked_activations,
    columns_of,
    input_norms,
    inverse_curvature,
    misfit,
)
from entrenar_viz.models.in_memory import as_array
from entrenar_viz.models.weights import finite_float32

Scores = NDArray[np.float32]
_NEEDED: dict[str, str] = {
    "wanda": "pass activations=, the inputs of the layer (samples, columns) or the norms of their columns",
    "sparse_gpt": "pass activations=, the inputs of the layer (samples, columns)",
}
NEEDS_ACTIVATIONS = frozenset(_NEEDED)  # the methods that give a mask only with calibration data
_REMOVES: dict[str, str] = {"minitron_depth": "layers", "minitron_width": "channels"}


def importance(weights: ArrayLike, method: Method = "magnitude", activations: ArrayLike | None = None) -> Scores:
    """The score of each weight, float32, in the shape of ``weights``; the lowest scores are pruned first.

    - ``magnitude``: ``w * w``, without ``activations``.
    - ``wanda`` (Sun et al. 2023, arXiv:2306.11695): ``|w|`` times the L2 norm of the input that the weight meets.
      ``activations`` are the inputs of the layer, (samples, columns), or the norms of their columns, (columns,).
    - ``sparse_gpt`` (Frantar & Alistarh 2023, arXiv:2301.00774): ``w * w / [H^-1]_jj`` for column j, where
      H = X^T X / n + 0.01 mean(diag) I and ``activations`` are X, (n, columns). It is the score of the weights as
      they are given: the paper's updates of the weights that stay are not simulated.

    Weights of more than two dimensions are viewed as (out, rest), of one as a row. Squares and products are float32;
    norms are summed in float64 and rounded to float32 once, so that norms may be stored instead of activations; H and
    its factor are float64. Beyond 1.8e19 a square is infinite and below 2.6e-23 it is 0, so such weights tie.

    WeightsError for weights or activations that are not finite, for activations that do not fit or are missing, for
    an H that is singular, and for methods that give no mask.

    >>> importance(np.array([[-2.0, 0.5]]))
    array([[4.  , 0.25]], dtype=float32)
    >>> importance(np.array([[-2.0, 0.5]]), "wanda", np.array([1.0, 8.0]))
    array([[2., 4.]], dtype=float32)
    """
    check_method(method, has_activations=activations is not None)
    single = finite_float32(as_array(weights, "weights"), "weights")
    if activations is None:
        return _squares(single)
    columns = columns_of(single.shape)
    return scorer(method, columns, activations)(single.reshape(-1, columns)).reshape(single.shape)


def scorer(method: Method, columns: int, activations: ArrayLike | None = None) -> Callable[[Scores], Scores]:
    """The ``importance`` of any rows of a layer of ``columns``, (rows, columns), finite float32.

    What the activations say of the columns is worked out once, here. WeightsError as ``importance`` raises it.
    """
    check_method(method, has_activations=activations is not None)
    if activations is None:
        return _squares
    entering = _fitting(activations, columns)
    if method == "wanda":
        return partial(_wanda, norms=input_norms(entering))
    if entering.ndim == 1:
        raise WeightsError("sparse_gpt needs the activations themselves, (samples, columns): norms are for wanda")
    return partial(_sparse_gpt, diagonal=inverse_curvature(entering))


def check_method(method: str, *, has_activations: bool) -> None:
    """WeightsError for a method that gives no mask, or lacks the activations it needs, or has some it does not use."""
    if method not in METHODS:
        raise WeightsError(f"method {method!r:.60} is unknown: use one of {', '.join(METHODS)}")
    if method in _REMOVES:
        why = f"{method} needs calibration data, and removes whole {_REMOVES[method]}: it gives no mask"
        raise WeightsError(f"{why}; use magnitude, wanda or sparse_gpt")
    if method in _NEEDED and not has_activations:
        why = f"{method} needs calibration data: {_NEEDED[method]}"
        raise WeightsError(f"{why}; from weights alone, only magnitude can be computed")
    if method == "magnitude" and has_activations:
        raise WeightsError("magnitude uses no activations: leave them out, or use method wanda or sparse_gpt")


def _fitting(activations: ArrayLike, columns: int) -> Activations:
    values = as_array(activations, "activations")
    if wrong := misfit(values.shape, columns):
        raise WeightsError(f"activations: {wrong}")
    return checked_activations(values, "activations")


def _squares(single: Scores) -> Scores:
    with np.errstate(over="ignore", under="ignore"):
        return np.square(single)


def _wanda(grid: Scores, norms: Scores) -> Scores:
    scores = np.abs(grid)
    with np.errstate(over="ignore", under="ignore"):
        return np.multiply(scores, norms, out=scores)


def _sparse_gpt(grid: Scores, diagonal: NDArray[np.float64]) -> Scores:
    scores = _squares(grid)
    with np.errstate(over="ignore", under="ignore"):
        return np.divide(scores, diagonal, out=scores, casting="same_kind")  # float64 inside, one rounding
