"""A training log over the plan: loaded, seen, told in words, removed."""

import pytest

from tests.browser.cells import LOGGED

pytestmark = pytest.mark.browser


def test_a_log_is_loaded_drawn_told_and_removed(open_notebook):
    notebook = open_notebook(f"{LOGGED}\nexplorer = Explorer()\nexplorer")
    page = notebook.page
    notebook.wait("!drawn.log")
    notebook.tab("Compare")
    page.get_by_placeholder("run.jsonl or log.csv").fill("run.jsonl")
    page.get_by_placeholder("run.jsonl or log.csv").press("Enter")
    page.get_by_text("run.jsonl: 164 steps reported, up to step 8,200.").wait_for()
    page.get_by_text("From step 4,500 on, 42% happened where 43.75% was planned").wait_for()
    notebook.wait("drawn.log && drawn.log.marks.length === 2")
    log = notebook.drawn["log"]
    assert [step for step, _ in log["marks"]] == [3000, 4500]
    assert log["happened"][-1][0] == 8200
    assert log["metric"][0][0] == 50
    label = page.locator(".entrenar-viz-canvas").first.get_attribute("aria-label")
    assert "Of run.jsonl: planned 25%, happened 18.75%, loss 0.4839." in label

    page.get_by_label("Metric", exact=True).select_option("accuracy")
    notebook.wait("drawn.log.metric[0][1] < drawn.log.metric.at(-1)[1]")
    notebook.type("Target sparsity", "60")
    page.get_by_text("The log was made with another configuration").wait_for()
    notebook.wait("drawn.log.marks[0][0] === 1500")
    page.get_by_role("button", name="Show the log's configuration").click()
    notebook.until("explorer.config == plan", True)
    notebook.wait("drawn.log.marks.length === 2")
    page.get_by_role("button", name="Undo").click()
    notebook.until("explorer.config.schedule.final_sparsity", 0.6)
    page.locator(".entrenar-viz-training-log").get_by_role("button", name="Remove").click()
    notebook.wait("!drawn.log")
    assert notebook.python("[str(error) for error in explorer.errors]") == []
    assert notebook.errors == []
