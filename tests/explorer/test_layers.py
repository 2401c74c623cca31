"""Plans of layers in the explorer, without a browser: messages of a page are made here, or core widgets are set."""

import re
import threading
from dataclasses import replace

import numpy as np
import pytest

from entrenar_viz import (
    ConfigError,
    EntrenarVizError,
    Explorer,
    Plan,
    PlannedLayer,
    PruningConfig,
    allocate,
    sample,
    sample_calibration,
    sensitivity,
)
from entrenar_viz.explorer.panels import layer_words as words
from entrenar_viz.explorer.panels import measured_layers
from entrenar_viz.explorer.panels.parts import is_shown
from entrenar_viz.figures.saving import png_bytes
from entrenar_viz.models.allowed_folder import AllowedFolder
from entrenar_viz.plan.shares import ALLOCATIONS
from tests.explorer.hands import answer, put, show_tab

DIGITS, INPUTS = sample("digits network"), sample_calibration("digits network")
NAMES = list(DIGITS)
OTHER = {"a.weight": np.eye(8, dtype="f4"), "b.weight": np.ones((8, 16), "f4")}
PATHS = ("Save plan", "Load plan")


@pytest.fixture(params=["canvas", "matplotlib"])
def either(request):
    yield from opened(Explorer(weights=DIGITS, calibration=INPUTS, view=request.param))


@pytest.fixture
def explorer():
    yield from opened(Explorer(weights=DIGITS, calibration=INPUTS))


@pytest.fixture
def plain():
    yield from opened(Explorer(weights=DIGITS, view="matplotlib"))


def opened(explorer):
    show_tab(explorer, "Layers")
    yield explorer
    explorer.close()
    assert explorer.errors == []


def panel(explorer):
    return explorer._parts.layers


def bars(explorer):
    return panel(explorer).bars.bars


def allot(explorer, method="erk", **entries):
    """Set method and entries by hand, and press."""
    form = panel(explorer).form
    form.method.value = method
    for name, text in entries.items():
        getattr(form, name).entry.value = text
    panel(explorer).start.click()
    explorer.wait()
    return explorer.plan


def measure(explorer):
    panel(explorer).measuring.click()
    explorer.wait()


def problem(explorer):
    line = panel(explorer).notes.problem
    assert is_shown(line) == bool(line.value)
    return line.value


def tell(explorer, ask=None, page="one", told=1, **changes):
    """What a page sends: its plan with ``changes``, and what it asks for."""
    shown = bars(explorer).plan
    content = {"page": page, "told": told} | {name: shown[name] for name in ("pruned", "skipped", "locked")} | changes
    bars(explorer)._handle_custom_msg(content | ({"ask": {"do": ask}} if ask else {}), [])


def moved(explorer):
    """The numbers of a page in which two layers were moved."""
    first, second, *rest = bars(explorer).plan["pruned"]
    return [first - 100, second + 100, *rest]


def test_nothing_is_planned_at_first(either):
    tab = panel(either)
    assert (either.plan, tab.notes.words.value) == (None, words.START)
    hidden = (tab.bars, tab.measuring, tab.drop, tab.back, tab.progress, tab.notes.findings, tab.notes.problem)
    assert not any(map(is_shown, hidden))
    assert tab.form.sparsity.entry.value == "50%"
    put(either, target=0.7)
    assert tab.form.sparsity.entry.value == "70%"
    with pytest.raises(EntrenarVizError, match="no plan of the layers yet: press Allot"):
        either.figure("layers")


@pytest.mark.parametrize("method", ALLOCATIONS)
def test_plans_are_those_of_the_function(explorer, method):
    plan = allot(explorer, method, sparsity="83")
    given = {"calibration": INPUTS} if method in ("sensitivity", "owl") else {}
    expected = allocate(DIGITS, 0.83, method, **given)
    assert (plan.pruned, plan.origin.method) == (expected.pruned, method)
    assert (plan.origin.sparsity, plan.origin.options) == (0.83, expected.origin.options)
    assert bars(explorer).plan["pruned"] == list(plan.pruned.values())
    assert [layer["name"] for layer in bars(explorer).layers] == NAMES
    label = words.METHODS[method]
    said = panel(explorer).notes.words.value
    assert said.startswith(f"{label[:1].upper()}{label[1:]}: 83% of 17,024 weights in 3 layers, from ")
    assert not is_shown(panel(explorer).notes.other)


