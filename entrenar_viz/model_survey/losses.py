"""What a layer loses with its pruned weights, counted band by band, and what it then takes to store."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from entrenar_viz.config.pruning_config import NM, Block, Pattern
from entrenar_viz.masks.activations import Activations
from entrenar_viz.masks.order import Mask
from entrenar_viz.models.weights import Matrix

_PRODUCT = 1 << 20  # outputs of a layer held in float64 at a time
_DIGITS = 9  # of an output error; the last ones depend on how many threads multiply
_INT32 = 2**31 - 1


@dataclass(eq=False)
class Tally:
    """Sums over the bands of a layer. ``columns_left`` (columns,) starts as all False."""

    columns_left: NDArray[np.bool_]
    gone: int = 0
    dead_rows: int = 0
    energy: float = 0.0
    energy_gone: float = 0.0
    outputs: float | None = None
    outputs_gone: float = 0.0

    def add(self, weights: Matrix, mask: Mask) -> None:
        """Count a band, (rows, columns). Sums of squares are float64, so nothing overflows."""
        self.columns_left |= mask.any(axis=0)
        self.dead_rows += int(np.count_nonzero(~mask.any(axis=1)))
        self.gone += mask.size - int(np.count_nonzero(mask))
        squares = np.square(weights, dtype=np.float64)
        self.energy += float(squares.sum())
        self.energy_gone += float(np.multiply(squares, ~mask, out=squares).sum())

    def add_outputs(self, activations: Activations, weights: Matrix, mask: Mask) -> None:
        """Count what the band's rows make of ``activations`` (samples, columns), and what is missing of it."""
        self.outputs = self.outputs or 0.0
        whole = weights.astype(np.float64).T
        lost = np.where(mask, 0, weights).astype(np.float64).T
        step = max(_PRODUCT // max(len(weights), weights.shape[1]), 1)
        for start in range(0, len(activations), step):
            some = activations[start : start + step].astype(np.float64)
            self.outputs += float(np.square(some @ whole).sum())
            self.outputs_gone += float(np.square(some @ lost).sum())

    @property
    def kept_energy(self) -> float:
        """1 minus the share that goes; of a layer of zeros nothing is lost."""
        return 1 - self.energy_gone / self.energy if self.energy else 1.0

    @property
    def output_error(self) -> float | None:
        """The share of the outputs that is missing, 0 of none; None if they were not counted or are beyond float64."""
        if self.outputs is None or not np.isfinite(self.outputs):
            return None
        if not self.outputs:
            return 0.0
        return float(f"{self.outputs_gone / self.outputs:.{_DIGITS - 1}e}")

    @property
    def dead_columns(self) -> int:
        """Columns of which nothing is left."""
        return int(np.count_nonzero(~self.columns_left))


def stored_bytes(grid: tuple[int, int], itemsize: int, kept: int, pattern: Pattern) -> dict[str, Any]:
    """``bytes_csr``, ``bytes_nm`` and ``bytes_block`` of a layer (out, rest) in which ``kept`` weights are left."""
    rows, columns = grid
    nm = block = None
    if isinstance(pattern, NM) and (pattern.n, pattern.m) == (2, 4) and columns % 4 == 0:
        nm = kept * itemsize + -(-kept * 2 // 8)
    if isinstance(pattern, Block):
        blocks = kept // (pattern.height * pattern.width)
        block = kept * itemsize + blocks * 4 + _pointers(rows // pattern.height, blocks)
    return {"bytes_csr": kept * (itemsize + 4) + _pointers(rows, kept), "bytes_nm": nm, "bytes_block": block}


def _pointers(rows: int, entries: int) -> int:
    return (rows + 1) * (4 if entries <= _INT32 else 8)
