"""Every finding has its case, and every fix removes the finding it belongs to."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from entrenar_viz import (
    NM,
    ConfigError,
    Cubic,
    Gradual,
    OneShot,
    PruningConfig,
    StepError,
    Unstructured,
    recommend,
    replay,
    review,
)
from entrenar_viz.analysis.advice import SCENARIOS
from entrenar_viz.analysis.finding import Finding
from entrenar_viz.workspace import presets
from tests.strategies import configs, schedules

ONCE = Gradual(start_step=0, end_step=1, initial_sparsity=0.0, final_sparsity=0.5, frequency=0)

FALLING_TO_0 = Gradual(start_step=21, end_step=22, initial_sparsity=0.5, final_sparsity=0.0, frequency=0)


def gradual(**fields) -> PruningConfig:
    window = {"start_step": 1000, "end_step": 5000, "initial_sparsity": 0.0, "final_sparsity": 0.5, "frequency": 500}
    return PruningConfig(schedule=Gradual(**(window | fields)))


def finding(code: str, config: PruningConfig, total_steps: int = 10_000) -> Finding:
    return next(found for found in review(config, total_steps) if found.code == code)


def codes(config: PruningConfig, total_steps: int = 10_000) -> list[str]:
    return [found.code for found in review(config, total_steps)]


def test_a_sound_configuration_has_no_findings():
    assert review(gradual(), 10_000) == []


def test_target_missed_names_the_numbers_and_both_ways_out():
    found = finding("target-missed", gradual(frequency=300))
    assert found.message == (
        "Gradual stops at 48.75%, 1.25 points short of 50%: 300 does not divide the window of 4,000 steps."
    )
    assert [fix.label for fix in found.fixes] == ["every 250 steps", "end at step 4,900"]


def test_target_missed_by_frequency_zero():
    found = finding("target-missed", gradual(frequency=0, initial_sparsity=0.1))
    assert "frequency 0 allows one update only" in found.message
    assert replay(found.fix, 10_000).shortfall == 0


@pytest.mark.parametrize(
    ("config", "why"),
    [
        (gradual(frequency=0), "frequency 0 allows one update only, at step 1,000"),
        (gradual(frequency=5000), "frequency 5,000 is longer than the window of 4,000 steps"),
        (gradual(start_step=11_000, end_step=12_000), "starts at step 11,000, after the training ends at step 10,000"),
        (gradual(start_step=9_900, end_step=12_000), "before the first update that would prune"),
        (gradual(final_sparsity=0.0), "the target is 0%"),
        (PruningConfig(schedule=OneShot(step=10_001)), "starts at step 10,001"),
    ],
)
def test_nothing_pruned_says_why(config, why):
    found = finding("nothing-pruned", config)
    assert found.severity == "error"
    assert why in found.message


def test_each_other_finding_has_its_case():
    cubic = PruningConfig(target_sparsity=0.5, schedule=Cubic(start_step=0, end_step=6000, final_sparsity=0.5))
    assert codes(cubic) == []  # it updates at every step by design, and nothing can be set
    assert "ends-after-training" in codes(gradual(end_step=11_000))
    assert codes(gradual(end_step=9000)) == ["no-recovery"]
    assert codes(gradual(initial_sparsity=0.8)) == ["decreasing"]
    assert codes(gradual(final_sparsity=0.6)) == ["sparsity-mismatch"]
    assert codes(gradual(frequency=1)) == ["many-updates"]
    assert codes(PruningConfig(target_sparsity=0.75, schedule=OneShot(step=1))) == ["one-shot-high-sparsity"]
    assert codes(replace(gradual(), pattern=NM(n=2, m=4))) == ["nm-fixes-sparsity"]
    assert codes(PruningConfig(pattern=NM(n=2, m=4), target_sparsity=0.5, schedule=OneShot(step=1))) == []
    assert codes(replace(gradual(), pattern=NM(n=0, m=4)))[0] == "keeps-nothing"
    assert codes(PruningConfig(target_sparsity=1.0, schedule=OneShot(step=1)))[0] == "keeps-nothing"
    assert codes(replace(gradual(), method="wanda")) == ["needs-calibration"]
    assert codes(replace(gradual(), fine_tune_lr=0.0)) == ["learning-rate"]


def test_a_window_with_few_divisors_is_not_fixed_by_updating_at_every_step():
    found = finding("target-missed", gradual(end_step=5001, frequency=300))
    assert [fix.label for fix in found.fixes] == ["end at step 4,900"]


def test_the_fix_of_a_falling_schedule_reaches_the_target():
    found = finding("decreasing", gradual(initial_sparsity=0.8, frequency=5000))
    assert found.fixes[0].label == "start at 0%, every 200 steps"
    assert codes(found.fix) == []


def test_under_nm_the_schedule_has_nothing_to_miss():
    for schedule in (gradual(frequency=300), gradual(initial_sparsity=0.8), gradual(end_step=11_000)):
        assert codes(replace(schedule, pattern=NM(n=2, m=4)))[-1] == "nm-fixes-sparsity"
        assert not {"target-missed", "decreasing", "ends-after-training"} & set(
            codes(replace(schedule, pattern=NM(n=2, m=4)))
        )


def test_the_most_serious_findings_come_first():
    config = replace(gradual(frequency=0), method="wanda", fine_tune_lr=-1.0)
    assert [found.severity for found in review(config, 10_000)] == ["error", "warning", "info"]


@given(configs(), st.integers(0, 12_000))
@example(PruningConfig(target_sparsity=0.0, pattern=NM(n=1, m=2), schedule=ONCE), 0)
@example(PruningConfig(target_sparsity=0.0, schedule=FALLING_TO_0), 34)
def test_every_fix_removes_its_finding(config, total_steps):
    for found in review(config, total_steps):
        before = {other.code for other in review(config, total_steps)}
        for fix in found.fixes:
            after = {other.code: other.severity for other in review(fix.config, total_steps)}
            assert found.code not in after, fix.label
            assert fix.label
            added = [code for code, severity in after.items() if severity == "error" and code not in before]
            assert added in ([], ["keeps-nothing"]), fix.label  # to reach a target of 100% is what was asked for


@given(configs(), st.integers(0, 12_000))
def test_target_missed_and_nothing_pruned_agree_with_the_replay(config, total_steps):
    run, found = replay(config, total_steps), codes(config, total_steps)
    assert bool({"nothing-pruned", "never-fires"} & set(found)) == (run.num_updates == 0)
    if "target-missed" in found:
        assert run.shortfall > 0
    if run.shortfall > 0 and not isinstance(config.pattern, NM):
        assert {"target-missed", "nothing-pruned", "never-fires", "ends-after-training"} & set(found)


@pytest.mark.parametrize(
    ("arguments", "kind"),
    [
        ({"post_training": True}, OneShot),
        ({"target_sparsity": 0.51}, Cubic),
        ({"target_sparsity": 0.5}, Gradual),
        ({"scenario": "llm-compression"}, OneShot),
        ({"scenario": "from-scratch"}, Gradual),
        ({"scenario": "high-sparsity"}, Cubic),
        ({"scenario": "quick-experiment"}, OneShot),
        ({"scenario": "production"}, Gradual),
    ],
)
def test_recommend_is_the_decision_tree_and_the_table_of_the_chapter(arguments, kind):
    advice = recommend(**arguments)
    assert isinstance(advice.config.schedule, kind)
    assert advice.reason


@given(st.floats(0.01, 0.99), st.integers(2, 1_000_000))
def test_what_is_recommended_reaches_its_target_and_leaves_recovery(target, total_steps):
    config = recommend(target, total_steps).config
    assert replay(config, total_steps).shortfall == 0
    serious = [found for found in review(config, total_steps) if found.severity != "info"]
    assert serious == [] or total_steps < 20
    assert replay(config, total_steps).target == np.float32(target)


def test_the_default_configuration_never_fires_in_a_training():
    finding = review(PruningConfig(), 10_000)[0]
    assert (finding.code, finding.severity) == ("never-fires", "error")
    assert "the only update is at step 0" in finding.message
    assert "after the training goes to 50% at once" in finding.message
    assert finding.fix == PruningConfig(schedule=OneShot(step=1))
    assert [fix.label for fix in finding.fixes] == ["prune at step 1"]
    assert codes(gradual(start_step=0, initial_sparsity=0.3, frequency=0)) == ["never-fires"]
    assert codes(gradual(start_step=0, frequency=500)) == []


@pytest.mark.parametrize("name", presets.BUILT_IN)
@pytest.mark.parametrize("total_steps", [1000, 10_000, 1_000_000])
def test_what_is_shipped_has_no_findings_but_the_calibration_that_it_needs(name, total_steps):
    assert set(codes(presets.BUILT_IN[name].config(total_steps), total_steps)) <= {"needs-calibration"}


def test_a_window_of_one_step_is_replaced_by_a_typical_one():
    late = gradual(start_step=9_999, end_step=10_000, frequency=1)
    (fix,) = next(found for found in review(late, 10_000) if found.code == "no-recovery").fixes
    assert fix.label == "prune in steps 1,000 to 6,000, every 250 steps"
    too_long = next(found for found in review(gradual(start_step=1, end_step=2, frequency=5), 10_000))
    assert "the window of 1 step," in too_long.message


def test_nearly_all_is_told():
    nearly = gradual(final_sparsity=0.9999999)
    (finding,) = [found for found in review(nearly, 10_000) if found.code == "keeps-nearly-nothing"]
    assert ">99.99%" in finding.message


def test_recommend_without_room_for_a_window_says_so():
    advice = recommend(0.8, total_steps=1)
    assert advice.config.schedule == OneShot(step=1)
    assert "no room" in advice.reason
    assert advice.config.pattern == Unstructured()


def test_recommend_refuses_what_it_does_not_know():
    with pytest.raises(ConfigError, match="did you mean production"):
        recommend(scenario="productoin")
    with pytest.raises(ConfigError, match=r"must be between 0\.0 and 1\.0"):
        recommend(1.5)
    with pytest.raises(StepError, match="total_steps"):
        recommend(0.5, total_steps=-1)
    assert set(SCENARIOS) == {"llm-compression", "from-scratch", "high-sparsity", "quick-experiment", "production"}


@pytest.mark.parametrize(("target", "expected"), [(0.7, False), (0.7001, True)])
def test_above_70_percent_begins_above_70_percent(target, expected):
    config = PruningConfig(target_sparsity=target, schedule=OneShot(step=1000))
    assert ("one-shot-high-sparsity" in codes(config)) is expected


@given(schedules(st.integers(0, 400)), st.integers(0, 400))
def test_a_schedule_moved_before_a_step_reaches_its_target_by_then(schedule, latest):
    moved = schedule.within(latest)
    if moved is None:
        return
    run = replay(PruningConfig(schedule=moved), latest)
    assert type(moved) is type(schedule)
    assert run.shortfall == 0
    assert (run.last_update or 0) <= latest


def test_a_window_that_ends_with_the_training_is_told_of_as_missed():
    found = finding("target-missed", gradual(end_step=10_000, frequency=700))
    assert "700 does not divide the window of 9,000 steps" in found.message


@pytest.mark.parametrize(("updates", "expected"), [(100, False), (101, True)])
def test_a_hundred_updates_are_not_many(updates, expected):
    config = gradual(start_step=1000, end_step=1000 + 10 * (updates - 1), frequency=10, initial_sparsity=0.1)
    assert replay(config, 10_000).num_updates == updates
    assert ("many-updates" in codes(config)) is expected
