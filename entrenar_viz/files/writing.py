"""A configuration as text, in JSON and in YAML, as the trainer writes it; and what the name of a file says of that."""

import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

YAML_SUFFIXES = (".yaml", ".yml")


def is_yaml(path: str | os.PathLike[str]) -> bool:
    """Whether a file of this name holds YAML; every other one holds JSON.

    >>> is_yaml("pruning.yaml"), is_yaml("PRUNING.YML"), is_yaml("pruning.json")
    (True, True, False)
    """
    return Path(path).suffix.lower() in YAML_SUFFIXES


def as_json(fields: Mapping[str, Any]) -> str:
    """An object with a line for each key."""
    lines = ",\n".join(f'  "{key}": {_json_value(value)}' for key, value in fields.items())
    return f"{{\n{lines}\n}}\n"


def as_yaml(fields: Mapping[str, Any]) -> str:
    """The same in block style; keys and texts must be names that need no quotes.

    >>> print(as_yaml({"lr": 1e-5, "pattern": {"type": "nm", "n": 2}}), end="")
    lr: 0.00001
    pattern:
      type: nm
      n: 2
    """
    return "".join(f"{line}\n" for line in _yaml_lines(fields, ""))


def _yaml_lines(fields: Mapping[str, Any], indent: str) -> Iterator[str]:
    for key, value in fields.items():
        if isinstance(value, dict):
            yield f"{indent}{key}:"
            yield from _yaml_lines(value, indent + "  ")
        else:
            yield f"{indent}{key}: {_yaml_value(value)}"


def _yaml_value(value: object) -> str:
    if isinstance(value, str):
        return value
    text = _json_value(value)
    if isinstance(value, float) and "e" in text:
        return np.format_float_scientific(value, trim="0")  # 1.0e-12: without the point it is text in YAML 1.1
    return text


def _json_value(value: object) -> str:
    if isinstance(value, float) and 1e-9 <= abs(value) < 1:
        return np.format_float_positional(value, trim="0")  # 0.00001 rather than 1e-05
    return json.dumps(value)
