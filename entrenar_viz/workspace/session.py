"""Sessions: what somebody has on the screen, and the configurations that they have pinned for comparison, as a file."""

import os
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, ValidationInfo

from entrenar_viz.config.pin import Pin, Pins
from entrenar_viz.config.pruning_config import PruningConfig
from entrenar_viz.config.training import Training
from entrenar_viz.config.validation import Count, checked, refuse
from entrenar_viz.files.atomic import write_atomically
from entrenar_viz.files.strict_json import read_bytes
from entrenar_viz.workspace.versioned import CONFIG_PART, Format

MAX_PINS = 50


def _not_too_many(pins: tuple[Pin, ...]) -> tuple[Pin, ...]:
    if len(pins) > MAX_PINS:
        raise refuse(f"at most {MAX_PINS} can be kept, not {len(pins)}")
    return pins


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
        """The text that ``save`` writes."""
        return FORMAT.dump(self)

    @classmethod
    def from_json(cls, text: str | bytes) -> "Session":
        """Read such a text strictly; ConfigError lists every problem with its place."""
        return FORMAT.load(text)

    def save(self, path: str | os.PathLike[str], *, overwrite: bool = False) -> Path:
        """Write ``to_json()`` to ``path`` as one atomic step; FileExistsError unless ``overwrite``."""
        return write_atomically(Path(path), self.to_json().encode(), overwrite=overwrite)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> "Session":
        """Read a session strictly; ConfigError names the file and lists every problem with its place.

        Unknown, missing and repeated keys are problems, and so is a version newer than this package writes.
        """
        return FORMAT.load(read_bytes(path), str(path))


FORMAT = Format("entrenar-viz session", Session, {**CONFIG_PART, "training": Training, "pins": Pin})
