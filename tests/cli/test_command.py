"""The command line: exit codes, what it prints, and what it never overwrites."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from entrenar_viz import Cubic, Gradual, OneShot, PruningConfig, TrainingLog, __version__, as_markdown
from entrenar_viz.cli import open_lab as lab_module
from entrenar_viz.cli.check_config import default_steps
from entrenar_viz.cli.command import main

MISSED = PruningConfig(
    schedule=Gradual(start_step=1000, end_step=5000, initial_sparsity=0.0, final_sparsity=0.5, frequency=300)
)
KEYS = ["valid", "file", "problems", "total_steps", "summary", "findings", "updates", "omitted"]


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def write(config, name="pruning.json"):
    return str(config.save(name, overwrite=True))


def test_check_prints_findings_updates_and_a_summary(capsys):
    assert main(["check", write(MISSED), "--steps", "10000"]) == 0
    out = capsys.readouterr().out
    assert "target-missed: Gradual stops at 48.75%" in out
    assert "fix: every 250 steps" in out
    assert "1,300     3.75%     3.75%" in out
    summary = (
        "13 updates, final sparsity 48.75%, 1.25 points short of 50%, largest jump 3.75%, recovery 5,100 steps (51%)"
    )
    assert out.splitlines()[-1] == summary


def test_long_tables_are_abbreviated_in_the_middle(capsys):
    config = PruningConfig(schedule=Cubic(start_step=0, end_step=6000, final_sparsity=0.5))
    assert main(["check", write(config), "--steps=10,000"]) == 0
    out = capsys.readouterr().out
    assert "more updates" in out
    assert len(out.splitlines()) < 30


def test_without_steps_the_chapter_has_nothing_against_the_recovery(capsys):
    main(["check", write(MISSED)])
    out = capsys.readouterr().out
    assert "steps 1 to 8,334 (chosen to leave room for recovery; --steps N sets it)" in out
    assert "no-recovery" not in out


@pytest.mark.parametrize(
    ("config", "steps"),
    [
        (MISSED, 8334),
        (PruningConfig(schedule=OneShot(step=0)), 1000),
        (PruningConfig(schedule=OneShot(step=0), fine_tune_after_pruning=False), 1),
        (PruningConfig(schedule=OneShot(step=2**64 - 1)), 2**64 - 1),
    ],
)
def test_default_steps(config, steps):
    assert default_steps(config) == steps


def test_a_finding_of_severity_error_fails_the_check(capsys):
    assert main(["check", write(MISSED), "--steps", "10"]) == 1
    assert "nothing-pruned" in capsys.readouterr().out


def test_all_problems_of_an_invalid_file_go_to_stderr(capsys):
    text = MISSED.to_json().replace('"magnitude"', '"magic"').replace("5000", "10")
    Path("bad.json").write_text(text)
    assert main(["check", "bad.json"]) == 1
    out, err = capsys.readouterr()
    assert not out
    assert err.startswith("entrenar-viz: bad.json: 2 problems:")
    assert "end_step (10) must be greater than start_step (1000)" in err


@pytest.mark.parametrize("name", ["missing.json", "."])
def test_what_cannot_be_read_is_said_without_a_traceback(capsys, name):
    assert main(["check", name]) == 1
    assert capsys.readouterr().err.startswith(f"entrenar-viz: {name}: ")


def test_check_and_figure_take_yaml_by_its_suffix(capsys):
    assert main(["check", write(MISSED), "--steps", "10000"]) == 0
    of_json = capsys.readouterr().out
    MISSED.save("pruning.yaml")
    assert main(["check", "pruning.yaml", "--steps", "10000"]) == 0
    assert capsys.readouterr().out.splitlines()[1:] == of_json.splitlines()[1:]
    assert main(["figure", "pruning.yaml", "-o", "out.svg"]) == 0
    Path("bad.yml").write_text(MISSED.to_yaml().replace("5000", "10") + "method: wanda\n")
    assert main(["check", "bad.yml", "--json"]) == 1
    found = {one["where"] for one in json.loads(capsys.readouterr().out.partition("\n")[2])["problems"]}
    assert found == {"method", "schedule.end_step"}


def test_json_of_a_valid_file(capsys):
    assert main(["check", write(MISSED), "--steps", "10000", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert list(found) == KEYS
    assert found["valid"] is True
    assert found["summary"]["final_sparsity"] == 0.4875
    assert found["updates"][-1] == {"step": 4900, "sparsity": 0.4875}
    assert found["findings"][0]["code"] == "target-missed"
    fixed = PruningConfig.from_json(json.dumps(found["findings"][0]["fixes"][0]["config"]))
    assert fixed.schedule.frequency == 250


def test_markdown_of_a_file(capsys):
    assert main(["check", write(MISSED), "--steps", "10000", "--markdown"]) == 0
    assert capsys.readouterr().out == as_markdown(MISSED, 10_000)
    assert main(["check", "none.json", "--markdown"]) == 1
    assert capsys.readouterr().err.startswith("entrenar-viz: none.json: ")


def test_json_of_an_invalid_file(capsys):
    Path("bad.json").write_text("{}")
    assert main(["check", "bad.json", "--json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert list(found) == KEYS
    assert found["valid"] is False
    assert {"where": "schedule", "message": "is missing"} in found["problems"]


def test_json_leaves_out_the_middle_of_endless_schedules(capsys):
    config = PruningConfig(schedule=Cubic(start_step=0, end_step=200_000, final_sparsity=0.9))
    main(["check", write(config), "--json"])
    found = json.loads(capsys.readouterr().out)
    assert len(found["updates"]) + found["omitted"] == found["summary"]["updates"]
    assert found["omitted"] > 0


@pytest.mark.parametrize(
    "arguments",
    [
        ["chekc"],
        ["check"],
        ["check", "a.json", "--steps", "-1"],
        ["check", "a.json", "--steps", "1e4"],
        ["check", "a.json", "--", "x"],
        ["check", "a.json", "--json", "--markdown"],
        ["figure", "a.json"],
        ["figure", "a.json", "-o", "a.jpg"],
        ["figure", "a.json", "-o", "a.svg", "--theme", "sepia"],
        ["figure", "a.json", "-o", "a.svg", "--metric", "loss"],
    ],
)
def test_wrong_usage_exits_with_2(arguments, capsys):
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    assert stopped.value.code == 2
    assert "entrenar-viz" in capsys.readouterr().err


def test_figure_writes_and_overwrites_only_with_force(capsys):
    command = ["figure", write(MISSED), "-o", "out.svg", "--steps", "10000"]
    assert main(command) == 0
    first = Path("out.svg").read_bytes()
    assert first.startswith(b"<?xml")
    assert main([*command, "--theme", "dark"]) == 1
    assert capsys.readouterr().err == "entrenar-viz: out.svg exists already: --force replaces it\n"
    assert Path("out.svg").read_bytes() == first
    assert main([*command, "--theme", "dark", "--force"]) == 0
    assert Path("out.svg").read_bytes() != first


def test_figure_draws_a_log_over_the_plan_and_says_where_they_part(capsys):
    log = TrainingLog(MISSED, total_steps=6000)
    for step, sparsity in ((1300, 0.0375), (4000, 0.1)):
        log.add(step, sparsity, loss=1 / step)
    log.save("run.jsonl")
    assert main(["figure", write(MISSED), "-o", "out.svg", "--log", "run.jsonl", "--metric", "loss"]) == 0
    said = capsys.readouterr().out.splitlines()
    assert said[:2] == ["wrote out.svg: steps 1 to 6,000", "From step 4,000 on, 10% happened where 37.5% was planned."]
    assert "loss" in Path("out.svg").read_text("utf-8")
    assert main(["figure", "a.json", "-o", "b.svg", "--log", "run.jsonl", "--metric", "accuracy"]) == 1


def test_figure_into_no_folder(capsys):
    assert main(["figure", write(MISSED), "-o", "no/such/out.svg"]) == 1
    assert "does not exist" in capsys.readouterr().err


def test_version(capsys):
    with pytest.raises(SystemExit) as stopped:
        main(["--version"])
    assert stopped.value.code == 0
    assert capsys.readouterr().out == f"entrenar-viz {__version__}\n"


@pytest.fixture
def started(monkeypatch):
    commands = []
    monkeypatch.setattr(lab_module, "_become", lambda command: commands.append(command) or 0)
    monkeypatch.setattr(os, "geteuid", lambda: 1000, raising=False)
    return commands


@pytest.mark.parametrize("arguments", [[], ["lab"]])
def test_lab_opens_a_copy_of_the_notebook(started, arguments, capsys):
    assert main(arguments) == 0
    assert Path("explorer.ipynb").read_bytes() == lab_module.packaged_notebook().read_bytes()
    address = "--LabApp.default_url=/lab/tree/explorer.ipynb"
    assert started == [[sys.executable, "-P", "-m", "jupyterlab", "explorer.ipynb", address]]
    assert capsys.readouterr().out == "entrenar-viz: wrote explorer.ipynb\n"


def test_lab_keeps_a_notebook_that_is_there(started, capsys):
    Path("explorer.ipynb").write_text("mine")
    assert main(["lab"]) == 0
    assert Path("explorer.ipynb").read_text() == "mine"
    assert capsys.readouterr().out == "entrenar-viz: opening the explorer.ipynb that is here already\n"


@pytest.mark.parametrize(
    ("given", "added"),
    [
        ([], ["--allow-root", "--ip=localhost"]),
        (["--ip=0.0.0.0"], ["--allow-root"]),
        (["--allow-root"], []),
    ],
)
def test_lab_as_root(started, monkeypatch, given, added):
    monkeypatch.setattr(os, "geteuid", lambda: 0, raising=False)
    assert main(["--", *given, "--no-browser"]) == 0
    assert started[0][6:] == [*added, *given, "--no-browser"]


def test_lab_without_jupyterlab(started, monkeypatch, capsys):
    monkeypatch.setattr(lab_module, "find_spec", lambda name: None)
    assert main([]) == 2
    assert 'pip install "entrenar-viz[lab]"' in capsys.readouterr().err
    assert not started
    assert not Path("explorer.ipynb").exists()


def test_ctrl_c_is_quiet(started, monkeypatch, capsys):
    def interrupted(command):
        raise KeyboardInterrupt

    monkeypatch.setattr(lab_module, "_become", interrupted)
    assert main(["lab"]) == 130
    assert not capsys.readouterr().err


@pytest.mark.skipif(os.name != "posix", reason="needs a POSIX shell")
def test_a_closed_pipe_is_quiet():
    reader, writer = os.pipe()
    os.close(reader)
    code = "import sys; from entrenar_viz.cli.command import main; sys.exit(main())"
    command = [sys.executable, "-c", code, "check", write(MISSED)]
    with os.fdopen(writer, "w") as closed:
        done = subprocess.run(command, stdout=closed, stderr=subprocess.PIPE, text=True, check=False)
    assert (done.returncode, done.stderr) == (141, "")


def test_check_loads_neither_matplotlib_nor_widgets():
    heavy = "sorted({'matplotlib', 'ipywidgets'} & set(sys.modules))"
    code = f"import sys; from entrenar_viz.cli.command import main; main(); print({heavy})"
    done = subprocess.run(
        [sys.executable, "-c", code, "check", write(MISSED)], capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "[]"
