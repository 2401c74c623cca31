"""PruningConfig: what the trainer loads, as strict JSON or YAML in and out.

The trainer ignores unknown keys and does not validate what it loads, so a mistake in its file is lost without a
word. Here each is refused, all of them at once, each with its place.
"""

import json
import os
from collections.abc import Mapping
from dataclasses import field
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from pydantic import Field, TypeAdapter, ValidationError, ValidationInfo, field_validator

from entrenar_viz.config.schedules import SCHEDULES, OneShot, Schedule
from entrenar_viz.config.validation import Count, Finite, Fraction, Location, checked, problems, refuse
from entrenar_viz.errors import ConfigError, Problem
from entrenar_viz.files import strict_json
from entrenar_viz.files.atomic import write_atomically
from entrenar_viz.files.strict_json import Object, as_text, joined, read_bytes
from entrenar_viz.files.writing import as_json, as_yaml, is_yaml

Method = Literal["magnitude", "wanda", "sparse_gpt", "minitron_depth", "minitron_width"]
METHODS: tuple[Method, ...] = get_args(Method)
"""How the trainer can score weights, by the names in its file."""


@checked
class Unstructured:
    """Any weight may go: the k lowest scores of the whole tensor."""

    type: Literal["unstructured"] = field(default="unstructured", repr=False)


@checked
class NM:
    """N:M sparsity: ``n`` weights are **kept** of every ``m`` in a row of the flattened tensor."""

    type: Literal["nm"] = field(default="nm", repr=False)
    n: Count
    m: Count

    @field_validator("m")
    @classmethod
    def _n_below_m(cls, m: int, info: ValidationInfo) -> int:
        n = info.data.get("n")
        if m == 0:
            raise refuse("M cannot be 0" if n is None else f"M cannot be 0: N ({n}) must be less than M (0)")
        if n is not None and n >= m:
            raise refuse(f"N ({n}) must be less than M ({m})")
        return m


@checked
class Block:
    """Whole blocks of ``height`` x ``width`` weights go together."""

    type: Literal["block"] = field(default="block", repr=False)
    height: Count
    width: Count

    @field_validator("height", "width")
    @classmethod
    def _not_zero(cls, size: int) -> int:
        if size == 0:
            raise refuse("Block dimensions must be non-zero")
        return size


@checked
class Row:
    """Whole rows (output features) go together."""

    type: Literal["row"] = field(default="row", repr=False)


@checked
class Column:
    """Whole columns (input features) go together."""

    type: Literal["column"] = field(default="column", repr=False)


Pattern = Annotated[Unstructured | NM | Block | Row | Column, Field(discriminator="type")]
PATTERNS = (Unstructured, NM, Block, Row, Column)
PATTERN_NAMES = {"unstructured": "Unstructured", "nm": "N:M", "block": "Block", "row": "Row", "column": "Column"}


def pattern_name(pattern: Pattern) -> str:
    """How a pattern with its sizes is shown.

    >>> pattern_name(NM(n=2, m=4)), pattern_name(Block(height=4, width=8)), pattern_name(Row())
    ('2:4', '4 × 8 blocks', 'rows')
    """
    match pattern:
        case NM(n=n, m=m):
            return f"{n}:{m}"
        case Block(height=height, width=width):
            return f"{height} × {width} blocks"
    return {"row": "rows", "column": "columns"}.get(pattern.type, pattern.type)


def fixed_sparsity(pattern: Pattern) -> float | None:
    """The share of the weights that goes at the first update, whatever is asked; None if it is as asked.

    >>> fixed_sparsity(NM(n=2, m=4)), fixed_sparsity(Row())
    (0.5, None)
    """
    return 1 - pattern.n / pattern.m if isinstance(pattern, NM) else None


