"""The page's modules, by Node's own test runner, and how they are made one."""

import re
import shutil
import subprocess
from dataclasses import fields
from pathlib import Path
from typing import get_type_hints

import pytest

from entrenar_viz import EntrenarVizError
from entrenar_viz.explorer.browser import module as bundle
from entrenar_viz.explorer.browser import payload
from entrenar_viz.explorer.browser.accuracy import AccuracyPlot
from entrenar_viz.explorer.browser.layer_bars import LayerBars
from entrenar_viz.explorer.browser.live import Live
from entrenar_viz.explorer.browser.mask_details import MaskDetails
from entrenar_viz.explorer.browser.table import Table
from entrenar_viz.explorer.controls.settings import Settings

TESTS = sorted((Path(__file__).parent / "js").glob("*.mjs"))
TYPES = (bundle.HERE / "payload.js").read_text("utf-8")


@pytest.fixture
def node():
    if found := shutil.which("node"):
        return found
    pytest.skip("no Node.js found: install it to test the browser's modules (Debian: apt-get install nodejs)")


@pytest.mark.parametrize("path", TESTS, ids=lambda path: path.stem)
def test_the_browsers_modules(node, path):
    run = subprocess.run([node, "--test", str(path)], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr


@pytest.mark.parametrize("widget", [AccuracyPlot, LayerBars, Live, MaskDetails, Table])
def test_the_files_of_a_widget_make_one_module(node, tmp_path, widget):
    path = tmp_path / "module.mjs"
    path.write_text(widget._esm, "utf-8")
    run = subprocess.run([node, "--check", str(path)], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    assert re.findall(r"^import .*", widget._esm, re.MULTILINE) == []


def test_files_come_after_what_they_import(tmp_path):
    (tmp_path / "deep").mkdir()
    (tmp_path / "a.js").write_text('import { b } from "./deep/b.js";\nimport { c } from "./c.js";\nb(c);\n')
    (tmp_path / "deep" / "b.js").write_text('import { c } from "../c.js";\nexport const b = (x) => x + c;\n')
    (tmp_path / "c.js").write_text("export const c = 1;\n")
    joined = bundle.module("a.js", tmp_path)
    assert [line for line in joined.splitlines() if line] == [
        "export const c = 1;",
        "export const b = (x) => x + c;",
        "b(c);",
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('import { b } from "./none.js";\n', "there is no such file"),
        ('import { nothing } from "./b.js";\n', "does not export"),
        ('import * as b from "./b.js";\n', "is not understood"),
        ('import {b} from "https://example.org/b.js";\n', "is not understood"),
        ('export { b } from "./b.js";\n', "is not understood"),
        ('import { b } from "./b.js";\nconst own = 1;\n', "both declare own"),
        ('import { b } from "./b.js";\nexport const a = 1;\n', None),
        ('import { e } from "./d.js";\nexport const f = 1;\n', "import each other"),
    ],
)
def test_what_cannot_be_joined_is_refused(tmp_path, text, said):
    (tmp_path / "a.js").write_text(text)
    (tmp_path / "b.js").write_text("export const b = 2;\nconst own = 3;\n")
    (tmp_path / "d.js").write_text('import { f } from "./a.js";\nexport const e = 2;\n')
    if said is None:
        assert "const b = 2" in bundle.module("a.js", tmp_path)
        return
    with pytest.raises(EntrenarVizError, match=said):
        bundle.module("a.js", tmp_path)


# The types of what goes between kernel and page -----------------------------------------------------------------------

WORDS = {str: "string", int: "number", float: "number", bool: "boolean"}


def properties(name):
    """The properties of a type in payload.js, each with its type, in order."""
    long = re.search(rf"@typedef {{object}} {name}\n(.*?)\*/", TYPES, re.DOTALL)
    if long:
        return re.findall(r"@property {(.+?)} \[?(\w+)", long[1])
    short = re.search(rf"@typedef {{{{(.+?)}}}} {name} ", TYPES)
    assert short, name
    return [(kind, one) for one, kind in re.findall(r"(\w+)\??: (.+?)(?:, (?=\w+\??:)|$)", short[1])]


def test_the_settings_have_one_type_on_each_side():
    defaults = Settings()
    own = [(WORDS[type(getattr(defaults, field.name))], field.name) for field in fields(Settings)]
    assert properties("Values") == own


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("Settings", payload.Settings),
        ("Trouble", payload.Trouble),
        ("Found", payload.Found),
        ("Exported", payload.Exported),
        ("Can", payload.Can),
        ("Answer", payload.Answer),
        ("Command", payload.Command),
        ("Choices", payload.Choices),
        ("Progress", payload.Progress),
        ("Log", payload.Log),
        ("Ghost", payload.Ghost),
        ("Curve", payload.Curve),
        ("Accuracy", payload.Accuracy),
        ("BarLayer", payload.BarLayer),
        ("BarCurve", payload.BarCurve),
        ("BarPlan", payload.BarPlan),
        ("BarCommand", payload.BarCommand),
        ("BarTold", payload.BarTold),
    ],
)
def test_what_the_kernel_sends_has_one_type_on_each_side(name, kind):
    assert [one for _, one in properties(name)] == list(get_type_hints(kind))
