"""What a visitor of the served dashboard may open, and that nothing is learnt of the rest."""

import json
import os
import zipfile

import h5py
import ipywidgets
import numpy as np
import onnx
import pytest
import torch
from onnx import helper, numpy_helper
from safetensors.numpy import save_file

from entrenar_viz import PruningConfig, WeightsError
from entrenar_viz.explorer.explorer import Explorer
from entrenar_viz.explorer.panels.parts import is_shown
from entrenar_viz.explorer.panels.plain import all_widgets
from entrenar_viz.models.allowed_folder import AllowedFolder
from tests.explorer.hands import put

WEIGHTS = np.arange(12, dtype=np.float32).reshape(3, 4)


@pytest.fixture
def root(tmp_path):
    """A folder with models, and one beside it with what nobody may see."""
    inside, outside = tmp_path / "models", tmp_path / "secret"
    for folder in (inside / "deep", outside):
        folder.mkdir(parents=True)
    np.save(inside / "deep" / "w.npy", WEIGHTS)
    np.save(outside / "w.npy", WEIGHTS)
    save_file({"w": WEIGHTS}, outside / "w.safetensors")
    (inside / "here.npy").symlink_to(inside / "deep" / "w.npy")
    (inside / "out.npy").symlink_to(outside / "w.npy")
    (inside / "out").symlink_to(outside)
    return inside


@pytest.mark.parametrize("text", ["deep/w.npy", "here.npy", "./deep/w.npy"])
def test_what_is_below_the_root_opens(root, text):
    tensors = AllowedFolder(root).open(text)
    assert tensors.source == "deep/w.npy"
    assert (tensors["w"] == WEIGHTS).all()


def test_an_absolute_path_below_the_root_opens(root):
    assert AllowedFolder(root).open(str(root / "deep" / "w.npy")).source == "deep/w.npy"


OUTSIDE = [
    "../secret/w.npy",
    "deep/../deep/w.npy",
    "deep\\..\\..\\secret\\w.npy",
    "out.npy",
    "out/w.npy",
    "out",
    "/etc/passwd",
    "~/w.npy",
    "none.npy",
    "none/none.npy",
    "w\0.npy",
    "w" * 5000,
]


@pytest.mark.parametrize("text", OUTSIDE)
def test_outside_and_not_there_are_told_in_the_same_words(root, text):
    with pytest.raises(WeightsError) as refused:
        AllowedFolder(root).open(text)
    assert str(refused.value).endswith(": no model file or folder of that name can be opened here")
    assert str(root.parent) not in str(refused.value)


def test_absolute_paths_outside_say_nothing_of_what_is_there(root):
    said = []
    for name in ("w.npy", "x.npy"):  # of one length: a long path is shortened to a certain one
        path = str(root.parent / "secret" / name)
        with pytest.raises(WeightsError) as refused:
            AllowedFolder(root).open(path)
        assert f"secret/{name}'" in str(refused.value)
        said.append(str(refused.value).replace(name, ""))
    assert said[0] == said[1]


def test_of_a_long_path_the_file_is_told(root):
    with pytest.raises(WeightsError) as refused:
        AllowedFolder(root).open("/start/" + 30 * "folder/" + "missing.npy")
    told = "'/start/folder/folder/f…r/folder/folder/folder/folder/folder/folder/missing.npy'"
    assert str(refused.value) == f"{told}: no model file or folder of that name can be opened here"


def test_links_in_a_circle_are_refused(root):
    (root / "circle.npy").symlink_to(root / "circle.npy")
    with pytest.raises(WeightsError, match="can be opened here"):
        AllowedFolder(root).open("circle.npy")


def test_a_folder_whose_file_is_a_link_out_is_refused(root):
    (root / "model").mkdir()
    (root / "model" / "model.safetensors").symlink_to(root.parent / "secret" / "w.safetensors")
    with pytest.raises(WeightsError, match="'model': no model file or folder"):
        AllowedFolder(root).open("model")


def test_an_index_whose_shard_is_a_link_out_is_refused(root):
    (root / "model.safetensors.index.json").write_text(json.dumps({"weight_map": {"w": "one.safetensors"}}))
    (root / "one.safetensors").symlink_to(root.parent / "secret" / "w.safetensors")
    with pytest.raises(WeightsError, match="can be opened here"):
        AllowedFolder(root).open("model.safetensors.index.json")


def checkpoint_of_torch(path):
    torch.save({"w": torch.tensor(WEIGHTS)}, path)


def graph_of_onnx(path):
    onnx.save(helper.make_model(helper.make_graph([], "g", [], [], [numpy_helper.from_array(WEIGHTS, "w")])), path)


