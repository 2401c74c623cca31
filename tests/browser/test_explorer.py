"""The user's way through the explorer, in JupyterLab."""

import json
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import expect
from safetensors.numpy import save_file

from entrenar_viz import Cubic, Gradual, OneShot, PruningConfig, prune_mask, replay
from entrenar_viz.analysis.updates import requested_at
from entrenar_viz.models.weights import load_weights, sample

pytestmark = pytest.mark.browser
SHOW = "from entrenar_viz import Explorer, PruningConfig\nexplorer = Explorer()\nexplorer"
NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
ON_TOP = """(element) => {
  const { left, top, width, height } = element.getBoundingClientRect();
  return document.elementFromPoint(left + width / 2, top + height / 2) === element;
}"""
WINDOW = {"start_step": 1000, "end_step": 5000}
DEFAULTS = {
    "one_shot": OneShot(step=2000),
    "gradual": Gradual(**WINDOW, initial_sparsity=0.0, final_sparsity=0.5, frequency=500),
    "cubic": Cubic(**WINDOW, final_sparsity=0.5),
}


def assert_same_picture(drawn, schedules, total_steps=10_000, target=0.5, matrix=None):
    """The browser's picture against Python's numbers, sparsity by sparsity."""
    for kind, schedule in schedules.items():
        config = PruningConfig(schedule=schedule, target_sparsity=target)
        steps, sparsities = zip(*drawn["curves"][kind], strict=True)
        assert requested_at(config, np.array(steps)).tolist() == list(sparsities)
    for panel in drawn["panels"]:
        config = PruningConfig(schedule=schedules[panel["type"]], target_sparsity=target)
        applied = replay(config, total_steps).applied_at(drawn["cursor"])
        assert panel["applied"] == applied
        assert panel["asked"] == requested_at(config, drawn["cursor"])
        if matrix is not None:
            assert panel["got"] == pytest.approx(1 - prune_mask(matrix, applied).mean())


def assert_same_staircase(drawn, schedule, total_steps=10_000):
    run = replay(PruningConfig(schedule=schedule), total_steps)
    steps, sparsities = zip(*drawn["staircase"], strict=True)
    assert list(steps) == run.update_steps.tolist()
    assert list(sparsities) == run.applied.tolist()


def test_the_packaged_notebook_runs_and_draws_what_python_computes(open_notebook):
    notebook = open_notebook(path=NOTEBOOKS / "explorer.ipynb")
    matrix = load_weights(sample("digits network")).matrix("fc1.weight")
    assert_same_picture(notebook.drawn, DEFAULTS, matrix=matrix)
    assert_same_staircase(notebook.drawn, DEFAULTS["gradual"])
    assert notebook.python("[str(error) for error in explorer.errors]") == []
    assert notebook.errors == []


def test_keyboard_on_a_slider_reaches_picture_and_config(open_notebook):
    notebook = open_notebook(SHOW)
    handle = notebook.page.get_by_label("Target sparsity slider")
    handle.focus()
    for _ in range(4):
        handle.press("ArrowRight")
    notebook.until("explorer.config.schedule.final_sparsity", 0.52)
    notebook.wait("drawn.curves.gradual.at(-1)[1] === Math.fround(0.52)")
    assert notebook.python("explorer.config.target_sparsity") == 0.52
    assert notebook.python("len(explorer.errors)") == 0


def test_dragging_with_the_mouse_follows_and_ends_on_the_right_state(open_notebook):
    notebook = open_notebook(SHOW)
    page = notebook.page
    page.mouse.move(*notebook.along("Cursor step", 0.3))
    page.mouse.down()
    seen = set()
    for share in np.linspace(0.3, 0.8, 26):
        page.mouse.move(*notebook.along("Cursor step", share))
        seen.add(notebook.drawn["cursor"])
    page.mouse.up()
    notebook.until("explorer._parts.state.settings.cursor", 8000)
    notebook.wait("drawn.cursor === 8000")
    assert len(seen) > 5
    matrix = load_weights(sample("digits network")).matrix("fc1.weight")
    assert_same_picture(notebook.drawn, DEFAULTS, matrix=matrix)


def test_pressing_in_the_plot_moves_the_cursor_everywhere(open_notebook):
    notebook = open_notebook(SHOW)
    plot = notebook.drawn["plot"]
    canvas = notebook.page.locator(".entrenar-viz-canvas")
    canvas.click(position={"x": (plot["left"] + plot["right"]) / 2, "y": 100})
    notebook.until("explorer._parts.state.settings.cursor", 5000)
    assert notebook.page.get_by_label("Cursor step", exact=True).input_value() == "5,000"


