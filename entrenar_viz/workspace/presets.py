"""Presets: the chapter's scenarios by name, and the user's own, kept in one file for all their notebooks.

That file is ``presets.json`` in the folder for configuration that the operating system provides (platformdirs), since
presets belong to the user and not to Jupyter: scripts and the command line find them too. The environment variable
``ENTRENAR_VIZ_CONFIG_DIR`` names another folder.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator

from entrenar_viz.analysis.advice import SCENARIOS, recommend
from entrenar_viz.config.pin import Pin, Pins
from entrenar_viz.config.pruning_config import PruningConfig
from entrenar_viz.config.validation import checked, did_you_mean, refuse
from entrenar_viz.errors import ConfigError, Problem
from entrenar_viz.files.atomic import write_atomically
from entrenar_viz.files.strict_json import read_bytes
from entrenar_viz.workspace.versioned import CONFIG_PART, Format

SOURCE = "preset"  # what is wrong, in errors
FOLDER_VARIABLE = "ENTRENAR_VIZ_CONFIG_DIR"
MAX_PRESETS = 200
ATTEMPTS = 20  # each of them loses only to a writer that has just finished
HIGH = 0.8  # the chapter's table calls more than 70% high


@dataclass(frozen=True)
class Preset:
    """A scenario of the chapter: what it is for, and its configuration in a training of any length."""

    name: str
    description: str
    target_sparsity: float

    def config(self, total_steps: int) -> PruningConfig:
        """What ``recommend`` answers for this scenario; StepError for a bad ``total_steps``."""
        return recommend(self.target_sparsity, total_steps, scenario=self.name).config


BUILT_IN: dict[str, Preset] = {
    name: Preset(name, description, HIGH if name == "high-sparsity" else 0.5)
    for name, (_, description) in SCENARIOS.items()
}
"""The chapter's scenarios: ``BUILT_IN["production"].config(total_steps)`` is the configuration of one."""


def load() -> dict[str, Pin]:
    """The user's own presets by name, in the order in which they were first saved; ConfigError if the file is broken.

    A preset holds the length of its training too: the steps of a schedule mean nothing without it.
    """
    return _presets(_content(presets_file()))


def save(name: str, config: PruningConfig, total_steps: int, *, overwrite: bool = False) -> None:
    """Keep ``config`` in a training of ``total_steps`` steps as the user's preset ``name``.

    ConfigError for a name that is taken (unless ``overwrite``), belongs to the chapter or is none, and for a file that
    is broken, which stays as it is.
    """
    try:
        pin = Pin(name=name, config=config, total_steps=total_steps)
    except ConfigError as error:
        raise ConfigError(error.problems, SOURCE) from None
    if name in BUILT_IN:
        raise ConfigError([Problem("name", f"{name!r} is a preset of the chapter: choose another name")], SOURCE)

    def add(presets: dict[str, Pin]) -> None:
        if name in presets and not overwrite:
            taken = f"{name!r} exists already: pass overwrite=True to replace it"
            raise ConfigError([Problem("name", taken)], SOURCE)
        presets[name] = pin

    _change(add)


def delete(name: str) -> None:
    """Forget the user's preset ``name``; ConfigError if there is none, or if the file is broken."""

    def remove(presets: dict[str, Pin]) -> None:
        if name not in presets:
            hint = did_you_mean(name, list(presets)) if presets else "none is saved"
            raise ConfigError([Problem("name", f"{name!r} is unknown, {hint}")], SOURCE)
        del presets[name]

    _change(remove)


def presets_file() -> Path:
    """Where the user's presets are, or will be with the first of them."""
    from platformdirs import user_config_path

    folder = os.environ.get(FOLDER_VARIABLE)
    return (Path(folder) if folder else user_config_path("entrenar-viz", appauthor=False)) / "presets.json"


def _not_too_many(presets: tuple[Pin, ...]) -> tuple[Pin, ...]:
    if len(presets) > MAX_PRESETS:
        raise refuse(f"at most {MAX_PRESETS} can be kept, not {len(presets)}: delete some")
    return presets


@checked
class _Presets:
    presets: Annotated[Pins, AfterValidator(_not_too_many)]


FORMAT = Format("entrenar-viz presets", _Presets, {**CONFIG_PART, "presets": Pin})


def _content(path: Path) -> bytes | None:
    return read_bytes(path) if path.exists() else None


def _presets(content: bytes | None) -> dict[str, Pin]:
    kept = () if content is None else FORMAT.load(content, str(presets_file())).presets
    return {pin.name: pin for pin in kept}


def _change(edit: Callable[[dict[str, Pin]], None]) -> None:
    """Read, edit and write, and again from the start if another program has written in between."""
    path = presets_file()
    for attempt in range(ATTEMPTS):
        before = _content(path)
        presets = _presets(before)
        edit(presets)
        after = FORMAT.dump(_Presets(presets=tuple(presets.values()))).encode()
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            write_atomically(path, after, overwrite=before is not None, before=before)
            return
        except FileExistsError:
            if attempt == ATTEMPTS - 1:
                raise
