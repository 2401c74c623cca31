"""One parameter that is pruned: its matrices, the bits of what is kept, and how what has gone is held at zero."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import ParamSpec

import numpy as np
import torch
from torch import Tensor

from entrenar_viz.masks.order import Within
from entrenar_viz.models.layout import Layout, expert_name
from entrenar_viz.plan.layer_targets import LayerTargets
from entrenar_viz.torch.scores_on_device import Score, as_float32, kept

Given = ParamSpec("Given")
_INTEGERS = {1: torch.int8, 2: torch.int16, 4: torch.int32, 8: torch.int64}  # by the bytes of a number


def _normally(function: Callable[Given, None]) -> Callable[Given, None]:
    """Without gradients, and with tensors that can be changed later, also where a loop is in ``inference_mode``."""
    return torch.inference_mode(False)(torch.no_grad()(function))


@dataclass(frozen=True, eq=False)
class PrunedMatrix:
    """One matrix of a parameter: the name that it is planned by, and what scores it; None if it is left whole."""

    name: str
    score: Score | None


@dataclass(eq=False)
class PrunedLayer:
    """A parameter, and the names that it has in the model: several where it is tied.

    ``parts`` has a matrix for each of the experts of ``layout``, or the one. ``bits`` are integers as wide
    as the weights, all ones where a weight is kept and 0 where it has gone; None until the first update. A weight and
    its bits, taken together by a bitwise "and", are the weight itself or +0, whatever was in it, NaN too. That is
    several times as quick as ``masked_fill_`` (``benchmarks/pruner.py``).
    """

    names: list[str]
    parameter: torch.nn.Parameter
    layout: Layout
    parts: list[PrunedMatrix]
    targets: LayerTargets
    within: Within
    bits: Tensor | None = None

    @property
    def name(self) -> str:
        """The first of its names."""
        return self.names[0]

    @property
    def has_its_shape(self) -> bool:
        """Whether the parameter is still of the shape that it is pruned in."""
        stacked = (self.layout.experts,) if self.layout.experts else ()
        return tuple(self.parameter.shape) == stacked + self.layout.stored

    @_normally
    def hold(self) -> None:
        """Set to zero what has gone, whatever the optimizer has made of it."""
        self._clear(self.parameter)

    @_normally
    def hold_gradient(self) -> None:
        """Set to zero the gradient of what has gone."""
        gradient = self.parameter.grad
        if gradient is None:
            return
        if gradient.is_sparse:  # of an embedding: some of its rows
            gradient = self.parameter.grad = gradient.coalesce()
            self._clear(gradient.values(), gradient.indices().unbind())
        else:
            self._clear(gradient)

    def _clear(self, numbers: Tensor, places: tuple[Tensor, ...] = ()) -> None:
        if self.bits is not None:
            integers = _as_integers(numbers)
            self.bits = self.bits.to(integers.device, integers.dtype)  # the model may have been moved since
            integers.bitwise_and_(self.bits[places] if places else self.bits)

    @_normally
    def check(self) -> None:
        """WeightsError for weights that are to be pruned and not finite."""
        for part, (name, matrix) in zip(self.parts, self.matrices(), strict=True):
            if part.score is not None:
                as_float32(matrix, name)

    @_normally
    def update(self, applied: float) -> None:
        """Prune weights that ``check`` has seen to be finite; what has gone stays gone.

        ``applied`` is the sparsity of all that the schedule has come to.
        """
        new = torch.empty_like(_as_integers(self.parameter))
        for index, (part, (_, matrix)) in enumerate(zip(self.parts, self.matrices(), strict=True)):
            place = new[index] if self.layout.experts else new
            asked = self.targets.asked(part.name, applied)
            if part.score is None or not asked:
                place.fill_(-1)  # has all of its bits set
                continue
            keep = kept(part.score(matrix.to(torch.float32)), asked, self.targets.pattern(part.name), self.within)
            torch.neg(self.layout.back(keep).to(new.dtype), out=place)
        self.bits = new if self.bits is None else self.bits.bitwise_and_(new)
        self.hold()

    def matrices(self) -> Iterator[tuple[str, Tensor]]:
        """The name and the view as (out, rest) of each matrix."""
        weights = self.parameter.detach()
        if not self.layout.experts:
            yield self.name, self._turned(weights)
        for index in range(self.layout.experts):
            yield expert_name(self.name, index), self._turned(weights[index])

    def _turned(self, stored: Tensor) -> Tensor:
        turned = self.layout.turned(stored)
        return turned.reshape(len(turned), -1)

    @property
    def mask(self) -> Tensor:
        """True = keep, in the shape of the parameter and on its device."""
        return torch.ones_like(self.parameter, dtype=torch.bool) if self.bits is None else self.bits != 0

    @property
    def gone(self) -> int:
        """How many weights have gone."""
        return 0 if self.bits is None else self.parameter.numel() - int(self.bits.count_nonzero())

    def packed(self) -> Tensor | None:
        """The mask at a bit a weight, uint8, on the CPU; None before the first update."""
        return None if self.bits is None else torch.from_numpy(np.packbits(self.mask.cpu().numpy()))

    @_normally
    def unpack(self, packed: Tensor | None) -> None:
        """Take the mask that ``packed`` has given, and hold it."""
        if packed is None:
            self.bits = None
            return
        flat = np.unpackbits(packed.cpu().numpy(), count=self.parameter.numel()).astype(np.int8)
        mask = torch.from_numpy(flat).reshape(self.parameter.shape).to(self.parameter.device)
        self.bits = torch.empty_like(_as_integers(self.parameter)).copy_(mask).neg_()
        self.hold()


def _as_integers(parameter: Tensor) -> Tensor:
    return parameter.detach().view(_INTEGERS[parameter.element_size()])
