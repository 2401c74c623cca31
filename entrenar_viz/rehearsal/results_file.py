"""Files of sweeps: JSON Lines, a line for each run, to which finished runs are added while a sweep goes on."""

import errno
import json
import math
import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from entrenar_viz.errors import ConfigError, Problem
from entrenar_viz.files.atomic import write_atomically
from entrenar_viz.files.strict_json import Object, as_text, joined, parse, read_bytes, refused, repeated

FORMAT = "entrenar-viz sweep"
VERSION = 1
MAX_BYTES = 64 << 20
OTHER = "name another file"
_BINARY = getattr(os, "O_BINARY", 0)  # Windows would write its own ends of lines


@dataclass(frozen=True)
class ResultsFile:
    """The finished runs of sweeps whose numbers depend on the same ``settings``, which are plain values of JSON.

    The first line says that it is one, and the settings. A run is known by what ``what`` says of it: schedule, sparsity
    and seed. Several processes may add to one file. A line that was cut off is left out: its run is made again.
    """

    path: Path
    settings: Mapping[str, Any]
    metric: str

    def read(self) -> dict[str, float]:
        """The metric of each run in the file by its ``key``, which is made if there is none.

        ConfigError, which lists what differs, for a file of other settings, and for what is no such file.
        """
        if not self.path.is_file():  # its folder need not be one that may be written
            with suppress(FileExistsError):  # another sweep has made it meanwhile
                write_atomically(self.path, _line(self._head()), overwrite=False)
        os.close(os.open(self.path, os.O_RDWR | os.O_APPEND))  # may it be written? Better now than after a run
        head, lines = _lines(self.path)
        found = list(_differences(head, json.loads(_line(self._head()))))
        if found:
            raise ConfigError(found, str(self.path))
        runs: dict[str, float] = {}
        for number, raw in lines:
            what, metric = self._run(number, raw)
            runs.setdefault(key(what), metric)
        return runs

    def append(self, what: Mapping[str, Any], metric: float) -> None:
        """Add a run as one whole line, and see it on the disk; OSError if there is no room for it."""
        try:
            _append(self.path, _line({**what, self.metric: metric}))
        except OSError as error:  # of a descriptor, it does not say which file that is
            raise type(error)(error.errno, error.strerror, str(self.path)) from None

    def _head(self) -> dict[str, Any]:
        return {"format": FORMAT, "version": VERSION, "metric": self.metric, **self.settings}

    def _run(self, number: int, raw: Any) -> tuple[dict[str, Any], float]:
        fields = {"schedule", "sparsity", "seed", self.metric}
        if not isinstance(raw, Object) or set(raw) != fields or repeated(raw):
            raise self._wrong(number, f"must be an object with the keys {', '.join(sorted(fields))}, each once")
        what = {name: raw[name] for name in ("schedule", "sparsity", "seed")}
        metric = raw[self.metric]
        if isinstance(metric, bool) or not isinstance(metric, int | float) or not math.isfinite(metric):
            raise self._wrong(number, f"{self.metric:.40} must be a finite number, not {metric!r:.40}")
        return what, float(metric)

    def _wrong(self, number: int, message: str) -> ConfigError:
        return ConfigError([Problem(f"line {number:,}", f"{message}: delete the line, or {OTHER}")], str(self.path))


def _append(path: Path, line: bytes) -> None:
    descriptor = os.open(path, os.O_RDWR | os.O_APPEND | _BINARY)
    try:
        os.lseek(descriptor, -1, os.SEEK_END)
        whole = line if os.read(descriptor, 1) == b"\n" else b"\n" + line
        written = os.write(descriptor, whole)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    if written < len(whole):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def key(what: Mapping[str, Any]) -> str:
    """What a run is known by: the same for equal schedules, sparsities and seeds."""
    return json.dumps(what, sort_keys=True)


def runs_kept(path: Path) -> int:
    """How many whole lines of runs there are in a file; 0 if there is none."""
    return len(_lines(path)[1]) if path.exists() else 0


def _line(value: Mapping[str, Any]) -> bytes:
    return json.dumps(value).encode() + b"\n"  # ASCII: what is cut off anywhere is still text


def _lines(path: Path) -> tuple[Object, list[tuple[int, Any]]]:
    """What the first line stands for, and each other line that was not cut off, with its number."""
    source = str(path)
    content = read_bytes(path, MAX_BYTES, "a results file")
    first, *rest = as_text(content, source, "a results file", MAX_BYTES).split("\n")
    head, found = _head(first, source), list[tuple[int, Any]]()
    for number, line in enumerate(rest, 2):
        try:
            found.append((number, parse(line, source)[0]))
        except ConfigError:  # empty, or whoever wrote it was stopped: a part of a line is never JSON
            continue
    return head, found


def _head(line: str, source: str) -> Object:
    try:
        raw, twice = parse(line, source)
    except ConfigError:
        raw, twice = None, []
    if not isinstance(raw, Object) or raw.get("format") != FORMAT:
        raise refused(f'is no results file: its first line does not say "format": "{FORMAT}"; {OTHER}', source)
    version = raw.get("version")
    if type(version) is int and version > VERSION:
        newer = f"is {version}, of a newer entrenar_viz: this one reads {VERSION}, upgrade it or {OTHER}"
        raise ConfigError([Problem("version", newer)], source)
    if version != VERSION or type(version) is not int:
        raise ConfigError([Problem("version", f"must be {VERSION}, not {version!r:.60}")], source)
    if twice:
        raise ConfigError(twice, source)
    return raw


def _differences(found: Any, wanted: Any, place: tuple[str, ...] = ()) -> Iterator[Problem]:
    """A problem for each setting of a file that is not as it is wanted."""
    if isinstance(found, dict) and isinstance(wanted, dict):
        for name in dict.fromkeys([*wanted, *found]):
            yield from _differences(found.get(name), wanted.get(name), (*place, name))
    elif found != wanted:
        says = "says nothing" if found is None else f"is {found!r:.120} in the file"
        yield Problem(joined(place), f"{says}, and {wanted!r:.120} in this sweep: {OTHER}")
