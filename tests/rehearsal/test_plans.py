"""Rehearsals by plans: the small network's layers follow them, and plans are compared as schedules are."""

from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from multiprocessing import get_context

import numpy as np
import pytest

from entrenar_viz import (
    NM,
    Block,
    Column,
    ConfigError,
    Cubic,
    EntrenarVizError,
    Gradual,
    OneShot,
    PruningConfig,
    Row,
    TrialPruner,
    Unstructured,
    allocate,
    prune_mask,
    rehearse,
    replay,
)
from entrenar_viz.rehearsal.network import Network
from entrenar_viz.rehearsal.rehearsing import prepare
from entrenar_viz.rehearsal.small_training import SmallTraining
from entrenar_viz.rehearsal.verdict import uneven
from tests.plan.by_hand import layer, plan

CUBIC = Cubic(start_step=400, end_step=1400, final_sparsity=0.98)
CONFIG = PruningConfig(schedule=CUBIC, target_sparsity=0.98)
SHAPES = {"fc1.weight": (128, 64), "fc2.weight": (64, 128), "fc3.weight": (10, 64)}
SHORT = {"seeds": 3, "steps": 200, "widths": (16,)}
WIDTHS, SMALL = [8, 12, 8, 4], {"fc1.weight": (12, 8), "fc2.weight": (8, 12), "fc3.weight": (4, 8)}
PLAN = plan(*(layer(name, shape, share) for (name, shape), share in zip(SMALL.items(), (0.9, 0.6, 0.25), strict=True)))


def data():
    rng = np.random.default_rng(3)
    return rng.standard_normal((30, 8)).astype(np.float32), rng.integers(0, 4, 30)


# What prunes ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["magnitude", "wanda", "sparse_gpt"])
@pytest.mark.parametrize("pattern", [Unstructured(), NM(n=2, m=4), Block(height=2, width=4), Row(), Column()])
def test_masks_are_those_of_prune_mask_at_the_sparsity_of_each_layer(pattern, method):
    gradual = Gradual(start_step=2, end_step=12, initial_sparsity=0.1, final_sparsity=0.8, frequency=5)
    config = PruningConfig(schedule=gradual, target_sparsity=0.8, pattern=pattern, method=method)
    network, pruner = Network(WIDTHS, np.random.default_rng(0)), TrialPruner("Gradual", config, 20, plan=PLAN)
    run, (x, y) = replay(config, 20), data()
    for step in range(1, 21):
        network.step(x, y)
        entering, before = network.entering, dict(pruner.masks)
        held = {name: weight * before.get(name, True) for name, weight in network.weights.items()}
        pruner.step(network.weights, entering)
        assert pruner.sparsity == run.applied_at(step)
        for name in pruner.masks if step in run.update_steps else ():
            asked = PLAN[name].sparsity * float(run.applied_at(step)) / float(run.target)
            given = None if method == "magnitude" else entering[name]
            mask = prune_mask(held[name], asked, pattern, method, activations=given)
            np.testing.assert_array_equal(pruner.masks[name], mask & before.get(name, True))
    last = {"fc3.weight"} if isinstance(pattern, Row) else set()
    assert set(pruner.masks) == SMALL.keys() - last


def test_what_a_plan_leaves_whole_and_patterns_of_layers():
    by = plan(
        layer("fc1.weight", (12, 8), 0.5, pattern=NM(n=2, m=4)),
        layer("fc2.weight", (8, 12), skip=True),
        layer("fc3.weight", (4, 8), 0.5, pattern=Row()),
    )
    pruner = TrialPruner("x", replace(CONFIG, schedule=OneShot(step=1)), 3, plan=by)
    network = Network(WIDTHS, np.random.default_rng(0))
    assert pruner.skipped(network.weights) == {
        "fc2.weight": "the plan skips it",
        "fc3.weight": "each of its rows is a class, which could no longer be predicted without it",
    }
    before = network.weights["fc1.weight"].copy()
    pruner.step(network.weights)
    np.testing.assert_array_equal(pruner.masks["fc1.weight"], prune_mask(before, 0.5, NM(n=2, m=4)))
    assert set(pruner.masks) == {"fc1.weight"}
    assert pruner.achieved(network.weights) == 0.5


