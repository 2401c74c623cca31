"""``entrenar-viz plan``: the table, the files, and what is refused before any work."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from entrenar_viz import Plan, allocate, load_weights, sample_calibration, sensitivity
from entrenar_viz.cli import plan_layers as module
from entrenar_viz.cli.command import main

DIGITS = Path(module.__file__).parents[1] / "models" / "sample_data" / "digits.safetensors"
DIGITS_LAYERS = ("fc1.weight", "fc2.weight", "fc3.weight")
LLAMA = {
    "model.embed_tokens.weight": (32, 8),
    **{f"model.layers.{block}.{name}.weight": (8, 8) for block in range(25) for name in ("q_proj", "k_proj")},
}


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shutil.copyfile(DIGITS, "digits.safetensors")


def plan(*more, sparsity="0.95", model="digits.safetensors"):
    return main(["plan", model, "--sparsity", sparsity, *more])


def llama():
    rng = np.random.default_rng(0)
    np.savez("llama.npz", **{name: rng.normal(size=shape) for name, shape in LLAMA.items()})
    return "llama.npz"


def inputs():
    data = sample_calibration("digits network")
    np.savez("inputs.npz", **{name: data[name] for name in DIGITS_LAYERS})


def refused(capsys, *more, **given):
    """The message of a command that fails with exit code 1."""
    assert plan(*more, **given) == 1
    return capsys.readouterr().err


def misused(capsys, *more, **given):
    """The last line of a wrong command, exit code 2."""
    with pytest.raises(SystemExit) as ended:
        plan(*more, **given)
    assert ended.value.code == 2
    return capsys.readouterr().err.splitlines()[-1]


def test_without_a_file_the_layers_are_printed(capsys):
    assert plan() == 0
    assert capsys.readouterr().out.splitlines() == [
        "digits.safetensors: erk: 95% of 17,024 weights in 3 layers, from 78.59% to 95.64%",
        "",
        "layer       shape   share     weights  sparsity  pruned",
        "fc1.weight  128x64  allotted    8,192    95.64%   7,835",
        "fc2.weight  64x128  allotted    8,192    95.64%   7,835",
        "fc3.weight  10x64   allotted      640    78.59%     503",
        "",
        "The trainer's file has no field for a plan: there, all layers get the same. These follow it:",
        "  entrenar-viz survey digits.safetensors CONFIG --plan FILE  (what it does to each layer)",
        "  entrenar-viz prune digits.safetensors CONFIG -o OUT --plan FILE  (a pruned copy)",
        "  Pruner(..., plan=Plan.load(FILE)) in a training by PyTorch",
        "-o FILE writes the plan.",
    ]


def test_the_file_has_the_plan_and_the_table_waits_to_be_asked_for(capsys):
    assert plan("-o", "plan.json") == 0
    out = capsys.readouterr().out
    assert Plan.load("plan.json") == allocate("digits.safetensors", 0.95)
    assert "fc1.weight" not in out
    assert "wrote plan.json: 3 layers\n" in out
    assert "survey digits.safetensors CONFIG --plan plan.json" in out
    assert "Plan.load('plan.json')" in out
    assert plan("-o", "plan.json", "--force", "--table") == 0
    assert "fc1.weight" in capsys.readouterr().out


def test_the_commands_that_follow_can_be_pasted(capsys):
    shutil.copyfile("digits.safetensors", "my model.safetensors")
    assert plan("-o", "my plan.json", model="my model.safetensors") == 0
    said = capsys.readouterr().out
    assert "  entrenar-viz survey 'my model.safetensors' CONFIG --plan 'my plan.json'  (" in said
    assert "plan=Plan.load('my plan.json')" in said


def test_every_option_reaches_the_plan():
    inputs()
    given = ["--fixed", "fc3.weight=0.5", "--count-fixed", "--min-sparsity", "0.1", "--max-sparsity", "0.99"]
    owl = ["--method", "owl", "--calibration", "inputs.npz", "--M", "7", "--lam", "0.2", "--per", "layer"]
    assert plan("-o", "a.json", *given, *owl, sparsity="0.8") == 0
    found = {"fixed": {"fc3.weight": 0.5}, "count_fixed": True, "min_sparsity": 0.1, "max_sparsity": 0.99}
    options = {"calibration": "inputs.npz", "M": 7.0, "lam": 0.2, "per": "layer"}
    assert Plan.load("a.json") == allocate("digits.safetensors", 0.8, "owl", **found, **options)
    assert plan("-o", "b.json", "--power", "0.5", "--no-kernel", "--skip", "fc[12]*", "--skip", "fc1.*") == 1
    assert plan("-o", "b.json", "--power", "0.5", "--no-kernel", "--skip", "fc1.*") == 0
    expected = allocate("digits.safetensors", 0.95, "erk", skip=["fc1.*"], power=0.5, include_kernel=False)
    assert Plan.load("b.json") == expected


def test_by_sensitivity_the_table_has_what_layers_keep(capsys):
    inputs()
    assert plan("--method", "sensitivity", "--loss", "output", "--calibration", "inputs.npz", "-o", "plan.json") == 0
    capsys.readouterr()
    options = {"calibration": "inputs.npz", "loss": "output"}
    made = allocate("digits.safetensors", 0.95, "sensitivity", **options)
    assert Plan.load("plan.json") == made
    assert plan("--method", "sensitivity", "--loss", "output", "--calibration", "inputs.npz") == 0
    head, first = capsys.readouterr().out.split("\n\n")[1].splitlines()[:2]
    assert head.split("  ")[-2:] == ["energy kept", "output error"]
    kept = sensitivity("digits.safetensors", calibration="inputs.npz")["fc1.weight"]
    assert f"{100 * kept.kept_at(made['fc1.weight'].sparsity):.2f}%" in first


def test_curves_are_written_as_csv_for_any_method(capsys):
    assert plan("--sensitivity", "curves.csv", "-o", "plan.json") == 0
    assert Path("curves.csv").read_text("utf-8") == sensitivity("digits.safetensors").to_csv()
    assert "wrote curves.csv: what 3 layers lose\n" in capsys.readouterr().out


@pytest.mark.parametrize(("suffix", "start"), [(".svg", b"<?xml"), (".png", b"\x89PNG"), (".pdf", b"%PDF")])
def test_the_picture_of_the_plan_is_written(suffix, start, capsys):
    assert plan("--figure", f"plan{suffix}", "--theme", "dark") == 0
    assert Path(f"plan{suffix}").read_bytes().startswith(start)
    assert f"wrote plan{suffix}\n" in capsys.readouterr().out


def test_long_tables_end_after_40_layers_unless_all_are_asked_for(capsys):
    model = llama()
    assert plan(model=model) == 0
    out = capsys.readouterr().out
    assert "and 11 layers more: --table has all" in out
    assert "left whole" in out
    assert plan("--table", model=model) == 0
    out = capsys.readouterr().out
    assert sum(name in out for name in LLAMA) == len(LLAMA)
    assert "more:" not in out


def test_embeddings_are_left_whole_unless_they_are_to_be_pruned():
    model = llama()
    assert plan("-o", "plan.json", model=model) == 0
    assert Plan.load("plan.json")["model.embed_tokens.weight"].skip
    assert plan("-o", "all.json", "--prune-embeddings", "--method", "sensitivity", model=model) == 0
    assert not Plan.load("all.json")["model.embed_tokens.weight"].skip


def test_what_fixed_layers_do_to_the_total_is_said(capsys):
    plan("--fixed", "fc3.weight=0")
    assert "95% was asked of the layers that are not fixed\n" in capsys.readouterr().out
    plan("--fixed", "fc3.weight=0", "--count-fixed")
    assert "was asked of" not in capsys.readouterr().out


@pytest.mark.parametrize("name", ["plan.json", "curves.csv", "plan.svg"])
def test_nothing_is_overwritten_without_force_and_nothing_is_done_first(capsys, monkeypatch, name):
    Path(name).write_text("mine")
    monkeypatch.setattr(module, "allocate", None)
    asked = ("-o", "plan.json", "--sensitivity", "curves.csv", "--figure", "plan.svg")
    assert f"{name} exists already: --force replaces it" in refused(capsys, *asked)
    assert Path(name).read_text() == "mine"


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["--method", "owl"], "needs"),
        (["--skip", "fc9.weight"], "skip: no layer is called 'fc9.weight': did you mean fc"),
        (["--fixed", "fc1.weight=0.5", "--skip", "fc1.weight"], "'fc1.weight' is fixed and skipped: choose one"),
        (["--max-sparsity", "0.5"], "the bounds of the layers allow at most 8,512 (50.000000%)"),
        (["--max-sparsity", "0.5", "--method", "sensitivity"], "the bounds of the layers allow at most 8,512"),
        (["--calibration", "inputs.npz"], "inputs.npz"),
        (["-o", "nowhere/plan.json"], "nowhere"),
    ],
)
def test_what_cannot_be_planned_is_said_in_a_line(capsys, more, message):
    said = refused(capsys, *more)
    assert message in said
    assert said.startswith("entrenar-viz: ")
    assert len(said.splitlines()) == 1


def test_an_impossible_budget_is_refused_before_layers_are_measured(capsys, monkeypatch):
    monkeypatch.setattr(module, "sensitivity", None)
    assert "allow at most" in refused(capsys, "--max-sparsity", "0.5", "--method", "sensitivity")


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["--M", "5"], "--M goes with --method owl"),
        (["--no-kernel", "--method", "uniform"], "--no-kernel goes with --method erk"),
        (["--power", "-1"], "'-1' is no number from 0 on"),
        (["--power", "nan"], "'nan' is no number from 0 on"),
        (["--fixed", "fc1.weight"], "is no name with a sparsity such as fc1.weight=0.5"),
        (["--fixed", "fc1.weight=50"], "80% is written 0.8"),
        (["--max-sparsity", "2"], "80% is written 0.8"),
        (["--max-sparsity", "x"], "'x' is no sparsity such as 0.8: it is from 0 to 1"),
        (["--method", "best"], "invalid choice: 'best'"),
        (["--figure", "plan.txt"], "the name of a figure must end in"),
        (["--workers", "0"], "is no number of workers"),
    ],
)
def test_wrong_usage_is_told_from_failures(capsys, more, message):
    assert message in misused(capsys, *more)


def test_names_from_a_model_cannot_command_a_terminal(capsys):
    np.savez("odd.npz", **{"a\x1b[2J\n": np.eye(4), "plain": np.eye(4)})
    assert plan(model="odd.npz", sparsity="0.5") == 0
    assert "\x1b" not in capsys.readouterr().out


def test_layers_that_cannot_be_measured_have_their_reason(capsys):
    np.savez("odd.npz", good=np.eye(4), bad=np.full((4, 4), np.nan))
    assert plan("--sensitivity", "curves.csv", model="odd.npz", sparsity="0.5") == 0
    out = capsys.readouterr().out
    assert "bad: " in out
    assert list(load_weights("odd.npz")) == ["good", "bad"]
