"""Weight matrices: samples that come with the package, arrays, and model files.

Whatever cannot be read or pruned raises WeightsError with the file, the tensor and the reason.
"""

import math
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache, partial
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from entrenar_viz.errors import WeightsError
from entrenar_viz.models.checkpoints import open_checkpoint
from entrenar_viz.models.in_memory import in_memory, is_list_of_arrays, rows_of
from entrenar_viz.models.matrices import matrices
from entrenar_viz.models.tensor_files import FLOATS, Stored, blame, first_reasons, shown
from entrenar_viz.models.torch_tensors import QUANTIZED, is_module, unwrapped

Matrix = NDArray[np.floating[Any]]  # 2-D, (out, rest), float32, C-contiguous, read-only

_QUANTIZED_FORMATS = re.compile(r"q.*|u?int[1-8]|[ui][1-8]|f[46]|(f|float)[46]_.*|(f|float)8_e8m0.*")

# What the samples are, in the order in which they are offered.
SAMPLES: dict[str, str] = {
    "digits network": "trained on scikit-learn's handwritten digits: three real layers",
    "gaussian": "Kaiming initialisation, 256 x 256: a network before training",
    "outlier columns": "heavy tails and a few large columns, 256 x 256: as in large language models",
    "low rank": "rank 8 plus noise, 256 x 256: rows and columns differ in strength",
}


class Tensors:
    """The tensors of one source, read when asked for: ``for name in tensors: tensors.matrix(name)``.

    ``source`` is the name to show, ``names`` lists what can be pruned (2-D or more, not empty, floating point) in the
    order of the source, of a checkpoint with its blocks by number; ``skipped`` has the reason for each of the others,
    ``notes`` what was done to some: turned, so that outputs come first, or taken out of a stack of experts. Names are
    text from outside: never HTML.
    """

    def __init__(self, source: str, stored: Mapping[str, Stored]) -> None:
        self.source = source
        self._stored = dict(stored)
        reasons = {name: not_prunable(one) for name, one in self._stored.items()}
        self.skipped: dict[str, str] = {name: reason for name, reason in reasons.items() if reason}
        self.names: list[str] = [name for name, reason in reasons.items() if not reason]
        self.notes: dict[str, str] = {name: one.note for name in self.names if (one := self._stored[name]).note}
        if not self.names:
            why = first_reasons(self.skipped)
            raise WeightsError(f"{source}: no tensor here can be pruned ({why or 'there is none at all'})")

    def shape(self, name: str) -> tuple[int, ...]:
        """The shape, (out, in) or (out, in, ...); WeightsError if there is no such tensor."""
        return self._find(name).shape

    def kind(self, name: str) -> str:
        """The class of the module, or the operation, that the tensor belongs to, empty where nothing tells."""
        return self._find(name).kind

    def dtype(self, name: str) -> str:
        """The number format as stored, by its numpy name (``bfloat16``); WeightsError if there is no such tensor."""
        return self._find(name).dtype

    def nbytes(self, name: str) -> int:
        """The bytes of a tensor as stored; WeightsError if it does not hold weights, or there is no such tensor."""
        found = self._find(name)
        if found.dtype not in FLOATS:
            raise WeightsError(f"{found.file or self.source}: {shown(name)}: {not_prunable(found)}")
        return math.prod(found.shape) * FLOATS[found.dtype]

    def matrix(self, name: str) -> Matrix:
        """The tensor as (out, rest), float32, read now: neither it nor the file is kept.

        WeightsError if it cannot be read or pruned, or if weights are NaN, infinite or beyond float32.
        """
        found, where = self._prunable(name)
        with blame(where):  # of the memory for float32 too, which a tensor that can be read may lack
            matrix = finite_float32(found.read(), where).reshape(found.shape[0], -1)
        matrix.flags.writeable = False  # it may be the user's own array or a cached sample
        return matrix

    @property
    def files(self) -> set[str]:
        """The files that the numbers come from, by their paths; ``source`` for what is no checkpoint in shards."""
        return {self.source} | {stored.file for stored in self._stored.values() if stored.file}

    def rows(self, name: str) -> Callable[[int, int], Matrix]:
        """What reads some rows of ``matrix(name)``, ``rows(start, stop)``, and checks no others.

        Nothing is kept, except of what cannot be read in part (.npy, .npz, what is turned, an expert): the tensor as it
        is stored. WeightsError as ``matrix`` raises it, with the rows.
        """
        found, where = self._prunable(name)
        with blame(where):
            part = found.part or partial(rows_of, found.read())

        def read(start: int, stop: int) -> Matrix:
            some = where if stop - start == found.shape[0] else f"{where}: rows {start:,} to {stop - 1:,}"
            with blame(some):
                return finite_float32(part(start, stop), some, first_row=start).reshape(stop - start, -1)

        return read

    def only(self, name: str) -> "Tensors":
        """The same source with that tensor alone: small enough to be sent to another process."""
        return self.choose([name])

    def choose(self, names: Iterable[str]) -> "Tensors":
        """The same source with those tensors alone, in that order."""
        return Tensors(self.source, {name: self._find(name) for name in names})

    def changed(self, source: str, change: Callable[[Stored], Stored]) -> "Tensors":
        """The same tensors under the name ``source``, each as ``change`` makes it."""
        return Tensors(source, {name: change(stored) for name, stored in self._stored.items()})

    def _find(self, name: str) -> Stored:
        if name not in self._stored:
            raise WeightsError(f"{self.source}: has no tensor {shown(name)}")
        return self._stored[name]

    def _prunable(self, name: str) -> tuple[Stored, str]:
        found = self._find(name)
        where = f"{found.file or self.source}: {shown(name)}"
        if name in self.skipped:
            raise WeightsError(f"{where}: {self.skipped[name]}")
        return found, where

    def __getitem__(self, name: str) -> Matrix:
        return self.matrix(name)

    def __iter__(self) -> Iterator[str]:
        return iter(self.names)

    def __contains__(self, name: object) -> bool:
        return name in self.names

    def __len__(self) -> int:
        return len(self.names)


