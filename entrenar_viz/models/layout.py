"""How what is pruned lies in a tensor: which axes are the outputs, and whether experts are stacked in it.

Names and the class of the module are all there is to tell; where they do not, a tensor is (out, in, ...) as PyTorch
keeps it.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

_HEADS_OF_ATTENTION = ("query", "key", "value")  # of Flax: a kernel (in, heads, size of a head)
_INPUTS_FIRST = ("Conv1D", "GptOssExperts", "Llama4TextExperts")  # classes that keep (in, out)


@dataclass(frozen=True)
class Layout:
    """Where the matrices of one tensor are.

    ``experts`` is how many are stacked along its first axis, 0 if it is one itself. ``stored`` is the shape of each as
    it is stored, ``axes`` the order of these axes that puts the outputs first, and ``shape`` what it is pruned as:
    (out, in) or (out, in, ...).
    """

    stored: tuple[int, ...]
    axes: tuple[int, ...]
    shape: tuple[int, ...]
    experts: int = 0

    @property
    def is_turned(self) -> bool:
        """Whether the outputs come first only once its axes are turned."""
        return self.axes != tuple(range(len(self.axes)))

    def turned(self, stored: NDArray[Any]) -> NDArray[Any]:
        """A stored matrix with the outputs first, in ``shape``."""
        return stored.transpose(self.axes).reshape(self.shape)

    def back(self, turned: NDArray[Any]) -> NDArray[Any]:
        """A matrix of ``shape``, or its mask, as it is stored."""
        between = tuple(self.stored[axis] for axis in self.axes)
        return turned.reshape(between).transpose(tuple(int(axis) for axis in np.argsort(self.axes)))


@lru_cache(maxsize=1 << 14)
def layout_of(name: str, shape: tuple[int, ...], kind: str = "") -> Layout:
    """The layout of the tensor ``name`` of two or more dimensions; ``kind`` is the class of its module, if known.

    - ``kernel`` as the last part of a name is that of Keras and Flax: (in, out), or (height, width, in, out).
    - Three dimensions below ``experts`` or a mixture of experts (``moe``) are (experts, out, in).
    - Of classes, transposed convolutions, ``Conv1D`` of transformers and two kinds of experts keep (in, out, ...).

    >>> layout_of("dense.kernel", (784, 10)).shape, layout_of("conv.kernel", (3, 3, 16, 32)).shape
    ((10, 784), (32, 16, 3, 3))
    >>> layout_of("layers.0.mlp.experts.down_proj", (8, 64, 32))
    Layout(stored=(64, 32), axes=(0, 1), shape=(64, 32), experts=8)
    """
    experts = shape[0] if len(shape) == 3 and _is_of_experts(name, kind) else 0
    each = shape[1:] if experts else shape
    axes = tuple(range(len(each)))
    if len(each) < 2:
        return Layout(each, axes, each)
    *_, holder, last = ("", *name.split("."))
    if last == "kernel" and len(each) == 3 and holder in _HEADS_OF_ATTENTION:
        return Layout(each, (1, 2, 0), (each[1] * each[2], each[0]))
    if last == "kernel":
        axes = (axes[-1], axes[-2], *axes[:-2])
    elif kind in _INPUTS_FIRST or kind.startswith("ConvTranspose"):
        axes = (1, 0, *axes[2:])
    return Layout(each, axes, tuple(each[axis] for axis in axes), experts)


def expert_name(name: str, index: int) -> str:
    """What the matrix of one expert in the tensor ``name`` is called.

    >>> expert_name("mlp.experts.down_proj", 3)
    'mlp.experts.down_proj[3]'
    """
    return f"{name}[{index}]"


def _is_of_experts(name: str, kind: str) -> bool:
    parts = name.lower().split(".")
    return "Experts" in kind or any("experts" in part or part.split("_")[-1] == "moe" for part in parts)
