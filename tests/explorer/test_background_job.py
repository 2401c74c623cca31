"""Large layers are prepared in the background; here without a browser, with preparations that wait for the test."""

import asyncio
import gc
import threading
import weakref
from dataclasses import replace

import numpy as np
import pytest

from entrenar_viz import NM, EntrenarVizError, Explorer, Row, WeightsError, load_calibration, prune_mask
from entrenar_viz.explorer.background_job import BackgroundJob
from entrenar_viz.explorer.preview import layer, mask_request, preparation
from entrenar_viz.figures.saving import png_bytes
from entrenar_viz.masks.order import prune_order
from entrenar_viz.models.weights import Tensors
from tests.explorer.hands import press, put

RNG = np.random.default_rng(0)
SMALL = RNG.standard_normal((8, 12)).astype(np.float32)
LARGE = RNG.standard_normal((10, 12)).astype(np.float32)
OTHER = RNG.standard_normal((12, 12)).astype(np.float32)
WEIGHTS = {"small": SMALL, "large": LARGE, "other": OTHER}


class Slow:
    """A preparation that reports until it is let go."""

    def __init__(self, prepare):
        self.prepare = prepare
        self.begun, self.go = threading.Event(), threading.Event()
        self.stopped: list[str] = []
        self.raises: Exception | None = None

    def __call__(self, matrix, *arguments, report, **options):
        if len(matrix) > len(SMALL):
            self.begun.set()
            try:
                while not self.go.wait(0.001):
                    report("held", 0.5)
            except Exception as error:
                self.stopped.append(type(error).__name__)
                raise
            if self.raises:
                raise self.raises
        return self.prepare(matrix, *arguments, report=report, **options)


@pytest.fixture
def slow(monkeypatch):
    slow = Slow(preparation.prepare)
    monkeypatch.setattr(preparation, "prepare", slow)
    monkeypatch.setattr(mask_request, "AT_ONCE", SMALL.size)
    yield slow
    slow.go.set()


@pytest.fixture
def explorer(slow):
    explorer = Explorer(weights=WEIGHTS)
    yield explorer
    explorer.close()
    assert explorer.errors == []


def shows(explorer, matrix, rows=None):
    """Whether the picture is that of ``matrix``, and nothing is under way."""
    data = explorer._parts.live.layer
    ranks = np.frombuffer(data["ranks"], "<u2").reshape(data["rows"], data["cols"])
    same = ranks.shape == matrix.shape and (ranks == prune_order(matrix**2, explorer.config.pattern).ranks()).all()
    return same and not explorer._parts.presenter.job.busy and not explorer._parts.live.progress["message"]


def test_a_large_layer_comes_later_and_the_one_before_stays_meanwhile(explorer, slow):
    assert shows(explorer, SMALL)
    explorer._parts.masks.layer.value = "large"
    assert explorer._parts.presenter.job.busy
    assert explorer._parts.live.layer["rows"] == 8
    assert (
        explorer._parts.live.progress["message"] == "Preparing large: waiting. Until then the masks are those of small."
    )
    put(explorer, target=0.6)
    assert explorer.config.target_sparsity == 0.6
    slow.go.set()
    explorer.wait()
    assert shows(explorer, LARGE)
    explorer.wait()


def test_cancelling_goes_back_to_the_layer_that_is_shown(explorer, slow):
    explorer._parts.masks.layer.value = "large"
    assert slow.begun.wait(10)
    press(explorer, "cancel")
    explorer._parts.presenter.job._last.join(10)
    assert slow.stopped == ["StoppedError"]
    assert explorer._parts.masks.layer.value == "small"
    assert [name for _, name in explorer._parts.masks.layer.options] == ["small", "large", "other"]
    assert shows(explorer, SMALL)
    slow.go.set()
    explorer._parts.masks.layer.value = "large"
    explorer.wait()
    assert shows(explorer, LARGE)


