"""The trainer's YAML: the same eight keys as its JSON, as strictly, and in numbers that every loader reads."""

import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ruamel.yaml import YAML

from benchmarks.mutated_configs import BITS
from entrenar_viz import NM, ConfigError, Gradual, PruningConfig
from tests.strategies import configs

WANDA = """method: wanda
target_sparsity: 0.5
pattern:
  type: nm
  n: 2
  m: 4
schedule:
  type: gradual
  start_step: 1000
  end_step: 5000
  initial_sparsity: 0.0
  final_sparsity: 0.5
  frequency: 100
fine_tune_after_pruning: true
fine_tune_steps: 1000
fine_tune_lr: 0.00001
skip_embed_layers: true
"""
SCHEDULE = Gradual(start_step=1000, end_step=5000, initial_sparsity=0.0, final_sparsity=0.5, frequency=100)
CONFIG = PruningConfig(method="wanda", pattern=NM(n=2, m=4), schedule=SCHEDULE)
U64 = st.integers(0, 2**64 - 2)


def problems(text: str | bytes) -> dict[str, str]:
    with pytest.raises(ConfigError) as refused:
        PruningConfig.from_yaml(text)
    return {problem.where: problem.message for problem in refused.value.problems}


def edited(**lines: str) -> str:
    """``WANDA`` with other values: those of the keys ``lines``, at whatever depth."""
    text = WANDA
    for key, value in lines.items():
        before, _, after = text.partition(f"{key}: ")
        text = f"{before}{key}: {value}\n{after.partition(chr(10))[2]}"
    return text


def test_the_file_is_written_as_the_trainer_writes_it():
    assert CONFIG.to_yaml() == WANDA
    assert PruningConfig.from_yaml(WANDA) == PruningConfig.from_yaml(WANDA.encode()) == CONFIG


def test_the_file_that_the_trainer_keeps_as_its_snapshot_is_read():
    assert PruningConfig.from_yaml(edited(initial_sparsity="0")) == CONFIG


@given(configs(U64))
def test_the_round_trip_loses_nothing(config):
    again = PruningConfig.from_yaml(config.to_yaml())
    assert again == config
    assert again.to_yaml() == config.to_yaml()


@given(configs(U64), st.floats(-3e38, 3e38))
def test_json_and_yaml_are_one_configuration(config, rate):
    config = PruningConfig(**{**vars_of(config), "fine_tune_lr": rate})
    assert PruningConfig.from_yaml(config.to_yaml()) == PruningConfig.from_json(config.to_json()) == config
    assert PruningConfig.from_yaml(config.to_json()) == config  # JSON is YAML


def vars_of(config):
    return {name: getattr(config, name) for name in config.__dataclass_fields__}


@given(configs(U64), st.floats(-3e38, 3e38))
def test_loaders_of_yaml_1_1_and_1_2_read_the_values_of_the_json(config, rate):
    yaml = pytest.importorskip("yaml")
    config = PruningConfig(**{**vars_of(config), "fine_tune_lr": rate})
    text, values = config.to_yaml(), json.loads(config.to_json())
    assert yaml.safe_load(text) == YAML(typ="safe", pure=True).load(text) == values


def test_a_small_number_may_be_written_with_an_exponent():
    assert PruningConfig.from_yaml(edited(fine_tune_lr="1e-5")) == CONFIG


def test_comments_flow_style_and_quoted_keys_are_fine():
    text = WANDA.replace("pattern:\n  type: nm\n  n: 2\n  m: 4\n", '"pattern": {type: nm, "n": 2, m: 4}  # 2:4\n')
    assert PruningConfig.from_yaml(f"%YAML 1.2\n---\n# tried on Monday\n{text}...\n") == CONFIG


def test_all_problems_at_once_each_with_its_place():
    text = edited(target_sparsity="1.5", n="4", frequency="10.0", fine_tune_after_pruning="yes", fine_tune_lr='"0.5"')
    text = text.replace("skip_embed_layers", "skip_embed_layer").replace("end_step: 5000", "end_step: 017")
    assert problems(text) == {
        "target_sparsity": "target_sparsity (1.5) must be between 0.0 and 1.0",
        "pattern.m": "N (4) must be less than M (4)",
        "schedule.end_step": "must be a whole number written without a decimal point, not '017'",
        "schedule.frequency": "must be a whole number written without a decimal point, not 10.0",
        "fine_tune_after_pruning": "must be true or false, not 'yes'",
        "fine_tune_lr": "must be a number, not '0.5'",
        "skip_embed_layers": "is missing",
        "skip_embed_layer": "unknown key, did you mean skip_embed_layers?",
    }


