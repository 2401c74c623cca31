"""JSON read strictly: one object, UTF-8, of a sane size, no key written twice; whatever is wrong is a ConfigError."""

import json
import os
import stat
from collections import Counter
from pathlib import Path
from typing import Any

from entrenar_viz.errors import ConfigError, Problem

MAX_FILE_BYTES = 1 << 20  # a configuration has 500 bytes; a file of this size is something else

MAX_DEPTH = 50  # our deepest file has 5; whatever walks through it later must not run out of stack
TOO_DEEP = f"it is nested more than {MAX_DEPTH} deep"


class Object(dict[str, Any]):
    """An object of JSON, a mapping of YAML, that remembers which keys were written twice."""

    def __init__(self, pairs: list[tuple[str, Any]]) -> None:
        super().__init__(pairs)
        counts = Counter(key for key, _ in pairs)
        self.repeated = [key for key, count in counts.items() if count > 1]


def read_bytes(given: str | os.PathLike[str], most: int = MAX_FILE_BYTES, what: str = "a JSON file") -> bytes:
    """What the file holds, up to one byte more than ``most``; ConfigError if it cannot be read as ``what`` it is."""
    if not os.fspath(given):
        raise refused(f"the path is empty: name {what}", "")
    path = Path(given)
    try:
        regular = stat.S_ISREG(path.stat().st_mode)
        if regular:
            with path.open("rb") as file:
                return file.read(most + 1)
    except OSError as error:
        raise refused(f"cannot be read: {error.strerror}", str(path)) from None
    except ValueError as error:  # a NUL in the name
        raise refused(f"is no path: {error}", str(path)) from None
    raise refused(f"is not a file but a folder or a device: name {what}", str(path))


def as_text(content: str | bytes, source: str, what: str, most: int = MAX_FILE_BYTES) -> str:
    """``content`` as text that JSON or YAML may be; ``what`` names it in the refusals (``a configuration``)."""
    if not isinstance(content, str | bytes):
        raise refused(f"must be the text of {what}, not {content!r:.60}", source)
    if len(content) > most:
        raise refused(f"is larger than {most >> 20} MiB: this is not {what}", source)
    try:
        text = content.decode() if isinstance(content, bytes) else content
        text.encode()  # half a surrogate pair is no text either
    except UnicodeError as error:
        raise refused(f"is not UTF-8 text: {error.reason} at {error.start}", source) from None  # type: ignore[attr-defined]
    if text.startswith("\ufeff"):
        raise refused("starts with a byte order mark: save it as UTF-8 without BOM", source)
    if not text.strip():
        raise refused("is empty", source)
    return text


def parse(text: str, source: str) -> tuple[Any, list[Problem]]:
    """The value that ``text`` stands for, and a problem for each key in it that is written more than once."""
    try:
        raw = json.loads(text, object_pairs_hook=Object)
        return raw, repeated(raw)
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise refused(f"is not JSON: {error.msg} ({where})", source) from None
    except (RecursionError, ValueError) as error:
        raise refused(f"is not JSON that can be read: {error}", source) from None


def refused(message: str, source: str) -> ConfigError:
    """The error for a text of which nothing can be read."""
    return ConfigError([Problem("", message)], source)


def repeated(value: Any, location: tuple[str | int, ...] = ()) -> list[Problem]:
    """A problem for each key that is written more than once; ValueError below ``MAX_DEPTH``."""
    if len(location) > MAX_DEPTH:
        raise ValueError(TOO_DEEP)
    if isinstance(value, list):
        return [problem for index, child in enumerate(value) for problem in repeated(child, (*location, index))]
    if not isinstance(value, Object):
        return []
    here = [Problem(joined((*location, key)), "is written more than once") for key in value.repeated]
    return here + [problem for key, child in value.items() for problem in repeated(child, (*location, key))]


def joined(location: tuple[str | int, ...]) -> str:
    """``("pins", 0, "name")`` as ``pins[0].name``."""
    parts = (f"[{part}]" if isinstance(part, int) else f".{part}" for part in location)
    return "".join(parts).removeprefix(".")
