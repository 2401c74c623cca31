"""What is applied, against a loop over every step."""

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from entrenar_viz import Cubic, Gradual, OneShot, PruningConfig, StepError, replay
from entrenar_viz.analysis import updates
from entrenar_viz.analysis.updates import requested_at
from tests.strategies import configs


def by_the_rule(config, total_steps):
    """The trainer's loop, as its reference tells it."""
    applied, staircase, updates = np.float32(0), [], []
    for step in range(total_steps + 1):  # step 0: before the training, nothing is called
        sparsity = config.schedule.sparsity_at_step(step)
        if isinstance(config.schedule, OneShot):
            sparsity = sparsity * np.float32(config.target_sparsity)
        if step and config.schedule.should_prune_at_step(step) and sparsity > applied:
            applied = sparsity
            updates.append(step)
        staircase.append(applied)
    return np.array(staircase), updates


@given(configs(st.integers(0, 300)), st.integers(0, 400))
def test_replay_is_the_loop_of_the_trainer(config, total_steps):
    staircase, updates = by_the_rule(config, total_steps)
    run = replay(config, total_steps)
    assert run.update_steps.tolist() == updates
    assert run.applied_at(np.arange(total_steps + 1)).tolist() == staircase.tolist()
    assert run.applied.dtype == staircase.dtype == np.float32
    assert run.final_sparsity == staircase[-1]
    assert run.shortfall == max(run.target - staircase[-1], np.float32(0))
    assert run.largest_jump == np.diff(staircase, prepend=np.float32(0)).max()
    assert run.num_updates == len(updates)
    assert run.first_update == (updates[0] if updates else None)
    assert run.recovery_steps == (total_steps - updates[-1] if updates else 0)


def gradual(**fields):
    window = {"start_step": 0, "end_step": 100, "initial_sparsity": 0.0, "final_sparsity": 0.8, "frequency": 30}
    return PruningConfig(schedule=Gradual(**(window | fields)))


def test_the_target_is_missed_where_frequency_does_not_divide_the_window():
    run = replay(gradual(), 200)
    assert run.update_steps.tolist() == [30, 60, 90]
    assert run.final_sparsity == pytest.approx(0.72)
    assert run.shortfall == pytest.approx(0.08)
    late = replay(gradual(start_step=1000, end_step=5000, final_sparsity=0.5, frequency=300), 10_000)
    assert (late.last_update, late.final_sparsity) == (4900, np.float32(0.4875))


@pytest.mark.parametrize(
    "config",
    [gradual(frequency=101), gradual(frequency=0), gradual(start_step=900, end_step=1000), gradual(final_sparsity=0.0)],
)
def test_nothing_is_pruned(config):
    run = replay(config, 500)
    assert (run.num_updates, run.final_sparsity, run.largest_jump, run.recovery_steps) == (0, 0, 0, 0)
    assert (run.first_update, run.last_update) == (None, None)


def test_no_mask_exists_before_the_start():
    run = replay(gradual(start_step=50, initial_sparsity=0.3), 200)
    assert run.applied_at([0, 49, 50]).tolist() == [0.0, 0.0, np.float32(0.3)]


def test_a_decreasing_schedule_prunes_once():
    run = replay(gradual(initial_sparsity=0.9, final_sparsity=0.2), 200)
    assert run.update_steps.tolist() == [30]  # the one at step 0 never comes
    assert run.final_sparsity == pytest.approx(0.69)
    assert run.shortfall == 0


def test_steps_count_from_1():
    """The trainer increases its step counter before it calls back: a training of N steps calls with 1 to N."""
    assert replay(PruningConfig(), 10_000).num_updates == 0
    assert replay(gradual(initial_sparsity=0.3, frequency=0), 100).num_updates == 0
    assert replay(gradual(initial_sparsity=0.3), 100).update_steps.tolist() == [30, 60, 90]
    cubic = PruningConfig(schedule=Cubic(start_step=0, end_step=10, final_sparsity=0.5))
    assert replay(cubic, 100).update_steps.tolist() == list(range(1, 11))
    book = gradual(end_step=10_000, frequency=500)
    assert (book.schedule.num_pruning_steps(), replay(book, 10_000).num_updates) == (21, 20)


def test_one_shot_multiplies_the_target():
    config = PruningConfig(target_sparsity=0.7, schedule=OneShot(step=10))
    run = replay(config, 10)
    assert run.update_steps.tolist() == [10]
    assert run.final_sparsity == np.float32(0.7)
    assert requested_at(config, [9, 10]).tolist() == [0.0, np.float32(0.7)]
    assert replay(config, 9).num_updates == 0


def test_millions_of_updates_come_out_whole():
    run = replay(PruningConfig(schedule=Cubic(start_step=0, end_step=3_000_000, final_sparsity=0.7)), 3_000_000)
    assert run.final_sparsity == np.float32(0.7)
    assert (np.diff(run.applied) > 0).all()
    assert (np.diff(run.update_steps.astype(np.int64)) > 0).all()
    sparsity = Cubic(start_step=0, end_step=3_000_000, final_sparsity=0.7).sparsity_at_step(run.update_steps)
    assert (sparsity == run.applied).all()


def test_steps_at_the_end_of_u64():
    top = 2**64 - 1
    config = gradual(start_step=2**63, end_step=top, frequency=2**62)
    run = replay(config, top)
    assert run.update_steps.tolist() == [2**63 + 2**62]
    assert run.recovery_steps == top - 2**63 - 2**62


@pytest.mark.parametrize("total_steps", [-1, 1.5, "10", None, True, 2**64])
def test_what_is_no_number_of_steps_is_refused(total_steps):
    with pytest.raises(StepError, match="total_steps must be a whole number"):
        replay(PruningConfig(), total_steps)


def test_steps_written_as_a_float_are_told_as_what_to_write():
    with pytest.raises(StepError, match=r"not 10000\.0: write 10000$"):
        replay(PruningConfig(), 1e4)


def test_more_updates_than_memory_are_refused_in_words():
    config = PruningConfig(schedule=Cubic(start_step=0, end_step=2**60, final_sparsity=0.7))
    with pytest.raises(StepError, match="shorten the window"):
        replay(config, 2**61)


@example(gradual(start_step=10, end_step=200, initial_sparsity=0.7, final_sparsity=0.2, frequency=10), 300, 3)
@given(configs(st.integers(0, 300)), st.integers(0, 300), st.integers(1, 7))
def test_a_long_window_is_replayed_in_pieces_as_in_one(config, total_steps, piece):
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(updates, "CHUNK", piece)
        run = replay(config, total_steps)
    whole = replay(config, total_steps)
    np.testing.assert_array_equal(run.update_steps, whole.update_steps)
    np.testing.assert_array_equal(run.applied, whole.applied)


def test_the_limit_of_updates_is_what_the_message_says(monkeypatch):
    monkeypatch.setattr(updates, "MAX_OPPORTUNITIES", 100)
    config = PruningConfig(schedule=Cubic(start_step=0, end_step=1000, final_sparsity=0.7))
    assert replay(config, 100).num_updates == 100
    with pytest.raises(StepError, match=r"101 updates are too many to replay \(limit 100\)"):
        replay(config, 101)