def test_the_picture_follows_while_the_kernel_is_busy(open_notebook):
    notebook = open_notebook(SHOW)
    notebook.page.evaluate(
        "void jupyterapp.shell.currentWidget.sessionContext.session.kernel.requestExecute("
        "{code: 'import time; time.sleep(5)'})"
    )
    notebook.type("Steps between updates", "300")
    notebook.wait("drawn.staircase.at(-1)[0] === 4900")
    assert notebook.page.evaluate("jupyterapp.shell.currentWidget.sessionContext.session.kernel.status") == "busy"
    notebook.until("explorer.config.schedule.frequency", 300)
    notebook.page.get_by_text("Gradual stops at 48.75%").wait_for()


def test_typed_entries_are_read_strictly_and_widen_the_slider(open_notebook):
    notebook = open_notebook(SHOW)
    notebook.type("Total steps", "1,000,000")
    notebook.type("End step", "600000")
    notebook.type("Target sparsity", "70.1")
    notebook.until(
        "[explorer.total_steps, explorer.config.schedule.end_step, explorer.config.target_sparsity]",
        [1_000_000, 600_000, 0.701],
    )
    entry = notebook.page.get_by_label("Target sparsity", exact=True)
    for text, message in [
        ("0,5", "is no percentage: write 0.5"),
        ("0.5", "write 0.5% or 50%"),
        ("101", "is more than 100%"),
        ("x", "no percentage"),
    ]:
        notebook.type("Target sparsity", text)
        said = notebook.page.get_by_text(message)
        said.wait_for()
        assert said.evaluate(ON_TOP)
        assert entry.get_attribute("aria-invalid") == "true"
    entry.press("Escape")
    assert entry.input_value() == "70.1%"
    assert entry.get_attribute("aria-invalid") == "false"
    assert notebook.python("explorer.config.target_sparsity") == 0.701
    notebook.type("Start step", "700000")
    notebook.page.get_by_text("the start must not be after the end").wait_for()


def test_typing_one_number_leaves_the_others_alone(open_notebook):
    notebook = open_notebook(SHOW)
    exact, held = (
        [1007, 5333, 2033],
        "[explorer._parts.state.values()[name] for name in ('start_step', 'end_step', 'one_shot_step')]",
    )
    for name, number in [("End step", "5333"), ("Start step", "1007"), ("OneShot step", "2033")]:
        notebook.type(name, number)
    for total in (12_000, 20_000, 7000, 1_000_000, 10_000):
        notebook.type("Total steps", str(total))
        notebook.until("explorer.total_steps", total)
        notebook.until(held, exact)


def test_what_is_loaded_stays_as_it_was_loaded(open_notebook):
    notebook = open_notebook(SHOW)
    rng = np.random.default_rng(4)
    for _ in range(20):
        start, end = sorted(int(step) for step in rng.integers(0, 3_000_000, 2))
        config = PruningConfig(
            target_sparsity=rng.random(),
            schedule=Gradual(
                start_step=start,
                end_step=end + 1,
                initial_sparsity=rng.random(),
                final_sparsity=rng.random(),
                frequency=int(rng.integers(0, 5000)),
            ),
        )
        notebook.python(f"explorer.load(PruningConfig.from_json({config.to_json()!r}))")
        notebook.wait("drawn.curves.gradual.at(-1)[1] === argument", float(np.float32(config.schedule.final_sparsity)))
        notebook.page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
        assert notebook.python(f"explorer.config == PruningConfig.from_json({config.to_json()!r})")
    assert notebook.python("len(explorer.errors)") == 0


def test_what_is_not_understood_blocks_the_export_and_destroys_nothing(open_notebook):
    notebook = open_notebook(SHOW)
    export = notebook.page.get_by_role("button", name="Export JSON")
    notebook.type("Target sparsity", "abc")
    notebook.until("len(explorer.problems)", 1)
    expect(export).to_be_disabled()
    notebook.python("explorer.load(PruningConfig(target_sparsity=1 / 3))")
    entry = notebook.page.get_by_label("Target sparsity", exact=True)
    expect(export).to_be_enabled()
    entry.focus()
    entry.blur()
    assert entry.get_attribute("aria-invalid") == "false"
    assert entry.input_value() == "33.33%"
    assert notebook.python("explorer.config.target_sparsity") == 1 / 3


def test_start_and_end_typed_in_the_wrong_order_are_both_taken(open_notebook):
    notebook = open_notebook(SHOW)
    notebook.type("Start step", "6000")
    notebook.page.get_by_text("the start must not be after the end").wait_for()
    notebook.type("End step", "9000")
    notebook.until("[explorer._parts.state.settings.start_step, explorer._parts.state.settings.end_step]", [6000, 9000])
    notebook.page.get_by_text("the start must not be after the end").wait_for(state="hidden")


