"""A real JupyterLab and a real Chromium; without one these tests skip, or fail where a browser is required."""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest

REQUIRED = os.environ.get("ENTRENAR_VIZ_BROWSER") == "required"
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
LAB_CONFIG = """
from jupyterlab.galata import configure_jupyter_server
configure_jupyter_server(c)
c.ServerApp.ip = "127.0.0.1"
c.ServerApp.port = 0
c.ServerApp.allow_root = True
c.ServerApp.root_dir = {root!r}
"""
RUN_PYTHON = """async (code) => {
  const panel = window.jupyterapp.shell.currentWidget;
  const future = panel.sessionContext.session.kernel.requestExecute({code, store_history: false});
  let text = '';
  future.onIOPub = ({header, content}) => {
    if (header.msg_type === 'stream') text += content.text;
    if (header.msg_type === 'error') text += content.traceback.join('\\n');
  };
  await future.done;
  return text;
}"""


def chromium() -> str:
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    found = os.environ.get("ENTRENAR_VIZ_CHROMIUM") or next(filter(None, map(shutil.which, names)), None)
    if found:
        return found
    message = "no Chromium found: install it (Debian: apt-get install chromium) or name one in ENTRENAR_VIZ_CHROMIUM"
    if REQUIRED:
        pytest.fail(message)
    pytest.skip(message)


class Notebook:
    """One notebook in a page of its own, with helpers that wait on conditions."""

    def __init__(self, page: Any, errors: list[str]) -> None:
        self.page = page
        self.errors = errors

    @property
    def drawn(self) -> Any:
        """What the first canvas says it has drawn."""
        return self.page.evaluate("document.querySelector('.entrenar-viz-canvas').drawn")

    def wait(self, condition: str, argument: Any = None) -> None:
        """Wait until a JavaScript condition holds, with ``canvas`` as the first canvas and ``drawn`` as its data."""
        self.page.wait_for_function(
            "(argument) => { const canvas = document.querySelector('.entrenar-viz-canvas');"
            f" const drawn = canvas?.drawn; return drawn && ({condition}); }}",
            arg=argument,
            timeout=20_000,
        )

    def python(self, expression: str) -> Any:
        """The value of a Python expression in the kernel, by way of JSON; waits for the kernel's turn."""
        text = self.page.evaluate(RUN_PYTHON, f"import json; print(json.dumps({expression}))")
        try:
            return json.loads(text)
        except json.JSONDecodeError:
            pytest.fail(f"{expression} raised in the kernel:\n{text}")

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

    def type(self, name: str, text: str) -> None:
        """Type into the entry with that accessible name."""
        entry = self.page.get_by_label(name, exact=True).first
        entry.fill(text)
        entry.press("Enter")

    def theme(self, name: str) -> None:
        """Switch JupyterLab's theme."""
        change = "(theme) => jupyterapp.commands.execute('apputils:change-theme', {theme}).then(() => true)"
        self.page.evaluate(change, name)
        self.wait("drawn.dark === argument", "Dark" in name)


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    path = chromium()
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """The address of a JupyterLab, and the folder that it serves."""
    chromium()
    home = tmp_path_factory.mktemp("lab")
    root, runtime = home / "root", home / "runtime"
    root.mkdir()
    news = home / "settings" / "@jupyterlab" / "apputils-extension"
    news.mkdir(parents=True)
    (news / "notification.jupyterlab-settings").write_text('{"fetchNews": "false", "checkForUpdates": false}')
    config = home / "config.py"
    config.write_text(LAB_CONFIG.format(root=str(root)))
    environment = os.environ | {
        "JUPYTER_RUNTIME_DIR": str(runtime),
        "JUPYTER_CONFIG_DIR": str(home / "jupyter"),
        "JUPYTERLAB_SETTINGS_DIR": str(home / "settings"),
        "IPYTHONDIR": str(home / "ipython"),
    }
    command = [sys.executable, "-m", "jupyterlab", "--config", str(config), "--no-browser"]
    with (home / "log").open("wb") as log:
        server = subprocess.Popen(command, env=environment, cwd=root, stdout=log, stderr=log)
        try:
            yield _address(server, runtime, home / "log"), root
        finally:
            server.terminate()
            server.wait(30)


def _address(server: subprocess.Popen[bytes], runtime: Path, log: Path) -> str:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and server.poll() is None:
        for file in runtime.glob("jpserver-*.json"):
            try:
                return str(json.loads(file.read_text())["url"])
            except (json.JSONDecodeError, KeyError):
                pass  # being written
        time.sleep(0.1)
    raise AssertionError(f"JupyterLab did not start:\n{log.read_text()}")


@pytest.fixture
def open_notebook(browser: Any, lab: tuple[str, Path]) -> Iterator[Any]:
    """``open_notebook(*cells or path)`` opens a notebook, runs it, and waits for the picture."""
    url, root = lab
    contexts = []

    def open_it(
        *cells: str, path: Path | None = None, width: int = 1280, height: int = 1400, scale: float = 1
    ) -> Notebook:
        name = f"notebook-{len(list(root.iterdir()))}.ipynb"
        if path:
            shutil.copy(path, root / name)
        else:
            kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
            made = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(c) for c in cells], metadata=kernel)
            nbformat.write(made, root / name)
        context = browser.new_context(viewport={"width": width, "height": height}, device_scale_factor=scale)
        context.set_default_timeout(15_000)
        contexts.append(context)
        page = context.new_page()
        errors: list[str] = []
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(f"{url}lab/tree/{name}?reset")
        run_all(page)
        notebook = Notebook(page, errors)
        notebook.wait("drawn.frames > 0")
        return notebook

    yield open_it
    for context in contexts:
        context.close()
    shut_down_kernels(url)


def run_all(page: Any) -> None:
    page.wait_for_function("window.jupyterapp && window.jupyterapp.shell")
    page.evaluate("jupyterapp.started.then(() => { jupyterapp.shell.mode = 'single-document'; return true; })")
    page.evaluate("void jupyterapp.shell.collapseLeft()")
    page.wait_for_function("jupyterapp.shell.currentWidget?.sessionContext?.session?.kernel?.status === 'idle'")
    page.evaluate("jupyterapp.commands.execute('notebook:run-all-cells').then(() => true)")


def shut_down_kernels(url: str) -> None:
    from urllib.request import Request, urlopen

    with urlopen(f"{url}api/sessions") as answer:
        sessions = json.load(answer)
    for session in sessions:
        urlopen(Request(f"{url}api/sessions/{session['id']}", method="DELETE")).close()
