"""How numbers are written for people: percent, points, steps, sizes. The page has the same in ``format.js``."""

import numpy as np


def percent(sparsity: float | np.float32) -> str:
    """A sparsity as it is shown on screen, with at most two decimals.

    >>> percent(0.4875), percent(0.5)
    ('48.75%', '50%')
    """
    return f"{float(sparsity) * 100:.2f}".rstrip("0").rstrip(".") + "%"
