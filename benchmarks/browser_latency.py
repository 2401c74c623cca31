"""How soon a slider's step is seen in a real JupyterLab: the explorer beside six other ways, in one run.

    python -m benchmarks.browser_latency [--runs 60] [--seconds 3] [--delay 0] [--displays 5] [--peers interact bqplot]

A step is an arrow key on the handle of a slider. Its time runs from the browser's time stamp of the key to the end of
the frame that shows the right picture; browser_stopwatch.js says how both are known. In a drag the mouse moves the
handle before each frame of the browser, to another value each time; counted are its moves, the drawings, and the
drawings that show another value than the one before. The peers (browser_contenders.py) draw about the same picture with
matplotlib (browser_peers.py) or a widget library (browser_widgets.py). The floor is a bare slider linked to a number in
the browser.

--delay 150 has all that goes between page and server take 150 ms more each way, so 300 ms a round trip, as over a slow
network (browser_delay.py); the round trip is measured in the page, with the delay and without. The first display of
the explorer (browser_display.py) is timed from running its cell.

Headless Chromium shows 60 frames a second: what is drawn in the very next frame takes half of one on average.
"""

import argparse
import os
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from playwright.sync_api import Error, sync_playwright

from benchmarks.browser_contenders import BARE, CURSOR, OURS, PEERS, TARGET, Contender
from benchmarks.browser_delay import delayed, round_trip
from benchmarks.browser_display import MESSAGES, MOST, first_display
from benchmarks.browser_lab import asleep, at_rest, jupyterlab, opened, stopped
from benchmarks.browser_measure import FRAME, Measured, measure
from jupyter_browser.notebook import Notebook
from jupyter_browser.servers import FLAGS, chromium

HERE = Path(__file__).parent
FLOOR, OUR_TARGET = "slider linked to a number (floor)", "Explorer, target"
Kernel = Callable[[Notebook], AbstractContextManager[None]]  # what the kernel does while it is measured


def awake(_: Notebook) -> AbstractContextManager[None]:
    """The kernel answers."""
    return nullcontext()


@dataclass(frozen=True)
class Bench:
    """A browser, and a JupyterLab that it reaches at ``url`` straight, and as ``lab`` by the network of the run."""

    browser: Any
    url: str
    lab: tuple[str, Path]

    def one(self, contender: Contender, runs: int, drag: float, kernel: Kernel = awake) -> Measured:
        """Steps and a drag; the kernel knows the last value in the end."""
        with opened(self.browser, self.lab, contender.cell, contender.shows) as notebook:
            with kernel(notebook):
                measured = measure(notebook, contender, runs, drag)
            notebook.until(contender.value, measured.value)
        return measured

    def round_trips(self) -> Iterator[float]:
        """Milliseconds of a message to the kernel and back: straight, then by the network of the run if it is slow."""
        for url in dict.fromkeys([self.url, self.lab[0]]):
            with at_rest(self.browser, (url, self.lab[1]), "") as notebook:
                yield round_trip(notebook.page)


@contextmanager
def bench(delay: float) -> Iterator[Bench]:
    """All that a run needs, with a network of ``delay`` ms each way."""
    with jupyterlab() as (url, root), delayed(url, delay) as address, sync_playwright() as playwright:
        for file in ("browser_peers.py", "browser_widgets.py"):
            shutil.copy(HERE / file, root)
        browser = playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
        yield Bench(browser, url, (address, root))
        browser.close()


def everything(on: Bench, runs: int, seconds: float, peers: Sequence[str]) -> Iterator[tuple[str, Measured]]:
    """All measurements of sliders, one after the other, each by its name in the table."""
    yield FLOOR, on.one(BARE, runs, seconds)
    yield OURS, on.one(CURSOR, runs, seconds)
    yield OUR_TARGET, on.one(TARGET, runs, seconds)
    for name, kernel in (("asleep", asleep), ("stopped", stopped)):
        yield f"Explorer, cursor, kernel {name}", on.one(CURSOR, runs, seconds, kernel)
    for name in peers:
        try:
            yield name, on.one(PEERS[name], runs, seconds)
        except Error as error:
            print(f"  {name} did not work here: {error.message.splitlines()[0]}")


def verdicts(measured: Mapping[str, Measured]) -> Iterator[tuple[str, bool]]:
    """What is aimed at, in words with the numbers, and whether it is met."""
    ours = {name: each for name, each in measured.items() if name.startswith("Explorer")}
    floor = measured[FLOOR].median
    for name in (OURS, OUR_TARGET):
        ratio = measured[name].median / floor
        yield f"{name}: one step takes {ratio:.2f} x the bare slider's, at most 0.9", ratio <= 0.9
    if "interact" in measured:
        ratio = measured["interact"].median / measured[OURS].median
        yield f"{ratio:.1f} x quicker than interact, at least 8", ratio >= 8
    for name in (OURS, OUR_TARGET):
        rate = (measured[name].drag or {})["pictures"]
        yield f"{name}: {rate:.1f} pictures a second in the drag, at least 55", rate >= 55
    waited = max(each.median for name, each in ours.items() if "kernel" in name) - measured[OURS].median
    yield f"kernel asleep or stopped: the median is {waited:+.1f} ms, at most +{FRAME / 4:.1f}", waited <= FRAME / 4


def options() -> argparse.Namespace:
    """What is asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=60, help="steps of each slider")
    parser.add_argument("--seconds", type=float, default=3, help="length of each drag")
    parser.add_argument("--delay", type=float, default=0, metavar="MS", help="of the network, each way")
    parser.add_argument("--displays", type=int, default=5, help="times that the explorer is first displayed")
    parser.add_argument("--peers", nargs="*", choices=PEERS, default=list(PEERS))
    return parser.parse_args()


def main() -> None:
    given, load = options(), os.getloadavg()[0]
    with bench(given.delay) as on:
        print(
            f"JupyterLab {version('jupyterlab')}, Chromium {on.browser.version}, {os.cpu_count()} processors, ", end=""
        )
        # far from 0, something else was running, and only the ratios mean anything
        print(f"load before {load:.1f}; {given.runs} steps each, {given.seconds:g} s of drag")
        trips = ", with the delay ".join(f"{took:.1f} ms" for took in on.round_trips())
        print(f"a message of the page to the kernel and its answer: {trips}\n", flush=True)
        shown = {
            how: first_display(on.browser, on.lab, imported=how == "imported before", times=given.displays)
            for how in MOST
        }
        measured = dict(everything(on, given.runs, given.seconds, given.peers))
    table(measured)
    print("\ntargets")
    quick = [
        (f"first display {took:.0f} ms, {how}; at most {MOST[how]}", took <= MOST[how])
        for how, (took, _) in shown.items()
    ]
    messages = max(count for _, count in shown.values())
    quick.append((f"{messages:.0f} messages to the first picture, at most {MESSAGES}", messages <= MESSAGES))
    for target, met in [*verdicts(measured), *quick]:
        print(f"  {'met   ' if met else 'MISSED'}  {target}")


def table(measured: Mapping[str, Measured]) -> None:
    """Print a line for each slider."""
    unit = measured["interact"].median if "interact" in measured else None
    print(f"  {'':<34}{'one step, ms':>16}{'a second in a drag':>28}{'interact':>12}")
    print(f"  {'':<34}{'median':>8}{'p95':>8}{'moves':>9}{'drawn':>9}{'pictures':>10}{'is slower':>12}")
    for name, each in measured.items():
        print(each.line(name, unit))


if __name__ == "__main__":
    main()
