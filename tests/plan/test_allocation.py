"""Budgets shared out: as others do it, exact in whole weights, and refused with the nearest that is possible."""

import json
import math
import re
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from entrenar_viz import (
    EntrenarVizError,
    LayerSensitivity,
    Plan,
    Sensitivity,
    Unstructured,
    WeightsError,
    allocate,
    importance,
    load_weights,
    prune_mask,
    sample,
    sample_calibration,
    sensitivity,
)
from entrenar_viz.masks.units import units_gone
from entrenar_viz.plan.budget import Bounds, fraction_of, share_out
from entrenar_viz.plan.evidence import Evidence
from entrenar_viz.plan.layers import Layer
from entrenar_viz.plan.methods import owl

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "allocation.json").read_text())
DIGITS = sample("digits network")
METHODS = ("uniform", "erk", "global_magnitude", "sensitivity", "owl")
SHAPES = {"fc1": (128, 64), "fc2": (64, 128), "fc3": (10, 64)}


def ours(shape):
    """A shape of JaxPruner, (in, out) or (h, w, in, out), as (out, in, h, w)."""
    *kernel, entering, leaving = shape
    return (leaving, entering, *kernel)


@pytest.mark.parametrize("case", VECTORS["erk"], ids=range(len(VECTORS["erk"])))
def test_erk_is_jaxpruners(case):
    shapes = {name: ours(shape) for name, shape in case["shapes"].items()}
    options = {"power": case["power"], "include_kernel": case["include_kernel"]}
    plan = allocate(shapes, case["sparsity"], "erk", fixed=case["fixed"], **options)
    for name, sparsity in case["result"].items():
        size = math.prod(shapes[name])  # their budget is rounded down in each layer, ours once for all of them
        assert abs(plan.pruned[name] - sparsity * size) <= len(shapes) + 1e-9 * size, name


@pytest.mark.parametrize("power", [50.0, 200.0, 1e6])
def test_erk_with_a_large_power_keeps_the_layers_of_few_weights_first(power):
    """The densities of the others are too small for a float64."""
    shapes = {"large": (4096, 11008), "middle": (500, 500), "small": (100, 100)}
    assert allocate(shapes, 0.999, "erk", power=power).sparsities["small"] == 0
    kept = {name: 1 - share for name, share in allocate(shapes, 0.99999, "erk", power=power).sparsities.items()}
    assert kept == {"large": 0, "middle": 0, "small": pytest.approx(0.0453, abs=1e-4)}


@pytest.mark.parametrize("case", VECTORS["owl"], ids=range(len(VECTORS["owl"])))
def test_owl_allots_to_blocks_as_its_authors_do(case):
    layers = [Layer(f"blocks.{i}.weight", (1000, 1000)) for i in range(len(case["outlier_percent"]))]
    sizes = np.full(len(layers), 10**6)
    family = owl(layers, case["outlier_percent"], case["lam"])
    counts = share_out(family, Bounds.of(sizes), round(case["sparsity"] * 10**6 * len(layers)), sizes)
    np.testing.assert_allclose(counts / 10**6, case["block_sparsity"], atol=1e-6)


@st.composite
def problems(draw):
    shapes = draw(st.lists(st.tuples(*[st.integers(1, 40)] * 2), min_size=1, max_size=12))
    names = [f"layer{i}" for i in range(len(shapes))]
    fixed = draw(st.dictionaries(st.sampled_from(names), st.floats(0, 1), max_size=len(names) - 1))
    bounds = sorted(draw(st.tuples(st.floats(0, 1), st.floats(0, 1))))
    return dict(zip(names, shapes, strict=True)), fixed, bounds, draw(st.floats(0, 1))


def nearest_budget(shapes, sparsity, *, fixed, count_fixed, min_sparsity, max_sparsity):
    """What the refusal must offer; empty where the budget is possible."""
    free = [math.prod(shape) for name, shape in shapes.items() if name not in fixed]
    least = [math.ceil(min_sparsity * size - 1e-9) for size in free]
    most = [math.floor(max_sparsity * size + 1e-9) for size in free]
    if any(low > high for low, high in zip(least, most, strict=True)):
        return "no whole number of"
    taken = sum(units_gone(math.prod(shapes[name]), share) for name, share in fixed.items()) if count_fixed else 0
    size = sum(math.prod(shape) for shape in shapes.values()) if count_fixed else sum(free)
    budget = math.floor(sparsity * size + 0.5) - taken
    if budget < sum(least):
        return f"at least {sum(least) + taken:,} "
    return f"at most {sum(most) + taken:,} " if budget > sum(most) else ""


