"""The small network: its gradients are those of its loss, and its steps those of Adam as PyTorch makes them."""

import numpy as np
import pytest
import torch

from entrenar_viz.rehearsal.network import Network

WIDTHS = [5, 7, 4, 3]


def batch(rows=6):
    rng = np.random.default_rng(1)
    return rng.standard_normal((rows, WIDTHS[0])), rng.integers(0, WIDTHS[-1], rows)


@pytest.mark.parametrize("widths", [WIDTHS, [5, 3], [5, 2, 2, 2, 3]])
def test_gradients_are_finite_differences_of_the_loss(widths):
    network = Network(widths, np.random.default_rng(0), np.float64)
    network.parameters += 0.1  # biases too: none at zero, where ReLU has no slope
    x, y = batch()
    network.gradients(x, y)
    found = network.gradient.copy()
    for index in range(len(network.parameters)):
        losses = []
        for change in (1e-6, -1e-6):
            network.parameters[index] += change
            losses.append(network.loss(x, y))
            network.parameters[index] -= change
        assert found[index] == pytest.approx((losses[0] - losses[1]) / 2e-6, abs=1e-7)


def in_torch(network):
    layers = []
    for index, weight in enumerate(network.weights.values(), 1):
        linear = torch.nn.Linear(weight.shape[1], weight.shape[0], dtype=torch.float64)
        linear.weight.data = torch.tensor(weight)
        linear.bias.data.zero_()
        layers += [linear] if index == len(network.weights) else [linear, torch.nn.ReLU()]
    return torch.nn.Sequential(*layers)


def test_its_steps_are_those_of_adam():
    network = Network(WIDTHS, np.random.default_rng(0), np.float64)
    model = in_torch(network)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    x, y = batch()
    for _ in range(50):
        network.step(x, y)
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(model(torch.tensor(x)), torch.tensor(y)).backward()
        optimizer.step()
    for ours, theirs in zip(network.weights.values(), model[::2], strict=True):
        np.testing.assert_allclose(ours, theirs.weight.detach().numpy(), rtol=1e-7)


def test_weights_are_views_and_begin_as_he_says():
    network = Network([400, 300, 10], np.random.default_rng(0))
    weight = network.weights["fc1.weight"]
    assert (weight.shape, weight.dtype) == ((300, 400), np.float32)
    assert weight.std() == pytest.approx(np.sqrt(2 / 400), rel=0.01)
    assert network.parameters.size == 300 * 400 + 300 + 10 * 300 + 10
    weight[:] = 0
    assert not network.parameters[: weight.size].any()


def test_what_enters_each_layer_is_that_of_the_last_batch():
    network = Network(WIDTHS, np.random.default_rng(0))
    x, y = batch()
    single = x.astype(np.float32)
    first = network.weights["fc1.weight"].copy()
    network.step(single, y)
    entering = network.entering
    assert list(entering) == ["fc1.weight", "fc2.weight", "fc3.weight"]
    np.testing.assert_array_equal(entering["fc1.weight"], single)
    np.testing.assert_allclose(entering["fc2.weight"], np.maximum(single @ first.T, 0), rtol=1e-5)


def test_accuracy_is_the_share_that_is_told_rightly():
    network = Network([2, 2], np.random.default_rng(0))
    network.weights["fc1.weight"][:] = np.eye(2)
    x = np.array([[1, 0], [0, 1], [3, 2], [0, 4]], np.float32)
    assert network.accuracy(x, np.array([0, 1, 1, 1])) == 0.75
