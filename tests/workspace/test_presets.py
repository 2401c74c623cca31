"""The chapter's presets and the user's own."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from platformdirs import user_config_path

from entrenar_viz import (
    ConfigError,
    OneShot,
    Pin,
    PruningConfig,
    StepError,
    recommend,
    review,
)
from entrenar_viz.analysis.advice import SCENARIOS
from entrenar_viz.workspace import presets
from entrenar_viz.workspace.presets import ATTEMPTS, FOLDER_VARIABLE, MAX_PRESETS, presets_file

MINE = PruningConfig(target_sparsity=0.3, schedule=OneShot(step=5))


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """A folder that is not there yet, as at the first use."""
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path / "not" / "yet"))
    return tmp_path / "not" / "yet"


@pytest.fixture
def others(monkeypatch):
    """What other programs do, one after the other, each while a file of ours is being written."""
    actions, fsync = [], os.fsync

    def interrupted(descriptor):
        fsync(descriptor)
        if actions:
            actions.pop(0)()

    monkeypatch.setattr(os, "fsync", interrupted)
    return actions


# The chapter's -------------------------------------------------------------------------------------------------------


def test_every_scenario_of_the_chapter_is_a_preset():
    assert set(presets.BUILT_IN) == set(SCENARIOS)
    for name, preset in presets.BUILT_IN.items():
        assert preset.name == name
        assert preset.description == SCENARIOS[name][1]
        assert preset.config(10_000) == recommend(preset.target_sparsity, 10_000, scenario=name).config


@pytest.mark.parametrize("name", SCENARIOS)
def test_presets_of_the_chapter_hold_at_any_length(name):
    for total in (100, 10_000, 12_345):
        serious = [found for found in review(presets.BUILT_IN[name].config(total), total) if found.severity != "info"]
        assert serious == []


def test_high_sparsity_is_high():
    assert presets.BUILT_IN["high-sparsity"].config(1000).schedule.final_sparsity > 0.7
    with pytest.raises(StepError):
        presets.BUILT_IN["high-sparsity"].config(-1)


# The user's ----------------------------------------------------------------------------------------------------------


def test_presets_are_kept_by_name():
    assert presets.load() == {}
    presets.save("mine", MINE, 100)
    presets.save("a second | one", PruningConfig(), 7)
    assert presets.load() == {
        "mine": Pin(name="mine", config=MINE, total_steps=100),
        "a second | one": Pin(name="a second | one", config=PruningConfig(), total_steps=7),
    }
    assert list(presets.load()) == ["mine", "a second | one"]
    presets.delete("mine")
    assert list(presets.load()) == ["a second | one"]


def test_a_preset_is_not_replaced_without_being_told():
    presets.save("mine", MINE, 100)
    with pytest.raises(ConfigError, match="'mine' exists already: pass overwrite=True"):
        presets.save("mine", PruningConfig(), 7)
    assert presets.load()["mine"].config == MINE
    presets.save("mine", PruningConfig(), 7, overwrite=True)
    assert presets.load()["mine"] == Pin(name="mine", config=PruningConfig(), total_steps=7)


def test_names_of_the_chapter_and_names_that_are_none_are_refused(folder):
    with pytest.raises(ConfigError, match="is a preset of the chapter: choose another name"):
        presets.save("production", MINE, 100, overwrite=True)
    with pytest.raises(ConfigError, match="no control characters"):
        presets.save("a\nb", MINE, 100)
    assert not folder.exists()


def test_deleting_what_is_not_there():
    with pytest.raises(ConfigError, match="'mine' is unknown, none is saved"):
        presets.delete("mine")
    presets.save("mine", MINE, 100)
    with pytest.raises(ConfigError, match=r"'min' is unknown, did you mean mine\?"):
        presets.delete("min")


def test_a_broken_file_is_reported_and_left_alone():
    presets.save("mine", MINE, 100)
    broken = presets_file().read_bytes().replace(b'"total_steps"', b'"total_stps"')
    presets_file().write_bytes(broken)
    for action in (presets.load, lambda: presets.save("b", MINE, 1), lambda: presets.delete("mine")):
        with pytest.raises(ConfigError, match=r"total_stps: unknown key, did you mean total_steps\?") as refused:
            action()
        assert refused.value.source == str(presets_file())
    assert presets_file().read_bytes() == broken


def test_a_file_of_a_newer_version_is_left_alone():
    presets.save("mine", MINE, 100)
    newer = json.dumps(json.loads(presets_file().read_text("utf-8")) | {"version": 2})
    presets_file().write_text(newer, "utf-8")
    with pytest.raises(ConfigError, match="of a newer entrenar_viz"):
        presets.save("b", MINE, 1)
    assert presets_file().read_text("utf-8") == newer


def test_presets_are_not_too_many():
    presets.save("mine", MINE, 100)
    raw = json.loads(presets_file().read_text("utf-8"))
    raw["presets"] = [raw["presets"][0] | {"name": f"preset {number}"} for number in range(MAX_PRESETS)]
    presets_file().write_text(json.dumps(raw), "utf-8")
    with pytest.raises(ConfigError, match="at most 200 can be kept, not 201: delete some"):
        presets.save("mine", MINE, 100)
    assert len(presets.load()) == MAX_PRESETS


def test_the_folder_is_that_of_the_operating_system_unless_named(monkeypatch):
    monkeypatch.delenv(FOLDER_VARIABLE)
    assert presets_file() == user_config_path("entrenar-viz", appauthor=False) / "presets.json"
    monkeypatch.setenv(FOLDER_VARIABLE, "elsewhere")
    assert presets_file() == Path("elsewhere/presets.json")


# Two programs at once ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("at_first", [[], ["old"]])
def test_what_another_program_saves_meanwhile_is_kept(others, at_first):
    for name in at_first:
        presets.save(name, MINE, 1)
    others.append(lambda: presets.save("theirs", MINE, 2))
    presets.save("ours", MINE, 3)
    assert list(presets.load()) == [*at_first, "theirs", "ours"]


def test_a_name_that_another_program_takes_meanwhile_is_taken(others):
    others.append(lambda: presets.save("mine", MINE, 2))
    with pytest.raises(ConfigError, match="exists already"):
        presets.save("mine", MINE, 3)
    assert presets.load()["mine"].total_steps == 2


def test_a_file_that_another_program_removes_meanwhile_is_written_anew(others):
    presets.save("old", MINE, 1)
    others.append(lambda: presets_file().unlink())
    presets.save("ours", MINE, 3)
    assert list(presets.load()) == ["ours"]


def test_a_program_that_never_gets_its_turn_says_so(others):
    presets.save("old", MINE, 1)
    pin = presets.load()["old"]
    raw = presets_file().read_text("utf-8")
    others += [
        lambda steps=steps: presets_file().write_text(raw.replace('"total_steps": 1', f'"total_steps": {steps}'))
        for steps in range(2, 2 + ATTEMPTS)
    ]
    with pytest.raises(FileExistsError, match="changed by another program"):
        presets.save("ours", MINE, 3)
    assert presets.load() == {"old": replace(pin, total_steps=1 + ATTEMPTS)}


def test_loading_presets_of_the_chapter_loads_nothing_heavy():
    code = "import sys; from entrenar_viz.workspace import presets; "
    code += "print('platformdirs' in sys.modules, len(presets.BUILT_IN))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", str(len(SCENARIOS))]