@given(problems(), st.sampled_from(["uniform", "erk"]), st.booleans())
def test_budgets_are_exact(problem, method, count_fixed):
    shapes, fixed, (least, most), sparsity = problem
    arguments = {"fixed": fixed, "count_fixed": count_fixed, "min_sparsity": least, "max_sparsity": most}
    if nearest := nearest_budget(shapes, sparsity, **arguments):
        with pytest.raises(EntrenarVizError, match=nearest):
            allocate(shapes, sparsity, method, **arguments)
        return
    plan = allocate(shapes, sparsity, method, **arguments)
    counted = [layer for layer in plan.layers if count_fixed or layer.name not in fixed]
    size = sum(layer.weights for layer in counted)
    assert sum(layer.pruned for layer in counted) == math.floor(sparsity * size + 0.5)
    for layer in plan.layers:
        if layer.name not in fixed:
            assert least * layer.weights - 1e-6 <= layer.pruned <= most * layer.weights + 1e-6
    assert Plan.from_json(plan.to_json()) == plan


@given(st.integers(1, 2**24), st.data())
def test_every_count_has_a_fraction(size, data):
    count = data.draw(st.integers(0, size))
    assert units_gone(size, fraction_of(count, size)) == count


def test_budgets_of_large_layers_are_exact_in_the_plan():
    plan = allocate({"large": (8192, 28672), "small": (3, 3)}, 0.123456789, "uniform")
    assert sum(plan.pruned.values()) == math.floor(0.123456789 * plan.weights + 0.5)
    assert abs(units_gone(8192 * 28672, plan.sparsities["large"]) - plan.pruned["large"]) <= 16  # what an f32 knows


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("sparsity", [0.0, 0.3, 0.8, 0.98, 1.0])
def test_every_method_holds_the_budget_in_the_masks(method, sparsity):
    data = sample_calibration("digits network") if method == "owl" else None
    plan = allocate(DIGITS, sparsity, method, calibration=data)
    gone = {name: int((~prune_mask(weights, plan.sparsities[name])).sum()) for name, weights in DIGITS.items()}
    assert gone == plan.pruned
    assert sum(gone.values()) == math.floor(sparsity * 17_024 + 0.5)


@given(st.integers(0, 2**32), st.floats(0, 1))
def test_global_magnitude_is_one_sort_of_everything(seed, sparsity):
    rng = np.random.default_rng(seed)
    drawn = [10.0 ** rng.integers(-3, 4) * rng.standard_normal(rng.integers(1, 30, 2)) for _ in range(4)]
    model = {f"w{i}": weights.astype(np.float32) for i, weights in enumerate(drawn)}
    scores = np.concatenate([importance(weights).ravel() for weights in model.values()])
    layer = np.repeat(np.arange(4), [weights.size for weights in model.values()])
    budget = math.floor(sparsity * scores.size + 0.5)
    gone = layer[np.argsort(scores, kind="stable")[:budget]]
    plan = allocate(model, sparsity, "global_magnitude")
    assert list(plan.pruned.values()) == np.bincount(gone, minlength=4).tolist()


def test_global_magnitude_shares_ties_and_still_holds_the_budget():
    model = {"a": np.ones((4, 4), np.float32), "b": np.ones((8, 4), np.float32), "c": np.full((2, 2), 9, np.float32)}
    assert allocate(model, 24 / 52, "global_magnitude").pruned == {"a": 8, "b": 16, "c": 0}


@given(st.integers(0, 2**32), st.floats(0.1, 0.9))
def test_global_magnitude_within_bounds_moves_the_threshold(seed, sparsity):
    rng = np.random.default_rng(seed)
    model = {name: scale * rng.standard_normal((20, 20)) for name, scale in (("a", 0.01), ("b", 1.0), ("c", 1.0))}
    plan = allocate(model, sparsity, "global_magnitude", min_sparsity=0.05, max_sparsity=0.95)
    assert sum(plan.pruned.values()) == math.floor(sparsity * 1200 + 0.5)
    assert all(20 <= count <= 380 for count in plan.pruned.values())
    free = np.sort(np.concatenate([np.square(model[name].astype(np.float32)).ravel() for name in ("b", "c")]))
    if 20 < plan.pruned["b"] < 380 and 20 < plan.pruned["c"] < 380:
        threshold = free[plan.pruned["b"] + plan.pruned["c"] - 1]
        assert plan.pruned["b"] == np.count_nonzero(np.square(model["b"].astype(np.float32)) <= threshold)