def test_options_bounds_and_what_stands_above(either):
    plan = allot(either, "erk", power="0.5", sparsity="80", least="40%", most="90")
    assert plan == allocate(panel(either).request.tensors, 0.8, power=0.5, min_sparsity=0.4, max_sparsity=0.9)
    assert min(plan.sparsities.values()) >= 0.4
    assert not is_shown(panel(either).notes.other)
    panel(either).form.power.entry.value = "1"
    assert panel(either).notes.other.value.startswith("The plan was made by other settings")
    panel(either).form.power.entry.value = "one"
    assert panel(either).notes.other.value == "Power of ERK: “one” is no number: write 0.00001 or 1e-5."
    assert either.plan == plan


@pytest.mark.parametrize(
    ("entries", "why"),
    [
        ({"sparsity": "0,8"}, "Sparsity of the plan: “0,8” is no percentage"),
        ({"sparsity": "0.8"}, "write 0.8% or 80%"),
        ({"sparsity": "90", "most": "50"}, "the bounds of the layers allow at most 8,512 (50.0000"),
        ({"least": "60", "most": "50"}, "Lowest sparsity of a layer: 60% is more than 50%, the highest."),
    ],
)
def test_what_cannot_be_allotted_says_why_and_the_plan_stays(either, entries, why):
    before = allot(either, "erk")
    assert allot(either, "uniform", **entries) is before
    assert why in problem(either)
    assert panel(either).notes.other.value != problem(either), "it is said once"
    form = panel(either).form
    for name, usual in {"sparsity": "50", "least": "0", "most": "100"}.items():
        getattr(form, name).entry.value = usual
    assert problem(either) == "", "it was of what stood there before"
    assert allot(either, "uniform").origin.method == "uniform"
    assert problem(either) == ""


def test_methods_without_their_data_say_what_to_do(plain):
    assert allot(plain, "owl") is None
    fix = "needs calibration data: open a file with it in the tab Masks."
    assert problem(plain) == f"OWL counts outliers among wanda's scores and {fix}"
    panel(plain).form.loss.value = "output"
    assert allot(plain, "sensitivity") is None
    assert problem(plain).startswith("The error of the outputs needs calibration data: open a file")
    with pytest.raises(EntrenarVizError, match="OWL counts outliers"):
        plain.allocate(method="owl")
    allot(plain, "erk")
    put(plain, method="wanda")
    measure(plain)
    assert problem(plain) == "Wanda needs calibration data. Open a file with it in the tab Masks."


def test_a_page_changes_the_plan_and_takes_it_back(explorer):
    before = allot(explorer, sparsity="80")
    after = moved(explorer)
    tell(explorer, pruned=after, told=7)
    assert list(explorer.plan.pruned.values()) == after
    assert explorer.plan.origin == replace(before.origin, edited=True)
    assert explorer.plan.layers[2] == before.layers[2]
    shown = bars(explorer).plan
    assert (shown["page"], shown["told"], shown["pruned"], shown["undo"]) == ("one", 7, after, True)
    assert panel(explorer).notes.words.value.startswith("ERK, edited: 80% of")
    tell(explorer, "undo", told=8)
    assert explorer.plan == before
    assert (bars(explorer).plan["undo"], bars(explorer).plan["redo"]) == (False, True)
    tell(explorer, "redo", told=9)
    assert list(explorer.plan.pruned.values()) == after


def test_what_is_asked_for_comes_after_what_was_changed(explorer):
    before = allot(explorer)
    tell(explorer, "undo", pruned=moved(explorer))
    assert explorer.plan == before
    assert bars(explorer).plan["redo"]


@pytest.mark.parametrize(
    "broken",
    [
        {"pruned": [0, 0, 0]},
        {"pruned": [1]},
        {"pruned": "all"},
        {"pruned": [9000, 4000, 200]},
        {"skipped": [3]},
        {"skipped": [True]},
        {"locked": ["fc1.weight"]},
        {"locked": None},
        {"skipped": [2], "locked": [2]},
        {"skipped": [2]},
    ],
)
def test_a_broken_message_changes_nothing_and_the_plan_is_shown_again(explorer, broken):
    before = allot(explorer)
    told = bars(explorer).plan | {"page": "one", "told": 5}
    tell(explorer, told=5, **broken)
    assert explorer.plan is before
    assert bars(explorer).plan == told
    assert problem(explorer).startswith("The change in the page does not fit the plan")


