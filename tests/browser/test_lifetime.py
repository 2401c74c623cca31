"""A long life in JupyterLab: many events, closing, and running the cell again."""

from contextlib import suppress

import pytest
from playwright.sync_api import TimeoutError as NotShownError

from jupyter_browser.notebook import RUN_ALL, ready

pytestmark = pytest.mark.browser
SHOW = "from entrenar_viz import Explorer\nexplorer = Explorer()\nexplorer"
# a thousand keys on five sliders, a burst of them in each frame; keys that a script makes do not move a slider
KEYS = """async (names) => {
  const sliders = names.map((name) => document.querySelector(`[aria-label="${name} slider"]`));
  const steps = [1, 1, 10, -1, -10, 1];
  for (let i = 0; i < 1000; i++) {
    const slider = sliders[(i * 3) % sliders.length];
    slider.dispatchEvent(new KeyboardEvent("keydown", { key: "ArrowRight", bubbles: true }));
    slider.stepUp(steps[(i * 7) % steps.length]);
    slider.dispatchEvent(new Event("input", { bubbles: true }));
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
    names = ("cursor", "frequency", "one_shot_step")
    notebook.until(f"[getattr(explorer._parts.state.settings, name) for name in {names}]", steps)
    shares = [float(number[name]) for name in ("Initial sparsity", "Target sparsity")]
    percent = "round(100 * explorer._parts.state.settings.{}, 2)"
    notebook.until(f"[{percent.format('initial')}, {percent.format('target')}]", shares)
    notebook.wait("drawn.cursor === argument", steps[0])
    state = notebook.python("[explorer._parts.state.settings.target, explorer._parts.state.settings.initial]")
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
        notebook.wait("drawn.frames > 0 && details.frames > 0")
        assert canvas.count() == 1
        counts.append(listening(page))
    assert counts[-1] - counts[0] < 2  # one more for each display would be two; the page itself may add one
    notebook.python("explorer.close()")
    canvas.wait_for(state="detached")
    assert listening(page) <= counts[-1] - 5  # of the state, and of the picture
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
    notebook.until("explorer._parts.state.settings.cursor", 10_000)
    assert notebook.errors == []


LARGE = """import numpy as np
from entrenar_viz import Explorer
explorers = globals().get("explorers", [])
explorers.append(Explorer(weights=np.random.default_rng(0).standard_normal((1100, 1000)).astype(np.float32)))
explorers[-1]"""
LET_GO = "[bool(one._parts.presenter.shown and one._parts.presenter.shown.let_go) for one in explorers]"
VIEWS = "[sum(one._parts.presenter.views.values()) for one in explorers]"
WINDOW = "details.window && details.window.row === argument"


def move_window(notebook, key, row):
    """Press ``key`` on the window, and wait for the weights that the kernel sends.

    JupyterLab may draw a view that it restores once more; a key in between is pressed again.
    """
    for _ in range(4):
        notebook.page.get_by_label("Window on the layer").press(key)
        notebook.page.wait_for_timeout(1000)
        if notebook.details["window"]["row"] == row:
            return
    notebook.wait(WINDOW, row)


def shown_again(notebook, act, row):
    """``act`` until it brings the picture back, with the window at ``row``.

    On a busy machine JupyterLab gives up on some of the widgets that it finds in the kernel.
    """
    for _ in range(4):
        notebook.errors.clear()
        act()
        ready(notebook.page)
        with suppress(NotShownError):
            notebook.wait(WINDOW, row)
            if not notebook.errors:
                return
    notebook.wait(WINDOW, row)


def scroll_back(notebook):
    """Scroll to the explorer in the first cell: JupyterLab goes to the last one once all have run."""
    notebook.page.wait_for_function(
        "() => { jupyterapp.shell.currentWidget.content.scrollToItem(0).catch(() => {});"
        " return document.querySelector('.entrenar-viz-canvas')?.drawn; }",
        polling=200,
    )
    notebook.wait(WINDOW, 0)


def reopened(page):
    """Close the notebook, and open it again."""
    path = page.url.split("/tree/")[1].split("?")[0]
    page.evaluate("jupyterapp.shell.currentWidget.close()")
    page.wait_for_function("!document.querySelector('.jp-NotebookPanel')")
    page.evaluate("(path) => jupyterapp.commands.execute('docmanager:open', {path}).then(() => true)", path)


def test_an_explorer_that_nobody_sees_lets_its_layer_go_and_a_page_that_comes_back_gets_it(open_notebook):
    notebook = open_notebook(LARGE, *["print('line\\n' * 60)"] * 20)
    page = notebook.page
    scroll_back(notebook)
    page.evaluate("window.old = document.querySelector('.entrenar-viz-canvas')")
    page.evaluate(RUN_ALL)
    page.wait_for_function("!window.old.isConnected")
    notebook.until(LET_GO, [True, False])
    scroll_back(notebook)

    page.evaluate("jupyterapp.commands.execute('notebook:move-cursor-down')")
    for cell in (20, 0):  # out of sight is not away
        page.evaluate("(index) => jupyterapp.shell.currentWidget.content.scrollToItem(index).then(() => true)", cell)
        page.wait_for_timeout(500)
    assert notebook.python(LET_GO) == [True, False]
    move_window(notebook, "End", 1100 - 96)

    page.evaluate("jupyterapp.commands.execute('docmanager:save').then(() => true)")
    shown_again(notebook, page.reload, 1100 - 96)
    notebook.until(LET_GO, [True, False])
    assert notebook.python(VIEWS) == [0, 1]
    move_window(notebook, "Home", 0)

    shown_again(notebook, lambda: reopened(page), 0)
    notebook.until(LET_GO, [True, False])
    assert notebook.python(VIEWS) == [0, 1]
    move_window(notebook, "End", 1100 - 96)
    assert notebook.python("[str(error) for one in explorers for error in one.errors]") == []
    assert notebook.errors == []
