"""The survey of the whole model in the explorer, without a browser; slow surveys wait for the test."""

import base64
import gc
import threading
import warnings
import weakref
from dataclasses import replace

import ipywidgets
import numpy as np
import pytest

from entrenar_viz import Block, Explorer, OneShot, PruningConfig, Row, allocate, iter_survey
from entrenar_viz.explorer.browser.table import FIELDS, row_of
from entrenar_viz.explorer.panels import whole_model as module
from entrenar_viz.explorer.panels.parts import is_shown
from entrenar_viz.explorer.preview import mask_request
from entrenar_viz.model_survey.text import as_csv
from entrenar_viz.models.allowed_folder import AllowedFolder
from tests.explorer.hands import put, show_tab
from tests.explorer.test_explorer import widgets_alive

RNG = np.random.default_rng(4)
PAYLOAD = "<img src=x onerror=alert(1)>\x1b"
WEIGHTS = {
    "fc.1": RNG.standard_normal((8, 12)),
    "fc.2": RNG.standard_normal((4, 8)),
    PAYLOAD: np.full((4, 4), np.nan),
    "embed.weight": np.ones((4, 4)),
}


WITHOUT = "wanda needs calibration data. Open a file with it in the tab Masks."


class Slow:
    """A survey of which each layer waits for the test."""

    def __init__(self):
        self.go, self.begun = threading.Semaphore(0), threading.Event()
        self.raises: Exception | None = None

    def __call__(self, *arguments, **options):
        for record in iter_survey(*arguments, **options):
            self.begun.set()
            assert self.go.acquire(timeout=10)
            if self.raises:
                raise self.raises
            yield record


@pytest.fixture
def slow(monkeypatch):
    slow = Slow()
    monkeypatch.setattr(module, "iter_survey", slow)
    yield slow
    slow.go.release(1000)


@pytest.fixture
def explorer():
    explorer = Explorer(weights=WEIGHTS)
    show_tab(explorer, "Whole model")
    yield explorer
    explorer.close()
    assert explorer.errors == []


def surveyed(explorer):
    show_tab(explorer, "Whole model")
    explorer._parts.survey.start.click()
    explorer.wait()
    return explorer._parts.survey


def expected(explorer, **options):
    return list(
        iter_survey(explorer._parts.masks.picked()[0], explorer.config, total_steps=explorer.total_steps, **options)
    )


def read(explorer, layers):
    """Read letters until so many layers are told of."""
    panel = explorer._parts.survey
    while len(panel.run.records) < layers or f"{layers} of" not in panel.progress.message.value:
        panel.job._read(panel.job._task, False)


def test_the_table_is_empty_at_first(explorer):
    panel = explorer._parts.survey
    assert (panel.table.rows, is_shown(panel.surveyed)) == ([], False)
    assert not is_shown(panel.progress)


def test_rows_are_the_records_of_every_layer(explorer):
    records = expected(explorer)
    panel = surveyed(explorer)
    assert panel.table.rows == [row_of(record) for record in records]
    rows = [dict(zip(FIELDS, row, strict=True)) for row in panel.table.rows]
    assert [row["layer"] for row in rows] == ["fc.1", "fc.2", PAYLOAD.replace("\x1b", "\\x1b"), "embed.weight"]
    assert [row["shape"] for row in rows] == [[8, 12], [4, 8], [4, 4], [4, 4]]
    assert rows[2]["kept_energy"] is None
    assert "not finite" in rows[2]["reason"]
    assert panel.table.csv.encode() == as_csv(records)
    assert panel.table.caption == "arrays: Gradual, unstructured, magnitude, 50% asked at step 10,000"
    assert panel.status.value.startswith("4 layers, 1 not surveyed: ")
    assert not is_shown(panel.old)
    assert not is_shown(panel.progress)


