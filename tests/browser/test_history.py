"""What the explorer keeps, in JupyterLab: undo by button and by key, pins, presets."""

import pytest

pytestmark = pytest.mark.browser
SHOW = "from entrenar_viz import Explorer\nexplorer = Explorer()\nexplorer"
TARGET = "explorer.config.target_sparsity"
ENTRIES = "len(explorer._parts.state.history.entries)"


def test_two_drags_are_two_entries_and_keys_restore_exactly(open_notebook):
    notebook = open_notebook(SHOW)
    opened = notebook.python("explorer.config.to_json()")
    notebook.slide("Target sparsity", 0.55, 0.6)
    notebook.until(TARGET, 0.6)
    first = notebook.python("explorer.config.to_json()")
    notebook.slide("Target sparsity", 0.7, 0.8)
    notebook.until(TARGET, 0.8)
    assert notebook.python(ENTRIES) == 3

    keyboard = notebook.page.keyboard
    keyboard.press("Control+z")  # the focus is on the slider
    notebook.until("explorer.config.to_json()", first)
    notebook.wait("drawn.curves.gradual.at(-1)[1] === Math.fround(0.6)")
    assert notebook.page.get_by_label("Target sparsity", exact=True).input_value() == "60%"
    keyboard.press("Control+z")
    notebook.until("explorer.config.to_json()", opened)
    assert notebook.page.get_by_role("button", name="Undo", exact=True).is_disabled()
    keyboard.press("Control+Shift+Z")
    notebook.until(TARGET, 0.6)
    keyboard.press("Control+y")
    notebook.until(TARGET, 0.8)
    notebook.page.get_by_role("button", name="Reset", exact=True).click()
    notebook.until("explorer.config.to_json()", opened)
    notebook.page.get_by_role("button", name="Undo", exact=True).click()
    notebook.until(TARGET, 0.8)
    assert notebook.python("[str(error) for error in explorer.errors]") == []
    assert notebook.errors == []


def test_drags_in_the_plot_and_typed_numbers_are_entries_too(open_notebook):
    notebook = open_notebook(SHOW)
    handle = notebook.page.get_by_label("End step in the plot")
    for by in (40, 60):
        box = handle.bounding_box()
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        notebook.page.mouse.move(x, y)
        notebook.page.mouse.down()
        notebook.page.mouse.move(x + by, y, steps=8)
        notebook.page.mouse.up()
        notebook.page.wait_for_timeout(300)
    notebook.until(ENTRIES, 3)
    notebook.type("Start step", "1234")
    notebook.until(ENTRIES, 4)
    notebook.page.keyboard.press("Control+z")  # in the entry, after its text was taken
    notebook.until("explorer.config.schedule.start_step", 1000)
    notebook.page.keyboard.type("77")
    notebook.page.keyboard.press("Control+z")  # in a text that is being typed
    assert notebook.python("[explorer._parts.state.history.at, explorer.config.schedule.start_step]") == [2, 1000]
    notebook.page.keyboard.press("Escape")
    cells = "jupyterapp.shell.currentWidget.content.model.cells.get(0).sharedModel.getSource()"
    assert notebook.page.evaluate(cells) == SHOW


def test_a_pin_is_a_curve_and_a_row_and_comes_back(open_notebook):
    notebook = open_notebook(SHOW)
    page = notebook.page
    notebook.tab("Compare")
    page.get_by_role("button", name="Pin", exact=True).click()
    notebook.wait("drawn.ghosts.length === 1 && drawn.ghosts[0].name === 'Gradual 50%'")
    notebook.type("Target sparsity", "70")
    row = page.locator(".entrenar-viz-pin").filter(has_text="Gradual 50%")
    row.get_by_text("50% (-20 pts)").wait_for()
    assert notebook.drawn["ghosts"][0]["points"][-1][1] == 0.5

    row.get_by_role("button", name="Hide").click()
    notebook.wait("drawn.ghosts.length === 0")
    row.get_by_role("button", name="Draw").click()
    notebook.wait("drawn.ghosts.length === 1")
    row.get_by_role("button", name="Export").click()
    with page.expect_download() as download:
        page.get_by_role("link", name="Download pruning-Gradual-50.json").click()
    assert download.value.suggested_filename == "pruning-Gradual-50.json"
    row.get_by_role("button", name="Load").click()
    notebook.until(TARGET, 0.5)
    row.get_by_role("button", name="Remove").click()
    notebook.wait("drawn.ghosts.length === 0")
    row.wait_for(state="hidden")
    assert notebook.python("[str(error) for error in explorer.errors]") == []
    assert notebook.errors == []