def test_the_least_energy_is_lost():
    """No weight moved from one layer to another would lose less, as far as the levels tell."""
    found = sensitivity(DIGITS, np.linspace(0, 1, 41))
    plan = allocate(found, 0.7, "sensitivity")
    assert plan.sparsity == pytest.approx(0.7, abs=1e-4)
    names = list(DIGITS)

    def lost(pruned):
        return sum(1 - found[name].kept_at(pruned[name] / DIGITS[name].size) for name in names)

    best = lost(plan.pruned)
    for giver in names:
        for taker in names:
            moved = plan.pruned | {giver: plan.pruned[giver] - 400, taker: plan.pruned[taker] + 400}
            if giver != taker and min(moved.values()) >= 0 and all(moved[n] <= DIGITS[n].size for n in names):
                assert lost(moved) > best - 1e-3
    assert best < lost(allocate(DIGITS, 0.7, "uniform").pruned)


def test_the_least_output_is_lost():
    data = sample_calibration("digits network")
    found = sensitivity(DIGITS, calibration=data)
    plan = allocate(found, 0.8, "sensitivity", loss="output")
    even = allocate(DIGITS, 0.8, "uniform")

    def lost(plan):
        return sum(found[name].error_at(sparsity) for name, sparsity in plan.sparsities.items())

    assert lost(plan) < lost(even)
    assert plan == allocate(found, 0.8, "sensitivity", loss="output")
    assert plan.origin.calibration == "128 training images"


def measured(**errors):
    """Layers of 100 weights by their errors at 20%, 40% and so on."""
    levels = (0.0, 0.2, 0.4, 0.6, 0.8)
    curves = {
        name: LayerSensitivity(name, (10, 10), "", 100, levels, levels, (1.0,) * 5, (0.0, *lost), (0,) * 5)
        for name, lost in errors.items()
    }
    return Sensitivity("by hand", tuple(curves.values()), Unstructured(), "magnitude")


@pytest.mark.parametrize("budget", [20, 50, 100, 150, 190])
def test_layers_with_errors_above_1_give_less_than_those_without(budget):
    """Though nothing comes out of an emptied layer, an error of 1, less than what it had before."""
    found = measured(a=(0.1, 0.3, 0.6, 0.9), b=(0.1, 0.5, 1.3, 1.6))
    gone = allocate(found, budget / 200, "sensitivity", loss="output").pruned
    assert sum(gone.values()) == budget
    assert gone["b"] <= gone["a"]
    assert gone["b"] < 100


def test_weights_that_cost_nothing_go_first():
    model = {"zeros": np.zeros((8, 8)), "fc": np.random.default_rng(0).standard_normal((8, 8))}
    assert allocate(model, 0.25, "sensitivity").pruned == {"zeros": 32, "fc": 0}
    assert allocate(model, 0.5, "sensitivity").pruned == {"zeros": 64, "fc": 0}
    assert allocate(model, 0.75, "sensitivity").pruned == {"zeros": 64, "fc": 32}
    assert allocate({"a": np.zeros((2, 2)), "b": np.zeros((2, 2))}, 0.5, "sensitivity").pruned == {"a": 2, "b": 2}


def test_outliers_are_counted_as_owl_counts_them():
    data = sample_calibration("digits network")
    scores = {name: importance(weights, "wanda", data[name]) for name, weights in DIGITS.items()}
    layers = [Layer(name, weights.shape) for name, weights in DIGITS.items()]
    found = Evidence.of(DIGITS, load_weights(DIGITS), data, None).outlier_shares(layers, 2.0, by_block=True)
    expected = [100 * np.mean(score > 2 * score.mean(dtype=np.float64)) for score in scores.values()]
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_owl_takes_the_layers_of_a_block_together():
    rng = np.random.default_rng(5)
    model = {f"layers.{i}.{part}.weight": rng.standard_t(2 + i, (40, 30)) for i in range(3) for part in ("up", "down")}
    data = {name: np.abs(rng.standard_normal(30)) for name in model}
    together = allocate(model, 0.6, "owl", calibration=data, M=3.0)
    for block in range(3):
        up, down = (together.sparsities[f"layers.{block}.{part}.weight"] for part in ("up", "down"))
        assert abs(up - down) <= 1.01 / 1200
    apart = allocate(model, 0.6, "owl", calibration=data, M=3.0, per="layer")
    assert len(set(apart.sparsities.values())) == 6
    spread = [max(plan.sparsities.values()) - min(plan.sparsities.values()) for plan in (together, apart)]
    np.testing.assert_allclose(spread, 0.16, atol=0.002)


