"""Pins, sessions and presets in the explorer."""

import base64
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from entrenar_viz import (
    ConfigError,
    Cubic,
    Explorer,
    Gradual,
    OneShot,
    Pin,
    PruningConfig,
    Session,
    Training,
    recommend,
)
from entrenar_viz.config.pin import MAX_NAME
from entrenar_viz.explorer.canvas import Field
from entrenar_viz.explorer.panels import is_shown
from entrenar_viz.explorer.pins import free_name
from entrenar_viz.explorer.sharing import file_name
from entrenar_viz.models.allowed_folder import AllowedFolder
from entrenar_viz.workspace import presets
from entrenar_viz.workspace.presets import FOLDER_VARIABLE, presets_file
from tests.explorer.test_explorer import widgets_alive

MINE = PruningConfig(target_sparsity=0.3, schedule=OneShot(step=5))
HUGE = Cubic(start_step=0, end_step=500_000_000, final_sparsity=0.5)


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path / "presets"))


@pytest.fixture
def live():
    explorer = Explorer()
    yield explorer
    assert explorer.errors == []
    explorer.close()


@pytest.fixture
def visited(tmp_path):
    presets.save("secret", MINE, 9)
    explorer = Explorer(allowed_folder=AllowedFolder(tmp_path))
    yield explorer
    assert explorer.errors == []
    explorer.close()


def upload(widget, content, size=None):
    item = {"name": "up.json", "type": "", "size": size or len(content), "content": memoryview(content)}
    widget.value = ({**item, "last_modified": datetime.now(UTC)},)


def shown(explorer, index):
    return [cell.value for cell in explorer.pins_panel.rows[index].cells]


def test_a_pin_is_compared_with_the_present_configuration(explorer):
    explorer.pins_panel.add.click()
    assert [pin.name for pin in explorer.pins] == ["Gradual 50%"]
    assert explorer.pins[0].config == explorer.config
    assert shown(explorer, 0) == ["Gradual 50%", "8", "50%", "0%", "5,000 steps", "33.75%"]
    explorer.controls.frequency.value = 300
    differences = ["Gradual 50%", "8 (-5)", "50% (+1.25 pts)", "0% (-1.25 pts)", "5,000 steps (-100)"]
    assert shown(explorer, 0)[:5] == differences
    present = [cell.value for cell in explorer.pins_panel.current.cells]
    assert present[:5] == ["Present configuration", "13", "48.75%", "1.25%", "5,100 steps"]


def test_names_are_made_unique_and_are_only_text(live):
    for name in (None, None, "<b>x</b>", "<b>x</b>"):
        live.pin(name)
    assert [pin.name for pin in live.pins] == ["Gradual 50%", "Gradual 50% (2)", "<b>x</b>", "<b>x</b> (2)"]
    live.load(MINE)
    assert live.pin().name == "OneShot 30%"
    live.pins_panel.name.value = "  typed "
    live.pins_panel.add.click()
    assert (live.pins[-1].name, live.pins_panel.name.value) == ("typed", "")
    live.pins_panel.name.value = "x" * 81
    live.pins_panel.add.click()
    assert "at most 80 characters" in live.pins_panel.status.value


@given(st.text(max_size=100))
def test_file_names_are_safe(name):
    safe = file_name(name)
    assert safe.startswith("pruning")
    assert safe.endswith(".json")
    assert not set(safe) & set("/\\<>\"'&:*?|\0\n ")
    assert ".." not in safe


def test_a_free_name_is_never_too_long():
    assert len(free_name("x" * MAX_NAME, {"x" * MAX_NAME})) == MAX_NAME


def test_ghosts_follow_the_pins_that_are_drawn(live):
    live.pin("a")
    live.load(MINE)
    live.pin("b")
    ghost = {"name": "b", "schedule": {"type": "one_shot", "step": 5}, "target": 0.3}
    assert live.canvas.ghosts[1] == ghost
    row = live.pins_panel.rows[0]
    row.buttons["hide"].click()
    assert (live.canvas.ghosts, row.buttons["hide"].description) == ([ghost], "Draw")
    row.buttons["hide"].click()
    assert [one["name"] for one in live.canvas.ghosts] == ["a", "b"]
    row.buttons["remove"].click()
    assert [pin.name for pin in live.pins] == ["b"]
    live.unpin("b")
    assert (live.pins, live.canvas.ghosts) == ((), [])
    with pytest.raises(ConfigError, match="nothing is pinned"):
        live.unpin("b")


def test_pins_are_drawn_in_saved_figures_and_in_the_still_picture(explorer):
    def pictures():
        return explorer.fallback.schedules.value if explorer.fallback else explorer.canvas.ghosts

    def drawn():
        return [line.get_label() for line in explorer.figure().axes[0].lines if line.get_label().startswith("pin ")]

    bare = pictures()
    explorer.pin("a")
    explorer.controls.target.value = 0.8
    assert drawn() == ["pin a"]
    with_pin = pictures()
    explorer.drawings.prepare.click()
    explorer.pins_panel.rows[0].buttons["hide"].click()
    assert (drawn(), explorer.drawings.link.value) == ([], "")
    assert pictures() not in (with_pin, bare if explorer.fallback else None)
    explorer.pins_panel.rows[0].buttons["hide"].click()
    assert pictures() == with_pin
    explorer.controls.window.value = [5000, 5000]
    explorer.unpin("a")
    assert pictures() == with_pin if explorer.fallback else pictures() == []
    explorer.controls.window.value = [1000, 5000]
    assert (drawn(), pictures() == with_pin) == ([], False)
    explorer.controls.target.value = 0.5
    assert pictures() == bare


