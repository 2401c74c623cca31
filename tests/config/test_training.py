"""Steps and epochs, against a loop over examples."""

import numpy as np
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from entrenar_viz import ConfigError, StepError, Training

SMALL = st.integers(1, 60)


def counted_by_loop(size, batch, accumulation, drop_last, epochs):
    """Hand out examples one at a time, as a training does; the batches, and the changes of the weights."""
    steps = optimizer_steps = 0
    for _ in range(epochs):
        in_batch = waiting = 0
        for _ in range(size):
            in_batch += 1
            if in_batch == batch:
                steps, waiting, in_batch = steps + 1, waiting + 1, 0
            if waiting == accumulation:
                optimizer_steps, waiting = optimizer_steps + 1, 0
        if in_batch and not drop_last:
            steps, waiting = steps + 1, waiting + 1
        if waiting:
            optimizer_steps += 1
    return steps, optimizer_steps


@given(SMALL, SMALL, st.integers(1, 9), st.booleans(), st.integers(1, 4))
def test_steps_are_those_of_a_loop_over_the_examples(size, batch, accumulation, drop_last, epochs):
    assume(not drop_last or size >= batch)
    training = Training(
        dataset_size=size, batch_size=batch, gradient_accumulation=accumulation, drop_last=drop_last, epochs=epochs
    )
    counted = counted_by_loop(size, batch, accumulation, drop_last, epochs)
    assert (training.total_steps, training.optimizer_steps) == counted
    assert training.total_steps == epochs * training.steps_per_epoch


@given(st.integers(1, 10**9), st.integers(1, 10**6), st.integers(1, 1000), st.integers(0, 10**12))
def test_a_step_comes_back_from_its_epoch(size, batch, epochs, step):
    training = Training(dataset_size=size, batch_size=batch, epochs=epochs)
    assert training.step_at(float(training.epoch_at(step))) == step
    assert training.epoch_at(training.total_steps) == epochs
    assert training.epoch_at(0) == 0


def test_epochs_of_many_steps_at_once():
    training = Training(dataset_size=1000, batch_size=10, epochs=2)
    epochs = training.epoch_at([0, 25, 200])
    np.testing.assert_array_equal(epochs, [0, 0.25, 2])
    assert np.ndim(training.epoch_at(25)) == 0


@example(2**64 - 1, 1)
@given(st.integers(1, 2**64 - 1), st.integers(1, 2**64 - 1))
def test_the_number_of_steps_is_exact_however_large(size, batch):
    assert Training(dataset_size=size, batch_size=batch, epochs=1).total_steps == (size + batch - 1) // batch


def problems(**fields):
    with pytest.raises(ConfigError) as refused:
        Training(**fields)
    return {problem.where: problem.message for problem in refused.value.problems}


def test_all_problems_at_once():
    assert problems(dataset_size=0, batch_size=-1, gradient_accumulation=1.5, epochs=True) == {
        "dataset_size": "dataset_size must be at least 1",
        "batch_size": "must be between 0 and 18446744073709551615, not -1",
        "gradient_accumulation": "must be a whole number written without a decimal point, not 1.5",
        "epochs": "must be a whole number written without a decimal point, not True",
    }


def test_a_training_without_a_batch_and_one_without_an_end():
    assert problems(dataset_size=10, batch_size=64, drop_last=True, epochs=1) == {
        "drop_last": "drop_last leaves no batch: batch_size (64) is greater than dataset_size (10)"
    }
    assert "18446744073709551615 steps" in problems(dataset_size=2**63, batch_size=1, epochs=2)["epochs"]
    assert set(problems(batch_size=1)) == {"dataset_size", "epochs"}


@pytest.mark.parametrize("epoch", [-0.1, float("nan"), float("inf"), 1e30])
def test_no_step_is_before_the_start_or_past_all_numbers(epoch):
    with pytest.raises(StepError, match="counted from 0"):
        Training(dataset_size=10, batch_size=1, epochs=1).step_at(epoch)


def test_what_is_no_step_has_no_epoch():
    with pytest.raises(StepError):
        Training(dataset_size=10, batch_size=1, epochs=1).epoch_at(-1)
