"""Checkpoints of PyTorch: read without unpickling objects, mapped without being kept, and refused with the way out."""

import json
import pickle
import sys

import ml_dtypes
import numpy as np
import pytest
import torch
from torch import nn

from entrenar_viz import PruningConfig, WeightsError, iter_survey, load_weights
from tests.models.refusals import refused

STATE = nn.Sequential(nn.Linear(4, 3), nn.Linear(3, 2)).to(torch.bfloat16).state_dict()
HALF = PruningConfig(target_sparsity=0.5)


def saved(path, value, **options):
    torch.save(value, path, **options)
    return path


@pytest.mark.parametrize("name", ["m.pt", "m.pth", "pytorch_model.bin", "m.CKPT"])
@pytest.mark.parametrize("options", [{}, {"_use_new_zipfile_serialization": False}])
def test_a_state_dict_opens_by_name(tmp_path, name, options):
    tensors = load_weights(saved(tmp_path / name, STATE, **options))
    assert tensors.source == str(tmp_path / name)
    assert tensors.names == ["0.weight", "1.weight"]
    assert (tensors.dtype("0.weight"), tensors.nbytes("0.weight")) == ("bfloat16", 24)
    expected = STATE["0.weight"].float().numpy()
    assert np.array_equal(tensors["0.weight"], expected)
    assert np.array_equal(tensors.rows("0.weight")(1, 3), expected[1:3])


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.float16, torch.float8_e5m2])
def test_every_float_format(tmp_path, dtype):
    weight = torch.randn(4, 6).to(dtype)
    tensors = load_weights(saved(tmp_path / "m.pt", {"w": weight}))
    assert np.array_equal(tensors["w"], weight.float().numpy())


def test_a_single_tensor_has_the_name_of_its_file(tmp_path):
    assert load_weights(saved(tmp_path / "fc.pt", nn.Parameter(torch.eye(3)))).names == ["fc"]


@pytest.mark.parametrize("key", ["state_dict", "model_state_dict", "model", "module"])
def test_of_a_checkpoint_of_a_training_the_model_is_taken(tmp_path, key):
    training = {"epoch": 3, key: STATE, "optimizer": {"state": {0: {"exp_avg": torch.eye(3)}}, "lr": 0.1}}
    tensors = load_weights(saved(tmp_path / "last.pt", training))
    assert tensors.names == ["0.weight", "1.weight"]
    assert tensors.skipped["optimizer.state.0.exp_avg"] == f"not the model's, which is under '{key}'"


def test_keys_that_are_no_names_do_not_matter_where_no_tensor_is_below_them(tmp_path):
    assert load_weights(saved(tmp_path / "m.pt", {"state_dict": STATE, "cache": {None: 3, (1, 2): 4}})).names
    clash = {"a": {"b": torch.eye(2)}, "a.b": {"": 3}, "c": [{"b": torch.eye(2)}], "c.0": {"b": torch.eye(2)}}
    assert "two tensors would be called 'c.0.b'" in refused(saved(tmp_path / "n.pt", clash))


def test_tensors_in_other_dicts_have_the_names_of_their_way_down(tmp_path):
    tensors = load_weights(saved(tmp_path / "m.pt", {"layers": [{"kernel": torch.ones(2, 3)}], "note": "x"}))
    assert (tensors.names, tensors.shape("layers.0.kernel")) == (["layers.0.kernel"], (3, 2))


def test_a_folder_and_its_index_of_bin_files_open(tmp_path):
    for number, name in enumerate(("0.weight", "1.weight"), 1):
        saved(tmp_path / f"pytorch_model-{number:05}-of-00002.bin", {name: STATE[name]})
    saved(tmp_path / "training_args.bin", {"lr": torch.ones(1)})
    names = {name: f"pytorch_model-{number:05}-of-00002.bin" for number, name in enumerate(("0.weight", "1.weight"), 1)}
    (tmp_path / "pytorch_model.bin.index.json").write_text(json.dumps({"weight_map": names}))
    assert load_weights(tmp_path).names == ["0.weight", "1.weight"]