def test_a_pin_is_loaded_as_one_entry_and_exported(explorer):
    explorer.load(MINE, 70)
    explorer.pin("mine")
    explorer.reset()
    opened = explorer.config
    explorer.pins_panel.rows[0].buttons["load"].click()
    assert (explorer.config, explorer.total_steps) == (MINE, 70)
    explorer.undo()
    assert explorer.config == opened
    explorer.pins_panel.rows[0].buttons["export"].click()
    shared = explorer.pins_panel.shared
    assert shared.json.value == MINE.to_json()
    if shared.link:
        assert base64.b64decode(shared.link.value.split("base64,")[1].split('"')[0]).decode() == MINE.to_json()
        assert 'download="pruning-mine.json"' in shared.link.value
    else:
        assert shared.json.file == "pruning-mine.json"
    shared.children[-1].click()
    assert not is_shown(shared)


def test_nothing_is_pinned_while_there_is_a_problem(live):
    live.controls.window.value = [5000, 5000]
    with pytest.raises(ConfigError, match="nothing was kept"):
        live.pin()
    live.sessions.download.click()
    assert "nothing was kept" in live.sessions.status.value


def test_pinning_and_removing_makes_no_more_widgets(live):
    live.pin()
    live.unpin(live.pins[0].name)
    before = widgets_alive()
    for _ in range(30):
        live.pin()
        live.unpin(live.pins[0].name)
    assert widgets_alive() == before


def test_at_most_fifty_pins(live):
    pins = tuple(Pin(name=f"{i}", config=MINE, total_steps=i) for i in range(50))
    live.pins_panel.put(pins)
    with pytest.raises(ConfigError, match="at most 50"):
        live.pin()
    assert live.pins == pins


def test_a_session_is_saved_and_adds_its_pins(live, tmp_path):
    live.pin("a")
    path = live.save_session(tmp_path / "s.json")
    with pytest.raises(FileExistsError):
        live.save_session(path)
    live.load(MINE, 70)
    live.unpin("a")
    live.pin("a")
    live.load_session(path)
    assert [(pin.name, pin.total_steps) for pin in live.pins] == [("a", 70), ("a (2)", 10_000)]
    assert live.config == live.pins[1].config
    live.load_session(path)
    assert len(live.pins) == 2
    assert live.config == Session.load(path).config
    live.undo()
    assert live.config == MINE


def test_a_session_by_path_asks_before_it_overwrites(live, tmp_path):
    panel = live.sessions
    panel.path.value = str(tmp_path / "s.json")
    panel.save.click()
    assert panel.status.value == f"Saved {tmp_path / 's.json'}"
    live.load(MINE)
    panel.save.click()
    assert Session.load(tmp_path / "s.json").config != MINE
    assert is_shown(panel.overwrite)
    panel.overwrite.click()
    assert Session.load(tmp_path / "s.json").config == MINE
    live.reset()
    panel.load.click()
    assert live.config == MINE
    panel.path.value = str(tmp_path / "none" / "s.json")
    panel.save.click()
    assert "create that folder first" in panel.status.value
    panel.load.click()
    assert "Nothing was loaded" in panel.status.value


def test_a_session_keeps_epochs_and_pins_that_cannot_be_replayed(live, tmp_path):
    training = Training(dataset_size=100, batch_size=10, epochs=3)
    pins = [Pin(name="huge", config=PruningConfig(schedule=HUGE), total_steps=10**9)]
    Session(config=MINE, total_steps=30, training=training, pins=pins).save(tmp_path / "s.json")
    live.load_session(tmp_path / "s.json")
    assert shown(live, 0)[:2] == ["huge", "cannot be replayed"]
    live.save_session(tmp_path / "t.json")
    assert Session.load(tmp_path / "t.json") == Session.load(tmp_path / "s.json")


def test_a_session_that_cannot_be_shown_changes_nothing(live):
    huge = Session(config=PruningConfig(schedule=OneShot(step=2**60)), total_steps=2**61, pins=[])
    before = live.config
    many = Training(dataset_size=2**60, batch_size=2**60, epochs=3)
    upload(live.sessions.upload, Session(config=MINE, total_steps=3, training=many).to_json().encode())
    assert "dataset_size: is above" in live.sessions.status.value
    assert (live.config, live.total_steps) == (before, 10_000)
    session = Session(config=MINE, total_steps=30, training=Training(dataset_size=100, batch_size=10, epochs=3))
    upload(live.sessions.upload, session.to_json().replace('"total_steps": 30', '"total_steps": 70').encode())
    assert "training: makes 30 steps, but total_steps is 70" in live.sessions.status.value
    upload(live.sessions.upload, huge.to_json().encode())
    assert "a browser cannot count that far" in live.sessions.status.value
    upload(live.sessions.upload, b"x", size=2 << 20)
    assert "larger than 1 MiB" in live.sessions.status.value
    assert (live.config, live.pins) == (before, ())
    live.pins_panel.put((Pin(name="far", config=huge.config, total_steps=2**61),))
    live.pins_panel.rows[0].buttons["load"].click()
    assert "a browser cannot count that far" in live.pins_panel.status.value