def test_cancelling_takes_back_all_that_was_changed(explorer, slow):
    sent = []
    explorer._parts.live.observe(lambda change: sent.append(change.new), "layer")
    put(explorer, pattern="nm")
    put(explorer, method="wanda")
    assert len(sent) == 2
    sent.clear()
    shown = explorer._parts.presenter.shown
    explorer._parts.masks.layer.value = "other"
    put(explorer, pattern="row")
    explorer._parts.masks.masks_of.value = "patterns"
    press(explorer, "cancel")
    assert (explorer.config.pattern, explorer.config.method) == (NM(n=2, m=4), "wanda")
    assert (explorer._parts.masks.layer.value, explorer._parts.masks.masks_of.value) == ("small", "schedules")
    assert explorer._parts.presenter.shown.request == shown.request
    assert explorer._parts.live.layer == shown.layer


def test_cancelling_another_source_comes_back_to_its_layers(explorer, slow, tmp_path):
    np.savez(tmp_path / "net.npz", other=OTHER, large=LARGE)
    explorer._parts.masks.path.value = str(tmp_path / "net.npz")
    explorer._parts.masks.open_path.click()
    assert explorer._parts.presenter.coming.layer == "other"
    press(explorer, "cancel")
    assert (explorer._parts.masks.source.value, explorer._parts.masks.layer.value) == ("arrays", "small")
    assert explorer._parts.masks.source.options[0].endswith("net.npz")
    assert [name for _, name in explorer._parts.masks.layer.options] == list(WEIGHTS)
    assert shows(explorer, SMALL)


def test_cancelling_the_first_layer_of_all_shows_the_first_sample(slow, monkeypatch):
    monkeypatch.setattr(mask_request, "AT_ONCE", 20_000)
    explorer = Explorer(weights=np.ones((200, 200), np.float32))
    assert explorer._parts.live.layer == {}
    assert explorer._parts.live.progress["message"] == "Preparing weights: waiting. "
    slow.go.set()
    press(explorer, "cancel")
    assert explorer._parts.masks.source.value == "digits network"
    assert explorer._parts.live.layer["rows"] == 128
    explorer._parts.masks.source.value = "array"
    explorer.wait()
    assert explorer._parts.live.layer["rows"] == 200
    explorer.close()
    assert explorer.errors == []


def test_a_file_that_was_read_again_is_given_up_too(slow, tmp_path):
    np.save(tmp_path / "w.npy", SMALL)
    explorer = Explorer(weights=tmp_path / "w.npy")
    np.save(tmp_path / "w.npy", LARGE)
    explorer._parts.masks.path.value = str(tmp_path / "w.npy")
    explorer._parts.masks.open_path.click()
    assert explorer._parts.presenter.job.busy
    press(explorer, "cancel")
    assert shows(explorer, SMALL)
    put(explorer, pattern="row")
    assert "No mask" in explorer._parts.live.layer["note"]  # the file has changed since it was opened
    explorer.close()


def test_the_last_pick_wins(explorer, slow):
    explorer._parts.masks.layer.value = "large"
    assert slow.begun.wait(10)
    explorer._parts.masks.layer.value = "other"
    slow.go.set()
    explorer.wait()
    assert shows(explorer, OTHER)
    assert slow.stopped in ([], ["StoppedError"])


def test_a_small_layer_and_the_one_that_is_shown_end_the_preparation(explorer, slow):
    for name in ("large", "small", "large"):
        explorer._parts.masks.layer.value = name
    assert explorer._parts.presenter.coming.layer == "large"
    explorer._parts.masks.layer.value = "small"
    assert explorer._parts.presenter.coming is None
    assert shows(explorer, SMALL)


def test_changes_that_concern_no_mask_let_the_preparation_go_on(explorer, slow):
    explorer._parts.masks.layer.value = "large"
    task = explorer._parts.presenter.job._task
    put(explorer, frequency=300)
    explorer._parts.masks.search.value = "la"
    put(explorer, start_step=5000, end_step=5000)
    assert explorer._parts.presenter.job._task is task
    slow.go.set()
    explorer.wait()
    assert explorer._parts.live.layer["rows"] == 10