def test_a_problem_is_shown_where_it_was_made_and_blocks_the_export(open_notebook):
    notebook = open_notebook(SHOW)
    frames = notebook.drawn["curves"]
    notebook.type("Start step", "5000")
    notebook.page.get_by_text("end_step (5000) must be greater than start_step (5000)").wait_for()
    export = notebook.page.get_by_role("button", name="Export JSON")
    expect(export).to_be_disabled()
    notebook.page.get_by_role("button", name="More ways to export").click()
    expect(notebook.page.get_by_role("button", name="Copy", exact=True)).to_be_disabled()
    notebook.page.keyboard.press("Escape")
    assert notebook.drawn["curves"] == frames
    notebook.type("Start step", "4000")
    notebook.until("explorer.problems == () and explorer.config.schedule.start_step", 4000)
    expect(export).to_be_enabled()


def test_findings_appear_and_a_fix_removes_them(open_notebook):
    notebook = open_notebook(SHOW)
    notebook.type("Steps between updates", "300")
    notebook.page.get_by_text("300 does not divide the window of 4,000 steps").wait_for()
    notebook.page.get_by_role("button", name="end at step 4,900").click()
    notebook.until("explorer.config.schedule.end_step", 4900)
    notebook.page.get_by_text("No findings").wait_for()
    assert notebook.page.get_by_label("End step", exact=True).input_value() == "4,900"


def test_export_by_download_and_by_path_and_load_back(open_notebook, lab):
    notebook = open_notebook(SHOW)
    page = notebook.page
    notebook.type("Target sparsity", "60")
    notebook.until("explorer.config.target_sparsity", 0.6)
    with page.expect_download() as download:
        page.get_by_role("button", name="Export JSON").click()
    downloaded = Path(download.value.path()).read_text()
    target = lab[1] / "saved.json"
    notebook.tab("Export & import")
    page.get_by_placeholder("file to save to").fill(str(target))
    page.locator(".entrenar-viz-exporting").get_by_role("button", name="Save", exact=True).click()
    page.get_by_text(f"Saved {target}").wait_for()
    assert target.read_text() == downloaded == json.loads(json.dumps(notebook.python("explorer.config.to_json()")))
    page.locator(".entrenar-viz-exporting").get_by_role("button", name="Save", exact=True).click()
    page.get_by_text("exists already").wait_for()
    notebook.type("Target sparsity", "70")
    notebook.until("explorer.config.target_sparsity", 0.7)
    page.locator(".entrenar-viz-exporting").get_by_role("button", name="Save", exact=True).click()
    page.locator(".entrenar-viz-exporting").get_by_role("button", name="Overwrite").click()
    notebook.until(f"json.load(open({str(target)!r}))['target_sparsity']", 0.7)
    notebook.type("Target sparsity", "20")
    page.get_by_placeholder("path of a configuration").fill(str(target))
    page.locator(".entrenar-viz-importing").get_by_role("button", name="Load", exact=True).click()
    notebook.until("explorer.config.target_sparsity", 0.7)
    notebook.wait("drawn.curves.gradual.at(-1)[1] === Math.fround(0.7)")
    page.get_by_placeholder("or paste JSON or YAML here").fill('{"method": "magnitud"}')
    page.get_by_role("button", name="Load pasted").click()
    page.get_by_text("Nothing was loaded").wait_for()
    with page.expect_file_chooser() as chooser:
        page.locator(".entrenar-viz-importing").get_by_role("button", name="Upload").click()
    chooser.value.set_files(str(target))
    page.get_by_text("Loaded saved.json.").wait_for()


def test_the_theme_is_followed_and_a_dense_screen_is_sharp(open_notebook):
    notebook = open_notebook(SHOW, scale=2)
    assert notebook.drawn["dark"] is False
    notebook.theme("JupyterLab Dark")
    notebook.theme("JupyterLab Light")
    sizes = (
        "(() => { const c = document.querySelector('.entrenar-viz-canvas'); return [c.width, 2 * c.clientWidth]; })()"
    )
    width, twice = notebook.page.evaluate(sizes)
    assert width == twice


def test_two_views_show_one_state(open_notebook):
    notebook = open_notebook(SHOW, "explorer")
    notebook.page.wait_for_function("document.querySelectorAll('.entrenar-viz-canvas').length === 2")
    notebook.type("Cursor step", "4000")
    both = "[...document.querySelectorAll('.entrenar-viz-canvas')].every((c) => c.drawn?.cursor === 4000)"
    notebook.page.wait_for_function(both)


def test_a_raising_callback_shows_the_banner(open_notebook):
    notebook = open_notebook(SHOW)
    notebook.python("setattr(explorer._parts, '_find', lambda config: 1 / 0)")
    notebook.type("Target sparsity", "61")
    notebook.page.get_by_text("Something went wrong (ZeroDivisionError): division by zero").wait_for()
    assert notebook.python("[type(error).__name__ for error in explorer.errors]") == ["ZeroDivisionError"]
    notebook.page.get_by_role("button", name="Dismiss").click()
    notebook.page.get_by_text("Something went wrong").wait_for(state="hidden")


