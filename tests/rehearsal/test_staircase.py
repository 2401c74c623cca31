"""The updates of a training, scaled to another length."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from entrenar_viz import Cubic, Gradual, OneShot, PruningConfig, replay
from entrenar_viz.analysis.updates import in_the_mask
from entrenar_viz.rehearsal.staircase import Staircase
from tests.strategies import configs


@given(config=configs(), total=st.integers(1, 20_000))
def test_at_the_same_length_they_are_those_of_replay(config, total):
    run = replay(config, total)
    updates = Staircase(config, total, total).updates
    assert updates == dict(zip(run.update_steps.tolist(), run.applied.tolist(), strict=True))


@given(config=configs(), total=st.integers(1, 20_000), steps=st.integers(1, 5000))
def test_sparsities_ascend_to_the_same_end_at_steps_of_the_rehearsal(config, total, steps):
    run, updates = replay(config, total), Staircase(config, total, steps).updates
    assert len(updates) <= min(run.num_updates, steps)
    assert bool(updates) == bool(run.num_updates)
    assert list(updates) == sorted(updates)
    assert all(1 <= step <= steps for step in updates)
    assert list(updates.values()) == sorted(updates.values())
    assert set(updates.values()) <= set(run.applied.tolist())
    if updates:
        assert list(updates.values())[-1] == run.final_sparsity
    assert np.float32(Staircase(config, total, steps).final_sparsity) == in_the_mask(config, run).final_sparsity


@given(config=configs(), total=st.integers(1, 20_000), steps=st.integers(1, 5000), share=st.floats(0, 1))
def test_an_update_comes_at_the_same_share_of_the_way(config, total, steps, share):
    staircase, run = Staircase(config, total, steps), replay(config, total)
    for step in run.update_steps[:: max(run.num_updates // 5, 1)]:
        scaled = int(staircase.scaled(step))
        assert abs(scaled / steps - int(step) / total) <= 1 / steps


def test_a_long_training_takes_no_more_room_than_the_rehearsal():
    config = PruningConfig(schedule=Cubic(start_step=0, end_step=5_000_000, final_sparsity=0.9))
    steps, asked = Staircase(config, 10_000_000, 2000).rises
    assert 900 < len(steps) <= 1000
    assert asked[-1] == np.float32(0.9)
    assert all(whole.base is None for whole in (steps, asked))  # views would keep millions of steps


def test_steps_of_the_rehearsal_stand_for_steps_of_the_training():
    staircase = Staircase(PruningConfig(), 10_000, 2000)
    assert staircase.unscaled([1, 50, 2000]).tolist() == [5, 250, 10_000]
    assert staircase.scaled([0, 250, 10_000]).tolist() == [1, 50, 2000]
    assert Staircase(PruningConfig(), 100, 2000).unscaled([1, 10, 2000]).tolist() == [0, 0, 100]


@pytest.mark.parametrize("total", [2**64 - 1, 2**60 + 1, 2001])
def test_the_last_step_stands_for_the_last_one_of_the_longest_training(total):
    found = Staircase(PruningConfig(), total, 2000).unscaled([1, 1000, 2000])
    assert (found.dtype, found.tolist()) == (
        np.uint64,
        [round(Fraction(total, 2000)), round(Fraction(total, 2)), total],
    )


@pytest.mark.parametrize(
    ("schedule", "total", "words"),
    [
        (OneShot(step=4000), 10_000, "10,000 steps are rehearsed in 2,000: step 4,000 becomes 800"),
        (
            Cubic(start_step=0, end_step=500, final_sparsity=0.5),
            1000,
            "1,000 steps are rehearsed in 2,000: steps 0 to 500 become 1 to 1,000",
        ),
        (
            Gradual(start_step=3, end_step=90_000, initial_sparsity=0, final_sparsity=0.5, frequency=10),
            100_000,
            "100,000 steps are rehearsed in 2,000: steps 3 to 90,000 become 1 to 1,800, every 10 becomes every step, "
            "with several updates in one",
        ),
        (
            Cubic(start_step=600, end_step=900, final_sparsity=0.5),
            500,
            "500 steps are rehearsed in 2,000: the schedule begins at step 600, after the training",
        ),
        (OneShot(step=4000), 2000, "2,000 steps, as in the training"),
        (OneShot(step=1), 1, "1 step is rehearsed in 2,000: step 1 becomes 2,000"),
    ],
)
def test_its_words(schedule, total, words):
    assert Staircase(PruningConfig(schedule=schedule), total, 2000).in_words() == words
