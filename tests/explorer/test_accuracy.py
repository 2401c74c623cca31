"""The rehearsal in the explorer, without a browser; the trials of slow ones wait for the test."""

import re
import threading
from dataclasses import replace

import numpy as np
import pytest

from entrenar_viz import ConfigError, EntrenarVizError, Explorer, Gradual, PruningConfig, StepError, rehearse
from entrenar_viz.explorer.browser.accuracy import NOTHING
from entrenar_viz.explorer.panels import accuracy as module
from entrenar_viz.explorer.panels.parts import is_shown
from entrenar_viz.figures.saving import png_bytes
from entrenar_viz.models.allowed_folder import AllowedFolder
from entrenar_viz.rehearsal import small_training
from tests.explorer.hands import press, put, show_tab

STEPS = 60
SPARSE = PruningConfig(
    target_sparsity=0.97,
    schedule=Gradual(start_step=2000, end_step=7000, initial_sparsity=0.0, final_sparsity=0.97, frequency=2500),
)


@pytest.fixture(autouse=True)
def every_reading(monkeypatch):
    """Each reading is shown, however soon the next one comes."""
    monkeypatch.setattr(module, "EVERY", 0.0)


@pytest.fixture(params=["canvas", "matplotlib"])
def either(request):
    yield from opened(Explorer(SPARSE, total_steps=10_000, view=request.param))


@pytest.fixture
def explorer():
    yield from opened(Explorer(SPARSE, total_steps=10_000))


def opened(explorer):
    explorer._parts.accuracy.steps = STEPS
    show_tab(explorer, "Accuracy")
    explorer._parts.accuracy.seeds.value = 3
    yield explorer
    explorer.close()
    assert explorer.errors == []


@pytest.fixture
def held(monkeypatch):
    """Trials of which each reading waits for the test."""
    go, usual = threading.Semaphore(0), small_training.SmallTraining.__call__

    def trial(self, pruner, seed):
        for reading in usual(self, pruner, seed):
            assert go.acquire(timeout=20)
            yield reading

    monkeypatch.setattr(small_training.SmallTraining, "__call__", trial)
    yield go
    go.release(100_000)


def rehearsed(explorer):
    explorer._parts.accuracy.start.click()
    explorer.wait()
    return explorer._parts.accuracy


def read(explorer, readings):
    """Let messages come until there are so many readings of all runs."""
    panel = explorer._parts.accuracy
    while len(panel.plot.accuracy["steps"]) < readings:
        panel.job._read(panel.job._task, False)


def expected(explorer, **how):
    return rehearse(
        explorer.config,
        explorer.total_steps,
        3,
        steps=STEPS,
        schedules=list(explorer._parts.state.settings.schedules().values()),
        **how,
    )


def test_nothing_is_there_at_first(either):
    panel = either._parts.accuracy
    assert (either.rehearsal, panel.about.value) == (None, f"{module.START}")
    hidden = (panel.progress, panel.problem, panel.old, panel.verdict, panel.choose, panel.table)
    assert not any(map(is_shown, hidden))
    with pytest.raises(EntrenarVizError, match="no rehearsal is finished yet: press Rehearse"):
        either.figure("accuracy")


def test_the_rehearsal_is_that_of_the_command(either):
    panel, result = rehearsed(either), expected(either)
    assert str(either.rehearsal) == str(result)
    assert either.rehearsal.config == either.config
    assert panel.verdict.value == f"{result.verdict[:1].upper()}{result.verdict[1:]}."
    assert panel.about.value.startswith("This is evidence about the shape of the schedule, not about your model.\n")
    assert "10,000 steps are rehearsed in 60: steps 2,000 to 7,000 become 12 to 42" in panel.about.value
    for outcome in (result.dense, *result.outcomes):
        assert f'<th scope="row">{outcome.name}</th><td>{100 * outcome.accuracy:.1f}%</td>' in panel.table.value
    assert not is_shown(panel.progress)
    assert png_bytes(either.figure("accuracy", theme="dark"))[1:4] == b"PNG"


def test_the_curves_are_means_and_intervals_of_the_seeds(explorer):
    panel, result = rehearsed(explorer), expected(explorer)
    told = panel.plot.accuracy
    assert told["steps"] == result.dense.steps.tolist()
    assert (told["first"], told["outdated"]) == (2000, False)
    assert [(curve["name"], curve["type"]) for curve in told["curves"]] == [
        ("dense", "dense"),
        ("OneShot", "one_shot"),
        ("Gradual", "gradual"),
        ("Cubic", "cubic"),
    ]
    for curve, outcome in zip(told["curves"], (result.dense, *result.outcomes), strict=True):
        np.testing.assert_allclose(curve["mean"], outcome.curves.mean(axis=0), atol=1e-5)
        np.testing.assert_allclose([curve["low"][-1], curve["high"][-1]], [outcome.low, outcome.high], atol=1e-5)


