"""Whether the explorer stays as small as it was: thousands of changes of its controls, and what is left of them.

    python -m benchmarks.soak [--changes 10000] [--warm-up 1000] [--layer 2048] [--browser]

Without a browser, messages like those of a page are handed to the explorer: numbers move, findings come and go,
schedules, patterns, methods, samples, tabs and ways to compare are picked, the window on a large layer moves, and
every 500 changes that layer is prepared in the background again. Memory is what the process holds (RSS), with a glibc
that gives arrays back as they are freed, and, in a second run since watching it costs both time and memory, what
Python has allocated (tracemalloc). With --browser it is the keyboard in a real JupyterLab that changes sliders, and
both the process of its kernel and the heap of the page are measured.
"""

import argparse
import ctypes
import gc
import os
import sys
import tracemalloc
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import ipywidgets as w
import numpy as np
import psutil
from ipywidgets.widgets import widget as registry
from playwright.sync_api import sync_playwright

from benchmarks.browser_lab import jupyterlab, opened
from entrenar_viz import Explorer
from entrenar_viz.config.pruning_config import METHODS, PATTERN_NAMES
from entrenar_viz.config.schedules import SCHEDULE_NAMES
from jupyter_browser.notebook import Notebook
from jupyter_browser.servers import FLAGS, chromium

MB = 1 << 20
MOST = 5.0  # MB that may be held in the end beyond what was held after the warm-up
EVERY = 500  # changes between two preparations of the large layer


@dataclass(frozen=True)
class Held:
    """What there is at one moment; ``traced`` is 0 where tracemalloc does not run."""

    rss: float
    traced: float
    widgets: int
    observers: int
    pyplot: bool
    """Whether pyplot has been imported, which alone keeps figures open."""
    page: float = 0.0
    """The JavaScript heap of the page, MB; 0 without a browser."""


def held() -> Held:
    """What is held by now, rubbish collected."""
    gc.collect()
    alive = list(registry._instances.values())
    observers = sum(
        len(calls) for each in alive for names in each._trait_notifiers.values() for calls in names.values()
    )
    traced = tracemalloc.get_traced_memory()[0] if tracemalloc.is_tracing() else 0
    return Held(
        psutil.Process().memory_info().rss / MB, traced / MB, len(alive), observers, "matplotlib.pyplot" in sys.modules
    )


def give_back_at_once() -> None:
    """Let glibc map arrays by themselves, as it does at first: it soon keeps those of threads to use them again."""
    if sys.platform == "linux":
        ctypes.CDLL(None).mallopt(-3, 1 << 17)  # M_MMAP_THRESHOLD, and it does not move any more


def told(widget: w.Widget, **state: Any) -> None:
    """Hand ``state`` to ``widget`` as a page does."""
    data = {"method": "update", "state": state, "buffer_paths": []}
    widget._handle_msg({"content": {"data": data}, "buffers": []})


def moved(explorer: Explorer, **changes: Any) -> None:
    """Hand the explorer what a page tells of ``changes``."""
    values = explorer._parts.state.values() | changes
    content = {"page": "soak", "told": explorer._parts.state.count + 1, "values": values, "ended": [], "unread": {}}
    message = {"method": "custom", "content": content | {"gesture": float(explorer._parts.state.count)}}
    explorer._parts.live._handle_msg({"content": {"data": message}, "buffers": []})


def numbers(explorer: Explorer, rng: np.random.Generator) -> list[Callable[[], None]]:
    """Changes of each number that has a slider."""

    def step(most: int) -> int:
        return int(rng.integers(1, most))

    def window() -> None:
        start, end = sorted((step(10_000), step(10_000)))
        moved(explorer, start_step=start, end_step=end)

    return [
        lambda: moved(explorer, cursor=step(10_000)),
        lambda: moved(explorer, target=step(200) / 200),
        lambda: moved(explorer, initial=step(100) / 200),
        lambda: moved(explorer, frequency=step(2000)),
        lambda: moved(explorer, one_shot_step=step(10_000)),
        window,
        lambda: moved(explorer, total_steps=step(20_000)),
    ]


def choices(explorer: Explorer, rng: np.random.Generator) -> list[Callable[[], None]]:
    """Picks from every list, a fix, a tab, and a move of the window on the layer."""
    panel = explorer._parts.masks

    def pick(picker: w.Widget) -> None:
        told(picker, index=int(rng.integers(len(picker.options))))

    def fix() -> None:
        for i, finding in enumerate(explorer.findings):
            if finding.fixes:
                explorer._parts.commands.do({"do": "fix", "finding": i, "fix": 0, "name": finding.fixes[0].label})
                return

    def corner() -> None:
        row, column = rng.integers(0, 900, 2).tolist()
        moved(explorer, window_row=row, window_column=column)

    pickers = (panel.masks_of, panel.within, panel.source, panel.layer)
    picks = [lambda picker=picker: pick(picker) for picker in pickers]
    kinds = {"schedule": SCHEDULE_NAMES, "pattern": PATTERN_NAMES, "method": METHODS}
    set_kinds = [lambda n=n, k=k: moved(explorer, **{n: str(rng.choice(list(k)))}) for n, k in kinds.items()]
    tabs = len(explorer._parts.tabs.panels)
    return [*picks, *set_kinds, fix, lambda: told(explorer._parts.tabs, selected_index=int(rng.integers(tabs))), corner]