def test_calibration_and_comparison_are_the_explorers(explorer):
    inputs = {"fc.1": RNG.standard_normal((9, 12))}
    explorer._parts.masks.calibrate(inputs)
    explorer.load(replace(explorer.config, method="wanda"))
    explorer._parts.masks.within.value = "row"
    records = expected(explorer, calibration=inputs, within="row")
    panel = surveyed(explorer)
    assert panel.table.rows == [row_of(record) for record in records]
    assert records[0].output_error is not None
    assert panel.table.caption.endswith("which the trainer does not do")
    assert "; calibration arrays; " in panel.table.caption


def test_a_plan_is_followed_and_the_numbers_before_it_are_outdated(explorer):
    panel = surveyed(explorer)
    explorer.plan = allocate({"fc.1": (8, 12), "fc.2": (4, 8)}, 0.75, "erk")
    assert panel.old.value == "These numbers are of the configuration before: survey again."
    records = expected(explorer, plan=explorer.plan)
    panel = surveyed(explorer)
    assert panel.table.rows == [row_of(record) for record in records]
    assert [record.asked for record in records[:2]] == list(explorer.plan.sparsities.values())
    assert "by a plan (erk: 75% of 128 weights in 2 layers" in panel.table.caption
    assert not is_shown(panel.old)
    explorer.plan = None
    assert is_shown(panel.old)


def test_a_plan_has_no_shape_to_follow_in_a_schedule_that_prunes_nothing(explorer):
    explorer.plan = allocate({"fc.1": (8, 12), "fc.2": (4, 8)}, 0.75, "erk")
    explorer.load(replace(explorer.config, schedule=OneShot(step=5000), target_sparsity=0.0))
    panel = surveyed(explorer)
    assert "there is no shape to scale for a plan" in panel.problem.value


def test_rows_come_one_after_the_other_and_sliders_stay_alive(explorer, slow):
    panel = explorer._parts.survey
    panel.start.click()
    assert panel.progress.message.value == "0 of 4 layers: waiting"
    for layers in (1, 2):
        slow.go.release()
        read(explorer, layers)
        assert len(panel.table.rows) == layers
        assert panel.progress.bar.value == layers / 4
    assert panel.progress.message.value == "2 of 4 layers: fc.2"
    assert panel.table.csv == ""
    put(explorer, target=0.7)
    assert explorer.config.target_sparsity == 0.7
    slow.go.release(9)
    explorer.wait()
    assert len(panel.table.rows) == 4
    assert {row[FIELDS.index("asked")] for row in panel.table.rows} == {0.5}
    assert panel.old.value == "These numbers are of the configuration before: survey again."


def test_many_rows_are_sent_in_few_messages(slow):
    explorer = Explorer(weights={f"w{i}": np.eye(2) for i in range(500)})
    sent = []
    explorer._parts.survey.table.observe(lambda change: sent.append(len(change.new)), "rows")
    slow.go.release(1000)
    surveyed(explorer)
    assert sent[-1] == 500
    assert len(sent) <= module.BATCHES + 2
    explorer.close()
    assert explorer.errors == []


def test_cancel_keeps_the_layers_so_far(explorer, slow):
    panel = explorer._parts.survey
    panel.start.click()
    slow.go.release()
    read(explorer, 1)
    panel.progress.cancel.click()
    assert not panel.job.busy
    assert panel.status.value.startswith("Cancelled after 1 of 4 layers. 1 layer: ")
    assert len(panel.table.rows) == 1
    assert panel.table.csv.count("\n") == 2
    assert not is_shown(panel.progress)
    panel.cancel()
    slow.go.release(9)
    panel.job._last.join(10)
    assert len(panel.table.rows) == 1
    assert surveyed(explorer).table.csv.count("\n") == 5


def test_cancelled_before_the_first_layer_there_is_no_table(explorer, slow):
    explorer._parts.survey.start.click()
    explorer._parts.survey.progress.cancel.click()
    assert explorer._parts.survey.status.value == "Cancelled after 0 of 4 layers."
    assert not is_shown(explorer._parts.survey.surveyed)


