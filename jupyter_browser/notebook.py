"""One notebook in a page of its own, with helpers that wait on conditions."""

import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import nbformat

RUN_PYTHON = """async (code) => {
  const panel = window.jupyterapp.shell.currentWidget;
  const future = panel.sessionContext.session.kernel.requestExecute({code, store_history: false});
  let printed = '', complaints = '';
  future.onIOPub = ({header, content}) => {
    if (header.msg_type === 'stream' && content.name === 'stdout') printed += content.text;
    else if (header.msg_type === 'stream') complaints += content.text;
    else if (header.msg_type === 'error') complaints += content.traceback.join('\\n');
  };
  await future.done;
  return [printed, complaints];
}"""

# other cells in the notebook that is open; the old ones and what they showed are gone
CELLS = """(cells) => {
  const notebook = jupyterapp.shell.currentWidget.model.sharedModel;
  const code = (source) => ({cell_type: "code", source, metadata: {}, outputs: [], execution_count: null});
  notebook.transact(() => {
    notebook.deleteCellRange(0, notebook.cells.length);
    notebook.insertCells(0, cells.map(code));
  });
}"""
FORGET = "[__import__('ipywidgets').Widget.close_all(), get_ipython().reset(new_session=False)]"
THUMB = 16  # px that the thumb of a slider is wide in Chromium
USUAL = {"forced_colors": "none", "contrast": "no-preference", "reduced_motion": "no-preference"}
RUN_ALL = "jupyterapp.commands.execute('notebook:run-all-cells').then(() => true)"


class Notebook:
    """A page with an explorer in it. What asks the kernel works in JupyterLab and Notebook 7 only."""

    def __init__(self, page: Any, errors: list[str]) -> None:
        self.page = page
        self.errors = errors

    @property
    def drawn(self) -> Any:
        """What the first canvas says it has drawn."""
        return self.page.evaluate("document.querySelector('.entrenar-viz-canvas').drawn")

    @property
    def details(self) -> Any:
        """What the details of the masks say they have drawn."""
        return self.page.evaluate("document.querySelector('.entrenar-viz-details').drawn")

    @property
    def accuracy(self) -> Any:
        """What the picture of a rehearsal says it has drawn."""
        return self.page.evaluate("document.querySelector('.entrenar-viz-accuracy-canvas').drawn")

    @property
    def bars(self) -> Any:
        """What the bars of layers say they have drawn."""
        return self.page.evaluate("document.querySelector('.entrenar-viz-bars-canvas').drawn")

    @property
    def exported(self) -> Any:
        """The configuration that is offered for export, from its text on the screen."""
        return json.loads(self.page.get_by_label("Configuration as JSON").input_value())

    def wait(self, condition: str, argument: Any = None) -> None:
        """Wait until a condition in JavaScript holds, of ``drawn``, ``details``, ``accuracy`` or ``bars``."""
        self.page.wait_for_function(
            "(argument) => { const canvas = document.querySelector('.entrenar-viz-canvas');"
            " const drawn = canvas?.drawn, details = document.querySelector('.entrenar-viz-details')?.drawn ?? {};"
            " const accuracy = document.querySelector('.entrenar-viz-accuracy-canvas')?.drawn ?? { curves: [] };"
            " const bars = document.querySelector('.entrenar-viz-bars-canvas')?.drawn ?? { bars: [] };"
            f" return drawn && ({condition}); }}",
            arg=argument,
            timeout=20_000,
        )

    def python(self, expression: str) -> Any:
        """The value of a Python expression in the kernel, by way of JSON; waits for the kernel's turn."""
        printed, complaints = self.page.evaluate(RUN_PYTHON, f"import json; print(json.dumps({expression}))")
        try:
            return json.loads(printed)
        except json.JSONDecodeError:
            raise AssertionError(f"{expression} raised in the kernel:\n{printed}{complaints}") from None

    def until(self, expression: str, value: Any) -> None:
        """Wait until a Python expression in the kernel has a value: messages of widgets may still be under way."""
        deadline = time.monotonic() + 20
        while (got := self.python(expression)) != value:
            assert time.monotonic() < deadline, f"{expression} is {got!r}, not {value!r}"

    def row(self, label: str) -> Any:
        """The row of controls with that label."""
        return self.page.locator(".entrenar-viz-row").filter(
            has=self.page.locator(".entrenar-viz-label", has_text=label)
        )

    def along(self, name: str, share: float) -> tuple[float, float]:
        """Where the thumb of the slider of that name stands at a share of its range, in pixels of the page."""
        box = self.page.get_by_label(f"{name} slider", exact=True).first.bounding_box()
        return box["x"] + THUMB / 2 + share * (box["width"] - THUMB), box["y"] + box["height"] / 2

    def slide(self, name: str, *shares: float) -> None:
        """Take hold of a slider where it stands, and move it to shares of its range."""
        slider, mouse = self.page.get_by_label(f"{name} slider", exact=True).first, self.page.mouse
        mouse.move(*self.along(name, slider.evaluate("(slider) => slider.valueAsNumber / slider.max")))
        mouse.down()
        for share in shares:
            mouse.move(*self.along(name, share), steps=5)
        mouse.up()

    def tab(self, title: str) -> None:
        """Open the tab of that title, and wait until what is in it has come."""
        bar = self.page.locator(".entrenar-viz-tabs .lm-TabBar-tab")
        bar.filter(has_text=title).first.click()
        self.page.locator(".entrenar-viz-tabs > .widget-tab-contents > :not(.lm-mod-hidden) > *").first.wait_for()

    def type(self, name: str, text: str) -> None:
        """Type into the entry with that accessible name."""
        entry = self.page.get_by_label(name, exact=True).first
        entry.fill(text)
        entry.press("Enter")

    def replace(self, *cells: str) -> None:
        """Run other cells in this page and kernel, without what was there."""
        self.python(FORGET)
        self.page.evaluate(CELLS, cells)
        self.page.wait_for_function("!document.querySelector('.entrenar-viz')")
        self.page.emulate_media(**USUAL)
        self.page.mouse.move(0, 0)
        self.errors.clear()
        self.run()

    def run(self) -> None:
        """Run all cells, in the light theme: JupyterLab remembers the one that a test has chosen."""
        self.page.evaluate(RUN_ALL)
        self.wait("drawn.frames > 0")
        if self.drawn["dark"]:
            self.theme("JupyterLab Light")

    def theme(self, name: str) -> None:
        """Switch JupyterLab's theme."""
        change = "(theme) => jupyterapp.commands.execute('apputils:change-theme', {theme}).then(() => true)"
        self.page.evaluate(change, name)
        self.wait("drawn.dark === argument", "Dark" in name)


def write_notebook(path: Path, cells: Sequence[str]) -> None:
    """A notebook of code cells, not yet executed."""
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    code = [nbformat.v4.new_code_cell(cell) for cell in cells]
    nbformat.write(nbformat.v4.new_notebook(cells=code, metadata=kernel), path)


def ready(page: Any) -> None:
    """Wait until JupyterLab shows its notebook and the kernel is idle; the side bar is out of the way."""
    page.wait_for_function("window.jupyterapp && window.jupyterapp.shell")
    page.evaluate("jupyterapp.started.then(() => { jupyterapp.shell.mode = 'single-document'; return true; })")
    page.evaluate("void jupyterapp.shell.collapseLeft()")
    idle(page)


def idle(page: Any) -> None:
    """Wait until the kernel of the notebook is there and has nothing to do."""
    page.wait_for_function("jupyterapp.shell.currentWidget?.sessionContext?.session?.kernel?.status === 'idle'")
