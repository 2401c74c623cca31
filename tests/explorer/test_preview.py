"""The pickers of weights and layers: what they offer, what a search finds, and what the note says."""

import json
from dataclasses import replace

import ml_dtypes
import numpy as np
import pytest
from safetensors.numpy import save_file
from torch import nn

from entrenar_viz import Block, Explorer, PruningConfig, WeightsError
from entrenar_viz.explorer.controls.settings import Settings
from entrenar_viz.explorer.panels import masks as module
from entrenar_viz.explorer.panels.masks import BETWEEN, MasksPanel
from entrenar_viz.explorer.panels.parts import is_shown
from entrenar_viz.explorer.preview.mask_words import about
from entrenar_viz.models.model_folder import INDEX
from entrenar_viz.models.weights import Tensors, load_weights

MANY = [f"model.layers.{i}.{part}_proj.weight" for i in range(10) for part in "qkv"]


def previewed(weights) -> MasksPanel:
    preview = MasksPanel(None, lambda callback: callback, lambda: None)
    preview.add(load_weights(weights))
    return preview


def many(names=MANY):
    return dict.fromkeys(names, np.eye(4, dtype=np.float32))


def offered(preview: MasksPanel) -> list[str]:
    return [name for _, name in preview.layer.options]


def note(preview: MasksPanel) -> str:
    return about(preview.request(Settings(), PruningConfig().pattern))


@pytest.fixture
def explorer():
    explorer = Explorer(weights=many())
    yield explorer
    assert explorer.errors == []
    explorer.close()


@pytest.fixture
def reads(monkeypatch):
    """The names of the layers that are read."""
    names, read = [], Tensors.matrix
    monkeypatch.setattr(Tensors, "matrix", lambda tensors, name: names.append(name) or read(tensors, name))
    return names


# What a layer's line says ---------------------------------------------------------------------------------------------


def test_a_layer_is_offered_with_shape_format_and_size(tmp_path):
    save_file({"q_proj": np.zeros((4096, 4096), ml_dtypes.bfloat16)}, tmp_path / "m.safetensors")
    label = previewed(tmp_path).layer.label
    assert label.split(BETWEEN) == ["q_proj", "4,096 × 4,096", "bfloat16", "33.6 MB"]


def test_names_of_any_length_and_content_are_text():
    preview = previewed({"<img onerror=alert(1)>": np.eye(3), "x" * 5000: np.eye(3)})
    assert preview.layer.options[0][0].startswith("<img onerror=alert(1)>" + BETWEEN)
    preview.layer.index = 1
    assert max(len(label) for label, _ in preview.layer.options) < 200
    assert len(note(preview)) < 300


# Search ---------------------------------------------------------------------------------------------------------------


def test_the_search_is_there_for_more_than_twenty_layers():
    preview = previewed(many(MANY[:20]))
    assert not is_shown(preview.search)
    preview.add(load_weights(many(MANY[:21])))
    assert is_shown(preview.search)
    assert not is_shown(preview.found)
    preview.source.value = "gaussian"
    preview.show_source()
    assert not is_shown(preview.search)


def test_the_search_finds_all_its_parts_in_any_case(explorer):
    preview = explorer._parts.masks
    preview.search.value = "  LAYERS.3  q_"
    assert offered(preview) == [MANY[0], "model.layers.3.q_proj.weight"]
    assert preview.found.value == "1 of 30 layers. The picked one is not among them and stays picked."
    assert is_shown(preview.found)
    preview.search.value = "k_proj"
    assert offered(preview) == [MANY[0], *MANY[1::3]]
    preview.search.value = "q_proj"
    assert offered(preview) == MANY[::3]
    assert preview.found.value == "10 of 30 layers."
    preview.search.value = ""
    assert offered(preview) == MANY
    assert preview.found.value == ""


def test_a_search_keeps_the_picked_layer_and_reads_nothing(explorer, reads):
    preview = explorer._parts.masks
    preview.layer.value = MANY[17]
    sent = explorer._parts.live.layer
    for search in ("layers.3", "none of them", "v_proj", "", MANY[17], "q"):
        preview.search.value = search
        assert preview.layer.value == MANY[17]
        assert preview.layer.index == 0
    assert reads == [MANY[17]]
    assert explorer._parts.live.layer is sent


def test_a_model_opens_with_its_first_layer_that_is_pruned():
    arrays = {"embed_tokens.weight": np.ones((9, 4)), "q_proj.weight": np.eye(4), "lm_head.weight": np.ones((9, 4))}
    explorer = Explorer(weights=arrays)
    assert explorer._parts.masks.layer.value == "q_proj.weight"
    explorer = Explorer(weights={"lm_head.weight": np.ones((9, 4))})
    assert explorer._parts.masks.layer.value == "lm_head.weight"