def test_pressing_again_begins_anew(explorer, slow):
    panel = explorer._parts.survey
    panel.start.click()
    assert slow.begun.wait(10)
    explorer.load(PruningConfig(pattern=Row()))
    panel.start.click()
    slow.go.release(9)
    explorer.wait()
    assert "Gradual, row" in panel.table.caption or "OneShot, row" in panel.table.caption
    assert len(panel.table.rows) == 4
    assert panel.old.value == ""


def test_masks_and_survey_do_not_replace_each_other(explorer, slow, monkeypatch):

    monkeypatch.setattr(mask_request, "AT_ONCE", 1)
    explorer._parts.survey.start.click()
    explorer._parts.masks.layer.value = "fc.2"
    assert explorer._parts.survey.job.busy
    assert explorer._parts.presenter.job.busy
    slow.go.release(9)
    explorer.wait()
    assert explorer._parts.live.layer["rows"] == 4
    assert len(explorer._parts.survey.table.rows) == 4


def test_a_table_of_something_else_says_so_until_that_is_picked_again(explorer):
    panel, before = surveyed(explorer), explorer.config
    explorer.load(replace(before, pattern=Block(height=4, width=4)))
    assert panel.old.value == "These numbers are of the configuration before: survey again."
    assert is_shown(panel.old)
    explorer.load(before)
    assert (panel.old.value, is_shown(panel.old)) == ("", False)
    put(explorer, total_steps=3000)
    assert "configuration before" in panel.old.value
    put(explorer, total_steps=10_000)
    explorer._parts.masks.within.value = "row"
    assert "configuration before" in panel.old.value
    explorer._parts.masks.within.value = "tensor"
    explorer._parts.masks.source.value = "gaussian"
    assert panel.old.value == "These numbers are of other weights: survey again."
    assert panel.table.picked == -1
    explorer._parts.masks.source.value = "arrays"
    assert (panel.old.value, panel.table.picked) == ("", 0)
    assert len(surveyed(explorer).table.rows) == 4


def test_a_row_picks_its_layer_and_the_picked_layer_marks_its_row(explorer):
    panel = surveyed(explorer)
    assert panel.table.picked == 0
    panel.table.picked = 1
    assert explorer._parts.masks.layer.value == "fc.2"
    assert explorer._parts.live.layer["rows"] == 4
    explorer._parts.masks.layer.value = "embed.weight"
    assert panel.table.picked == 3
    panel.table.picked = 2
    assert explorer._parts.masks.layer.value == PAYLOAD
    assert explorer._parts.live.layer["note"].startswith("No mask: ")
    for nowhere in (4, -7):
        panel.table.picked = nowhere
        assert (explorer._parts.masks.layer.value, panel.table.picked) == (PAYLOAD, 2)


def test_no_row_of_other_weights_is_picked(explorer):
    panel = surveyed(explorer)
    explorer._parts.masks.source.value = "gaussian"
    panel.table.picked = 1
    assert (explorer._parts.masks.source.value, explorer._parts.masks.layer.value) == ("gaussian", "weight")
    assert panel.table.picked == -1


def test_layers_that_the_list_hides_are_picked_too(monkeypatch):
    monkeypatch.setattr("entrenar_viz.explorer.panels.masks.LISTED", 3)
    explorer = Explorer(weights={f"w{i}": RNG.standard_normal((2 + i, 4)) for i in range(30)})
    panel = surveyed(explorer)
    seen = []
    explorer._parts.live.observe(lambda change: seen.append(change.new["rows"]), "layer")
    panel.table.picked = 25
    explorer._parts.masks.search.value = "w1"
    panel.table.picked = 20
    assert [name for _, name in explorer._parts.masks.layer.options] == ["w20", "w1", "w10", "w11"]
    assert explorer._parts.masks.layer.value == "w20"
    assert "The picked one is not among them" in explorer._parts.masks.found.value
    assert seen == [27, 22]  # no other layer was read on the way
    assert explorer.errors == []
    explorer.close()


