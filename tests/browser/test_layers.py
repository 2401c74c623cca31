"""Plans of layers, in JupyterLab: allotted, dragged, locked, skipped, measured, looked at, saved and loaded."""

import pytest

from tests.browser.cells import MANY_LAYERS, PLANNED
from tests.browser.test_accessibility import OF_IPYWIDGETS, violations
from tests.browser.test_layer_bars import drag, go_to, handle

pytestmark = pytest.mark.browser
PLAN = "list(explorer.plan.pruned.values())"
BUSY = "explorer._parts.layers.job.busy"


@pytest.fixture
def opened(open_notebook):
    def open_it(cell=PLANNED):
        notebook = open_notebook(cell)
        notebook.tab("Layers")
        return notebook

    notebooks = []
    yield lambda *cell: notebooks.append(open_it(*cell)) or notebooks[-1]
    for notebook in notebooks:
        assert notebook.python("[str(error) for error in explorer.errors]") == []
        assert notebook.errors == []


def press(notebook, name):
    notebook.page.get_by_role("button", name=name, exact=True).click()


def allot(notebook, method="ERK", sparsity="80"):
    notebook.page.get_by_label("Method of the plan").select_option(method)
    notebook.type("Sparsity of the plan", sparsity)
    notebook.until("explorer._parts.layers.form.sparsity.entry.value", f"{sparsity}%")
    press(notebook, "Allot")
    notebook.until(f"[explorer.plan is not None, {BUSY}]", [True, False])
    notebook.wait("bars.bars.length > 0")


def test_a_drag_holds_the_total_and_the_kernel_has_the_same_plan(opened):
    notebook = opened()
    allot(notebook)
    first = notebook.python(PLAN)
    drag(notebook, 1, -0.3)
    notebook.wait("bars.bars[1].share < 0.6")
    assert notebook.python(PLAN) == first
    notebook.page.mouse.up()
    second = notebook.bars["plan"]["pruned"]
    assert (sum(second), notebook.bars["pruned"]) == (sum(first), sum(first))
    notebook.until(PLAN, second)
    notebook.page.get_by_text("ERK, edited: 80% of 17,024 weights").wait_for()
    box = notebook.page.locator(".entrenar-viz-bars")
    box.get_by_role("button", name="Undo").click()
    notebook.until(PLAN, first)
    notebook.wait("JSON.stringify(bars.plan?.pruned) === JSON.stringify(argument)", first)
    box.get_by_role("button", name="Redo").click()
    notebook.until(PLAN, second)
    handle(notebook).press("Control+z")
    notebook.until(PLAN, first)
    assert notebook.python("explorer.config.target_sparsity") == 0.8


def test_locked_and_skipped_layers_stay_so_when_it_is_allotted_again(opened):
    notebook = opened()
    allot(notebook)
    go_to(notebook, 0)
    notebook.page.get_by_label("Lock", exact=True).check()
    notebook.until("explorer.plan['fc1.weight'].locked", True)
    kept = notebook.python("explorer.plan['fc1.weight'].pruned")
    go_to(notebook, 2)
    notebook.page.get_by_label("Skip", exact=True).check()
    notebook.until("explorer.plan['fc3.weight'].skip", True)
    allot(notebook, "uniform", "60")
    notebook.until("explorer.plan.origin.method", "uniform")
    assert notebook.python("explorer.plan['fc1.weight'].pruned") == kept
    notebook.wait("bars.plan.locked[0] === 0 && bars.plan.skipped[0] === 2")
    notebook.page.get_by_text("1 locked layer kept its sparsity.").wait_for()


@pytest.mark.parametrize("method", ["one threshold", "least loss", "OWL"])
def test_methods_that_read_weights_end_in_a_plan(opened, method):
    notebook = opened()
    allot(notebook, method)
    notebook.page.get_by_text(f"{method[0].upper()}{method[1:]}: 80% of 17,024 weights").wait_for()
    notebook.wait("JSON.stringify(bars.plan?.pruned) === JSON.stringify(argument)", notebook.python(PLAN))