def test_a_folder_with_one_bin_file_beside_others_opens(tmp_path):
    saved(tmp_path / "pytorch_model.bin", STATE)
    saved(tmp_path / "optimizer.bin", {"w": torch.eye(3)})
    assert load_weights(tmp_path).source == str(tmp_path / "pytorch_model.bin")


@pytest.mark.parametrize("names", [["model.pt"], ["part-00001-of-00002.bin", "part-00002-of-00002.bin"]])
def test_what_trainers_keep_beside_a_model_is_no_model(tmp_path, names):
    for other in ("training_args.bin", "optimizer.pt", "scheduler.pt", "rng_state_0.pth", "pruner.pt"):
        saved(tmp_path / other, {"w": torch.eye(3)})
    for number, name in enumerate(names):
        saved(tmp_path / name, {f"{number}.weight": torch.eye(3)})
    assert load_weights(tmp_path).names == ["0.weight", "1.weight"][: len(names)]


def test_a_pickled_module_is_refused_and_not_run(tmp_path):
    class Loud:
        def __reduce__(self):
            return print, ("unpickled",)

    said = refused(saved(tmp_path / "m.pt", nn.Linear(2, 2)))
    assert "holds a Python object beside tensors (torch.nn.modules.linear.Linear)" in said
    assert "torch.save(model.state_dict(), path)" in said
    assert "holds a Python object beside tensors (print)" in refused(saved(tmp_path / "loud.pt", {"x": Loud()}))
    (tmp_path / "loud.bin").write_bytes(pickle.dumps(Loud()))
    assert "cannot be read by torch.load(weights_only=True): Unsupported operand" in refused(tmp_path / "loud.bin")


def test_torchscript_is_refused_with_the_way_out(tmp_path):
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.jit.script(nn.Linear(2, 3)).save(str(tmp_path / "m.pt"))
    assert "is a program of TorchScript" in refused(tmp_path / "m.pt")


def test_a_tensor_that_repeats_its_numbers_without_end_is_refused(tmp_path):
    path = saved(tmp_path / "m.pt", {"w": torch.ones(1).expand(10**6, 10**6)})
    assert "says that it has 4,000,000,000,000 bytes, and 4 are stored" in refused(path)


def test_a_file_that_has_changed_is_not_read(tmp_path):
    tensors = load_weights(saved(tmp_path / "m.pt", STATE))
    rows = tensors.rows("0.weight")
    saved(tmp_path / "m.pt", {"other": torch.eye(50)})
    for read in (lambda: tensors["0.weight"], lambda: rows(0, 1)):
        with pytest.raises(WeightsError, match="has changed since it was opened"):
            read()


def test_what_is_read_is_no_part_of_the_map(tmp_path):
    path = saved(tmp_path / "m.pt", {"w": torch.eye(3)})
    matrix = load_weights(path)["w"]
    with path.open("r+b") as file:
        file.write(b"\0" * path.stat().st_size)
    assert np.array_equal(matrix, np.eye(3))


def test_another_process_opens_the_file_for_itself(tmp_path):
    tensors = load_weights(saved(tmp_path / "m.pt", {"w": torch.eye(1000)}))
    sent = pickle.dumps(tensors.only("w"))
    assert len(sent) < 2000
    assert np.array_equal(pickle.loads(sent)["w"], np.eye(1000))


def test_without_torch_the_extra_is_named(tmp_path, monkeypatch):
    path = saved(tmp_path / "m.pt", STATE)
    monkeypatch.setitem(sys.modules, "torch", None)
    assert refused(path) == f'{path}: .pt needs torch: pip install "entrenar-viz[torch]"'


@pytest.mark.parametrize("content", [b"", b"no", b"PK\x03\x04" + bytes(50), pickle.dumps({"w": [1.0]}, protocol=4)])
def test_what_is_no_checkpoint_is_refused(tmp_path, content):
    (tmp_path / "m.pt").write_bytes(content)
    refused(tmp_path / "m.pt")


def test_the_survey_of_a_file_is_that_of_its_tensors(tmp_path):
    arrays = {name: value.float().numpy().astype(ml_dtypes.bfloat16) for name, value in STATE.items()}
    from_file = list(iter_survey(saved(tmp_path / "m.pt", STATE), HALF))
    assert from_file == list(iter_survey(arrays, HALF))
