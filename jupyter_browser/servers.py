"""Servers of the front ends, each with settings of its own, and the Chromium that opens them."""

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from urllib.request import Request, urlopen

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
CONFIG = """
from jupyterlab.galata import configure_jupyter_server
configure_jupyter_server(c)
c.JupyterNotebookApp.expose_app_in_browser = True
c.ServerApp.ip = "127.0.0.1"
c.ServerApp.port = 0
c.ServerApp.allow_root = True
c.ServerApp.root_dir = {root!r}
"""
SETTINGS = {"fetchNews": "false", "checkForUpdates": "false"}
STARTS, STOPS = 60, 30  # s at most


def chromium() -> str | None:
    """The path of a Chromium, if there is one."""
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    return os.environ.get("ENTRENAR_VIZ_CHROMIUM") or next(filter(None, map(shutil.which, names)), None)


@contextmanager
def jupyter(home: Path, program: str = "jupyterlab") -> Iterator[tuple[str, Path]]:
    """The address of a JupyterLab or, by ``program="notebook"``, a Notebook 7, and the folder that it serves."""
    root, config = home / "root", home / "config.py"
    news = home / "settings" / "@jupyterlab" / "apputils-extension"
    news.mkdir(parents=True)
    (news / "notification.jupyterlab-settings").write_text(json.dumps(SETTINGS))
    config.write_text(CONFIG.format(root=str(root)))
    runtime = home / "runtime"
    with running(["-m", program, "--config", str(config), "--no-browser"], home) as address:
        yield address(lambda: _written(runtime)), root


def _written(runtime: Path) -> str | None:
    """The address, as a Jupyter server writes it to a file once it listens."""
    for file in runtime.glob("jpserver-*.json"):
        try:
            return str(json.loads(file.read_text())["url"])
        except (json.JSONDecodeError, KeyError):
            pass  # being written
    return None


@contextmanager
def running(arguments: Sequence[str], home: Path) -> Iterator[Callable[[Callable[[], str | None]], str]]:
    """Python with ``arguments`` and nobody's settings; ``address(find)`` waits until ``find`` has found its address.

    What it prints is in ``home / "log"``.
    """
    names = {"JUPYTER_CONFIG_DIR": "jupyter", "JUPYTERLAB_SETTINGS_DIR": "settings", "IPYTHONDIR": "ipython"}
    own = {name: str(home / place) for name, place in names.items()} | {"JUPYTER_RUNTIME_DIR": str(home / "runtime")}
    (home / "root").mkdir(exist_ok=True)
    with (home / "log").open("wb") as log:
        command = [sys.executable, *arguments]
        server = subprocess.Popen(command, env=os.environ | own, cwd=home / "root", stdout=log, stderr=log)

        def address(find: Callable[[], str | None]) -> str:
            deadline = time.monotonic() + STARTS
            while time.monotonic() < deadline and server.poll() is None:
                if found := find():
                    return found
                time.sleep(0.1)
            raise AssertionError(f"{command} did not start:\n{(home / 'log').read_text()}")

        try:
            yield address
        finally:
            server.terminate()
            server.wait(STOPS)


def shut_down_kernels(url: str) -> None:
    """End all kernels of a Jupyter server."""
    with urlopen(f"{url}api/sessions") as answer:
        sessions = json.load(answer)
    for session in sessions:
        urlopen(Request(f"{url}api/sessions/{session['id']}", method="DELETE")).close()


@contextmanager
def dashboard_app(home: Path, *arguments: str) -> Iterator[str]:
    """The address, token included, of ``entrenar-viz app`` with ``arguments``."""
    program = "import sys; from entrenar_viz.cli.command import main; sys.exit(main())"
    command = ["-c", program, "app", f"--port={free_port()}", "--no-browser", *arguments]
    with running(command, home) as address:
        yield address(lambda: printed(home / "log"))


@contextmanager
def voila(home: Path, notebook: Path) -> Iterator[str]:
    """The address of a plain Voila that serves ``notebook``."""
    command = ["-m", "voila", str(notebook), f"--port={free_port()}", "--no-browser"]
    with running(command, home) as address:
        yield address(lambda: printed(home / "log"))


def printed(log: Path) -> str | None:
    """The first address in ``log``, once its line is whole."""
    found = re.search(r"(http://\S+)\s", log.read_text())
    return found[1] if found else None


def free_port() -> int:
    """A port that nobody listens to."""
    with socket.socket() as listener:
        listener.bind(("localhost", 0))
        return int(listener.getsockname()[1])
