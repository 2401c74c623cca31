"""The allocation that loses least, by the measured curves: every layer gives until its next weight costs the same."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from entrenar_viz.errors import EntrenarVizError
from entrenar_viz.models.tensor_files import shown
from entrenar_viz.plan.budget import Family
from entrenar_viz.plan.sensitivities import LayerSensitivity

LOSSES = ("energy", "output")
Curve = tuple[NDArray[np.float64], NDArray[np.float64]]  # weights that are gone, and what the last of them has cost


def least_loss(measured: Sequence[LayerSensitivity], loss: str = "energy") -> Family:
    """All allocations for which the sum over the layers of what they lose is least.

    ``loss`` is ``"energy"``, the share of the energy of the layer, or ``"output"``, the relative error of its output.
    What a weight costs is the slope of the layer's curve, taken as linear between the middles of its levels; where a
    curve is not convex, that of its lower convex hull. An error above 1 falls back to 1 at the end, where nothing comes
    out any more: it counts as the highest so far, so that emptying a layer never looks better than pruning less of it.
    EntrenarVizError for layers that were not measured so.
    """
    curves = [_costs(layer, loss) for layer in measured]
    highest = max(float(costs[-1]) for _, costs in curves) or 1.0

    def pruned(x: float) -> NDArray[np.float64]:
        cost = x - highest  # so that weights that cost nothing are far from x = 0, near which halving never ends
        return np.array([np.interp(cost, costs, gone) for gone, costs in curves])

    return Family(pruned, 0.0, 2 * highest)


def _costs(layer: LayerSensitivity, loss: str) -> Curve:
    gone, lost = _curve(layer, loss)
    corners = _lower_hull(gone, lost)
    slopes = np.diff(lost[corners]) / np.diff(gone[corners])
    middles = (gone[corners][1:] + gone[corners][:-1]) / 2
    last = 2 * slopes[-1] - (slopes[-2] if len(slopes) > 1 else 0.0)
    costs = np.maximum.accumulate(np.concatenate([[0.0], slopes, [max(last, slopes[-1])]]))
    return np.concatenate([[0.0], middles, [float(layer.weights)]]), costs


def _curve(layer: LayerSensitivity, loss: str) -> Curve:
    """What is lost by how many weights, from none to all, with each number of weights once."""
    if layer.reason:
        raise EntrenarVizError(f"{shown(layer.layer)} was not measured: {layer.reason}")
    if loss == "output" and layer.output_error is None:
        fix = 'pass calibration= with the inputs of the layers, or use loss="energy"'
        raise EntrenarVizError(f"{shown(layer.layer)}: the error of its output was not measured: {fix}")
    lost = layer.output_error if loss == "output" and layer.output_error else 1 - np.array(layer.kept_energy)
    points = {0.0: 0.0, 1.0: 1.0} | dict(zip(layer.achieved, map(float, lost), strict=True))
    shares = sorted(points)
    return np.array(shares) * layer.weights, np.maximum.accumulate([points[share] for share in shares])


def _lower_hull(x: NDArray[np.float64], y: NDArray[np.float64]) -> list[int]:
    """The corners of the lower convex hull of points with ascending x."""
    corners: list[int] = []
    for place in range(len(x)):
        while len(corners) > 1 and _is_above(corners[-1], corners[-2], place, x, y):
            corners.pop()
        corners.append(place)
    return corners


def _is_above(middle: int, first: int, last: int, x: NDArray[np.float64], y: NDArray[np.float64]) -> bool:
    """Whether the middle point is on or above the line between the others."""
    straight = (y[last] - y[first]) * (x[middle] - x[first])
    return bool((y[middle] - y[first]) * (x[last] - x[first]) >= straight)