def test_a_plan_of_other_layers_is_refused_at_the_first_step():
    pruner = TrialPruner("x", CONFIG, 3, plan=PLAN)
    with pytest.raises(ConfigError, match=r"'fc1.weight': is \[2, 2\] here, and \[12, 8\] in the plan"):
        pruner.step({"fc1.weight": np.ones((2, 2), np.float32)})


# Plans compared -------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def result():
    return rehearse(CONFIG, 2000, seeds=4, steps=600, plans={"uniform": None, "ERK": "erk"})


def test_erk_beats_uniform_beyond_the_intervals_at_98_percent(result):
    (pair,) = result.differences
    assert (pair.first, pair.second, pair.is_certain) == ("ERK", "uniform", True)
    assert pair.low > 0.01
    assert result["ERK"].low > result["uniform"].high
    assert result.verdict.startswith("ERK keeps ")
    assert "points more than uniform (95%: " in result.verdict
    assert "ends at" not in result.verdict
    assert (result.better.name, result.own.name) == ("ERK", "uniform")


def test_each_plan_is_an_outcome_of_the_same_schedule(result):
    assert [one.name for one in result.outcomes] == ["uniform", "ERK"]
    assert {one.config for one in result.outcomes} == {CONFIG}
    assert (result["uniform"].plan, result["ERK"].plan) == (None, allocate(SHAPES, 0.98, "erk"))
    assert (result["uniform"].sparsity, result["ERK"].sparsity) == (0.98, pytest.approx(0.98, abs=1e-4))
    assert result.compared == "plans"
    with pytest.raises(EntrenarVizError, match="there are uniform, ERK, dense"):
        result["Cubic"]


def test_the_words_say_what_was_compared(result):
    words = str(result)
    assert "\nAll under Cubic: 0% to 98% in steps 400 to 1,400.\n" in words
    assert words.endswith("ERK, erk: 98% of 17,024 weights in 3 layers, from 91.41% to 98.27%.")
    frame = result.to_dataframe()
    assert list(frame.columns) == ["plan", "sparsity", "seed", "step", "accuracy"]
    assert frame.plan.unique().tolist() == ["dense", "uniform", "ERK"]


def test_curves_are_one_until_the_first_update(result):
    first = [one.curves[:, one.steps < 400] for one in (result.dense, *result.outcomes)]
    for other in first[1:]:
        np.testing.assert_array_equal(other, first[0])


def ends(result):
    return {one.name: one.curves.tolist() for one in (result.dense, *result.outcomes)}


def test_numbers_are_the_same_in_other_processes_and_for_the_same_plan():
    plans = {"none": None, "one": "erk", "same": allocate({"fc1.weight": (16, 64), "fc2.weight": (10, 16)}, 0.98)}
    alone = rehearse(CONFIG, 2000, plans=plans, **SHORT)
    assert ends(alone)["one"] == ends(alone)["same"]
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as executor:
        assert ends(rehearse(CONFIG, 2000, plans=plans, executor=executor, **SHORT)) == ends(alone)


def test_all_layers_alike_is_better_known_by_none_or_by_the_first():
    alone = rehearse(CONFIG, 2000, plans={"ERK": "erk"}, **SHORT)
    assert alone.verdict == "fewer than two of the plans prune anything, so that there is nothing to compare"
    assert (alone.own.name, alone.better) == ("ERK", None)
    worse = plan(layer("fc1.weight", (16, 64), 0.97), layer("fc2.weight", (10, 16), 1.0))
    found = rehearse(CONFIG, 2000, plans={"worse": worse, "ERK": "erk"}, **SHORT | {"steps": 1000})
    assert (found.own.name, found.better.name) == ("worse", "ERK")
    assert "; ERK ends at" not in found.verdict