class Module(Protocol):
    """A module of PyTorch, as far as it is looked at here."""

    def named_parameters(self) -> Iterator[tuple[str, Any]]:
        """The parameters by name."""


# What load_weights takes; a dict may hold dicts.
Source = ArrayLike | Mapping[str, Any] | Sequence[Any] | Module | str | os.PathLike[str] | Tensors


def load_weights(source: Source) -> Tensors:
    """Weights from memory or from a path.

    - An array of numpy, JAX or PyTorch, a list of them, or a dict of them, also nested: names are joined by dots. A
      module of PyTorch stands for its parameters.
    - A file: .safetensors, .npz, .npy, or with an extra .pt, .pth, .bin (``torch``), .onnx (``onnx``), .h5, .keras
      (``keras``). A checkpoint in several files is its folder or its index (``model.safetensors.index.json``); a folder
      without an index stands for the one model in it.

    What keeps its inputs first, such as the kernels of Keras and Flax, is turned to (out, in), and stacked experts are
    a matrix each: ``Tensors.notes`` says so. Only headers are read here, and nothing is copied or moved to another
    device; ``Tensors.matrix`` reads the numbers. WeightsError names file, tensor and reason.

    >>> weights = load_weights({"dense": {"kernel": np.ones((784, 10)), "bias": np.ones(10)}})
    >>> weights.names, weights.shape("dense.kernel"), weights.notes["dense.kernel"]
    (['dense.kernel'], (10, 784), 'kernel (in, out), turned to (out, in)')
    """
    if isinstance(source, Tensors):
        return source
    if isinstance(source, (str, os.PathLike)):
        name, stored = open_checkpoint(source)
    elif is_module(source):
        name, stored = type(unwrapped(source)).__name__, in_memory(source)
    else:
        several = isinstance(source, Mapping) or is_list_of_arrays(source)
        name, stored = "arrays" if several else "array", in_memory(source)
    with blame(name):
        return Tensors(name, matrices(stored))