def test_what_the_survey_cannot_do_is_said_in_the_section(explorer):
    panel = surveyed(explorer)
    explorer.load(replace(explorer.config, method="wanda"))
    assert surveyed(explorer).problem.value == WITHOUT
    assert is_shown(panel.problem)
    assert panel.status.value == "Not surveyed."
    assert not is_shown(panel.surveyed)
    explorer.load(replace(explorer.config, method="magnitude"))
    assert panel.problem.value == ""
    assert len(surveyed(explorer).table.rows) == 4


def test_while_the_controls_hold_a_problem_no_survey_begins(explorer):
    panel = explorer._parts.survey
    put(explorer, start_step=5000, end_step=5000)
    assert panel.start.disabled
    assert panel.problem.value == module.WAITS
    panel.start.click()
    assert panel.run is None
    put(explorer, start_step=1000, end_step=5000)
    assert (panel.start.disabled, panel.problem.value) == (False, "")
    assert len(surveyed(explorer).table.rows) == 4


def test_what_goes_wrong_otherwise_is_told_by_the_banner(slow):
    explorer = Explorer(weights=WEIGHTS)
    slow.raises = ZeroDivisionError("oh")
    slow.go.release(9)
    panel = surveyed(explorer)
    assert [str(error) for error in explorer.errors] == ["oh"]
    assert "ZeroDivisionError" in explorer._parts.banner.message.value
    assert panel.status.value == "Not surveyed to the end."
    assert not is_shown(panel.progress)
    explorer.close()


def test_after_closing_nothing_is_touched_and_every_widget_is_free(slow):
    gc.collect()
    before = widgets_alive()
    explorer = Explorer(weights=WEIGHTS)
    show_tab(explorer, "Whole model")
    panel = explorer._parts.survey
    panel.start.click()
    assert slow.begun.wait(10)
    explorer.close()
    assert widgets_alive() == before
    touched = []
    for widget in (panel.table, panel.progress.message, panel.status):
        widget.observe(touched.append)
    slow.go.release(9)
    panel.job._last.join(10)
    explorer.wait()
    assert (touched, explorer.errors) == ([], [])
    gone = weakref.ref(explorer)
    del explorer, panel, widget
    gc.collect()
    assert gone() is None


def test_without_the_canvas_it_is_plain_text_and_a_link():
    explorer = Explorer(weights=WEIGHTS, view="matplotlib")
    records = expected(explorer)
    panel = surveyed(explorer)
    lines = panel.table.text.value.splitlines()
    assert lines[0] == "arrays: Gradual, unstructured, magnitude, 50% asked at step 10,000"
    assert {line.split()[0] for line in lines[3:5]} == {"fc.1", "fc.2"}
    assert lines[-1] == panel.status.value
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        html = [widget for widget in ipywidgets.Widget.widgets.values() if isinstance(widget, ipywidgets.HTML)]
    assert not any("onerror" in widget.value for widget in html)
    data = panel.table.download.link.value.split("base64,")[1].split('"')[0]
    assert base64.b64decode(data) == as_csv(records)
    assert explorer.errors == []
    explorer.close()


def test_visitors_survey_what_they_have_picked(tmp_path):
    np.savez(tmp_path / "net.npz", **{name: WEIGHTS[name] for name in ("fc.1", "fc.2")})
    explorer = Explorer(allowed_folder=AllowedFolder(tmp_path))
    assert len(surveyed(explorer).table.rows) == 3
    explorer._parts.masks.path.value = "net.npz"
    explorer._parts.masks.open_path.click()
    assert [row[0] for row in surveyed(explorer).table.rows] == ["fc.1", "fc.2"]
    assert explorer.errors == []
    explorer.close()
