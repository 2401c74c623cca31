"""A survey by a plan: each layer is asked for its own sparsity, in its own pattern, or left whole."""

from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from multiprocessing import get_context

import numpy as np
import pytest
from safetensors.numpy import save_file

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
    allocate,
    iter_survey,
    prune_mask,
    survey,
)
from tests.plan.by_hand import layer, plan

RNG = np.random.default_rng(4)
SHAPES = {"a": (16, 24), "b": (8, 16), "c": (24, 8), "embed.weight": (8, 8), "mlp.experts": (3, 8, 16)}
ARRAYS = {name: RNG.standard_normal(shape).astype(np.float32) for name, shape in SHAPES.items()}
INPUTS = {"a": (40, 24), "b": (40, 16), "c": (40, 8)} | {f"mlp.experts[{n}]": (40, 16) for n in range(3)}
CALIBRATION = {name: RNG.standard_normal(shape).astype(np.float32) for name, shape in INPUTS.items()}
CUBIC = PruningConfig(schedule=Cubic(start_step=0, end_step=100, final_sparsity=0.5), target_sparsity=0.5)
MISSED = Gradual(start_step=0, end_step=100, initial_sparsity=0.0, final_sparsity=0.8, frequency=30)
PLAN = plan(
    layer("a", (16, 24), 0.9),
    layer("b", (8, 16), 0.4),
    layer("c", (24, 8), skip=True),
    layer("mlp.experts[0]", (8, 16), 0.7),
    layer("mlp.experts[2]", (8, 16), 0.25),
)


def records(config, planned, **arguments):
    return {record.layer: record for record in iter_survey(ARRAYS, config, plan=planned, **arguments)}


def matrix(name):
    stack, _, number = name.partition("[")
    return ARRAYS[stack][int(number[:-1])] if number else ARRAYS[name]


@pytest.mark.parametrize("method", ["magnitude", "wanda", "sparse_gpt"])
@pytest.mark.parametrize("pattern", [Unstructured(), NM(n=2, m=4), Block(height=4, width=8), Row(), Column()])
def test_masks_are_those_of_prune_mask_for_each_layer(pattern, method):
    config = replace(CUBIC, pattern=pattern, method=method)
    found = records(config, PLAN, calibration=None if method == "magnitude" else CALIBRATION)
    for name, sparsity in PLAN.sparsities.items():
        given = None if method == "magnitude" else CALIBRATION[name]
        weights = matrix(name).astype(np.float64)
        mask = prune_mask(matrix(name), sparsity, pattern, method, activations=given) if sparsity else True
        assert found[name].asked == sparsity
        assert found[name].achieved == pytest.approx(1 - np.mean(mask))
        kept = np.square(np.where(mask, weights, 0)).sum() / np.square(weights).sum()
        assert found[name].kept_energy == pytest.approx(kept)


def test_what_the_plan_leaves_out_is_left_whole_with_the_reason():
    found = records(CUBIC, PLAN)
    whole = {name: one.reason for name, one in found.items() if one.reason.startswith("left whole")}
    assert whole == {
        "c": "left whole: the plan skips it",
        "embed.weight": "left whole: the plan has nothing for it",
        "mlp.experts[1]": "left whole: the plan has nothing for it",
    }
    assert {found[name].asked for name in whole} == {0.0}
    assert {found[name].achieved for name in whole} == {0.0}
    assert {found[name].kept_energy for name in whole} == {1.0}


def test_the_plan_may_prune_embeddings():
    found = records(CUBIC, plan(layer("embed.weight", (8, 8), 0.5)))
    assert found["embed.weight"].achieved == 0.5


def test_layers_have_patterns_of_their_own():
    mixed = plan(
        layer("a", (16, 24), 0.5, pattern=NM(n=2, m=4)),
        layer("b", (8, 16), 0.5, pattern=Block(height=8, width=8)),
        layer("c", (24, 8), 0.5, pattern=Block(height=5, width=8)),
        layer("embed.weight", (8, 8), 0.25),
    )
    found = records(replace(CUBIC, pattern=Row()), mixed)
    assert (found["a"].achieved, found["a"].bytes_nm is None, found["b"].dead_columns) == (0.5, False, 8)
    assert "block 5 x 8 does not divide 24 x 8" in found["c"].reason
    assert found["embed.weight"].dead_rows == 2


def test_what_the_schedule_misses_each_layer_misses_by_its_share():
    found = records(replace(CUBIC, schedule=MISSED), PLAN)
    assert (found["a"].asked, found["b"].asked) == pytest.approx((0.81, 0.36))
    early = records(CUBIC, PLAN, total_steps=10)
    share = float(np.float32(0.5) * (1 - np.float32(0.9) ** 3)) / 0.5
    assert early["a"].asked == pytest.approx(0.9 * share, rel=1e-5)
    none = records(replace(CUBIC, schedule=OneShot(step=50)), PLAN, total_steps=10)
    assert {record.achieved for record in none.values()} == {0.0}


def test_an_allocated_plan_takes_as_many_weights_as_it_says():
    planned = allocate(ARRAYS, 0.8, method="erk")
    found = records(CUBIC, planned)
    assert {name: round(found[name].achieved * found[name].weights) for name in planned.pruned} == planned.pruned


def test_records_are_the_same_in_other_processes(tmp_path):
    save_file(ARRAYS, tmp_path / "model.safetensors")
    path = tmp_path / "model.safetensors"
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as executor:
        found = list(iter_survey(path, CUBIC, plan=PLAN, executor=executor))
    assert {record.layer: record for record in found} == records(CUBIC, PLAN)


def test_a_table_has_the_sparsity_of_each_layer():
    frame = survey(ARRAYS, CUBIC, plan=PLAN).set_index("layer")
    assert frame.asked[["a", "b", "c"]].tolist() == [0.9, 0.4, 0.0]


@pytest.mark.parametrize(
    ("planned", "config", "within", "message"),
    [
        (plan(layer("a", (24, 16), 0.5)), CUBIC, "tensor", r"'a': is \[16, 24\] here, and \[24, 16\] in the plan"),
        (plan(layer("mlp.experts", (3, 8, 16), 0.5)), CUBIC, "tensor", "did you mean 'mlp.experts"),
        (plan(layer("a", (16, 24), 0.5, pattern=Row())), CUBIC, "row", "within='row' goes with Unstructured"),
        (PLAN, replace(CUBIC, schedule=OneShot(step=1), target_sparsity=0.0), "tensor", "schedule: ends with 0%"),
    ],
)
def test_a_plan_that_does_not_fit_is_refused_before_the_first_layer(planned, config, within, message):
    with pytest.raises(ConfigError, match=message):
        iter_survey(ARRAYS, config, plan=planned, within=within)
