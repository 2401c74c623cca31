"""``entrenar-viz prune``: what it prints, what it writes, and how it ends."""

import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest

from entrenar_viz import NM, Gradual, PruningConfig, allocate, load_weights, prune_mask
from entrenar_viz.cli import prune_model as module
from entrenar_viz.cli.command import main
from tests.model_pruning.models import as_entries, checkpoint, drawn, write_safetensors
from tests.plan.by_hand import layer, plan

DIGITS = Path(module.__file__).parents[1] / "models" / "sample_data" / "digits.safetensors"
MISSED = PruningConfig(
    schedule=Gradual(start_step=1000, end_step=5000, initial_sparsity=0.0, final_sparsity=0.5, frequency=300)
)


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    MISSED.save("pruning.json")
    shutil.copyfile(DIGITS, "digits.safetensors")


def prune(*more, model="digits.safetensors", output="pruned.safetensors"):
    return main(["prune", model, "pruning.json", "-o", output, *more])


def test_the_layers_and_what_was_written(capsys):
    assert prune() == 0
    assert capsys.readouterr().out.splitlines() == [
        "digits.safetensors: Gradual, unstructured, magnitude, 48.75% asked at step 5,000",
        "",
        "layer       shape   format   pruned  zeros",
        "fc1.weight  128x64  float32  48.74%  3,993",
        "fc2.weight  64x128  float32  48.74%  3,993",
        "fc3.weight  10x64   float32  48.75%    312",
        "fc1.weight and 1 more: rounded down to whole weights: 3,993 of 8,192 go",
        "",
        "3 layers: 48.74% of 17,024 weights pruned; 48.17% of all 17,226 parameters are zero",
        "wrote pruned.safetensors and sparsity_metadata.json",
    ]
    before, after = load_weights("digits.safetensors"), load_weights("pruned.safetensors")
    for name in before:
        assert np.array_equal(after[name], np.where(prune_mask(before[name], 0.4875), before[name], 0))


def test_the_listing_in_the_documents_is_what_is_printed(capsys):
    prune()
    text = (Path(module.__file__).parents[2] / "docs" / "run.md").read_text("utf-8")
    assert f"```\n{capsys.readouterr().out}```" in text


def test_a_survey_of_the_result_tells_the_same_share_of_all_layers(capsys):
    checkpoint(Path("llama"))
    prune(model="llama", output="pruned")
    shares = re.findall(r"[\d.]+% of [\d,]+ weights pruned", capsys.readouterr().out)
    main(["survey", "pruned", "pruning.json"])
    assert shares == re.findall(r"[\d.]+% of [\d,]+ weights pruned", capsys.readouterr().out)
    assert len(shares) == 1


def test_a_folder_says_what_was_copied(capsys):
    checkpoint(Path("llama"))
    assert prune(model="llama", output="pruned") == 0
    out = capsys.readouterr().out
    assert "model.embed_tokens.weight  16x8   bfloat16        whole" in out
    assert "4 layers, 1 left whole: " in out
    assert "copied along: blob, config.json, tokenizer.json" in out
    assert "not copied: adapter.safetensors (other weights, not part of this checkpoint), onnx (a folder)," in out
    assert out.endswith("wrote pruned and pruned/sparsity_metadata.json\n")


def test_steps_calibration_and_rows(capsys):
    PruningConfig(target_sparsity=0.5, method="wanda").save("pruning.json", overwrite=True)
    inputs = {"fc1.weight": np.arange(1.0, 65), "fc2.weight": np.ones(128)}
    np.savez("inputs.npz", **inputs)
    assert prune("--calibration", "inputs.npz", "--within", "row") == 0
    assert "fc3.weight: wanda needs calibration data, which has nothing for this layer" in capsys.readouterr().out
    before, after = load_weights("digits.safetensors"), load_weights("pruned.safetensors")
    for name, norms in inputs.items():
        mask = prune_mask(before[name], 0.5, method="wanda", activations=norms, within="row")
        assert np.array_equal(after[name], np.where(mask, before[name], 0))
    MISSED.save("pruning.json", overwrite=True)
    assert prune("--steps", "1,300", "--force") == 0
    assert "3.75% asked at step 1,300" in capsys.readouterr().out


