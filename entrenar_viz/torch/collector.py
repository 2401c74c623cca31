"""What is kept of all that enters one layer: the norms of its columns, and some of its rows."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from entrenar_viz.masks.activations import Activations
from entrenar_viz.models.weights import finite_float32
from entrenar_viz.torch.entering import Entering

_KEPT_AS_THEY_ARE = (torch.float32, torch.float16, torch.bfloat16)


class Collector:
    """Adds up what enters one layer, call after call: squares of all rows, and ``most`` rows drawn from all of them."""

    def __init__(self, most: int, seed: int) -> None:
        self.count = 0
        self.reservoir = Reservoir(most, seed)
        self._squares: Tensor | None = None

    def add(self, rows: Entering) -> None:
        """One call of the layer."""
        squares = rows.squares()
        self._squares = squares if self._squares is None else self._squares.add_(squares.to(self._squares.device))
        self.reservoir.add(rows)
        self.count += rows.count

    @property
    def broken(self) -> str:
        """How many columns have had a value that is no number; empty if none has."""
        if self._squares is None:
            return ""
        finite = torch.isfinite(self._squares)
        if finite.all():
            return ""
        return f"{int((~finite).sum()):,} of {len(finite):,} columns have NaN or infinity"

    def norms(self, where: str) -> Activations:
        """(columns,): the L2 norms of the columns over all rows, rounded to float32 once.

        WeightsError, which starts with ``where``, if one is beyond float32.
        """
        assert self._squares is not None
        return finite_float32(self._squares.sqrt().cpu().numpy(), where, "norms")


class Reservoir:
    """At most ``most`` rows of any number that pass by, each equally likely; Fan, Muller and Rezucha (1962).

    Every row draws a number, and those with the lowest ones stay. The numbers depend on ``seed`` and the place of the
    row only, so that the same rows stay however they are cut into batches, and in all layers that see as many.
    """

    def __init__(self, most: int, seed: int) -> None:
        self._most, self._random = most, np.random.default_rng(seed)
        self._drawn: NDArray[np.float64] = np.empty(0)
        self._places: NDArray[np.int64] = np.empty(0, np.int64)
        self._kept = torch.empty(0, 0)
        self._passed = 0

    def add(self, rows: Entering) -> None:
        """Let the next rows pass by."""
        if not self._most or not rows.count:
            return
        held = len(self._drawn)
        drawn = np.concatenate([self._drawn, self._random.random(rows.count)])
        places = np.concatenate([self._places, self._passed + np.arange(rows.count)])
        self._passed += rows.count
        stay = _lowest(drawn, self._most)
        coming = np.sort(stay[stay >= held])
        slots = np.setdiff1d(np.arange(len(stay)), stay[stay < held])  # of rows that go, and new ones
        self._drawn, self._places = drawn[: len(stay)], places[: len(stay)]
        self._drawn[slots], self._places[slots] = drawn[coming], places[coming]
        if len(coming):
            self._put(slots, rows.take(torch.from_numpy(coming - held)))

    def rows(self) -> Tensor:
        """(n, columns): what has stayed, in the order in which it came; 16-bit numbers stay so, others are float32."""
        self._kept = self._kept[torch.from_numpy(np.argsort(self._places))]
        self._places = np.sort(self._places)
        return self._kept

    def _put(self, slots: NDArray[np.int64], rows: Tensor) -> None:
        rows = rows.to("cpu", rows.dtype if rows.dtype in _KEPT_AS_THEY_ARE else torch.float32)
        if not len(self._kept):
            self._kept = rows.new_empty(0, rows.shape[1])
        self._kept = self._kept.to(torch.promote_types(self._kept.dtype, rows.dtype))
        if (missing := len(self._drawn) - len(self._kept)) > 0:
            more = min(max(missing, len(self._kept)), self._most - len(self._kept))
            self._kept = torch.cat([self._kept, self._kept.new_empty(more, rows.shape[1])])
        self._kept[torch.from_numpy(slots)] = rows.to(self._kept.dtype)


def _lowest(numbers: NDArray[np.float64], most: int) -> NDArray[np.int64]:
    """Where the ``most`` lowest of ``numbers`` are, in any order."""
    return np.argpartition(numbers, most - 1)[:most] if len(numbers) > most else np.arange(len(numbers))
