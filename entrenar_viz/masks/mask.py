"""From weights to a mask in one call."""

from numpy.typing import ArrayLike

from entrenar_viz.config.pruning_config import NM, Method, Pattern, PruningConfig, Unstructured
from entrenar_viz.errors import EntrenarVizError, Problem, WeightsError
from entrenar_viz.masks.activations import columns_of
from entrenar_viz.masks.order import Mask, Within, check_within, prune_order
from entrenar_viz.masks.scores import check_method, importance

_ANY_WEIGHT = Unstructured()


def prune_mask(
    weights: ArrayLike,
    sparsity: float,
    pattern: Pattern = _ANY_WEIGHT,
    method: Method = "magnitude",
    *,
    activations: ArrayLike | None = None,
    within: Within = "tensor",
) -> Mask:
    """The mask of ``weights`` at ``sparsity`` (0 to 1), in their shape: True = keep.

    More than two dimensions are viewed as (out, rest); one dimension is fine for unstructured and N:M.
    ``activations`` are the inputs of the layer, (samples, columns): ``sparse_gpt`` needs them, ``wanda`` needs them
    or their norms, (columns,), ``magnitude`` takes none.

    ``within="tensor"`` is the rule of the trainer's library: a weight is ranked within the whole layer.
    ``within="row"`` is **not**; it is the rule of Wanda's paper (Sun et al. 2023, arXiv:2306.11695): each row (output)
    loses the same number of weights. It is for unstructured only.

    WeightsError for weights, activations or a sparsity that cannot be used, and for a pattern that does not fit.

    >>> import numpy as np
    >>> weights = np.array([[0.1, -3.0], [2.0, -4.0]])
    >>> prune_mask(weights, 0.5)
    array([[False,  True],
           [False,  True]])
    >>> prune_mask(weights, 0.5, method="wanda", activations=np.array([8.0, 1.0]), within="row")
    array([[False,  True],
           [ True, False]])
    """
    scores = importance(weights, method, activations)
    if not scores.size or scores.ndim < (1 if isinstance(pattern, (Unstructured, NM)) else 2):
        raise WeightsError(f"weights of shape {list(scores.shape)} cannot be pruned by {pattern!r:.60}")
    grid = scores.reshape(-1, columns_of(scores.shape))
    return prune_order(grid, pattern, within).mask(sparsity).reshape(scores.shape)


def mask_problems(config: PruningConfig, within: str, *, has_activations: bool) -> list[Problem]:
    """What is wrong with how ``config`` scores weights and ``within`` compares them, whatever the weights."""
    found = []
    try:
        check_method(config.method, has_activations=has_activations)
    except EntrenarVizError as error:
        found.append(Problem("method", str(error)))
    try:
        check_within(within, config.pattern)
    except EntrenarVizError as error:
        found.append(Problem("within", str(error)))
    return found