@pytest.mark.parametrize("method", ["global_magnitude", "sensitivity", "owl"])
def test_any_executor_gives_the_same_plan(method):
    data = sample_calibration("digits network") if method == "owl" else None
    alone = allocate(DIGITS, 0.8, method, calibration=data)
    with ThreadPoolExecutor(2) as threads, ProcessPoolExecutor(2, mp_context=get_context("spawn")) as processes:
        for executor in (threads, processes):
            assert allocate(DIGITS, 0.8, method, calibration=data, executor=executor) == alone


def test_skipped_and_fixed_layers_are_outside_the_budget():
    shapes = SHAPES | {"model.embed_tokens.weight": (100, 64), "lm_head.weight": (100, 64)}
    plan = allocate(shapes, 0.5, "uniform", fixed={"fc1": 0.9}, skip=["fc3"])
    assert plan.sparsities == {
        "fc1": 0.9,
        "fc2": 0.5,
        "fc3": 0.0,
        "model.embed_tokens.weight": 0.0,
        "lm_head.weight": 0.0,
    }
    assert [layer.name for layer in plan.layers if layer.skip] == ["fc3", "model.embed_tokens.weight", "lm_head.weight"]
    assert [layer.name for layer in plan.layers if layer.locked] == ["fc1"]
    everything = allocate(shapes, 0.5, "uniform", skip_embed_layers=False)
    assert set(everything.sparsities.values()) == {0.5}


def test_fixed_layers_in_the_budget_are_made_up_for():
    plan = allocate(SHAPES, 0.5, "uniform", fixed={"fc1": 0.75}, count_fixed=True)
    assert plan.sparsity == 0.5
    assert plan.sparsities["fc1"] == 0.75


@pytest.mark.parametrize("sparsity", [0.05, 0.99])
@pytest.mark.parametrize("count_fixed", [True, False])
def test_the_nearest_budget_of_a_refusal_is_possible(sparsity, count_fixed):
    shapes = {"large": (60_001, 70_001), "small": (13, 7), "fixed": (1000, 1000)}
    given = {"fixed": {"fixed": 0.75}, "count_fixed": count_fixed, "min_sparsity": 0.1, "max_sparsity": 0.9}
    with pytest.raises(EntrenarVizError, match=r"cannot be pruned: .* allow at ") as refused:
        allocate(shapes, sparsity, **given)
    assert ("the fixed layers and the bounds of the others" in str(refused.value)) == count_fixed
    count, percent = re.search(r"allow at (?:least|most) ([0-9,]+) \(([0-9.]+)%\)", str(refused.value)).groups()
    plan = allocate(shapes, float(percent) / 100, **given)
    assert sum(plan.pruned.values()) - (0 if count_fixed else 750_000) == int(count.replace(",", ""))


