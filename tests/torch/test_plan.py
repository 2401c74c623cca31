"""Pruner by a plan: each layer, expert and tied parameter goes its own way, as far as the schedule has come."""

import io

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from entrenar_viz import NM, Block, Column, ConfigError, OneShot, Plan, Row, Unstructured, allocate, prune_mask, replay
from entrenar_viz.torch import Pruner
from tests.plan.by_hand import layer, plan
from tests.torch.networks import config, disturb, gradual, network, perceptron, weights_of

SHAPES = {"0.weight": (32, 8, 4, 4), "3.weight": (48, 32)}
PLAN = plan(layer("0.weight", SHAPES["0.weight"], 0.9), layer("3.weight", SHAPES["3.weight"], 0.35))
PATTERNS = (Unstructured(), NM(n=2, m=4), Block(height=4, width=8), Row(), Column())


class Experts(nn.Module):
    def __init__(self):
        super().__init__()
        self.up = nn.Parameter(torch.randn(4, 8, 6))


def experts():
    torch.manual_seed(0)
    return nn.ModuleDict({"experts": Experts(), "fc": nn.Linear(8, 8)})


def held(pruner, model):
    """The weights as they are scored: the optimizer's change of what has gone undone."""
    return {
        name: np.where(pruner.mask(name), dict(model.named_parameters())[name].detach(), 0) for name in pruner.names
    }


@pytest.mark.parametrize("method", ["magnitude", "wanda", "sparse_gpt"])
@pytest.mark.parametrize("pattern", PATTERNS, ids=repr)
def test_masks_are_those_of_prune_mask_at_the_sparsity_of_each_layer(pattern, method):
    rng, model = np.random.default_rng(0), network()
    inputs = {name: rng.normal(size=(300, n)).astype(np.float32) for name, n in (("0.weight", 128), ("3.weight", 32))}
    asked = config(0.7, end=6, method=method, pattern=pattern)
    pruner = Pruner(model, asked, 8, plan=PLAN, calibration=None if method == "magnitude" else inputs)
    run = replay(asked, 8)
    for step in range(1, 9):
        disturb(model, rng)
        before = held(pruner, model)
        pruner.step()
        assert pruner.sparsity == run.applied_at(step)
        for name, weights in before.items() if step in run.update_steps else ():
            sparsity = PLAN[name].sparsity * float(run.applied_at(step)) / float(run.target)
            given_inputs = None if method == "magnitude" else inputs[name]
            expected = prune_mask(weights, sparsity, pattern, method, activations=given_inputs)
            np.testing.assert_array_equal(pruner.mask(name).numpy(), expected)
    if isinstance(pattern, Unstructured):
        gone = {name: int((~pruner.mask(name)).sum()) for name in pruner.names}
        assert gone == PLAN.pruned


@settings(max_examples=30)
@given(st.integers(0, 40), st.floats(0.015625, 1, width=32))
def test_the_same_for_each_is_as_without_a_plan(start, target):
    models = [perceptron(), perceptron()]
    same = plan(layer("0.weight", (32, 16), target), layer("2.weight", (4, 32), target))
    asked = config(target, start, start + 5)
    pruners = [Pruner(model, asked, 60, plan=by) for model, by in zip(models, (None, same), strict=True)]
    for _ in range(start + 6):
        for pruner in pruners:
            pruner.step()
        for name in pruners[0].names:
            assert torch.equal(pruners[0].mask(name), pruners[1].mask(name))


def test_what_the_schedule_misses_each_layer_misses_by_its_share():
    model = perceptron()
    by = plan(layer("0.weight", (32, 16), 0.5), layer("2.weight", (4, 32), 1.0))
    pruner = Pruner(model, gradual(0.8, 0, 100, 30), 200, plan=by)
    for _ in range(200):
        pruner.step()
    shares = [1 - pruner.mask(name).float().mean().item() for name in pruner.names]
    assert shares == pytest.approx([0.45, 0.9], abs=0.01)
    assert pruner.sparsity == pytest.approx(0.72)


def test_an_allocated_plan_goes_exactly_as_far_as_it_says():
    model = network()
    by = allocate(model, 0.83, method="global_magnitude")
    pruner = Pruner(model, config(0.5, end=3), 3, plan=by)
    for _ in range(3):
        pruner.step()
    assert {name: int((~pruner.mask(name)).sum()) for name in pruner.names} == by.pruned
    assert pruner.achieved == by.sparsity


