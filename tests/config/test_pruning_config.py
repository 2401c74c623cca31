"""The trainer's JSON, read strictly and written exactly."""

import json
import os
from contextlib import suppress
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from entrenar_viz import NM, Block, ConfigError, Cubic, Gradual, OneShot, PruningConfig, json_schema
from tests.strategies import configs

WANDA = """{
  "method": "wanda",
  "target_sparsity": 0.5,
  "pattern": {"type": "nm", "n": 2, "m": 4},
  "schedule": {"type": "gradual", "start_step": 1000, "end_step": 5000, "initial_sparsity": 0.0, \
"final_sparsity": 0.5, "frequency": 100},
  "fine_tune_after_pruning": true,
  "fine_tune_steps": 1000,
  "fine_tune_lr": 0.00001,
  "skip_embed_layers": true
}
"""
U64 = st.integers(0, 2**64 - 2)


def problems(text: str | bytes) -> dict[str, str]:
    with pytest.raises(ConfigError) as refused:
        PruningConfig.from_json(text)
    return {problem.where: problem.message for problem in refused.value.problems}


def edited(**fields) -> str:
    return json.dumps(json.loads(WANDA) | fields)


def test_the_file_of_the_trainer_is_written_to_the_letter():
    schedule = Gradual(start_step=1000, end_step=5000, initial_sparsity=0.0, final_sparsity=0.5, frequency=100)
    config = PruningConfig(method="wanda", pattern=NM(n=2, m=4), schedule=schedule)
    assert config.to_json() == WANDA
    assert PruningConfig.from_json(WANDA) == config
    assert PruningConfig.from_json(WANDA.encode()) == config


def test_the_defaults_are_the_trainers():
    assert json.loads(PruningConfig().to_json()) == {
        "method": "magnitude",
        "target_sparsity": 0.5,
        "pattern": {"type": "unstructured"},
        "schedule": {"type": "one_shot", "step": 0},
        "fine_tune_after_pruning": True,
        "fine_tune_steps": 1000,
        "fine_tune_lr": 1e-5,
        "skip_embed_layers": True,
    }


@given(configs(U64))
def test_the_round_trip_loses_nothing(config):
    again = PruningConfig.from_json(config.to_json())
    assert again == config
    assert again.to_json() == config.to_json()


@given(configs())
def test_integers_are_written_as_integers(config):
    for key, value in json.loads(config.to_json())["schedule"].items():
        assert isinstance(value, str | (float if "sparsity" in key else int))


def test_all_problems_at_once_each_with_its_place():
    text = edited(
        method="wandas",
        target_sparsity=1.5,
        pattern={"type": "nm", "n": 4, "m": 4},
        schedule={
            "type": "gradual",
            "start_step": 5000,
            "end_step": 1000,
            "initial_sparsity": -0.1,
            "final_sparsity": 2,
            "frequency": 10.0,
        },
        fine_tune_after_pruning=1,
        fine_tune_steps=-1,
        fine_tune_lr="high",
        skip_embed_layer=True,
    )
    assert problems(text) == {
        "method": "'wandas' is unknown: use one of "
        "'magnitude', 'wanda', 'sparse_gpt', 'minitron_depth' or 'minitron_width'",
        "target_sparsity": "target_sparsity (1.5) must be between 0.0 and 1.0",
        "pattern.m": "N (4) must be less than M (4)",
        "schedule.end_step": "end_step (1000) must be greater than start_step (5000)",
        "schedule.initial_sparsity": "initial_sparsity (-0.1) must be between 0.0 and 1.0",
        "schedule.final_sparsity": "final_sparsity (2) must be between 0.0 and 1.0",
        "schedule.frequency": "must be a whole number written without a decimal point, not 10.0",
        "fine_tune_after_pruning": "must be true or false, not 1",
        "fine_tune_steps": "must be between 0 and 18446744073709551615, not -1",
        "fine_tune_lr": "must be a number, not 'high'",
        "skip_embed_layer": "unknown key, did you mean skip_embed_layers?",
    }


