"""The trial that a rehearsal makes unless it is given another: a perceptron on small data, in well under a second."""

import operator
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from math import isnan
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from entrenar_viz.errors import EntrenarVizError
from entrenar_viz.models.handwritten_digits import Digits, digits
from entrenar_viz.models.in_memory import as_array
from entrenar_viz.rehearsal.network import Network, weight_shapes
from entrenar_viz.rehearsal.trial_pruner import TrialPruner

WIDTHS = (128, 64)
BATCH = 64
HELD_OUT = 4  # a quarter
MOST_WIDTHS, WIDEST = 20, 1 << 14
LARGEST = 1e30  # number in X: squares of what is standardized still fit
_TURNS: dict[int, Lock] = {}  # by process


@dataclass(frozen=True, eq=False)
class SmallTraining:
    """Trains a perceptron with hidden layers of ``widths`` on ``data``, or on the handwritten digits if that is None.

    The weights at the start and the batches follow from the seed alone, whatever is pruned: trials of a seed are pairs.
    Adam with its usual numbers, batches of 64, each row once an epoch. Trials in several threads take turns: otherwise
    they would wait for Python's lock at each of their small operations, which takes longer than one after the other.
    """

    data: Digits | None = None
    widths: tuple[int, ...] = WIDTHS

    def __call__(self, pruner: TrialPruner, seed: int) -> Iterator[tuple[int, float]]:
        """Train for the steps of ``pruner``, and tell the accuracy on what is held out at its readings."""
        data, rng = self.rows, np.random.default_rng(seed)
        network = Network(self.layer_widths(), rng)
        batches = _batches(len(data.x_train), rng)
        for reading in pruner.readings:
            with _turn():
                while pruner.step_count < reading:
                    batch = next(batches)
                    network.step(data.x_train[batch], data.y_train[batch])
                    pruner.step(network.weights, network.entering)
                accuracy = network.accuracy(data.x_test, data.y_test)
            yield reading, accuracy

    @property
    def rows(self) -> Digits:
        """What it trains on and what is held out."""
        return _digits() if self.data is None else self.data

    def layer_widths(self) -> tuple[int, ...]:
        """The inputs, the hidden layers and the classes."""
        return (self.rows.x_train.shape[1], *self.widths, int(self.rows.y_train.max()) + 1)

    def shapes(self) -> dict[str, tuple[int, int]]:
        """Those of its layers by name, (out, in)."""
        return weight_shapes(self.layer_widths())

    def left_whole(self, pruner: TrialPruner) -> dict[str, str]:
        """Which layers ``pruner`` leaves whole, with the reasons; EntrenarVizError if it can prune none."""
        shapes = self.shapes()
        reasons = pruner.reasons(shapes)
        if len(reasons) == len(shapes):
            raise EntrenarVizError(f"no layer of {self.network()} can be pruned: {next(iter(reasons.values()))}")
        return reasons

    def network(self) -> str:
        """``a 64-128-64-10 network``."""
        return f"a {'-'.join(map(str, self.layer_widths()))} network"

    def in_words(self) -> str:
        """What is trained on what."""
        what = "the handwritten digits" if self.data is None else "the data given"
        trained, held = len(self.rows.x_train), len(self.rows.x_test)
        return f"{self.network()} on {what}: {trained:,} rows to train on, {held:,} held out"

    def grain(self) -> float:
        """The smallest difference of accuracies: one row of those held out."""
        return 1 / len(self.rows.x_test)

    def digest(self) -> str:
        """16 hexadecimal digits that are others for other data or other widths."""
        found = sha256(repr(self.layer_widths()).encode())
        for part in self.rows:
            found.update(f"{part.shape} {part.dtype.str}".encode() + part.tobytes())
        return found.hexdigest()[:16]


def _turn() -> Lock:
    """The lock of this process: one that was forked must not wait for a thread that it does not have."""
    return _TURNS.setdefault(os.getpid(), Lock())


@cache
def _digits() -> Digits:
    return digits()


