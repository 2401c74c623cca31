"""The masks in a trial are those of ``prune_mask``, at the steps and sparsities of ``replay``."""

from dataclasses import replace

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
    WeightsError,
    prune_mask,
    replay,
)
from entrenar_viz.rehearsal.network import Network
from entrenar_viz.rehearsal.trial_pruner import asking_nothing, check_masks, readings_of

GRADUAL = Gradual(start_step=2, end_step=12, initial_sparsity=0.1, final_sparsity=0.9, frequency=5)
CONFIG = PruningConfig(schedule=GRADUAL, target_sparsity=0.9)
WIDTHS = [8, 12, 8, 4]


def data():
    rng = np.random.default_rng(3)
    return rng.standard_normal((30, 8)).astype(np.float32), rng.integers(0, 4, 30)


@pytest.mark.parametrize("pattern", [Unstructured(), NM(n=2, m=4), Block(height=2, width=4), Row(), Column()])
@pytest.mark.parametrize("method", ["magnitude", "wanda", "sparse_gpt"])
def test_masks_are_those_of_prune_mask_at_every_update(pattern, method):
    config = replace(CONFIG, pattern=pattern, method=method)
    network, pruner = Network(WIDTHS, np.random.default_rng(0)), TrialPruner("Gradual", config, 20)
    run, updates = replay(config, 20), 0
    x, y = data()
    for step in range(1, 21):
        network.step(x, y)
        entering, before = network.entering, dict(pruner.masks)
        held = {name: weight * before.get(name, True) for name, weight in network.weights.items()}
        pruner.step(network.weights, entering)
        assert pruner.sparsity == run.applied_at(step)
        if step in run.update_steps:
            updates += 1
            for name in pruner.masks:
                given = None if method == "magnitude" else entering[name]
                asked = prune_mask(held[name], pruner.sparsity, pattern, method, activations=given)
                np.testing.assert_array_equal(pruner.masks[name], asked & before.get(name, True))
                np.testing.assert_array_equal(network.weights[name], held[name] * pruner.masks[name])
    assert updates == run.num_updates == 3
    last = {"fc3.weight"} if isinstance(pattern, Row) else set()
    assert set(pruner.masks) == network.weights.keys() - last


@pytest.mark.parametrize("method", ["wanda", "sparse_gpt"])
def test_a_layer_that_nothing_enters_is_scored_by_magnitude(method):
    weights = {"fc1.weight": np.random.default_rng(0).standard_normal((6, 8)).astype(np.float32)}
    expected = prune_mask(weights["fc1.weight"], 0.5)
    pruner = TrialPruner("x", PruningConfig(method=method, target_sparsity=0.5, schedule=OneShot(step=1)), 2)
    pruner.step(weights, {"fc1.weight": np.zeros((5, 8), np.float32)})
    np.testing.assert_array_equal(pruner.masks["fc1.weight"], expected)


def test_what_has_gone_stays_zero_whatever_the_optimizer_does():
    weights = {"a": np.arange(1, 9, dtype=np.float32).reshape(2, 4)}
    pruner = TrialPruner("OneShot", PruningConfig(schedule=OneShot(step=1), target_sparsity=0.5), 3)
    pruner.step(weights)
    weights["a"] += 100
    pruner.step(weights)
    assert weights["a"].tolist() == [[0, 0, 0, 0], [105, 106, 107, 108]]
    assert (pruner.achieved(weights), pruner.step_count) == (0.5, 2)


def test_rows_can_be_compared_by_themselves():
    weights = {"a": np.array([[1, 2], [30, 40]], np.float32)}
    config = PruningConfig(schedule=OneShot(step=1), target_sparsity=0.5)
    TrialPruner("OneShot", config, 1, within="row").step(weights)
    assert weights["a"].tolist() == [[0, 2], [0, 40]]


def test_dense_never_prunes_and_can_be_given_to_the_pruner_of_pytorch():
    config = asking_nothing(replace(CONFIG, pattern=NM(n=2, m=4)))
    weights = {"a": np.ones((4, 4), np.float32)}
    pruner = TrialPruner("dense", config, 5)
    for _ in range(5):
        pruner.step(weights)
    assert (pruner.masks, pruner.sparsity, pruner.achieved(weights)) == ({}, 0.0, 0.0)
    assert replay(config, 5).num_updates == 0


def test_layers_that_the_pattern_does_not_fit_are_left_whole_with_the_reason():
    config = replace(CONFIG, pattern=Block(height=3, width=4))
    weights = Network(WIDTHS, np.random.default_rng(0)).weights
    skipped = TrialPruner("Gradual", config, 20).skipped(weights)
    assert list(skipped) == ["fc2.weight", "fc3.weight"]
    assert "3 x 4 does not divide 8 x 12" in skipped["fc2.weight"]
    rows = TrialPruner("Gradual", replace(CONFIG, pattern=Row()), 20).skipped(weights)
    assert rows == {"fc3.weight": "each of its rows is a class, which could no longer be predicted without it"}


def test_a_method_that_needs_activations_says_so():
    pruner = TrialPruner("x", replace(CONFIG, method="wanda", schedule=OneShot(step=1)), 5)
    with pytest.raises(EntrenarVizError, match="wanda needs what enters the layers"):
        pruner.step({"a": np.ones((2, 2), np.float32)})


def test_weights_that_have_diverged_are_refused():
    pruner = TrialPruner("x", replace(CONFIG, schedule=OneShot(step=1)), 5)
    with pytest.raises(WeightsError, match="finite"):
        pruner.step({"a": np.array([[np.nan, 1]], np.float32)})


def test_what_gives_no_masks_is_refused_with_all_problems():
    with pytest.raises(ConfigError) as caught:
        check_masks(replace(CONFIG, method="minitron_width", pattern=Row()), "row")
    assert [problem.where for problem in caught.value.problems] == ["method", "within"]
    check_masks(replace(CONFIG, method="wanda"), "row")


def test_readings_are_even_and_around_the_largest_jumps():
    cubic = dict.fromkeys(range(1, 500), 0.5)
    assert readings_of([{}, cubic], 1000, at_least=4, most=20) == (250, 500, 750, 1000)
    some = {100: 0.1, 200: 0.8, 300: 0.9}
    assert readings_of([some], 1000, at_least=2, most=1) == (199, 200, 500, 1000)
    assert readings_of([some], 1000, at_least=2, most=2) == (99, 100, 199, 200, 500, 1000)
    assert readings_of([{1: 0.5}], 3, at_least=40, most=20) == (1, 2, 3)


def test_it_reads_at_the_end_and_updates_as_replay_does_unless_told_otherwise():
    config = PruningConfig(schedule=Cubic(start_step=0, end_step=3, final_sparsity=0.5))
    pruner = TrialPruner("Cubic", config, 7)
    run = replay(config, 7)
    assert pruner.readings == (7,)
    assert pruner.updates == dict(zip(run.update_steps.tolist(), run.applied.tolist(), strict=True))