def test_a_found_layer_can_be_picked(explorer):
    explorer._parts.masks.search.value = "layers.9.v"
    explorer._parts.masks.layer.index = 1
    assert explorer._parts.masks.layer.value == MANY[29]
    assert f"arrays, {MANY[29]}." in explorer._parts.live.layer["note"]


def test_another_source_starts_with_an_empty_search_and_the_layer_of_the_same_name(explorer, reads):
    explorer._parts.masks.layer.value = MANY[4]
    explorer._parts.masks.search.value = "layers.1"
    explorer._parts.masks.add(Tensors("other", load_weights(many(MANY[::-1]))._stored))
    assert explorer._parts.masks.search.value == ""
    assert explorer._parts.masks.layer.value == MANY[4]
    assert sorted(offered(explorer._parts.masks)) == sorted(MANY)
    assert "other, " in explorer._parts.live.layer["note"]
    assert reads == [MANY[4], MANY[4]]


def test_lists_that_would_slow_the_browser_are_cut_and_say_so(monkeypatch):
    monkeypatch.setattr(module, "LISTED", 25)
    preview = previewed(many())
    assert offered(preview) == MANY[:25]
    assert preview.found.value == "30 of 30 layers. Only 25 are listed: search for the others."
    preview.search.value = "layers.9"
    preview.show_layers()
    assert offered(preview) == [MANY[0], *MANY[27:]]


# What is shown --------------------------------------------------------------------------------------------------------


def test_layers_of_the_same_name_and_shape_are_not_mistaken_for_each_other():
    explorer = Explorer()
    notes = []
    for name in ("gaussian", "outlier columns", "low rank"):
        explorer._parts.masks.source.value = name
        notes.append(explorer._parts.live.layer["note"].partition(",")[0])
    assert notes == [
        "weight: Kaiming initialisation",
        "weight: heavy tails and a few large columns",
        "weight: rank 8 plus noise",
    ]
    explorer.close()


def test_a_file_that_was_changed_is_shown_anew_when_it_is_opened_again(tmp_path):
    np.save(tmp_path / "w.npy", np.eye(8))
    explorer = Explorer(weights=tmp_path / "w.npy")
    before = explorer._parts.live.layer
    np.save(tmp_path / "w.npy", np.eye(8)[::-1])
    explorer._parts.masks.path.value = str(tmp_path / "w.npy")
    explorer._parts.masks.open_path.click()
    assert explorer._parts.live.layer["shades"] != before["shades"]
    assert explorer.errors == []
    explorer.close()


def test_a_layer_is_read_once(reads):
    explorer = Explorer(weights={"a": np.eye(3), "b": np.eye(4)})
    explorer._parts.masks.layer.value = "b"
    explorer._parts.masks.source.value = "digits network"
    assert reads == ["a", "b", "fc1.weight"]
    explorer.close()


def test_the_note_says_how_a_tensor_is_viewed():
    preview = previewed({"conv": np.ones((8, 3, 5, 5)), "fc": np.ones((2, 3))})
    assert note(preview) == "arrays, conv. 8 × 75 weights, 4-D viewed as (out, rest): 8 × 3 × 5 × 5."
    preview.layer.value = "fc"
    assert note(preview) == "arrays, fc. 2 × 3 weights."


def test_what_was_turned_or_taken_apart_is_said():
    preview = previewed({"dense": {"kernel": np.ones((2, 3))}, "experts": np.ones((2, 4, 5))})
    assert note(preview) == "arrays, dense.kernel. 3 × 2 weights, kernel (in, out), turned to (out, in)."
    preview.layer.value = "experts[1]"
    assert note(preview) == "arrays, experts[1]. 4 × 5 weights, one of 2 experts."


def test_the_class_of_a_module_stands_in_the_line_of_its_layer():
    preview = previewed(nn.Sequential(nn.Linear(3, 2)))
    assert [line for line, _ in preview.layer.options] == [
        BETWEEN.join(("0.weight", "2 × 3", "float32", "24 B", "Linear"))
    ]
    assert preview.source.value == "Sequential"


