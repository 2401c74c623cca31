"""The plot by hand: handles, pointer, zoom and play."""

import pytest

from entrenar_viz import PruningConfig
from tests.browser.test_explorer import DEFAULTS, SHOW, assert_same_picture, assert_same_staircase

pytestmark = pytest.mark.browser


AS_OPENED = "[explorer.reset(), explorer._parts.commands.change({'cursor': 3000})]"


@pytest.fixture(scope="module")
def opened(open_once):
    return open_once(SHOW)


@pytest.fixture
def notebook(opened):
    opened.python(AS_OPENED)
    opened.wait("drawn.cursor === 3000 && drawn.curves.gradual.at(-1)[1] === 0.5")
    yield opened
    opened.page.evaluate("document.activeElement.blur()")
    opened.page.emulate_media(reduced_motion="no-preference")
    all_steps = opened.page.get_by_role("button", name="Show all steps")
    if all_steps.is_enabled():
        all_steps.click()
        opened.page.evaluate("document.activeElement.blur()")
    opened.page.mouse.move(5, 5)
    assert opened.python("[str(error) for error in explorer.errors]") == []
    assert opened.errors == []


def handle(notebook, label):
    return notebook.page.get_by_label(f"{label} in the plot", exact=True)


def drag(notebook, label, step=None, sparsity=None):
    """Drag a handle to where the plot has that step or sparsity."""
    plot, page = notebook.drawn["plot"], notebook.page
    box, canvas = handle(notebook, label).bounding_box(), page.locator(".entrenar-viz-canvas").bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    if step is not None:
        share = (step - plot["from"]) / (plot["to"] - plot["from"])
        x = canvas["x"] + plot["left"] + share * (plot["right"] - plot["left"])
    else:
        y = canvas["y"] + plot["top"] + (1 - sparsity) * (plot["bottom"] - plot["top"])
    page.mouse.move(x, y, steps=5)
    page.mouse.up()


@pytest.mark.parametrize(
    ("label", "value", "expression"),
    [
        ("Start step", 2000, "explorer._parts.state.settings.start_step"),
        ("End step", 8000, "explorer._parts.state.settings.end_step"),
        ("OneShot step", 4000, "explorer._parts.state.settings.one_shot_step"),
        ("Cursor step", 7000, "explorer._parts.state.settings.cursor"),
    ],
)
def test_steps_are_dragged_in_the_plot_and_moved_by_keys(notebook, label, value, expression):
    drag(notebook, label, step=value)
    notebook.until(expression, value)
    assert notebook.page.get_by_label(label, exact=True).input_value() == f"{value:,}"
    handle(notebook, label).press("ArrowRight")
    handle(notebook, label).press("PageDown")
    notebook.until(expression, value + 50 - 500)
    assert handle(notebook, label).get_attribute("aria-valuetext") == f"step {value - 450:,}"


def test_the_target_is_dragged_up_and_moved_by_keys(notebook):
    drag(notebook, "Target sparsity", sparsity=0.7)
    notebook.until("explorer.config.target_sparsity", 0.7)
    handle(notebook, "Target sparsity").press("ArrowUp")
    notebook.until("explorer.config.schedule.final_sparsity", 0.705)
    assert handle(notebook, "Target sparsity").get_attribute("aria-valuetext") == "70.5%"
    handle(notebook, "Target sparsity").press("End")
    notebook.until("explorer.config.target_sparsity", 1.0)


def test_a_window_keeps_its_order_however_it_is_dragged(notebook):
    drag(notebook, "Start step", step=9000)
    notebook.until("[explorer._parts.state.settings.start_step, explorer._parts.state.settings.end_step]", [4999, 5000])
    handle(notebook, "End step").press("Home")
    notebook.until("[explorer._parts.state.settings.start_step, explorer._parts.state.settings.end_step]", [4999, 5000])


def test_the_pointer_tells_of_the_step_below_it(notebook):
    notebook.page.locator(".entrenar-viz-canvas").hover(position={"x": 300, "y": 150})
    notebook.wait("drawn.hover !== null")
    plot = notebook.drawn["plot"]
    expected = (300 - plot["left"]) / (plot["right"] - plot["left"]) * 10_000
    assert notebook.drawn["hover"] == pytest.approx(expected, abs=20)
    notebook.page.mouse.move(5, 5)
    notebook.wait("drawn.hover === null")


