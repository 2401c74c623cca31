"""The survey of the whole model, in JupyterLab."""

from pathlib import Path

import pytest

from tests.browser.test_accessibility import OF_IPYWIDGETS, violations

pytestmark = pytest.mark.browser
MODEL = """
import numpy as np
from threading import Semaphore
from entrenar_viz import Explorer, iter_survey
from entrenar_viz.explorer.panels import whole_model

def model(layers):
    rng = np.random.default_rng(1)
    sizes = {f"layers.{i}.weight": (32 + i % 50, 48) for i in range(layers)}
    arrays = {name: rng.standard_normal(size) * rng.gamma(2, size=size) ** (i % 5 / 2) for i, (name, size) in
              enumerate(sizes.items())}
    return {**arrays, "<img src=x onerror=window.hacked=1>": np.full((4, 4), np.nan)}

go = Semaphore(0)

def slow(*arguments, **options):
    for record in iter_survey(*arguments, **options):
        go.acquire()
        yield record

explorer = Explorer(weights=model(LAYERS))
explorer
"""


@pytest.fixture
def opened(open_notebook):
    def open_it(layers):
        notebook = open_notebook(MODEL.replace("LAYERS", str(layers)))
        notebook.tab("Whole model")
        return notebook

    return open_it


def begin(notebook):
    notebook.page.get_by_role("button", name="Survey the model").click()


def surveyed(notebook):
    begin(notebook)
    notebook.page.get_by_role("link", name="Download CSV").wait_for(timeout=60_000)


def column(notebook, number):
    """The texts of a column from above."""
    return notebook.page.locator(f".entrenar-viz-table tbody tr > :nth-child({number})").all_inner_texts()


def header(notebook, name):
    return notebook.page.get_by_role("columnheader", name=name, exact=True)


def test_survey_sort_pick_and_download(opened):
    notebook = opened(12)
    page = notebook.page
    surveyed(notebook)
    kept = column(notebook, 5)
    assert kept[:-1] == sorted(kept[:-1], key=lambda text: float(text.strip(">%")))
    assert len(kept) == 13
    assert (column(notebook, 1)[-1], kept[-1]) == ("<img src=x onerror=window.hacked=1>", "")
    assert header(notebook, "energy kept").get_attribute("aria-sort") == "ascending"

    header(notebook, "layer").get_by_role("button").press("Enter")
    assert column(notebook, 1)[1:] == [f"layers.{i}.weight" for i in range(12)]
    header(notebook, "layer").get_by_role("button").press("Space")
    assert header(notebook, "layer").get_attribute("aria-sort") == "descending"
    assert header(notebook, "energy kept").get_attribute("aria-sort") is None
    assert column(notebook, 1)[0] == "layers.11.weight"

    page.get_by_role("rowheader", name="layers.7.weight").click()
    notebook.until("explorer._parts.masks.layer.value", "layers.7.weight")
    page.locator(".entrenar-viz-note", has_text="arrays, layers.7.weight. 39 × 48 weights.").wait_for()
    assert page.locator("tr[aria-current=true] th").inner_text() == "layers.7.weight"
    page.get_by_role("button", name="layers.7.weight").press("ArrowDown")
    page.keyboard.press("Enter")
    notebook.until("explorer._parts.masks.layer.value", "layers.6.weight")
    page.locator(".entrenar-viz-note", has_text="arrays, layers.6.weight. 38 × 48 weights.").wait_for()
    page.locator("tr[aria-current=true] th", has_text="layers.6.weight").wait_for()

    with page.expect_download() as download:
        page.get_by_role("link", name="Download CSV").click()
    assert download.value.suggested_filename == "layers.csv"
    assert list(Path(download.value.path()).read_bytes()) == notebook.python(
        "list(__import__('entrenar_viz.model_survey.text', fromlist=['']).as_csv(explorer._parts.survey.run.records))"
    )
    assert page.evaluate("window.hacked") is None
    assert violations(notebook, OF_IPYWIDGETS) == []
    assert notebook.python("[str(error) for error in explorer.errors]") == []
    assert notebook.errors == []


def test_a_long_survey_is_cancelled_while_the_sliders_stay_alive(opened):
    notebook = opened(30)
    page, progress = notebook.page, notebook.page.locator(".entrenar-viz-survey .entrenar-viz-progress")
    notebook.python("setattr(whole_model, 'iter_survey', slow)")
    begin(notebook)
    notebook.python("[go.release() for _ in range(3)]")
    progress.get_by_text("3 of 31 layers: layers.2.weight").wait_for()
    page.wait_for_function("document.querySelectorAll('.entrenar-viz-table tbody tr').length === 3")
    notebook.type("Steps between updates", "300")
    notebook.wait("drawn.staircase.at(-1)[0] === 4900")
    page.get_by_text("Gradual stops at 48.75%").wait_for()
    page.get_by_text("These numbers are of the configuration before: survey again.").wait_for()
    progress.get_by_role("button", name="Cancel").click()
    page.get_by_text("Cancelled after 3 of 31 layers.").wait_for()
    assert len(column(notebook, 1)) == 3
    notebook.python("go.release(100)")
    notebook.python("setattr(whole_model, 'iter_survey', iter_survey)")
    begin(notebook)
    page.get_by_text("31 layers, 1 not surveyed: ").wait_for()
    assert len(column(notebook, 1)) == 31
    assert page.get_by_text("These numbers are of").is_hidden()
    assert notebook.python("[str(error) for error in explorer.errors]") == []
    assert notebook.errors == []


def test_many_layers_are_drawn_as_far_as_one_looks(opened):
    notebook = opened(299)
    page = notebook.page
    surveyed(notebook)
    assert len(column(notebook, 1)) == 200
    page.get_by_role("button", name="Show all 300 layers").click()
    page.wait_for_function("document.querySelectorAll('.entrenar-viz-table tbody tr').length === 300")
    header(notebook, "layer").get_by_role("button").click()
    page.wait_for_function("document.querySelectorAll('.entrenar-viz-table tbody tr').length === 300")
    assert column(notebook, 1)[-1] == "layers.298.weight"
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert notebook.errors == []