def test_a_plan(capsys):
    allocate(DIGITS, 0.9).save("plan.json")
    assert prune("--plan", "plan.json", "--steps", "10000") == 0
    assert capsys.readouterr().out.splitlines() == [
        "digits.safetensors: Gradual, unstructured, magnitude, by a plan (erk: 90% of 17,024 weights in 3 layers, from "
        "57.03% to 91.3%), 97.5% of that asked at step 10,000",
        "",
        "layer       shape   format   pruned  zeros",
        "fc1.weight  128x64  float32  89.01%  7,292",
        "fc2.weight  64x128  float32     89%  7,291",
        "fc3.weight  10x64   float32  55.47%    355",
        "fc3.weight: rounded down to whole weights: 355 of 640 go",
        "",
        "3 layers: 87.75% of 17,024 weights pruned; 86.72% of all 17,226 parameters are zero",
        "wrote pruned.safetensors and sparsity_metadata.json",
    ]
    plan(layer("fc1.weight", (128, 64), 0.5), layer("fc9.weight", (2, 2), 0.5)).save("plan.json", overwrite=True)
    assert prune("--plan", "plan.json", "--force") == 1
    assert "'fc9.weight': is no layer here that can be pruned: did you mean" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "pruned.safetensors exists already: overwrite=True (--force) replaces it"),
        ({"model": "missing.safetensors"}, "missing.safetensors: cannot be read: No such file"),
        ({"output": "no/where.safetensors"}, "no does not exist: create that folder first, or choose another"),
        ({"output": "digits.safetensors"}, "is the model itself"),
    ],
)
def test_failures(capsys, arguments, message):
    Path("pruned.safetensors").write_text("mine")
    assert prune(**arguments) == 1
    captured = capsys.readouterr()
    assert (captured.out, message in captured.err) == ("", True)
    assert Path("pruned.safetensors").read_text() == "mine"


def test_wrong_usage(capsys):
    for wrong in (
        ["prune", "digits.safetensors", "pruning.json"],
        ["prune", "a", "b", "-o", "c", "--within", "column"],
    ):
        with pytest.raises(SystemExit) as ended:
            main(wrong)
        assert ended.value.code == 2
    with pytest.raises(SystemExit):
        prune("--", "more")
    assert "prune takes nothing after --" in capsys.readouterr().err


def test_an_interrupted_run(monkeypatch):
    def interrupt(*_arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr(module, "tell", interrupt)
    assert prune() == 130
    assert sorted(path.name for path in Path().iterdir()) == ["digits.safetensors", "pruning.json"]


def test_a_disk_that_gets_full_is_said_in_one_line(monkeypatch, capsys):
    monkeypatch.setattr("shutil.copyfileobj", lambda *_: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    assert prune() == 1
    assert capsys.readouterr().err == "entrenar-viz: [Errno 28] No space left on device\n"
    assert not list(Path().glob(".pruned*"))


def test_long_lists_end_and_control_characters_do_not_reach_the_terminal(capsys, monkeypatch):
    monkeypatch.setattr(module, "SHOWN", 2)
    PruningConfig(pattern=NM(n=2, m=4)).save("pruning.json", overwrite=True)
    arrays = {"a\x1b[2J\n\u202e": drawn((4, 4)), "b": drawn((4, 4)), "c": drawn((3, 3))}
    write_safetensors(Path("in.safetensors"), as_entries(arrays))
    assert prune(model="in.safetensors") == 0
    out = capsys.readouterr().out
    assert r"a\x1b[2J\n\u202e" in out
    assert "and 1 layer more: sparsity_metadata.json has all" in out
    assert "c: 2:4 does not fit: length 9" in out
    assert all(letter.isprintable() for line in out.splitlines() for letter in line)
    assert len(json.loads(Path("sparsity_metadata.json").read_text("utf-8"))["tensors"]) == 3
