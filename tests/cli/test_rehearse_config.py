"""``entrenar-viz rehearse``: what it prints and writes, at one sparsity and at several, and how it goes on."""

import os
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from entrenar_viz import Cubic, OneShot, PruningConfig, rehearse
from entrenar_viz.cli import rehearse_config as module
from entrenar_viz.cli.command import main
from entrenar_viz.rehearsal.results_file import runs_kept

CONFIG = PruningConfig(schedule=Cubic(start_step=200, end_step=700, final_sparsity=0.9), target_sparsity=0.9)
SHORT = ["--steps", "1000", "--rehearsal-steps", "40", "--workers", "1"]
GRID = ["--sweep", "0.9,0.5", "--seeds", "3"]
RUNS = 3 + 2 * 3 * 3


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    CONFIG.save("pruning.json")


def run(*options):
    return main(["rehearse", "pruning.json", *SHORT, *options])


def test_a_rehearsal_is_printed(capsys):
    assert run("--seeds", "3") == 0
    out, err = capsys.readouterr()
    assert out == f"{rehearse(CONFIG, 1000, 3, steps=40)}\n"
    assert not err


def test_plans_are_compared(capsys):
    assert run("--seeds", "3", "--plans", "--csv", "out.csv") == 0
    result = rehearse(CONFIG, 1000, 3, steps=40, plans={"uniform": None, "ERK": "erk"})
    assert capsys.readouterr().out.startswith(f"{result}\n")
    assert pd.read_csv("out.csv")["plan"].unique().tolist() == ["dense", "uniform", "ERK"]


def test_without_steps_the_training_leaves_room_for_recovery(capsys):
    once = PruningConfig(schedule=OneShot(step=30), target_sparsity=0.5, fine_tune_after_pruning=False)
    once.save("pruning.yaml")
    assert main(["rehearse", "pruning.yaml", "--seeds", "1", "--workers", "1", "--rehearsal-steps", "20"]) == 0
    assert "50 steps are rehearsed in 20" in capsys.readouterr().out


def test_readings_and_the_figure_are_written(capsys):
    assert run("--seeds", "3", "--csv", "out.csv", "-o", "out.svg", "--theme", "dark") == 0
    frame = pd.read_csv("out.csv")
    assert list(frame.columns) == ["schedule", "sparsity", "seed", "step", "accuracy"]
    assert frame["schedule"].unique().tolist() == ["dense", "OneShot", "Gradual", "Cubic"]
    assert Path("out.svg").read_text().startswith("<?xml")
    assert capsys.readouterr().out.endswith(f"wrote out.csv: {len(frame):,} rows\nwrote out.svg\n")


def test_a_sweep_prints_a_table_and_a_verdict_for_each_sparsity(capsys):
    assert run(*GRID, "--frequencies", "100,250") == 0
    table, _, verdicts = capsys.readouterr().out.partition("\n\n")
    head, dense, *lines = table.splitlines()
    assert head.split() == ["sparsity", "schedule", "accuracy", "95%", "interval", "seeds"]
    assert dense.split()[0] == "dense"
    names = ["OneShot", "Gradual every 100", "Gradual every 250", "Cubic"]
    assert [line.split()[0] for line in lines] == ["50%"] * 4 + ["90%"] * 4
    assert all(name in line for name, line in zip(names * 2, lines, strict=True))
    assert len({len(line) for line in table.splitlines()}) == 1
    assert [line.split(":")[0] for line in verdicts.splitlines()] == ["50%", "90%"]


def test_rows_and_the_figure_of_a_sweep_are_written(capsys):
    assert run(*GRID, "--csv", "out.csv", "-o", "out.png") == 0
    frame = pd.read_csv("out.csv")
    assert len(frame) == RUNS
    assert frame["sparsity"].unique().tolist() == [0.0, 0.5, 0.9]
    assert Path("out.png").read_bytes().startswith(b"\x89PNG")
    assert capsys.readouterr().out.endswith(f"wrote out.csv: {RUNS} rows\nwrote out.png\n")


