"""The JavaScript modules, by Node's own test runner."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from entrenar_viz.explorer import canvas
from entrenar_viz.explorer.canvas import Canvas, Field, Offer
from entrenar_viz.explorer.history import Keys
from entrenar_viz.explorer.table import Table

WIDGETS = [Canvas, Field, Offer, Keys, Table]
SOURCES = sorted(Path(canvas.__file__).parent.glob("*.js"))
IMPORT = re.compile(r'^import \{([^}]+)\} from "\./(.+)";$', re.MULTILINE)
EXPORTED = re.compile(r"^export (?:async )?(?:function|const|class) (\w+)", re.MULTILINE)
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


@pytest.mark.parametrize("widget", WIDGETS)
def test_the_files_of_a_widget_make_one_module(node, tmp_path, widget):
    """Each by itself is right; two of them may still give one name to two things."""
    path = tmp_path / "module.mjs"
    path.write_text(widget._esm, "utf-8")
    run = subprocess.run([node, "--check", str(path)], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr


@pytest.mark.parametrize("widget", WIDGETS)
def test_what_a_file_imports_is_in_the_module_of_its_widget(widget):
    """The import lines are cut off: a name of a file that was forgotten would be missed only where it is used."""
    parts = {path.name: path.read_text("utf-8") for path in SOURCES if canvas.module(path.name) in widget._esm}
    exported = {name: set(EXPORTED.findall(text)) for name, text in parts.items()}
    for text in parts.values():
        for names, file in IMPORT.findall(text):
            assert {name.strip() for name in names.split(",")} <= exported.get(file, set()), file
    assert parts
    assert re.findall(r"^import .*", widget._esm, re.MULTILINE) == []
