"""Sessions and pins: kept whole, read strictly."""

import json
from contextlib import suppress
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from entrenar_viz import ConfigError, Cubic, Pin, PruningConfig, Session, Training
from entrenar_viz.workspace.session import FORMAT, MAX_PINS
from tests.strategies import configs

U64 = st.integers(0, 2**64 - 2)
LETTERS = st.characters(categories=["L", "N", "P", "S"])
NAMES = st.text(LETTERS, min_size=1, max_size=80)
SESSION = Session(
    config=PruningConfig(schedule=Cubic(start_step=0, end_step=9, final_sparsity=0.7)),
    total_steps=39,
    training=Training(dataset_size=100, batch_size=8, epochs=3),
    pins=(Pin(name="half", config=PruningConfig(), total_steps=10),),
)


@st.composite
def sessions(draw):
    count = st.integers(1, 2**20)
    training = st.builds(Training, dataset_size=count, batch_size=count, gradient_accumulation=count, epochs=count)
    pins = st.lists(
        st.builds(Pin, name=NAMES, config=configs(U64), total_steps=U64), max_size=4, unique_by=lambda pin: pin.name
    )
    counted = draw(st.none() | training)
    total_steps = counted.total_steps if counted else draw(U64)
    return Session(config=draw(configs(U64)), total_steps=total_steps, training=counted, pins=draw(pins))


def edited(edit):
    raw = json.loads(SESSION.to_json())
    edit(raw)
    return json.dumps(raw)


def problems(text):
    with pytest.raises(ConfigError) as refused:
        Session.from_json(text)
    return {problem.where: problem.message for problem in refused.value.problems}


@given(sessions())
def test_a_session_comes_back_as_it_was(session):
    assert Session.from_json(session.to_json()) == session
    assert Session.from_json(session.to_json().encode()) == session


def test_files(tmp_path):
    path = SESSION.save(tmp_path / "mine.json")
    assert Session.load(path) == SESSION
    with pytest.raises(FileExistsError, match="overwrite=True"):
        replace(SESSION, total_steps=1, training=None).save(path)
    replace(SESSION, total_steps=1, training=None).save(path, overwrite=True)
    assert Session.load(path).total_steps == 1
    with pytest.raises(ConfigError, match=r"none\.json: cannot be read"):
        Session.load(tmp_path / "none.json")


def test_names_are_readable_in_the_file():
    assert '"name": "größer | <b>"' in replace(SESSION, pins=[replace(SESSION.pins[0], name="größer | <b>")]).to_json()


def test_all_problems_at_once_each_with_its_place():
    def spoil(raw):
        schedule = {"type": "cubic", "start_step": 3, "end_step": 2, "final_sparsit": 1}
        raw["config"] = raw["config"] | {"schedule": schedule}
        del raw["training"]["drop_last"], raw["total_steps"], raw["pins"][0]["config"]["method"]
        raw["training"]["epoch"] = 2
        raw["pins"] += [{"nam": "x"}, 7]

    assert problems(edited(spoil)) == {
        "total_steps": "is missing",
        "training.drop_last": "is missing",
        "training.epoch": "unknown key, did you mean epochs?",
        "config.schedule.end_step": "end_step (2) must be greater than start_step (3)",
        "config.schedule.final_sparsity": "is missing",
        "config.schedule.final_sparsit": "unknown key, did you mean final_sparsity?",
        "pins[0].config.method": "is missing",
        "pins[1].name": "is missing",
        "pins[1].config": "is missing",
        "pins[1].total_steps": "is missing",
        "pins[1].nam": "unknown key, did you mean name?",
        "pins[2]": "must be an object with named fields, not 7",
    }


def test_a_problem_is_said_once():
    with pytest.raises(ConfigError) as refused:
        Session.from_json(edited(lambda raw: raw.pop("config")))
    assert [str(problem) for problem in refused.value.problems] == ["config: is missing"]


def test_a_training_that_makes_other_steps_is_refused():
    message = "makes 39 steps, but total_steps is 40: let them agree, or set training to null to count in steps only"
    assert problems(edited(lambda raw: raw.update(total_steps=40))) == {"training": message}
    with pytest.raises(ConfigError, match="training: makes 39 steps"):
        replace(SESSION, total_steps=40)
    both = problems(edited(lambda raw: raw.update(total_steps=-1)))
    assert list(both) == ["total_steps"]
    assert replace(SESSION, total_steps=40, training=None).total_steps == 40


@pytest.mark.parametrize("key", ["pins", "training", "config", "total_steps"])
def test_every_field_must_be_there(key):
    assert problems(edited(lambda raw: raw.pop(key))) == {key: "is missing"}


def test_repeated_keys_are_refused_wherever_they_are():
    text = SESSION.to_json().replace('"name": "half"', '"name": "half", "name": "other"')
    assert problems(text) == {"pins[0].name": "is written more than once"}


