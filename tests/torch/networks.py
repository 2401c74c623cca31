"""Small networks and trainings that the tests of PyTorch share."""

import numpy as np
import torch
from torch import nn

from entrenar_viz import Cubic, Gradual, PruningConfig


def config(sparsity=0.7, start=0, end=6, **fields):
    return PruningConfig(
        **{"target_sparsity": sparsity, "schedule": Cubic(start_step=start, end_step=end, final_sparsity=sparsity)}
        | fields
    )


def gradual(sparsity, start, end, frequency, **fields):
    linear = Gradual(start_step=start, end_step=end, initial_sparsity=0.0, final_sparsity=sparsity, frequency=frequency)
    return PruningConfig(target_sparsity=sparsity, schedule=linear, **fields)


def network(seed=0):
    """A convolution and a linear layer: 32 x 128 and 48 x 64 weights."""
    torch.manual_seed(seed)
    return nn.Sequential(nn.Conv2d(8, 32, 4), nn.ReLU(), nn.Flatten(), nn.Linear(32, 48))


def perceptron(seed=0):
    torch.manual_seed(seed)
    return nn.Sequential(nn.Linear(16, 32), nn.ReLU(), nn.Linear(32, 4))


def batches(count, size=8, inputs=16, seed=1):
    rng = np.random.default_rng(seed)
    for _ in range(count):
        yield (
            torch.from_numpy(rng.normal(size=(size, inputs)).astype(np.float32)),
            torch.from_numpy(rng.integers(0, 4, size)),
        )


def loss_of(model, batch):
    return nn.functional.cross_entropy(model(batch[0]), batch[1])


def disturb(model, rng, much=0.05):
    """What an optimizer does, without one: each parameter changes a little, whether pruned or not."""
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.from_numpy(rng.normal(size=tuple(parameter.shape)) * much).to(parameter.dtype))


def weights_of(model):
    return {name: parameter.detach().clone() for name, parameter in model.named_parameters()}
