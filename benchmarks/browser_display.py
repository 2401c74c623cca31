"""How soon the explorer is first seen: from running its cell to the end of the frame that shows its picture."""

from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.browser_lab import at_rest

IMPORT = "from entrenar_viz import Explorer"
CELL = f"{IMPORT}\nexplorer = Explorer()\nexplorer"
MOST = 1500  # ms that are aimed at
DISPLAYS = {"imported before": True, "with the import": False}  # what the kernel has to do
SHOWN = """() => new Promise((resolve) => {
  const begin = performance.now();
  void jupyterapp.commands.execute("notebook:run-all-cells");
  const { port1, port2 } = new MessageChannel();
  port1.onmessage = () => resolve(performance.now() - begin); // once the frame has been handed to the compositor
  const look = () => {
    if (document.querySelector(".entrenar-viz-canvas")?.drawn?.frames > 0) port2.postMessage(null);
    else requestAnimationFrame(look);
  };
  look();
})"""
EXECUTE = """(code) => {
  const { kernel } = jupyterapp.shell.currentWidget.sessionContext.session;
  return kernel.requestExecute({ code }).done.then(() => true);
}"""


def first_display(browser: Any, lab: tuple[str, Path], *, imported: bool, times: int) -> float:
    """Milliseconds, the median of ``times`` notebooks, each in a new page with an idle kernel of its own.

    With ``imported`` the kernel has executed the import before, else it does so in the cell.
    """
    took = []
    for _ in range(times):
        with at_rest(browser, lab, CELL) as notebook:
            if imported:
                notebook.page.evaluate(EXECUTE, f"{IMPORT}, PruningConfig; Explorer")
            took.append(float(notebook.page.evaluate(SHOWN)))
    return median(took)