def test_all_curves_grow_together_while_sliders_stay_alive(explorer, held):
    panel = explorer._parts.accuracy
    panel.start.click()
    for readings in (1, 2):
        held.release(12)
        read(explorer, readings)
        assert {len(curve["mean"]) for curve in panel.plot.accuracy["curves"]} == {readings}
    assert is_shown(panel.progress)
    assert panel.progress.message.value == f"12 runs: step {panel.plot.accuracy['steps'][1]:,} of 10,000"
    assert 0 < panel.progress.bar.value < 0.1
    put(explorer, cursor=400)
    assert explorer._parts.state.settings.cursor == 400
    assert (explorer.rehearsal, is_shown(panel.old)) == (None, False)
    held.release(100_000)
    explorer.wait()
    assert explorer.rehearsal is not None


def test_a_cancelled_rehearsal_keeps_its_curves_and_has_no_verdict(explorer, held):
    panel = explorer._parts.accuracy
    panel.start.click()
    held.release(24)
    read(explorer, 2)
    until = panel.plot.accuracy["steps"][-1]
    panel.progress.cancel.click()
    assert panel.verdict.value == f"Cancelled at step {until:,} of 10,000: there is no verdict."
    assert len(panel.plot.accuracy["steps"]) == 2
    assert (explorer.rehearsal, panel.table.value, is_shown(panel.progress)) == (None, "", False)
    held.release(100_000)
    assert rehearsed(explorer).result is not None


def test_one_that_is_cancelled_at_once_says_so(explorer, held):
    panel = explorer._parts.accuracy
    panel.start.click()
    panel.progress.cancel.click()
    assert panel.verdict.value == "Cancelled before the first reading: there is no verdict."
    assert panel.plot.accuracy | {"first": None} == NOTHING  # which may be known by then


def test_other_settings_make_it_outdated_and_the_same_ones_do_not(either):
    panel = rehearsed(either)
    before = either.config
    for unheard in ({"cursor": 100}, {"fine_tune_lr": 0.1}, {"schedule": "cubic"}, {"schedule": "one_shot"}):
        put(either, **unheard)
        assert not is_shown(panel.old), unheard
    put(either, target=0.9)
    assert panel.old.value == "This is of the settings before: rehearse again."
    assert is_shown(panel.verdict)
    either.load(before, 10_000)
    assert not is_shown(panel.old)
    either._parts.masks.within.value = "row"
    assert is_shown(panel.old)


def test_the_page_hears_that_curves_are_outdated(explorer):
    panel = rehearsed(explorer)
    put(explorer, pattern="row")
    assert panel.plot.accuracy["outdated"]
    show_tab(explorer, "Masks")
    explorer.undo()
    show_tab(explorer, "Accuracy")
    assert not panel.plot.accuracy["outdated"]


def test_it_is_of_the_three_schedules_as_they_are_drawn(explorer):
    put(explorer, same_target=False, own_target=0.3)
    rehearsed(explorer)
    assert [one.sparsity for one in explorer.rehearsal.outcomes] == [0.3, 0.97, 0.97]
    assert "OneShot ends at 30%, not 97%" in explorer.rehearsal.verdict


def test_what_cannot_be_rehearsed_says_why(either):
    panel = either._parts.accuracy
    for refused, why in (({"method": "minitron_depth"}, "minitron_depth"), ({"pattern": "block", "width": 999}, "999")):
        before = either.config
        put(either, **refused)
        rehearsed(either)
        assert why in panel.problem.value
        assert re.match(r"(Nothing|No layer) .*\.$", panel.problem.value)
        assert (either.rehearsal, panel.verdict.value) == (None, "")
        either.load(before, 10_000)
        assert panel.problem.value == ""
    assert rehearsed(either).result is not None


def test_it_waits_while_there_are_problems(explorer):
    panel = explorer._parts.accuracy
    put(explorer, end_step=100)
    assert (panel.start.disabled, panel.problem.value) == (True, module.WAITS)
    panel.start.click()
    assert panel.watched is None
    with pytest.raises(ConfigError, match="nothing was rehearsed"):
        explorer.rehearse()
    explorer.undo()
    assert (panel.start.disabled, panel.problem.value) == (False, "")


def test_what_goes_wrong_reaches_the_banner(explorer, monkeypatch):
    def broken(self, pruner, seed):
        raise RuntimeError("out of memory")

    monkeypatch.setattr(small_training.SmallTraining, "__call__", broken)
    panel = rehearsed(explorer)
    assert panel.verdict.value == "Not rehearsed to the end."
    assert [str(error) for error in explorer.errors] == ["out of memory"]
    explorer.errors.clear()