@pytest.mark.parametrize(
    ("schedule", "where", "message"),
    [
        ({"type": "cubic", "start_step": 1, "end_step": 1, "final_sparsity": 0.5}, "schedule.end_step", "greater than"),
        ({"type": "cubic", "start_step": 1, "final_sparsity": 0.5}, "schedule.end_step", "is missing"),
        ({"type": "one_shot", "step": 2**64}, "schedule.step", "must be between 0 and 18446744073709551615"),
        ({"type": "one_shot", "step": True}, "schedule.step", "whole number"),
        ({"type": "one_shot", "step": None}, "schedule.step", "whole number"),
        ({"type": "one_shot", "stp": 1}, "schedule.stp", "did you mean step?"),
        ({"type": "one_shot", "step": 1, "zzz": 1}, "schedule.zzz", "known here: type, step"),
        ({"type": "oneshot", "step": 1}, "schedule", "'oneshot' is unknown: use one of 'one_shot'"),
        ({"step": 1}, "schedule", 'has no "type"'),
        ("one_shot", "schedule", "object"),
    ],
)
def test_problems_of_a_schedule(schedule, where, message):
    assert message in problems(edited(schedule=schedule))[where]


@pytest.mark.parametrize(
    ("pattern", "where", "message"),
    [
        ({"type": "nm", "n": 0, "m": 0}, "pattern.m", "M cannot be 0: N (0) must be less than M (0)"),
        ({"type": "block", "height": 0, "width": 4}, "pattern.height", "Block dimensions must be non-zero"),
        ({"type": "block", "height": 4, "width": 0}, "pattern.width", "Block dimensions must be non-zero"),
        ({"type": "row", "height": 4}, "pattern.height", "unknown key"),
    ],
)
def test_problems_of_a_pattern(pattern, where, message):
    assert message in problems(edited(pattern=pattern))[where]


def test_n_of_zero_passes_here_as_it_passes_the_trainer():
    assert PruningConfig.from_json(edited(pattern={"type": "nm", "n": 0, "m": 4})).pattern == NM(n=0, m=4)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b" \n", "is empty"),
        (b"\xef\xbb\xbf" + WANDA.encode(), "byte order mark"),
        (WANDA + "x", "is not JSON: Extra data (line 11, column 1)"),
        (WANDA[:-30], "is not JSON"),
        (b"\xff\xfe", "is not UTF-8"),
        ('"\ud800"', "is not UTF-8"),
        ("[1]", "must be a JSON object"),
        ("null", "must be a JSON object"),
        ("1" * 5000, "is not JSON that can be read"),
        ("[" * 100_000, "is not JSON that can be read"),
        ('{"a":' * 600 + "1" + "}" * 600, "is not JSON that can be read"),
        (None, "must be the text of a pruning configuration"),
        (b" " * (1 << 21), "larger than 1 MiB"),
    ],
)
def test_what_is_no_configuration_at_all(content, message):
    assert message in problems(content)[""]


def test_missing_and_repeated_keys():
    assert set(problems("{}")) == set(json.loads(WANDA))
    twice = WANDA.replace('"method": "wanda"', '"method": "wanda", "method": "magnitude"')
    assert problems(twice) == {"method": "is written more than once"}
    nested = WANDA.replace('"n": 2', '"n": 2, "n": 1')
    assert problems(nested) == {"pattern.n": "is written more than once"}


@pytest.mark.parametrize("word", ["NaN", "Infinity", "-Infinity", "1e400"])
@pytest.mark.parametrize("key", ["target_sparsity", "fine_tune_lr"])
def test_numbers_that_are_none(word, key):
    value = {"target_sparsity": "0.5", "fine_tune_lr": "0.00001"}[key]
    assert key in problems(WANDA.replace(f'"{key}": {value}', f'"{key}": {word}'))


@given(st.one_of(st.binary(), st.text(), st.recursive(st.none() | st.integers() | st.text(), st.lists).map(json.dumps)))
def test_no_bytes_whatever_raise_another_error(content):
    with pytest.raises(ConfigError):
        PruningConfig.from_json(content)


@given(st.data())
def test_no_damage_to_a_good_file_raises_another_error(data):
    place, length = data.draw(st.integers(0, len(WANDA))), data.draw(st.integers(0, 20))
    damaged = WANDA.encode()[:place] + data.draw(st.binary(max_size=8)) + WANDA.encode()[place + length :]
    with suppress(ConfigError):
        config = PruningConfig.from_json(damaged)
        assert PruningConfig.from_json(config.to_json()) == config


