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
from entrenar_viz.explorer.panels.parts import file_name, is_shown
from entrenar_viz.explorer.panels.pins import free_name
from entrenar_viz.models.allowed_folder import AllowedFolder
from entrenar_viz.workspace import presets
from entrenar_viz.workspace.presets import FOLDER_VARIABLE, presets_file
from tests.explorer.hands import answer, press, put, show_tab
from tests.explorer.test_explorer import widgets_alive

MINE = PruningConfig(target_sparsity=0.3, schedule=OneShot(step=5))
HUGE = Cubic(start_step=0, end_step=500_000_000, final_sparsity=0.5)


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path / "presets"))


@pytest.fixture
def alive():
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
    return [cell.value for cell in explorer._parts.compare.rows[index].cells]


def test_a_pin_is_compared_with_the_present_configuration(explorer):
    show_tab(explorer, "Compare")
    explorer._parts.compare.add.click()
    assert [pin.name for pin in explorer.pins] == ["Gradual 50%"]
    assert explorer.pins[0].config == explorer.config
    assert shown(explorer, 0) == ["Gradual 50%", "8", "50%", "0%", "5,000 steps", "33.75%"]
    put(explorer, frequency=300)
    differences = ["Gradual 50%", "8 (-5)", "50% (+1.25 pts)", "0% (-1.25 pts)", "5,000 steps (-100)"]
    assert shown(explorer, 0)[:5] == differences
    present = [cell.value for cell in explorer._parts.compare.current.cells]
    assert present[:5] == ["Present configuration", "13", "48.75%", "1.25%", "5,100 steps"]


def test_names_are_made_unique_and_are_only_text(alive):
    for name in (None, None, "<b>x</b>", "<b>x</b>"):
        alive.pin(name)
    assert [pin.name for pin in alive.pins] == ["Gradual 50%", "Gradual 50% (2)", "<b>x</b>", "<b>x</b> (2)"]
    alive.load(MINE)
    assert alive.pin().name == "OneShot 30%"
    alive._parts.compare.name.value = "  typed "
    alive._parts.compare.add.click()
    assert (alive.pins[-1].name, alive._parts.compare.name.value) == ("typed", "")
    alive._parts.compare.name.value = "x" * 81
    alive._parts.compare.add.click()
    assert "at most 80 characters" in alive._parts.compare.status.value


@given(st.text(max_size=100))
def test_file_names_are_safe(name):
    safe = file_name(name)
    assert safe.startswith("pruning")
    assert safe.endswith(".json")
    assert not set(safe) & set("/\\<>\"'&:*?|\0\n ")
    assert ".." not in safe


def test_a_free_name_is_never_too_long():
    assert len(free_name("x" * MAX_NAME, {"x" * MAX_NAME})) == MAX_NAME


def test_ghosts_follow_the_pins_that_are_drawn(alive):
    alive.pin("a")
    alive.load(MINE)
    alive.pin("b")
    ghost = {"name": "b", "schedule": {"type": "one_shot", "step": 5}, "target": 0.3}
    assert alive._parts.live.ghosts[1] == ghost
    row = alive._parts.compare.rows[0]
    row.buttons["hide"].click()
    assert (alive._parts.live.ghosts, row.buttons["hide"].description) == ([ghost], "Draw")
    row.buttons["hide"].click()
    assert [one["name"] for one in alive._parts.live.ghosts] == ["a", "b"]
    row.buttons["remove"].click()
    assert [pin.name for pin in alive.pins] == ["b"]
    alive.unpin("b")
    assert (alive.pins, alive._parts.live.ghosts) == ((), [])
    with pytest.raises(ConfigError, match="nothing is pinned"):
        alive.unpin("b")


def test_pins_are_drawn_in_saved_figures_and_in_the_still_picture(explorer):
    def pictures():
        return explorer._parts.live.ghosts if explorer._parts.live else explorer._parts.picture.schedules.value

    def drawn():
        return [line.get_label() for line in explorer.figure().axes[0].lines if line.get_label().startswith("pin ")]

    bare = pictures()
    explorer.pin("a")
    put(explorer, target=0.8)
    assert drawn() == ["pin a"]
    with_pin = pictures()
    explorer._parts.figures.prepare.click()
    explorer._parts.compare.rows[0].buttons["hide"].click()
    assert (drawn(), explorer._parts.figures.download.link.value) == ([], "")
    assert pictures() not in (with_pin, None if explorer._parts.live else bare)
    explorer._parts.compare.rows[0].buttons["hide"].click()
    assert pictures() == with_pin
    put(explorer, start_step=5000, end_step=5000)
    explorer.unpin("a")
    assert pictures() == ([] if explorer._parts.live else with_pin)
    put(explorer, start_step=1000, end_step=5000)
    assert (drawn(), pictures() == with_pin) == ([], False)
    put(explorer, target=0.5)
    assert pictures() == bare