def test_curves_are_measured_and_findings_follow(opened):
    notebook = opened()
    allot(notebook)
    assert notebook.page.get_by_role("button", name="output error").is_hidden()
    press(notebook, "Measure sensitivity")
    notebook.page.get_by_role("button", name="output error").wait_for()
    notebook.page.locator(".entrenar-viz-plan-findings", has_text="beyond the knee of").wait_for()
    notebook.page.get_by_text("kept energy").first.wait_for()
    assert violations(notebook, OF_IPYWIDGETS) == []
    notebook.page.get_by_label("Method", exact=True).select_option("wanda")
    notebook.page.get_by_text("The curves were measured for unstructured, magnitude").wait_for()
    notebook.page.get_by_role("button", name="output error").wait_for(state="hidden")


def test_a_press_on_a_bar_shows_its_masks(opened):
    notebook = opened()
    allot(notebook)
    go_to(notebook, 1)
    notebook.until("explorer._parts.masks.picked()[1]", "fc2.weight")
    notebook.page.get_by_role("img", name="Mask of fc2.weight").wait_for()
    share = notebook.bars["bars"][1]["share"]
    gone = "document.querySelector('.entrenar-viz-bar-mask').drawn"
    notebook.page.wait_for_function(f"{gone}.note === ''")
    assert notebook.python("explorer.plan['fc2.weight'].sparsity") == pytest.approx(share, abs=1e-4)


def test_what_cannot_be_allotted_says_why_and_the_schedule_is_compared(opened):
    notebook = opened()
    allot(notebook)
    page, before = notebook.page, notebook.python(PLAN)
    notebook.type("Highest sparsity of a layer", "50")
    notebook.until("explorer._parts.layers.form.most.entry.value", "50%")
    press(notebook, "Allot")
    wrong = page.locator(".entrenar-viz-plan .entrenar-viz-problem")
    wrong.get_by_text("the bounds of the layers allow at most 8,512").wait_for()
    assert notebook.python(PLAN) == before
    notebook.type("Highest sparsity of a layer", "1,00")
    page.get_by_text("Highest sparsity of a layer: “1,00” is no percentage").wait_for()
    notebook.type("Highest sparsity of a layer", "100")
    notebook.until("explorer._parts.layers.form.most.entry.value", "100%")
    notebook.type("Target sparsity", "90")
    page.get_by_text("The schedule ends with 90%, the plan holds 80% in all").wait_for()
    press(notebook, "Allot 90%")
    notebook.until("explorer.plan.origin.sparsity", 0.9)
    page.get_by_text("The schedule ends with 90%, the plan").wait_for(state="hidden")


def test_a_plan_is_saved_dropped_and_loaded(opened):
    notebook = opened()
    page = notebook.page
    allot(notebook)
    before = notebook.python(PLAN)
    page.get_by_label("File of the plan").fill("digits.json")
    page.get_by_label("File of the plan").press("Tab")
    notebook.until("explorer._parts.layers.files.path.value", "digits.json")
    press(notebook, "Save plan")
    page.get_by_text("Saved ").wait_for()
    press(notebook, "Save plan")
    page.get_by_text("digits.json exists already.").wait_for()
    page.get_by_role("button", name="More ways to export").click()
    page.locator(".entrenar-viz-menu", has_text="The trainer's file has no field for the plan of the layers").wait_for()
    page.keyboard.press("Escape")
    press(notebook, "Drop the plan")
    page.get_by_text("The plan was put aside").wait_for()
    assert page.locator(".entrenar-viz-bars").is_hidden()
    notebook.until("explorer.plan is None", True)
    press(notebook, "Load plan")
    page.get_by_text("Loaded digits.json.").wait_for()
    assert notebook.python(PLAN) == before
    notebook.wait("JSON.stringify(bars.plan?.pruned) === JSON.stringify(argument)", before)


def test_hundreds_of_layers_by_block_are_dragged_together(opened):
    notebook = opened(MANY_LAYERS)
    allot(notebook, "ERK", "70")
    notebook.wait("bars.shown === 197")
    notebook.page.get_by_label("Bars", exact=True).select_option("block")
    notebook.wait("bars.bars.length < 40")
    before = notebook.python(PLAN)
    drag(notebook, 3, -0.3)
    notebook.page.mouse.up()
    after = notebook.bars["plan"]["pruned"]
    assert after != before
    assert sum(after) == sum(before)
    notebook.until(PLAN, after)
    press(notebook, "Measure sensitivity")
    notebook.until(BUSY, False)
    notebook.page.locator(".entrenar-viz-plan .entrenar-viz-progress").wait_for(state="hidden")
