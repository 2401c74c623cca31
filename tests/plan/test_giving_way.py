"""Layers that are moved by hand, and the others that give way: the same numbers as in the page."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from entrenar_viz import EntrenarVizError, allocate
from entrenar_viz.plan.budget import Bounds
from entrenar_viz.plan.giving_way import LayersInPlay

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "give_way.json").read_text())


@pytest.mark.parametrize("case", VECTORS.values(), ids=VECTORS)
def test_layers_give_way_as_in_the_page(case):
    weights, pruned, least, most = (np.array(case[key], np.int64) for key in ("weights", "pruned", "least", "most"))
    places = [i for i in range(len(weights)) if i not in case["skipped"] + case["locked"]]
    budget = int(np.floor(case["sparsity"] * sum(w for i, w in enumerate(weights) if i not in case["skipped"]) + 0.5))
    held = sum(int(pruned[i]) for i in case["locked"] if i not in case["skipped"])
    locked_inside = sum(int(pruned[i]) for i in case["locked"] if i in case["indices"])
    in_play = LayersInPlay(weights[places], pruned[places], Bounds(least[places], most[places]))
    inside = np.array([k for k, i in enumerate(places) if i in case["indices"]], np.intp)
    if case["result"] is None:
        with pytest.raises(EntrenarVizError, match="cannot give way"):
            in_play.moved(inside, case["asked"] - locked_inside, budget - held)
        return
    found = in_play.moved(inside, case["asked"] - locked_inside, budget - held)
    assert found.sum() == budget - held
    assert np.abs(found - np.array(case["result"])[places]).max(initial=0) <= 1


@st.composite
def plans(draw):
    shapes = draw(st.lists(st.tuples(*[st.integers(1, 60)] * 2), min_size=2, max_size=10))
    shapes = {f"layer{i}": shape for i, shape in enumerate(shapes)}
    bounds = {"min_sparsity": 0.1, "max_sparsity": 0.9} if draw(st.booleans()) else {}
    try:
        return allocate(shapes, draw(st.floats(0.1, 0.9)), draw(st.sampled_from(["uniform", "erk"])), **bounds)
    except EntrenarVizError:
        return allocate(shapes, 0.5, "uniform")


@given(plans(), st.data())
def test_the_total_stays_whoever_is_moved(plan, data):
    names = [layer.name for layer in plan.layers]
    total = sum(plan.pruned.values())
    for _ in range(data.draw(st.integers(1, 5))):
        moved = data.draw(st.sampled_from(names))
        locked = data.draw(st.lists(st.sampled_from([name for name in names if name != moved]), unique=True))
        plan = plan.locking(names, False).locking(locked)
        before, plan = plan, plan.moved(moved, data.draw(st.floats(0, 1)))
        assert sum(plan.pruned.values()) == total
        assert all(plan.pruned[name] == before.pruned[name] for name in locked)
    assert plan.origin.edited


@given(plans(), st.data())
def test_skipped_layers_leave_the_budget_and_come_back(plan, data):
    names = [layer.name for layer in plan.layers]
    some = data.draw(st.lists(st.sampled_from(names), min_size=1, max_size=len(names) - 1, unique=True))
    share = plan.sparsity
    skipped = plan.skipping(some)
    assert all(skipped[name].skip and not skipped.pruned[name] for name in some)
    assert abs(sum(skipped.pruned.values()) - share * skipped.weights) <= 0.5
    back = skipped.skipping(some, False)
    assert not any(layer.skip for layer in back.layers)
    assert abs(sum(back.pruned.values()) - skipped.sparsity * back.weights) <= 0.5


def test_a_group_is_moved_together():
    plan = allocate({"a": (10, 10), "b": (10, 10), "c": (20, 20)}, 0.5, "uniform").moved("a", 0.8)
    both = plan.moved(["a", "b", "a"], 0.9)
    assert both.pruned["a"] + both.pruned["b"] == 180
    assert both.sparsities["a"] > both.sparsities["b"]


def test_what_cannot_be_moved_is_refused():
    plan = allocate({"fc1": (10, 10), "fc2": (10, 20)}, 0.5, "uniform").locking("fc1")
    with pytest.raises(EntrenarVizError, match="'fc1' is locked or skipped: unlock it first"):
        plan.moved("fc1", 0.7)
    with pytest.raises(EntrenarVizError, match=r"the plan has no layer 'fc3': it has 'fc1' and 'fc2'|'fc1', 'fc2'"):
        plan.moved("fc3", 0.7)
    for wrong in (70, "70%", None, True, float("nan")):
        with pytest.raises(EntrenarVizError, match="sparsity must be a fraction from 0 to 1, not "):
            plan.moved("fc2", wrong)
    with pytest.raises(EntrenarVizError, match="layers are named by text or a list of it, not int"):
        plan.moved(2, 0.7)
    assert plan.moved("fc2", np.float32(0.7)) == plan.moved("fc2", 0.7)
    assert plan.moved("fc2", 0.7).pruned == plan.pruned, "nothing else can give way"
