"""What goes together under a pattern, how many of it go at a sparsity, and whether the pattern fits at all."""

from numbers import Real

import numpy as np
from numpy.typing import NDArray

from entrenar_viz.config.pruning_config import NM, Block, Column, Pattern, Row, Unstructured
from entrenar_viz.config.typical import divisors
from entrenar_viz.errors import WeightsError


def units_gone(units: int, sparsity: float) -> int:
    """How many of ``units`` go at ``sparsity``, in the trainer's f32; WeightsError if it is outside 0 to 1."""
    number = isinstance(sparsity, Real) and abs(sparsity) < 2  # not beyond f32
    fraction = np.float32(sparsity if number else np.nan)
    if not 0 <= fraction <= 1:
        raise WeightsError(f"sparsity ({sparsity!r:.40}) must be between 0.0 and 1.0")
    return min(int(np.float32(units) * fraction), units)  # f32 may round 2**24 + 3 units up


def check_fit(shape: tuple[int, int], pattern: Pattern) -> None:
    """WeightsError if ``pattern`` does not go into a layer of ``shape``."""
    (rows, columns), size = shape, shape[0] * shape[1]
    if isinstance(pattern, NM):
        if size % pattern.m:
            raise WeightsError(
                f"{pattern.n}:{pattern.m} does not fit: length {size:,} must be divisible by m = {pattern.m}"
            )
        return
    height, width = unit_cell(shape, pattern)
    if rows % height or columns % width:
        raise WeightsError(_misfit(rows, columns, height, width))


def pattern_misfit(shape: tuple[int, int], pattern: Pattern) -> str:
    """Why ``pattern`` does not go into a layer of ``shape``, an empty text if it does."""
    try:
        check_fit(shape, pattern)
    except WeightsError as error:
        return str(error)
    return ""


def unit_cell(shape: tuple[int, int], pattern: Pattern) -> tuple[int, int]:
    """The (height, width) of what goes together, in a layer of ``shape``."""
    match pattern:
        case Block(height=height, width=width):
            return height, width
        case Row():
            return 1, shape[1]
        case Column():
            return shape[0], 1
        case Unstructured():
            return 1, 1
    raise WeightsError(f"{pattern!r:.60} is no pattern: use Unstructured, NM, Block, Row or Column")


def unit_sums(grid: NDArray[np.float32], cell: tuple[int, int]) -> NDArray[np.float32]:
    """(rows / height, columns / width): the score of each unit; a row and a column are blocks too."""
    (rows, columns), (height, width) = grid.shape, cell
    down, across = rows // height, columns // width
    with np.errstate(over="ignore"):
        bands: NDArray[np.float32] = grid.reshape(down, height, columns).sum(axis=1)
        return np.asarray(bands.reshape(down, across, width).sum(axis=2), np.float32)


def _misfit(rows: int, columns: int, height: int, width: int) -> str:
    sides = (("height", rows, height), ("width", columns, width))
    fits = [f"use a {side} dividing {n} ({_near_divisors(n, given)})" for side, n, given in sides if n % given]
    return f"block {height} x {width} does not divide {rows} x {columns}: {' and '.join(fits)}"


def _near_divisors(size: int, wanted: int) -> str:
    return ", ".join(map(str, sorted(sorted(divisors(size), key=lambda d: abs(d - wanted))[:3])))
