"""Masks of real layers in JupyterLab: what is told of each, the window on a large one, and all patterns at once."""

import numpy as np
import pytest
from safetensors.numpy import save_file

from entrenar_viz import NM, Block, Column, Row, Unstructured, prune_mask

pytestmark = pytest.mark.browser
SHOW = "from entrenar_viz import Explorer\nexplorer = Explorer()\nexplorer"
RNG = np.random.default_rng(4)
LARGE = (RNG.standard_normal((700, 600)) * RNG.gamma(1, 1, 600)).astype(np.float32)
TIED = np.round(RNG.standard_normal((30, 64)), 1).astype(np.float32)


@pytest.fixture(scope="module")
def opened(open_once, lab):
    save_file({"large": LARGE, "tied": TIED, "bias": np.ones(3, np.float32)}, lab[1] / "model.safetensors")
    notebook = open_once(SHOW)
    notebook.row("Model file").locator("input").fill("model.safetensors")
    notebook.row("Model file").get_by_role("button", name="Open").click()
    notebook.wait("details.window")
    return notebook


@pytest.fixture
def notebook(opened):
    opened.python(
        "[explorer.reset(), explorer._parts.commands.change({'cursor': 3000, 'window_row': 0, 'window_column': 0})]"
    )
    back = {"masks_of": "schedules", "within": "tensor", "layer": "large"}
    opened.python(f"[getattr(explorer._parts.masks, name).set_trait('value', value) for name, value in {back}.items()]")
    opened.wait(
        "drawn.cursor === 3000 && details.window && details.window.row === 0 && details.thresholds.gradual !== null"
    )
    yield opened
    assert opened.python("[str(error) for error in explorer.errors]") == []
    assert opened.errors == []


def panel(notebook, name):
    return next(panel for panel in notebook.drawn["panels"] if panel["name"] == name)


def kept_energy(matrix, mask):
    whole = np.square(matrix, dtype=np.float64)
    return whole[mask].sum() / whole.sum()


def test_every_layer_tells_what_its_masks_cost(notebook):
    shown = panel(notebook, "Gradual")
    mask = prune_mask(LARGE, 0.25)
    assert shown["got"] == pytest.approx(1 - mask.mean(), abs=1e-9)
    assert shown["energy"] == pytest.approx(kept_energy(LARGE, mask), abs=1e-3)
    notebook.row("Layer").locator("select").select_option(index=1)
    notebook.wait("!details.window && drawn.panels[1].surprising")
    shown = panel(notebook, "Gradual")
    mask = prune_mask(TIED, 0.25)
    assert shown["got"] == pytest.approx(1 - mask.mean(), abs=1e-9)
    more = np.count_nonzero(~mask) - round(0.25 * TIED.size)
    assert shown["reason"] == f"{more} more are tied"
    assert shown["energy"] == pytest.approx(kept_energy(TIED, mask), abs=1e-3)
    assert notebook.details["thresholds"]["gradual"] == pytest.approx(np.log10(np.square(TIED[~mask]).max()), abs=1e-5)
    assert "Tensors not offered: 1" in notebook.page.locator(".entrenar-viz-note").inner_text()


def test_the_window_is_dragged_in_the_map_and_moved_by_keys(notebook):
    page = notebook.page
    place, box = notebook.drawn["places"][2], page.locator(".entrenar-viz-canvas").bounding_box()
    x, y = box["x"] + place["left"], box["y"] + place["mapTop"]
    page.mouse.move(x + 10, y + 10)
    page.mouse.down()
    page.mouse.move(x + 0.7 * place["map"][0], y + 0.5 * place["map"][1], steps=8)
    page.mouse.up()
    notebook.wait("details.window.row > 250 && details.window.column > 250")
    corner = notebook.details["window"]["corner"]
    assert corner == pytest.approx([0.5 * 700 - 48, 0.7 * 600 - 128], abs=4)
    notebook.wait(
        "details.window.row === details.window.corner[0] && details.window.column === details.window.corner[1]"
    )
    assert notebook.python("[explorer._parts.live.window[name] for name in ('row', 'column')]") == corner
    handle = page.get_by_label("Window on the layer")
    handle.press("ArrowUp")
    notebook.wait("details.window.row === argument", corner[0] - 24)
    handle.press("End")
    notebook.wait("details.window.row === 604 && details.window.column === 344")
    assert handle.get_attribute("aria-valuetext") == "from row 604, column 344 on"


def test_the_window_shows_each_weight_that_is_kept(notebook):
    """The pixels of the picture: pruned ones have the colour of the ground."""
    mask = prune_mask(LARGE, 0.5)[:96, :256]
    read = """() => {
      const canvas = document.querySelector('.entrenar-viz-details');
      const {left, windowTop, window: [width, height]} = canvas.drawn.places[0];
      const {data} = canvas.getContext('2d').getImageData(left, windowTop, width, height);
      return {width, height, bright: Array.from({length: width * height}, (_, i) => data[4 * i] + data[4 * i + 2])};
    }"""
    notebook.type("Cursor step", "9000")
    notebook.wait("drawn.cursor === 9000")
    picture = notebook.page.evaluate(read)
    bright = np.array(picture["bright"]).reshape(picture["height"], picture["width"])
    inside = np.s_[1:-1, 1 : int(picture["width"]) - 1]  # without the frame
    assert np.array_equal((bright < 510)[inside], mask[: picture["height"], : picture["width"]][inside])


def test_all_five_patterns_are_compared_at_the_cursor(notebook):
    notebook.row("Layer").locator("select").select_option(index=1)
    notebook.wait("!details.window")
    notebook.page.get_by_role("button", name="all five patterns").click()
    notebook.wait("drawn.panels.length === 5 && drawn.panels[1].got !== null")
    patterns = [Unstructured(), NM(n=2, m=4), Block(height=4, width=4), Row(), Column()]
    for shown, pattern in zip(notebook.drawn["panels"], patterns, strict=True):
        assert shown["type"] == "gradual"
        if isinstance(pattern, Block):  # 4 does not divide 30
            assert shown["got"] is None
            continue
        mask = prune_mask(TIED, 0.25, pattern)
        assert shown["got"] == pytest.approx(1 - mask.mean())
        if isinstance(pattern, NM):
            assert shown["applied"] == shown["got"] == 0.5
        assert shown["energy"] == pytest.approx(kept_energy(TIED, mask), abs=1e-3)
    notebook.page.get_by_role("button", name="Cubic").click()
    notebook.wait("drawn.panels.every((panel) => panel.type === 'cubic')")
    notebook.page.get_by_role("button", name="the three schedules").click()
    notebook.wait("drawn.panels.length === 3")


def test_rows_compared_by_themselves_have_no_threshold_but_a_mask(notebook):
    notebook.row("Rank within").locator("select").select_option(index=1)
    notebook.wait("details.thresholds.gradual === null && drawn.panels[1].got !== null")
    shown = panel(notebook, "Gradual")
    mask = prune_mask(LARGE, 0.25, within="row")
    assert shown["got"] == pytest.approx(1 - mask.mean(), abs=1e-9)
    assert shown["energy"] == pytest.approx(kept_energy(LARGE, mask), abs=2e-3)
