"""YAML read as strictly as JSON: one document of plain values, by the core schema of YAML 1.2.

ruamel.yaml finds the structure, as a stream of events. What a value is, is decided here, since its own constructors
follow tags and aliases, and take ``2026-11-25`` for a date and ``1_000`` for a number.
"""

import re
from collections.abc import Iterator
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
)
from ruamel.yaml.reader import ReaderError

from entrenar_viz.errors import ConfigError, Problem
from entrenar_viz.files.strict_json import MAX_DEPTH, TOO_DEEP, Object, joined, refused, repeated

WORDS = {"": None, "~": None, "null": None, "Null": None, "NULL": None, "true": True, "false": False}
"""What stands for no text. Unlike the core schema not True and TRUE: the trainer takes them for text."""
NOT_FINITE = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]*)|0o[0-7]+|0x[0-9a-fA-F]+")
FLOAT = re.compile(r"[-+]?(\.[0-9]+|(0|[1-9][0-9]*)(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
"""Numbers of the core schema, but for those with leading zeros: 017 is 15 in YAML 1.1, and text to the trainer."""
BREAKS_OF_1_1 = re.compile("[\x85\u2028\u2029]")
MAX_DIGITS = 1000  # the smallest number of 64 bits has 326 as a plain decimal


def parse(text: str, source: str) -> tuple[Any, list[Problem]]:
    """The value that ``text`` stands for, and a problem for each key in it that is written more than once."""
    try:
        if found := BREAKS_OF_1_1.search(text):
            raise ValueError(f"{found[0]!r} ends a line in YAML 1.1 only{_at_character(text, found.start())}")
        document = _Document(text)
        value = document.read()
        twice = repeated(value)
    except (YAMLError, ValueError, OverflowError, AssertionError) as error:  # the last two: "\UFFFFFFFF", %YAML 1.3
        raise refused(f"is not YAML that can be read: {_said(error, text)}", source) from None
    if document.refused:
        raise ConfigError(document.refused + twice, source)
    return value, twice


class _Document:
    """The one document of a text, and in ``refused`` what it uses that is not read."""

    def __init__(self, text: str) -> None:
        self.refused: list[Problem] = []
        self._events: Iterator[Any] = YAML(typ="safe", pure=True).parse(text)

    def read(self) -> Any:
        """The value of the document; YAMLError or ValueError where it cannot be read."""
        next(self._events)  # the stream starts
        start = next(self._events)
        if not isinstance(start, DocumentStartEvent):
            raise ValueError("it has comments only")
        if start.version not in (None, (1, 2)) or start.tags:
            self._refuse(start, (), "has a directive", "what is read is YAML 1.2, without tags")
        value = self._value(next(self._events), ())
        next(self._events)  # the document ends
        after = next(self._events)
        if not isinstance(after, StreamEndEvent):
            self._refuse(after, (), "has a second document", "a file holds one configuration")
        return value

    def _value(self, event: Any, location: tuple[str | int, ...]) -> Any:
        if len(location) > MAX_DEPTH:
            raise ValueError(f"{TOO_DEEP}{_at(event)}")
        self._look_for_references(event, location)
        match event:
            case ScalarEvent():
                return _text(event) if event.style else plain_value(_text(event), _at(event))
            case SequenceStartEvent():
                items = enumerate(self._until(SequenceEndEvent))
                return [self._value(item, (*location, index)) for index, item in items]
            case MappingStartEvent():
                return Object([self._pair(key, location) for key in self._until(MappingEndEvent)])
        return None  # an alias, which is refused

    def _until(self, end: type[Event]) -> Iterator[Any]:
        while not isinstance(event := next(self._events), end):
            yield event

    def _pair(self, key: Any, location: tuple[str | int, ...]) -> tuple[str, Any]:
        if isinstance(key, ScalarEvent):
            name = _text(key)
            self._look_for_references(key, (*location, name))
            if name == "<<" and not key.style:
                self._refuse(key, location, "has a merge key, <<", "write out what it stands for")
        else:
            name = "?"
            self._value(key, (*location, name))
            self._refuse(key, location, "has a key that is no text", "write the name of a field")
        return name, self._value(next(self._events), (*location, name))

    def _look_for_references(self, event: Any, location: tuple[str | int, ...]) -> None:
        if isinstance(event, AliasEvent):
            self._refuse(event, location, f"is the alias *{event.anchor}", "write out what it stands for")
        elif event.anchor:
            self._refuse(event, location, f"has the anchor &{event.anchor}", "leave it out, aliases are not read")
        if tag := getattr(event, "tag", None):
            shown = tag.replace("tag:yaml.org,2002:", "!!")
            self._refuse(event, location, f"has the tag {shown}", "leave it out, no tags are read")

    def _refuse(self, event: Any, location: tuple[str | int, ...], what: str, fix: str) -> None:
        self.refused.append(Problem(joined(location), f"{what}{_at(event)}: {fix}"))


def plain_value(text: str, where: str = "") -> bool | int | float | str | None:
    """What ``text`` stands for where it is written without quotes; ValueError for a number that is too long.

    >>> [plain_value(text) for text in ("1e-5", "0x10", "no", "1_000", "017", "")]
    [1e-05, 16, 'no', '1_000', '017', None]
    """
    if text in WORDS:
        return WORDS[text]
    if NOT_FINITE.fullmatch(text):
        return float(text.replace(".", ""))
    whole, number = INTEGER.fullmatch(text), FLOAT.fullmatch(text)
    if (whole or number) and len(text) > MAX_DIGITS:
        raise ValueError(f"a number of {len(text):,} characters{where}")
    return int(text, 0) if whole else float(text) if number else text


def _text(scalar: Any) -> str:
    text = str(scalar.value)
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ValueError(f"half a surrogate pair is no text{_at(scalar)}") from None
    return text


def _at(event: Any) -> str:
    return f" (line {event.start_mark.line + 1}, column {event.start_mark.column + 1})"


def _at_character(text: str, position: int) -> str:
    before = re.split("\r\n|\r|\n", text[:position])
    return f" (line {len(before)}, column {len(before[-1]) + 1})"


def _said(error: Exception, text: str) -> str:
    """What is wrong, on one line, and where."""
    if isinstance(error, ReaderError):
        return f"the character {chr(error.character)!r} is not allowed{_at_character(text, error.position)}"
    if isinstance(error, MarkedYAMLError) and (mark := error.problem_mark or error.context_mark):
        words = ", ".join(filter(None, (error.context, error.problem)))
        return f"{words} (line {mark.line + 1}, column {mark.column + 1})"
    return " ".join(str(error).split())