def test_a_sweep_without_sparsities_takes_the_usual_ones(capsys):
    assert run("--sweep", "--seeds", "1") == 0
    verdicts = capsys.readouterr().out.partition("\n\n")[2]
    assert [line.split(":")[0] for line in verdicts.splitlines()] == ["50%", "70%", "80%", "90%", "95%", "98%"]


def test_an_interrupted_sweep_says_what_is_kept_and_goes_on(capsys, monkeypatch):
    def interrupted(done, total, run):
        if done == 5:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(module, "tell", interrupted)
        assert run(*GRID, "--results", "runs.jsonl") == 130
    out, err = capsys.readouterr()
    assert (out, err) == ("", "\n5 runs kept in runs.jsonl: the same command goes on from there\n")
    told = []
    with monkeypatch.context() as patch:
        patch.setattr(module, "tell", lambda done, total, run: told.append(total))
        assert run(*GRID, "--results", "runs.jsonl") == 0
    assert told == [RUNS - 5] * (RUNS - 5)
    of_file = capsys.readouterr().out
    assert run(*GRID) == 0
    assert capsys.readouterr().out == of_file
    assert runs_kept(Path("runs.jsonl")) == RUNS


def test_an_interrupted_rehearsal_ends_as_other_commands(monkeypatch, capsys):
    def interrupted(*told):
        raise KeyboardInterrupt

    monkeypatch.setattr(module, "tell", interrupted)
    assert run("--seeds", "3", "--csv", "out.csv") == 130
    assert run(*GRID) == 130
    assert capsys.readouterr() == ("", "")
    assert not Path("out.csv").exists()


def test_results_of_other_settings_are_refused(capsys):
    assert run(*GRID, "--results", "runs.jsonl") == 0
    before = Path("runs.jsonl").read_bytes()
    capsys.readouterr()
    assert run(*GRID, "--results", "runs.jsonl", "--steps", "2000") == 1
    err = capsys.readouterr().err
    assert err.startswith("entrenar-viz: runs.jsonl: total_steps: is 1000 in the file, and 2000 in this sweep: name an")
    assert Path("runs.jsonl").read_bytes() == before


def test_processes_give_the_same(capfd):
    assert main(["rehearse", "pruning.json", *SHORT[:4], "--workers", "2", "--seeds", "2"]) == 0
    of_processes = capfd.readouterr()
    assert run("--seeds", "2") == 0
    assert capfd.readouterr() == of_processes


def test_runs_that_failed_are_told(capsys, monkeypatch):
    def failing(*given, **other):
        return sweep(*given, **{**other, "steps": None, "trial": _fails})

    sweep = module.sweep
    monkeypatch.setattr(module, "sweep", failing)
    assert run(*GRID) == 0
    assert capsys.readouterr().out.endswith("\n9 runs failed: RuntimeError: no memory\n")
    monkeypatch.setattr(f"{__name__}.ALL", True)
    assert run(*GRID, "--csv", "out.csv") == 1
    assert capsys.readouterr().out == f"no run has finished\n{RUNS} runs failed: RuntimeError: no memory\n"


ALL = False


def _fails(pruner, seed):
    if ALL or pruner.config.target_sparsity == 0.9:
        raise RuntimeError("no memory")
    yield pruner.total_steps, 0.5


def test_progress_is_told_to_a_terminal_only(capsys, monkeypatch):
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    assert run("--seeds", "1") == 0
    told = capsys.readouterr().err.split("\r\x1b[K")
    bar = "=" * 6 + " " * 18
    assert (told[1], len(told)) == (f"[{bar}] 1 of 4 runs  dense, seed 0", 6)
    assert told[4:] == [f"[{'=' * 24}] 4 of 4 runs  Cubic at 90%, seed 0", ""]