def test_names_may_be_patterns():
    shapes = {f"layers.{i}.{part}": (8, 8) for i in range(2) for part in ("up", "down[0]", "down[1]")}
    plan = allocate(shapes, 0.5, "uniform", skip=["*.up"], fixed={"layers.?.down[1]": 0.25})
    assert list(plan.sparsities.values()) == [0.0, 0.5, 0.25] * 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"sparsity": 1.2}, "sparsity must be a fraction from 0 to 1, not 1.2"),
        ({"sparsity": float("nan")}, "sparsity must be a fraction"),
        ({"sparsity": "80%"}, "sparsity must be a fraction from 0 to 1, not '80%'"),
        ({"method": "ERK"}, "method 'ERK' is unknown: use one of uniform, erk, global_magnitude, sensitivity, owl"),
        ({"method": "uniform", "power": 1.0}, "uniform has no option 'power': it has none"),
        ({"method": "erk", "lam": 1.0}, "erk has no option 'lam': it has power, include_kernel"),
        ({"power": -1.0}, "power must be a number from 0 on, not -1.0"),
        ({"power": 1e300}, "power must be a number from 0 to 1,000,000, not 1e[+]300"),
        ({"power": 10**400}, "power must be a number from 0 on, not 10000"),
        ({"method": ["erk"]}, r"method \['erk'\] is unknown: use one of"),
        ({"power": True}, "power must be a number from 0 on, not True"),
        ({"include_kernel": 1}, "include_kernel must be True or False, not 1"),
        ({"method": "owl", "per": "model"}, "per is 'block' or 'layer', not 'model'"),
        ({"method": "sensitivity", "loss": "accuracy"}, "loss is 'energy' or 'output', not 'accuracy'"),
        ({"method": "global_magnitude"}, "global_magnitude looks at weights, and there are only names and shapes"),
        ({"method": "owl"}, "owl looks at weights"),
        ({"min_sparsity": 0.6, "max_sparsity": 0.4}, r"min_sparsity \(60%\) must not be above max_sparsity \(40%\)"),
        ({"max_sparsity": 0.7}, r"allow at most 11,916 \(69.995301%\); ask for that, or widen them"),
        ({"min_sparsity": 0.9}, r"allow at least 15,322 \(90.002350%\)"),
        ({"skip": ["fc4"]}, r"skip: no layer is called 'fc4': did you mean"),
        ({"layers": {"fc1.weight": (2, 2)}, "skip": ["fc1"]}, "'fc1': did you mean fc1.weight[?]"),
        ({"layers": {"h.0.up": (2, 2), "h.0.down": (2, 2)}, "fixed": {"h.0": 0.5}}, r"did you mean h.0.\*[?]"),
        ({"skip": "fc1"}, r"skip: pass a list of names, \['fc1'\]"),
        ({"skip": None}, r"skip: pass a list of names, \[None\]"),
        ({"skip": [1]}, "skip: no layer is called 1: there are 'fc1', 'fc2', 'fc3'"),
        ({"fixed": ["fc1"]}, r"fixed: pass sparsities by name, \{'fc1.weight': 0.5\}, not \['fc1'\]"),
        ({"layers": {"fc1": (1 << 40, 1 << 9)}}, "'fc1': a shape is .* of up to 281,474,976,710,656 weights, not"),
        ({"skip": ["fc*"]}, "there is no layer left to share the budget: all are fixed or skipped"),
        ({"fixed": {"fc1": 2.0}}, r"fixed\['fc1'\] must be a fraction from 0 to 1, not 2.0"),
        ({"fixed": {"fc1": 0.5}, "skip": ["fc1"]}, "'fc1' is fixed and skipped: choose one"),
        ({"layers": {"fc1": (3,)}}, r"'fc1': a shape is \(out, in\) or \(out, in, ...\) of .*, not \(3,\)"),
        ({"layers": {"fc1": (3, 0)}}, r"'fc1': a shape is"),
    ],
)
def test_what_cannot_be_allotted_is_refused(arguments, message):
    given = {"layers": SHAPES, "sparsity": 0.8} | arguments
    with pytest.raises(EntrenarVizError, match=message):
        allocate(given.pop("layers"), given.pop("sparsity"), given.pop("method", "erk"), **given)


def test_a_plan_names_the_data_that_it_is_made_by():
    data = sample_calibration("digits network")
    made = {method: allocate(DIGITS, 0.5, method, calibration=data).origin.calibration for method in METHODS}
    by = "128 training images"
    assert made == {"uniform": "", "erk": "", "global_magnitude": "", "sensitivity": "", "owl": by}
    assert allocate(DIGITS, 0.5, "sensitivity", calibration=data, loss="output").origin.calibration == by
    found = sensitivity(DIGITS, calibration=data, method="wanda")
    assert allocate(found, 0.5, "sensitivity").origin.calibration == by
    with pytest.raises(EntrenarVizError, match="what was measured has its own calibration"):
        allocate(sensitivity(DIGITS), 0.5, "sensitivity", loss="output", calibration=data)


def test_owl_says_what_it_lacks():
    with pytest.raises(WeightsError, match=r"owl counts outliers .* needs calibration data: pass calibration="):
        allocate(DIGITS, 0.5, "owl")
    with pytest.raises(WeightsError, match=r"has nothing for 'fc2.weight', which owl needs: skip it"):
        allocate(DIGITS, 0.5, "owl", calibration={"fc1.weight": np.ones(64)})
    plan = allocate(DIGITS, 0.5, "owl", calibration={"fc1.weight": np.ones(64)}, skip=["fc2.*", "fc3.*"])
    assert plan.sparsities["fc1.weight"] == 0.5


def test_progress_is_told_of_every_layer_that_is_read():
    told = []
    allocate(DIGITS, 0.5, "global_magnitude", progress=lambda *numbers: told.append(numbers))
    assert told == [(done, 6) for done in range(1, 7)]


def test_layers_that_are_no_numbers_are_named():
    model = {"a.weight": np.ones((2, 2)), "b.weight": np.array([[1.0, np.nan]])}
    for method in ("global_magnitude", "sensitivity"):
        with pytest.raises(EntrenarVizError, match=r"b\.weight"):
            allocate(model, 0.5, method)
