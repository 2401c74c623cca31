"""The documents say what the code does: examples run, numbers are right, links lead somewhere."""

import ast
import json
import os
import re
import subprocess
import sys
from importlib import import_module
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.numpy import save_file

import entrenar_viz
import entrenar_viz.torch
from entrenar_viz import (
    NM,
    Block,
    ConfigError,
    Cubic,
    Gradual,
    OneShot,
    PairedDifference,
    Plan,
    PruningConfig,
    Session,
    TrainingLog,
    allocate,
    json_schema,
    review,
    review_plan,
    sensitivity,
)
from entrenar_viz.cli.command import main
from entrenar_viz.explorer.explorer import Explorer
from entrenar_viz.files.strict_yaml import plain_value
from entrenar_viz.rehearsal.verdict import verdict as verdict_of
from entrenar_viz.workspace import presets

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text("utf-8")
FINDINGS = (ROOT / "docs" / "findings.md").read_text("utf-8")
PLAN = (ROOT / "docs" / "plan.md").read_text("utf-8")
ACCURACY = (ROOT / "docs" / "accuracy.md").read_text("utf-8")
FORMAT = (ROOT / "docs" / "format.md").read_text("utf-8")
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
NAMES = {kind.__name__: kind for kind in (NM, Block, Cubic, Explorer, Gradual, OneShot, PruningConfig)}
NAMES |= {"np": np, "allocate": allocate, "sensitivity": sensitivity}
CODES = [
    code
    for folder in ("analysis", "plan")
    for module in sorted((ROOT / "entrenar_viz" / folder).glob("*.py"))
    for code in re.findall(r'Finding\(\s*"([a-z-]+)"', module.read_text("utf-8"))
]


