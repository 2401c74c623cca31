"""Counting in epochs, copying, keeping figures, and what is typed without a slider, in JupyterLab."""

from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.test_accessibility import OF_IPYWIDGETS, SHOW, violations

pytestmark = pytest.mark.browser
COUNTED = (
    "from entrenar_viz import Explorer, Training\n"
    "explorer = Explorer(training=Training(dataset_size=50_000, batch_size=64, epochs=10))\nexplorer"
)


def test_total_steps_follow_the_dataset_and_the_axis_counts_epochs(open_notebook):
    notebook = open_notebook(COUNTED)
    page = notebook.page
    total = page.get_by_label("Total steps", exact=True)
    assert total.input_value() == "7,820"
    notebook.wait("drawn.plot.to === 7820")
    page.get_by_role("button", name="Total steps from the size of the dataset").click()
    notebook.type("Epochs", "3")
    notebook.until("explorer.total_steps", 2346)
    expect(total).to_have_value("2,346")
    notebook.type("Epochs", "3.5")
    page.get_by_text("is no whole number").wait_for()
    notebook.type("Examples in a batch, of all devices together", "0")
    page.get_by_text("batch_size must be at least 1").wait_for()
    notebook.type("Epochs", "3")
    notebook.until("[explorer.total_steps, len(explorer.problems), explorer.errors]", [2346, 0, []])
    page.keyboard.press("Escape")
    notebook.type("Total steps", "5000")
    notebook.until("explorer.training is None", True)
    page.get_by_role("button", name="Total steps from the size of the dataset").click()
    expect(page.get_by_label("count in epochs")).not_to_be_checked()
    assert notebook.python("[explorer.total_steps, explorer._parts.live.answer['steps_per_epoch']]") == [5000, 0]
    notebook.type("Examples in a batch, of all devices together", "64")
    notebook.until("explorer.total_steps", 2346)  # counting begins with a number of it
    assert notebook.errors == []


def test_each_language_is_shown_copied_and_downloaded(open_notebook):
    notebook = open_notebook(SHOW)
    page = notebook.page
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="More ways to export").click()
    for name, file, writer in [
        ("YAML", "pruning.yaml", "PruningConfig.to_yaml(explorer.config)"),
        ("Python", "pruning.py", "as_python(explorer.config)"),
        ("Rust", "pruning.rs", "as_rust(explorer.config)"),
        ("Markdown", "pruning.md", "as_markdown(explorer.config, explorer.total_steps)"),
        ("JSON", "pruning.json", "PruningConfig.to_json(explorer.config)"),
    ]:
        page.get_by_role("button", name=f"Export as {name}", exact=True).click()
        box = page.get_by_label(f"Configuration as {name}")
        box.wait_for()
        expected = notebook.python(f"__import__('entrenar_viz').{writer}")
        assert box.input_value() == expected
        with page.expect_download() as download:
            page.get_by_role("button", name="Download", exact=True).click()
        assert download.value.suggested_filename == file
        assert Path(download.value.path()).read_text() == expected
        page.get_by_role("button", name="Copy", exact=True).click()
        page.get_by_text("Copied", exact=True).wait_for()
        assert page.evaluate("navigator.clipboard.readText()") == expected
        page.get_by_text("Copied", exact=True).wait_for(state="hidden")


def test_export_takes_what_is_seen_also_while_the_kernel_is_busy(open_notebook):
    notebook = open_notebook(SHOW)
    page = notebook.page
    kernel = "jupyterapp.shell.currentWidget.sessionContext.session.kernel"
    with page.expect_download() as download:
        page.evaluate(f"void {kernel}.requestExecute({{code: 'import time; time.sleep(3)'}})")
        notebook.type("Target sparsity", "77")
        page.get_by_role("button", name="Export JSON").click()
    assert '"target_sparsity": 0.77' in Path(download.value.path()).read_text()