def test_what_goes_wrong_in_the_background_is_said_as_at_once(explorer, slow):
    slow.raises = WeightsError("it does not fit")
    slow.go.set()
    explorer._parts.masks.layer.value = "large"
    explorer.wait()
    assert explorer._parts.live.layer == {"note": "No mask: it does not fit"}
    assert explorer._parts.live.window == {}
    slow.raises = ZeroDivisionError("oh")
    explorer._parts.masks.layer.value = "other"
    explorer.wait()
    assert [str(error) for error in explorer.errors] == ["oh"]
    assert "ZeroDivisionError" in explorer._parts.banner.message.value
    assert not explorer._parts.presenter.job.busy
    assert not explorer._parts.live.progress["message"]
    explorer.errors.clear()
    slow.raises = None
    explorer._parts.masks.masks_of.value = "patterns"
    explorer.wait()
    assert explorer._parts.live.layer["rows"] == 12


def test_after_closing_nothing_is_touched(slow):
    explorer = Explorer(weights=WEIGHTS)
    explorer._parts.masks.layer.value = "large"
    assert slow.begun.wait(10)
    before = explorer._parts.live.layer
    explorer.close()
    touched = []
    explorer._parts.live.observe(touched.append)
    slow.go.set()
    explorer._parts.presenter.job._last.join(10)
    explorer.wait()
    assert touched == []
    assert explorer._parts.live.layer is before
    assert explorer.errors == []


def test_an_event_loop_reads_what_the_thread_has_to_say_in_its_own_thread(slow):
    async def use() -> tuple[list[str], set[int]]:
        explorer = Explorer(weights=WEIGHTS)
        said, threads, came = [], set(), asyncio.Event()
        explorer._parts.live.observe(lambda change: said.append(change.new["message"]), "progress")
        explorer._parts.live.observe(lambda _: (threads.add(threading.get_ident()), came.set()), "layer")
        explorer._parts.masks.layer.value = "large"
        while len(said) < 3:
            await asyncio.sleep(0)
        slow.go.set()
        await asyncio.wait_for(came.wait(), 10)
        assert shows(explorer, LARGE)
        explorer._parts.masks.layer.value = "other"
        explorer.wait()  # while the loop cannot read
        assert shows(explorer, OTHER)
        explorer.close()
        return said, threads

    said, threads = asyncio.run(use())
    assert threads == {threading.get_ident()}
    assert said[:3] == [
        f"Preparing large: {stage}. Until then the masks are those of small."
        for stage in ("waiting", "reading", "held")
    ]


def test_a_loop_that_is_gone_leaves_the_reading_to_who_waits():
    job, go, got = BackgroundJob(lambda *_: None), threading.Event(), []

    async def start() -> None:
        job.start(lambda _: go.wait(10), lambda future: got.append(future.result()))

    asyncio.run(start())
    go.set()
    job.wait()
    assert got == [True]
    assert not job.busy


def test_who_waits_is_let_go_by_a_cancel():
    job, go, waiting = BackgroundJob(lambda *_: None), threading.Event(), threading.Event()
    job.start(lambda _: go.wait(10), lambda future: None)

    def wait() -> None:
        waiting.set()
        job.wait()

    waiter = threading.Thread(target=wait)
    waiter.start()
    assert waiting.wait(10)
    job.cancel()
    waiter.join(10)
    assert not waiter.is_alive()
    go.set()


def test_two_layers_are_never_prepared_at_a_time():
    job, go, seen, most = BackgroundJob(lambda *_: None), threading.Event(), [], []

    def work(report):
        seen.append(1)
        most.append(len(seen))
        go.wait(10)
        seen.pop()

    for _ in range(3):
        job.start(work, lambda future: future.result())
    go.set()
    job.wait()
    assert set(most) == {1}


# Size -----------------------------------------------------------------------------------------------------------------


