"""Sessions: what somebody has on the screen, and the configurations that they have pinned for comparison, as a file."""

import os
import re
from collections import Counter
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field, ValidationInfo

from entrenar_viz.checked import Count, checked, refuse
from entrenar_viz.config import PruningConfig
from entrenar_viz.epochs import Training
from entrenar_viz.files import write_atomically
from entrenar_viz.saved import CONFIG_PART, Format
from entrenar_viz.strict_json import read_bytes

MAX_NAME, MAX_PINS = 80, 50
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


def _not_too_many(pins: tuple[Pin, ...]) -> tuple[Pin, ...]:
    if len(pins) > MAX_PINS:
        raise refuse(f"at most {MAX_PINS} can be kept, not {len(pins)}")
    return pins


# not strict about the type of the sequence only: in Python one writes a list, JSON has nothing else
Pins = Annotated[tuple[Pin, ...], Field(strict=False), AfterValidator(unique)]


def _agrees(training: Training | None, info: ValidationInfo) -> Training | None:
    total_steps = info.data.get("total_steps")  # missing if it is a problem itself
    if training and total_steps not in (None, training.total_steps):
        counted = f"makes {training.total_steps:,} steps, but total_steps is {total_steps:,}"
        raise refuse(f"{counted}: let them agree, or set training to null to count in steps only")
    return training


@checked
class Session:
    """What is worth coming back to: the configuration, the length of its training, and at most 50 pins.

    ``training`` says how steps are counted in epochs and makes ``total_steps``; None if they are not so counted.
    ConfigError for anything else, with all problems at once.
    """

    config: PruningConfig
    total_steps: Count
    training: Annotated[Training | None, AfterValidator(_agrees)] = None
    pins: Annotated[Pins, AfterValidator(_not_too_many)] = ()

    def to_json(self) -> str:
        """The text that ``save_session`` writes."""
        return FORMAT.dump(self)

    @classmethod
    def from_json(cls, text: str | bytes) -> "Session":
        """Read such a text strictly; ConfigError lists every problem with its place."""
        return FORMAT.load(text)


FORMAT = Format("entrenar-viz session", Session, {**CONFIG_PART, "training": Training, "pins": Pin})


def save_session(path: str | os.PathLike[str], session: Session, *, overwrite: bool = False) -> Path:
    """Write ``session`` to ``path`` as one atomic step; FileExistsError unless ``overwrite``."""
    return write_atomically(Path(path), session.to_json().encode(), overwrite=overwrite)


def load_session(path: str | os.PathLike[str]) -> Session:
    """Read a session strictly; ConfigError names the file and lists every problem with its place.

    Unknown, missing and repeated keys are problems, and so is a version newer than this package writes.
    """
    return FORMAT.load(read_bytes(Path(path)), str(path))
