"""The values that options of ``entrenar-viz`` take, read strictly: what is wrong with one is an ArgumentTypeError."""

import argparse
from math import isfinite
from pathlib import Path

from entrenar_viz.config.validation import U64_MAX
from entrenar_viz.errors import EntrenarVizError

MAX_WORKERS = 64
MAX_SEEDS = 1000


def steps(text: str) -> int:
    """A number of training steps."""
    try:
        found = int(text.replace(",", ""))
    except ValueError:
        found = -1
    if not 0 <= found <= U64_MAX:
        raise argparse.ArgumentTypeError(f"{text!r:.40} is no whole number from 0 to {U64_MAX}")
    return found


def some_steps(text: str) -> int:
    """The same, but not 0."""
    if not (found := steps(text)):
        raise argparse.ArgumentTypeError("nothing can be rehearsed in no step: use 1 or more")
    return found


def port(text: str) -> int:
    """The number of a port."""
    if not text.isascii() or not text.isdigit() or not 0 < int(text) < 1 << 16:
        raise argparse.ArgumentTypeError(f"{text!r:.40} is no port: use 1 to 65535")
    return int(text)


def workers(text: str) -> int:
    """How many work at a time."""
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= MAX_WORKERS:
        raise argparse.ArgumentTypeError(f"{text!r:.40} is no number of workers from 1 to {MAX_WORKERS}")
    return int(text)


def seeds(text: str) -> int:
    """How many seeds."""
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= MAX_SEEDS:
        raise argparse.ArgumentTypeError(f"{text!r:.40} is no number of seeds from 1 to {MAX_SEEDS}")
    return int(text)


def fractions(text: str) -> tuple[float, ...]:
    """Sparsities between 0 and 1, with commas."""
    try:
        found = tuple(float(part) for part in text.split(","))
    except ValueError:
        found = ()
    if not found or not all(0 < sparsity < 1 for sparsity in found):
        wrong = f"{text!r:.40} is no list of sparsities such as 0.5,0.9"
        fix = "80% is written 0.8" if all(1 < sparsity < 100 for sparsity in found) else "each is above 0 and below 1"
        raise argparse.ArgumentTypeError(f"{wrong}: {fix if found else 'a file goes before --sweep'}")
    return found


def share(text: str) -> float:
    """A fraction from 0 to 1."""
    found = _number(text)
    if found is None or not 0 <= found <= 1:
        fix = "80% is written 0.8" if found is not None and 1 < found <= 100 else "it is from 0 to 1"
        raise argparse.ArgumentTypeError(f"{text!r:.40} is no sparsity such as 0.8: {fix}")
    return found


def share_of_layer(text: str) -> tuple[str, float]:
    """A name and a sparsity, ``fc1.weight=0.5``. What is behind the last = is the sparsity."""
    name, given, sparsity = text.rpartition("=")
    if not given or not name:
        raise argparse.ArgumentTypeError(f"{text!r:.40} is no name with a sparsity such as fc1.weight=0.5")
    return name, share(sparsity)


def amount(text: str) -> float:
    """A number from 0 on."""
    found = _number(text)
    if found is None or not found >= 0:
        raise argparse.ArgumentTypeError(f"{text!r:.40} is no number from 0 on")
    return found


def _number(text: str) -> float | None:
    try:
        found = float(text)
    except ValueError:
        return None
    return found if isfinite(found) else None


def frequencies(text: str) -> tuple[int, ...]:
    """Numbers of steps, with commas."""
    parts = text.split(",")
    if not all(part.isascii() and part.isdigit() and 0 < int(part) <= U64_MAX for part in parts):
        raise argparse.ArgumentTypeError(f"{text!r:.40} is no list of steps such as 100,500")
    return tuple(int(part) for part in parts)


def picture(text: str) -> Path:
    """The name of a figure to write."""
    from entrenar_viz.figures.saving import format_of

    try:
        format_of(Path(text))
    except EntrenarVizError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    return Path(text)