def _batches(rows: int, rng: np.random.Generator) -> Iterator[NDArray[np.int64]]:
    """Indices of batches without end; rows that do not fill a batch wait for the next epoch."""
    size = min(BATCH, rows)
    while True:
        order = rng.permutation(rows)
        for start in range(0, rows - size + 1, size):
            yield order[start : start + size]


def small_training(x: ArrayLike | None, y: ArrayLike | None, widths: Sequence[int]) -> SmallTraining:
    """The training on rows ``x`` with the classes ``y``, or on the digits if both are None.

    ``x`` (rows, ...) is viewed as (rows, inputs) and standardized by the mean and deviation of what is trained on; of
    each class a quarter of the rows is held out, always the same. EntrenarVizError for what cannot be trained on.
    """
    hidden = _checked_widths(widths)
    if x is None and y is None:
        return SmallTraining(None, hidden)
    if x is None or y is None:
        raise EntrenarVizError("X and y go together: rows and their classes; without both, the digits are used")
    return SmallTraining(_split(*_checked(x, y)), hidden)


def _checked_widths(widths: Sequence[int]) -> tuple[int, ...]:
    try:
        hidden = tuple(operator.index(width) for width in widths)
    except TypeError:
        hidden = (0,)
    if len(hidden) > MOST_WIDTHS or not all(1 <= width <= WIDEST for width in hidden):
        raise EntrenarVizError(f"widths are those of hidden layers, such as (128, 64), not {widths!r:.60}")
    return hidden


def _checked(x: ArrayLike, y: ArrayLike) -> tuple[NDArray[Any], NDArray[np.int64]]:
    """Rows as they are, (rows, inputs), and the number of the class of each."""
    given = as_array(x, "X")
    if given.ndim < 2 or given.dtype.kind not in "fiub" or not given.size:
        raise EntrenarVizError(f"X must be numbers (rows, inputs), not {given.dtype} of shape {list(given.shape)}")
    rows = given.reshape(len(given), -1)
    fits = np.abs(rows) <= np.float64(LARGEST)  # and is no nan
    if wrong := np.flatnonzero(~fits.all(axis=1)).tolist():
        more = f", and {len(wrong) - 1:,} others" if len(wrong) > 1 else ""
        raise EntrenarVizError(f"X must be finite numbers up to {LARGEST:g}: row {wrong[0]:,} is not{more}")
    return rows, _classes(y, len(rows))


def _classes(y: ArrayLike, rows: int) -> NDArray[np.int64]:
    try:
        labels = np.asarray(y)
        names, classes = np.unique(labels, return_inverse=True)
    except (TypeError, ValueError):  # what cannot be sorted, or is of several lengths
        raise EntrenarVizError("y must be classes of one kind: all numbers, or all strings, and none missing") from None
    if labels.shape != (rows,):
        raise EntrenarVizError(f"y must have a class for each of the {rows:,} rows, not shape {list(labels.shape)}")
    if any(isinstance(name, float) and isnan(name) for name in names.tolist()):
        raise EntrenarVizError("y must have a class for each row: some are nan")
    if len(names) < 2 or len(names) > rows // 2:
        raise EntrenarVizError(f"y must be classes, at least 2 of them and few to a row: it has {len(names):,} values")
    return classes.astype(np.int64)


def _split(rows: NDArray[Any], classes: NDArray[np.int64]) -> Digits:
    order = np.random.default_rng(0).permutation(len(rows))
    held = np.zeros(len(rows), bool)
    for number in range(int(classes.max()) + 1):
        of_class = order[classes[order] == number]
        held[of_class[: len(of_class) // HELD_OUT]] = True
    if not held.any():
        raise EntrenarVizError("no class has the 4 rows of which one can be held out: give more rows")
    train = rows[~held].astype(np.float64)  # in float32 columns such as years or times would have no digits left
    mean, deviation = train.mean(axis=0), train.std(axis=0)
    unit = np.where(deviation > 0, deviation, 1)
    x_train, x_test = (((part - mean) / unit).astype(np.float32) for part in (train, rows[held]))
    return Digits(x_train, classes[~held], x_test, classes[held])
