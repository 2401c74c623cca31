"""How quickly the bars of a plan follow the pointer in a real JupyterLab.

The pointer moves before each frame of the browser, to another height each time, as fine as it is. A picture counts at
the end of its frame, and only if it shows another sparsity of the layer than the one before.
"""

from dataclasses import dataclass
from typing import Any

from playwright.sync_api import sync_playwright

from benchmarks.browser_lab import jupyterlab, opened
from jupyter_browser.servers import FLAGS, chromium

CELL = """import numpy as np
from entrenar_viz import Explorer, allocate
rng = np.random.default_rng(0)
weights = {{f"model.layers.{{i // 7}}.{{i % 7}}.weight": rng.standard_normal((64 + i % 5, 48), dtype="f4")
           for i in range({layers})}}
explorer = Explorer(weights=weights)
explorer.plan = allocate(weights, 0.8)
explorer._parts.tabs.open_tab("Layers")
explorer"""
DRAG = """async ([index, reach, duration]) => {
  const canvas = document.querySelector(".entrenar-viz-bars-canvas");
  canvas.setPointerCapture = () => {}; // which is for pointers that the browser knows
  const { bars, plot } = canvas.drawn;
  const pictures = [];
  const times = [];
  let held = canvas.drawn;
  Object.defineProperty(canvas, "drawn", {
    get: () => held,
    set: (drawn) => {
      held = drawn;
      if (!drawn.bars.length) return;
      times.push(drawn.took);
      const { port1, port2 } = new MessageChannel(); // a task that runs at the end of this frame
      port1.onmessage = () => pictures.push({ value: drawn.bars[index].share, at: performance.now() });
      port2.postMessage(null);
    },
  });
  const box = canvas.getBoundingClientRect();
  const [x, y] = [box.x + bars[index].x + bars[index].width / 2, box.y + bars[index].top];
  const point = (type, by) =>
    canvas.dispatchEvent(new PointerEvent(type, { clientX: x, clientY: y + by, altKey: true, bubbles: true }));
  const frame = () => new Promise(requestAnimationFrame);
  point("pointerdown", 0);
  await frame();
  pictures.length = times.length = 0;
  const begin = performance.now();
  let moves = 0;
  for (; performance.now() < begin + duration; await frame()) {
    moves += 1;
    const along = (2 * moves) % (2 * reach);
    point("pointermove", 4 + Math.min(along, 2 * reach - along));
  }
  const end = performance.now();
  point("pointerup", 0);
  const within = pictures.filter(({ at }) => at <= end);
  const changed = within.filter(({ value }, i) => i === 0 || value !== within[i - 1].value);
  times.sort((one, other) => one - other);
  const rate = (count) => (1000 * count) / (end - begin);
  return { moves: rate(moves), pictures: rate(changed.length), took: times[times.length >> 1], bars: bars.length };
}"""


@dataclass(frozen=True)
class Dragged:
    """How often a second the pointer moved and the picture was another one, and the median of drawing it, ms."""

    moves: float
    pictures: float
    took: float
    bars: int


def drag(layers: int, seconds: float, repeat: int) -> list[Dragged]:
    """Drag the widest layer in the middle, to and fro over 60 pixels."""
    with jupyterlab() as lab, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
        found = [_once(browser, lab, layers, seconds) for _ in range(repeat)]
        browser.close()
    return found


def _once(browser: Any, lab: Any, layers: int, seconds: float) -> Dragged:
    with opened(browser, lab, CELL.format(layers=layers), ".entrenar-viz-bars-canvas") as notebook:
        page = notebook.page
        page.get_by_label("Bars", exact=True).select_option("layer")
        notebook.wait("bars.bars.length === argument", layers)
        x = page.evaluate("document.querySelector('.entrenar-viz-bars-canvas').drawn.bars.map((bar) => bar.x)")
        seen = [index for index, place in enumerate(x) if 100 < place < 600]
        return Dragged(**page.evaluate(DRAG, [seen[len(seen) // 2], 60, 1000 * seconds]))
