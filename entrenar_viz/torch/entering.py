"""What enters one call of a layer, seen as rows: one column for each column of the weights viewed as (out, rest).

Rows of a convolution are its unfolded patches. They are never laid out as a whole: norms and single rows do without.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor, nn
from torch.nn import functional

BAND = 1 << 18  # numbers squared in float64 at a time: temporaries stay in the cache
_CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.Conv3d)
_TRANSPOSED = (nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)


class Entering(Protocol):
    """The rows of one call of a layer."""

    @property
    def count(self) -> int:
        """How many rows there are."""

    def squares(self) -> Tensor:
        """(columns,), float64: the squares of all rows, added up."""

    def take(self, places: Tensor) -> Tensor:
        """(n, columns): the rows at ``places`` (n,), counted from 0."""


@dataclass(frozen=True, eq=False)
class Rows:
    """What enters a linear layer: ``matrix`` is (rows, columns)."""

    matrix: Tensor

    @property
    def count(self) -> int:
        """How many rows there are."""
        return len(self.matrix)

    def squares(self) -> Tensor:
        """(columns,), float64: the squares of all rows, added up."""
        return _squares(self.matrix)

    def take(self, places: Tensor) -> Tensor:
        """(n, columns): the rows at ``places`` (n,), counted from 0."""
        return self.matrix[places.to(self.matrix.device)]


@dataclass(frozen=True, eq=False)
class Patches:
    """What enters ``convolution``, not grouped: ``images`` is (batch, channels, *sizes), not yet padded.

    A row is the patch of one output position, batch first; its columns are (channels, *kernel), as in the weights.
    """

    images: Tensor
    convolution: nn.Conv1d | nn.Conv2d | nn.Conv3d

    @property
    def count(self) -> int:
        """How many rows there are."""
        return math.prod(self._grid)

    def squares(self) -> Tensor:
        """(columns,), float64: the squares of all rows, added up; over the batch first, and over the patches then."""
        positions = tuple(range(len(self.convolution.kernel_size) + 1))
        return self._windows(_squares(self.images)[None]).sum(positions).reshape(-1)

    def take(self, places: Tensor) -> Tensor:
        """(n, columns): the rows at ``places`` (n,), counted from 0."""
        patches: Tensor = self._windows(self.images)[torch.unravel_index(places.to(self.images.device), self._grid)]
        return patches.reshape(len(places), -1)

    @property
    def _grid(self) -> tuple[int, ...]:
        """(batch, *positions)."""
        positions = self._windows(self.images[:1, :1]).shape
        return (len(self.images), *positions[1 : len(self.convolution.kernel_size) + 1])

    def _windows(self, images: Tensor) -> Tensor:
        """(batch, *positions, channels, *kernel), a view of the padded images."""
        found, kernel = _padded(images, self.convolution), self.convolution.kernel_size
        for axis, size in enumerate(kernel):
            dilation, stride = self.convolution.dilation[axis], self.convolution.stride[axis]
            found = found.unfold(axis + 2, dilation * (size - 1) + 1, stride)[..., ::dilation]
        return found.movedim(1, len(kernel) + 1)


def entering(module: nn.Module) -> Callable[[Tensor], Entering] | str:
    """What makes rows of the input of ``module``, if it multiplies its ``weight`` by them; else why there are none."""
    kind = type(module).__name__
    if isinstance(module, nn.Linear) or kind == "Conv1D":  # of transformers, a linear layer that keeps (in, out)
        return lambda inputs: Rows(inputs.reshape(-1, inputs.shape[-1]))
    if isinstance(module, _TRANSPOSED):
        return f"{kind}: what enters a transposed convolution is not unfolded here"
    if isinstance(module, _CONVOLUTIONS):
        return _convolution(module)
    if isinstance(module, (nn.Embedding, nn.EmbeddingBag)):
        return f"{kind}: looks its rows up and multiplies nothing"
    return f"{kind} computes with it by itself: no layer is called whose input could be seen"


def _convolution(module: nn.Conv1d | nn.Conv2d | nn.Conv3d) -> Callable[[Tensor], Entering] | str:
    kind, axes = type(module).__name__, len(module.kernel_size)
    if module.groups > 1:
        return f"{kind} in {module.groups:,} groups: each has inputs of its own, and a mask one norm for each column"
    if not any(type(module).forward is plain.forward for plain in _CONVOLUTIONS):
        return f"{kind} has a forward of its own, which may see other patches than a convolution of torch"
    return lambda images: Patches(images if images.dim() == axes + 2 else images[None], module)


def _padded(images: Tensor, convolution: nn.Conv1d | nn.Conv2d | nn.Conv3d) -> Tensor:
    given, mode = convolution.padding, convolution.padding_mode
    if given == "valid":
        return images
    if isinstance(given, str):  # "same": what cannot be halved is added behind
        both = [d * (k - 1) for d, k in zip(convolution.dilation, convolution.kernel_size, strict=True)]
        sides = [(whole // 2, whole - whole // 2) for whole in both]
    else:
        sides = [(one, one) for one in given]
    around = [side for pair in reversed(sides) for side in pair]  # the last axis first
    return functional.pad(images, around, "constant" if mode == "zeros" else mode) if any(around) else images


def _squares(items: Tensor) -> Tensor:
    """The squares of ``items`` added up over the first axis, in float64, on the CPU where the device has none (mps)."""
    total = torch.zeros(items.shape[1:], dtype=torch.float64, device="cpu" if items.is_mps else items.device)
    for band in torch.split(items, max(BAND // max(total.numel(), 1), 1)):
        total += band.to(total.device).double().square().sum(0)
    return total
