"""What people hold in memory: arrays of numpy, JAX and PyTorch, lists of them, nested dicts of them, modules.

Nothing is copied, converted or moved to another device before it is read.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from entrenar_viz.errors import WeightsError
from entrenar_viz.models.tensor_files import Stored, blame, shown
from entrenar_viz.models.torch_tensors import as_numpy, is_module, is_tensor, stored_module, stored_tensor

DEEPEST = 64  # a dict in a dict in a dict ...: deeper ones hold themselves
UNKNOWN_SIDES = "nothing tells which side is out: taken as (out, in)"


def in_memory(source: object) -> dict[str, Stored]:
    """What ``source`` holds as if it were stored in a file, by name.

    A single array is called ``weights``. Names in dicts are joined by dots, what is in a list is numbered from 0.
    WeightsError for names that are no text, and for two tensors that would have one name.
    """
    if is_module(source):
        return stored_module(source)
    if not isinstance(source, Mapping) and not is_list_of_arrays(source):
        return {"weights": _stored(source, "weights")}
    with blame("arrays"):
        arrays = flattened(source)
    return _with_sides({name: _stored(value, name) for name, value in arrays.items()})


def flattened(source: object, *, any_key: bool = False) -> dict[str, object]:
    """The arrays in nested dicts and lists by their names, joined by dots.

    ValueError if two get one name, and for a key that is neither text nor a number, unless ``any_key`` will do.
    """
    found: dict[str, object] = {}
    for keys, value in _leaves(source, ()):
        if not any_key and (odd := [key for key in keys if not isinstance(key, (str, int))]):
            raise ValueError(f"names of tensors are text, not {shown(odd[0])}")
        name = ".".join(map(str, keys))
        if name in found:
            raise ValueError(f"two tensors would be called {shown(name)}")
        found[name] = value
    return found


def is_list_of_arrays(source: object, depth: int = 0) -> bool:
    """Whether ``source`` is a list of several tensors, not one array written as a list of numbers or of its rows."""
    if not isinstance(source, (list, tuple)) or (source and isinstance(source[0], (int, float))):
        return False
    if depth > DEEPEST:
        return True
    least = 1 if depth else 2  # vectors are the rows of one array, but below a name Keras has a layer's vectors there
    return any(
        isinstance(item, Mapping) or _dimensions(item) >= least or is_list_of_arrays(item, depth + 1) for item in source
    )


def as_array(value: object, where: str) -> NDArray[Any]:
    """``value`` as numpy sees it, not copied if it is an array; WeightsError if numpy cannot make one of it."""
    with blame(where):
        array: NDArray[Any] = as_numpy(value) if is_tensor(value) else np.asarray(value)
    if isinstance(value, np.ma.MaskedArray):
        raise WeightsError(f"{where}: a masked array would lose its mask, fill it first")
    return array


def _leaves(value: object, keys: tuple[object, ...]) -> Iterator[tuple[tuple[object, ...], object]]:
    if len(keys) > DEEPEST:
        way = ".".join(map(str, keys[:3]))
        raise ValueError(f"{shown(way)} and so on goes more than {DEEPEST} levels down")
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _leaves(inner, (*keys, key))
    elif isinstance(value, (list, tuple)) and is_list_of_arrays(value, len(keys)):
        for number, inner in enumerate(value):
            yield from _leaves(inner, (*keys, number))
    else:
        yield keys, value


def _dimensions(value: object) -> int:
    shape = getattr(value, "shape", ())
    return len(shape) if isinstance(shape, tuple) else 0


def _stored(value: object, name: str) -> Stored:
    if is_tensor(value):
        return stored_tensor(value)
    dtype, shape = getattr(value, "dtype", None), getattr(value, "shape", None)
    if not isinstance(value, np.ndarray) and isinstance(dtype, np.dtype) and isinstance(shape, tuple):
        return Stored(shape, dtype.name, partial(np.asarray, value))  # of JAX, on whatever device it is
    array = as_array(value, shown(name))
    if array.dtype == object and not isinstance(value, np.ndarray):
        hint = ", make it a dict or a list first" if isinstance(value, Iterator) else ""
        why = f"{type(value).__name__}: no array of numbers{hint}"
        return Stored((), "", partial(np.asarray, array), refused=why)
    return Stored(array.shape, array.dtype.name, partial(np.asarray, array), part=partial(rows_of, array))


def rows_of(array: NDArray[Any], start: int, stop: int) -> NDArray[Any]:
    """A view of some rows."""
    return array[start:stop]


def _with_sides(stored: dict[str, Stored]) -> dict[str, Stored]:
    """The same; of arrays that are only numbered, which side is out as the biases behind them tell.

    A bias has as many entries as there are outputs. Keras's ``get_weights`` gives kernels (in, out), each with its
    bias behind it. Where the biases of a list contradict each other, or there is none, nothing is known.
    """
    numbered = [name for name in stored if name.rpartition(".")[2].isdigit()]
    shapes = [stored[name].shape for name in numbered]
    sides = {_side(matrix, bias[0]) for matrix, bias in pairwise(shapes) if len(bias) == 1} - {""}
    if sides == {"first"}:
        return stored
    matrices = {name: stored[name] for name in numbered if len(stored[name].shape) > 1}
    if sides != {"last"}:
        return stored | {name: replace(one, note=UNKNOWN_SIDES) for name, one in matrices.items()}
    before, behind = dict(zip(numbered[1:], shapes, strict=False)), dict(zip(numbered, shapes[1:], strict=False))
    kinds = {name: _kind(one.shape, before.get(name, ()), behind.get(name, ())) for name, one in matrices.items()}
    return stored | {name: replace(one, kind=kinds[name]) for name, one in matrices.items()}


def _kind(shape: tuple[int, ...], before: tuple[int, ...], behind: tuple[int, ...]) -> str:
    """What an array of Keras is, by its neighbours: into the heads of attention goes (in, heads, size) and its bias."""
    if len(shape) == 2 and len(before) == 3 and before[1:] == shape:
        return "bias"
    return "query_kernel" if len(shape) == 3 and behind == shape[1:] else "kernel"


def _side(matrix: tuple[int, ...], outputs: int) -> str:
    """Which side of ``matrix`` has so many outputs: ``first``, ``last``, or an empty text if it cannot be told."""
    if len(matrix) < 2 or (matrix[0] == outputs) == (matrix[-1] == outputs):
        return ""
    return "first" if matrix[0] == outputs else "last"