def test_zoomed_in_every_number_stays_right_and_reset_shows_all(notebook):
    page = notebook.page
    all_steps = page.get_by_role("button", name="Show all steps")
    assert all_steps.is_disabled()
    for _ in range(3):
        page.get_by_role("button", name="Show fewer steps, closer").click()
    notebook.wait("drawn.plot.to - drawn.plot.from === 1250")
    drawn = notebook.drawn
    assert drawn["plot"]["from"] <= drawn["cursor"] <= drawn["plot"]["to"]
    assert_same_picture(drawn, DEFAULTS)
    page.get_by_role("button", name="Show later steps").click()
    notebook.wait("drawn.plot.from > argument", drawn["plot"]["from"])
    all_steps.click()
    notebook.wait("drawn.plot.to === 10000 && drawn.plot.from === 0")
    assert_same_staircase(notebook.drawn, DEFAULTS["gradual"])


def test_the_wheel_zooms_around_the_pointer_once_the_plot_is_worked_with(notebook):
    page, canvas = notebook.page, notebook.page.locator(".entrenar-viz-canvas")
    canvas.hover(position={"x": 200, "y": 100})
    page.mouse.wheel(0, -300)
    notebook.wait("drawn.plot.to === 10000 && drawn.plot.from === 0")
    before = notebook.drawn["cursor"]
    canvas.click(position={"x": 200, "y": 100})
    notebook.wait("drawn.cursor !== argument", before)
    under = notebook.drawn["cursor"]
    page.mouse.wheel(0, -300)
    notebook.wait("drawn.plot.to - drawn.plot.from < 7000")
    plot = notebook.drawn["plot"]
    at_pointer = plot["from"] + (200 - plot["left"]) / (plot["right"] - plot["left"]) * (plot["to"] - plot["from"])
    assert at_pointer == pytest.approx(under, abs=60)
    page.keyboard.down("Shift")
    page.mouse.wheel(0, 300)
    page.keyboard.up("Shift")
    notebook.wait("drawn.plot.from > argument", plot["from"])


def test_play_runs_to_the_end_and_tells_the_kernel(notebook):
    page = notebook.page
    page.get_by_label("Speed").select_option("0.25")  # 28 s to the end: it is paused before, however busy the machine
    page.get_by_role("button", name="Play the training").click()
    notebook.wait("drawn.cursor > 3000")
    page.get_by_role("button", name="Pause the training").click()
    page.get_by_role("button", name="Play the training").wait_for()
    stopped = notebook.drawn["cursor"]
    assert 3000 < stopped < 10_000
    notebook.until("explorer._parts.state.settings.cursor", stopped)
    page.get_by_label("Speed").select_option("4")
    page.get_by_role("button", name="Play the training").click()
    notebook.wait("drawn.cursor === 10000")
    notebook.until("explorer._parts.state.settings.cursor", 10_000)
    page.get_by_role("button", name="Play the training").wait_for()
    assert_same_picture(notebook.drawn, DEFAULTS)
    page.get_by_role("button", name="Play the training").click()  # at the end: once more from the start
    notebook.wait("drawn.cursor < 5000")
    notebook.wait("drawn.cursor === 10000")
    notebook.until("explorer._parts.state.settings.cursor", 10_000)
    assert notebook.python("explorer.config.schedule.final_sparsity") == PruningConfig().target_sparsity


def test_reduced_motion_plays_from_update_to_update(notebook):
    page = notebook.page
    page.emulate_media(reduced_motion="reduce")
    page.get_by_label("Speed").select_option("1")
    seen = set()
    page.get_by_role("button", name="Play the training").click()
    for _ in range(2):
        before = notebook.drawn["cursor"]
        notebook.wait("drawn.cursor !== argument", before)
        seen.add(notebook.drawn["cursor"])
    page.get_by_role("button", name="Pause the training").click()
    assert seen <= {3500, 4000, 4500, 5000}
