"""``entrenar-viz lab``: the explorer in JupyterLab."""

import os
import subprocess
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

from entrenar_viz.errors import EntrenarVizError
from entrenar_viz.files.atomic import write_atomically

NOTEBOOK = "explorer.ipynb"


def lab(for_lab: Sequence[str]) -> int:
    """Open JupyterLab on the explorer notebook in the current folder, which is kept if it exists."""
    if find_spec("jupyterlab") is None:
        print('entrenar-viz: JupyterLab is not installed here: pip install "entrenar-viz[lab]"', file=sys.stderr)
        return 2
    try:
        write_atomically(Path(NOTEBOOK), packaged_notebook().read_bytes(), overwrite=False)
        print(f"entrenar-viz: wrote {NOTEBOOK}", flush=True)
    except IsADirectoryError:
        raise EntrenarVizError(f"{NOTEBOOK} is a folder here: start in another one") from None
    except FileExistsError:
        print(f"entrenar-viz: opening the {NOTEBOOK} that is here already", flush=True)
    # -P: a json.py that lies in this folder must not replace Python's; the address that JupyterLab prints where no
    # browser can open would lead to its launcher, not to the notebook
    command = [sys.executable, "-P", "-m", "jupyterlab", NOTEBOOK, f"--LabApp.default_url=/lab/tree/{NOTEBOOK}"]
    return _become([*command, *_as_root(for_lab), *for_lab])


def packaged_notebook() -> Path:
    """Where the notebook lies: inside an installed package, beside it in a checkout."""
    package = Path(__file__).parents[1]
    for folder in (package, package.parent):
        if (folder / "notebooks" / NOTEBOOK).is_file():
            return folder / "notebooks" / NOTEBOOK
    raise EntrenarVizError(f"{NOTEBOOK} is missing from this installation: install entrenar-viz again")


def _as_root(for_lab: Sequence[str]) -> list[str]:
    """What JupyterLab needs to start in a container, where one is root; only this machine can reach it."""
    if getattr(os, "geteuid", lambda: 1)() != 0 or "--allow-root" in for_lab:
        return []
    print("entrenar-viz: you are root, so JupyterLab gets --allow-root and listens on localhost only", flush=True)
    chosen = any(argument.partition("=")[0] in ("--ip", "--ServerApp.ip") for argument in for_lab)
    return ["--allow-root"] if chosen else ["--allow-root", "--ip=localhost"]


def _become(command: list[str]) -> int:
    if os.name == "posix":
        os.execv(command[0], command)  # signals then reach JupyterLab itself
    return subprocess.call(command)
