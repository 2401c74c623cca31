"""The moving picture of the README: real use, filmed frame by frame where ENTRENAR_VIZ_PICTURES names a folder."""

import pytest
from PIL import Image

from tests.browser.camera import ASKED_FOR, BEAT, OWN_TIME, Film, folder

pytestmark = ASKED_FOR
SHOW = "from entrenar_viz import Explorer\nexplorer = Explorer()\nexplorer"
FINDING = 62  # px of the findings below the picture
QUIET = 2000  # ms of the last frame, before it starts again
PLAYED = 2000  # ms in which the training is played

WHOLE = 2500  # ms that it takes at 4 times the speed


def drag_the_target(film, notebook):
    """Up to 80% and back to 50%, which the words around the picture speak of."""
    plot, canvas = notebook.drawn["plot"], notebook.page.locator(".entrenar-viz-canvas").bounding_box()
    height = plot["bottom"] - plot["top"]
    film.go_to(notebook.page.get_by_label("Target sparsity in the plot"))
    x = film.place[0]
    with film.pressed():
        for sparsity, frames in [(0.8, 7), (0.5, 6)]:
            film.go((x, canvas["y"] + plot["bottom"] - sparsity * height), frames)
    notebook.until("explorer.config.target_sparsity", 0.5)


def miss_it(film, notebook):
    entry = notebook.page.get_by_label("Steps between updates", exact=True).first
    film.go_to(entry)
    film.press()
    entry.fill("")
    for digit in "300":
        notebook.page.keyboard.type(digit)
        film.take(2 * BEAT)
    entry.press("Enter")
    notebook.page.get_by_text("Gradual stops at 48.75%").wait_for()
    notebook.wait("drawn.staircase.at(-1)[0] === 4900")
    film.take(1200)


def mend_it(film, notebook):
    fix = notebook.page.get_by_role("button", name="every 250 steps")
    film.go_to(fix, across=0.85, down=0.8)
    film.take(3 * BEAT)
    film.press()
    notebook.page.get_by_text("No findings").wait_for()
    notebook.wait("drawn.staircase.at(-1)[0] === 5000")
    film.take(400)


def play(film, notebook):
    button = notebook.page.get_by_role("button", name="Play the training")
    film.go_to(button, across=0.9, down=0.8)
    notebook.page.evaluate(OWN_TIME)
    film.press()
    notebook.page.get_by_role("button", name="Pause the training").wait_for()
    for _ in range(PLAYED // BEAT):
        notebook.page.evaluate(f"film.at += {WHOLE / (PLAYED // BEAT)}")
        film.take()
    notebook.page.evaluate("film.at += 200")
    notebook.wait("drawn.cursor === 10000")
    film.take(QUIET)


@pytest.mark.parametrize(("name", "theme"), [("moving", "JupyterLab Light"), ("moving-dark", "JupyterLab Dark")])
def test_the_moving_picture_of_the_readme(open_notebook, tmp_path, name, theme):
    notebook = open_notebook(SHOW, scale=1.5)
    page = notebook.page
    notebook.theme(theme)
    page.get_by_label("Speed").select_option("4 ×")
    notebook.type("Cursor step", "10000")
    notebook.wait("drawn.cursor === 10000")
    page.get_by_label("Speed").evaluate("(select) => select.blur()")
    top, body = (page.locator(f".entrenar-viz-{part}").bounding_box() for part in ("top", "body"))
    clip = {"x": body["x"] - 5, "y": top["y"] - 4, "width": body["width"] + 15}
    clip["height"] = body["y"] + body["height"] - clip["y"] + FINDING
    film = Film(page, clip, (body["x"] + body["width"] - 40, body["y"] + 440))
    film.take(600)
    for act in (drag_the_target, miss_it, mend_it, play):
        act(film, notebook)
    path = folder(tmp_path) / f"{name}.webp"
    film.save(path)
    with Image.open(path) as saved:
        assert saved.n_frames > 50
        assert saved.info["loop"] == 0
    assert 6000 < sum(film.durations) < 11_000
    assert path.stat().st_size < 1_000_000
    assert notebook.errors == []
    assert notebook.python("len(explorer.errors)") == 0
