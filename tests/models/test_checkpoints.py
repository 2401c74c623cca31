"""Checkpoints in shards: what the index says is where it says, or it is refused with file, tensor and reason."""

import json
import os
import time
from functools import partial
from pathlib import Path

import ml_dtypes
import numpy as np
import pytest
from safetensors.numpy import save_file

from benchmarks.mutated_models import outcome
from benchmarks.whole_models import whole
from entrenar_viz import WeightsError, load_weights
from entrenar_viz.models import model_files, tensor_files
from entrenar_viz.models.model_folder import INDEX

VALUES = np.array([[0.0, 0.5, -1.0], [2.0, -0.25, 1.5]])
A, B = "model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"
SHARDS = {
    A: {"h.0.weight": VALUES.astype(ml_dtypes.bfloat16), "h.0.bias": np.ones(3)},
    B: {"conv": np.arange(24, dtype=np.float32).reshape(2, 3, 2, 2), "lm_head": VALUES.astype(np.float64)},
}
PLACES = {name: shard for shard, arrays in SHARDS.items() for name in arrays}


def checkpoint(folder: Path, places=PLACES, shards=SHARDS) -> Path:
    """Written to ``folder``; ``places`` may also be the text of the index."""
    for name, arrays in shards.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        save_file(arrays, folder / name)
    index = folder / INDEX
    index.write_bytes(places if isinstance(places, bytes) else json.dumps({"weight_map": places}).encode())
    return index


def refused(path) -> str:
    with pytest.raises(WeightsError) as caught:
        load_weights(path)
    return str(caught.value)


@pytest.mark.parametrize("given", [".", INDEX])
def test_a_folder_and_its_index_are_the_same_checkpoint(tmp_path, given):
    index = checkpoint(tmp_path)
    tensors = load_weights(tmp_path / given)
    assert tensors.source == str(index)
    assert tensors.names == ["h.0.weight", "conv", "lm_head"]
    assert tensors.skipped == {"h.0.bias": "1-D: biases and norms are not pruned"}
    assert [tensors.dtype(name) for name in tensors] == ["bfloat16", "float32", "float64"]
    assert [tensors.nbytes(name) for name in tensors] == [12, 96, 48]
    assert np.array_equal(tensors["h.0.weight"], VALUES)
    assert np.array_equal(tensors["lm_head"], VALUES)


def test_more_dimensions_are_viewed_as_out_and_rest(tmp_path):
    tensors = load_weights(checkpoint(tmp_path))
    assert tensors.shape("conv") == (2, 3, 2, 2)
    assert np.array_equal(tensors["conv"], np.arange(24).reshape(2, 12))


@pytest.mark.parametrize("dtype", tensor_files.FLOATS)
def test_every_float_format(tmp_path, dtype):
    array = VALUES.astype(getattr(ml_dtypes, dtype, dtype))
    tensors = load_weights(checkpoint(tmp_path, {"w": A}, {A: {"w": array}}))
    assert (tensors.dtype("w"), tensors.nbytes("w")) == (dtype, array.nbytes)
    assert np.array_equal(tensors["w"], VALUES)


def test_shards_may_stand_in_folders_below_and_be_links(tmp_path):
    blobs, snapshot = tmp_path / "blobs", tmp_path / "snapshot"
    checkpoint(blobs, shards={"0": SHARDS[A], "1": SHARDS[B]})
    snapshot.mkdir()
    (snapshot / A).symlink_to("../blobs/0")
    (snapshot / "part").symlink_to("../blobs")
    (blobs / B).hardlink_to(blobs / "1")
    index = checkpoint(
        snapshot, {"h.0.weight": f"./{A}", "h.0.bias": A, "conv": f"part/{B}", "lm_head": f"part//{B}"}, {}
    )
    assert np.array_equal(load_weights(index)["lm_head"], VALUES)


def test_a_folder_without_index_stands_for_its_one_safetensors_file(tmp_path):
    save_file({"w": VALUES}, tmp_path / "Only.SafeTensors")
    (tmp_path / "config.json").write_text("{}")
    tensors = load_weights(str(tmp_path))
    assert tensors.source == str(tmp_path / "Only.SafeTensors")
    assert np.array_equal(tensors["w"], VALUES)


