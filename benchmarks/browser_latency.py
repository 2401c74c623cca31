"""How soon a slider's step is seen in a real JupyterLab: the explorer beside interact and ipympl, in one run.

    python -m benchmarks.browser_latency [--runs 60] [--seconds 3] [--peers interact ipympl]

A step is an arrow key on the handle of a slider. Its time runs from the browser's time stamp of the key to the end of
the frame that shows the right picture; browser_stopwatch.js says how both are known. In a drag the mouse moves the
handle before each frame of the browser, to another value each time; counted are its moves, the drawings, and the
drawings that show another value than the one before. The peers draw about the same picture with matplotlib
(browser_peers.py). The floor is a bare slider linked to a number in the browser.

Headless Chromium shows 60 frames a second: what is drawn in the very next frame takes half of one on average.
"""

import argparse
import os
import random
import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from importlib.metadata import version
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import numpy as np
from playwright.sync_api import Error, sync_playwright

from benchmarks.browser_lab import asleep, jupyterlab, opened, stopped
from tests.browser.notebook import Notebook
from tests.browser.servers import FLAGS, chromium

HERE = Path(__file__).parent
STOPWATCH = (HERE / "browser_stopwatch.js").read_text("utf-8")
FRAME = 1000 / 60  # ms
REST = 0.25  # s between two steps, so that each starts from rest; the drag is what never rests
WARM_UP = 5  # steps that are not counted
TURN = 50  # steps to the right before as many to the left
EXPLORER = "from entrenar_viz import Explorer\nexplorer = Explorer()\nexplorer"
SLIDER = "from ipywidgets import *\nfrom browser_peers import *\nslider = IntSlider(START, 0, TOTAL_STEPS, EVERY)\n"
FLOOR = "number = IntText(START)\nlink = jslink((slider, 'value'), (number, 'value'))\nVBox([slider, number])"
INTERACT = """
import matplotlib.pyplot as plt
def picture(cursor):
    draw(plt.figure(), cursor)
    plt.show()
interact(picture, cursor=slider);
"""
IPYMPL = """
%matplotlib widget
import matplotlib.pyplot as plt
figure = plt.figure()
move = draw(figure, START)
def follow(change):
    move(change.new)
    figure.canvas.draw_idle()
slider.observe(follow, "value")
display(slider, figure.canvas)
"""


@dataclass(frozen=True)
class Contender:
    """A notebook of one cell, a slider in it, and the picture that follows."""

    cell: str
    watch: str  # how browser_stopwatch.js sees the picture
    shows: str  # a selector of the picture
    value: str  # of the slider, in the kernel
    row: str = ""  # of the slider, in the explorer
    start: float = 3000
    step: float = 50


Kernel = Callable[[Notebook], AbstractContextManager[None]]  # what the kernel does while it is measured
OURS = "Explorer, cursor"
CANVAS = ".entrenar-viz-canvas"
CURSOR = Contender(EXPLORER, "cursor", CANVAS, "explorer.controls.cursor.value", "Cursor")
TARGET = Contender(EXPLORER, "target", CANVAS, "explorer.config.target_sparsity", "Target", 0.5, 0.005)
BARE = Contender(SLIDER + FLOOR, "text", ".jp-OutputArea input[type=number]", "number.value")
PEERS = {
    "interact": Contender(SLIDER + INTERACT, "image", ".jp-OutputArea img", "slider.value"),
    "ipympl": Contender(SLIDER + IPYMPL, "ipympl", ".jupyter-matplotlib canvas", "slider.value"),
}


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


def awake(_: Notebook) -> AbstractContextManager[None]:
    """The kernel answers."""
    return nullcontext()


