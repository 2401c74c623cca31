"""The still pictures of the documents: taken where ENTRENAR_VIZ_PICTURES names the folder to keep them in."""

import numpy as np
import pytest

from jupyter_browser.servers import dashboard_app
from tests.browser.camera import ASKED_FOR, SETTLED, around, folder, keep, shot
from tests.browser.states import STATES, missed, whole

pytestmark = ASKED_FOR


def kept(notebook, clip, path):
    notebook.page.evaluate(SETTLED)
    picture = shot(notebook.page, clip)
    assert len(picture.getcolors(1 << 24)) > 8
    keep(picture, path, 256 if picture.width * picture.height > 1_000_000 else 128)


@pytest.mark.parametrize("state", STATES, ids=[state.name for state in STATES])
def test_the_picture_of_a_state(open_notebook, tmp_path, state):
    notebook = open_notebook(state.cell, **{"height": 2400, "scale": 1.5} | state.size)
    notebook.page.mouse.move(0, 0)
    state.act(notebook)
    kept(notebook, state.part(notebook), folder(tmp_path) / f"{state.name}.png")
    assert notebook.errors == []


def test_the_dark_picture(open_notebook, tmp_path):
    notebook = open_notebook(STATES[0].cell, height=2400, scale=1.5)
    notebook.theme("JupyterLab Dark")
    missed(notebook)
    kept(notebook, whole(notebook), folder(tmp_path) / "explorer-dark.png")
    assert notebook.errors == []


def test_the_picture_of_the_app(browser_path, open_page, tmp_path):
    models = tmp_path / "models"
    models.mkdir()
    np.save(models / "q_proj.npy", np.random.default_rng(0).standard_normal((96, 64)).astype("f4"))
    with dashboard_app(tmp_path, "--root", str(models)) as address:
        notebook = open_page("about:blank", height=2400, scale=1.5)
        notebook.page.goto(address, timeout=60_000)
        notebook.wait("drawn.frames > 0")
        missed(notebook)
        clip = around(notebook.page.locator(".entrenar-viz").first)
        clip |= {"x": 0, "y": 0, "width": 1280, "height": clip["y"] + clip["height"] + 8}
        kept(notebook, clip, folder(tmp_path) / "app.png")
    assert notebook.errors == []
