"""What is asked of each layer: the shape of the schedule, scaled to the layer's own sparsity."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from entrenar_viz import NM, ConfigError, Cubic, EntrenarVizError, Gradual, OneShot, PruningConfig, Row, replay
from entrenar_viz.masks.units import units_gone
from entrenar_viz.plan.layer_targets import LayerTargets
from tests.plan.by_hand import layer, plan
from tests.strategies import FRACTIONS, configs

SHAPES = {"a": (4, 8), "b": (2, 4), "experts[0]": (3, 5), "experts[1]": (3, 5)}
CUBIC = PruningConfig(schedule=Cubic(start_step=0, end_step=10, final_sparsity=0.8), target_sparsity=0.8)
PLAN = plan(
    layer("a", (4, 8), 0.9),
    layer("b", (2, 4), 0.3, pattern=NM(n=2, m=4)),
    layer("experts[0]", (3, 5)),
    layer("experts[1]", (3, 5), skip=True),
)
RISING = configs(st.integers(0, 300)).filter(lambda config: config.schedule.initial <= _target(config))


def _target(config):
    return float(config.schedule.target(config.target_sparsity))


@given(RISING, FRACTIONS)
def test_each_layer_has_come_as_far_on_its_way_as_the_schedule(config, own):
    run = replay(config, 400)
    assume(run.num_updates)
    targets = LayerTargets(config, plan(layer("a", (4, 8), own)))
    before = 0.0
    for applied in run.applied[:: max(run.num_updates // 20, 1)]:
        asked = targets.asked("a", float(applied))
        assert asked == pytest.approx(own * float(applied) / _target(config), rel=1e-6, abs=1e-30)
        assert before <= asked <= np.float32(own)
        before = asked
    if run.final_sparsity == run.target:
        assert np.float32(targets.asked("a", float(run.final_sparsity))) == np.float32(own)


@given(RISING, st.integers(1, 1 << 24))
def test_a_plan_with_the_same_for_each_asks_for_what_none_asks_for(config, weights):
    assume(_target(config))
    targets = LayerTargets(config, plan(layer("a", (4, 8), _target(config))))
    for applied in replay(config, 400).applied[:: max(replay(config, 400).num_updates // 20, 1)]:
        assert units_gone(weights, targets.asked("a", float(applied))) == units_gone(weights, float(applied))


def test_what_a_schedule_misses_each_layer_misses_by_the_same_share():
    missed = Gradual(start_step=0, end_step=100, initial_sparsity=0.0, final_sparsity=0.8, frequency=30)
    config = PruningConfig(schedule=missed, target_sparsity=0.8)
    targets, applied = LayerTargets(config, PLAN), float(replay(config, 200).final_sparsity)
    assert applied == pytest.approx(0.72)
    assert targets.share(applied) == pytest.approx(0.9)
    assert [targets.asked(name, applied) for name in SHAPES] == pytest.approx([0.81, 0.27, 0.0, 0.0])


def test_a_schedule_that_begins_above_its_target_asks_for_no_more_than_the_plan():
    falling = Gradual(start_step=0, end_step=10, initial_sparsity=0.8, final_sparsity=0.4, frequency=5)
    targets = LayerTargets(PruningConfig(schedule=falling), PLAN)
    assert targets.asked("a", 0.6) == 0.9


def test_the_target_of_the_schedule_does_not_matter():
    half = PruningConfig(schedule=OneShot(step=1), target_sparsity=0.5)
    assert LayerTargets(half, PLAN).asked("a", 0.5) == 0.9


def test_without_a_plan_all_are_asked_for_the_same_and_embeddings_are_left_whole():
    targets = LayerTargets(CUBIC)
    assert (targets.asked("a", 0.3), targets.pattern("a"), targets.why_whole("a")) == (0.3, CUBIC.pattern, "")
    assert targets.why_whole("embed.weight") == "left whole: 'embed' is in its name, and skip_embed_layers is on"
    assert "its layer is an Embedding" in targets.why_whole("a", "Embedding")
    every = PruningConfig(skip_embed_layers=False)
    assert LayerTargets(every).why_whole("embed.weight") == ""
    assert targets.problems({}) == []


def test_the_plan_alone_says_what_is_left_whole():
    targets = LayerTargets(CUBIC, plan(layer("embed.weight", (4, 4), 0.5), *PLAN.layers))
    assert targets.why_whole("embed.weight", "Embedding") == ""
    assert targets.why_whole("experts[0]") == "left whole: the plan gives it 0%"
    assert targets.why_whole("experts[1]") == "left whole: the plan skips it"
    assert targets.why_whole("experts[2]") == "left whole: the plan has nothing for it"
    assert targets.asked("experts[2]", 0.8) == 0.0


def test_a_layer_may_have_a_pattern_of_its_own():
    targets = LayerTargets(CUBIC, PLAN)
    assert (targets.pattern("a"), targets.pattern("b"), targets.pattern("c")) == (
        CUBIC.pattern,
        NM(n=2, m=4),
        CUBIC.pattern,
    )
    assert targets.config_of("a") is CUBIC
    assert targets.config_of("b").pattern == NM(n=2, m=4)


def problems(targets, *arguments):
    with pytest.raises(ConfigError) as refused:
        targets.check(*arguments)
    return [str(problem) for problem in refused.value.problems]


def test_a_plan_of_another_model_is_refused_with_what_differs():
    targets = LayerTargets(CUBIC, PLAN)
    targets.check(SHAPES)
    targets.check({name: shape for name, shape in SHAPES.items() if name != "experts[1]"} | {"more": (1, 1)})
    assert problems(targets, {"a": (8, 4), "b.": (2, 4), "experts[0]": (3, 5)}) == [
        "'a': is [8, 4] here, and [4, 8] in the plan",
        "'b': is no layer here that can be pruned: did you mean 'b.'?",
    ]
    none = "layers: none of the plan's is here: it has 'a', 'b', 'experts[0]', and here are "
    assert problems(targets, {}) == [f"{none}none that can be pruned"]
    assert problems(targets, {"zzz": (1, 1)}) == [f"{none}'zzz'"]
    assert "did you mean 'a.'?" in problems(targets, {"a.": (1, 1)})[0]


def test_a_plan_of_a_large_model_is_refused_in_few_words():
    wrong = plan(*(layer(f"layer{number}", (2, 2), 0.5) for number in range(5000)))
    there = {f"h.{number}.weight": (2, 2) for number in range(5000)}
    assert problems(LayerTargets(CUBIC, wrong), there) == [
        "layers: none of the plan's is here: it has 'layer0', 'layer1', 'layer2' and 4,997 more,"
        " and here are 'h.0.weight', 'h.1.weight', 'h.2.weight' and 4,997 more"
    ]
    found = problems(LayerTargets(CUBIC, wrong), there | {"layer7": (2, 2)})
    assert len(found) == 21
    assert found[-1] == "layers: and 4,979 more"


def test_names_cannot_command_a_terminal():
    targets = LayerTargets(CUBIC, plan(layer("\x1b[2J", (2, 2), 0.5)))
    assert all(line.isprintable() for line in problems(targets, {"\x1b[1J": (2, 2)}))


def test_rows_by_themselves_go_with_unstructured_layers_only():
    targets = LayerTargets(CUBIC, plan(layer("a", (4, 8), 0.5), layer("b", (2, 4), 0.5, pattern=Row())))
    targets.check(SHAPES, "tensor")
    (found,) = problems(targets, SHAPES, "row")
    assert found.startswith("'b': within='row' goes with Unstructured, not with Row()")


@pytest.mark.parametrize("schedule", [OneShot(step=1), Cubic(start_step=0, end_step=5, final_sparsity=0.0)])
def test_a_schedule_that_ends_with_nothing_has_no_shape_to_scale(schedule):
    targets = LayerTargets(PruningConfig(schedule=schedule, target_sparsity=0.0), PLAN)
    assert targets.asked("a", 0.0) == 0.0
    assert problems(targets, SHAPES | {"a": (9, 9)}) == [
        "schedule: ends with 0%, so that there is no shape to scale for a plan: set its target above 0",
        "'a': is [9, 9] here, and [4, 8] in the plan",
    ]


@pytest.mark.parametrize("wrong", ["pruning.json", None])
def test_what_is_no_configuration_is_refused(wrong):
    with pytest.raises(EntrenarVizError, match=r"config is a PruningConfig, not .*: load a file with PruningConfig"):
        LayerTargets(wrong)


@pytest.mark.parametrize("wrong", ["plan.json", {"a": 0.5}, 0.5])
def test_what_is_no_plan_is_refused(wrong):
    with pytest.raises(EntrenarVizError, match=r"plan is a Plan, not .*: load a file with Plan.load\(path\)"):
        LayerTargets(CUBIC, wrong)
