"""Some layers are moved, others give way, and the budget holds in whole weights. The page has the same in plan.js."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from entrenar_viz.errors import EntrenarVizError
from entrenar_viz.plan.budget import Amounts, Bounds, Counts, Family, share_out

_LEAST_KEPT = 1e-9  # of a layer, as if so much were kept of one that is pruned whole, so that it can grow again

Places = NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class LayersInPlay:
    """The layers of a plan that may be moved, each by its weights and by how many of them go, (layers,)."""

    weights: Counts
    pruned: Counts
    bounds: Bounds

    def moved(self, inside: Places, asked: int, budget: int) -> Counts:
        """How many go once those ``inside`` lose ``asked`` together, or as nearly that as bounds and the others allow.

        Layers inside as outside keep in proportion to what they kept before. EntrenarVizError where no allocation
        within the bounds adds up to ``budget``.
        """
        outside = np.setdiff1d(np.arange(len(self.weights)), inside)
        least, most = self.bounds.least, self.bounds.most
        low = max(int(least[inside].sum()), budget - int(most[outside].sum()))
        high = min(int(most[inside].sum()), budget - int(least[outside].sum()))
        if low > high:
            raise EntrenarVizError("the layers cannot give way any further: unlock some, or widen their bounds")
        given = min(max(asked, low), high)
        counts = self.pruned.copy()
        for places, total in ((inside, given), (outside, budget - given)):
            if len(places):
                counts[places] = self._sharing(places, total)
        return counts

    def _sharing(self, places: Places, total: int) -> Counts:
        """How many weights the layers there lose, ``total`` in all: what each keeps grows or shrinks by one factor."""
        weights = self.weights[places]
        kept = np.maximum(weights - self.pruned[places], _LEAST_KEPT * weights)

        def pruned(x: float) -> Amounts:
            return np.asarray(weights + x * kept, np.float64)

        bounds = Bounds(self.bounds.least[places], self.bounds.most[places])
        return share_out(Family(pruned, -float((weights / kept).max()), 0.0), bounds, total, weights)
