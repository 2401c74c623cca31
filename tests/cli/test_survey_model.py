"""``entrenar-viz survey``: the table, the CSV, and what never reaches a terminal or an existing file."""

import csv
import dataclasses
import io
import re
from pathlib import Path

import numpy as np
import pytest
import torch

from entrenar_viz import NM, Gradual, PruningConfig, iter_survey
from entrenar_viz.cli import survey_model as module
from entrenar_viz.cli.command import main
from entrenar_viz.formatting import printable
from entrenar_viz.model_survey.text import as_csv
from tests.plan.by_hand import layer, plan

RNG = np.random.default_rng(5)
MISSED = PruningConfig(
    schedule=Gradual(start_step=1000, end_step=5000, initial_sparsity=0.0, final_sparsity=0.5, frequency=300)
)


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    MISSED.save("pruning.json")


def model(**arrays):
    np.savez("model.npz", **arrays)
    return ["survey", "model.npz", "pruning.json"]


def layers():
    spread = RNG.standard_normal((40, 40)) * np.geomspace(1, 1000, 40)  # a few columns have nearly all
    return {"even": RNG.choice([-1.0, 1.0], (40, 40)) + RNG.random((40, 40)) / 9, "spread": spread}


def test_a_plan(capsys):
    command = model(a=RNG.standard_normal((10, 10)), b=RNG.standard_normal((10, 20)))
    plan(layer("a", (10, 10), 0.8), layer("b", (10, 20), skip=True)).save("plan.json")
    PruningConfig(target_sparsity=0.5).save("pruning.json", overwrite=True)
    assert main([*command, "--plan", "plan.json", "--csv", "layers.csv"]) == 0
    lines = capsys.readouterr().out.splitlines()
    planned = "by hand: 80% of 100 weights in 1 layer; 1 layer left whole"
    assert lines[0] == f"model.npz: OneShot, unstructured, magnitude, by a plan ({planned}), asked at step 0"
    assert lines[3].split()[:4] == ["a", "10x10", "float64", "80%"]
    assert "b: left whole: the plan skips it" in lines
    rows = list(csv.DictReader(io.StringIO(Path("layers.csv").read_text())))
    assert [row["asked"] for row in rows] == ["0.8", "0.0"]
    assert main([*command, "--plan", "pruning.json"]) == 1
    assert "pruning.json: is a pruning configuration" in capsys.readouterr().err


