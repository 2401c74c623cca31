"""A large layer is prepared in the background, in JupyterLab."""

import numpy as np
import pytest
from safetensors.numpy import save_file

pytestmark = pytest.mark.browser
# the reports of a preparation go on, but one stage lasts until the test lets it
SHOW = """
from threading import Event
from entrenar_viz import Explorer
from entrenar_viz.explorer.preview import preparation
go, prepare = Event(), preparation.prepare

def held(*arguments, report, **options):
    report("held by the test", 0.5)
    while not go.wait(0.02):
        report("held by the test", 0.5)
    return prepare(*arguments, report=report, **options)

preparation.prepare = held
go.set()
explorer = Explorer()
go.clear()
explorer
"""


def test_a_large_layer_is_prepared_cancelled_and_prepared_again(open_notebook, tmp_path):
    rng = np.random.default_rng(0)
    save_file({"q_proj": rng.standard_normal((4096, 4096), dtype=np.float32)}, tmp_path / "m.safetensors")
    notebook = open_notebook(SHOW, apart=True)  # it changes the package
    page = notebook.page
    path, progress = notebook.row("Model file"), page.locator(".entrenar-viz-picture .entrenar-viz-progress")
    picture = page.locator(".entrenar-viz-findings")
    assert not progress.is_visible()
    where = picture.bounding_box()

    path.locator("input").fill(str(tmp_path / "m.safetensors"))
    path.get_by_role("button", name="Open").click()
    progress.get_by_text("Preparing q_proj: held by the test. Until then the masks are those of fc1.weight.").wait_for()
    assert picture.bounding_box() == where
    assert notebook.row("Weights").locator("select").input_value().endswith("m.safetensors")

    notebook.type("Steps between updates", "300")
    notebook.wait("drawn.staircase.at(-1)[0] === 4900")
    page.get_by_text("Gradual stops at 48.75%").wait_for()  # the kernel answers too
    assert notebook.python("[explorer._parts.presenter.job.busy, explorer._parts.live.layer['rows']]") == [True, 128]

    progress.get_by_role("button", name="Cancel").click()
    progress.wait_for(state="hidden")
    notebook.until("explorer._parts.masks.source.value", "digits network")
    assert notebook.python("explorer._parts.live.layer['rows']") == 128

    assert path.locator("input").input_value() == ""  # it is no more what is shown
    path.locator("input").fill(str(tmp_path / "m.safetensors"))
    path.get_by_role("button", name="Open").click()
    progress.get_by_text("held by the test").wait_for()
    notebook.python("[go.set()]")
    notebook.page.locator(".entrenar-viz-note", has_text="m.safetensors, q_proj. 4,096 × 4,096 weights.").wait_for()
    progress.wait_for(state="hidden")
    assert notebook.python("[explorer.wait(), explorer._parts.live.layer['rows']]") == [None, 4096]
    assert notebook.python("[str(error) for error in explorer.errors]") == []
    assert notebook.errors == []


def test_a_cell_can_wait_for_what_it_has_started(open_notebook):
    notebook = open_notebook(
        "import numpy as np\nfrom entrenar_viz import Explorer\n"
        "explorer = Explorer(weights=np.random.default_rng(0).standard_normal((2048, 2048)))\n"
        "busy = explorer._parts.presenter.job.busy\nexplorer.wait()\nexplorer"
    )
    assert notebook.python("[busy, explorer._parts.presenter.job.busy, explorer._parts.live.layer['rows']]") == [
        *(True, False),
        2048,
    ]
    notebook.page.locator(".entrenar-viz-note", has_text="2,048 × 2,048 weights.").wait_for()
    assert notebook.python("[str(error) for error in explorer.errors]") == []
