"""The small network of a rehearsal: a perceptron with ReLU, trained by Adam on softmax cross-entropy, in numpy."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

Floats = NDArray[Any]
RATE, FIRST, SECOND, EPSILON = 1e-3, 0.9, 0.999, 1e-8  # of Adam, as in its paper


class Network:
    """Fully connected layers of ``widths``, from the inputs to the classes: ``fc1.weight`` (out, in), ``fc1.bias``, ...

    Weights begin as normal numbers with variance 2 / inputs (He et al. 2015, arXiv:1502.01852), biases at zero.
    ``step`` is one step of Adam (Kingma & Ba 2015, arXiv:1412.6980) on the mean cross-entropy of a batch. All
    parameters are one array, and so are their gradients and what Adam remembers: its step is a dozen operations.

    >>> network = Network([2, 3, 2], np.random.default_rng(0))
    >>> {name: values.shape for name, values in network.weights.items()}
    {'fc1.weight': (3, 2), 'fc2.weight': (2, 3)}
    """

    def __init__(self, widths: Sequence[int], rng: np.random.Generator, dtype: DTypeLike = np.float32) -> None:
        shapes = [(width, before) for before, width in pairwise(widths)]
        self.parameters: Floats = np.zeros(sum(out * inputs + out for out, inputs in shapes), dtype)
        self.gradient = np.zeros_like(self.parameters)
        self._first, self._second = np.zeros_like(self.parameters), np.zeros_like(self.parameters)
        self._work = np.empty_like(self.parameters)
        self._steps = 0
        self._layers = _views(self.parameters, shapes)
        self._gradients = _views(self.gradient, shapes)
        for weight, _ in self._layers:
            weight[:] = rng.standard_normal(weight.shape, np.float32) * np.sqrt(2 / weight.shape[1])
        self._entering: list[Floats] = []

    @property
    def weights(self) -> dict[str, Floats]:
        """The matrices by name, (out, in): views, so that what is changed in them is changed in the network."""
        return {weight_name(number): weight for number, (weight, _) in enumerate(self._layers, 1)}

    @property
    def entering(self) -> dict[str, Floats]:
        """What has entered each layer in the last ``gradients``, (images, inputs), by the name of its weights."""
        return dict(zip(self.weights, self._entering, strict=True))

    def step(self, x: Floats, y: NDArray[np.int64]) -> None:
        """One step of Adam on a batch: ``x`` (images, inputs), ``y`` the classes, from 0 on."""
        self.gradients(x, y)
        self._adam()

    def gradients(self, x: Floats, y: NDArray[np.int64]) -> None:
        """Put the gradient of the batch's mean loss into ``gradient``."""
        passed = self._forward(x)
        self._entering = passed[:-1]
        slope = _softmax(passed[-1])
        slope[np.arange(len(y)), y] -= 1
        slope /= len(y)
        for index in reversed(range(len(self._layers))):
            weight, bias = self._gradients[index]
            np.matmul(slope.T, passed[index], out=weight)
            slope.sum(axis=0, out=bias)
            if index:
                slope = slope @ self._layers[index][0]
                slope *= passed[index] > 0

    def loss(self, x: Floats, y: NDArray[np.int64]) -> float:
        """The mean cross-entropy of a batch."""
        return float(-np.log(_softmax(self._forward(x)[-1])[np.arange(len(y)), y]).mean())

    def accuracy(self, x: Floats, y: NDArray[np.int64]) -> float:
        """The fraction of ``x`` whose class it tells rightly."""
        return float(np.mean(self._forward(x)[-1].argmax(axis=1) == y))

    def _forward(self, x: Floats) -> list[Floats]:
        """What enters each layer, and what leaves the last one."""
        passed = [x]
        for weight, bias in self._layers:
            if len(passed) > 1:
                np.maximum(passed[-1], 0, out=passed[-1])
            out = passed[-1] @ weight.T
            out += bias
            passed.append(out)
        return passed

    def _adam(self) -> None:
        self._steps += 1
        gradient, first, second, work = self.gradient, self._first, self._second, self._work
        first *= FIRST
        first += np.multiply(gradient, 1 - FIRST, out=work)
        second *= SECOND
        np.multiply(gradient, gradient, out=work)
        work *= 1 - SECOND
        second += work
        np.sqrt(second, out=work)
        work *= 1 / np.sqrt(1 - SECOND**self._steps).item()
        work += EPSILON
        np.divide(first, work, out=work)
        work *= RATE / (1 - FIRST**self._steps)
        self.parameters -= work


def weight_name(number: int) -> str:
    """What the weights of a layer are called, from 1 on."""
    return f"fc{number}.weight"


def weight_shapes(widths: Sequence[int]) -> dict[str, tuple[int, int]]:
    """The shapes of the weights by name, (out, in).

    >>> weight_shapes([64, 128, 10])
    {'fc1.weight': (128, 64), 'fc2.weight': (10, 128)}
    """
    return {weight_name(number): (out, inputs) for number, (inputs, out) in enumerate(pairwise(widths), 1)}


def _views(flat: Floats, shapes: Sequence[tuple[int, int]]) -> list[tuple[Floats, Floats]]:
    """The weights and biases of each layer, which lie one after the other in ``flat``."""
    views, start = [], 0
    for out, inputs in shapes:
        middle = start + out * inputs
        views.append((flat[start:middle].reshape(out, inputs), flat[middle : middle + out]))
        start = middle + out
    return views


def _softmax(logits: Floats) -> Floats:
    shares: Floats = logits - logits.max(axis=1, keepdims=True)
    np.exp(shares, out=shares)
    shares /= shares.sum(axis=1, keepdims=True)
    return shares