def test_the_index_comes_before_other_files(tmp_path):
    checkpoint(tmp_path)
    save_file({"w": VALUES}, tmp_path / "consolidated.safetensors")
    (tmp_path / "model.fp8.safetensors.index.json").write_text("{}")
    assert load_weights(tmp_path).source == str(tmp_path / INDEX)


def test_an_index_of_another_name_is_found_if_it_is_the_only_one(tmp_path):
    other = checkpoint(tmp_path).rename(tmp_path / "diffusion.safetensors.index.json")
    assert load_weights(tmp_path).source == str(other)
    (tmp_path / "vae.safetensors.index.json").write_text("{}")
    said = refused(tmp_path)
    assert str(tmp_path / "diffusion.safetensors.index.json") in said
    assert str(tmp_path / "vae.safetensors.index.json") in said


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ([], "it is empty"),
        (["config.json", "model.gguf"], "it has 'config.json', 'model.gguf'"),
        ([f"{i}.txt" for i in range(9)], "'4.txt' and 4 more"),
        (["<b>\n.txt"], r"it has '<b>\n.txt'"),
        ([B], f"its file '{A}' is missing, and there is no {INDEX}: name "),
        ([A], f"its file '{B}' is missing"),
        ([A, "model-00000-of-00002.safetensors", B], "has 3 shards of 2"),
    ],
)
def test_a_folder_that_stands_for_no_one_model(tmp_path, files, words):
    for name in files:
        (tmp_path / name).touch()
    assert refused(tmp_path).startswith(f"{tmp_path}: ")
    assert words in refused(tmp_path)


def test_shards_without_an_index_open_together(tmp_path):
    for name, arrays in SHARDS.items():
        save_file(arrays, tmp_path / name)
    (tmp_path / "config.json").write_text("{}")
    tensors = load_weights(tmp_path)
    assert tensors.source == str(tmp_path)
    assert set(tensors.names) == {"h.0.weight", "conv", "lm_head"}
    assert tensors.files == {str(tmp_path), str(tmp_path / A), str(tmp_path / B)}
    assert np.array_equal(tensors["lm_head"], VALUES)
    assert load_weights(tmp_path / A).names == ["h.0.weight"]


def test_shards_without_an_index_that_hold_one_name_twice_are_refused(tmp_path):
    for name in (A, B):
        save_file({"w": VALUES}, tmp_path / name)
    assert refused(tmp_path) == f"{tmp_path}: 'w': is in two files, '{A}' and '{B}'"


def test_of_several_models_in_a_folder_each_is_named_by_a_path_that_opens_it(tmp_path):
    names = [tmp_path / "consolidated.safetensors", tmp_path / "model.safetensors"]
    for name in names:
        save_file({"w": VALUES}, name)
    said = refused(tmp_path)
    assert said == f"{tmp_path}: holds several models, name one: '{names[0]}', '{names[1]}'"
    for path in said.split("name one: ")[1].replace("'", "").split(", "):
        assert load_weights(path).names == ["w"]


def test_shards_beside_another_file_are_told_with_what_opens_them(tmp_path):
    for name in (A, B, "consolidated.safetensors"):
        (tmp_path / name).touch()
    assert f"'{tmp_path / 'consolidated.safetensors'}'; '{A}' and the shards after it open by the folder" in refused(
        tmp_path
    )


def test_one_shard_that_is_all_there_is_opens(tmp_path):
    save_file({"w": VALUES}, tmp_path / "model-00001-of-00001.safetensors")
    assert load_weights(tmp_path).names == ["w"]