@pytest.mark.parametrize("given", [("--csv", "out.csv"), ("-o", "out.svg"), (*GRID, "--csv", "out.csv")])
def test_a_file_is_overwritten_only_with_force_and_refused_before_the_work(capsys, monkeypatch, given):
    Path(given[-1]).write_text("mine")
    with monkeypatch.context() as patch:
        patch.setattr(module, "rehearse", None)
        patch.setattr(module, "sweep", None)
        assert run(*given) == 1
    assert capsys.readouterr().err == f"entrenar-viz: {given[-1]} exists already: --force replaces it\n"
    assert Path(given[-1]).read_text() == "mine"
    assert run(*given, "--force") == 0
    assert Path(given[-1]).read_text() != "mine"


def test_without_pandas_it_says_what_to_install(capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    for given, what in ((["--csv", "o.csv"], "--csv"), (GRID, "sweep")):
        assert run(*given) == 1
        words = f'entrenar-viz: {what} needs pandas: pip install "entrenar-viz[survey]"'
        assert capsys.readouterr().err.startswith(words)
    assert run("--seeds", "1") == 0


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (["--seeds", "0"], "no number of seeds"),
        (["--workers", "65"], "no number of workers"),
        (["--rehearsal-steps", "0"], "nothing can be rehearsed in no step: use 1 or more"),
        (["--sweep", "80,90"], "no list of sparsities such as 0.5,0.9: 80% is written 0.8"),
        (["--sweep", "0.5,1.5"], "no list of sparsities such as 0.5,0.9: each is above 0 and below 1"),
        (["--sweep", "0.5,,0.9"], "no list of sparsities"),
        (["--sweep", "pruning.json"], "a file goes before --sweep"),
        (["--sweep", "0.5", "--frequencies", "0"], "no list of steps such as 100,500"),
        (["--frequencies", "100"], "--frequencies goes with --sweep"),
        (["--results", "r.jsonl"], "--results goes with --sweep"),
        (["--plans", "--sweep"], "--plans does not go with --sweep"),
        (["-o", "out.gif"], "must end in .png, .svg, .pdf"),
        (["--", "x"], "rehearse takes nothing after --"),
    ],
)
def test_wrong_usage_exits_with_2(capsys, given, words):
    with pytest.raises(SystemExit) as stopped:
        run(*given)
    assert stopped.value.code == 2
    assert words in capsys.readouterr().err


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (["--csv", "no/such/out.csv"], "no/such does not exist"),
        ([*GRID, "--results", "no/such.jsonl"], "no does not exist"),
        ([*GRID, "--results", "pruning.json"], "pruning.json: is no results file"),
    ],
)
def test_what_cannot_be_done_is_said_without_a_traceback(capsys, given, words):
    assert run(*given) == 1
    assert capsys.readouterr().err.startswith(f"entrenar-viz: {words}")
    assert PruningConfig.load("pruning.json") == CONFIG


# the signal that a terminal sends to the whole group, as soon as the second run is in the file
CTRL_C = """
import os, signal, sys
from entrenar_viz.cli import command, rehearse_config

signal.signal(signal.SIGINT, signal.default_int_handler)  # whoever runs the tests may have them in the background
rehearse_config.tell = lambda done, total, run: done == 2 and os.killpg(0, signal.SIGINT)
sys.exit(command.main())
"""


@pytest.mark.skipif(not hasattr(os, "killpg"), reason="needs process groups")
def test_ctrl_c_reaches_the_workers_too_and_only_the_command_speaks():
    options = [*SHORT[:4], *GRID, "--workers", "2", "--results", "runs.jsonl"]
    command = [sys.executable, "-c", CTRL_C, "rehearse", "pruning.json", *options]
    done = subprocess.run(command, capture_output=True, text=True, check=False, start_new_session=True)
    assert (done.returncode, done.stdout) == (130, "")
    kept = runs_kept(Path("runs.jsonl"))
    assert kept >= 2
    assert done.stderr == f"\n{kept} runs kept in runs.jsonl: the same command goes on from there\n"