def test_what_is_large_depends_on_weights_and_on_what_scoring_takes():
    explorer = Explorer(weights={"w": np.ones((2, 1500), np.float32)}, calibration={"w": np.ones((10, 1500))})
    request = explorer._parts.presenter.shown.request
    explorer.close()
    assert not request.large
    assert not replace(request, method="wanda").large
    assert replace(request, method="sparse_gpt").large  # 1,500 x 1,500 numbers to factor
    samples = load_calibration({"w": np.ones((700, 1500), np.float16)})
    assert replace(request, method="wanda", calibration=samples).large
    assert replace(request, calibration=samples).large  # by magnitude too: they tell the error of the output
    stored = {"w": replace(request.tensors._stored["w"], shape=(1000, 1001))}
    assert replace(request, tensors=Tensors("big", stored)).large


# The window -----------------------------------------------------------------------------------------------------------


def test_the_window_is_that_of_the_layer_that_is_shown(explorer, slow, monkeypatch):
    asked = []

    def window(prepared, row, column):
        asked.append((prepared.matrix.shape, row, column))
        return {"row": row, "column": column}

    monkeypatch.setattr(layer.Prepared, "window", window)
    put(explorer, window_row=3, window_column=4)
    assert explorer._parts.live.window == {"row": 3, "column": 4}
    explorer._parts.masks.layer.value = "large"
    put(explorer, window_row=1, window_column=1)
    assert explorer._parts.live.window == {"row": 3, "column": 4}
    slow.go.set()
    explorer.wait()
    assert explorer._parts.live.window == {"row": 1, "column": 1}
    assert asked == [((8, 12), 3, 4), ((10, 12), 1, 1)]


# Patterns -------------------------------------------------------------------------------------------------------------


def test_five_patterns_are_prepared_beside_the_layer(explorer, slow):
    slow.go.set()
    before = explorer._parts.live.layer
    explorer._parts.masks.masks_of.value = "patterns"
    explorer.wait()
    assert explorer._parts.live.layer is before
    names = [data["name"] for data in explorer._parts.live.patterns]
    assert names == ["unstructured", "2:4", "4 × 4 blocks", "rows", "columns"]
    assert [data["units"] for data in explorer._parts.live.patterns] == [96, 1, 6, 8, 12]
    ranks = np.frombuffer(explorer._parts.live.patterns[3]["ranks"], "<u2").reshape(8, 12)
    assert ((ranks >= 4) == prune_mask(SMALL, 0.5, Row())).all()
    explorer._parts.masks.masks_of.value = "schedules"
    assert explorer._parts.live.patterns == []


def test_a_pattern_that_does_not_fit_says_so_in_its_place():
    explorer = Explorer(weights=np.eye(6))
    explorer._parts.masks.masks_of.value = "patterns"
    assert [bool(data.get("width")) for data in explorer._parts.live.patterns] == [True, True, False, True, True]
    assert explorer._parts.live.patterns[2]["note"].startswith("block 4 x 4 does not divide 6 x 6")
    put(explorer, pattern="block")
    assert explorer._parts.live.layer["note"].startswith("array, weights. 6 × 6 weights.")
    put(explorer, height=3, width=3)
    assert explorer._parts.live.patterns[2]["units"] == 4
    put(explorer, pattern="nm")
    put(explorer, m=1)
    assert [problem.where for problem in explorer.problems] == ["pattern.m"]
    assert explorer._parts.live.patterns[1]["units"] == 1  # the last good picture
    put(explorer, pattern="row")
    assert explorer._parts.live.patterns[1] == {"name": "N:M", "note": "N (2) must be less than M (1)"}
    assert explorer.errors == []
    explorer.close()


def test_patterns_of_weights_that_cannot_be_read_are_none(tmp_path):
    np.save(tmp_path / "w.npy", np.eye(4))
    explorer = Explorer(weights=tmp_path / "w.npy")
    (tmp_path / "w.npy").unlink()
    explorer._parts.masks.masks_of.value = "patterns"
    assert explorer._parts.live.patterns == []
    assert explorer._parts.live.layer["note"].startswith("No mask: ")
    assert explorer.errors == []
    explorer.close()