def test_a_visitor_has_no_paths_and_no_presets_but_the_chapters(visited, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    panel, offered = visited.sessions, visited.presets_panel
    assert [name for name, _ in offered.picker.options if "secret" in name] == []
    offered.name.value, panel.path.value = "mine", "visitor.json"
    for button in (panel.save, panel.overwrite, panel.load, offered.save, offered.replace, offered.delete):
        button.click()  # as a message to the kernel would
    assert not (tmp_path / "visitor.json").exists()
    assert list(presets.load()) == ["secret"]
    visited.pin("a")
    panel.download.click()
    content = visited.pins_panel.shared.json.value
    visited.unpin("a")
    upload(panel.upload, content.encode())
    assert [pin.name for pin in visited.pins] == ["a"]


def test_a_preset_of_the_chapter_is_one_entry(explorer):
    before = explorer.config
    explorer.presets_panel.picker.value = ("chapter", "high-sparsity")
    assert explorer.config == presets.BUILT_IN["high-sparsity"].config(10_000)
    assert explorer.presets_panel.status.value == f"high-sparsity: {presets.BUILT_IN['high-sparsity'].description}."
    assert explorer.presets_panel.picker.value == ""
    explorer.undo()
    assert explorer.config == before


def test_own_presets_are_saved_replaced_loaded_and_deleted(live):
    offered = live.presets_panel
    offered.name.value = "mine"
    offered.save.click()
    assert offered.status.value == "Saved your preset mine."
    live.load(MINE, 70)
    offered.save.click()
    assert (offered.status.value, is_shown(offered.replace)) == ("You have a preset mine already.", True)
    offered.replace.click()
    assert presets.load()["mine"].config == MINE
    live.reset()
    offered.picker.value = ("own", "mine")
    assert (live.config, live.total_steps) == (MINE, 70)
    offered.delete.click()
    assert offered.status.value == "Pick the preset to delete."
    offered.mine.value = "mine"
    offered.delete.click()
    assert presets.load() == {}
    offered.name.value = "production"
    offered.save.click()
    assert offered.status.value == ("Nothing was saved: 'production' is a preset of the chapter: choose another name")
    offered.name.value = " "
    offered.save.click()
    assert offered.status.value == "Nothing was saved: a name must not be empty, nor begin or end with a space"


def test_a_broken_file_of_presets_is_told_and_the_chapters_stay():
    presets_file().parent.mkdir(parents=True)
    presets_file().write_text("no JSON")
    explorer = Explorer()
    offered = explorer.presets_panel
    assert "Your presets cannot be read" in offered.status.value
    assert len(offered.picker.options) == 1 + len(presets.BUILT_IN)
    offered.name.value = "mine"
    offered.save.click()
    assert "Nothing was saved" in offered.status.value
    assert presets_file().read_text() == "no JSON"
    assert explorer.errors == []
    explorer.close()


def test_a_recommendation_says_why(live):
    offered = live.presets_panel
    offered.unfold.value = True
    assert is_shown(offered.more)
    offered.target.value = 0.8
    offered.ask.click()
    advice = recommend(0.8, 10_000)
    assert (live.config, offered.status.value) == (advice.config, f"Recommended: {advice.reason}.")
    offered.scenario.value = "production"
    offered.ask.click()
    assert isinstance(live.config.schedule, Gradual)
    live.controls.window.value = [5000, 5000]
    offered.ask.click()  # it mends what is wrong
    assert live.problems == ()
    live.controls.window.value = [5000, 5000]
    offered.name.value = "x"
    offered.save.click()
    assert "nothing was kept" in offered.status.value


def test_a_target_that_was_not_understood_is_no_recommendation(explorer):
    offered, before = explorer.presets_panel, explorer.config
    if isinstance(offered.target, Field):
        offered.target.problem = "“0,5” is no percentage: write 48.75"
        offered.ask.click()
        assert offered.status.value == "Nothing was recommended: “0,5” is no percentage: write 48.75."
        assert (explorer.config, explorer.problems) == (before, ())
        offered.target.problem = ""
    offered.target.value = 1  # a browser writes 1.0 so
    offered.ask.click()
    assert explorer.config.target_sparsity == 1.0


def test_a_preset_that_cannot_be_shown_is_told(live):
    presets.save("far", replace(MINE, schedule=OneShot(step=2**60)), 2**61)
    live.presets_panel.fill()
    live.presets_panel.picker.value = ("own", "far")
    assert "a browser cannot count that far" in live.presets_panel.status.value
