"""Which weights go at which sparsity, exactly by the trainer's rules, for all five patterns.

A ``PruneOrder`` is prepared once for scores and a pattern: a key for each weight (its score) or each unit (its place
in the order of pruning), and the keys sorted. The mask at any sparsity is then one comparison with the key of the
last unit to go. Nothing here argsorts a layer: that takes 50 times as long as sorting the values.
"""

from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from entrenar_viz.config.pruning_config import NM, Pattern, Unstructured
from entrenar_viz.errors import WeightsError
from entrenar_viz.masks.nm_groups import keep_highest
from entrenar_viz.masks.units import check_fit, unit_cell, unit_sums, units_gone
from entrenar_viz.models.in_memory import as_array

Mask = NDArray[np.bool_]
Keys = NDArray[Any]
Within = Literal["tensor", "row"]  # a weight with all of its layer, or with those of its row only
_BAND = 1 << 16  # weights worked on at a time, so that temporaries stay in the cache


@dataclass(frozen=True, eq=False)
class PruneOrder:
    """When each weight goes. Made by ``prune_order``; refers to the scores, which must not change afterwards.

    ``units`` is how many things the schedule counts: weights, blocks, rows or columns; 1 for N:M, where it does not
    matter. ``keys`` has one entry for each ``cell`` (height, width) of weights, ``ordered`` has the keys sorted.
    Where each row is compared by itself, ``units`` is its length, and ``ordered`` (rows, units) has each row sorted.
    ``scores`` are those of the units in order (of blocks, rows and columns their sums); None where no one order of
    the layer decides, as for N:M.
    Methods raise WeightsError for a sparsity outside 0 to 1.
    """

    shape: tuple[int, int]
    pattern: Pattern
    units: int
    keys: Keys
    ordered: Keys
    scores: NDArray[np.float32] | None = None
    cell: tuple[int, int] = (1, 1)

    def count(self, sparsity: float) -> int:
        """How many units go: ``trunc(f32(units) * f32(sparsity))``, so 29% of 100 is 29. N:M: always 1."""
        count = units_gone(self.units, sparsity)
        return 1 if isinstance(self.pattern, NM) else count

    def mask(self, sparsity: float) -> Mask:
        """(rows, columns), True = keep. Unstructured: all ties at the threshold go, more than asked if need be."""
        return self.mask_of(self.count(sparsity))

    def mask_of(self, count: int) -> Mask:
        """(rows, columns), True = keep, where ``count`` units are asked for: 0 to ``units``."""
        if count == 0:
            return np.ones(self.shape, bool)
        return self._spread(self.keys > self.ordered[..., count - 1, None])

    def part(self, start: int, stop: int) -> "PruneOrder":
        """The order of those rows among all, which hold whole units; not of single weights in one dimension."""
        keys = self.keys[start // self.cell[0] : -(-stop // self.cell[0])]
        height = min(self.cell[0], stop - start)  # of a column: as much of it as there is
        return replace(self, shape=(stop - start, self.shape[1]), keys=keys, cell=(height, self.cell[1]))

    def achieved(self, sparsity: float) -> float:
        """The share of the weights that really goes, without building the mask."""
        count = self.count(sparsity)
        if isinstance(self.pattern, NM):
            return (self.pattern.m - self.pattern.n) / self.pattern.m
        rows = np.atleast_2d(self.ordered)
        gone = sum(int(np.searchsorted(row, row[count - 1], side="right")) for row in rows) if count else 0
        return gone / rows.size

    def ranks(self, rows: slice = slice(None), columns: slice = slice(None)) -> NDArray[np.uint32]:
        """For each weight of that window: it is pruned if and only if its rank < ``count(sparsity)``.

        Unstructured: the number of lower scores (in its row, if rows are compared by themselves), so ties share a
        rank. Block, row, column: the place of the unit in the order. N:M: 0 if pruned, 1 if kept. Takes 0.1 to 0.3 µs
        a weight: ask for what is shown.
        """
        y, x = (
            np.arange(n)[part] // side for n, part, side in zip(self.shape, (rows, columns), self.cell, strict=True)
        )
        keys = self.keys[np.ix_(y, x)]
        if self.ordered.ndim == 1:
            return _places(keys.ravel(), self.ordered).reshape(keys.shape)
        places = [_places(row, self.ordered[index]) for row, index in zip(keys, y, strict=True)]
        return np.array(places, np.uint32).reshape(keys.shape)

    def tie_groups(self, limit: int = 16384) -> NDArray[np.uint32]:
        """(n, 2): [lo, hi) in the order of pruning where weights have equal scores, the ``limit`` largest, sorted.

        A count inside (lo, hi) prunes hi weights. Only unstructured has any. WeightsError where each row is compared
        by itself: its ties are no list for the layer, ask ``achieved``.
        """
        if self.ordered.ndim > 1:
            raise WeightsError("rows that are compared by themselves have no ties of the whole layer: ask row_gone")
        groups = _runs(self.ordered)
        if len(groups) > limit:
            by_size = np.argpartition(groups[:, 0].astype(np.int64) - groups[:, 1], limit)
            groups = groups[np.sort(by_size[:limit])]
        return groups

    def row_gone(self) -> NDArray[np.uint32]:
        """(units + 1,): where each row is compared by itself, how many weights of the layer go at each count."""
        gone = np.zeros(self.units + 1, np.int64)
        band = max(_BAND // self.units, 1)
        for start in range(0, len(self.ordered), band):
            rows = self.ordered[start : start + band]
            last = np.where(rows[:, 1:] != rows[:, :-1], np.arange(1, self.units), self.units)
            ends = np.minimum.accumulate(last[:, ::-1], axis=1)[:, ::-1]  # of each weight's ties: how many go with them
            gone[1:] += np.append(ends.sum(axis=0), len(rows) * self.units)
        return gone.astype(np.uint32)

    def _spread(self, keys: Keys) -> Keys:
        """One value a cell to one value a weight."""
        height, width = self.cell
        return keys if self.cell == (1, 1) else np.repeat(np.repeat(keys, width, axis=1), height, axis=0)


def prune_order(scores: ArrayLike, pattern: Pattern, within: Within = "tensor") -> PruneOrder:
    """Prepare the masks of ``scores``, (rows, columns), compared in float32; infinite scores go last.

    Rows, columns and blocks are ranked by their sums, which numpy takes in float32. ``within`` is for unstructured:
    ``"tensor"`` is the trainer's comparison over the whole layer; ``"row"`` is **not** the trainer's but that of
    Wanda's paper (Sun et al. 2023, arXiv:2306.11695), in which each row (output) loses
    ``trunc(f32(columns) * f32(sparsity))`` weights, and those that tie with the last of them. WeightsError for scores
    that are NaN, for another shape, and for a pattern that does not fit it or goes without ``within="row"``.
    """
    grid = _score_grid(scores)
    check_within(within, pattern)
    rows, columns = grid.shape
    check_fit((rows, columns), pattern)
    match pattern:
        case Unstructured() if within == "row":
            return PruneOrder((rows, columns), pattern, columns, grid, np.sort(grid, axis=1))
        case Unstructured():
            ordered = np.sort(grid, axis=None)
            return PruneOrder((rows, columns), pattern, grid.size, grid, ordered, ordered)
        case NM():
            return _group_order(grid, pattern)
        case _:
            cell = unit_cell((rows, columns), pattern)
            return unit_order((rows, columns), pattern, unit_sums(grid, cell))


def unit_order(shape: tuple[int, int], pattern: Pattern, sums: NDArray[np.float32]) -> PruneOrder:
    """The order of whole rows, columns or blocks by their ``sums``; of equals, the first goes first."""
    ranks, ordered = np.empty(sums.size, np.uint32), np.arange(sums.size, dtype=np.uint32)
    by_sum = np.argsort(sums, axis=None, kind="stable")
    ranks[by_sum] = ordered
    keys, cell = ranks.reshape(sums.shape), unit_cell(shape, pattern)
    return PruneOrder(shape, pattern, sums.size, keys, ordered, sums.ravel()[by_sum], cell)


def _score_grid(scores: ArrayLike) -> NDArray[np.float32]:
    given = as_array(scores, "scores")
    if given.ndim != 2 or not given.size or given.dtype.kind != "f":
        raise WeightsError(f"scores must be a matrix of floats, not {given.dtype} of shape {list(given.shape)}")
    with np.errstate(over="ignore", under="ignore"):
        grid = np.ascontiguousarray(given, np.float32)
    if not grid.min() > -np.inf:  # also if it is NaN, which has no place in an order
        raise WeightsError(f"scores must be numbers above -inf: {np.count_nonzero(~(grid > -np.inf)):,} are not")
    return grid


def check_within(within: str, pattern: Pattern) -> None:
    """WeightsError for an unknown comparison, and for rows by themselves where whole units go."""
    if within not in get_args(Within):
        raise WeightsError(f"within is {' or '.join(map(repr, get_args(Within)))}, not {within!r:.40}")
    if within == "row" and not isinstance(pattern, Unstructured):
        raise WeightsError(f"within='row' goes with Unstructured, not with {pattern!r:.60}: leave within out")


def _places(keys: Keys, ordered: Keys) -> NDArray[np.uint32]:
    """How many of ``ordered`` are below each of ``keys``, both of one dimension."""
    places = np.empty(keys.size, np.uint32)
    for start in range(0, keys.size, _BAND):
        band = keys[start : start + _BAND]
        by_key = np.argsort(band)  # looked up in order, neighbours share cache lines: 3.5 times as quick
        places[start + by_key] = np.searchsorted(ordered, band[by_key], side="left")
    return places


def _runs(ordered: Keys) -> NDArray[np.uint32]:
    """(n, 2): [start, end) of each run of equal values, found in bands: one bit a value is all that is kept."""
    found, before = [], False  # where a run begins or ends, and whether the last value was tied with the one before
    for start in range(1, ordered.size, _BAND):
        band = ordered[start - 1 : start + _BAND]
        tied = band[1:] == band[:-1]
        found.append(np.flatnonzero(np.diff(tied, prepend=before)) + start - 1)
        before = bool(tied[-1])
    edges = np.concatenate([*found, np.full(int(before), ordered.size - 1)]).astype(np.uint32).reshape(-1, 2)
    edges[:, 1] += 1
    return edges


def _group_order(grid: NDArray[np.float32], pattern: NM) -> PruneOrder:
    rows, columns = grid.shape
    keep = keep_highest(grid.reshape(-1, pattern.m), pattern.n)
    # one key stands for all that go: the count is always 1
    return PruneOrder((rows, columns), pattern, 1, keep.reshape(grid.shape), np.zeros(1, np.uint8))


def order_or_reason(scores: ArrayLike, pattern: Pattern | str, within: Within = "tensor") -> PruneOrder | str:
    """The prune order, or why the pattern does not fit; a ``pattern`` that is a reason already stays one."""
    try:
        return pattern if isinstance(pattern, str) else prune_order(scores, pattern, within)
    except WeightsError as error:
        return str(error)
