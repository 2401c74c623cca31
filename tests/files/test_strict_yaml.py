"""YAML read strictly: what plain text stands for, and what is refused, with its line and column."""

import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from entrenar_viz import ConfigError
from entrenar_viz.files.strict_json import MAX_DEPTH
from entrenar_viz.files.strict_yaml import parse

UNICODE = {chr(9), *"\r\n 0x1eE.+-_:~!&*<>|[]{}?,'\"#%@`\\aU\ud800\ufeff\x00\x85\u2028"}


def value(text):
    read, repeated = parse(f"key: {text}\n", "")
    assert repeated == []
    return read["key"]


def problems(text):
    with pytest.raises(ConfigError) as refused:
        parse(text, "")
    return [str(problem) for problem in refused.value.problems]


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("1e-5", 1e-5),
        ("1E-5", 1e-5),
        ("1.0e-5", 1e-5),
        ("1e5", 1e5),
        (".5", 0.5),
        ("5.", 5.0),
        ("-.5e+1", -5.0),
        ("0.00001", 1e-5),
        ("10.0", 10.0),
        (".inf", float("inf")),
        ("-.INF", float("-inf")),
        ("1e400", float("inf")),
        ("7", 7),
        ("+7", 7),
        ("-0", 0),
        ("0x1F", 31),
        ("0o17", 15),
    ],
)
def test_numbers_are_those_of_yaml_1_2(text, number):
    assert (value(text), type(value(text))) == (number, type(number))


@pytest.mark.parametrize("text", ["no", "No", "off", "yes", "on", "y", "n", "True", "FALSE", "NaN", "Infinity", "inf"])
def test_words_are_text(text):
    assert value(text) == text


@pytest.mark.parametrize("text", ["1_000", "1:30", "190:20:30.5", "017", "00.5", "0b11", "-0x1F", "1e", "0x", "1.2.3"])
def test_what_only_yaml_1_1_takes_for_a_number_is_text(text):
    assert value(text) == text


@pytest.mark.parametrize("text", ["2026-11-25", "١", "1 000", "="])
def test_everything_else_is_text(text):
    assert value(text) == text


def test_true_false_null_and_quoted_text():
    assert [value(text) for text in ("true", "false")] == [True, False]
    assert [value(text) for text in ("null", "Null", "NULL", "~", "", "# a comment")] == [None] * 6
    assert [value(text) for text in ('"0.5"', "'true'", "'~'", "''", "|\n 1")] == ["0.5", "true", "~", "", "1\n"]
    assert value('{"a":[1,2.5,null,true,"x"]}') == {"a": [1, 2.5, None, True, "x"]}


@given(
    st.recursive(st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False), st.lists)
)
def test_json_of_numbers_is_yaml_with_the_same_values(values):
    assert parse(json.dumps([values]), "") == ([values], [])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: !!float 1", "a: has the tag !!float (line 1, column 4): leave it out, no tags are read"),
        ("a:\n  b: !x {}", "a.b: has the tag !x (line 2, column 6): leave it out, no tags are read"),
        ("a: ! 1", "a: has the tag ! (line 1, column 4): leave it out, no tags are read"),
        ("!!map {a: 1}", "has the tag !!map (line 1, column 1): leave it out, no tags are read"),
        ("!!str a: 1", "a: has the tag !!str (line 1, column 1): leave it out, no tags are read"),
        (
            "a: !!python/object/apply:os.system [ls]",
            "a: has the tag !!python/object/apply:os.system (line 1, column 4): leave it out, no tags are read",
        ),
        ("a: &x 1", "a: has the anchor &x (line 1, column 4): leave it out, aliases are not read"),
        ("a: [*x]", "a[0]: is the alias *x (line 1, column 5): write out what it stands for"),
        ("<<: {a: 1}", "has a merge key, << (line 1, column 1): write out what it stands for"),
        ("? [a]\n: 1", "has a key that is no text (line 1, column 3): write the name of a field"),
        ("a: 1\n---\nb: 1", "has a second document (line 2, column 1): a file holds one configuration"),
        ("%YAML 1.1\n---\na: 1", "has a directive (line 2, column 1): what is read is YAML 1.2, without tags"),
        ("%TAG !e! x:\n---\na: 1", "has a directive (line 2, column 1): what is read is YAML 1.2, without tags"),
    ],
)
def test_what_is_not_read_is_named_with_its_place(text, said):
    assert problems(text) == [said]


def test_all_that_is_not_read_is_listed_at_once_also_what_is_repeated():
    assert problems("a: &x 1\na: *x\nb: !y 2\n") == [
        "a: has the anchor &x (line 1, column 4): leave it out, aliases are not read",
        "a: is the alias *x (line 2, column 4): write out what it stands for",
        "b: has the tag !y (line 3, column 4): leave it out, no tags are read",
        "a: is written more than once",
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: b: c", "mapping values are not allowed here (line 1, column 5)"),
        ("a:\n\t- 1", "found character '\\t' that cannot start any token (line 2, column 1)"),
        ("a: [1, 2", "expected ',' or ']', but got '<stream end>' (line 1, column 9)"),
        ("a: 1\nb: \x00", "the character '\\x00' is not allowed (line 2, column 4)"),
        ("a: 1\r\nb: \u20282", "'\\u2028' ends a line in YAML 1.1 only (line 2, column 4)"),
        ("a: 1 # one\x85b: 2", "'\\x85' ends a line in YAML 1.1 only (line 1, column 11)"),
        ('a: "\\ud800"', "half a surrogate pair is no text (line 1, column 4)"),
        ('"\\ud800": 1', "half a surrogate pair is no text (line 1, column 1)"),
        ('a: "\\UFFFFFFFF"', "is not YAML that can be read"),
        ("%YAML 1.3\n---\na: 1", "is not YAML that can be read"),
        ("a: " + "9" * 5000, "a number of 5,000 characters (line 1, column 4)"),
        ("a: 0x" + "f" * 5000, "a number of 5,002 characters (line 1, column 4)"),
        ("a: 1." + "0" * 5000, "a number of 5,002 characters (line 1, column 4)"),
        ("# nothing", "it has comments only"),
        ("---\n...\n# nothing\n---\na: 1", "has a second document"),
        ("[" * 100_000, f"nested more than {MAX_DEPTH} deep (line 1, column 52)"),
        ("- " * 100_000, f"nested more than {MAX_DEPTH} deep (line 1, column 103)"),
        ("{a: " * 100_000, f"nested more than {MAX_DEPTH} deep"),
        ("? " * 100_000, f"nested more than {MAX_DEPTH} deep"),
    ],
)
def test_what_cannot_be_read_at_all(text, said):
    (problem,) = problems(text)
    assert problem.startswith(("is not YAML that can be read: ", "has a second"))
    assert said in problem


def test_aliases_that_would_grow_without_bound_are_refused_without_growing():
    lines = ["a0: &a0 [x, x]", *(f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 30))]
    assert len(problems("\n".join(lines))) == 30 + 9 * 29


def test_lines_may_end_as_they_do_on_windows():
    assert parse("a: 1\r\nb:\r\n  - 2\r\n", "") == ({"a": 1, "b": [2]}, [])


@given(st.text() | st.lists(st.sampled_from(sorted(UNICODE)), max_size=40).map("".join))
def test_no_text_whatever_raises_another_error(text):
    with suppress(ConfigError):
        parse(text, "")
