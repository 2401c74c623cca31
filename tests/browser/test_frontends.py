"""The main way in the front ends other than JupyterLab: Notebook 7 and Voila."""

import pytest

from jupyter_browser.notebook import RUN_ALL, idle, write_notebook
from jupyter_browser.servers import jupyter, shut_down_kernels, voila

pytestmark = pytest.mark.browser
SHOW = "from entrenar_viz import Explorer\nexplorer = Explorer()\nexplorer"


@pytest.fixture(scope="module")
def in_notebook_7(browser_path, tmp_path_factory):
    """What opens a page of Notebook 7 and runs its cell."""
    with jupyter(tmp_path_factory.mktemp("notebook"), "notebook") as (url, root):
        write_notebook(root / "one.ipynb", [SHOW])

        def show(open_page):
            notebook = open_page(f"{url}notebooks/one.ipynb")
            notebook.page.wait_for_function("window.jupyterapp?.shell?.currentWidget")
            idle(notebook.page)
            notebook.errors.clear()  # Notebook 7.6 has one of its own while it starts, whatever it shows
            notebook.page.evaluate(RUN_ALL)
            return notebook

        yield show
        shut_down_kernels(url)


@pytest.fixture(scope="module")
def in_voila(browser_path, tmp_path_factory):
    """What opens a page of a plain Voila."""
    home = tmp_path_factory.mktemp("voila")
    write_notebook(home / "one.ipynb", [SHOW])
    with voila(home, home / "one.ipynb") as url:

        def show(open_page):
            notebook = open_page("about:blank")
            notebook.page.goto(url, timeout=60_000)
            return notebook

        yield show


@pytest.fixture(params=["in_notebook_7", "in_voila"])
def shown(request, open_page):
    notebook = request.getfixturevalue(request.param)(open_page)
    notebook.wait("drawn.frames > 0")
    return notebook


def test_the_main_way(shown):
    page = shown.page
    handle = page.get_by_label("Target sparsity slider")
    handle.focus()
    for _ in range(4):
        handle.press("ArrowRight")
    shown.wait("drawn.curves.gradual.at(-1)[1] === Math.fround(0.52)")
    page.wait_for_function("document.querySelector('.entrenar-viz-menu textarea').value.includes('0.52')")
    assert shown.exported["schedule"]["final_sparsity"] == shown.exported["target_sparsity"] == 0.52
    shown.type("Steps between updates", "300")
    page.get_by_text("300 does not divide the window of 4,000 steps").wait_for()
    page.get_by_role("button", name="end at step 4,900").click()
    page.get_by_text("No findings").wait_for()
    shown.wait("drawn.staircase.at(-1)[1] === Math.fround(0.52)")
    assert shown.exported["schedule"]["end_step"] == 4900
    assert shown.errors == []


def test_the_masks_and_the_download(shown):
    page = shown.page
    shown.type("Cursor step", "5000")
    shown.wait("drawn.cursor === 5000 && drawn.panels[1].got === 0.5")
    with page.expect_download() as download:
        page.get_by_role("button", name="Export JSON").click()
    assert download.value.suggested_filename == "pruning.json"
    assert page.evaluate("document.querySelector('.entrenar-viz-canvas').clientWidth") > 300
