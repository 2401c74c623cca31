"""The JavaScript modules, by Node's own test runner."""

import shutil
import subprocess
from pathlib import Path

import pytest

TESTS = sorted((Path(__file__).parent / "js").glob("*.mjs"))


@pytest.mark.parametrize("path", TESTS, ids=lambda path: path.stem)
def test_the_browsers_modules(path):
    node = shutil.which("node")
    if not node:
        pytest.skip("no Node.js found: install it to test the browser's modules (Debian: apt-get install nodejs)")
    run = subprocess.run([node, "--test", str(path)], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