@checked
class PruningConfig:
    """The trainer's eight fields, with its defaults.

    Sparsities are fractions from 0 to 1, ``fine_tune_steps`` training steps. Raises ConfigError with every problem
    at once. The trainer does not compare ``target_sparsity`` with the schedule's ``final_sparsity``; ``review`` does.

    >>> PruningConfig(target_sparsity=1.5)
    Traceback (most recent call last):
        ...
    entrenar_viz.errors.ConfigError: PruningConfig: target_sparsity: target_sparsity (1.5) must be between 0.0 and 1.0
    """

    method: Method = "magnitude"
    target_sparsity: Fraction = 0.5
    pattern: Pattern = Unstructured()
    schedule: Schedule = OneShot(step=0)
    fine_tune_after_pruning: bool = True
    fine_tune_steps: Count = 1000
    fine_tune_lr: Finite = 1e-5
    skip_embed_layers: bool = True

    def to_json(self) -> str:
        """The file that the trainer loads: its eight keys in its order, a line each."""
        return as_json(TypeAdapter(type(self)).dump_python(self))

    def to_yaml(self) -> str:
        """The same eight keys as the trainer writes them in YAML, for loaders of YAML 1.1 and 1.2 alike.

        >>> print(PruningConfig(pattern=NM(n=2, m=4)).to_yaml(), end="")
        method: magnitude
        target_sparsity: 0.5
        pattern:
          type: nm
          n: 2
          m: 4
        schedule:
          type: one_shot
          step: 0
        fine_tune_after_pruning: true
        fine_tune_steps: 1000
        fine_tune_lr: 0.00001
        skip_embed_layers: true
        """
        return as_yaml(TypeAdapter(type(self)).dump_python(self))

    @classmethod
    def from_json(cls, text: str | bytes) -> "PruningConfig":
        """Read the trainer's JSON strictly; ConfigError lists every problem with its place."""
        return _from_json(text, "")

    @classmethod
    def from_yaml(cls, text: str | bytes) -> "PruningConfig":
        """Read YAML 1.2 as strictly; ConfigError lists every problem, and refuses tags, anchors and aliases too."""
        return _from_yaml(text, "")

    def save(self, path: str | os.PathLike[str], *, overwrite: bool = False) -> Path:
        """Write ``to_yaml()`` to a ``path`` in .yaml or .yml, else ``to_json()``, as one atomic step.

        FileExistsError unless ``overwrite``.
        """
        text = self.to_yaml() if is_yaml(path) else self.to_json()
        return write_atomically(Path(path), text.encode(), overwrite=overwrite)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> "PruningConfig":
        """Read a file strictly, as YAML if it ends in .yaml or .yml, else as JSON.

        ConfigError names the file and lists every problem with its place.
        """
        read = _from_yaml if is_yaml(path) else _from_json
        return read(read_bytes(path, what="a JSON or YAML file"), str(path))


def json_schema() -> dict[str, Any]:
    """The JSON Schema of the file, for editors and validators."""
    schema = TypeAdapter(PruningConfig).json_schema(mode="serialization")
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


def _from_json(content: str | bytes, source: str) -> PruningConfig:
    text = as_text(content, source, "a pruning configuration")
    raw, repeated = strict_json.parse(text, source)
    return _parsed(text, raw, repeated, source, "a JSON object { ... }")


def _from_yaml(content: str | bytes, source: str) -> PruningConfig:
    from entrenar_viz.files import strict_yaml  # its library is needed by nothing else

    raw, repeated = strict_yaml.parse(as_text(content, source, "a pruning configuration"), source)
    return _parsed(json.dumps(raw), raw, repeated, source, "a YAML mapping")


def _parsed(text: str, raw: object, repeated: list[Problem], source: str, form: str) -> PruningConfig:
    """The configuration that ``text`` is in JSON, and ``raw`` in Python."""
    if not isinstance(raw, Object):
        raise ConfigError([Problem("", f"must be {form} with the eight keys of the trainer")], source)
    if str(raw.get("format", "")).startswith("entrenar-viz "):
        how = "load a session with Session.load or as Session in the explorer, a plan with Plan.load or as its Layers"
        raise ConfigError([Problem("", f"is an {raw['format']:.40}, not a configuration: {how}")], source)
    found = missing_keys(raw) + repeated
    try:
        config = TypeAdapter(PruningConfig).validate_json(text)
    except ValidationError as error:
        found += problems(error, known_keys)
    if found:
        raise ConfigError(found, source)
    return config


def missing_keys(raw: Mapping[str, Any], location: Location = ()) -> list[Problem]:
    """A problem for each of the trainer's eight keys that ``raw`` lacks: there they have no defaults."""
    return [Problem(joined((*location, key)), "is missing") for key in CONFIG_KEYS if key not in raw]


def known_keys(location: Location) -> list[str]:
    """The keys of a configuration that are right beside the one at ``location``."""
    kinds: tuple[Any, ...] = (*SCHEDULES, *PATTERNS)
    tags = {kind.__dataclass_fields__["type"].default: kind for kind in kinds}
    kind = tags.get(str(location[1])) if len(location) > 1 else PruningConfig
    return list(getattr(kind, "__dataclass_fields__", CONFIG_KEYS))


CONFIG_KEYS: tuple[str, ...] = tuple(PruningConfig.__dataclass_fields__)
