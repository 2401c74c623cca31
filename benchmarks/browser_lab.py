"""A JupyterLab of its own for a measurement, notebooks in it, and kernels that do not answer."""

import os
import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from jupyter_browser.notebook import RUN_ALL, Notebook, ready, write_notebook
from jupyter_browser.servers import jupyter, shut_down_kernels

SLEEP = """() => {
  const kernel = jupyterapp.shell.currentWidget.sessionContext.session.kernel;
  const future = kernel.requestExecute({code: "print('asleep', flush=True); import time; time.sleep(600)"});
  window.asleep = true;
  future.done.then(() => (window.asleep = false));
  return new Promise((resolve) => (future.onIOPub = ({header}) => header.msg_type === 'stream' && resolve(true)));
}"""
WAKE = "jupyterapp.shell.currentWidget.sessionContext.session.kernel.interrupt().then(() => true)"


@contextmanager
def jupyterlab() -> Iterator[tuple[str, Path]]:
    """The address of a JupyterLab with settings of its own, and the folder that it serves."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder, jupyter(Path(folder)) as served:
        yield served


@contextmanager
def at_rest(browser: Any, lab: tuple[str, Path], cell: str) -> Iterator[Notebook]:
    """A notebook of one cell in a page of its own, not yet run, with an idle kernel."""
    url, root = lab
    name = f"notebook-{len(list(root.glob('*.ipynb')))}.ipynb"
    write_notebook(root / name, [cell])
    context = browser.new_context(viewport={"width": 1280, "height": 1400})
    try:
        page = context.new_page()
        page.goto(f"{url}lab/tree/{name}?reset")
        ready(page)
        yield Notebook(page, [])
    finally:
        context.close()
        shut_down_kernels(url)


@contextmanager
def opened(browser: Any, lab: tuple[str, Path], cell: str, shows: str) -> Iterator[Notebook]:
    """A notebook of one cell, run until the page has what the selector ``shows`` names."""
    with at_rest(browser, lab, cell) as notebook:
        notebook.page.evaluate(RUN_ALL)
        notebook.page.wait_for_function("(shows) => document.querySelector(shows)?.clientWidth > 0", arg=shows)
        yield notebook


@contextmanager
def asleep(notebook: Notebook) -> Iterator[None]:
    """The kernel sleeps in a cell. Since ipykernel 7 another of its threads still answers widgets."""
    notebook.page.evaluate(SLEEP)
    yield
    if not notebook.page.evaluate("window.asleep"):
        raise RuntimeError("the kernel awoke too early")
    notebook.page.evaluate(WAKE)
    notebook.page.wait_for_function("!window.asleep")


@contextmanager
def stopped(notebook: Notebook) -> Iterator[None]:
    """The process of the kernel is stopped, so that nothing in it answers anyone (not on Windows)."""
    process = notebook.python("__import__('os').getpid()")
    os.kill(process, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(process, signal.SIGCONT)