def test_a_plan_that_gives_less_is_told_apart_and_never_better():
    less = plan(layer("fc1.weight", (16, 64), 0.5), layer("fc2.weight", (10, 16), skip=True))
    found = rehearse(CONFIG, 2000, plans={"uniform": None, "less": less}, **SHORT)
    assert found["less"].sparsity == pytest.approx(0.5 * 1024 / 1184)
    assert "; less ends at 43.24%, not 98%" in found.verdict
    assert found.better is None
    assert found.left_whole == {"fc2.weight (less)": "the plan skips it"}
    assert str(found).endswith("\nfc2.weight (less) is left whole: the plan skips it.")


def test_whole_weights_are_no_difference_of_sparsities():
    assert uneven({"uniform": 0.98, "ERK": 0.9797}, grain=0.001) == []
    assert uneven({"uniform": 0.98, "less": 0.97}, grain=0.001) == ["less ends at 97%, not 98%"]


def test_what_the_schedule_misses_plans_miss_by_the_same_share():
    missed = Gradual(start_step=0, end_step=1000, initial_sparsity=0.0, final_sparsity=0.8, frequency=300)
    found = rehearse(PruningConfig(schedule=missed), 2000, plans={"uniform": None, "ERK": "erk"}, **SHORT)
    assert [one.sparsity for one in found.outcomes] == pytest.approx([0.72, 0.72], abs=1e-3)
    assert "ends at" not in found.verdict


def test_patterns_take_their_own_share_and_leave_layers_out():
    halves = rehearse(replace(CONFIG, pattern=NM(n=2, m=4)), 2000, plans={"uniform": None, "ERK": "erk"}, **SHORT)
    assert [one.sparsity for one in halves.outcomes] == [0.5, 0.5]
    assert ends(halves)["uniform"] == ends(halves)["ERK"]
    rows = rehearse(replace(CONFIG, pattern=Row()), 2000, plans={"uniform": None, "ERK": "erk"}, **SHORT)
    assert rows["ERK"].plan["fc2.weight"].skip
    assert [one.sparsity for one in rows.outcomes] == pytest.approx([0.98, 0.98], abs=1e-3)
    assert list(rows.left_whole) == ["fc2.weight"]


def test_a_layer_whose_own_pattern_does_not_fit_has_not_gone():
    """Or the plan that leaves it whole would be said to keep more at the same sparsity."""
    small = {"fc1.weight": (16, 64), "fc2.weight": (10, 16)}
    odd = plan(
        layer("fc1.weight", (16, 64), 0.98, pattern=Block(height=3, width=3)), layer("fc2.weight", (10, 16), 0.5)
    )
    found = rehearse(CONFIG, 2000, plans={"uniform": None, "odd": odd}, **SHORT)
    assert found["odd"].sparsity == pytest.approx(80 / 1184)
    assert "odd ends at 6.76%, not 98%" in found.verdict
    misfit = replace(CONFIG, pattern=Block(height=7, width=11))
    own = plan(*(layer(name, shape, 0.5, pattern=Unstructured()) for name, shape in small.items()))
    alone = rehearse(misfit, 2000, plans={"own": own}, **SHORT)
    assert alone["own"].sparsity == 0.5


def test_a_window_that_scaling_has_made_too_short_is_said():
    short = replace(CONFIG, schedule=replace(CUBIC, end_step=1300, start_step=1299))
    found = rehearse(short, 2000, plans={"uniform": None, "ERK": "erk"}, **SHORT)
    assert found.verdict.endswith("too few to follow the schedule: rehearse with more steps")
    assert found.better is None


# One plan for all schedules -------------------------------------------------------------------------------------------


def test_one_plan_for_all_schedules():
    found = rehearse(CONFIG, 2000, plan="erk", **SHORT)
    assert [one.name for one in found.outcomes] == ["OneShot", "Gradual", "Cubic"]
    assert len({id(one.plan) for one in found.outcomes}) == 1
    assert (found.compared, found.dense.plan, found.own.name) == ("schedules", None, "Cubic")
    assert "By a plan, erk: 97.97% of 1,184 weights in 2 layers" in str(found)
    assert "schedule" in found.to_dataframe().columns
    alone, alike = rehearse(CONFIG, 2000, plans={"ERK": "erk"}, **SHORT), rehearse(CONFIG, 2000, **SHORT)
    assert found["Cubic"].per_seed.tolist() == alone["ERK"].per_seed.tolist()
    assert found["Cubic"].curves.tolist() != alike["Cubic"].curves.tolist()