@pytest.mark.parametrize("content", [None, {}, {"page": 1}, {"page": "one", "told": 1}])
def test_what_no_page_of_ours_sends_is_told_in_the_banner(explorer, content):
    before = allot(explorer)
    bars(explorer)._handle_custom_msg(content, [])
    tell(explorer, ask="format the disk")
    assert [str(error)[:14] for error in explorer.errors] == ["not understood"] * 2
    explorer.errors.clear()
    assert explorer.plan is before


def test_bounds_hold_in_the_page_too(explorer):
    allot(explorer, "uniform", sparsity="50", least="40", most="60")
    shown = bars(explorer).plan
    assert (shown["least"], shown["most"]) == ([3277, 3277, 256], [4915, 4915, 384])
    first, second, third = shown["pruned"]
    tell(explorer, pruned=[first + 1000, second - 1000, third])
    assert problem(explorer) != ""
    assert list(explorer.plan.pruned.values()) == shown["pruned"]


def test_what_is_locked_or_skipped_stays_so_when_it_is_allotted_again(explorer):
    allot(explorer, sparsity="80")
    pruned = [6000, 7107, 0]
    tell(explorer, pruned=pruned, skipped=[2], locked=[0])
    assert explorer.plan.sparsity == 13107 / 16384
    plan = allot(explorer, "uniform", sparsity="60")
    assert (plan.pruned["fc1.weight"], plan.layers[0].locked, plan.layers[2].skip) == (6000, True, True)
    assert sum(plan.pruned.values()) == round(0.6 * 16384)
    assert panel(explorer).notes.words.value.endswith("; 1 layer left whole. 1 locked layer kept its sparsity.")


def test_embeddings_are_left_whole_as_the_settings_say():
    weights = {"embed.weight": np.ones((8, 4)), "fc.weight": np.arange(32.0).reshape(8, 4)}
    explorer = Explorer(weights=weights)
    explorer.allocate(0.5)
    assert explorer.plan["embed.weight"].skip
    explorer.plan = None
    put(explorer, skip_embed_layers=False)
    explorer.allocate(0.5)
    assert not explorer.plan["embed.weight"].skip
    explorer.close()


def test_sensitivity_is_measured_once_and_shown_behind_the_bars(explorer, monkeypatch):
    allot(explorer, "erk", sparsity="80")
    measure(explorer)
    found = sensitivity(DIGITS, calibration=INPUTS)
    curves = bars(explorer).curves
    assert [curve["knee"] for curve in curves] == [layer.knee for layer in found]
    assert curves[0]["kept"] == list(found["fc1.weight"].kept_energy)
    assert curves[0]["error"] == list(found["fc1.weight"].output_error)
    monkeypatch.setattr(measured_layers, "sensitivity", lambda *_, **__: pytest.fail("measured again"))
    plan = allot(explorer, "sensitivity")
    assert plan.pruned == allocate(found, 0.8, "sensitivity").pruned
    codes = [line.message.value for line in panel(explorer).notes.findings.rows if is_shown(line)]
    assert any("beyond the knee of" in message for message in codes)


def test_curves_of_other_settings_are_taken_away_and_come_back(explorer):
    allot(explorer)
    measure(explorer)
    before = bars(explorer).curves
    put(explorer, method="wanda")
    notes = panel(explorer).notes
    assert bars(explorer).curves == []
    assert notes.outdated.value.startswith("The curves were measured for unstructured, magnitude; calibration ")
    put(explorer, target=0.9, method="magnitude")
    assert (bars(explorer).curves, is_shown(notes.outdated)) == (before, False)


@pytest.fixture
def held(monkeypatch):
    """Measuring, of which each layer waits for the test."""
    go, usual = threading.Semaphore(0), measured_layers.sensitivity

    def slow(*given, progress, **how):
        def told(*args):
            assert go.acquire(timeout=20)
            progress(*args)

        return usual(*given, progress=told, **how)

    monkeypatch.setattr(measured_layers, "sensitivity", slow)
    yield go
    go.release(1000)


def read(explorer, layers):
    """Let messages come until so many layers have a curve."""
    job = panel(explorer).job
    while sum(curve is not None for curve in bars(explorer).curves) < layers:
        job._read(job._task, False)