def test_a_pin_is_loaded_as_one_entry_and_exported(explorer):
    explorer.load(MINE, 70)
    explorer.pin("mine")
    explorer.reset()
    opened = explorer.config
    explorer._parts.compare.rows[0].buttons["load"].click()
    assert (explorer.config, explorer.total_steps) == (MINE, 70)
    explorer.undo()
    assert explorer.config == opened
    explorer._parts.compare.rows[0].buttons["export"].click()
    link = explorer._parts.compare.download.link.value
    assert base64.b64decode(link.split("base64,")[1].split('"')[0]).decode() == MINE.to_json()
    assert 'download="pruning-mine.json"' in link
    explorer.unpin("mine")
    assert not is_shown(explorer._parts.compare.download)


def test_nothing_is_pinned_while_there_is_a_problem(alive):
    put(alive, start_step=5000, end_step=5000)
    with pytest.raises(ConfigError, match="nothing was kept"):
        alive.pin()
    alive._parts.exchange.sessions.prepare.click()
    assert "nothing was kept" in alive._parts.exchange.sessions.status.value


def test_pinning_and_removing_makes_no_more_widgets(alive):
    alive.pin()
    alive.unpin(alive.pins[0].name)
    before = widgets_alive()
    for _ in range(30):
        alive.pin()
        alive.unpin(alive.pins[0].name)
    assert widgets_alive() == before


def test_at_most_fifty_pins(alive):
    pins = tuple(Pin(name=f"{i}", config=MINE, total_steps=i) for i in range(50))
    alive._parts.compare.put(pins)
    with pytest.raises(ConfigError, match="at most 50"):
        alive.pin()
    assert alive.pins == pins


def test_a_session_is_saved_and_adds_its_pins(alive, tmp_path):
    alive.pin("a")
    path = alive.save_session(tmp_path / "s.json")
    with pytest.raises(FileExistsError):
        alive.save_session(path)
    alive.load(MINE, 70)
    alive.unpin("a")
    alive.pin("a")
    alive.load_session(path)
    assert [(pin.name, pin.total_steps) for pin in alive.pins] == [("a", 70), ("a (2)", 10_000)]
    assert alive.config == alive.pins[1].config
    alive.load_session(path)
    assert len(alive.pins) == 2
    assert alive.config == Session.load(path).config
    alive.undo()
    assert alive.config == MINE


def test_a_session_by_path_asks_before_it_overwrites(alive, tmp_path):
    panel = alive._parts.exchange.sessions
    panel.path.value = str(tmp_path / "s.json")
    panel.saving.save.click()
    assert panel.status.value == f"Saved {tmp_path / 's.json'}"
    alive.load(MINE)
    panel.saving.save.click()
    assert Session.load(tmp_path / "s.json").config != MINE
    assert is_shown(panel.saving.overwrite)
    panel.saving.overwrite.click()
    assert Session.load(tmp_path / "s.json").config == MINE
    alive.reset()
    panel.load.click()
    assert alive.config == MINE
    panel.path.value = str(tmp_path / "none" / "s.json")
    panel.saving.save.click()
    assert "create that folder first" in panel.status.value
    panel.load.click()
    assert "Nothing was loaded" in panel.status.value


def test_a_session_keeps_epochs_and_pins_that_cannot_be_replayed(alive, tmp_path):
    training = Training(dataset_size=100, batch_size=10, epochs=3)
    pins = [Pin(name="huge", config=PruningConfig(schedule=HUGE), total_steps=10**9)]
    Session(config=MINE, total_steps=30, training=training, pins=pins).save(tmp_path / "s.json")
    alive.load_session(tmp_path / "s.json")
    assert shown(alive, 0)[:2] == ["huge", "cannot be replayed"]
    alive.save_session(tmp_path / "t.json")
    assert Session.load(tmp_path / "t.json") == Session.load(tmp_path / "s.json")


def test_a_session_that_cannot_be_shown_changes_nothing(alive):
    huge = Session(config=PruningConfig(schedule=OneShot(step=2**60)), total_steps=2**61, pins=[])
    before = alive.config
    many = Training(dataset_size=2**60, batch_size=2**60, epochs=3)
    upload(alive._parts.exchange.sessions.upload, Session(config=MINE, total_steps=3, training=many).to_json().encode())
    assert "dataset_size: is above" in alive._parts.exchange.sessions.status.value
    assert (alive.config, alive.total_steps) == (before, 10_000)
    session = Session(config=MINE, total_steps=30, training=Training(dataset_size=100, batch_size=10, epochs=3))
    upload(
        alive._parts.exchange.sessions.upload,
        session.to_json().replace('"total_steps": 30', '"total_steps": 70').encode(),
    )
    assert "training: makes 30 steps, but total_steps is 70" in alive._parts.exchange.sessions.status.value
    upload(alive._parts.exchange.sessions.upload, huge.to_json().encode())
    assert "a browser cannot count that far" in alive._parts.exchange.sessions.status.value
    upload(alive._parts.exchange.sessions.upload, b"x", size=2 << 20)
    assert "larger than 1 MiB" in alive._parts.exchange.sessions.status.value
    assert (alive.config, alive.pins) == (before, ())
    alive._parts.compare.put((Pin(name="far", config=huge.config, total_steps=2**61),))
    alive._parts.compare.rows[0].buttons["load"].click()
    assert "a browser cannot count that far" in alive._parts.compare.status.value