def file_of_keras(path):
    with h5py.File(path, "w") as opened:
        opened["w"] = WEIGHTS


def archive_of_keras(path):
    file_of_keras(path)
    content = path.read_bytes()
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("model.weights.h5", content)


FORMATS = {"m.pt": checkpoint_of_torch, "m.onnx": graph_of_onnx, "m.h5": file_of_keras, "m.keras": archive_of_keras}


@pytest.mark.parametrize("name", FORMATS)
def test_files_of_every_framework_open_below_the_root_only(root, name):
    FORMATS[name](root / "deep" / name)
    tensors = AllowedFolder(root).open(f"deep/{name}")
    assert (tensors.source, tensors.files) == (f"deep/{name}", {f"deep/{name}"})
    assert (tensors["w"] == WEIGHTS).all()
    FORMATS[name](root.parent / "secret" / name)
    (root / name).symlink_to(root.parent / "secret" / name)
    with pytest.raises(WeightsError, match="can be opened here"):
        AllowedFolder(root).open(name)


@pytest.mark.parametrize("name", FORMATS)
def test_nothing_that_is_wrong_with_such_a_file_tells_where_the_root_is(root, name):
    (root / name).write_bytes(b"PK\x03\x04 no model")
    with pytest.raises(WeightsError) as refused:
        AllowedFolder(root).open(name)
    assert str(refused.value).startswith(f"{name}: ")
    assert str(root.parent) not in str(refused.value)
    (root / name).unlink()
    FORMATS[name](root / name)
    tensors = AllowedFolder(root).open(name)
    changed(root / name)
    assert str(root.parent) not in message(lambda: tensors["w"])


def test_of_several_models_a_visitor_is_told_names_below_the_root(root):
    for name in ("a.safetensors", "b.safetensors"):
        save_file({"w": WEIGHTS}, root / "deep" / name)
    with pytest.raises(WeightsError, match=r"^deep: holds several models, name one: 'deep/a\.safetensors', 'deep/b"):
        AllowedFolder(root).open("deep")


def test_a_broken_file_is_told_by_its_name_below_the_root(root):
    (root / "broken.npy").write_bytes(b"no array")
    with pytest.raises(WeightsError, match=r"^broken\.npy: "):
        AllowedFolder(root).open("broken.npy")


SHARDS = {"w": "one.safetensors", "v": "two.safetensors"}


def write_shards(folder):
    """A checkpoint in two shards."""
    folder.mkdir()
    for name, shard in SHARDS.items():
        save_file({name: WEIGHTS}, folder / shard)
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": SHARDS}))
    return folder


def truncated(root):
    save_file({"w": WEIGHTS}, root / "cut.safetensors")
    os.truncate(root / "cut.safetensors", 70)
    return "cut.safetensors"


def without_a_shard(root):
    (write_shards(root / "net") / "two.safetensors").unlink()
    return "net"


def with_a_cut_shard(root):
    os.truncate(write_shards(root / "net") / "two.safetensors", 70)
    return "net/model.safetensors.index.json"


def without_its_tensor(root):
    save_file({"other": WEIGHTS}, write_shards(root / "net") / "two.safetensors")
    return "net"


def without_an_index(root):
    (root / "empty").mkdir()
    return "empty"


def root_itself(root):
    return str(root)


def no_json(root):
    (root / "model.safetensors.index.json").write_text("no")
    return "model.safetensors.index.json"


BROKEN = (truncated, without_a_shard, with_a_cut_shard, without_its_tensor, without_an_index, root_itself, no_json)


@pytest.mark.parametrize("damage", BROKEN)
def test_no_error_of_opening_tells_where_the_root_is(root, damage):
    with pytest.raises(WeightsError) as refused:
        AllowedFolder(root).open(damage(root))
    assert str(root.parent) not in str(refused.value)
    assert "can be opened here" not in str(refused.value)


def changed(path):
    path.write_bytes(path.read_bytes() + b"more")


def gone(path):
    path.unlink()


def a_folder(path):
    path.unlink()
    path.mkdir()


@pytest.mark.parametrize("damage", [changed, gone, a_folder])
@pytest.mark.parametrize("place", ["deep/w.npy", "net/two.safetensors", "net.npz"])
def test_no_later_error_tells_where_the_root_is(root, place, damage):
    write_shards(root / "net")
    np.savez(root / "net.npz", v=WEIGHTS)
    tensors = AllowedFolder(root).open(place.replace("/two.safetensors", ""))
    name = tensors.names[-1]
    assert (tensors[name] == WEIGHTS).all()
    assert (tensors.rows(name)(1, 2) == WEIGHTS[1:2]).all()
    reader = tensors.rows(name)
    damage(root / place)
    told = [message(read) for read in (lambda: tensors[name], lambda: tensors.only(name)[name], lambda: reader(1, 2))]
    assert all(place in text for text in told[:2])
    assert [text for text in told if str(root.parent) in text] == []


