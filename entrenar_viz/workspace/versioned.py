"""Files of this package's own: JSON that says its format and version, read as strictly as the trainer's."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from pydantic import TypeAdapter, ValidationError

from entrenar_viz.config.pruning_config import PruningConfig, known_keys, missing_keys
from entrenar_viz.config.validation import Location, problems
from entrenar_viz.errors import ConfigError, Problem
from entrenar_viz.files.strict_json import MAX_FILE_BYTES, Object, as_text, joined, parse

T = TypeVar("T")
Upgrade = Callable[[dict[str, Any]], dict[str, Any]]


@dataclass(frozen=True)
class Format(Generic[T]):
    """How values of the checked dataclass ``kind`` are kept: every field is written, and every field must be there."""

    name: str
    """What the file says that it is, as ``"format"``."""
    kind: type[T]
    parts: Mapping[str, type]
    """The dataclass of what is found under a key, wherever that is (of each item, if it is a list)."""
    version: int = 1
    upgrades: Mapping[int, Upgrade] = field(default_factory=dict)
    """For each older version: its fields as those of the next one."""
    most_bytes: int = MAX_FILE_BYTES
    """Of a file that is larger nothing is read."""

    def dump(self, value: T) -> str:
        """The text of the file."""
        head = {"format": self.name, "version": self.version}
        fields = TypeAdapter(self.kind).dump_python(value)
        return json.dumps({**head, **fields}, indent=2, ensure_ascii=False) + "\n"

    def load(self, content: str | bytes, source: str = "") -> T:
        """Read it strictly; ConfigError lists all problems with their places."""
        raw, found = parse(as_text(content, source, f"an {self.name}", self.most_bytes), source)
        fields = self._current(raw, source)
        found += self._missing(fields)
        try:
            value = TypeAdapter(self.kind).validate_json(json.dumps(fields))
        except ValidationError as error:
            found += problems(error, self._names)
        if found:
            raise ConfigError(dict.fromkeys(found), source)
        return value

    def _current(self, raw: Any, source: str) -> dict[str, Any]:
        """The fields of a file of any version that can be read, as this version has them."""
        if not isinstance(raw, Object) or raw.get("format") != self.name:
            if isinstance(raw, Object) and not missing_keys(raw):
                other = "is a pruning configuration: load it with PruningConfig.load, or as Import in the explorer"
                raise _refused("", f"{other}; this reads an {self.name}", source)
            raise _refused("format", f'is no {self.name}: it does not say "format": "{self.name}"', source)
        version = raw.get("version")
        if type(version) is int and version > self.version:
            newer = f"is {version}, of a newer entrenar_viz: this one reads up to {self.version}, upgrade it"
            raise _refused("version", newer, source)
        if type(version) is not int or version not in {self.version, *self.upgrades}:
            raise _refused("version", f"must be {self.version}, not {version!r:.60}", source)
        fields = {key: value for key, value in raw.items() if key not in ("format", "version")}
        for old in range(version, self.version):
            fields = self.upgrades[old](fields)
        return fields

    def _missing(self, value: Any, location: Location = ()) -> Iterator[Problem]:
        if isinstance(value, list):
            for index, child in enumerate(value):
                yield from self._missing(child, (*location, index))
        if isinstance(value, dict):
            kind = self._kind(location)
            wanted = getattr(kind, "__dataclass_fields__", ())
            yield from (Problem(joined((*location, key)), "is missing") for key in wanted if key not in value)
            for key, child in value.items():
                yield from self._missing(child, (*location, key))

    def _kind(self, location: Location) -> type | None:
        """The dataclass of the object at ``location``; None for those of which pydantic knows what must be there."""
        keys = [part for part in location if isinstance(part, str)]
        return self.parts.get(keys[-1]) if keys else self.kind

    def _names(self, location: Location) -> list[str]:
        """The keys that are right beside the one at ``location``."""
        if "config" in location[:-1]:
            return known_keys(location[location.index("config") + 1 :])
        return list(getattr(self._kind(location[:-1]), "__dataclass_fields__", ()))


CONFIG_PART: dict[str, type] = {"config": PruningConfig}


def _refused(where: str, message: str, source: str) -> ConfigError:
    return ConfigError([Problem(where, message)], source)