def test_each_expert_has_a_sparsity_and_a_pattern_of_its_own():
    model = experts()
    before = model["experts"].up.detach().clone().numpy()
    by = plan(
        layer("experts.up[0]", (8, 6), 0.9),
        layer("experts.up[1]", (8, 6), 0.5, pattern=Row()),
        layer("experts.up[2]", (8, 6), skip=True),
    )
    pruner = Pruner(model, config(0.6, end=1), 1, plan=by)
    pruner.step()
    assert pruner.names == ["experts.up"]
    mask = pruner.mask("experts.up").numpy()
    np.testing.assert_array_equal(mask[0], prune_mask(before[0], 0.9))
    np.testing.assert_array_equal(mask[1], prune_mask(before[1], 0.5, Row()))
    assert mask[2:].all()
    assert {name: pruner.skipped[name] for name in ("experts.up[2]", "experts.up[3]", "fc.weight")} == {
        "experts.up[2]": "left whole: the plan skips it",
        "experts.up[3]": "left whole: the plan has nothing for it",
        "fc.weight": "left whole: the plan has nothing for it",
    }
    model["experts"].up.data[2] = 0.0
    for _ in range(2):
        pruner.step()
    np.testing.assert_array_equal(pruner.mask("experts.up").numpy(), mask)


def test_an_expert_that_is_left_whole_is_not_looked_at():
    model = experts()
    model["experts"].up.data[3, 0, 0] = float("nan")
    by = plan(layer("experts.up[0]", (8, 6), 0.5))
    inputs = {"experts.up[0]": np.ones((9, 6), np.float32)}
    pruner = Pruner(model, config(0.5, end=1, method="wanda"), 1, plan=by, calibration=inputs)
    pruner.step()
    assert int((~pruner.mask("experts.up")).sum()) == 24


def test_experts_whose_pattern_does_not_fit_are_left_whole_by_themselves():
    by = plan(*(layer(f"experts.up[{n}]", (8, 6), 0.5, pattern=Block(height=2, width=2 + 2 * n)) for n in range(2)))
    pruner = Pruner(experts(), config(0.5), 1, plan=by)
    assert pruner.skipped["experts.up[1]"].startswith("block 2 x 4 does not divide 8 x 6")
    assert "experts.up[0]" not in pruner.skipped


def test_the_plan_may_prune_embeddings_and_skip_others():
    model = nn.ModuleDict({"tokens": nn.Embedding(10, 8), "fc": nn.Linear(8, 8), "out": nn.Linear(8, 2)})
    by = plan(layer("tokens.weight", (10, 8), 0.5), layer("fc.weight", (8, 8), skip=True))
    pruner = Pruner(model, config(0.5), 1, plan=by)
    assert pruner.names == ["tokens.weight"]
    assert pruner.skipped["fc.weight"] == "left whole: the plan skips it"
    assert pruner.skipped["out.weight"] == "left whole: the plan has nothing for it"
    assert pruner.skipped["fc.bias"] == "1-D: biases and norms are not pruned"