def message(read):
    """What ``read`` is refused with; nothing where it had all that it needs."""
    try:
        read()
    except WeightsError as error:
        return str(error)
    return ""


def test_what_a_parser_says_later_is_told_without_the_root(root):
    def read(*_):
        raise RuntimeError(f"{root / 'x'} is odd")

    with pytest.raises(ValueError, match=r"^x is odd$"):
        AllowedFolder(root)._read(read)
    assert AllowedFolder("/")._without_root("/etc/x") == "/etc/x"


def test_a_visitor_sees_no_path_of_the_server(visited, root):
    for damage in BROKEN[:1] + BROKEN[3:]:
        visited._parts.masks.path.value = damage(root)
        visited._parts.masks.open_path.click()
        assert visited._parts.masks.rows["path"].problem.value
        assert str(root.parent) not in visited._parts.masks.rows["path"].problem.value
    visited._parts.masks.path.value = "deep/w.npy"
    visited._parts.masks.open_path.click()
    (root / "deep" / "w.npy").unlink()
    visited._parts.tabs.open_tab("Whole model")
    visited._parts.survey.start.click()
    visited.wait()
    put(visited, pattern="row")
    texts = [
        str(widget.get_state()) for widget in all_widgets(visited._parts.root, *visited._parts.tabs.panels.values())
    ]
    assert [text for text in texts if str(root.parent) in text] == []
    assert "deep/w.npy" in visited._parts.live.layer["note"]


def test_a_visitor_is_not_sent_to_a_box_that_is_not_there(visited):
    put(visited, method="wanda")
    visited._parts.tabs.open_tab("Whole model")
    visited._parts.survey.start.click()
    visited.wait()
    words = "wanda needs calibration data. None can be opened here: use magnitude."
    assert visited._parts.live.layer["note"].endswith(words)
    assert visited._parts.survey.problem.value == words


def test_without_a_root_nothing_opens(root):
    for text in (str(root / "deep" / "w.npy"), "w.npy"):
        with pytest.raises(WeightsError, match="can be opened here"):
            AllowedFolder().open(text)


def test_an_empty_path_lists_nothing(root):
    for folder in (AllowedFolder(), AllowedFolder(root)):
        with pytest.raises(WeightsError, match=r"^the path is empty: name a model file, or the folder of one$"):
            folder.open("")


def test_the_root_must_be_a_folder(root):
    for path in (root / "none", root / "deep" / "w.npy"):
        with pytest.raises(WeightsError, match="is no folder: name one that holds model files"):
            AllowedFolder(path)


@pytest.fixture
def visited(root):
    explorer = Explorer(allowed_folder=AllowedFolder(root))
    yield explorer
    explorer.close()


def test_a_visitor_has_no_path_to_save_to_or_import_from(visited, root, monkeypatch):
    monkeypatch.chdir(root)
    exporting, importing = visited._parts.exchange.exporting, visited._parts.exchange.importing
    shown = [one.description for one in all_widgets(visited._parts.exchange) if isinstance(one, ipywidgets.Button)]
    assert sorted(shown) == ["Load pasted", "Make download"]
    importing.path.value = str(PruningConfig(target_sparsity=0.9).save(root / "pruning.json"))
    exporting.saving.path.value = "mine.json"
    for button in (importing.read, exporting.saving.save, exporting.saving.overwrite):
        button.click()  # as a message to the kernel would
    assert visited.config.target_sparsity == 0.5
    assert not os.path.exists("mine.json")
    assert visited.errors == []


def test_a_visitor_may_upload_paste_and_open_below_the_root(visited):
    visited._parts.exchange.importing.paste.value = PruningConfig(target_sparsity=0.9).to_json()
    visited._parts.exchange.importing.take.click()
    assert visited.config.target_sparsity == 0.9
    visited._parts.masks.path.value = " deep/w.npy "
    visited._parts.masks.open_path.click()
    assert visited._parts.masks.source.value == "deep/w.npy"
    visited._parts.masks.path.value = "../secret/w.npy"
    visited._parts.masks.open_path.click()
    assert "can be opened here" in visited._parts.masks.rows["path"].problem.value
    assert visited._parts.masks.source.value == "deep/w.npy"


def test_without_a_root_there_is_no_box_for_model_files():
    with_none, without = Explorer(allowed_folder=AllowedFolder()), Explorer()
    assert not is_shown(with_none._parts.masks.rows["path"])
    assert is_shown(without._parts.masks.rows["path"])
    with_none.close()
    without.close()