def blocks(text, language):
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def sections(text):
    """Heading and body of each ``## heading``."""
    return re.findall(r"^## ([^\n]+)\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)


@pytest.fixture
def readme_run(tmp_path, monkeypatch):
    """The variables that the first Python block of the README leaves behind, run in an empty folder."""
    monkeypatch.chdir(tmp_path)
    scope = {}
    exec(blocks(README, "python")[0].replace("Explorer(", "explorer = Explorer("), scope)
    yield scope
    scope["explorer"].close()


def test_the_python_lines_of_the_readme_run(readme_run):
    assert isinstance(readme_run["explorer"], Explorer)
    assert readme_run["explorer"].config == readme_run["finding"].fix
    said = re.search(r"print\(finding\.message\)  # (.+?)…?\n", README)[1]
    assert readme_run["finding"].message.startswith(said.rstrip())


def test_the_json_of_the_readme_is_what_those_lines_export(readme_run):
    (shown,) = blocks(README, "json")
    assert Path("pruning.json").read_text("utf-8") == shown == PruningConfig.from_json(shown).to_json()


def test_the_readme_prunes_by_calibration_data(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    save_file({"fc.weight": rng.standard_normal((4, 8), np.float32)}, "model.safetensors")
    np.savez("calibration.npz", **{"fc.weight": rng.gamma(1, size=(20, 8))})
    scope = {}
    exec(blocks(README, "python")[2], scope)
    assert scope["mask"].sum() == 16
    assert scope["paper"].sum(axis=1).tolist() == [4, 4, 4, 4]


def test_the_readme_pins_compares_and_keeps(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ENTRENAR_VIZ_CONFIG_DIR", str(tmp_path))
    (example,) = [block for block in blocks(README, "python") if "import presets" in block]
    exec(example, {})
    assert re.search(r"# (.+) steps an epoch, (.+) in all", example).groups() == ("782", "7,820")
    assert "high-sparsity: 3883 updates, on average 62.0% pruned\n" in capsys.readouterr().out
    assert [pin.name for pin in Session.load("session.json").pins] == ["production", "high-sparsity"]
    assert presets.load()["mine"].total_steps == 7820


def test_the_log_of_the_documents_parts_where_they_say(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (example,) = blocks((ROOT / "docs" / "training-log.md").read_text("utf-8"), "python")
    scope = {}
    exec(example.replace("Explorer(log", "explorer = Explorer(log"), scope)
    assert capsys.readouterr().out.splitlines() == re.findall("^# (.+)$", example, re.MULTILINE)
    assert scope["explorer"].config == scope["plan"]
    scope["explorer"].close()


@pytest.fixture
def one_thread_of_torch():
    """Small networks are slowed down by threads, and more so by those of other tests beside them."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.mark.usefixtures("one_thread_of_torch")
def test_the_examples_of_rehearsals_run(tmp_path, monkeypatch, capsys):
    """In the order of the page; on several cores they are run by the tests of the rehearsal."""
    monkeypatch.chdir(tmp_path)
    scope = {"__name__": "accuracy"}
    for example in blocks(ACCURACY, "python"):
        exec(example.replace("total_steps=10_000)\n", "total_steps=10_000, seeds=3, steps=300)\n"), scope)
    said = capsys.readouterr().out
    assert re.search("# (a 32-.+)\n", ACCURACY)[1] in said
    assert "your own training; 3 seeds. 200 steps, as in the training." in said
    assert scope["own"].dense.accuracy > 0.8  # guessing gives 0.1
    assert len(scope["frame"]) == 3 * (1 + 2 * 3)


def test_the_verdicts_of_the_documents_are_worded_as_they_are_now():
    (verdict,) = re.findall(r"^Cubic keeps .+\.$", ACCURACY, re.MULTILINE)
    found = [PairedDifference("Cubic", "Gradual", 0.033, 0.021, 0.045, seeds=5)]
    found += [PairedDifference("Cubic", "OneShot", 0.076, 0.04, 0.112, seeds=5)]
    assert verdict == f"{verdict_of(found)}."
    (none,) = re.findall("^> (No difference .+)[.]$", ACCURACY, re.MULTILINE)
    pairs = [("Cubic", "Gradual", 0.001), ("Cubic", "OneShot", 0.004), ("Gradual", "OneShot", 0.003)]
    found = [PairedDifference(*pair, -0.005, 0.014, seeds=5) for pair in pairs]
    assert verdict_of(found).lower() == none.lower()


def test_the_examples_of_plans_run_and_print_what_they_say(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    scope = {}
    for example in blocks(PLAN, "python"):
        exec(example, scope)
    said = capsys.readouterr().out
    told = re.findall(r"^print\(.+\)  # (.+)$", PLAN, re.MULTILINE)
    assert said.splitlines()[: len(told)] == told
    (refused,) = blocks(PLAN, "text")
    assert refused in said
    assert scope["table"]["achieved"].to_list() == pytest.approx(list(scope["plan"].sparsities.values()), abs=1e-6)


def test_the_listing_of_a_plan_is_what_is_printed(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    Path("digits.safetensors").symlink_to(ROOT / "entrenar_viz" / "models" / "sample_data" / "digits.safetensors")
    assert main(["plan", "digits.safetensors", "--sparsity", "0.95", "-o", "plan.json", "--table"]) == 0
    assert f"```\n{capsys.readouterr().out}```" in PLAN


def test_the_file_of_a_plan_is_described_as_python_has_it():
    (example,) = blocks(PLAN, "json")
    made = allocate({"fc1": (3, 3), "fc2": (5, 5)}, 0.5)
    assert made.to_json() == example
    assert Plan.from_json(example) == made


def test_the_readme_makes_a_plan(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (example,) = [block for block in blocks(README, "python") if "import allocate" in block]
    exec(example, {})
    assert capsys.readouterr().out == re.search(r"print\(plan.words\(\)\)  # (.+\n)", README)[1]
    assert Plan.load("plan.json").sparsity == pytest.approx(0.98, abs=1e-4)


def test_the_readme_runs_a_configuration(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    torch.manual_seed(0)
    model, once = torch.nn.Linear(8, 4), OneShot(step=2)
    PruningConfig(schedule=once).save("pruning.json")
    data = [(torch.randn(2, 8), torch.tensor([0, 1])) for _ in range(3)]
    optimizer = torch.optim.Adam(model.parameters())
    scope = {"model": model, "loader": data, "optimizer": optimizer, "loss_of": torch.nn.functional.cross_entropy}
    (example,) = [block for block in blocks(README, "python") if "import Pruner" in block]
    exec(example, scope)
    assert int((model.weight == 0).sum()) == 16
    assert TrainingLog.load("run.jsonl").rows[1][:2] == [2, 0.5]


def test_both_commands_of_the_readme_are_there():
    assert 'pip install ".[lab]" && entrenar-viz\n' in README
    assert 'pip install ".[test]" && pytest -n auto\n' in README


def test_every_finding_has_a_section():
    documented = [re.match("`(.+)` ", heading)[1] for heading, _ in sections(FINDINGS)]
    assert len(CODES) >= 12
    assert sorted(documented) == sorted(set(CODES))


def findings_of(given, scope):
    if isinstance(given, Explorer):
        return given.findings
    if isinstance(given, Plan):
        return review_plan(given, scope.get("measured"))
    return review(given, 10_000, scope.get("weights"))


@pytest.mark.parametrize(("heading", "body"), sections(FINDINGS), ids=[heading for heading, _ in sections(FINDINGS)])
def test_the_example_of_a_finding_gives_its_sentence(heading, body):
    code, severity = re.fullmatch(r"`(.+)` \((.+)\)", heading).groups()
    (example,) = blocks(body, "python")
    (sentence,) = re.findall("^> (.+)$", body, re.MULTILINE)
    *before, last = ast.parse(example).body
    scope = NAMES.copy()
    exec(compile(ast.Module(before, []), heading, "exec"), scope)
    given = eval(ast.unparse(last), scope)
    if code == "layer-left-whole":  # a finding once that layer is picked
        given._parts.masks.layer.value = "embed.weight"
    found = {finding.code: finding for finding in findings_of(given, scope)}
    assert (found[code].severity, found[code].message) == (severity, sentence)


def test_every_public_name_is_documented_and_every_documented_name_is_public():
    documented = re.findall("^::: (.+)$", (ROOT / "docs" / "api.md").read_text("utf-8"), re.MULTILINE)
    callbacks = {place for place in documented if place.endswith("_callback.PruningCallback")}  # each needs a framework
    documented = [place for place in documented if place not in callbacks]
    places = {place.rpartition(".")[2]: place.rpartition(".")[0] for place in documented}
    own = {name for name, module in places.items() if module == presets.__name__}
    of_torch = {name for name, value in vars(entrenar_viz.torch).items() if callable(value)}
    assert (len(places), len(callbacks)) == (len(documented), 2)
    assert set(places) - own - of_torch == set(entrenar_viz.__all__)
    assert own == {"BUILT_IN", "Preset", "save", "load", "delete"}
    assert {name for name, module in places.items() if module.startswith("entrenar_viz.torch.")} == of_torch
    for name, module in places.items():
        home = presets if name in own else entrenar_viz.torch if name in of_torch else entrenar_viz
        assert getattr(import_module(module), name) is getattr(home, name)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_to_files_lead_somewhere(document):
    text = re.sub(r"^```.*?^```$", "", document.read_text("utf-8"), flags=re.MULTILINE | re.DOTALL)
    targets = re.findall(r"\]\(([^)#\s]+)[^)]*\)", text) + re.findall(r'(?:src|srcset|href)="([^"#]+)"', text)
    local = [target for target in targets if "://" not in target]
    assert [target for target in local if not (document.parent / target).exists()] == []


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.name)
def test_notebooks_are_committed_executed_and_lean(notebook):
    content = json.loads(notebook.read_text("utf-8"))
    cells = [cell for cell in content["cells"] if cell["cell_type"] == "code"]
    assert [cell["execution_count"] for cell in cells] == list(range(1, len(cells) + 1))
    assert set(content["metadata"]) == {"kernelspec", "language_info"}  # no state of widgets
    shown = {kind for cell in cells for output in cell["outputs"] for kind in output.get("data", {})}
    explorer, figure = {"image/svg+xml"}, {"image/png"}
    both = explorer | figure
    pictures = {"run": both, "accuracy": both, "plan": both, "masks": figure, "schedules": figure}.get(
        notebook.stem, explorer
    )
    assert shown == pictures | {"text/plain"}  # a widget that was closed long ago would show as an error


def test_notebooks_quote_the_accuracies_of_the_digits_network():
    record = json.loads((ROOT / "entrenar_viz" / "models" / "sample_data" / "digits.json").read_text("utf-8"))
    pruned = record["test_accuracy_pruned_without_fine_tuning"].values()
    text = (ROOT / "notebooks" / "schedules.ipynb").read_text("utf-8")
    for accuracy in (record["test_accuracy"], *pruned):
        assert f"{accuracy:.1%}" in text


def test_the_file_is_described_as_python_has_it():
    (example,) = blocks(FORMAT, "json")
    assert PruningConfig.from_json(example).to_json() == example
    (yaml,) = blocks(FORMAT, "yaml")
    assert PruningConfig.from_json(example).to_yaml() == yaml
    assert PruningConfig.from_yaml(yaml).to_json() == example
    described = dict(sections(FORMAT))
    rows = re.findall(r"^\| `(\w+)` \|.*\| `(.+)` \|$", described["The eight keys"], re.MULTILINE)
    assert {key: json.loads(default) for key, default in rows} == json.loads(PruningConfig().to_json())
    both = described["Schedules"] + described["Patterns"]
    tagged = re.findall(r"^\| `(\w+)` \| (?:`(\w+)`)? ?\|", both, re.MULTILINE)
    keys = {(kind, key) for kind, key in tagged if key} | {(kind, "type") for kind, _ in tagged}
    assert keys == {
        (one["properties"]["type"]["const"], key)
        for one in json_schema()["$defs"].values()
        for key in one["properties"]
    }


def test_what_is_not_read_of_yaml_is_described_in_its_words(tmp_path):
    (yaml,), (_, said) = blocks(FORMAT, "yaml"), blocks(FORMAT, "text")
    file = tmp_path / "pruning.yaml"
    file.write_text(yaml.replace("lr: ", "lr: !!float ").replace("final_sparsity: 0.5", "final_sparsity: *half"))
    with pytest.raises(ConfigError) as refused:
        PruningConfig.load(file)
    assert str(refused.value).removeprefix(f"{tmp_path}{os.sep}") == said.rstrip()


def test_yaml_is_read_as_the_table_says():
    rows = dict(re.findall(r"^\| (`.+`) \| ([^|]+?) \|$", dict(sections(FORMAT))["YAML"], re.MULTILINE))
    kinds = {"a whole number": int, "a number": float, "true, false": bool, "not finite": float, "text": str}
    for written, read in rows.items():
        kind = kinds[read.split(":")[0].removesuffix(", and refused like NaN in JSON")]
        assert {type(plain_value(text)) for text in re.findall("`(.+?)`", written)} == {kind}


def test_the_reference_names_everything_public():
    text = (ROOT / "docs" / "api.md").read_text("utf-8")
    documented = [place.rsplit(".", 1) for place in re.findall("^::: (.+)$", text, re.MULTILINE)]
    assert {name for _, name in documented} >= set(entrenar_viz.__all__)
    for module, name in documented:
        assert hasattr(import_module(module), name)


def test_doctests_become_code_on_the_site():
    pytest.importorskip("griffe", reason="not installed: the extra docs")
    spec = spec_from_file_location("doctests", ROOT / "docs" / "doctests.py")
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    text = "Says.\n\n>>> f(1)\n1\n>>> f(2)\n2\n\nMore."
    assert module.fenced(text) == "Says.\n\n```pycon\n>>> f(1)\n1\n>>> f(2)\n2\n```\n\nMore."
    assert module.fenced("no example") == "no example"


def test_the_site_is_built_without_a_warning_and_loads_nothing_from_elsewhere(tmp_path):
    for module in ("mkdocs", "material", "mkdocstrings_handlers.python"):
        if not _installed(module):
            pytest.skip(f"{module} is not installed: the extra docs")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "-q", "-d", str(tmp_path)]
    done = subprocess.run(
        command, cwd=ROOT, env=os.environ | {"NO_MKDOCS_2_WARNING": "1"}, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert {path.stem for path in tmp_path.glob("*.html")} == {path.stem for path in ROOT.glob("docs/*.md")} | {"404"}
    for page in tmp_path.glob("*.html"):
        html = page.read_text("utf-8")
        assert "&gt;&gt;&gt; " not in re.sub("<pre>.*?</pre>", "", html, flags=re.DOTALL)
        loaded = re.findall(r'<(?:script|img|source|iframe)[^>]* src(?:set)?="([^"]+)"', html)
        links = [
            link for link in re.findall("<link[^>]*>", html) if not re.search("rel=.(?:next|prev|canonical)", link)
        ]
        loaded += [re.search('href="([^"]+)"', link)[1] for link in links]
        assert [address for address in loaded if "//" in address] == []


def _installed(module):
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:
        return False