class Tied(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed, self.fc = nn.Embedding(12, 8), nn.Linear(8, 8, bias=False)
        self.lm_head = nn.Linear(8, 12, bias=False)
        self.lm_head.weight = self.embed.weight


@pytest.mark.parametrize("names", [["embed.weight"], ["lm_head.weight"], ["lm_head.weight", "embed.weight"]])
def test_a_tied_parameter_is_planned_by_any_of_its_names(names):
    pruner = Pruner(Tied(), config(0.5, end=1), 1, plan=plan(*(layer(name, (12, 8), 0.75) for name in names)))
    pruner.step()
    assert pruner.names == ["embed.weight"]
    assert pruner.achieved == 0.75
    assert torch.equal(pruner.mask("lm_head.weight"), pruner.mask("embed.weight"))


@pytest.mark.parametrize(
    ("other", "words"),
    [
        ({"sparsity": 0.5}, "75% and 50%"),
        ({"skip": True}, "75% and 0%"),
        ({"sparsity": 0.75, "pattern": NM(n=2, m=4)}, "75% and 75% in 2:4"),
    ],
)
def test_a_tied_parameter_that_is_planned_in_two_ways_is_a_problem(other, words):
    by = plan(layer("embed.weight", (12, 8), 0.75), layer("lm_head.weight", (12, 8), **other))
    with pytest.raises(
        ConfigError, match=f"'embed.weight': is tied to 'lm_head.weight', and the plan gives them {words}"
    ):
        Pruner(Tied(), config(0.5), 1, plan=by)


def test_two_names_that_are_both_left_whole_agree():
    by = plan(
        layer("embed.weight", (12, 8)), layer("lm_head.weight", (12, 8), skip=True), layer("fc.weight", (8, 8), 0.5)
    )
    assert Pruner(Tied(), config(0.5), 1, plan=by).names == ["fc.weight"]


def test_all_that_does_not_fit_is_told_with_all_other_problems():
    model = nn.ModuleDict({"a": nn.Linear(4, 4), "b": nn.Linear(4, 4, device="meta"), "c": nn.Linear(4, 6)})
    by = plan(
        layer("a.weight", (4, 5), 0.5),
        layer("b.weight", (4, 4), 0.5),
        layer("c.weight", (6, 4), 0.5, pattern=Row()),
        layer("a.bias", (4,), 0.5),
    )
    asked = config(0.5, method="wanda", schedule=OneShot(step=1))
    with pytest.raises(ConfigError) as refused:
        Pruner(model, asked, 1, plan=by, within="row")
    told = [str(problem) for problem in refused.value.problems]
    assert told[0].startswith("method: wanda needs calibration data")
    assert told[1] == "'a.weight': is [4, 4] here, and [4, 5] in the plan"
    assert told[2].startswith("'c.weight': within='row' goes with Unstructured, not with Row()")
    assert told[3] == "'a.bias': is no layer here that can be pruned: there are 'a.weight', 'b.weight', 'c.weight'"
    assert told[4] == "b.weight: has no numbers (device meta): load the weights first"
    nothing = config(0.0, schedule=OneShot(step=1))
    with pytest.raises(ConfigError, match=r"2 problems:(\n|.)*schedule: ends with 0%(\n|.)*none of the plan's is here"):
        Pruner(network(), nothing, 1, plan=plan(layer("9", (1, 1), 0.5)))


def test_a_plan_that_leaves_all_whole_is_refused():
    with pytest.raises(ConfigError, match=r"nothing here can be pruned .*left whole: the plan skips it"):
        Pruner(nn.Linear(4, 4), config(), 1, plan=plan(layer("weight", (4, 4), skip=True)))


# A training that stops ------------------------------------------------------------------------------------------------


def saved(pruner):
    file = io.BytesIO()
    torch.save(pruner.state_dict(), file)
    file.seek(0)
    return torch.load(file, weights_only=True)


@settings(max_examples=20)
@given(st.integers(0, 8))
def test_a_stop_at_any_step_leaves_no_trace(stop):
    asked, whole, half = gradual(0.8, 1, 8, 2), network(), network()
    one, other = Pruner(whole, asked, 8, plan=PLAN), Pruner(half, asked, 8, plan=PLAN)
    for step in range(8):
        if step == stop:
            state = saved(other)
            other = Pruner(half, asked, 8, plan=Plan.from_json(PLAN.to_json()))
            other.load_state_dict(state)
        one.step()
        other.step()
    for name, weights in weights_of(whole).items():
        assert torch.equal(weights_of(half)[name], weights)


def load(state, by):
    pruner = Pruner(network(), config(0.5), 8, plan=by)
    pruner.load_state_dict(state)
    return pruner


def test_a_state_of_another_plan_is_refused():
    state = saved(Pruner(network(), config(0.5), 8, plan=PLAN))
    same = plan(*reversed(PLAN.layers), method="erk")
    assert load(state, same).plan == same
    other = plan(PLAN.layers[0], layer("3.weight", (48, 32), 0.3))
    for by, words in (
        (None, "now: by hand: .* then, none now"),
        (other, "now: by hand: .* now, for example for '3.weight'"),
    ):
        with pytest.raises(ConfigError, match=f"plan: is another one than {words}") as refused:
            load(state, by)
        assert [problem.where for problem in refused.value.problems] == ["plan"]
    with pytest.raises(ConfigError, match="plan: is another one than now: none then, by hand"):
        load(saved(Pruner(network(), config(0.5), 8)), PLAN)


def test_a_state_from_before_there_were_plans_is_loaded():
    state = saved(Pruner(network(), config(0.5), 8)) | {"version": 1}
    del state["plan"]
    assert load(state, None).step_count == 0
    with pytest.raises(ConfigError, match="plan: is another one than now: none then"):
        load(state, PLAN)


@pytest.mark.parametrize(("text", "message"), [(7, "plan: must be text"), ("{", "plan: cannot be read: is not JSON")])
def test_a_state_whose_plan_is_none_is_refused(text, message):
    with pytest.raises(ConfigError, match=message):
        load(saved(Pruner(network(), config(0.5), 8, plan=PLAN)) | {"plan": text}, PLAN)
