"""The rehearsal, in JupyterLab: watched, cancelled, read, and followed."""

import pytest

from tests.browser.test_accessibility import OF_IPYWIDGETS, violations

pytestmark = pytest.mark.browser
SHOW = """
from threading import Semaphore
from entrenar_viz import Explorer, Gradual, PruningConfig
from entrenar_viz.explorer.panels import accuracy
from entrenar_viz.rehearsal.small_training import SmallTraining

every, accuracy.EVERY = accuracy.EVERY, 0.0  # seconds: each reading is shown
go, usual = Semaphore(0), SmallTraining.__call__

def held(self, pruner, seed):
    for reading in usual(self, pruner, seed):
        go.acquire()
        yield reading

gradual = Gradual(start_step=2000, end_step=7000, initial_sparsity=0.0, final_sparsity=0.95, frequency=1000)
explorer = Explorer(PruningConfig(target_sparsity=0.95, schedule=gradual), total_steps=10_000)
explorer._parts.accuracy.steps = 400
explorer"""
RUNS = 12  # of three seeds
HOLD, LET_GO = "setattr(SmallTraining, '__call__', held)", "setattr(SmallTraining, '__call__', usual)"


@pytest.fixture
def opened(open_notebook):
    notebook = open_notebook(SHOW)
    notebook.tab("Accuracy")
    notebook.page.get_by_label("Seeds", exact=True).select_option("3 seeds")
    notebook.wait("accuracy.frames > 0")
    yield notebook
    notebook.python(f"[{LET_GO}, setattr(accuracy, 'EVERY', every), go.release(100_000)]")
    assert notebook.python("[str(error) for error in explorer.errors]") == []
    assert notebook.errors == []


def press(notebook, name):
    notebook.page.get_by_role("button", name=name, exact=True).click()


def finished(notebook):
    press(notebook, "Rehearse")
    verdict = notebook.page.locator(".entrenar-viz-verdict")
    verdict.wait_for(timeout=60_000)
    notebook.until("explorer.rehearsal is not None", True)
    notebook.wait("accuracy.curves.length === 4 && accuracy.curves[0].points.at(-1)[0] === 10_000")
    return verdict.inner_text()


def test_curves_grow_are_cancelled_and_the_sliders_stay_alive(opened):
    page, progress = opened.page, opened.page.locator(".entrenar-viz-accuracy .entrenar-viz-progress")
    opened.python(HOLD)
    press(opened, "Rehearse")
    for readings in (1, 2, 3):
        opened.python(f"go.release({RUNS})")
        opened.wait("accuracy.curves.length === 4 && accuracy.curves[3].points.length === argument", readings)
    until = opened.accuracy["curves"][0]["points"][-1][0]
    progress.get_by_text(f"12 runs: step {until:,} of 10,000").wait_for()
    names = {name["text"]: name for name in opened.accuracy["names"]}
    assert set(names) == {"dense", "OneShot", "Gradual", "Cubic"}
    opened.type("Cursor step", "500")
    opened.wait("accuracy.cursor === 500 && accuracy.told.length === 5")
    opened.type("Steps between updates", "500")
    opened.until("explorer.config.schedule.frequency", 500)
    page.get_by_text("This is of the settings before: rehearse again.").wait_for()
    opened.wait("accuracy.outdated")
    progress.get_by_role("button", name="Cancel").click()
    page.get_by_text(f"Cancelled at step {until:,} of 10,000: there is no verdict.").wait_for()
    assert len(opened.accuracy["curves"][3]["points"]) == 3
    assert progress.is_hidden()
    opened.python(f"[{LET_GO}, go.release(100_000)]")
    assert finished(opened)
    assert page.get_by_text("This is of the settings before").is_hidden()


def test_the_verdict_is_read_and_the_better_schedule_chosen(opened):
    page = opened.page
    press(opened, "OneShot")
    opened.until("explorer.config.schedule.type", "one_shot")
    said = finished(opened)
    assert said == opened.python("explorer.rehearsal.verdict[:1].upper() + explorer.rehearsal.verdict[1:] + '.'")
    rows = page.locator(".entrenar-viz-outcomes tbody tr").all_inner_texts()
    accuracies = opened.python("[f'{100 * explorer.rehearsal[n].accuracy:.1f}' for n in ('dense', 'Cubic')]")
    assert [rows[0].split()[:2], rows[3].split()[:2]] == [
        ["dense", accuracies[0] + "%"],
        ["Cubic", accuracies[1] + "%"],
    ]
    assert f"dense {accuracies[0]}%" in page.locator(".entrenar-viz-accuracy-canvas").get_attribute("aria-label")
    assert page.get_by_text("This is evidence about the shape of the schedule, not about your model.").is_visible()
    assert violations(opened, OF_IPYWIDGETS) == []
    press(opened, "Choose Cubic")
    opened.until("explorer.config.schedule.type", "cubic")
    opened.wait("drawn.frames > 0 && document.querySelector('[data-type=cubic]').ariaPressed === 'true'")
    page.get_by_role("button", name="Choose Cubic").wait_for(state="hidden")
    assert not opened.accuracy["outdated"]
    press(opened, "Undo")
    opened.until("explorer.config.schedule.type", "one_shot")


def test_cursor_and_shown_steps_are_those_of_the_plot_above(opened):
    page = opened.page
    finished(opened)
    box, plot = page.locator(".entrenar-viz-accuracy-canvas").bounding_box(), opened.accuracy["plot"]
    above, whole = page.locator(".entrenar-viz-canvas").first.bounding_box(), opened.drawn["plot"]
    assert (box["x"], box["width"]) == (above["x"], above["width"])
    assert (plot["left"], plot["right"]) == (whole["left"], whole["right"])

    def at(share):
        return box["x"] + plot["left"] + share * (plot["right"] - plot["left"]), box["y"] + 100

    page.mouse.click(*at(0.5))
    opened.wait("Math.abs(drawn.cursor - 5000) < 20 && accuracy.cursor === drawn.cursor")
    page.mouse.down()
    page.mouse.move(*at(0.7), steps=5)
    page.mouse.up()
    opened.wait("Math.abs(drawn.cursor - 7000) < 20 && accuracy.cursor === drawn.cursor")
    opened.until("abs(explorer._parts.state.settings.cursor - 7000) < 20", True)
    opened.type("Cursor step", "3000")
    opened.wait("accuracy.cursor === 3000")
    page.get_by_role("button", name="Show fewer steps, closer").click()
    opened.wait("accuracy.plot.to - accuracy.plot.from === 5000 && accuracy.plot.from === drawn.plot.from")
    page.get_by_role("button", name="Show all steps").click()
    opened.wait("accuracy.plot.from === 0 && accuracy.plot.to === 10_000")


def test_one_that_cannot_be_rehearsed_says_why(opened):
    opened.page.get_by_label("Method", exact=True).select_option("minitron_width")
    opened.until("explorer.config.method", "minitron_width")
    press(opened, "Rehearse")
    opened.page.locator(".entrenar-viz-accuracy .entrenar-viz-problem", has_text="minitron_width").wait_for()
    assert opened.accuracy["curves"] == []