def test_dense_has_no_plan_and_the_configuration_is_found_among_the_schedules():
    once = replace(CONFIG, schedule=OneShot(step=1))
    prepared = prepare(once, 2000, 2, plan="erk", trial=SmallTraining())
    assert [job.plan is None for job in prepared.jobs] == [True] * 2 + [False] * 6
    assert prepared.own.name == "OneShot"


# A training of your own ----------------------------------------------------------------------------------------------


def own(pruner, seed):
    """The share of the weights that has gone, of one matrix and by the plan that the trial is given."""
    weights = {"a": np.random.default_rng(seed).standard_normal((8, 8)).astype(np.float32), "b": np.ones((4, 8), "f4")}
    for _ in range(pruner.total_steps):
        pruner.step(weights)
    gone = [int((weights[name] == 0).sum()) for name in weights]
    yield pruner.total_steps, gone[0] / 64


def test_a_trial_of_your_own_prunes_by_the_plan():
    some = plan(layer("a", (8, 8), 0.75), layer("b", (4, 8), skip=True))
    config = replace(CONFIG, schedule=replace(CUBIC, start_step=2, end_step=6))
    found = rehearse(
        config, 8, 3, trial=own, plans={"alike": None, "some": some}, metric="gone", higher_is_better=False
    )
    assert {one.name: one.per_seed.tolist() for one in found.outcomes} == {
        "alike": [62 / 64] * 3,
        "some": [0.75] * 3,
    }
    assert found["some"].sparsity == 0.75 * 64 / 96
    assert found.left_whole == {}
    with pytest.raises(EntrenarVizError, match=r"the layers of a trial of your own are not known here: pass a Plan"):
        rehearse(config, 8, 3, trial=own, plans={"ERK": "erk"})
    with pytest.raises(ConfigError, match=r"none of the plan's is here"):
        rehearse(config, 8, 3, trial=own, plan=plan(layer("c", (8, 8), 0.75)))


# Refused --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"plans": {"a": None}, "schedules": [CUBIC]}, "plans are compared under the schedule of the configuration"),
        ({"plans": {"a": None}, "plan": "erk"}, "leave schedules and plan out"),
        ({"plans": {}}, r"plans are a dict of plans by their names, such as \{\"uniform\": None, "),
        ({"plans": ["erk"]}, "plans are a dict"),
        ({"plans": {"dense": None}}, "'dense' is training without pruning"),
        ({"plans": {"": None}}, "the name of a plan is up to 40 letters in a line, not ''"),
        ({"plans": {"a\n": None}}, "the name of a plan"),
        ({"plans": {"x" * 41: None}}, "the name of a plan"),
        ({"plans": {7: None}}, "the name of a plan"),
        (
            {"plans": {"a": "owl"}},
            "'owl' needs weights, and the small network has none before it is trained: pass a Plan",
        ),
        ({"plan": "global_magnitude"}, "'global_magnitude' needs weights"),
        ({"plan": "ERK"}, "a plan is a Plan, 'uniform' or 'erk', or None, not 'ERK'"),
        ({"plan": 0.5}, "a plan is a Plan"),
        ({"plan": PLAN}, r"'fc1.weight': is \[128, 64\] here, and \[12, 8\] in the plan"),
        (
            {"plan": plan(*(layer(name, shape, skip=True) for name, shape in SHAPES.items()))},
            "no layer of .* the plan skips it",
        ),
        ({"plans": {"a": None}, "metric": "plan", "trial": own}, "metric is the name of a column"),
    ],
)
def test_what_cannot_be_rehearsed_is_refused_before_anything_is_trained(given, message):
    with pytest.raises(EntrenarVizError, match=message):
        rehearse(CONFIG, 2000, **given)


def test_a_schedule_that_ends_with_nothing_has_no_plans():
    nothing = PruningConfig(schedule=OneShot(step=1), target_sparsity=0.0)
    with pytest.raises(ConfigError, match="schedule: ends with 0%"):
        rehearse(nothing, 100, plans={"uniform": None, "ERK": "erk"})
