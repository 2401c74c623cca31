"""A configuration with a name: what is compared, drawn beside others, and kept in sessions and presets."""

import re
from collections import Counter
from typing import Annotated

from pydantic import AfterValidator, Field

from entrenar_viz.config.pruning_config import PruningConfig
from entrenar_viz.config.validation import Count, checked, refuse

MAX_NAME = 80
# control characters, ends of lines, marks that turn the direction of writing, and halves of surrogate pairs
_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def _name(name: str) -> str:
    if not name or name != name.strip():
        raise refuse("a name must not be empty, nor begin or end with a space")
    if len(name) > MAX_NAME:
        raise refuse(f"a name must have at most {MAX_NAME} characters, not {len(name)}")
    if _UNPRINTABLE.search(name):
        raise refuse("a name must have no control characters")
    return name


@checked
class Pin:
    """A configuration with a name, in a training of ``total_steps`` steps.

    The name has 1 to 80 characters, no control characters among them, and no space at either end; ConfigError if not.
    """

    name: Annotated[str, AfterValidator(_name)]
    config: PruningConfig
    total_steps: Count


def unique(pins: tuple[Pin, ...]) -> tuple[Pin, ...]:
    """``pins``, which must not share a name."""
    twice = [name for name, count in Counter(pin.name for pin in pins).items() if count > 1]
    if twice:
        raise refuse(f"names must differ, but more than one is {', '.join(map(repr, twice))}")
    return pins


# not strict about the type of the sequence only: in Python one writes a list, JSON has nothing else
Pins = Annotated[tuple[Pin, ...], Field(strict=False), AfterValidator(unique)]
