"""The layers that share a budget: of a model, of what was measured of one, or names with shapes."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from fnmatch import fnmatchcase
from typing import Any

from entrenar_viz.errors import EntrenarVizError
from entrenar_viz.models.layer_names import place_of
from entrenar_viz.models.tensor_files import listed, shown
from entrenar_viz.models.weights import Source, Tensors, load_weights
from entrenar_viz.plan.budget import MOST_WEIGHTS
from entrenar_viz.plan.sensitivities import Sensitivity

Shapes = Mapping[str, Sequence[int]]
Layers = Source | Shapes | Sensitivity  # what ``allocate`` takes


@dataclass(frozen=True)
class Layer:
    """A layer by its name and shape, (out, in, ...); ``kind`` is the class of its module, empty where nothing tells."""

    name: str
    shape: tuple[int, ...]
    kind: str = ""

    @property
    def weights(self) -> int:
        """How many it has."""
        return math.prod(self.shape)

    @property
    def block(self) -> str:
        """The block that it belongs to; itself where its name tells of none."""
        return place_of(self.name)[0] or self.name


def layers_of(given: Layers) -> tuple[list[Layer], Tensors | None]:
    """The layers in their order, and the weights, if there are any. Errors are those of ``load_weights``."""
    if isinstance(given, Sensitivity):
        return [Layer(one.layer, one.shape, one.kind) for one in given], None
    if (shapes := _shapes(given)) is not None:
        return [Layer(name, shape) for name, shape in shapes.items()], None
    weights = load_weights(given)
    return [Layer(name, tuple(weights.shape(name)), weights.kind(name)) for name in weights], weights


def _shapes(given: Any) -> dict[str, tuple[int, ...]] | None:
    """``given`` if it is a mapping of names to shapes; None if it is something else, such as arrays."""
    if not isinstance(given, Mapping) or not given or not all(map(_is_shape, given.values())):
        return None
    for name, shape in given.items():
        if len(shape) < 2 or min(shape) < 1 or math.prod(shape) > MOST_WEIGHTS:
            what = f"(out, in) or (out, in, ...) of up to {MOST_WEIGHTS:,} weights"
            raise EntrenarVizError(f"{shown(name)}: a shape is {what}, not {tuple(shape)}")
    return {str(name): tuple(map(int, shape)) for name, shape in given.items()}


def _is_shape(value: Any) -> bool:
    return isinstance(value, (tuple, list)) and bool(value) and all(type(size) is int for size in value)


def named(wanted: Iterable[str], layers: Sequence[Layer], what: str) -> dict[str, list[str]]:
    """For each of ``wanted``, a name or a pattern with * and ?, the names of the layers that it stands for.

    EntrenarVizError, which starts with ``what`` they are wanted for, for one that stands for no layer.
    """
    if isinstance(wanted, str) or not isinstance(wanted, Iterable):
        raise EntrenarVizError(f"{what}: pass a list of names, [{wanted!r:.80}]")
    there = dict.fromkeys(layer.name for layer in layers)
    found = {}
    for name in wanted:
        found[name] = _matching(str(name), there)
        if not found[name]:
            raise EntrenarVizError(f"{what}: no layer is called {shown(name)}: {_hint(str(name), there)}")
    return found


def _hint(wanted: str, there: Mapping[str, object]) -> str:
    """What may have been meant: the tensors of a module, or the nearest name."""
    inside = [name for name in there if name.startswith(f"{wanted}.")]
    near = [f"{wanted}.*"] if inside[1:] else inside or get_close_matches(wanted, there, n=1)
    return f"did you mean {near[0]}?" if near else f"there are {listed(list(there), 3)}"


def _matching(wanted: str, there: Mapping[str, object]) -> list[str]:
    if not {"*", "?"} & set(wanted):
        return [wanted] if wanted in there else []
    pattern = wanted.replace("[", "[[]")  # experts have brackets in their names
    return [name for name in there if fnmatchcase(name, pattern)]