# Nobody looks ---------------------------------------------------------------------------------------------------------


def look(explorer, page, views=1):
    """What a page says of its views."""
    data = {"method": "custom", "content": {"page": page, "views": views}}
    explorer._parts.live._handle_msg({"content": {"data": data}, "buffers": []})


def held(explorer):
    """What would keep the layer of ``explorer`` in memory, if anything does."""
    ready = explorer._parts.presenter.shown
    return weakref.ref(ready.prepared.matrix), weakref.ref(ready.prepared.order)


def test_the_layer_is_let_go_with_its_last_view_and_made_again_for_the_next(explorer, slow):
    slow.go.set()
    explorer._parts.masks.layer.value = "large"
    explorer.wait()
    drawn, references = dict(explorer._parts.live.layer), held(explorer)
    for name in ("one", "two"):
        look(explorer, name)
    look(explorer, "one", 2)
    look(explorer, "one", 0)
    assert all(reference() is not None for reference in references)
    look(explorer, "two", 0)
    gc.collect()
    assert [reference() for reference in references[1:]] == [None]
    assert explorer._parts.live.layer == drawn
    assert explorer._parts.presenter.shown.prepared is None
    look(explorer, "three")
    assert explorer._parts.presenter.job.busy
    explorer.wait()
    assert shows(explorer, LARGE)
    assert explorer._parts.presenter.shown.prepared.window(0, 0)["width"] == 12


def test_what_becomes_ready_unseen_is_not_held(explorer, slow):
    look(explorer, "one")
    explorer._parts.masks.layer.value = "large"
    look(explorer, "one", 0)
    slow.go.set()
    explorer.wait()
    assert shows(explorer, LARGE)
    assert (explorer._parts.presenter.shown.prepared, explorer._parts.presenter.shown.let_go) == (None, True)
    slow.go.clear()
    look(explorer, "two")
    press(explorer, "cancel")
    assert not explorer._parts.presenter.job.busy
    slow.go.set()
    put(explorer, window_row=1, window_column=1)
    explorer.wait()
    assert explorer._parts.presenter.shown.prepared is not None


def test_an_unseen_explorer_answers_code_as_before(explorer, slow):
    slow.go.set()
    before = png_bytes(explorer.figure("masks"))
    look(explorer, "one")
    look(explorer, "one", 0)
    assert png_bytes(explorer.figure("masks")) == before
    assert explorer._parts.presenter.shown.let_go
    explorer._parts.masks.layer.value = "large"
    explorer.wait()
    assert shows(explorer, LARGE)
    explorer._parts.masks.layer.value = "small"
    assert shows(explorer, SMALL)
    look(explorer, "two")
    put(explorer, target=0.7)
    assert shows(explorer, SMALL)
    assert explorer._parts.presenter.shown.prepared is not None


def test_messages_that_say_nothing_of_a_view_change_nothing(explorer):
    for content in ("page", {"page": 1, "views": 0}, {"page": "one"}, {"page": "one", "views": "0"}, None):
        data = {"method": "custom", "content": content}
        explorer._parts.live._handle_msg({"content": {"data": data}, "buffers": []})
    assert explorer._parts.presenter.shown.prepared is not None
    assert {type(error) for error in explorer.errors} == {EntrenarVizError}
    explorer.errors.clear()


@pytest.mark.parametrize("kind", ["canvas", "matplotlib"])
def test_a_closed_explorer_holds_no_order_and_still_draws(kind):
    explorer = Explorer(weights=SMALL, view=kind)
    before = png_bytes(explorer.figure("masks"))
    explorer.close()
    ready = explorer._parts.presenter.shown
    assert ready.prepared is None
    assert png_bytes(explorer.figure("masks")) == before