@pytest.mark.parametrize(
    ("key", "yaml", "python"),
    [
        ("target_sparsity", ".nan", "NaN"),
        ("target_sparsity", "-.inf", "-Infinity"),
        ("fine_tune_lr", ".inf", "Infinity"),
        ("fine_tune_lr", "1e400", "1e400"),
        ("fine_tune_lr", "true", "true"),
        ("fine_tune_lr", "~", "null"),
        ("method", "wandas", '"wandas"'),
        ("method", "1", "1"),
        ("skip_embed_layers", "1", "1"),
        ("fine_tune_steps", "18446744073709551616", "18446744073709551616"),
        ("fine_tune_steps", "-1", "-1"),
        ("fine_tune_steps", "[1]", "[1]"),
    ],
)
def test_a_wrong_value_is_refused_in_the_words_of_json(key, yaml, python):
    values = json.loads(CONFIG.to_json())
    text = json.dumps(values | {key: "HERE"}).replace('"HERE"', python)
    with pytest.raises(ConfigError) as refused:
        PruningConfig.from_json(text)
    assert problems(edited(**{key: yaml})) == {one.where: one.message for one in refused.value.problems}


def test_missing_and_repeated_keys():
    assert set(problems("{}")) == set(json.loads(CONFIG.to_json()))
    assert problems(WANDA + "method: magnitude\n") == {"method": "is written more than once"}
    assert problems(WANDA.replace("  n: 2\n", "  n: 2\n  n: 1\n")) == {"pattern.n": "is written more than once"}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b" \n", "is empty"),
        ("# nothing but this\n", "comments only"),
        (b"\xef\xbb\xbf" + WANDA.encode(), "byte order mark"),
        (b"\xff\xfe", "is not UTF-8"),
        ("- 1", "must be a YAML mapping with the eight keys of the trainer"),
        ("wanda", "must be a YAML mapping"),
        ("null", "must be a YAML mapping"),
        (WANDA + "---\n" + WANDA, "second document"),
        ("format: entrenar-viz session", "load a session with Session.load"),
        (None, "must be the text of a pruning configuration"),
        (b" " * (1 << 21), "larger than 1 MiB"),
    ],
)
def test_what_is_no_configuration_at_all(content, message):
    assert message in problems(content)[""]


def test_tags_anchors_and_aliases_are_refused():
    text = edited(method="!!str wanda", target_sparsity="&half 0.5", final_sparsity="*half")
    assert set(problems(text)) == {"method", "target_sparsity", "schedule.final_sparsity"}


@given(st.one_of(st.binary(), st.text(), st.lists(st.sampled_from(BITS)).map("".join)))
def test_no_bytes_whatever_raise_another_error(content):
    with pytest.raises(ConfigError):
        PruningConfig.from_yaml(content)


@given(st.data())
def test_no_damage_to_a_good_file_raises_another_error(data):
    place, length = data.draw(st.integers(0, len(WANDA))), data.draw(st.integers(0, 20))
    noise = data.draw(st.binary(max_size=8) | st.sampled_from(BITS).map(str.encode))
    with suppress(ConfigError):
        config = PruningConfig.from_yaml(WANDA.encode()[:place] + noise + WANDA.encode()[place + length :])
        assert PruningConfig.from_yaml(config.to_yaml()) == config


# Files ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["pruning.yaml", "pruning.yml", "PRUNING.YAML", "my.pruning.Yml"])
def test_the_name_of_a_file_says_that_it_is_yaml(tmp_path, name):
    path = CONFIG.save(tmp_path / name)
    assert path.read_bytes() == WANDA.encode()
    assert PruningConfig.load(path) == PruningConfig.load(str(path)) == CONFIG
    with pytest.raises(FileExistsError, match="overwrite=True"):
        CONFIG.save(path)


@pytest.mark.parametrize("name", ["pruning.json", "pruning", "pruning.yaml.bak", "yaml"])
def test_every_other_file_is_json(tmp_path, name):
    path = CONFIG.save(tmp_path / name)
    assert path.read_text() == CONFIG.to_json()
    assert PruningConfig.load(path) == CONFIG


def test_what_is_wrong_in_a_file_is_said_with_its_name(tmp_path):
    path = tmp_path / "pruning.yaml"
    path.write_text(edited(target_sparsity="1.5"))
    with pytest.raises(ConfigError, match=r"pruning\.yaml: target_sparsity: target_sparsity \(1\.5\) must be"):
        PruningConfig.load(path)
    with pytest.raises(ConfigError, match="No such file"):
        PruningConfig.load(tmp_path / "none.yaml")
