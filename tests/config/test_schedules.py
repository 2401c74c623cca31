"""The schedules against the numbers that the trainer's own code printed, and the examples of the chapter."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from entrenar_viz import ConfigError, Cubic, Gradual, OneShot, PruningConfig, StepError, replay
from entrenar_viz.config.schedules import SCHEDULES
from tests.strategies import schedules

VECTORS = Path(__file__).parents[1] / "vectors"
TRAINER = json.loads((VECTORS / "trainer_schedules.json").read_text())["schedules"]
PEERS = json.loads((VECTORS / "peer_schedules.json").read_text())
KINDS = dict(zip(("one_shot", "gradual", "cubic"), SCHEDULES, strict=True))


def from_json(fields):
    return KINDS[fields["type"]](**fields)


@pytest.mark.parametrize("case", TRAINER, ids=lambda case: "-".join(map(str, case["schedule"].values())))
def test_parity_with_the_trainer_is_bit_for_bit(case):
    schedule = from_json(case["schedule"])
    steps, bits, _, prunes, complete = (list(column) for column in zip(*case["rows"], strict=True))
    sparsity = schedule.sparsity_at_step(np.array(steps))
    assert sparsity.dtype == np.float32
    assert sparsity.view(np.uint32).tolist() == bits
    assert schedule.should_prune_at_step(np.array(steps)).tolist() == [bool(p) for p in prunes]
    assert schedule.is_complete(np.array(steps)).tolist() == [bool(c) for c in complete]
    assert schedule.num_pruning_steps() == case["num_pruning_steps"]


def test_all_sixty_schedules_of_all_three_kinds_are_there():
    assert len(TRAINER) == 60
    assert {case["schedule"]["type"] for case in TRAINER} == set(KINDS)


@given(schedules(), st.lists(st.integers(0, 30_000), min_size=1, max_size=20))
def test_scalar_and_array_agree_and_keep_their_shapes(schedule, steps):
    for method in (schedule.sparsity_at_step, schedule.should_prune_at_step, schedule.is_complete):
        column = method(np.array(steps).reshape(-1, 1))
        assert column.shape == (len(steps), 1)
        one_by_one = [method(step) for step in steps]
        assert all(np.ndim(value) == 0 for value in one_by_one)
        assert column[:, 0].tolist() == one_by_one


@given(schedules(st.integers(0, 2000)))
def test_num_pruning_steps_counts_the_steps_that_may_prune(schedule):
    last = getattr(schedule, "end_step", getattr(schedule, "step", 0))
    assert schedule.should_prune_at_step(np.arange(last + 2)).sum() == schedule.num_pruning_steps()


@pytest.mark.parametrize("kind", [np.int8, np.uint8, np.int32, np.uint32, np.int64, np.uint64])
def test_any_integer_type_will_do(kind):
    cubic = Cubic(start_step=0, end_step=100, final_sparsity=0.5)
    assert cubic.sparsity_at_step(kind(50)) == cubic.sparsity_at_step(50)
    assert cubic.sparsity_at_step(np.array([50], kind)) == cubic.sparsity_at_step([50])


def test_steps_up_to_the_end_of_u64():
    top = 2**64 - 1
    gradual = Gradual(start_step=0, end_step=top, initial_sparsity=0.0, final_sparsity=0.5, frequency=2**63)
    assert gradual.sparsity_at_step(2**63) == np.float32(0.25)
    assert gradual.should_prune_at_step(np.array([0, 2**63, top], np.uint64)).tolist() == [True, True, False]
    assert gradual.num_pruning_steps() == 2


@pytest.mark.parametrize("steps", [-1, [3, -4], 1.5, [0.0], "7", None, True, 2**64, [[1], [2.5]], [[1], [2, 3]]])
def test_what_is_no_step_is_refused(steps):
    for schedule in (OneShot(step=1), Cubic(start_step=0, end_step=9, final_sparsity=0.5)):
        for method in (schedule.sparsity_at_step, schedule.should_prune_at_step, schedule.is_complete):
            with pytest.raises(StepError, match="step"):
                method(steps)


def test_no_steps_give_no_answers():
    assert OneShot(step=1).sparsity_at_step([]).tolist() == []


def test_fields_are_given_by_name_and_stay_as_they_are():
    with pytest.raises(ConfigError, match=r"OneShot\(step=\)"):
        OneShot(5)
    with pytest.raises(AttributeError, match="step"):
        OneShot(step=5).step = 6
    assert repr(OneShot(step=np.int64(5))) == "OneShot(step=5)"
    assert hash(OneShot(step=5)) == hash(OneShot(step=5))


# The chapter, example by example -------------------------------------------------------------------------------------


def test_chapter_one_shot():
    schedule = OneShot(step=1000)
    assert schedule.sparsity_at_step([999, 1000, 2000]).tolist() == [0.0, 1.0, 1.0]


def test_chapter_gradual():
    schedule = Gradual(start_step=1000, end_step=5000, initial_sparsity=0.0, final_sparsity=0.5, frequency=500)
    assert schedule.sparsity_at_step([500, 1000, 3000, 5000, 6000]).tolist() == [0.0, 0.0, 0.25, 0.5, 0.5]


@pytest.mark.parametrize(("frequency", "book", "opportunities"), [(500, 20, 21), (2000, 5, 6)])
def test_chapter_frequency_erratum_2_the_first_opportunity_changes_nothing(frequency, book, opportunities):
    schedule = Gradual(start_step=0, end_step=10_000, initial_sparsity=0.0, final_sparsity=0.5, frequency=frequency)
    gates = np.flatnonzero(schedule.should_prune_at_step(np.arange(10_001)))
    assert len(gates) == schedule.num_pruning_steps() == opportunities
    assert np.count_nonzero(schedule.sparsity_at_step(gates)) == book


def test_chapter_cubic_erratum_1_the_table_is_wrong_at_2500():
    schedule = Cubic(start_step=0, end_step=10_000, final_sparsity=0.7)
    sparsity = schedule.sparsity_at_step([0, 2500, 5000, 7500, 10_000])
    assert np.allclose(sparsity, [0.0, 0.7 * (1 - 0.75**3), 0.613, 0.689, 0.7], atol=0.001)
    assert sparsity[1] == np.float32(0.4046875)
    assert abs(sparsity[1] - 0.488) > 0.08


def test_chapter_cubic_erratum_3_the_curve_is_concave():
    sparsity = Cubic(start_step=0, end_step=1000, final_sparsity=0.7).sparsity_at_step(np.arange(0, 1001, 10))
    assert (np.diff(sparsity, 2) < 0).all()


def test_chapter_before_start_erratum_4_the_formula_answers_the_initial_sparsity():
    schedule = Gradual(start_step=10, end_step=20, initial_sparsity=0.3, final_sparsity=0.5, frequency=1)
    assert schedule.sparsity_at_step(0) == np.float32(0.3)
    assert not schedule.should_prune_at_step(0)


def test_chapter_validation():
    with pytest.raises(ConfigError) as refused:
        Gradual(start_step=5000, end_step=1000, initial_sparsity=0.0, final_sparsity=0.5, frequency=100)
    assert [p.message for p in refused.value.problems] == ["end_step (1000) must be greater than start_step (5000)"]


def test_chapter_fine_tuning_leaves_the_last_forty_percent_alone():
    schedule = Cubic(start_step=0, end_step=60_000, final_sparsity=0.7)
    assert not schedule.should_prune_at_step(np.arange(60_001, 100_000)).any()
    assert schedule.sparsity_at_step(60_000) == np.float32(0.7)


# Other libraries -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("peer", [c for c in PEERS["curves"] if "entrenar" in c["lib"]], ids=lambda c: c["lib"])
def test_the_comparison_with_other_libraries_starts_from_our_numbers(peer):
    window = {"start_step": peer["start"], "end_step": peer["end"], "final_sparsity": peer["s_f"]}
    schedule = Cubic(**window)
    if "gradual" in peer["lib"]:
        schedule = Gradual(**window, initial_sparsity=peer["s_i"], frequency=1)
    assert np.allclose(schedule.sparsity_at_step(peer["steps"]), peer["sparsity"], atol=1e-7)


@pytest.mark.parametrize("kind", SCHEDULES)
@pytest.mark.parametrize("window", [(0, 1), (100, 600), (7, 104)])
def test_a_schedule_over_a_window_reaches_its_target_at_the_end_of_it(kind, window):
    config = PruningConfig(schedule=kind.over(window, 0.8), target_sparsity=0.8)
    run = replay(config, window[1])
    assert run.final_sparsity == np.float32(0.8)
    assert window[0] <= run.first_update <= run.last_update <= window[1]