def test_a_preset_is_one_entry_and_a_recommendation_says_why(open_notebook):
    notebook = open_notebook(SHOW)
    page = notebook.page
    page.get_by_label("Start from a preset").first.select_option("high-sparsity: Cubic")
    page.get_by_text("above 70% the early, plastic phase").wait_for()
    notebook.until("[explorer.config.schedule.type, explorer.config.target_sparsity]", ["cubic", 0.8])
    page.get_by_role("button", name="Undo", exact=True).click()
    notebook.until("[explorer.config.schedule.type, explorer.config.target_sparsity]", ["gradual", 0.5])
    notebook.tab("Start from")
    notebook.type("Sparsity to recommend for", "0,5")
    page.get_by_role("button", name="Recommend").click()
    page.get_by_text("Nothing was recommended: “0,5” is no percentage").wait_for()
    notebook.type("Sparsity to recommend for", "50")
    page.get_by_text("it is trained already").click()
    page.get_by_role("button", name="Recommend").click()
    page.get_by_text("prune once, with nothing to tune").wait_for()
    notebook.until("explorer.config.schedule.type", "one_shot")
    assert notebook.python(ENTRIES) == 2
    assert notebook.python("[str(error) for error in explorer.errors]") == []


BUSY = (
    "void jupyterapp.shell.currentWidget.sessionContext.session.kernel.requestExecute("
    "{code: 'import time; time.sleep(10)'})"
)
STATUS = "jupyterapp.shell.currentWidget.sessionContext.session.kernel.status"


def test_two_drags_while_the_kernel_is_busy_are_two_entries(open_notebook):
    notebook = open_notebook(SHOW)
    notebook.page.evaluate(BUSY)
    notebook.slide("Target sparsity", 0.55, 0.6)
    notebook.slide("Target sparsity", 0.7, 0.8)
    assert notebook.page.evaluate(STATUS) == "busy"
    notebook.until(TARGET, 0.8)
    assert notebook.python(ENTRIES) == 3
    notebook.page.keyboard.press("Control+z")
    notebook.until(TARGET, 0.6)
    notebook.page.keyboard.press("Control+z")
    notebook.until(TARGET, 0.5)
    assert notebook.python("[str(error) for error in explorer.errors]") == []
    assert notebook.errors == []


FOCUSED = "document.querySelector('.entrenar-viz').contains(document.activeElement)"


def test_the_focus_stays_when_a_button_is_disabled_or_goes(open_notebook):
    notebook = open_notebook(SHOW)
    page, opened = notebook.page, notebook.python("explorer.config.to_json()")
    notebook.type("Target sparsity", "60%")
    notebook.until(TARGET, 0.6)
    undo = page.get_by_role("button", name="Undo", exact=True)
    undo.focus()
    undo.press("Enter")
    notebook.until("explorer.config.to_json()", opened)
    page.wait_for_function("document.querySelector('.entrenar-viz-steps button').disabled")
    page.wait_for_timeout(200)  # a browser looks after the focus when it draws next
    assert page.evaluate(FOCUSED)
    page.keyboard.press("Control+Shift+Z")
    notebook.until(TARGET, 0.6)

    notebook.type("Steps between updates", "3000")
    fix = page.locator(".entrenar-viz-finding button:visible").first
    fix.click()
    fix.wait_for(state="hidden")
    page.wait_for_timeout(200)
    assert page.evaluate(FOCUSED)
    page.keyboard.press("Control+z")
    notebook.until("explorer.config.schedule.frequency", 3000)
    page.get_by_role("button", name="Export JSON").focus()
    assert page.evaluate("document.querySelector('.entrenar-viz').hasAttribute('tabindex')") is False
    cells = "jupyterapp.shell.currentWidget.content.model.cells.get(0).sharedModel.getSource()"
    assert page.evaluate(cells) == SHOW
    assert notebook.errors == []
