"""A training that stops at any step goes on as if it had not."""

import io

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from entrenar_viz import NM, ConfigError
from entrenar_viz.torch import Pruner
from tests.torch.networks import batches, config, gradual, loss_of, perceptron, weights_of

STEPS = 9
OPTIMIZERS = {
    "Adam": lambda parameters: torch.optim.AdamW(parameters, lr=0.01, weight_decay=0.1),
    "momentum": lambda parameters: torch.optim.SGD(parameters, lr=0.05, momentum=0.9, nesterov=True),
}
CONFIGS = {
    "cubic": config(0.9, start=2, end=7),
    "gradual": gradual(0.8, 1, 9, 2),
    "2:4": config(0.5, start=3, end=6, pattern=NM(n=2, m=4)),
}


class Run:
    """A training that can be stopped and taken up again."""

    def __init__(self, optimizer, asked):
        self.model = perceptron()
        self.optimizer = OPTIMIZERS[optimizer](self.model.parameters())
        self.pruner = Pruner(self.model, asked, STEPS)

    def go(self, given):
        for batch in given:
            loss = loss_of(self.model, batch)
            loss.backward()
            self.optimizer.step()
            self.optimizer.zero_grad()
            self.pruner.step(loss=loss)
        return self

    def saved(self):
        file = io.BytesIO()
        torch.save([self.model.state_dict(), self.optimizer.state_dict(), self.pruner.state_dict()], file)
        file.seek(0)
        return file

    def load(self, file):
        model, optimizer, pruner = torch.load(file, weights_only=True)
        self.pruner.load_state_dict(pruner)  # before the model: the order must not matter
        self.model.load_state_dict(model)
        self.optimizer.load_state_dict(optimizer)
        return self


@settings(max_examples=30)
@given(st.integers(0, STEPS), st.sampled_from(sorted(OPTIMIZERS)), st.sampled_from(sorted(CONFIGS)))
def test_a_stop_at_any_step_leaves_no_trace(stop, optimizer, asked):
    given = list(batches(STEPS))
    whole = Run(optimizer, CONFIGS[asked]).go(given)
    first = Run(optimizer, CONFIGS[asked]).go(given[:stop])
    second = Run(optimizer, CONFIGS[asked]).load(first.saved()).go(given[stop:])
    for name, weights in weights_of(whole.model).items():
        torch.testing.assert_close(weights_of(second.model)[name], weights, rtol=0, atol=0)
    assert second.pruner.log.rows == whole.pruner.log.rows
    for name in whole.pruner.names:
        assert torch.equal(second.pruner.mask(name), whole.pruner.mask(name))


def test_a_mask_takes_a_bit_a_weight():
    run = Run("Adam", CONFIGS["cubic"]).go(batches(STEPS))
    masks = run.pruner.state_dict()["masks"]
    assert {name: (mask.dtype, mask.numel()) for name, mask in masks.items()} == {
        "0.weight": (torch.uint8, 64),
        "2.weight": (torch.uint8, 16),
    }


def test_what_does_not_fit_is_told_together_and_changes_nothing():
    run = Run("Adam", CONFIGS["cubic"]).go(batches(4))
    state = run.pruner.state_dict()
    other = Pruner(torch.nn.Linear(16, 32), CONFIGS["gradual"], STEPS + 1)
    with pytest.raises(ConfigError) as refused:
        other.load_state_dict(state)
    assert [problem.where for problem in refused.value.problems] == [
        "config",
        "total_steps",
        "masks.0.weight",
        "masks.2.weight",
        "masks.weight",
    ]
    assert (other.step_count, other.sparsity) == (0, 0)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda state: state.update(format="something"), "is not what state_dict"),
        (lambda state: state.update(version=3), "version 3 is newer than this program"),
        (lambda state: state.update(step="4"), "step: must be of type int"),
        (lambda state: state.update(step=-1), "step: must not be negative"),
        (lambda state: state["masks"].update({"0.weight": torch.zeros(3, dtype=torch.uint8)}), "does not have the 512"),
        (lambda state: state["masks"].update({"0.weight": "text"}), "does not have the 512"),
        (lambda state: state["masks"].update({"0.weight": torch.zeros(64)}), "does not have the 512"),
        (lambda state: state.update(sparsity=float("nan")), "sparsity: must be between 0 and 1, but is nan"),
        (lambda state: state.update(log=[[3]]), "log: is no log: not enough values"),
        (lambda state: state.update(log=[[3, 7.0, {}]]), "log: is no log: sparsity 7.0"),
        (lambda state: state.pop("log"), "log: must be of type list"),
    ],
)
def test_a_state_that_is_none_is_refused(change, message):
    run = Run("Adam", CONFIGS["cubic"]).go(batches(4))
    state = run.pruner.state_dict()
    change(state)
    with pytest.raises(ConfigError, match=message):
        Run("Adam", CONFIGS["cubic"]).pruner.load_state_dict(state)
