"""What once went wrong on the screen, in JupyterLab, each seen to be right."""

from pathlib import Path

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser
SHOW = "from entrenar_viz import Explorer\nexplorer = Explorer()\nexplorer"
CELLS = "jupyterapp.shell.currentWidget.content.widgets.length"
DIRTY = "jupyterapp.shell.currentWidget.context.model.dirty"
TOP = "(element) => element.getBoundingClientRect().top"


def test_keys_on_the_plot_never_reach_the_notebook_and_saving_does(open_notebook):
    notebook = open_notebook(SHOW)
    page = notebook.page
    before = page.evaluate(CELLS)
    cursor = page.get_by_label("Cursor step in the plot")
    for target in (cursor, page.get_by_label("Target sparsity slider"), page.get_by_role("button", name="Gradual")):
        target.focus()
        for key in ("d", "d", "x", "a", "b", "m"):
            page.keyboard.press(key)
    assert page.evaluate(CELLS) == before
    page.evaluate("jupyterapp.shell.currentWidget.context.model.dirty = true")
    page.get_by_label("Target sparsity", exact=True).focus()
    page.keyboard.press("Control+s")
    page.wait_for_function(f"!{DIRTY}")


def test_a_huge_number_ruins_no_slider(open_notebook):
    notebook = open_notebook(SHOW)
    slider = notebook.page.get_by_label("Total steps slider")
    before = slider.evaluate("(slider) => [slider.value, slider.max, slider.step]")
    notebook.type("Total steps", "9007199254740991")
    notebook.until("explorer.total_steps", 9007199254740991)
    notebook.type("Total steps", "10000")
    notebook.until("explorer.total_steps", 10_000)
    assert slider.evaluate("(slider) => [slider.value, slider.max, slider.step]") == before


def test_the_cursor_comes_back_with_a_longer_training(open_notebook):
    notebook = open_notebook(SHOW)
    notebook.type("Total steps", "100")
    notebook.wait("drawn.cursor === 100")
    notebook.type("Total steps", "10000")
    notebook.wait("drawn.cursor === 3000")
    notebook.type("Cursor step", "99,999")
    notebook.page.get_by_text("the training ends at step 10,000").wait_for()
    expect(notebook.page.get_by_role("button", name="Export JSON")).to_be_enabled()
    assert notebook.python("explorer.problems") == []


def test_controls_that_do_not_act_stand_back(open_notebook):
    notebook = open_notebook(SHOW)
    idle = "[...document.querySelectorAll('.entrenar-viz-idle .entrenar-viz-label')].map((label) => label.textContent)"
    assert notebook.page.evaluate(idle) == ["OneShot step"]
    notebook.page.get_by_role("button", name="Cubic").click()
    assert notebook.page.evaluate(idle) == ["OneShot step", "Initial", "Every n steps"]
    notebook.page.get_by_role("button", name="OneShot").click()
    assert notebook.page.evaluate(idle) == ["Start", "End", "Initial", "Every n steps"]


def test_all_that_matters_is_in_sight_on_a_laptop(open_notebook):
    """1280 x 800 with the file browser open leaves 848 x 680 pixels."""
    notebook = open_notebook(SHOW, width=1280, height=800)
    page = notebook.page
    page.evaluate("jupyterapp.shell.expandLeft()")
    page.wait_for_function("document.querySelector('.entrenar-viz-live').clientWidth < 900")
    top = page.locator(".entrenar-viz-live").evaluate(TOP)
    findings = page.locator(".entrenar-viz-findings").bounding_box()
    assert findings["y"] + findings["height"] - top <= 680
    assert page.locator(".entrenar-viz-tabs .lm-TabBar").bounding_box()["y"] - top <= 680
    export = page.get_by_role("button", name="Export JSON").bounding_box()
    assert export["y"] - top < 40
    where = page.locator(".entrenar-viz-tabs").bounding_box()["y"]
    notebook.type("Steps between updates", "300")
    page.get_by_text("Gradual stops at 48.75%").wait_for()
    assert page.locator(".entrenar-viz-tabs").bounding_box()["y"] == where


def test_files_are_offered_where_a_path_is_typed(open_notebook, lab):
    (lab[1] / "offered.npz").write_bytes(b"")
    notebook = open_notebook(SHOW)
    notebook.tab("Figure")
    notebook.tab("Masks")
    notebook.page.wait_for_function(
        "[...document.querySelectorAll('datalist option')].some((option) => option.value === 'offered.npz')"
    )


def test_a_kernel_that_is_gone_lets_nothing_change(open_notebook):
    notebook = open_notebook(SHOW)
    notebook.type("Target sparsity", "60")
    notebook.until("explorer.config.target_sparsity", 0.6)
    page = notebook.page
    page.evaluate("jupyterapp.shell.currentWidget.sessionContext.session.kernel.restart().then(() => true)")
    page.get_by_text("run the cell again").wait_for()
    assert page.locator(".entrenar-viz-body").evaluate("(body) => body.inert")
    with page.expect_download() as download:
        page.get_by_role("button", name="Export JSON").click()
    assert '"target_sparsity": 0.6' in Path(download.value.path()).read_text()