def test_python_values_are_checked_in_the_same_words():
    with pytest.raises(ConfigError, match="2 problems") as refused:
        PruningConfig(target_sparsity=float("nan"), schedul=OneShot(step=0))
    assert [str(problem) for problem in refused.value.problems] == [
        "target_sparsity: target_sparsity (NaN) must be between 0.0 and 1.0",
        "schedul: unknown key, did you mean schedule?",
    ]
    with pytest.raises(ConfigError, match="named fields"):
        PruningConfig(schedule={"type": "one_shot", "step": 0})
    with pytest.raises(ConfigError, match="width: is missing"):
        Block(height=4)
    with pytest.raises(ConfigError, match="must be between"):
        replace(PruningConfig(), target_sparsity=2.0)


def test_numpy_numbers_are_numbers():
    config = PruningConfig(target_sparsity=np.float32(0.5), fine_tune_steps=np.int32(7))
    assert config == PruningConfig(target_sparsity=0.5, fine_tune_steps=7)
    assert Cubic(start_step=np.uint64(0), end_step=np.int16(9), final_sparsity=np.float16(0.5)).end_step == 9


def test_a_sparsity_is_judged_after_rounding_to_f32_as_the_trainer_does():
    assert PruningConfig(target_sparsity=1.00000001).target_sparsity == 1.00000001
    with pytest.raises(ConfigError):
        PruningConfig(target_sparsity=1.0000001)


# Files ---------------------------------------------------------------------------------------------------------------


def test_save_and_load(tmp_path):
    path = PruningConfig().save(tmp_path / "pruning.json")
    assert path.read_bytes() == PruningConfig().to_json().encode()
    assert PruningConfig.load(path) == PruningConfig()
    assert [p.name for p in tmp_path.iterdir()] == ["pruning.json"]


def test_saving_does_not_overwrite_without_being_told(tmp_path):
    path = tmp_path / "pruning.json"
    path.write_text("mine")
    with pytest.raises(FileExistsError, match="overwrite=True"):
        PruningConfig().save(path)
    assert path.read_text() == "mine"
    path.chmod(0o640)
    PruningConfig().save(path, overwrite=True)
    assert PruningConfig.load(path) == PruningConfig()
    assert path.stat().st_mode & 0o777 == 0o640
    assert len(list(tmp_path.iterdir())) == 1


def test_saving_to_where_nothing_can_be_saved(tmp_path):
    with pytest.raises(IsADirectoryError, match="add a file name"):
        PruningConfig().save(tmp_path)
    with pytest.raises(FileNotFoundError, match="create that folder first"):
        PruningConfig().save(tmp_path / "no" / "pruning.json")


def test_a_file_system_without_hard_links_will_do(tmp_path, monkeypatch):
    def unsupported(source, target):
        raise PermissionError("Operation not permitted")

    monkeypatch.setattr(os, "link", unsupported)
    path = PruningConfig().save(tmp_path / "pruning.json")
    with pytest.raises(FileExistsError, match="overwrite=True"):
        PruningConfig(target_sparsity=0.9).save(path)
    assert PruningConfig.load(path) == PruningConfig()
    assert len(list(tmp_path.iterdir())) == 1


def test_a_failed_write_leaves_the_old_file_alone(tmp_path, monkeypatch):
    path = PruningConfig().save(tmp_path / "pruning.json")

    def fail(descriptor):
        raise OSError("the disk is full")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="the disk is full"):
        PruningConfig(target_sparsity=0.9).save(path, overwrite=True)
    assert PruningConfig.load(path) == PruningConfig()
    assert len(list(tmp_path.iterdir())) == 1


def test_loading_what_is_no_file(tmp_path):
    huge = tmp_path / "huge.json"
    with huge.open("wb") as file:
        file.truncate(200 << 20)
    for path, message in [
        (tmp_path, "folder or a device"),
        ("/dev/zero", "folder or a device"),
        (tmp_path / "none.json", "No such file"),
        ("nul\0byte", "is no path"),
        (huge, "larger than 1 MiB"),
    ]:
        with pytest.raises(ConfigError, match=message) as refused:
            PruningConfig.load(path)
        assert str(refused.value).startswith(str(path))


def test_the_schema_names_what_the_trainer_needs():
    schema = json_schema()
    assert schema["required"] == list(json.loads(WANDA))
    assert schema["additionalProperties"] is False
    assert schema["properties"]["target_sparsity"]["maximum"] == 1.0
    assert schema["$defs"]["Cubic"]["properties"]["end_step"]["minimum"] == 0
    assert json.loads(json.dumps(schema)) == schema