def test_a_visitor_has_no_paths_and_no_presets_but_the_chapters(visited, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    panel, offered = visited._parts.exchange.sessions, visited._parts.start
    assert [preset for preset in offered.offered if "secret" in preset["name"]] == []
    offered.name.value, panel.path.value = "mine", "visitor.json"
    for button in (
        panel.saving.save,
        panel.saving.overwrite,
        panel.load,
        offered.save,
        offered.replace,
        offered.delete,
    ):
        button.click()  # as a message to the kernel would
    assert not (tmp_path / "visitor.json").exists()
    assert list(presets.load()) == ["secret"]
    visited.pin("a")
    panel.prepare.click()
    content = base64.b64decode(panel.download.link.value.split("base64,")[1].split('"')[0])
    visited.unpin("a")
    upload(panel.upload, content)
    assert [pin.name for pin in visited.pins] == ["a"]


def test_a_preset_of_the_chapter_is_one_entry(explorer):
    before = explorer.config
    press(explorer, "preset", kind="chapter", name="high-sparsity")
    assert explorer.config == presets.BUILT_IN["high-sparsity"].config(10_000)
    assert answer(explorer)["said"] == f"high-sparsity: {presets.BUILT_IN['high-sparsity'].description}."
    explorer.undo()
    assert answer(explorer)["said"] == ""
    assert explorer.config == before


def test_own_presets_are_saved_replaced_loaded_and_deleted(alive):
    offered = alive._parts.start
    offered.name.value = "mine"
    offered.save.click()
    assert offered.status.value == "Saved your preset mine."
    alive.load(MINE, 70)
    offered.save.click()
    assert (offered.status.value, is_shown(offered.replace)) == ("You have a preset mine already.", True)
    offered.replace.click()
    assert presets.load()["mine"].config == MINE
    alive.reset()
    press(alive, "preset", kind="own", name="mine")
    assert (alive.config, alive.total_steps) == (MINE, 70)
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
    offered = explorer._parts.start
    assert "Your presets cannot be read" in offered.status.value
    assert len(offered.offered) == len(presets.BUILT_IN)
    offered.name.value = "mine"
    offered.save.click()
    assert "Nothing was saved" in offered.status.value
    assert presets_file().read_text() == "no JSON"
    assert explorer.errors == []
    explorer.close()


def test_a_recommendation_says_why(alive):
    offered = alive._parts.start
    show_tab(alive, "Start from")
    offered.target.value = "80%"
    offered.ask.click()
    advice = recommend(0.8, 10_000)
    assert (alive.config, offered.status.value) == (advice.config, f"Recommended: {advice.reason}.")
    put(alive, target=0.7)
    assert offered.status.value == ""  # it is not what was recommended any more
    offered.scenario.value = "production"
    offered.ask.click()
    assert isinstance(alive.config.schedule, Gradual)
    put(alive, start_step=5000, end_step=5000)
    offered.ask.click()  # it mends what is wrong
    assert alive.problems == ()
    put(alive, start_step=5000, end_step=5000)
    offered.name.value = "x"
    offered.save.click()
    assert "nothing was kept" in offered.status.value


def test_a_target_that_was_not_understood_is_no_recommendation(explorer):
    offered, before = explorer._parts.start, explorer.config
    offered.target.value = "0,5"
    offered.ask.click()
    assert offered.status.value == "Nothing was recommended: “0,5” is no percentage: write 0.5% or 50%."
    assert (explorer.config, explorer.problems) == (before, ())
    offered.target.value = "100"
    offered.ask.click()
    assert explorer.config.target_sparsity == 1.0


def test_a_preset_that_cannot_be_shown_is_told():
    presets.save("far", replace(MINE, schedule=OneShot(step=2**60)), 2**61)
    explorer = Explorer()
    press(explorer, "preset", kind="own", name="far")
    assert "a browser cannot count that far" in answer(explorer)["said"]
    press(explorer, "preset", kind="own", name="none of them")
    assert answer(explorer)["said"] == "there is no preset 'none of them'"
    assert explorer.errors == []
    explorer.close()