def sample(name: str) -> dict[str, Matrix]:
    """The matrices of one of SAMPLES, the same on every call; WeightsError for another name."""
    if name not in SAMPLES:
        raise WeightsError(f"no sample is called {shown(name)}: use one of {', '.join(SAMPLES)}")
    return dict(_sample(name))


def finite_float32(values: NDArray[Any], where: str, what: str = "weights", first_row: int = 0) -> NDArray[np.float32]:
    """``values`` as C-contiguous float32, copied only if needed.

    WeightsError, which starts with ``where``, for other than floating point numbers and for values that are NaN,
    infinite or beyond float32: how many, and where the first one is. ``what`` they are is for the message, as is
    ``first_row``, the place of ``values`` in what they are a part of.
    """
    if values.dtype.name not in FLOATS:
        raise WeightsError(f"{where}: {not_floating(values.dtype.name, what)}")
    with np.errstate(over="ignore", invalid="ignore"):
        single = values.astype(np.float32, order="C", copy=False)
    finite = np.isfinite(single)
    if not finite.all():
        first = tuple(int(i) for i in np.unravel_index(finite.argmin(), finite.shape))
        bad = f"{finite.size - np.count_nonzero(finite):,} of {finite.size:,} {what}"
        place = [first[0] + first_row, *first[1:]] if first else []
        raise WeightsError(f"{where}: {bad} are not finite as float32, the first is {values[first]} at {place}")
    return single


@cache
def _sample(name: str) -> dict[str, Matrix]:
    if name == "digits network":
        tensors = load_weights(Path(__file__).parent / "sample_data" / "digits.safetensors")
    else:
        tensors = load_weights({"weight": _drawn(name, np.random.default_rng(1710)).astype(np.float32)})
    return {layer: tensors.matrix(layer) for layer in tensors}


def _drawn(name: str, rng: np.random.Generator, size: int = 256) -> NDArray[np.float64]:
    """Entries of about Kaiming's standard deviation, sqrt(2 / fan_in) (He et al. 2015, arXiv:1502.01852)."""
    std = math.sqrt(2 / size)
    if name == "gaussian":
        return std * rng.standard_normal((size, size))
    if name == "outlier columns":
        columns = np.ones(size)
        columns[rng.choice(size, 6, replace=False)] = 6
        return std * columns * rng.standard_t(3, (size, size)) / math.sqrt(3)  # t(3) has variance 3
    product = rng.standard_normal((size, 8)) @ rng.standard_normal((8, size)) / math.sqrt(8)
    return std * (product + 0.1 * rng.standard_normal((size, size)))


def not_prunable(stored: Stored) -> str:
    """Why a tensor is not pruned whatever the configuration, an empty text if it can be."""
    if stored.refused:
        return stored.refused
    if stored.dtype not in FLOATS:
        return not_floating(stored.dtype)
    if len(stored.shape) < 2:
        return "1-D: biases and norms are not pruned" if stored.shape else "a single number, not a matrix"
    return "" if math.prod(stored.shape) else f"empty: shape {list(stored.shape)}"


def not_floating(dtype: str, what: str = "weights") -> str:
    """Why numbers of ``dtype``, by its numpy name or its code in a file, cannot be ``what`` they should be."""
    if dtype == "object":
        return "Python objects would have to be unpickled, which can run code: save plain numbers"
    if dtype.startswith("void"):
        return f"{dtype}: the file forgets bfloat16 and float8, save them as .safetensors"
    if what == "weights" and _QUANTIZED_FORMATS.fullmatch(dtype.lower()):
        return f"{dtype}, {QUANTIZED}"
    return f"{dtype}: {what} are float16, float32, float64, bfloat16 or float8"
