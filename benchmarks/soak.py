"""Whether the explorer stays as small as it was: thousands of changes of its controls, and what is left of them.

    python -m benchmarks.soak [--changes 10000] [--warm-up 1000] [--layer 2048] [--browser]

Without a browser, messages like those of a page are handed to the widgets: sliders move, entries are typed in,
findings come and go, schedules, patterns, methods, samples and ways to compare are picked, the window on a large layer
moves, and every 500 changes that layer is prepared in the background again. Memory is what the process holds
(RSS) and, in a second run since watching it costs both time and memory, what Python has allocated (tracemalloc). With
--browser it is the keyboard in a real JupyterLab that changes sliders, and the process of its kernel is measured.
"""

import argparse
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
from entrenar_viz.analysis.finding import Finding
from entrenar_viz.explorer.panels import is_shown
from jupyter_browser.notebook import Notebook
from jupyter_browser.servers import FLAGS, chromium

MB = 1 << 20
MOST = 5.0  # MB that may be held in the end beyond what was held after the warm-up
FINDINGS = 12  # that there are
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


def told(widget: w.Widget, **state: Any) -> None:
    """Hand ``state`` to ``widget`` as a page does."""
    data = {"method": "update", "state": state, "buffer_paths": []}
    widget._handle_msg({"content": {"data": data}, "buffers": []})


def pressed(button: w.Button) -> None:
    """Press ``button`` as a page does."""
    button._handle_msg({"content": {"data": {"method": "custom", "content": {"event": "click"}}}, "buffers": []})


def numbers(explorer: Explorer, rng: np.random.Generator) -> list[Callable[[], None]]:
    """Changes of each entry with a slider beside it: of both, since the page links them."""
    c = explorer.controls

    def slide(name: str, value: Any) -> None:
        told(getattr(c, name), value=value, position=value)
        told(c.sliders[name], value=value)

    def step(most: int) -> int:
        return int(rng.integers(1, most))

    return [
        lambda: slide("cursor", step(10_000)),
        lambda: slide("target", step(200) / 200),
        lambda: slide("initial", step(100) / 200),
        lambda: slide("frequency", step(2000)),
        lambda: slide("one_shot_step", step(10_000)),
        lambda: slide("window", sorted((step(10_000), step(10_000)))),
        lambda: slide("total_steps", step(20_000)),
        lambda: told(c.target, problem=str(rng.choice(["", "x is no percentage"]))),
    ]


def choices(explorer: Explorer, rng: np.random.Generator) -> list[Callable[[], None]]:
    """Picks from every list, a fix, and a move of the window on the layer."""
    c, p = explorer.controls, explorer.preview

    def pick(picker: w.Widget) -> None:
        told(picker, index=int(rng.integers(len(picker.options))))

    def fix() -> None:
        rows = [row for row in explorer.findings_panel.rows if is_shown(row) and row.fixes]
        if rows:
            pressed(rows[0].buttons[0])

    pickers = (c.schedule, c.pattern, c.method, p.masks_of, p.within, p.source, p.layer)
    picks = [lambda picker=picker: pick(picker) for picker in pickers]
    return [*picks, fix, lambda: told(explorer.canvas, corner=rng.integers(0, 900, 2).tolist())]


def prepare_again(explorer: Explorer, source: str) -> None:
    """Leave the large layer and come back to it, to the end of its preparation in the background."""
    told(explorer.controls.pattern, index=0)
    for name in ("digits network", source):
        told(explorer.preview.source, index=explorer.preview.source.options.index(name))
        explorer.wait()


def soak(changes: int, warm_up: int, layer: int) -> Iterator[Held]:
    """What is held after ``warm_up`` changes, then after all ``changes``; one in ten is a choice."""
    rng = np.random.default_rng(0)
    explorer = Explorer(weights={"large": rng.standard_normal((layer, layer), dtype=np.float32)})
    assert explorer.layout.model_id  # all widgets are sent, as when it is displayed
    source = explorer.preview.source.value
    explorer.findings_panel.fill([Finding("all", "info", "")] * FINDINGS)  # rows come when first needed, and stay
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
    cell = "from entrenar_viz import Explorer\nfrom benchmarks.soak import held\nexplorer = Explorer()\nexplorer"
    with jupyterlab() as lab, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
        with opened(browser, lab, cell, ".entrenar-viz-canvas") as notebook:
            for change in range(1, changes + 1):
                press(notebook, change)
                if change in (warm_up, changes):
                    settle(notebook)
                    yield Held(**notebook.python("held().__dict__"))
        browser.close()


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
    notebook.until("explorer.controls.cursor.value", int(cursor.replace(",", "")))


def verdicts(before: Held, after: Held) -> Iterator[tuple[str, bool]]:
    """What is aimed at, in words with the numbers, and whether it is met."""
    watched = after.traced > 0  # then RSS is that of tracemalloc too
    grown = after.traced - before.traced if watched else after.rss - before.rss
    yield f"{'what Python holds' if watched else 'RSS'} has grown by {grown:.2f} MB, at most {MOST:g}", grown <= MOST
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
