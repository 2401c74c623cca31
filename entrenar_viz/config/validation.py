"""Frozen, strictly checked dataclasses whose constructors raise ConfigError, and the field types they share."""

import difflib
from collections.abc import Callable, Sequence
from dataclasses import field
from functools import wraps
from typing import Annotated, Any, TypeVar, dataclass_transform

import numpy as np
from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, ValidationError, ValidationInfo
from pydantic.dataclasses import dataclass
from pydantic_core import ErrorDetails, PydanticCustomError

from entrenar_viz.errors import ConfigError, Problem
from entrenar_viz.files.strict_json import joined

U64_MAX = 2**64 - 1
TAGGED = (
    "schedule",
    "pattern",
)  # fields that hold a tagged union: pydantic puts the tag into error locations
STRICT = ConfigDict(strict=True, extra="forbid", allow_inf_nan=True, json_schema_serialization_defaults_required=True)
# NaN and infinity pass pydantic so that each field can refuse them in the trainer's words, by the value.

Location = tuple[int | str, ...]
T = TypeVar("T")


def refuse(message: str) -> PydanticCustomError:
    """A validation error whose message is shown as it is."""
    return PydanticCustomError("rule", "{message}", {"message": message})


def rust_number(value: float) -> str:
    """A float as the trainer prints an ``f32``: shortest digits, no exponent, ``2`` rather than ``2.0``."""
    with np.errstate(over="ignore"):
        number = np.float32(value)
    return "NaN" if np.isnan(number) else np.format_float_positional(number, trim="-")


def _fraction(value: float, info: ValidationInfo) -> float:
    with np.errstate(over="ignore"):
        inside = 0 <= np.float32(value) <= 1  # the trainer compares after rounding to f32
    if not inside:
        raise refuse(f"{info.field_name} ({rust_number(value)}) must be between 0.0 and 1.0")
    return value


def _finite_f32(value: float, info: ValidationInfo) -> float:
    with np.errstate(over="ignore"):
        finite = np.isfinite(np.float32(value))
    if not finite:
        raise refuse(f"{info.field_name} ({rust_number(value)}) must be a finite number of 32 bits")
    return value


def _plain(value: object) -> object:
    """Numpy scalars are what notebooks are full of: take them as the Python numbers they stand for."""
    return value.item() if isinstance(value, np.generic) else value


_Scalar = BeforeValidator(_plain)
_IN_SCHEMA = Field(json_schema_extra={"minimum": 0.0, "maximum": 1.0})
Count = Annotated[int, Field(ge=0, le=U64_MAX), _Scalar]
Fraction = Annotated[float, AfterValidator(_fraction), _Scalar, _IN_SCHEMA]
Finite = Annotated[float, AfterValidator(_finite_f32), _Scalar]


@dataclass_transform(frozen_default=True, kw_only_default=True, field_specifiers=(field,))
def checked(cls: type[T]) -> type[T]:
    """Make ``cls`` a frozen, keyword-only pydantic dataclass that raises ConfigError with all its problems."""
    made: Any = dataclass(frozen=True, kw_only=True, config=STRICT)(cls)
    validate = made.__init__

    @wraps(validate)
    def __init__(self: object, *args: object, **fields: object) -> None:
        if args:
            names = ", ".join(f"{name}=" for name in made.__dataclass_fields__ if name != "type")
            raise ConfigError([Problem(cls.__name__, f"takes its fields by name: {cls.__name__}({names})")])
        try:
            validate(self, **fields)
        except ValidationError as error:
            raise ConfigError(problems(error, lambda _: list(made.__dataclass_fields__)), cls.__name__) from None

    made.__init__ = __init__
    return made  # type: ignore[no-any-return]


def problems(error: ValidationError, names: Callable[[Location], Sequence[str]]) -> list[Problem]:
    """Every problem that pydantic found, in our words; ``names`` tells which keys are right at a place."""
    return [Problem(place(found["loc"]), _message(found, names(found["loc"]))) for found in error.errors()]


def place(location: Location) -> str:
    """``("pins", 0, "schedule", "gradual", "end_step")`` as ``pins[0].schedule.end_step``."""
    before = (None, *location)
    return joined(tuple(part for part, holder in zip(location, before, strict=False) if holder not in TAGGED))


def did_you_mean(word: object, known: Sequence[str]) -> str:
    """A hint at the nearest known word, or a list of all of them."""
    near = difflib.get_close_matches(str(word), known, n=1, cutoff=0.6)
    return f"did you mean {near[0]}?" if near else f"known here: {', '.join(known)}"


def _message(found: ErrorDetails, names: Sequence[str]) -> str:
    got, context = _shown(found.get("input")), found.get("ctx", {})
    match found["type"]:
        case "rule":
            return found["msg"]
        case "missing":
            return "is missing"
        case "unexpected_keyword_argument":
            return f"unknown key, {did_you_mean(found['loc'][-1], names)}"
        case "union_tag_not_found":
            return 'has no "type"'
        case "union_tag_invalid":
            return f"type {context['tag']!r} is unknown: use one of {context['expected_tags']}"
        case "literal_error":
            return f"{got} is unknown: use one of {context['expected']}"
        case "int_type" | "int_from_float":
            return f"must be a whole number written without a decimal point, not {got}"
        case "greater_than_equal" | "less_than_equal" | "int_parsing_size":
            return f"must be between 0 and {U64_MAX}, not {got}"
        case "float_type":
            return f"must be a number, not {got}"
        case "bool_type":
            return f"must be true or false, not {got}"
        case "string_type":
            return f"must be text, not {got}"
        case "tuple_type":
            return f"must be a list, not {got}"
        case "dataclass_type" | "dataclass_exact_type":
            return f"must be an object with named fields, not {got}"
        case "json_invalid":
            return found["msg"]
        case _:
            return f"{found['msg']}, not {got}"


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