@pytest.mark.parametrize("workers", ["1", "2"])
def test_the_layers_that_lose_most_come_first(capsys, workers):
    assert main([*model(**layers()), "--workers", workers]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "model.npz: Gradual, unstructured, magnitude, 48.75% asked at step 5,000"
    head = "layer  shape  format  pruned  energy kept  output error  dead rows  columns  dense  sparse"
    assert re.split(r" {2,}", lines[2]) == re.split(r" {2,}", head)
    assert [line.split()[:4] for line in lines[3:5]] == [
        ["even", "40x40", "float64", "48.75%"],
        ["spread", "40x40", "float64", "48.75%"],
    ]
    assert len({len(line) for line in lines[2:5]}) == 1
    assert lines[-1] == "2 layers: 48.75% of 3,200 weights pruned; 25.6 kB dense, 20 kB where sparse is smaller"


def test_the_table_in_the_readme_is_what_is_printed(capsys):
    root = Path(module.__file__).parents[2]
    readme = (root / "README.md").read_text("utf-8")
    Path("digits.safetensors").symlink_to(root / "entrenar_viz" / "models" / "sample_data" / "digits.safetensors")
    config = PruningConfig.from_json(re.search(r"```json\n(.+?)```", readme, re.DOTALL)[1])
    dataclasses.replace(config, pattern=NM(n=2, m=4)).save("pruning.json", overwrite=True)
    assert main(["survey", "digits.safetensors", "pruning.json"]) == 0
    assert f"```\n{capsys.readouterr().out}```" in readme


def test_a_checkpoint_of_pytorch_is_surveyed_and_turned_kernels_are_told_once(capsys):
    model()
    torch.save({f"layers.{i}.kernel": torch.ones(4, 8) for i in range(3)}, "model.pt")
    assert main(["survey", "model.pt", "pruning.json"]) == 0
    out = capsys.readouterr().out
    assert "layers.0.kernel  8x4" in out
    assert "layers.0.kernel and 2 more: kernel (in, out), turned to (out, in)\n" in out


def test_steps_are_those_of_the_training(capsys):
    assert main([*model(**layers()), "--steps", "1,300"]) == 0
    assert "3.75% asked at step 1,300" in capsys.readouterr().out


def test_output_errors_need_calibration(capsys):
    np.savez("inputs.npz", even=RNG.standard_normal((9, 40)))
    assert main([*model(**layers()), "--calibration", "inputs.npz"]) == 0
    even, spread = capsys.readouterr().out.splitlines()[3:5]
    assert (even.count("%"), spread.count("%")) == (3, 2)


def test_layers_that_are_not_pruned_are_named_with_the_reason(capsys):
    arrays = {**layers(), "nan": np.full((2, 2), np.nan), "embed": np.ones((2, 2)), "flat": np.ones((2, 2))}
    assert main(model(**arrays)) == 0
    out = capsys.readouterr().out
    assert "nan: model.npz: 'nan': 4 of 4 weights are not finite" in out
    assert "embed: left whole: 'embed' is in its name" in out
    assert "flat: ties: 3 more weights share the last score to go" in out
    assert out.splitlines()[-1].startswith("5 layers, 1 not surveyed: ")


def test_a_reason_of_many_layers_is_said_once(capsys):
    main(model(**{f"w{i}": np.ones((2, 2)) for i in range(3)}))
    assert "w0 and 2 more: ties: 3 more weights" in capsys.readouterr().out


def test_long_tables_end(capsys, monkeypatch):
    monkeypatch.setattr(module, "SHOWN", 3)
    main(model(**{f"w{i}": np.diag(np.arange(1.0, i + 3)) for i in range(9)}))
    out = capsys.readouterr().out
    assert "and 6 layers that lose less: --csv FILE has all" in out
    assert "reasons more: --csv FILE has all" in out


def test_nothing_that_can_be_surveyed_is_a_failure(capsys):
    assert main(model(nan=np.full((2, 2), np.nan))) == 1
    assert "1 layer, 1 not surveyed: nothing pruned" in capsys.readouterr().out


def test_control_characters_do_not_reach_the_terminal(capsys):
    assert main(model(**{"a\x1b[2J\n\u202eb\u2028": np.ones((2, 2)), "x" * 99: np.eye(2)})) == 0
    out = capsys.readouterr().out
    assert r"a\x1b[2J\n\u202eb\u2028" in out
    assert all(letter.isprintable() for line in out.splitlines() for letter in line)
    assert f"{'x' * 39}…{'x' * 20}" in out


def test_half_a_surrogate_pair_is_shown_and_written():
    (record,) = iter_survey({"\ud800": np.eye(2)}, MISSED)
    assert printable(record.layer) == "\\ud800"
    assert b"\\ud800" in as_csv([record])


def test_csv_has_every_layer_in_the_order_of_the_model(capsys):
    arrays = {"b": np.eye(4), "=1+1": np.ones((2, 3)), 'q",\n': np.full((2, 2), np.nan)}
    assert main([*model(**arrays), "--csv", "out.csv"]) == 0
    assert capsys.readouterr().out.endswith("wrote out.csv: 3 layers\n")
    rows = list(csv.DictReader(io.StringIO(Path("out.csv").read_text())))
    assert [row["layer"] for row in rows] == list(arrays)
    assert [row["shape"] for row in rows] == ["4x4", "2x3", "2x2"]
    assert [row["achieved"] for row in rows] == ["0.75", "1.0", ""]


def test_a_file_is_overwritten_only_with_force_and_refused_before_the_work(capsys):
    Path("out.csv").write_text("mine")
    assert main(["survey", "none.npz", "pruning.json", "--csv", "out.csv"]) == 1
    assert capsys.readouterr().err == "entrenar-viz: out.csv exists already: --force replaces it\n"
    assert Path("out.csv").read_text() == "mine"
    assert main([*model(**layers()), "--csv", "out.csv", "--force"]) == 0
    assert Path("out.csv").read_text().startswith("layer,shape,dtype,")


def test_survey_takes_yaml_by_its_suffix(capsys):
    arguments = model(**layers())
    assert main(arguments) == 0
    of_json = capsys.readouterr().out
    MISSED.save("pruning.yml")
    assert main([*arguments[:2], "pruning.yml"]) == 0
    assert capsys.readouterr().out == of_json


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["none.npz", "pruning.json"], "none.npz: cannot be read"),
        (["model.npz", "none.json"], "none.json: cannot be read"),
        (["model.npz", "wanda.json"], "wanda needs calibration data: pass calibration= (--calibration FILE)"),
        (["model.npz", "pruning.json", "--csv", "no/such/out.csv"], "no/such does not exist"),
    ],
)
def test_what_cannot_be_done_is_said_without_a_traceback(capsys, arguments, words):
    model(**layers())
    PruningConfig(method="wanda").save("wanda.json")
    assert main(["survey", *arguments]) == 1
    assert capsys.readouterr().err.startswith(f"entrenar-viz: {words}")


@pytest.mark.parametrize(
    "given", [["--workers", "0"], ["--workers", "65"], ["--workers", "x"], ["--steps", "-1"], ["--", "x"]]
)
def test_wrong_usage_exits_with_2(given):
    with pytest.raises(SystemExit) as stopped:
        main([*model(**layers()), *given])
    assert stopped.value.code == 2


def test_progress_is_told_to_a_terminal_only(capsys, monkeypatch):
    main([*model(**layers()), "--workers", "1"])
    assert not capsys.readouterr().err
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    main([*model(**layers()), "--workers", "1"])
    assert capsys.readouterr().err == "\r\x1b[K1 of 2 layers  even\r\x1b[K2 of 2 layers  spread\r\x1b[K"


def test_ctrl_c_leaves_no_file_and_no_layer_waiting(monkeypatch):
    def interrupted(*told):
        raise KeyboardInterrupt

    monkeypatch.setattr(module, "tell", interrupted)
    assert main([*model(**layers()), "--csv", "out.csv", "--workers", "2"]) == 130
    assert not Path("out.csv").exists()
