"""Steps and a drag of a slider, timed by browser_stopwatch.js."""

import random
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.browser_contenders import Contender
from jupyter_browser.notebook import Notebook

STOPWATCH = (Path(__file__).parent / "browser_stopwatch.js").read_text("utf-8")
FRAME = 1000 / 60  # ms
REST = 0.25  # s between two steps, so that each starts from rest; the drag is what never rests
WARM_UP = 5  # steps that are not counted
TURN = 50  # steps to the right before as many to the left


@dataclass(frozen=True)
class Measured:
    """Milliseconds of each step; of a drag how often a second the mouse moved and the picture was drawn."""

    steps: Sequence[float]
    drag: dict[str, float] | None
    value: float  # the last picture's

    @property
    def median(self) -> float:
        """Milliseconds of the step in the middle."""
        return float(np.median(self.steps))

    def line(self, name: str, unit: float | None) -> str:
        """A line of the table; ``unit`` is the median that it is compared with."""
        drag = "{moves:9.1f}{drawings:9.1f}{pictures:10.1f}".format(**self.drag) if self.drag else 28 * " "
        ratio = f"{unit / self.median:10.1f} x" if unit else ""
        return f"  {name:<34}{self.median:8.1f}{np.percentile(self.steps, 95):8.1f}{drag}{ratio}"


def measure(notebook: Notebook, contender: Contender, runs: int, seconds: float = 0) -> Measured:
    """Steps and, if it is given any seconds, a drag of a slider; ends with the picture of its value."""
    page = notebook.page
    bare = page.locator(".widget-slider").first
    handle = page.get_by_label(contender.slider) if contender.slider else bare.locator(".noUi-handle")
    track = handle if contender.slider else bare.locator(".noUi-base")
    page.evaluate(STOPWATCH, contender.watch)
    handle.focus()
    keys = list(islice(_keys(contender), runs + WARM_UP))
    steps = [_step(page, key, value) for key, value in keys]
    if not seconds:
        return Measured(steps[WARM_UP:], None, keys[-1][1])
    reach = int(0.25 * track.bounding_box()["width"]) // 2
    script = "(handle, [reach, duration]) => stopwatch.drag(handle, reach, duration)"
    drag = handle.evaluate(script, [reach, 1000 * seconds])
    value = float(handle.evaluate("(handle) => handle.value ?? handle.getAttribute('aria-valuenow')"))
    page.evaluate("(value) => stopwatch.until(value)", value)
    return Measured(steps[WARM_UP:], drag, value)


def _keys(contender: Contender) -> Iterator[tuple[str, float]]:
    """Arrow keys and the value that each leads to, without end."""
    place = 0
    for direction in cycle([1] * TURN + [-1] * TURN):
        place += direction
        yield "ArrowRight" if direction > 0 else "ArrowLeft", round(contender.start + place * contender.step, 3)


def _step(page: Any, key: str, value: float) -> float:
    # Keys at any time of a frame: one that follows the last picture at once would always find the same time of it
    time.sleep(random.uniform(REST, REST + FRAME / 1000))
    page.keyboard.press(key)
    return float(page.evaluate("(value) => stopwatch.until(value)", value))
