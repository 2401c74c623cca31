"""Allocations from shapes and counts alone. Each function gives all allocations of its method, of whatever budget.

What looks at weights stands beside: ``thresholds`` (one threshold for the model), ``outliers`` (OWL), ``least_loss``.
"""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from entrenar_viz.errors import EntrenarVizError
from entrenar_viz.plan.budget import Family
from entrenar_viz.plan.layers import Layer

_LARGEST_POWER = 1_000_000
_ALL = 800.0  # exp(-800) is 0: nothing is kept


def uniform(layers: Sequence[Layer]) -> Family:
    """The same sparsity for every layer."""
    weights = weights_of(layers)
    return Family(lambda sparsity: sparsity * weights, 0.0, 1.0)


def erk(layers: Sequence[Layer], power: float = 1.0, *, include_kernel: bool = True) -> Family:
    """Erdős-Rényi-Kernel (Evci et al. 2020, "Rigging the Lottery", arXiv:1911.11134): a layer keeps a share that is
    proportional to (out + in + height + width) / (out * in * height * width), raised to ``power``, and at most all.

    Without ``include_kernel`` it is Erdős-Rényi, (out + in) / (out * in), also of convolutions; as in JaxPruner, this
    is not raised to ``power``.
    """
    if not 0 <= power <= _LARGEST_POWER:
        raise EntrenarVizError(f"power must be a number from 0 to {_LARGEST_POWER:,}, not {power!r:.40}")
    weights = weights_of(layers)
    shapes = [layer.shape for layer in layers]
    if include_kernel:
        density = power * np.array([math.log(sum(shape) / math.prod(shape)) for shape in shapes])
    else:
        density = np.log([(out + entering) / (out * entering) for out, entering, *_ in shapes])
    # by logarithms: whatever the power is, no density is so small that it is 0
    return Family(lambda x: -weights * np.expm1(np.minimum(density - x, 0.0)), density.min(), density.max() + _ALL)


def owl(layers: Sequence[Layer], outliers: Sequence[float], lam: float = 0.08) -> Family:
    """Outlier Weighed Layerwise sparsity (Yin et al. 2024, arXiv:2310.05175): layers with more ``outliers`` keep more.

    The densities are spread over 2 * ``lam``, linearly by the shares of outliers, around the one that meets the budget.
    """
    if not 0 <= lam <= 1:
        raise EntrenarVizError(f"lam must be between 0 and 1, not {lam!r:.40}")
    weights, shares = weights_of(layers), np.asarray(outliers, np.float64)
    spread = np.ptp(shares)
    more = (shares - shares.min()) * (2 * lam / spread) if spread else np.zeros(len(shares))
    return Family(lambda sparsity: weights * np.clip(sparsity - more, 0.0, 1.0), 0.0, 1.0 + 2 * lam)


def weights_of(layers: Sequence[Layer]) -> NDArray[np.float64]:
    """(layers,): how many each has."""
    return np.array([layer.weights for layer in layers], np.float64)
