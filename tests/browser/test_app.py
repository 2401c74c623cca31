"""A visitor's way through the served dashboard."""

import json
from pathlib import Path

import numpy as np
import pytest

from jupyter_browser.servers import dashboard_app

pytestmark = pytest.mark.browser
WEIGHTS = np.random.default_rng(0).normal(size=(40, 24)).astype(np.float32)


@pytest.fixture(scope="module")
def address(browser_path, tmp_path_factory):
    home = tmp_path_factory.mktemp("app")
    (home / "models").mkdir()
    for folder in (home, home / "models"):
        np.save(folder / "w.npy", WEIGHTS)
    with dashboard_app(home, "--root", str(home / "models"), "--theme", "dark") as found:
        yield found


@pytest.fixture
def visited(address, open_page):
    """The dashboard, and what its page got from other hosts."""
    notebook = open_page("about:blank")
    own = (address.partition("?")[0], "data:", "blob:")
    notebook.elsewhere = []
    keep = lambda request: request.url.startswith(own) or notebook.elsewhere.append(request.url)  # noqa: E731
    notebook.page.on("requestfinished", keep)
    notebook.page.goto(address, timeout=60_000)
    notebook.wait("drawn.frames > 0")
    return notebook


def test_a_drag_moves_the_picture_and_what_is_offered(visited):
    page = visited.page
    page.mouse.move(*visited.along("Target sparsity", 0.5))
    page.mouse.down()
    seen = set()
    for share in np.linspace(0.5, 0.8, 16):
        page.mouse.move(*visited.along("Target sparsity", share))
        seen.add(visited.drawn["curves"]["gradual"][-1][1])
    page.mouse.up()
    visited.wait("drawn.curves.gradual.at(-1)[1] === Math.fround(0.8)")
    assert len(seen) > 3
    with page.expect_download() as download:
        page.get_by_role("button", name="Export JSON").click()
    assert json.loads(Path(download.value.path()).read_text())["target_sparsity"] == 0.8
    assert visited.errors == []


def test_there_is_nothing_but_the_dashboard(visited):
    page = visited.page
    assert page.title() == "entrenar_viz"
    assert visited.drawn["dark"] is True
    assert page.get_by_text("dashboard()").count() == 0
    for gone in ("file to save to", "path of a configuration"):
        assert page.get_by_placeholder(gone).count() == 0
    for gone in ("Save", "Load", "Overwrite"):
        assert page.get_by_role("button", name=gone, exact=True).count() == 0
    assert visited.elsewhere == []


def test_model_files_open_below_the_root_and_nowhere_else(visited, address):
    page = visited.page
    box, button = (
        page.get_by_placeholder(".safetensors .npz .npy .pt .onnx .h5 .keras"),
        page.get_by_role("button", name="Open", exact=True),
    )
    for outside in ("../w.npy", "/etc/hostname", "none.npy"):
        box.fill(outside)
        button.click()
        message = f"'{outside}': no model file or folder of that name can be opened here"
        page.locator(".entrenar-viz-problem", has_text=message).wait_for()
    box.fill("w.npy")
    button.click()
    page.locator(".entrenar-viz-note", has_text="40 × 24 weights").wait_for()
    visited.wait("drawn.panels[0].count === 480")


def test_a_configuration_comes_by_paste_and_by_upload(visited, tmp_path):
    page, given = visited.page, visited.exported
    visited.tab("Export & import")
    page.get_by_placeholder("or paste JSON or YAML here").fill(json.dumps(given | {"method": "wanda"}))
    page.get_by_role("button", name="Load pasted").click()
    page.get_by_text("Loaded pasted text.").wait_for()
    (tmp_path / "mine.json").write_text(json.dumps(given | {"target_sparsity": 0.9}))
    with page.expect_file_chooser() as chooser:
        page.locator(".entrenar-viz-importing").get_by_role("button", name="Upload").click()
    chooser.value.set_files(str(tmp_path / "mine.json"))
    page.get_by_text("Loaded mine.json.").wait_for()
    assert visited.exported["target_sparsity"] == 0.9


def test_each_visitor_has_a_dashboard_of_their_own(visited, address, open_page):
    visited.type("Target sparsity", "66")
    visited.wait("drawn.curves.gradual.at(-1)[1] === Math.fround(0.66)")
    other = open_page("about:blank")
    other.page.goto(address, timeout=60_000)
    other.wait("drawn.curves.gradual.at(-1)[1] === 0.5")
