"""A checkpoint pruned by a plan: in each layer goes what its own mask takes, and all else is what it was."""

import json
from dataclasses import replace

import numpy as np
import pytest

from entrenar_viz import (
    NM,
    Block,
    Column,
    ConfigError,
    Cubic,
    Gradual,
    OneShot,
    PruningConfig,
    Row,
    Unstructured,
    WeightsError,
    allocate,
    iter_survey,
    load_weights,
    prune_checkpoint,
    prune_mask,
)
from tests.model_pruning.models import as_entries, checkpoint, drawn, write_safetensors
from tests.plan.by_hand import layer, plan

SHAPES = {"fc.weight": (16, 24), "out.kernel": (16, 8), "mlp.experts": (3, 8, 16), "norm.weight": (8,)}
INPUTS = {"fc.weight": 24, "out.kernel": 16} | {f"mlp.experts[{n}]": 16 for n in range(3)}
CUBIC = PruningConfig(schedule=Cubic(start_step=0, end_step=100, final_sparsity=0.5), target_sparsity=0.5)
PLAN = plan(
    layer("fc.weight", (16, 24), 0.9),
    layer("out.kernel", (8, 16), 0.3),
    layer("mlp.experts[0]", (8, 16), 0.7),
    layer("mlp.experts[1]", (8, 16), skip=True),
    layer("mlp.experts[2]", (8, 16), 0.25),
)


@pytest.fixture
def model(tmp_path):
    return write_safetensors(tmp_path / "in.safetensors", as_entries({name: drawn(s) for name, s in SHAPES.items()}))


def pruned(model, config, planned, **arguments):
    """The weights after pruning, by layer, and the records."""
    output = model.with_name("out.safetensors")
    found = prune_checkpoint(model, config, output, plan=planned, **arguments)
    return load_weights(output), {record.layer: record for record in found.layers}


@pytest.mark.parametrize("method", ["magnitude", "wanda", "sparse_gpt"])
@pytest.mark.parametrize("pattern", [Unstructured(), NM(n=2, m=4), Block(height=4, width=8), Row(), Column()])
def test_masks_are_those_of_prune_mask_for_each_layer(model, pattern, method):
    rng = np.random.default_rng(0)
    inputs = {name: rng.standard_normal((40, columns)).astype(np.float32) for name, columns in INPUTS.items()}
    config = replace(CUBIC, pattern=pattern, method=method)
    before = load_weights(model)
    after, found = pruned(model, config, PLAN, calibration=None if method == "magnitude" else inputs)
    for name, sparsity in PLAN.sparsities.items():
        given = None if method == "magnitude" else inputs[name]
        mask = prune_mask(before[name], sparsity, pattern, method, activations=given) if sparsity else True
        np.testing.assert_array_equal(after[name], np.where(mask, before[name], 0))
        assert (found[name].asked, found[name].achieved) == (sparsity, pytest.approx(1 - np.mean(mask)))
    assert found["mlp.experts[1]"].reason == "left whole: the plan skips it"


def test_layers_have_patterns_of_their_own(model):
    mixed = plan(
        layer("fc.weight", (16, 24), 0.5, pattern=NM(n=2, m=4)),
        layer("mlp.experts[2]", (8, 16), 0.5, pattern=Column()),
        layer("out.kernel", (8, 16), 0.5, pattern=Block(height=3, width=3)),
    )
    before = load_weights(model)
    after, found = pruned(model, replace(CUBIC, pattern=Row()), mixed)
    for name, pattern in (("fc.weight", NM(n=2, m=4)), ("mlp.experts[2]", Column())):
        np.testing.assert_array_equal(after[name], np.where(prune_mask(before[name], 0.5, pattern), before[name], 0))
    assert "block 3 x 3 does not divide 8 x 16" in found["out.kernel"].reason
    assert found["mlp.experts[0]"].reason == "left whole: the plan has nothing for it"


def test_what_the_schedule_misses_each_layer_misses_by_its_share(model):
    missed = Gradual(start_step=0, end_step=100, initial_sparsity=0.0, final_sparsity=0.8, frequency=30)
    _, found = pruned(model, replace(CUBIC, schedule=missed), PLAN)
    assert (found["fc.weight"].asked, found["out.kernel"].asked) == pytest.approx((0.81, 0.27))


def test_a_folder_by_an_allocated_plan_is_as_the_survey_says(tmp_path):
    model = checkpoint(tmp_path / "model")
    planned = allocate(model, 0.75, method="erk")
    result = prune_checkpoint(model, CUBIC, tmp_path / "pruned", plan=planned)
    for record, surveyed in zip(result.layers, iter_survey(model, CUBIC, plan=planned), strict=True):
        same = ("layer", "asked", "achieved", "reason")
        assert [getattr(record, key) for key in same] == [getattr(surveyed, key) for key in same]
    written = json.loads(result.metadata.read_text("utf-8"))
    assert written["parameters_pruned"] == sum(one["zero_count"] for one in written["tensors"])


@pytest.mark.parametrize(
    ("planned", "config", "message"),
    [
        (plan(layer("fc.weight", (24, 16), 0.5)), CUBIC, r"'fc.weight': is \[16, 24\] here, and \[24, 16\]"),
        (plan(layer("out.kernel", (16, 8), 0.5)), CUBIC, r"'out.kernel': is \[8, 16\] here"),
        (plan(layer("mlp.experts[3]", (8, 16), 0.5)), CUBIC, r"did you mean 'mlp.experts\["),
        (PLAN, replace(CUBIC, schedule=OneShot(step=1), target_sparsity=0.0), "schedule: ends with 0%"),
    ],
)
def test_a_plan_that_does_not_fit_is_refused_and_nothing_is_written(model, planned, config, message):
    with pytest.raises(ConfigError, match=message):
        pruned(model, config, planned)
    assert [path.name for path in model.parent.iterdir()] == ["in.safetensors"]


def test_a_plan_that_leaves_all_whole_is_refused(model):
    with pytest.raises(WeightsError, match=r"no weight would be pruned .*left whole: the plan"):
        pruned(model, CUBIC, plan(layer("fc.weight", (16, 24), skip=True)))
    with pytest.raises(WeightsError, match="there is nothing to prune: the schedule ends with 0%"):
        pruned(model, replace(CUBIC, schedule=OneShot(step=50)), PLAN, total_steps=10)