# What can be wrong with an index and its shards ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("places", "words"),
    [
        (b"", "is no JSON: Expecting value"),
        (b"{", "is no JSON: Expecting property name"),
        (b"\xff\xfe\x00", "is no JSON: 'utf-16"),
        (b"[]", "is no index of shards: it has no weight_map"),
        (b'{"weight_map": {}}', "is no index of shards"),
        (b'{"weight_map": ["w"]}', "is no index of shards"),
        (b'{"weight_map": {"w": "a.safetensors", "w": "b.safetensors"}}', "names 'w' twice"),
        (b"[" * 100_000, "recursion"),
        ({"w": None}, "'w': its file None is no .safetensors or .bin file"),
        ({"w": "model.gguf"}, "'w': its file 'model.gguf' is no .safetensors or .bin file"),
        ({"w": f"../{A}"}, f"'w': its file '../{A}' is outside the folder of the index"),
        ({"w": f"part/../../{A}"}, "is outside the folder"),
        ({"w": "/etc/m.safetensors"}, "'w': its file '/etc/m.safetensors' is outside the folder"),
        ({"w": "C:\\m.safetensors"}, "is outside the folder"),
        ({"w": "..\\m.safetensors"}, "is outside the folder"),
        ({"w": "none.safetensors"}, "'w': its file 'none.safetensors' is missing"),
        ({"w": "nul\0.safetensors"}, "is missing"),
        ({"w": "\ud800.safetensors"}, "'w': its file '\\ud800.safetensors' is missing"),
        ({"w": "x" * 300 + ".safetensors"}, "'w': cannot be read: File name too long"),
        ({"<b>" * 1000: "none.safetensors"}, "<b>"),
    ],
)
def test_an_index_that_is_none(tmp_path, places, words):
    index = checkpoint(tmp_path, places)
    assert refused(index).startswith(f"{index}: ")
    assert words in refused(index)
    assert len(refused(index)) < 600 + len(str(index))


def test_an_index_of_any_size_is_not_read(tmp_path, monkeypatch):
    monkeypatch.setattr("entrenar_viz.models.checkpoints.MAX_INDEX", 50)
    assert "has more than 50 bytes, which no index of shards has" in refused(checkpoint(tmp_path))


def test_a_missing_shard_is_named_with_a_tensor_of_it(tmp_path):
    index = checkpoint(tmp_path)
    (tmp_path / B).unlink()
    assert refused(index) == f"{index}: 'conv': its file '{B}' is missing"


def test_a_shard_that_lacks_a_tensor_of_the_index(tmp_path):
    index = checkpoint(tmp_path, PLACES | {"h.1.weight": B})
    assert refused(index) == f"{tmp_path / B}: 'h.1.weight': the file does not hold it"
    checkpoint(tmp_path, PLACES | {"conv": A})
    assert refused(index) == f"{tmp_path / A}: 'conv': the file does not hold it, but '{B}' does"


def test_a_tensor_in_two_shards(tmp_path):
    index = checkpoint(tmp_path, shards={**SHARDS, B: SHARDS[B] | {"h.0.weight": VALUES}})
    assert refused(index) == f"{index}: 'h.0.weight': is in two files, '{A}' and '{B}'"


def test_a_tensor_that_the_index_does_not_name_is_listed_but_not_offered(tmp_path):
    tensors = load_weights(checkpoint(tmp_path, {name: PLACES[name] for name in ("h.0.weight", "lm_head")}))
    assert tensors.names == ["h.0.weight", "lm_head"]
    assert tensors.skipped == dict.fromkeys(("conv", "h.0.bias"), "the index does not name it")
    with pytest.raises(WeightsError, match=f"{B}: 'conv': the index does not name it"):
        tensors.matrix("conv")


@pytest.mark.parametrize("content", [b"", b"\0" * 8, b"\xff" * 8 + b"{}", None])
def test_a_shard_that_is_broken_is_named(tmp_path, content):
    index = checkpoint(tmp_path)
    shard = tmp_path / B
    whole = shard.read_bytes()
    shard.write_bytes(whole[:-1] if content is None else content)
    assert refused(index).startswith(f"{shard}: ")


def test_a_shard_that_is_a_folder(tmp_path):
    index = checkpoint(tmp_path)
    (tmp_path / B).unlink()
    (tmp_path / B).mkdir()
    assert refused(index) == f"{tmp_path / B}: is a folder, not a file"


