"""How soon the explorer is first seen: from running its cell to the end of the frame that shows its picture.

And how many messages go between page and kernel until then, both ways, as JupyterLab counts them.
"""

from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.browser_lab import at_rest

IMPORT = "from entrenar_viz import Explorer"
CELL = f"{IMPORT}\nexplorer = Explorer()\nexplorer"
MOST = {"imported before": 1000, "with the import": 1500}  # ms that are aimed at, by what the kernel has to do
MESSAGES = 60  # that are aimed at
SHOWN = """() => new Promise((resolve) => {
  const { kernel } = jupyterapp.shell.currentWidget.sessionContext.session;
  let messages = 0;
  const count = () => (messages += 1);
  kernel.anyMessage.connect(count);
  const begin = performance.now();
  void jupyterapp.commands.execute("notebook:run-all-cells");
  const { port1, port2 } = new MessageChannel();
  port1.onmessage = () => {
    kernel.anyMessage.disconnect(count);
    resolve([performance.now() - begin, messages]); // once the frame has been handed to the compositor
  };
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


def first_display(browser: Any, lab: tuple[str, Path], *, imported: bool, times: int) -> tuple[float, float]:
    """Milliseconds and messages, each the median of ``times`` notebooks in a new page with an idle kernel of its own.

    With ``imported`` the kernel has executed the import before, else it does so in the cell.
    """
    took = []
    for _ in range(times):
        with at_rest(browser, lab, CELL) as notebook:
            if imported:
                notebook.page.evaluate(EXECUTE, f"{IMPORT}, PruningConfig; Explorer")
            took.append(notebook.page.evaluate(SHOWN))
    return median(time for time, _ in took), median(messages for _, messages in took)
