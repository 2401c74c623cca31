"""Frames of the largest layer beside those of a small one, while the training is played, in one run.

    python -m benchmarks.browser_masks [--seconds 5] [--rows 14336] [--columns 4096]

Both are drawn in a real JupyterLab with an update at every tenth step, so that masks are painted at almost every frame.
Counted are the drawings, the frames of the browser, and what a drawing takes of the page's time (the canvas measures
itself). The kernel tells how many bytes it has sent of each layer.
"""

import argparse
import os
from dataclasses import dataclass
from typing import Any

from playwright.sync_api import sync_playwright

from benchmarks.browser_lab import jupyterlab, opened
from jupyter_browser.servers import FLAGS, chromium

CELL = """
import numpy as np
from entrenar_viz import Explorer
weights = np.random.default_rng(0).standard_normal(({rows}, {columns}), np.float32)
explorer = Explorer(weights=weights)
explorer._parts.commands.change({"frequency": 10})
explorer
"""
SENT = "sum(len(part) for part in explorer._parts.live.layer.values() if isinstance(part, bytes))"
PLAYED = """(duration) => new Promise((resolve) => {
  const canvas = document.querySelector(".entrenar-viz-canvas");
  const took = [];
  let [begin, frames, seen] = [undefined, -1, canvas.drawn.frames];
  const look = (now) => {
    begin ??= now;
    frames += 1;
    if (canvas.drawn.frames !== seen) took.push(canvas.drawn.took);
    seen = canvas.drawn.frames;
    if (now - begin < duration) requestAnimationFrame(look);
    else resolve({ took, frames, seconds: (now - begin) / 1000 });
  };
  requestAnimationFrame(look);
})"""
MOST_BYTES = 4_000_000
LARGER = 1.2  # times that a frame of the largest layer may take
RATE = 50  # drawings a second


@dataclass(frozen=True)
class Played:
    """Drawings a second, frames of the browser a second, milliseconds of a drawing (median), bytes of the layer."""

    drawings: float
    frames: float
    took: float
    sent: int


def played(browser: Any, lab: Any, rows: int, columns: int, seconds: float) -> Played:
    """Play the training of a layer of that shape, once it is shown."""
    cell = CELL.replace("{rows}", str(rows)).replace("{columns}", str(columns))
    with opened(browser, lab, cell, ".entrenar-viz-canvas") as notebook:
        notebook.page.wait_for_function(
            "(large) => { const [drawn, details] = ['canvas', 'details'].map((name) =>"
            " document.querySelector(`.entrenar-viz-${name}`)?.drawn);"
            " return drawn?.panels[1].got != null && details && Boolean(details.window) === large; }",
            arg=max(rows, columns) > 256,
            timeout=120_000,
        )
        sent = notebook.python(SENT)
        notebook.type("Cursor step", "1000")
        notebook.page.get_by_label("Speed").select_option("0.25")
        notebook.page.get_by_role("button", name="Play the training").click()
        notebook.wait("drawn.cursor > 1100")
        found = notebook.page.evaluate(PLAYED, 1000 * seconds)
        notebook.page.get_by_role("button", name="Pause the training").click()
    took = sorted(found["took"])
    return Played(len(took) / found["seconds"], found["frames"] / found["seconds"], took[len(took) // 2], sent)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=5, help="of the training played, each")
    parser.add_argument("--rows", type=int, default=14336)
    parser.add_argument("--columns", type=int, default=4096)
    given = parser.parse_args()
    print(f"load before {os.getloadavg()[0]:.1f}\n{'':<16}{'drawings/s':>12}{'frames/s':>10}{'ms':>8}{'bytes':>12}")
    measured = {}
    with jupyterlab() as lab, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
        for rows, columns in ((256, 256), (given.rows, given.columns), (256, 256), (given.rows, given.columns)):
            name = f"{rows} x {columns}"
            one = played(browser, lab, rows, columns, given.seconds)
            measured.setdefault(name, []).append(one)
            print(f"{name:<16}{one.drawings:>12.1f}{one.frames:>10.1f}{one.took:>8.2f}{one.sent:>12,}", flush=True)
        browser.close()
    small, large = (min(found, key=lambda one: one.took) for found in measured.values())
    ratio = large.took / small.took
    print("\ntargets")
    for text, met in (
        (f"a frame of the largest layer takes {ratio:.2f} x that of 256 x 256, at most {LARGER}", ratio <= LARGER),
        (f"{large.drawings:.1f} drawings a second while playing, at least {RATE}", large.drawings >= RATE),
        (f"{large.sent:,} bytes for the layer, at most {MOST_BYTES:,}", large.sent <= MOST_BYTES),
    ):
        print(f"  {'met   ' if met else 'MISSED'}  {text}")


if __name__ == "__main__":
    main()
