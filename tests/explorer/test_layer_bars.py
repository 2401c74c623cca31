"""The bars of layers without a browser, and the plans that they are held to."""

import json
from pathlib import Path

import pytest

from entrenar_viz.explorer.browser import payload
from entrenar_viz.explorer.browser.layer_bars import LayerBars
from entrenar_viz.explorer.browser.live import Live
from tests.explorer import exact_give_way

VECTORS = Path(__file__).parents[1] / "vectors" / "give_way.json"


def test_the_vectors_are_those_of_the_exact_rule():
    assert json.loads(VECTORS.read_text("utf-8")) == exact_give_way.cases()


def test_the_vectors_hold_their_budgets():
    for name, case in exact_give_way.cases().items():
        if case["result"] is not None:
            assert sum(case["result"]) == exact_give_way.budget(case), name


# The widget -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def bars():
    made = LayerBars(Live())
    yield made
    made.close()


def layer(name, weights):
    return payload.BarLayer(name=name, weights=weights, shape=[weights], block="", role="")


PLAN = payload.BarPlan(
    page="", told=0, sparsity=0.5, pruned=[5, 10], skipped=[], locked=[], least=[0, 0], most=[10, 20], undo=False,
    redo=False,
)  # fmt: skip


def sent(bars, act):
    """The names of the traits in each message while ``act`` is done."""
    messages = []
    bars.model_id  # noqa: B018 - it is sent when somebody asks for it
    bars.send_state = lambda key=None: messages.append({key} if isinstance(key, str) else set(key))
    act()
    return messages


def test_layers_curves_and_plan_come_in_one_message(bars):
    curve = payload.BarCurve(achieved=[0.0, 0.5], kept=[1.0, 0.9], error=None, knee=None)
    layers = [layer("a", 10), layer("b", 20)]
    assert sent(bars, lambda: bars.fill(layers, [curve, None], PLAN)) == [{"layers", "curves", "plan"}]
    assert (bars.layers, bars.curves, bars.plan) == (layers, [curve, None], PLAN)


def test_other_layers_are_not_picked(bars):
    bars.fill([layer("a", 10), layer("b", 20)], [], PLAN)
    bars.picked = bars.shown = 1
    bars.tell(PLAN | {"told": 3})
    assert (bars.picked, bars.plan["told"]) == (1, 3)
    bars.empty()
    assert (bars.picked, bars.shown, bars.layers, bars.plan) == (-1, -1, [], {})


def test_it_is_sent_with_the_address_of_its_live(bars):
    assert bars.live == ""
    assert bars.model_id
    assert bars.live == f"anywidget:{bars._of.model_id}"
