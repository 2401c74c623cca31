"""The JavaScript modules, by Node's own test runner."""

import shutil
import subprocess
from pathlib import Path

import pytest

from entrenar_viz.explorer.canvas import Canvas, Field, Offer
from entrenar_viz.explorer.history import Keys
from entrenar_viz.explorer.table import Table

TESTS = sorted((Path(__file__).parent / "js").glob("*.mjs"))


@pytest.fixture
def node():
    if found := shutil.which("node"):
        return found
    pytest.skip("no Node.js found: install it to test the browser's modules (Debian: apt-get install nodejs)")


@pytest.mark.parametrize("path", TESTS, ids=lambda path: path.stem)
def test_the_browsers_modules(node, path):
    run = subprocess.run([node, "--test", str(path)], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr


@pytest.mark.parametrize("widget", [Canvas, Field, Offer, Keys, Table])
def test_the_files_of_a_widget_make_one_module(node, tmp_path, widget):
    """Each by itself is right; two of them may still give one name to two things."""
    path = tmp_path / "module.mjs"
    path.write_text(widget._esm, "utf-8")
    run = subprocess.run([node, "--check", str(path)], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
