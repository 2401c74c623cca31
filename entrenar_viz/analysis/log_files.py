"""Files of training logs, ours and those of others: JSON Lines and CSV, read into rows with the lines they stand in."""

import csv
import io
import math
from collections import Counter
from collections.abc import Iterator
from functools import partial
from typing import Any

from entrenar_viz.analysis.log_rows import Line, LogFile, Problems, append, finite, noted, share, whole_step
from entrenar_viz.errors import ConfigError, Problem
from entrenar_viz.files.strict_json import Object, as_text, parse

FORMAT = "entrenar-viz log"
VERSION = 1
MAX_BYTES = 64 << 20
BOM = b"\xef\xbb\xbf"


def read_log(content: bytes, source: str, *, is_csv: bool) -> LogFile:
    """Read a CSV or JSON Lines; ConfigError lists what is wrong by line, the first ten."""
    if is_csv:
        content = content.removeprefix(BOM)  # spreadsheets write one
    text = as_text(content, source, "a training log", MAX_BYTES)
    return _read_csv(text, source) if is_csv else _read_lines(text, source)


# JSON Lines ----------------------------------------------------------------------------------------------------------


def _read_lines(text: str, source: str) -> LogFile:
    found, problems, ignored = LogFile(), Problems(source), set[str]()
    lines = text.split("\n")
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            raw, repeated = parse(line, "")
        except ConfigError as error:
            if number == len(lines) and number > 1:  # no end of line after it: whoever wrote it was stopped
                found.notes.append(f"Line {number:,} is cut off and was left out.")
            else:
                problems.add(number, error.problems[0].message.replace("line 1, ", ""))
            continue
        for problem in repeated:
            problems.add(number, str(problem))
        if not isinstance(raw, Object):
            problems.add(number, 'must be an object such as {"step": 300, "loss": 0.31}')
        elif "format" in raw and number == 1:
            found.head = _head(raw, source)
        elif not repeated:
            problems.attempt(number, partial(_object, found, raw, number, ignored))
    problems.raise_any()
    return noted(found, ignored, source)


def _head(raw: Object, source: str) -> dict[str, Any]:
    version = raw.get("version")
    if raw["format"] != FORMAT:
        wrong = f'is no training log: it says "format": {str(raw["format"])!r:.60}'
    elif type(version) is int and version > VERSION:
        wrong = f"version is {version}, of a newer entrenar_viz: this one reads up to {VERSION}, upgrade it"
    elif type(version) is not int or version < 1:
        wrong = f"version must be {VERSION}, not {version!r:.40}"
    elif unknown := set(raw) - {"format", "version", "total_steps", "config"}:
        wrong = f"unknown key {min(unknown)!r:.60}"
    else:
        return dict(raw)
    raise ConfigError([Problem("line 1", wrong)], source)


def _object(found: LogFile, raw: Object, number: int, ignored: set[str]) -> None:
    fold = str if found.head else str.lower  # others write Step
    ours = [name for name in raw if fold(name) in ("step", "sparsity")]
    names = {fold(name): name for name in ours}
    if "step" not in names:
        raise ValueError('has no "step"')
    if len(names) < len(ours):
        raise ValueError(f"has two keys for one: {', '.join(ours)}")
    step = whole_step(raw[names["step"]])
    given = raw[names["sparsity"]] if "sparsity" in names else None
    metrics = {}
    for name, value in raw.items():
        if name in names.values():
            continue
        if value is None:
            metrics[name] = math.nan
        elif isinstance(value, int | float) and not isinstance(value, bool):
            metrics[name] = finite(value)
        elif found.head is not None:
            raise ValueError(f"{name:.40} must be a number or null, not {value!r:.40}")
        else:
            ignored.add(name)
    append(found, Line(number, step, None if given is None else share(given), metrics))


# CSV -----------------------------------------------------------------------------------------------------------------


def _read_csv(text: str, source: str) -> LogFile:
    found, problems = LogFile(), Problems(source)
    try:
        rows = list(_rows_of(text))
    except csv.Error as error:
        raise ConfigError([Problem("", f"is no CSV: {error}")], source) from None
    (_, header), *rows = rows
    names = _columns(header, source)
    if rows and len(rows[-1][1]) < len(header) and not text.endswith("\n"):
        found.notes.append(f"Line {rows.pop()[0]:,} is cut off and was left out.")
    for number, cells in rows:
        if len(cells) != len(header):
            problems.add(number, f"has {len(cells)} cells, the header {len(header)}")
    problems.raise_any()
    texts = {i for i in names if names[i] not in ("step", "sparsity") and any(_is_text(cells[i]) for _, cells in rows)}
    for number, cells in rows:
        problems.attempt(number, partial(_row, found, number, cells, names, texts))
    problems.raise_any()
    return noted(found, {names[i] for i in texts}, source)


def _rows_of(text: str) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    for cells in reader:
        if any(cell.strip() for cell in cells):
            yield reader.line_num, [cell.strip() for cell in cells]


def _columns(header: list[str], source: str) -> dict[int, str]:
    """The names of the columns by their places, without those that have none."""
    lowered = {name: name.lower() for name in header if name.lower() in ("step", "sparsity")}
    names = [lowered.get(name, name) for name in header]
    twice = [name for name, count in Counter(names).items() if count > 1 and name]
    if twice:
        raise ConfigError([Problem("line 1", f"two columns are called {twice[0]!r:.60}")], source)
    if "step" not in names:
        how = "the first line must name the columns, separated by commas, and one of them must be step"
        raise ConfigError([Problem("line 1", f"{how}; found {', '.join(header)!r:.80}")], source)
    return {i: name for i, name in enumerate(names) if name}


def _row(found: LogFile, number: int, cells: list[str], names: dict[int, str], texts: set[int]) -> None:
    values = {names[i]: cells[i] for i in names if cells[i] and i not in texts}
    step = whole_step(_number(values.pop("step", "")))
    sparsity = share(_number(values.pop("sparsity"))) if "sparsity" in values else None
    append(found, Line(number, step, sparsity, {name: finite(float(cell)) for name, cell in values.items()}))


def _is_text(cell: str) -> bool:
    return isinstance(_number(cell), str) and bool(cell)


def _number(cell: str) -> int | float | str:
    """The number in ``cell``, or the cell if there is none."""
    if cell.isascii() and cell.isdecimal() and len(cell) < 30:
        return int(cell)
    try:
        return cell if "_" in cell else float(cell)
    except ValueError:
        return cell