def test_curves_appear_layer_by_layer_and_stay_when_it_is_cancelled(explorer, held):
    before = allot(explorer)
    tab = panel(explorer)
    tab.measuring.click()
    assert (is_shown(tab.progress), tab.measuring.disabled) == (True, True)
    held.release(2)
    read(explorer, 2)
    assert tab.progress.message.value == "2 of 3 layers measured: fc2.weight"
    tell(explorer, pruned=moved(explorer))
    assert explorer.plan != before
    tab.progress.cancel.click()
    assert tab.notes.words.value.endswith("Cancelled after 2 of 3 layers.")
    assert [curve is None for curve in bars(explorer).curves] == [False, False, True]
    assert (is_shown(tab.progress), tab.measuring.disabled) == (False, False)
    held.release(1000)
    measure(explorer)
    assert None not in bars(explorer).curves


def test_a_plan_that_is_ready_late_belongs_to_the_weights_that_it_is_of(explorer, held):
    panel(explorer).form.method.value = "sensitivity"
    panel(explorer).start.click()
    explorer._parts.masks.source.value = "low rank"
    assert (explorer.plan, len(bars(explorer).layers)) == (None, 0)
    held.release(1000)
    explorer.wait()
    assert explorer.plan is None
    explorer._parts.masks.source.value = explorer._parts.masks.source.options[0]
    assert explorer.plan.origin.method == "sensitivity"


def test_other_weights_have_other_plans_and_none_is_lost(either):
    source = either._parts.masks.source
    first, digits = allot(either), source.value
    source.value = "low rank"
    assert either.plan is None
    second = allot(either, "uniform", sparsity="30")
    source.value = digits
    assert either.plan is first
    source.value = "low rank"
    assert either.plan is second


def test_a_press_on_a_bar_shows_its_masks(explorer):
    allot(explorer)
    assert (bars(explorer).picked, bars(explorer).shown) == (0, 0)
    bars(explorer).picked = 1
    assert explorer._parts.presenter.shown.request.layer == "fc2.weight"
    assert (bars(explorer).picked, bars(explorer).shown) == (1, 1)
    explorer._parts.masks.pick("fc3.weight")
    assert (bars(explorer).picked, bars(explorer).shown) == (2, 2)
    bars(explorer).picked = 99
    assert explorer._parts.masks.picked()[1] == "fc3.weight"


def test_masks_of_a_large_layer_are_shown_once_they_are_there():
    rng = np.random.default_rng(0)
    explorer = Explorer(weights={"small": rng.random((8, 8)), "large": rng.random((1024, 1024))})
    explorer.allocate(0.5)
    bars(explorer).picked = 1
    assert (bars(explorer).picked, bars(explorer).shown) == (1, 0)
    explorer.wait()
    assert (bars(explorer).picked, bars(explorer).shown) == (1, 1)
    explorer.close()


def test_a_schedule_with_another_target_is_told_and_can_be_allotted(either):
    allot(either, sparsity="80")
    put(either, target=0.9)
    notes = panel(either).notes
    assert notes.schedule.value == (
        "The schedule ends with 90%, the plan holds 80% in all: "
        "each layer follows the schedule's shape to its own sparsity."
    )
    assert (is_shown(notes.beside), notes.allot.description) == (True, "Allot 90%")
    notes.allot.click()
    assert (either.plan.origin.sparsity, panel(either).form.sparsity.entry.value) == (0.9, "90%")
    assert not is_shown(notes.beside)
    put(either, pattern="nm")
    assert notes.schedule.value.startswith("2:4 takes 50% of each layer that is pruned, whatever the plan says")
    assert not is_shown(notes.allot)
    put(either, pattern="unstructured", target=0.0)
    assert notes.schedule.value.startswith("The schedule ends with 0%")


def test_it_waits_while_there_are_problems(explorer):
    before = allot(explorer)
    put(explorer, end_step=100)
    assert (panel(explorer).start.disabled, problem(explorer)) == (True, words.WAITS)
    assert panel(explorer).notes.allot.disabled
    panel(explorer).start.click()
    with pytest.raises(ConfigError, match="nothing was allotted"):
        explorer.allocate()
    assert explorer.plan is before
    put(explorer, end_step=5000)
    assert (panel(explorer).start.disabled, problem(explorer)) == (False, "")


