"""A long life without a browser: nothing piles up, what is closed is gone, and many events end on the right state."""

import gc
import threading
import weakref
from types import SimpleNamespace

import numpy as np
import pytest
from ipywidgets.widgets import widget as registry

from entrenar_viz import Block, Explorer, PruningConfig
from entrenar_viz.analysis.finding import Finding
from entrenar_viz.explorer import mask_request as module
from entrenar_viz.explorer.panels import is_shown

VIEWS = ("canvas", "matplotlib")
NUMBERS = {
    **{"cursor": (0, 10_000), "total_steps": (1, 20_000), "one_shot_step": (0, 10_000), "frequency": (0, 2000)},
    **{"window": (0, 10_000), "target": (0, 1), "initial": (0, 1)},
}
SHOWN = ("layer", "patterns", "window_data", "corner", "ghosts", "steps_per_epoch", "palettes")  # what the kernel sends


@pytest.fixture(params=VIEWS)
def explorer(request):
    explorer = Explorer(view=request.param)
    explorer.findings_panel.fill([Finding("all", "info", "")] * 12)  # rows come when first needed, and stay
    assert explorer.layout.model_id  # all widgets are sent, as when it is displayed
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


def value(rng, name):
    """A random number for a control, or two in order for the window."""
    least, most = NUMBERS[name]
    found = rng.integers(least, most + 1, 2) if most > 1 else rng.integers(0, 101, 2) / 100
    return sorted(found.tolist()) if name == "window" else found[0].item()


def slide(explorer, rng):
    name = str(rng.choice(list(NUMBERS)))
    number, control = value(rng, name), getattr(explorer.controls, name)
    told(control, value=number, **({"position": number} if explorer.controls.typed else {}))


def pick(explorer, rng):
    c, p = explorer.controls, explorer.preview
    pickers = (c.schedule, c.pattern, c.method, p.masks_of, p.within, p.source, p.layer)
    picker = pickers[rng.integers(len(pickers))]
    told(picker, index=int(rng.integers(len(picker.options))))


def refuse(explorer, rng):
    if explorer.controls.typed:
        told(explorer.controls.target, problem=str(rng.choice(["", "x is no percentage"])))


def load(explorer, rng):
    patterns = (PruningConfig().pattern, Block(height=2, width=int(rng.integers(1, 9))))
    config = PruningConfig(target_sparsity=rng.random(), pattern=patterns[rng.integers(2)])
    explorer.load(config, int(rng.integers(1, 20_000)))


def test_changes_leave_widgets_and_observers_as_they_were(explorer):
    rng = np.random.default_rng(1)
    before = len(registry._instances), observers()
    for change in range(300 if explorer.canvas else 20):  # pictures of matplotlib take their time
        (slide, slide, pick, refuse, load)[change % 5](explorer, rng)
    assert (len(registry._instances), observers()) == before


@pytest.mark.parametrize("view", VIEWS)
def test_what_is_closed_is_gone(view, monkeypatch):
    monkeypatch.setattr(module, "AT_ONCE", 100)
    widgets, threads = set(registry._instances), set(threading.enumerate())
    explorer = Explorer(view=view, weights=np.eye(40))
    thread = explorer.mask_presenter.job._last
    explorer.controls.frequency.value = 300
    assert explorer.layout.model_id in registry._instances
    closed = (
        weakref.ref(explorer),
        *map(weakref.ref, (explorer.layout, explorer.mask_presenter, explorer.controls.target)),
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
    before, mine = other.config, one.canvas.model_id
    one.load(PruningConfig(target_sparsity=0.9), 77)
    assert (other.config, other.total_steps) == (before, 10_000)
    one.close()
    other.controls.target.value = 0.7
    assert other.config.target_sparsity == 0.7
    assert other.errors == one.errors == []
    assert mine not in registry._instances
    assert other.canvas.model_id in registry._instances
    other.close()


def final_values(explorer):
    """What all controls hold."""
    c, p = explorer.controls, explorer.preview
    names = (*NUMBERS, "n", "m", "height", "width", "fine_tune", "fine_tune_steps", "fine_tune_lr", "skip_embed_layers")
    values = {name: getattr(c, name).value for name in (*names, "same_target", "own_target")}
    picked = {picker: getattr(c, picker).index for picker in ("schedule", "pattern", "method")}
    shown = {picker: getattr(p, picker).value for picker in ("source", "layer", "masks_of", "within")}
    return SimpleNamespace(values=values, picked=picked, shown=shown)


def with_values(final):
    """A fresh explorer that is given these values one after the other."""
    explorer = Explorer()
    for name, value in final.values.items():
        control = getattr(explorer.controls, name)
        if hasattr(control, "max"):
            control.max = max(control.max, np.max(value).item())
        control.value = value
    for name, index in final.picked.items():
        getattr(explorer.controls, name).index = index
    for name, value in final.shown.items():
        getattr(explorer.preview, name).value = value
    return explorer


def test_a_thousand_events_in_any_order_end_on_the_right_state():
    rng, explorer = np.random.default_rng(0), Explorer()
    for event in rng.choice(5, 1000, p=[0.8, 0.1, 0.03, 0.05, 0.02]):
        (slide, pick, refuse, load, lambda *_: explorer.canvas.set_trait("corner", [3, 4]))[event](explorer, rng)
    told(explorer.controls.target, problem="")
    told(explorer.controls.window, value=[100, 900], position=[100, 900])
    fresh = with_values(final_values(explorer))
    assert explorer.errors == fresh.errors == []
    assert (explorer.problems, explorer.config) == ((), fresh.config)
    assert explorer.findings == fresh.findings
    rows = [row.message.value for row in explorer.findings_panel.rows if is_shown(row)]
    assert rows == [finding.message for finding in fresh.findings]
    assert explorer.exporter.json.value == fresh.exporter.json.value == explorer.config.to_json()
    fresh.canvas.corner = explorer.canvas.corner
    assert [getattr(explorer.canvas, name) for name in SHOWN] == [getattr(fresh.canvas, name) for name in SHOWN]
    for each in (explorer, fresh):
        each.close()


def test_no_explorer_holds_weights_of_its_own():
    weights = np.ones((50, 40), np.float32)
    explorers = [Explorer(weights=weights) for _ in range(3)]
    matrices = [explorer.preview.matrix() for explorer in explorers]
    assert all(np.shares_memory(matrix, weights) for matrix in matrices)
    for explorer in explorers:
        explorer.close()