def test_weights_that_are_not_finite_are_blamed_on_their_shard(tmp_path):
    bad = VALUES.astype(np.float32)
    bad[1, 2] = np.inf
    tensors = load_weights(checkpoint(tmp_path, shards={**SHARDS, B: SHARDS[B] | {"lm_head": bad}}))
    assert tensors["conv"].shape == (2, 12)
    with pytest.raises(WeightsError) as caught:
        tensors.matrix("lm_head")
    assert str(caught.value).startswith(f"{tmp_path / B}: 'lm_head': 1 of 6 weights are not finite")


def test_a_shard_that_changes_after_opening_is_not_misread(tmp_path):
    tensors = load_weights(checkpoint(tmp_path))
    save_file({"conv": VALUES}, tmp_path / B)
    with pytest.raises(WeightsError, match=f"{B}: has changed since it was opened"):
        tensors.matrix("lm_head")
    assert np.array_equal(tensors["h.0.weight"], VALUES)


def test_a_home_that_is_nobodys_is_refused():
    assert "home directory" in refused("~nobody-of-this-name/model.safetensors")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_an_index_that_is_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / INDEX)
    assert "is neither a file nor a folder" in refused(tmp_path)


# At size -------------------------------------------------------------------------------------------------------------


def large(folder: Path, tensors: int = 1000, shards: int = 8) -> Path:
    names = [f"model.layers.{i}.weight" for i in range(tensors)]
    files = [f"model-{i + 1:05}-of-{shards:05}.safetensors" for i in range(shards)]
    row = np.ones((8, 8), ml_dtypes.bfloat16)
    arrays = {file: dict.fromkeys(names[i::shards], row) for i, file in enumerate(files)}
    return checkpoint(folder, {name: files[i % shards] for i, name in enumerate(names)}, arrays)


def test_a_thousand_tensors_open_quickly_and_no_number_is_read(tmp_path, monkeypatch):
    index = large(tmp_path)
    monkeypatch.setattr(np, "fromfile", partial(pytest.fail, "a number was read"))
    start = time.perf_counter()
    tensors = load_weights(index)
    assert time.perf_counter() - start < 2  # about 15 ms; a machine may be busy
    assert len(tensors) == 1000
    assert tensors.names[999] == "model.layers.999.weight"


def test_the_header_of_each_shard_is_read_once(tmp_path, monkeypatch):
    index, opened = large(tmp_path, tensors=64), []
    whole = model_files.READERS[".safetensors"]
    monkeypatch.setitem(
        model_files.READERS, ".safetensors", lambda file, again: opened.append(file.name) or whole(file, again)
    )
    tensors = load_weights(index)
    assert [tensors.matrix(name).sum() for name in tensors] == [64.0] * 64
    assert sorted(opened) == sorted(str(path) for path in tmp_path.glob("*.safetensors"))


def test_one_tensor_is_in_memory_at_a_time(tmp_path):
    import tracemalloc

    shard = np.ones((256, 1024), ml_dtypes.bfloat16)  # 0.5 MB, 1 MB as float32
    tensors = load_weights(
        checkpoint(tmp_path, {f"w{i}": A for i in range(16)}, {A: {f"w{i}": shard for i in range(16)}})
    )
    tracemalloc.start()
    try:
        for name in tensors:
            assert tensors.matrix(name)[0, 0] == 1
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 3.5e6  # the one before, which is still named, the raw one and the one as float32


@pytest.mark.parametrize("kind", [kind for kind in whole() if not kind.startswith(("np", "safetensors"))])
def test_mutated_checkpoints_only_raise_our_error(tmp_path, kind):
    seen = set()
    for number in range(200):
        folder = tmp_path / f"{number}"
        folder.mkdir()
        seen.add(outcome(folder, kind, number, seed=7))
    assert seen >= {"read", "refused on opening"}


def test_blocks_are_in_the_order_of_their_numbers(tmp_path):
    save_file({f"h.{i}.up": np.ones((2, 2), "f4") for i in range(12)}, tmp_path / "model.safetensors")
    assert load_weights(tmp_path / "model.safetensors").names == [f"h.{i}.up" for i in range(12)]