def test_a_plan_from_python(either):
    plan = allocate(DIGITS, 0.9, "uniform", skip=["fc3.weight"])
    either.plan = plan
    assert either.plan is plan
    tab = panel(either)
    either.plan = None
    assert (either.plan, is_shown(tab.back), is_shown(tab.bars)) == (None, True, False)
    assert tab.notes.words.value.startswith("The plan was put aside: all layers get the same.")
    tab.back.click()
    assert (either.plan, is_shown(tab.back), is_shown(tab.bars)) == (plan, False, True)
    tab.drop.click()
    assert either.plan is None
    with pytest.raises(ConfigError, match="the plan does not fit"):
        either.plan = allocate(OTHER, 0.5)
    with pytest.raises(EntrenarVizError, match="plan is a Plan, not dict"):
        either.plan = {"fc1.weight": 0.5}
    assert either.plan is None


def test_layers_that_a_plan_does_not_have_are_told(explorer):
    plan = allocate({"fc1.weight": (128, 64), "gone.weight": (4, 4)}, 0.5, skip=["gone.weight"])
    explorer.plan = plan
    assert panel(explorer).notes.missing.value == "Not in the plan, and left whole: 2 layers."
    bars(explorer).picked = 1
    assert explorer._parts.masks.picked()[1] == "fc1.weight"
    again = allot(explorer, sparsity="40")
    assert [layer.skip for layer in again.layers] == [False, True, True]


def test_allocate_does_as_the_tab_does(either):
    show_tab(either, "Masks")
    either.allocate(0.8, "owl" if panel(either).request.calibration else "erk", max_sparsity=0.95)
    either.wait()
    assert either._parts.tabs.open_title == "Layers"
    assert panel(either).form.most.entry.value == "95%"
    assert max(either.plan.sparsities.values()) <= 0.95
    either.allocate()
    assert either.plan.origin.sparsity == 0.5
    either.allocate(0.7, include_kernel=False)
    assert either.plan.origin.options["include_kernel"] is False
    for wrong in (
        {"sparsity": 2},
        {"method": "best"},
        {"power": "high"},
        {"lam": 0.1},
        {"sparsity": 0.9, "max_sparsity": 0.5},
    ):
        with pytest.raises(EntrenarVizError):
            either.allocate(**wrong)
    assert either.plan.origin.sparsity == 0.7


def press(explorer, name):
    files = panel(explorer).files
    found = {one.description: one for one in (files.saving.save, files.saving.overwrite, files.load, files.prepare)}
    found[name].click()
    return files.status.value


def test_a_plan_is_saved_and_loaded_by_path_and_nothing_is_overwritten_silently(either, tmp_path):
    path = tmp_path / "my plan.json"
    panel(either).files.path.value = str(path)
    assert panel(either).files.saving.save.disabled
    plan = allot(either)
    assert press(either, "Save plan") == f"Saved {path}"
    assert Plan.load(path) == plan
    other = allot(either, "uniform")
    assert press(either, "Save plan").endswith("exists already.")
    assert Plan.load(path) == plan
    assert is_shown(panel(either).files.saving.overwrite)
    press(either, "Overwrite")
    assert Plan.load(path) == other
    plan.save(path, overwrite=True)
    assert press(either, "Load plan") == f"Loaded {path}."
    assert either.plan == plan
    panel(either).plans.step("undo")
    assert either.plan == other


def test_files_that_are_no_plan_for_these_weights_are_refused(explorer, tmp_path):
    before = allot(explorer)
    path = tmp_path / "plan.json"
    panel(explorer).files.path.value = str(path)
    assert press(explorer, "Load plan").startswith("Nothing was loaded: ")
    path.write_text(PruningConfig().to_json())
    assert "is a pruning configuration" in press(explorer, "Load plan")
    allocate(OTHER, 0.5).save(path, overwrite=True)
    assert re.search("the plan does not fit.*a.weight", press(explorer, "Load plan"), re.DOTALL)
    panel(explorer).files.path.value = ""
    assert "name the file" in press(explorer, "Save plan")
    assert explorer.plan is before