def better(explorer, name):
    """Let the finished rehearsal say that Cubic is certainly better than ``name``."""
    panel = explorer._parts.accuracy
    result = panel.watched.result
    order = {"Cubic": 0.9, "Gradual": 0.5, "OneShot": 0.2}
    outcomes = [replace(one, per_seed=order[one.name] + np.array([0, 0.001, 0.002])) for one in result.outcomes]
    panel.watched.result = replace(result, outcomes=tuple(outcomes))
    put(explorer, cursor=explorer._parts.state.settings.cursor + 1)
    return panel


def test_a_schedule_that_is_better_can_be_chosen_and_taken_back(either):
    rehearsed(either)
    panel = better(either, "Gradual")
    before = either.config
    assert (is_shown(panel.choose), panel.choose.description) == (True, "Choose Cubic")
    panel.choose.click()
    assert either.config == replace(before, schedule=either._parts.state.settings.schedules()["cubic"])
    assert (is_shown(panel.choose), is_shown(panel.old)) == (False, False)
    press(either, "undo")
    assert either.config == before
    assert is_shown(panel.choose)
    put(either, target=0.5)
    assert not is_shown(panel.choose)


def test_from_python_with_own_data_which_the_button_uses_too(explorer):
    show_tab(explorer, "Masks")
    rng = np.random.default_rng(0)
    x = rng.standard_normal((200, 6)) + 3 * np.eye(6)[np.arange(200) % 2]
    explorer.rehearse(4, X=x, y=np.arange(200) % 2, widths=(5,))
    explorer.wait()
    panel = explorer._parts.accuracy
    assert explorer._parts.tabs.open_title == "Accuracy"
    assert len(explorer.rehearsal.seeds) == 4
    assert explorer.rehearsal.trained == "a 6-5-2 network on the data given: 150 rows to train on, 50 held out"
    assert (panel.seeds.value, [value for _, value in panel.seeds.options]) == (4, [3, 4, 5, 10])
    panel.seeds.value = 3
    assert rehearsed(explorer).result.trained == explorer.rehearsal.trained
    explorer.rehearse(1)
    assert is_shown(panel.old) is False
    explorer.wait()
    assert "handwritten digits" in explorer.rehearsal.trained
    curve = panel.plot.accuracy["curves"][1]
    assert curve["low"] == curve["mean"] == curve["high"]


@pytest.mark.parametrize("wrong", [{"seeds": [1, 2]}, {"seeds": 0}, {"X": [[1.0]]}, {"widths": "wide"}])
def test_bad_arguments_are_refused_and_nothing_begins(explorer, wrong):
    with pytest.raises(EntrenarVizError):
        explorer.rehearse(**wrong)
    assert explorer._parts.accuracy.watched is None


def test_closing_stops_it(held):
    explorer = Explorer()
    explorer.rehearse(3)
    thread = explorer._parts.accuracy.job._last
    explorer.close()
    held.release(100_000)
    thread.join(20)
    assert (thread.is_alive(), explorer.rehearsal, explorer.errors) == (False, None, [])


def test_a_visitor_may_rehearse(tmp_path):
    explorer = Explorer(allowed_folder=AllowedFolder(tmp_path))
    explorer._parts.accuracy.steps = STEPS
    explorer.rehearse(3)
    explorer.wait()
    assert explorer.rehearsal is not None
    explorer.close()


def test_matplotlib_draws_it_at_the_end_and_again_for_another_cursor():
    explorer = Explorer(view="matplotlib")
    explorer._parts.accuracy.steps = STEPS
    explorer.rehearse(3)
    image = explorer._parts.accuracy.plot.image
    assert not is_shown(image)
    explorer.wait()
    first = image.value
    assert is_shown(image)
    put(explorer, cursor=8000)
    assert image.value != first
    second = image.value
    put(explorer, fine_tune=False)
    assert image.value == second
    assert explorer.errors == []
    explorer.close()


def test_a_download_of_the_figure_before_is_taken_back(explorer):
    rehearsed(explorer)
    figures = explorer._parts.figures
    figures.what.value = "accuracy"
    figures.prepare.click()
    assert "accuracy.png" in figures.download.link.value
    explorer._parts.accuracy.start.click()
    explorer.wait()
    assert figures.download.link.value == ""


def test_the_length_of_a_run_stays_for_the_button(explorer):
    explorer.rehearse(3, steps=30, widths=(8,))
    explorer.wait()
    assert explorer.rehearsal.steps == 30
    explorer.rehearse(3, widths=(8,))
    explorer.wait()
    assert explorer.rehearsal.steps == 30
    for wrong in (0, 1.5, 10**8):
        with pytest.raises(StepError, match=r"^steps must be"):
            explorer.rehearse(steps=wrong)
