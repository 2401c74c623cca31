"""How what is pruned lies in a tensor: which axes are the outputs, and whether experts are stacked in it.

Names and the class of the module are all there is to tell; where they do not, a tensor is (out, in, ...) as PyTorch
keeps it.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeVar

import numpy as np

KERNELS = (  # of Keras and Flax: inputs first
    *("kernel", "pointwise_kernel", "recurrent_kernel", "depthwise_kernel"),
    "query_kernel",  # what is known to lead into heads without a name that says so
)
_OUTPUTS_BEFORE_INPUTS = re.compile(r"depthwise|conv\dd_transpose")  # layers of Keras: (height, width, out, in)
_ONE_EXPERT = re.compile(r"experts[./]\d+[./]")
_INTO_HEADS = ("query", "key", "value")  # attention in Keras and Flax: a kernel (in, heads, size of a head)
_OUT_OF_HEADS = ("attention_output", "out", "output")  # (heads, size of a head, out)
_INPUTS_FIRST = (  # classes that keep (in, out), and the operations of ONNX that take it so
    *("Conv1D", "GptOssExperts", "Llama4TextExperts"),
    *("MatMul", "Gemm without transB"),
)


Array = TypeVar("Array")  # of numpy, or a tensor of PyTorch, which is not imported here


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

    def turned(self, stored: Array) -> Array:
        """A stored matrix with the outputs first, in ``shape``; of numpy or PyTorch."""
        turned: Array = _permuted(stored, self.stored, self.axes).reshape(self.shape)
        return turned

    def back(self, turned: Array) -> Array:
        """A matrix of ``shape``, or its mask, as it is stored; of numpy or PyTorch."""
        between = tuple(self.stored[axis] for axis in self.axes)
        stored: Array = _permuted(turned, between, tuple(int(axis) for axis in np.argsort(self.axes)))
        return stored


def _permuted(array: Any, shape: tuple[int, ...], axes: tuple[int, ...]) -> Any:
    """``array`` in ``shape``, with its axes in that order, which PyTorch calls by another name."""
    array = array.reshape(shape)
    return array.transpose(axes) if isinstance(array, np.ndarray) else array.permute(axes)


@lru_cache(maxsize=1 << 14)
def layout_of(name: str, shape: tuple[int, ...], kind: str = "") -> Layout:
    """The layout of the tensor ``name`` of two or more dimensions; ``kind`` is the class of its module, if known.

    - ``kernel`` as the last part of a name, or as the kind, is that of Keras and Flax: (in, out), or (height, width,
      in, out). Depthwise convolutions have (height, width, in, multiplier), and those that Keras calls
      ``conv2d_transpose`` (height, width, out, in).
    - Three dimensions below ``experts`` or a mixture of experts (``moe``) are (experts, out, in).
    - Of classes, transposed convolutions, ``Conv1D`` of transformers, two kinds of experts and the products of ONNX
      keep (in, out, ...).

    >>> layout_of("dense.kernel", (784, 10)).shape, layout_of("conv.kernel", (3, 3, 16, 32)).shape
    ((10, 784), (32, 16, 3, 3))
    >>> layout_of("layers.0.mlp.experts.down_proj", (8, 64, 32))
    Layout(stored=(64, 32), axes=(0, 1), shape=(64, 32), experts=8)
    """
    experts = shape[0] if len(shape) == 3 and is_of_experts(name, kind) else 0
    each = shape[1:] if experts else shape
    axes = tuple(range(len(each)))
    if len(each) < 2:
        return Layout(each, axes, each)
    if kernel_of(name, kind):
        return _kernel(_parts(name), each, experts, kernel_of(name, kind))
    if kind in _INPUTS_FIRST or kind.startswith("ConvTranspose"):
        axes = (1, 0, *axes[2:])
    return Layout(each, axes, tuple(each[axis] for axis in axes), experts)


def kernel_of(name: str, kind: str = "") -> str:
    """Which of KERNELS a tensor is by its name or kind, an empty text if it is none."""
    found = kind if kind in KERNELS else _parts(name)[-1]
    return found if found in KERNELS else ""


def is_of_experts(name: str, kind: str = "") -> bool:
    """Whether a tensor belongs to a mixture of experts, and not to a convolution or to one of its experts (``.0.``)."""
    if kind.startswith("Conv") or _ONE_EXPERT.search(name.lower()):
        return False
    return "Experts" in kind or any("experts" in part or part.split("_")[-1] == "moe" for part in _parts(name))


def _kernel(parts: list[str], each: tuple[int, ...], experts: int, kernel: str) -> Layout:
    holders = [part.removesuffix("_dense") for part in parts[-3:]]
    if len(each) == 3 and (kernel == "query_kernel" or any(part in _INTO_HEADS for part in holders)):
        return Layout(each, (1, 2, 0), (each[1] * each[2], each[0]))
    if len(each) == 3 and any(part in _OUT_OF_HEADS for part in holders):
        return Layout(each, (2, 0, 1), (each[2], each[0] * each[1]))
    *spatial, last_but_one, last = range(len(each))
    where = ".".join((*holders, kernel)) if spatial else ""
    axes = (last_but_one, last, *spatial) if _OUTPUTS_BEFORE_INPUTS.search(where) else (last, last_but_one, *spatial)
    shape = tuple(each[axis] for axis in axes)
    if "depthwise" in where:
        shape = (shape[0] * shape[1], *shape[2:])  # each input has outputs of its own
    return Layout(each, axes, shape, experts)


def expert_name(name: str, index: int) -> str:
    """What the matrix of one expert in the tensor ``name`` is called.

    >>> expert_name("mlp.experts.down_proj", 3)
    'mlp.experts.down_proj[3]'
    """
    return f"{name}[{index}]"


@lru_cache(maxsize=1 << 14)
def _parts(name: str) -> list[str]:
    return name.lower().replace("/", ".").removesuffix(":0").split(".")