def prepare_again(explorer: Explorer, source: str) -> None:
    """Leave the large layer and come back to it, to the end of its preparation in the background."""
    moved(explorer, pattern="unstructured")
    for name in ("digits network", source):
        told(explorer._parts.masks.source, index=explorer._parts.masks.source.options.index(name))
        explorer.wait()


def soak(changes: int, warm_up: int, layer: int) -> Iterator[Held]:
    """What is held after ``warm_up`` changes, then after all ``changes``; one in ten is a choice."""
    give_back_at_once()
    rng = np.random.default_rng(0)
    explorer = Explorer(weights={"large": rng.standard_normal((layer, layer), dtype=np.float32)})
    assert explorer._parts.root.model_id
    explorer._parts.tabs.fill()  # all widgets are sent, as when it is displayed and seen
    source = explorer._parts.masks.source.value
    moves, picks = numbers(explorer, rng), choices(explorer, rng)
    for change in range(1, changes + 1):
        kind = moves if change % 10 else picks
        kind[rng.integers(len(kind))]()
        if change % EVERY == 0:
            prepare_again(explorer, source)
        if change in (warm_up, changes):
            yield held()
    if explorer.errors:
        raise explorer.errors[0]
    explorer.close()


def traced(*arguments: int) -> Iterator[Held]:
    """``soak`` with tracemalloc."""
    tracemalloc.start()
    yield from soak(*arguments)
    tracemalloc.stop()


def in_browser(changes: int, warm_up: int) -> Iterator[Held]:
    """The same of a kernel whose sliders are moved by keys in JupyterLab."""
    measured = "from benchmarks.soak import give_back_at_once, held\ngive_back_at_once()\n"
    cell = f"{measured}from entrenar_viz import Explorer\nexplorer = Explorer()\nexplorer"
    with jupyterlab() as lab, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
        with opened(browser, lab, cell, ".entrenar-viz-canvas") as notebook:
            for change in range(1, changes + 1):
                press(notebook, change)
                if change in (warm_up, changes):
                    settle(notebook)
                    yield Held(**notebook.python("held().__dict__") | {"page": heap(notebook.page)})
        browser.close()


def heap(page: Any) -> float:
    """The JavaScript heap of the page in MB, its rubbish collected."""
    session = page.context.new_cdp_session(page)
    session.send("HeapProfiler.collectGarbage")
    used = session.send("Runtime.getHeapUsage")["usedSize"]
    session.detach()
    return float(used) / MB


def press(notebook: Notebook, change: int) -> None:
    """Move one of five sliders, there and back again."""
    if change % 20 == 1:
        names = ("Cursor step", "Target sparsity", "Steps between updates", "End step", "OneShot step")
        notebook.page.get_by_label(f"{names[change // 20 % len(names)]} slider").focus()
    notebook.page.keyboard.press("ArrowRight" if change // 100 % 2 else "ArrowLeft")


def settle(notebook: Notebook) -> None:
    """Wait until the kernel knows everything."""
    notebook.wait("drawn.frames > 0")
    cursor = notebook.page.get_by_label("Cursor step", exact=True).first.input_value()
    notebook.until("explorer._parts.state.settings.cursor", int(cursor.replace(",", "")))


def verdicts(before: Held, after: Held) -> Iterator[tuple[str, bool]]:
    """What is aimed at, in words with the numbers, and whether it is met."""
    watched = after.traced > 0  # then RSS is that of tracemalloc too
    grown = after.traced - before.traced if watched else after.rss - before.rss
    yield f"{'what Python holds' if watched else 'RSS'} has grown by {grown:.2f} MB, at most {MOST:g}", grown <= MOST
    if after.page:
        grown = after.page - before.page
        yield (
            f"the page's heap: {before.page:.1f} MB, then {after.page:.1f} MB: {grown:+.2f}, at most {MOST:g}",
            grown <= MOST,
        )
    yield f"widgets: {before.widgets:,}, then {after.widgets:,}", before.widgets == after.widgets
    yield f"observers: {before.observers:,}, then {after.observers:,}", before.observers == after.observers
    yield "no pyplot, so no figure is open", not after.pyplot


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--changes", type=int, default=10_000)
    parser.add_argument("--warm-up", type=int, default=1000)
    parser.add_argument("--layer", type=int, default=2048, help="rows and columns of the large layer")
    parser.add_argument("--browser", action="store_true", help="by keys in a real JupyterLab")
    given = parser.parse_args()
    sizes = (given.changes, given.warm_up)
    runs = (
        {"the kernel of a JupyterLab": in_browser(*sizes)}
        if given.browser
        else {
            "this process": soak(*sizes, given.layer),
            "this process, watched by tracemalloc": traced(*sizes, given.layer),
        }
    )
    print(f"{given.changes:,} changes, the first {given.warm_up:,} to warm up; load before {os.getloadavg()[0]:.1f}")
    for name, run in runs.items():
        before, after = run
        print(f"\n{name}: {before.rss:.1f} MB, then {after.rss:.1f} MB")
        for target, met in verdicts(before, after):
            print(f"  {'met   ' if met else 'MISSED'}  {target}")


if __name__ == "__main__":
    main()