def test_visitors_get_no_paths_but_files(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    explorer = Explorer(allowed_folder=AllowedFolder(tmp_path))
    explorer.allocate(0.8)
    files = panel(explorer).files
    shown = files.children[0].children
    assert files.saving not in shown
    assert files.load not in shown
    press(explorer, "Save plan")
    press(explorer, "Load plan")
    assert list(tmp_path.iterdir()) == []
    press(explorer, "Make download")
    assert 'download="plan.json"' in files.download.link.value
    plan, text = explorer.plan, explorer.plan.to_json().encode()
    explorer.plan = None
    assert files.download.link.value == ""
    files.upload.value = ({"name": "p.json", "content": text, "size": len(text), "type": "", "last_modified": 0},)
    assert (explorer.plan, files.status.value) == (plan, "Loaded p.json.")
    assert explorer.errors == []
    explorer.close()


def test_the_figure_is_that_of_the_plan(either):
    plan = allot(either)
    assert png_bytes(either.figure("layers", theme="dark")) == png_bytes(plan.figure(theme="dark"))


def test_export_says_that_the_file_has_no_field_for_it(either):
    show_tab(either, "Export & import")
    exporting = either._parts.exchange.exporting
    assert (is_shown(exporting.unplanned), answer(either)["exported"]["note"]) == (False, "")
    either.allocate()
    assert is_shown(exporting.unplanned)
    assert answer(either)["exported"]["note"] == words.NOT_EXPORTED
    assert answer(either)["exported"]["text"] == either.config.to_json()
    either.plan = None
    assert (is_shown(exporting.unplanned), answer(either)["exported"]["note"]) == (False, "")


def test_core_widgets_move_lock_and_skip_a_layer(plain):
    before = allot(plain, sparsity="80")
    layers = panel(plain).bars
    picture = layers.picture.value
    layers.layer.value = "fc2.weight"
    assert plain._parts.masks.picked()[1] == "fc2.weight"
    layers.share.entry.value = "70"
    assert plain.plan == before.moved("fc2.weight", 0.7)
    assert layers.picture.value != picture
    layers.locked.value = True
    assert plain.plan["fc2.weight"].locked
    assert layers.share.entry.disabled
    layers.layer.value = "fc3.weight"
    layers.skipped.value = True
    assert plain.plan["fc3.weight"].skip
    assert plain.plan["fc2.weight"].sparsity == before.moved("fc2.weight", 0.7)["fc2.weight"].sparsity
    for expected in (True, False, False):
        layers.steps["undo"].click()
        assert plain.plan["fc2.weight"].locked == expected
    assert plain.plan == before
    assert layers.steps["undo"].disabled
    layers.steps["redo"].click()
    assert plain.plan == before.moved("fc2.weight", 0.7)


def test_core_widgets_show_again_what_is_there_after_a_mistake(plain):
    before = allot(plain, sparsity="80")
    layers = panel(plain).bars
    layers.share.entry.value = "0,7"
    assert problem(plain).startswith("Sparsity of the layer: “0,7” is no percentage")
    assert layers.share.entry.value == "82.58%"
    layers.skipped.value = True
    layers.layer.value = "fc2.weight"
    layers.skipped.value = True
    layers.layer.value = "fc3.weight"
    layers.skipped.value = True
    assert plain.plan.weights + sum(layer.weights for layer in plain.plan.layers if layer.skip) == before.weights


def test_many_layers_leave_a_short_history():
    weights = {f"layers.{i}.weight": np.ones((2, 2), "f4") for i in range(4000)}
    explorer = Explorer(weights=weights)
    explorer.allocate(0.5)
    assert panel(explorer).plans.history.limit == 25
    assert len(bars(explorer).layers) == 4000
    assert bars(explorer).layers[7] | {"name": ""} == {
        "name": "", "weights": 4, "shape": [2, 2], "block": "layers.7", "role": "layers",
    }  # fmt: skip
    explorer.close()


def test_names_from_outside_are_text():
    explorer = Explorer(weights={"<b>\x1b[2J": np.ones((2, 2)), "fc": np.ones((4, 4))})
    explorer.plan = Plan(
        origin=allocate({"a": (2, 2)}, 0.5).origin, layers=[PlannedLayer(name="<b>\x1b[2J", shape=(2, 2))]
    )
    assert bars(explorer).layers[0]["name"] == "<b>\\x1b[2J"
    explorer.close()


def test_closing_stops_what_is_measured(held):
    explorer = Explorer(weights=DIGITS)
    explorer.allocate()
    panel(explorer).measuring.click()
    thread = panel(explorer).job._last
    explorer.close()
    held.release(1000)
    thread.join(20)
    assert (thread.is_alive(), explorer.errors) == (False, [])
