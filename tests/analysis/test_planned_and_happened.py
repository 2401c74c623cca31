from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from entrenar_viz import NM, Gradual, PruningConfig, StepError, TrainingLog, partings, replay
from entrenar_viz.analysis.planned_and_happened import happened, sentences
from tests.strategies import patterns, schedules

PLAN = PruningConfig(
    schedule=Gradual(start_step=1000, end_step=5000, initial_sparsity=0.0, final_sparsity=0.5, frequency=500)
)
TOTAL = 10_000
EVERY = range(100, TOTAL + 1, 100)


def logged(plan=PLAN, steps=EVERY, known=True, change=lambda step, sparsity: sparsity):
    log = TrainingLog(plan, TOTAL) if known else TrainingLog()
    run = replay(plan, TOTAL)
    for step in steps:
        log.add(step, change(step, run.applied_at(step)))
    return log


def messages(log, plan=PLAN, total=TOTAL):
    return [parting.message for parting in partings(plan, total, log)]


def test_what_went_as_planned_parts_nowhere():
    assert messages(logged()) == []
    assert sentences(PLAN, TOTAL, logged()) == ["As planned up to step 10,000."]
    words = sentences(PLAN, TOTAL, logged(known=False))
    assert words == ["As planned up to step 10,000, compared within 0.05 points."]


@given(schedule=schedules(), pattern=patterns(), every=st.integers(1, 900))
def test_the_staircase_of_replay_is_as_planned(schedule, pattern, every):
    plan = PruningConfig(schedule=schedule, pattern=pattern)
    log = logged(plan, range(every, TOTAL + 1, every))
    assert not happened(plan, TOTAL, log).parted.any()
    assert not [parting for parting in partings(plan, TOTAL, log) if parting.step]


def test_a_sparsity_that_stopped_rising_is_told_from_its_step_on():
    log = logged(change=lambda step, sparsity: min(sparsity, np.float32(0.25)))
    (parting,) = partings(PLAN, TOTAL, log)
    assert parting.step == 3500
    assert parting.message == (
        "From step 3,500 on, 25% happened where 31.25% was planned, and at most 25 points apart at step 5,000."
    )


def test_a_stretch_has_a_beginning_and_an_end():
    late = logged(change=lambda step, sparsity: 0.0 if step < 2000 else sparsity)
    assert messages(late) == ["From step 1,500 to 1,900, 0% happened where 6.25% was planned."]
    once = logged(change=lambda step, sparsity: 0.0 if step == 1500 else sparsity)
    assert messages(once) == [
        "At step 1,500, 0% happened where 6.25% was planned.",
        "An update came at step 1,600, where none was planned.",
    ]


def test_many_stretches_are_counted():
    log = logged(change=lambda step, sparsity: np.float32(0.3) if step % 300 == 0 else sparsity)
    found = [parting for parting in partings(PLAN, TOTAL, log) if "part" in parting.message or "hap" in parting.message]
    assert len(found) == 4
    assert found[-1].message.startswith("They part 30 more times, from step 1,200 to 9,900.")


def test_updates_that_were_not_planned_are_named():
    shifted = Gradual(start_step=1000, end_step=5000, initial_sparsity=0.0, final_sparsity=0.5, frequency=400)
    log = logged(replace(PLAN, schedule=shifted), known=False)
    assert any(
        message.startswith("Updates came at steps 1,400, 1,800, 2,200, 2,600 and 4 more") for message in messages(log)
    )


def test_an_update_between_two_reports_may_be_the_planned_one():
    assert messages(logged(steps=range(770, TOTAL + 1, 770)))[0] == "The log ends at step 9,240 of 10,000."


def test_weights_that_came_back_are_told():
    log = logged(change=lambda step, sparsity: np.float32(0.45) if step == 8000 else sparsity)
    assert "At step 8,000 the sparsity fell from 50% to 45%: pruned weights came back." in messages(log)


def test_a_log_that_ends_early_or_late_says_so():
    assert messages(logged(steps=range(100, 6201, 100))) == ["The log ends at step 6,200 of 10,000."]
    assert messages(logged(known=False), total=9000) == [
        "The log goes on to step 10,000, after the planned end at step 9,000."
    ]
    assert messages(TrainingLog()) == ["The log reports no step yet."]


def test_a_log_without_sparsity_says_so():
    log = TrainingLog()
    log.add(TOTAL, loss=0.5)
    assert messages(log) == ["The log tells no sparsity, only loss."]


def test_another_configuration_is_told_by_its_differences():
    shown = replace(PLAN, target_sparsity=0.6, schedule=replace(PLAN.schedule, end_step=4000))
    said = messages(logged(), shown, 9000)
    assert said[:2] == [
        "The log was made with another configuration: target_sparsity 0.5 (shown: 0.6), "
        "schedule.end_step 5000 (shown: 4000).",
        "The log was made for a training of 10,000 steps, 9,000 are shown.",
    ]
    one_shot = messages(logged(), PruningConfig())[0]
    assert "schedule.type gradual (shown: one_shot)" in one_shot
    assert "schedule.step not there (shown: 0)" in one_shot or one_shot.endswith("more.")


def test_what_was_measured_may_be_off_by_whole_weights():
    off = logged(known=False, change=lambda step, sparsity: sparsity + np.float32(0.0004))
    assert messages(off) == []
    assert len(messages(logged(change=lambda step, sparsity: sparsity + np.float32(0.0004)))) >= 1
    far = logged(known=False, change=lambda step, sparsity: sparsity + np.float32(0.0006))
    assert messages(far)[0].startswith("From step 100 on, 0.06% happened where 0% was planned")


def test_a_difference_that_rounding_would_hide_is_shown_with_all_digits():
    log = logged(change=lambda step, sparsity: sparsity + np.float32(2e-6) if sparsity else sparsity)
    assert messages(log)[0].startswith("From step 1,500 on, 0.062502 happened where 0.0625 was planned")
    assert messages(logged(change=lambda step, sparsity: np.nextafter(sparsity, np.float32(1)))) == []


@pytest.mark.parametrize("measured", [True, False])
def test_an_nm_pattern_has_its_share_from_the_first_update_on(measured):
    plan = replace(PLAN, pattern=NM(n=2, m=4))
    log = logged(plan, change=lambda step, sparsity: 0.5 if measured and sparsity else sparsity)
    known = happened(plan, TOTAL, log)
    assert not known.parted.any()
    assert set(known.sparsity.tolist()) == {0.0, 0.5}


def test_a_training_that_is_none_is_refused():
    with pytest.raises(StepError):
        partings(PLAN, -1, logged())
