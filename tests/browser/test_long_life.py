"""A long life in JupyterLab: many events, closing, and running the cell again."""

import pytest

from tests.browser.notebook import RUN_ALL

pytestmark = pytest.mark.browser
SHOW = "from entrenar_viz import Explorer\nexplorer = Explorer()\nexplorer"
# a thousand keys on the handles of five sliders, a burst of them in each frame
KEYS = """async (names) => {
  const handles = names.map((name) => document.querySelector(`[aria-label="${name} slider"]`));
  const keys = ["ArrowRight", "ArrowRight", "PageUp", "ArrowLeft", "PageDown", "ArrowRight"];
  for (let i = 0; i < 1000; i++) {
    const event = new KeyboardEvent("keydown", { key: keys[(i * 7) % keys.length], bubbles: true, cancelable: true });
    handles[(i * 3) % handles.length].dispatchEvent(event);
    if (i % 25 === 24) await new Promise((done) => requestAnimationFrame(done));
  }
  return true;
}"""
SLIDERS = ["Cursor step", "Target sparsity", "Steps between updates", "OneShot step", "Initial sparsity"]
SLEEP = (
    "void jupyterapp.shell.currentWidget.sessionContext.session.kernel.requestExecute("
    "{code: 'import time; time.sleep(8)'})"
)
STATUS = "jupyterapp.shell.currentWidget.sessionContext.session.kernel.status"


def test_a_thousand_keys_end_with_the_picture_and_the_kernel_alike(open_notebook):
    notebook = open_notebook(SHOW)
    notebook.page.evaluate(KEYS, SLIDERS)
    shown = {name: notebook.page.get_by_label(name, exact=True).first.input_value() for name in SLIDERS}
    number = {name: text.replace(",", "").rstrip("%") for name, text in shown.items()}
    steps = [int(number[name]) for name in ("Cursor step", "Steps between updates", "OneShot step")]
    names = "explorer.controls.cursor.value, explorer.controls.frequency.value, explorer.controls.one_shot_step.value"
    notebook.until(f"[{names}]", steps)
    shares = [float(number[name]) for name in ("Initial sparsity", "Target sparsity")]
    percent = "round(100 * explorer.controls.{}.value, 2)"
    notebook.until(f"[{percent.format('initial')}, {percent.format('target')}]", shares)
    notebook.wait("drawn.cursor === argument", steps[0])
    state = notebook.python("[explorer.controls.target.value, explorer.controls.initial.value]")
    notebook.wait("drawn.curves.gradual.at(-1)[1] === Math.fround(argument)", state[0])
    notebook.wait("drawn.curves.gradual[0][1] === Math.fround(argument)", state[1])
    assert notebook.python("[str(error) for error in explorer.errors]") == []
    assert notebook.errors == []


def listening(page):
    """How many listeners the page itself has, the rubbish of the browser collected."""
    session = page.context.new_cdp_session(page)
    session.send("HeapProfiler.collectGarbage")
    found = 0
    for target in ("document", "window", "document.body"):
        handle = session.send("Runtime.evaluate", {"expression": target})["result"]["objectId"]
        found += len(session.send("DOMDebugger.getEventListeners", {"objectId": handle})["listeners"])
    session.detach()
    return found


def test_what_is_closed_or_displayed_anew_listens_no_more(open_notebook):
    notebook = open_notebook(SHOW)
    page, canvas = notebook.page, notebook.page.locator(".entrenar-viz-canvas")
    counts = []
    for _ in range(3):
        page.evaluate("window.old = document.querySelector('.entrenar-viz-canvas')")
        page.evaluate(RUN_ALL)
        page.wait_for_function("!window.old.isConnected")
        notebook.wait("drawn.frames > 0")
        assert canvas.count() == 1
        counts.append(listening(page))
    assert counts[-1] - counts[0] < 2  # one more for each display would be two; the page itself may add one
    notebook.python("explorer.close()")
    canvas.wait_for(state="detached")
    assert listening(page) <= counts[-1] - 8  # one of each typed entry, one of the picture
    assert notebook.errors == []


def test_play_and_masks_go_on_while_the_kernel_is_busy(open_notebook):
    notebook = open_notebook(SHOW)
    notebook.page.evaluate(SLEEP)
    notebook.type("Cursor step", "0")
    notebook.wait("drawn.cursor === 0 && drawn.panels.every((panel) => panel.got === 0)")
    notebook.page.get_by_label("Speed").select_option("4")
    notebook.page.get_by_role("button", name="Play the training").click()
    notebook.wait("drawn.cursor > 3000 && drawn.panels[1].got > 0.2 && drawn.panels[2].got > 0.2")
    assert notebook.page.evaluate(STATUS) == "busy"
    notebook.wait("drawn.cursor === 10000")
    notebook.until("explorer.controls.cursor.value", 10_000)
    assert notebook.errors == []