def test_files_of_all_formats_are_offered(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = ["m.bin", "m.h5", "m.keras", "m.onnx", "m.pt", "m.pth", "m.safetensors"]
    for name in (*names, "m.gguf", "config.json"):
        (tmp_path / name).touch()
    preview = previewed(np.eye(3))
    preview.refresh()
    assert list(preview.path.options) == names


def test_the_note_says_what_is_not_offered_and_why():
    vectors = {f"b{i}": np.ones(3) for i in range(1200)}
    preview = previewed({"fc": np.eye(3), **vectors, "ids": np.eye(3, dtype=int)})
    assert note(preview) == (
        "arrays, fc. 3 × 3 weights. Tensors not offered: 1,201. 1-D: biases and norms are not pruned (1,200);"
        " int64: weights are float16, float32, float64, bfloat16 or float8 (1)."
    )
    odd = {"none": np.ones((0, 3)), "one": np.float64(1), "yes": np.ones((2, 2), bool)}
    preview.add(load_weights({"fc": np.eye(3), "b": np.ones(3), **odd}))
    assert note(preview).endswith("a single number, not a matrix (1); and for other reasons.")


def test_the_fallback_shows_the_note_too():
    explorer = Explorer(weights={"conv": np.ones((8, 3, 2, 2)), "b": np.ones(3)}, view="matplotlib")
    assert "4-D viewed as (out, rest)" in explorer._parts.picture.note.value
    assert "Tensors not offered: 1." in explorer._parts.picture.note.value
    assert is_shown(explorer._parts.picture.masks)
    explorer.close()


# Checkpoints in shards ------------------------------------------------------------------------------------------------


def test_a_checkpoint_in_shards_is_opened_by_its_folder_and_a_broken_one_changes_nothing(explorer, tmp_path):
    save_file({"a": np.eye(6)}, tmp_path / "1.safetensors")
    save_file({"b": np.eye(5)}, tmp_path / "2.safetensors")
    places = {"weight_map": {"a": "1.safetensors", "b": "2.safetensors"}}
    (tmp_path / INDEX).write_text(json.dumps(places | {"weight_map": {"a": "3.safetensors"}}))
    preview, problem, before = (
        explorer._parts.masks,
        explorer._parts.masks.rows["path"].problem,
        explorer._parts.live.layer,
    )
    preview.path.value = f"  {tmp_path} "
    preview.open_path.click()
    assert problem.value == f"{tmp_path / INDEX}: 'a': its file '3.safetensors' is missing"
    assert preview.source.value == "arrays"
    assert explorer._parts.live.layer is before
    (tmp_path / INDEX).write_text(json.dumps(places))
    preview.open_path.click()
    assert problem.value == ""
    assert offered(preview) == ["a", "b"]
    preview.layer.value = "b"
    assert explorer._parts.live.layer["rows"] == 5


def test_a_shard_that_goes_away_leaves_the_explorer_alive(explorer, tmp_path):
    save_file({"a": np.eye(6), "b": np.eye(5)}, tmp_path / "m.safetensors")
    explorer._parts.masks.add(load_weights(tmp_path))
    (tmp_path / "m.safetensors").unlink()
    explorer._parts.masks.layer.value = "b"
    assert explorer._parts.live.layer["note"].startswith(f"No mask: {tmp_path / 'm.safetensors'}: ")
    with pytest.raises(WeightsError):
        explorer._parts.masks.matrix()
    explorer._parts.masks.source.value = "arrays"
    assert explorer._parts.live.layer["rows"] == 4


def codes(explorer):
    return [finding.code for finding in explorer.findings]


def test_no_findings_is_never_said_of_weights_that_are_not_pruned(explorer):
    assert codes(explorer) == []
    explorer._parts.masks.add(load_weights({"embed.weight": np.ones((4, 4)), "nan": np.full((4, 4), np.nan)}))
    assert codes(explorer) == ["layer-unusable"]
    explorer._parts.masks.layer.value = "embed.weight"
    assert codes(explorer) == ["layer-left-whole"]
    explorer._parts.masks.layer.value = "nan"
    assert "16 of 16 weights are not finite" in explorer.findings[0].message
    explorer.load(replace(explorer.config, pattern=Block(height=3, width=4)))
    assert codes(explorer) == ["pattern-does-not-fit"]
    explorer._parts.masks.source.value = "gaussian"
    assert codes(explorer) == ["pattern-does-not-fit"]
    explorer.load(explorer.findings[0].fix)
    assert (codes(explorer), explorer.config.pattern) == ([], Block(height=2, width=4))


def test_a_finding_on_a_large_layer_comes_with_its_masks(explorer):
    explorer._parts.masks.add(load_weights({"large": np.full((2000, 1000), np.nan, np.float32)}))
    explorer.wait()
    assert codes(explorer) == ["layer-unusable"]
    explorer._parts.masks.source.value = "gaussian"
    assert codes(explorer) == []