def test_a_figure_is_downloaded(open_notebook):
    notebook = open_notebook(SHOW)
    page = notebook.page
    notebook.tab("Figure")
    page.get_by_label("What to draw").select_option("masks")
    page.get_by_label("Format", exact=True).select_option("PDF")
    page.get_by_role("button", name="Make download").click()
    page.get_by_text("as the screen was when it was made").wait_for()
    with page.expect_download() as download:
        page.locator("a[download='masks.pdf']").click()
    assert Path(download.value.path()).read_bytes()[:4] == b"%PDF"
    notebook.type("Cursor step", "4000")
    page.locator("a[download='masks.pdf']").wait_for(state="hidden")
    assert notebook.python("explorer.errors") == []


@pytest.mark.parametrize("text", ["0,5", "1.2.3", "half", ""])
def test_a_number_without_a_slider_is_not_read_as_another(open_notebook, text):
    notebook = open_notebook(SHOW)
    entry = notebook.page.get_by_label("fine_tune_lr", exact=True)
    entry.fill("")
    entry.press_sequentially(text or "1")
    if not text:
        entry.press("Backspace")
    entry.press("Enter")
    notebook.page.get_by_text("is no number: write 0.00001 or 1e-5").wait_for()
    notebook.until("[explorer.config.fine_tune_lr, bool(explorer.problems)]", [1e-5, True])
    notebook.type("fine_tune_lr", "2e-4")
    notebook.until("[explorer.config.fine_tune_lr, bool(explorer.problems)]", [2e-4, False])


def test_whole_numbers_and_shares_without_a_slider_are_read_strictly(open_notebook):
    notebook = open_notebook(SHOW)
    notebook.page.get_by_label("target_sparsity is the target").uncheck()
    notebook.type("fine_tune_steps", "1e3")
    notebook.page.get_by_text("“1e3” is no whole number").wait_for()
    notebook.type("target_sparsity", "0,5")
    notebook.page.get_by_text("“0,5” is no percentage").wait_for()
    notebook.until("len(explorer.problems)", 2)
    notebook.type("fine_tune_steps", "2,000")
    notebook.type("target_sparsity", "62.5")
    notebook.until("[explorer.config.fine_tune_steps, explorer.config.target_sparsity]", [2000, 0.625])
    entry = notebook.page.get_by_label("fine_tune_steps", exact=True)
    entry.press("ArrowUp")
    notebook.until("explorer.config.fine_tune_steps", 2100)
    assert notebook.python("explorer.errors") == []


def test_toggle_buttons_are_groups_that_tell_what_is_pressed(open_notebook):
    notebook = open_notebook(SHOW)
    group = notebook.page.get_by_role("group", name="Schedule to export")
    assert group.get_by_role("button", pressed=True).inner_text() == "Gradual"
    group.get_by_role("button", name="Cubic").click()
    group.get_by_role("button", name="Cubic", pressed=True).wait_for()
    notebook.page.get_by_role("button", name="More ways to export").click()
    group = notebook.page.get_by_role("group", name="Export as")
    assert group.get_by_role("button", pressed=True).all_inner_texts() == ["JSON"]


def test_forced_colours_reach_picture_and_controls(open_notebook):
    notebook = open_notebook(SHOW)
    notebook.page.emulate_media(forced_colors="active")
    notebook.wait("drawn.forced")
    notebook.page.get_by_label("fine_tune_lr", exact=True).wait_for()
    assert violations(notebook, OF_IPYWIDGETS) == []
    pressed = notebook.page.get_by_role("button", name="Gradual", pressed=True)
    other = notebook.page.get_by_role("button", name="Cubic", pressed=False)
    ground = "element => getComputedStyle(element).backgroundColor"
    assert pressed.first.evaluate(ground) != other.first.evaluate(ground)
    frames = notebook.drawn["frames"]
    notebook.page.emulate_media(forced_colors="none", contrast="more")
    notebook.wait("!drawn.forced && drawn.frames > argument", frames)
    assert violations(notebook, OF_IPYWIDGETS) == []
    assert notebook.errors == []