def test_weights_of_the_user_and_a_layer_too_large_to_show_each_weight(open_notebook, lab):
    weights = np.random.default_rng(0).normal(size=(300, 700)).astype(np.float32)
    np.save(lab[1] / "large.npy", weights)
    notebook = open_notebook(SHOW)
    page = notebook.page
    page.get_by_placeholder(".safetensors .npz .npy .pt .onnx .h5 .keras").fill(str(lab[1] / "none.npy"))
    notebook.row("Model file").get_by_role("button", name="Open").click()
    page.locator(".entrenar-viz-problem", has_text="none.npy").wait_for()
    page.get_by_placeholder(".safetensors .npz .npy .pt .onnx .h5 .keras").fill(str(lab[1] / "large.npy"))
    notebook.row("Model file").get_by_role("button", name="Open").click()
    page.locator(".entrenar-viz-note", has_text="300 × 700 weights").wait_for()
    notebook.wait("drawn.panels[0].count === 105000")
    assert_same_picture(notebook.drawn, DEFAULTS, matrix=weights)


def test_a_checkpoint_in_shards_is_opened_by_its_folder_and_searched(open_notebook, lab):
    names = [f"model.layers.{i}.{part}_proj.weight" for i in range(12) for part in "qk"]
    values = np.random.default_rng(0).normal(size=(32, 16)).astype(np.float32)
    shards = {f"{i}.safetensors": dict.fromkeys(names[i::2], values * (i + 1)) for i in range(2)}
    folder = lab[1] / "checkpoint"
    folder.mkdir()
    for file, arrays in shards.items():
        save_file(arrays, folder / file)
    places = {name: file for file, arrays in shards.items() for name in arrays}
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": places}))
    notebook = open_notebook(SHOW)
    page, row = notebook.page, notebook.row("Layer")
    assert not row.get_by_placeholder("search").is_visible()
    page.get_by_placeholder(".safetensors .npz .npy .pt .onnx .h5 .keras").fill(str(folder))
    notebook.row("Model file").get_by_role("button", name="Open").click()
    page.locator(".entrenar-viz-note", has_text="32 × 16 weights").wait_for()
    row.get_by_placeholder("search").fill("LAYERS.7 k_")
    row.get_by_text("1 of 24 layers.").wait_for()
    assert len(row.locator("option").all()) == 2
    row.locator("select").select_option(index=1)
    page.locator(".entrenar-viz-note", has_text="model.layers.7.k_proj.weight").wait_for()
    line = row.locator("option").all_inner_texts()[1].replace("\xa0", " ")
    assert line == "model.layers.7.k_proj.weight  32 × 16  float32  2.05 kB"
    notebook.until("explorer._parts.masks.layer.value", "model.layers.7.k_proj.weight")
    row.get_by_placeholder("search").fill("")
    row.get_by_text("1 of 24 layers.").wait_for(state="hidden")
    assert row.locator("select").input_value().startswith("model.layers.7.k_proj.weight")
    assert notebook.python("len(explorer.errors)") == 0


def test_patterns_change_the_masks(open_notebook):
    notebook = open_notebook(SHOW)
    matrix = load_weights(sample("digits network")).matrix("fc1.weight")
    notebook.row("Pattern").locator("select").select_option("N:M")
    notebook.wait("drawn.panels[1].got === 0.5")
    notebook.row("Pattern").locator("select").select_option("Row")
    notebook.wait("drawn.panels[1].count === 32")
    assert notebook.drawn["panels"][0]["got"] == 0.5
    notebook.row("Pattern").locator("select").select_option("Block")
    notebook.wait("drawn.panels[1].count === 128")
    assert matrix.shape == (128, 64)
    assert notebook.python("len(explorer.errors)") == 0


def test_a_kernel_restart_says_what_to_do(open_notebook):
    notebook = open_notebook(SHOW)
    notebook.page.evaluate("jupyterapp.shell.currentWidget.sessionContext.session.kernel.restart().then(() => true)")
    notebook.page.get_by_text("run the cell again").wait_for()


def test_n_m_is_one_step_of_the_staircase(open_notebook):
    notebook = open_notebook(SHOW)
    notebook.row("Pattern").locator("select").select_option("N:M")
    notebook.wait("drawn.staircase.length === 1 && drawn.panels[1].got !== null")
    first = notebook.python("next(iter(explorer.config.schedule.update_steps[1:]))")
    assert notebook.drawn["staircase"] == [[first, 0.5]]
    assert [panel["applied"] for panel in notebook.drawn["panels"]] == [0.5, 0.5, 0.5]
    notebook.row("Pattern").locator("select").select_option("Unstructured")
    notebook.wait("drawn.staircase.length > 1")