@pytest.mark.parametrize(
    ("text", "where", "message"),
    [
        ("", "", "is empty"),
        ("[]", "format", 'does not say "format": "entrenar-viz session"'),
        ('{"method": "magnitude"}', "format", "is no entrenar-viz session"),
        (PruningConfig().to_json(), "", "is a pruning configuration: load it with PruningConfig.load"),
        ("[" * 5000, "", "is not JSON"),
        ('{"a": ' * 60 + "1" + "}" * 60, "", "nested more than 50 deep"),
        (" " * (1 << 21), "", "larger than 1 MiB: this is not an entrenar-viz session"),
        (None, "", "must be the text of an entrenar-viz session"),
    ],
)
def test_what_is_no_session(text, where, message):
    assert message in problems(text)[where]


@given(st.data())
def test_no_damage_to_a_good_file_raises_another_error(data):
    good = SESSION.to_json().encode()
    place, length = data.draw(st.integers(0, len(good))), data.draw(st.integers(0, 20))
    damaged = good[:place] + data.draw(st.binary(max_size=8)) + good[place + length :]
    with suppress(ConfigError):
        session = Session.from_json(damaged)
        assert Session.from_json(session.to_json()) == session


# Versions ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("version", "message"),
    [
        (2, "is 2, of a newer entrenar_viz: this one reads up to 1, upgrade it"),
        (0, "must be 1, not 0"),
        (True, "must be 1, not True"),
        (1.0, "must be 1, not 1.0"),
        ("1", "must be 1, not '1'"),
        ([1], r"must be 1, not [1]"),
    ],
)
def test_versions_that_cannot_be_read(version, message):
    assert problems(edited(lambda raw: raw.update(version=version))) == {"version": message}


def test_an_older_version_is_read_by_giving_its_fields_as_those_of_the_next():
    def without_pins(raw):
        raw["version"], raw["steps"] = 0, raw.pop("total_steps")
        del raw["pins"]

    def from_version_0(old):
        return {"total_steps": old["steps"], "pins": []} | {key: old[key] for key in ("config", "training")}

    reader = replace(FORMAT, upgrades={0: from_version_0})
    assert reader.load(edited(without_pins)) == replace(SESSION, pins=())
    assert reader.load(SESSION.to_json()) == SESSION


# Names ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["a", "x" * 80, "70 %, cubic", "größer", "<img src=x>", "👩‍💻", "میخواهم"])
def test_names_that_are_fine(name):
    assert Pin(name=name, config=PruningConfig(), total_steps=1).name == name


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("", "must not be empty"),
        (" ", "must not be empty"),
        ("a ", "nor begin or end with a space"),
        ("x" * 81, "at most 80 characters, not 81"),
        ("a\nb", "no control characters"),
        ("a\x00b", "no control characters"),
        ("a\x1b[31mb", "no control characters"),
        ("a\u202eb", "no control characters"),
        ("a\u2028b", "no control characters"),
        (7, "must be text, not 7"),
    ],
)
def test_names_that_are_none(name, message):
    with pytest.raises(ConfigError, match=message) as refused:
        Pin(name=name, config=PruningConfig(), total_steps=1)
    assert [problem.where for problem in refused.value.problems] == ["name"]


def test_half_a_character_is_no_name():
    with pytest.raises(ConfigError):
        Pin(name="a\ud800b", config=PruningConfig(), total_steps=1)
    assert problems(edited(lambda raw: raw["pins"][0].update(name="a\ud800b")))


def test_pins_differ_in_name_and_are_not_too_many():
    pin = SESSION.pins[0]
    with pytest.raises(ConfigError, match="names must differ, but more than one is 'half'"):
        replace(SESSION, pins=(pin, pin))
    many = [replace(pin, name=f"pin {number}") for number in range(MAX_PINS + 1)]
    assert len(replace(SESSION, pins=many[:MAX_PINS]).pins) == MAX_PINS
    with pytest.raises(ConfigError, match="at most 50 can be kept, not 51"):
        replace(SESSION, pins=many)
    with pytest.raises(ConfigError, match="must be a list, not 7"):
        replace(SESSION, pins=7)


def test_an_empty_path_is_not_the_folder_that_one_is_in():
    for load, what in ((Session.load, "JSON"), (PruningConfig.load, "JSON or YAML")):
        with pytest.raises(ConfigError, match=rf"^the path is empty: name a {what} file$"):
            load("")


def test_a_session_given_as_a_configuration_says_what_it_is():
    with pytest.raises(ConfigError) as refused:
        PruningConfig.from_json(SESSION.to_json())
    (problem,) = refused.value.problems
    assert problem.message.startswith("is an entrenar-viz session, not a configuration: load a session with")
