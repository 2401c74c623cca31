"""How much each weight matters: the scores that the masks are made from."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from entrenar_viz.config import METHODS, Method
from entrenar_viz.errors import WeightsError
from entrenar_viz.weights import as_array, finite_float32

_NEEDS_DATA: dict[str, str] = {
    "wanda": "wanda needs calibration data (the norms of the activations that enter the layer)",
    "sparse_gpt": "sparse_gpt needs calibration data (the activations that enter the layer)",
    "minitron_depth": "minitron_depth needs calibration data, and removes whole layers: it gives no mask",
    "minitron_width": "minitron_width needs calibration data, and removes whole channels: it gives no mask",
}


def importance(weights: ArrayLike, method: Method = "magnitude") -> NDArray[np.float32]:
    """The score of each weight, float32, in the shape of ``weights``; the lowest scores are pruned first.

    ``magnitude`` is ``w * w`` in float32, as the trainer computes it: beyond 1.8e19 it is infinite and below 2.6e-23
    it is 0, so such weights tie. WeightsError for non-finite weights and for methods that need calibration data.

    >>> importance(np.array([[-2.0, 0.5]]))
    array([[4.  , 0.25]], dtype=float32)
    """
    if method not in METHODS:
        raise WeightsError(f"method {method!r:.60} is unknown: use one of {', '.join(METHODS)}")
    if method != "magnitude":
        raise WeightsError(f"{_NEEDS_DATA[method]}; from weights alone, only magnitude can be computed")
    single = finite_float32(as_array(weights, "weights"), "weights")
    with np.errstate(over="ignore", under="ignore"):
        return np.square(single)
