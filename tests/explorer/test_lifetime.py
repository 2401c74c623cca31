"""A long life without a browser: nothing piles up, what is closed is gone, and many events end on the right state."""

import gc
import threading
import weakref

import numpy as np
import pytest
from ipywidgets.widgets import widget as registry

from entrenar_viz import Block, Explorer, PruningConfig
from entrenar_viz.config.pruning_config import METHODS, PATTERN_NAMES
from entrenar_viz.config.schedules import SCHEDULE_NAMES
from entrenar_viz.explorer.preview import mask_request as module
from tests.explorer.hands import answer, put, tell

VIEWS = ("canvas", "matplotlib")
NUMBERS = {
    **{"cursor": (0, 10_000), "total_steps": (1, 20_000), "one_shot_step": (0, 10_000), "frequency": (0, 2000)},
    **{"start_step": (0, 10_000), "end_step": (0, 10_000), "target": (0, 1), "initial": (0, 1)},
}
CHOICES = {"schedule": SCHEDULE_NAMES, "pattern": PATTERN_NAMES, "method": METHODS}
SHOWN = ("layer", "patterns", "window", "ghosts", "palettes", "progress")  # what the kernel sends


@pytest.fixture(params=VIEWS)
def explorer(request):
    explorer = Explorer(view=request.param)
    if not explorer._parts.live:  # rows of findings come when first needed, and stay
        explorer._parts.picture._say({"problems": [], "findings": [{"severity": "", "message": "", "fixes": []}] * 12})
    assert explorer._parts.root.model_id
    explorer._parts.tabs.fill()  # all widgets are sent, as when it is displayed and seen
    yield explorer
    assert explorer.errors == []
    explorer.close()


def told(widget, **state):
    """Hand ``state`` to ``widget`` as the message of a page does."""
    data = {"method": "update", "state": state, "buffer_paths": []}
    widget._handle_msg({"content": {"data": data}, "buffers": []})


def observers():
    """The calls that all living widgets make when they change."""
    notified = (names.values() for widget in registry._instances.values() for names in widget._trait_notifiers.values())
    return sum(len(calls) for each in notified for calls in each)


def slide(explorer, rng):
    name = str(rng.choice(list(NUMBERS)))
    least, most = NUMBERS[name]
    put(explorer, **{name: int(rng.integers(least, most + 1)) if most > 1 else int(rng.integers(0, 101)) / 100})


def pick(explorer, rng):
    panel = explorer._parts.masks
    pickers = (*CHOICES, panel.masks_of, panel.within, panel.source, panel.layer)
    picker = pickers[rng.integers(len(pickers))]
    if isinstance(picker, str):
        put(explorer, **{picker: str(rng.choice(list(CHOICES[picker])))})
    else:
        told(picker, index=int(rng.integers(len(picker.options))))


def refuse(explorer, rng):
    if explorer._parts.live:
        tell(explorer, unread=[{}, {"target": "x is no percentage"}][rng.integers(2)])


def look(explorer, rng):
    explorer._parts.tabs.selected_index = int(rng.integers(6))


def load(explorer, rng):
    patterns = (PruningConfig().pattern, Block(height=2, width=int(rng.integers(1, 9))))
    config = PruningConfig(target_sparsity=rng.random(), pattern=patterns[rng.integers(2)])
    explorer.load(config, int(rng.integers(1, 20_000)))


def test_changes_leave_widgets_and_observers_as_they_were(explorer):
    rng = np.random.default_rng(1)
    before = len(registry._instances), observers()
    for change in range(300 if explorer._parts.live else 20):  # pictures of matplotlib take their time
        (slide, slide, pick, refuse, load, look)[change % 6](explorer, rng)
    assert (len(registry._instances), observers()) == before


@pytest.mark.parametrize("view", VIEWS)
def test_what_is_closed_is_gone(view, monkeypatch):
    monkeypatch.setattr(module, "AT_ONCE", 100)
    widgets, threads = set(registry._instances), set(threading.enumerate())
    explorer = Explorer(view=view, weights=np.eye(40))
    thread = explorer._parts.presenter.job._last
    put(explorer, frequency=300)
    assert explorer._parts.root.model_id in registry._instances
    closed = (
        weakref.ref(explorer),
        *map(weakref.ref, (explorer._parts.root, explorer._parts.presenter, explorer._parts.state)),
    )
    explorer.close()
    thread.join(10)
    assert set(registry._instances) == widgets
    assert set(threading.enumerate()) <= threads
    del explorer
    gc.collect()
    assert [reference() for reference in closed] == [None] * 4


def test_two_explorers_are_independent():
    one, other = Explorer(), Explorer()
    before, mine = other.config, one._parts.root.model_id
    one.load(PruningConfig(target_sparsity=0.9), 77)
    assert (other.config, other.total_steps) == (before, 10_000)
    one.close()
    put(other, target=0.7)
    assert other.config.target_sparsity == 0.7
    assert other.errors == one.errors == []
    assert mine not in registry._instances
    assert other._parts.root.model_id in registry._instances
    other.close()


def with_the_same(explorer):
    """A fresh explorer that is given one after the other what this one ended with."""
    fresh = Explorer()
    for name, value in explorer._parts.state.values().items():
        put(fresh, **{name: value})
    for name in ("source", "layer", "masks_of", "within"):
        getattr(fresh._parts.masks, name).value = getattr(explorer._parts.masks, name).value
    return fresh


def test_a_thousand_events_in_any_order_end_on_the_right_state():
    rng, explorer = np.random.default_rng(0), Explorer()
    for event in rng.choice(6, 1000, p=[0.78, 0.1, 0.03, 0.05, 0.02, 0.02]):
        move = (slide, pick, refuse, load, look, lambda *_: put(explorer, window_row=3, window_column=4))[event]
        move(explorer, rng)
    put(explorer, start_step=100, end_step=900)
    fresh = with_the_same(explorer)
    assert explorer.errors == fresh.errors == []
    assert (explorer.problems, explorer.config) == ((), fresh.config)
    assert explorer.findings == fresh.findings
    same = [name for name in answer(fresh) if name not in ("can", "said")]
    assert {name: answer(explorer)[name] for name in same} == {name: answer(fresh)[name] for name in same}
    assert answer(explorer)["exported"]["text"] == explorer.config.to_json()
    assert [getattr(explorer._parts.live, name) for name in SHOWN] == [
        getattr(fresh._parts.live, name) for name in SHOWN
    ]
    for each in (explorer, fresh):
        each.close()


def test_no_explorer_holds_weights_of_its_own():
    weights = np.ones((50, 40), np.float32)
    explorers = [Explorer(weights=weights) for _ in range(3)]
    matrices = [explorer._parts.masks.matrix() for explorer in explorers]
    assert all(np.shares_memory(matrix, weights) for matrix in matrices)
    for explorer in explorers:
        explorer.close()