def measure(notebook: Notebook, contender: Contender, runs: int, seconds: float = 0) -> Measured:
    """Steps and, if it is given any seconds, a drag of a slider; ends with the picture of its value."""
    page = notebook.page
    slider = notebook.row(contender.row) if contender.row else page.locator(".widget-slider").first
    handle = slider.locator(".noUi-handle")
    page.evaluate(STOPWATCH, contender.watch)
    handle.focus()
    keys = list(islice(_keys(contender), runs + WARM_UP))
    steps = [_step(page, key, value) for key, value in keys]
    if not seconds:
        return Measured(steps[WARM_UP:], None, keys[-1][1])
    reach = int(0.25 * slider.locator(".noUi-base").bounding_box()["width"]) // 2
    script = "(handle, [reach, duration]) => stopwatch.drag(handle, reach, duration)"
    drag = handle.evaluate(script, [reach, 1000 * seconds])
    value = float(handle.get_attribute("aria-valuenow"))
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


def everything(runs: int, seconds: float, peers: Sequence[str]) -> Iterator[tuple[str, Measured]]:
    """All measurements, one after the other, each by its name in the table."""
    load = os.getloadavg()[0]  # far from 0, something else was running, and only the ratios mean anything
    with jupyterlab() as lab, sync_playwright() as playwright:
        shutil.copy(HERE / "browser_peers.py", lab[1])
        browser = playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
        print(f"JupyterLab {version('jupyterlab')}, Chromium {browser.version}, {os.cpu_count()} processors, ", end="")
        print(f"load before {load:.1f}; {runs} steps each, {seconds:g} s of drag\n", flush=True)

        def one(contender: Contender, drag: float, kernel: Kernel = awake) -> Measured:
            with opened(browser, lab, contender.cell, contender.shows) as notebook:
                with kernel(notebook):
                    measured = measure(notebook, contender, runs, drag)
                notebook.until(contender.value, measured.value)
            return measured

        yield "slider linked to a number (floor)", one(BARE, seconds)
        yield OURS, one(CURSOR, seconds)
        yield "Explorer, target", one(TARGET, 0)
        for name, kernel in (("asleep", asleep), ("stopped", stopped)):
            yield f"Explorer, cursor, kernel {name}", one(CURSOR, seconds, kernel)
        for name in peers:
            try:
                yield name, one(PEERS[name], seconds)
            except Error as error:
                print(f"  {name} did not work here: {error.message.splitlines()[0]}")
        browser.close()


def verdicts(measured: Mapping[str, Measured]) -> Iterator[tuple[str, bool]]:
    """What is aimed at, in words with the numbers, and whether it is met."""
    ours = {name: each for name, each in measured.items() if name.startswith("Explorer")}
    worst = max(each.median for each in ours.values())
    yield f"median of every Explorer step {worst:.1f} ms, at most {FRAME:.1f} (one frame)", worst <= FRAME
    if "interact" in measured:
        ratio = measured["interact"].median / measured[OURS].median
        yield f"{ratio:.1f} x quicker than interact, at least 8", ratio >= 8
    rate = (measured[OURS].drag or {})["pictures"]
    yield f"{rate:.1f} pictures a second in the drag, at least 50", rate >= 50
    waited = max(each.median for name, each in ours.items() if "kernel" in name) - measured[OURS].median
    yield f"kernel asleep or stopped: the median is {waited:+.1f} ms, at most +{FRAME / 4:.1f}", waited <= FRAME / 4


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=60, help="steps of each slider")
    parser.add_argument("--seconds", type=float, default=3, help="length of each drag")
    parser.add_argument("--peers", nargs="*", choices=PEERS, default=list(PEERS))
    given = parser.parse_args()
    measured = dict(everything(given.runs, given.seconds, given.peers))
    unit = measured["interact"].median if "interact" in measured else None
    print(f"  {'':<34}{'one step, ms':>16}{'a second in a drag':>28}{'interact':>12}")
    print(f"  {'':<34}{'median':>8}{'p95':>8}{'moves':>9}{'drawn':>9}{'pictures':>10}{'is slower':>12}")
    for name, each in measured.items():
        print(each.line(name, unit))
    print("\ntargets")
    for target, met in verdicts(measured):
        print(f"  {'met   ' if met else 'MISSED'}  {target}")


if __name__ == "__main__":
    main()
