"""Where a pruned checkpoint may go: never over its source, and never over what somebody would miss."""

import os
import shutil

import numpy as np
import pytest

from entrenar_viz import EntrenarVizError, WeightsError, prune_checkpoint
from entrenar_viz.model_pruning import companions as companions_module
from tests.model_pruning.models import HALF, as_entries, checkpoint, drawn, write_safetensors


def one_file(folder, name="in.safetensors"):
    return write_safetensors(folder / name, as_entries({"fc": drawn((8, 8))}))


def tree(folder):
    """Every file below with its bytes, and every folder."""
    return {path: path.read_bytes() if path.is_file() else None for path in folder.rglob("*")}


def refused(error, message, source, output, **arguments):
    """The run is refused before any work, and nothing on the disk is another."""
    top = source.parent
    before = tree(top)
    with pytest.raises(error, match=message):
        prune_checkpoint(source, HALF, output, progress=lambda *_: pytest.fail("worked"), **arguments)
    assert tree(top) == before


@pytest.mark.parametrize("overwrite", [False, True])
def test_the_model_itself_is_never_overwritten(tmp_path, overwrite):
    source = one_file(tmp_path)
    os.link(source, tmp_path / "hard.safetensors")
    (tmp_path / "soft.safetensors").symlink_to(source.name)
    (tmp_path / "sub").mkdir()
    for output in ("in.safetensors", "sub/../in.safetensors", "hard.safetensors", "soft.safetensors"):
        refused(EntrenarVizError, "is the model itself", source, tmp_path / output, overwrite=overwrite)


@pytest.mark.parametrize("overwrite", [False, True])
def test_a_folder_is_never_written_into_itself_or_around_itself(tmp_path, overwrite):
    source = checkpoint(tmp_path / "llama")
    (tmp_path / "link").symlink_to(source)
    for output in (source, source / "out", tmp_path / "link", tmp_path / "link" / "more" / "out"):
        refused(EntrenarVizError, "inside the checkpoint's|has the model in it", source, output, overwrite=overwrite)
    refused(EntrenarVizError, "has the model in it", source, tmp_path, overwrite=overwrite)


def test_a_folder_that_the_models_links_lead_into_is_not_replaced(tmp_path):
    checkpoint(tmp_path / "blobs")
    (tmp_path / "snapshot").mkdir()
    for path in (tmp_path / "blobs").iterdir():
        (tmp_path / "snapshot" / path.name).symlink_to(path)
    refused(EntrenarVizError, "has the model in it", tmp_path / "snapshot", tmp_path / "blobs", overwrite=True)


def test_an_existing_file_is_replaced_only_when_told_to(tmp_path):
    source, output = one_file(tmp_path), tmp_path / "out.safetensors"
    output.write_bytes(b"mine")
    refused(FileExistsError, r"out\.safetensors exists already: overwrite=True \(--force\)", source, output)
    prune_checkpoint(source, HALF, output, overwrite=True)
    assert output.stat().st_size == source.stat().st_size


def test_the_metadata_of_another_model_is_replaced_only_when_told_to(tmp_path):
    source = one_file(tmp_path)
    prune_checkpoint(source, HALF, tmp_path / "first.safetensors")
    refused(FileExistsError, "of another model perhaps.*a folder of its own", source, tmp_path / "second.safetensors")
    prune_checkpoint(source, HALF, tmp_path / "second.safetensors", overwrite=True)


def test_a_pruned_checkpoint_is_replaced_only_when_told_to(tmp_path):
    source, output = checkpoint(tmp_path / "llama"), tmp_path / "out"
    prune_checkpoint(source, HALF, output)
    (output / "config.json").write_text("older")
    refused(FileExistsError, "out exists already", source, output)
    prune_checkpoint(source, HALF, output, overwrite=True)
    assert (output / "config.json").read_text() == '{"model_type": "llama"}'
    assert sorted(path.name for path in tmp_path.iterdir()) == ["llama", "out"]


def test_a_folder_with_something_else_in_it_is_not_replaced(tmp_path):
    source, output = checkpoint(tmp_path / "llama"), tmp_path / "out"
    output.mkdir()
    (output / "config.json").write_text("{}")
    refused(FileExistsError, "has no sparsity_metadata.json", source, output, overwrite=True)
    shutil.rmtree(output)
    prune_checkpoint(source, HALF, output)
    (output / "notes.txt").write_text("mine")
    refused(FileExistsError, "holds what would be lost .'notes.txt'", source, output, overwrite=True)


def test_what_somebody_puts_there_meanwhile_is_not_lost(tmp_path):
    source, output = checkpoint(tmp_path / "llama"), tmp_path / "out"
    prune_checkpoint(source, HALF, output)
    before = tree(output)

    def meanwhile(*_):
        (output / "notes.txt").write_text("mine")

    with pytest.raises(FileExistsError, match="holds what would be lost"):
        prune_checkpoint(source, HALF, output, overwrite=True, progress=meanwhile)
    assert tree(output) == before | {output / "notes.txt": b"mine"}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["llama", "out"]


def test_no_model_is_left_where_its_metadata_cannot_be(tmp_path):
    source, metadata = one_file(tmp_path), tmp_path / "sparsity_metadata.json"
    with pytest.raises(FileExistsError, match=r"sparsity_metadata\.json exists already"):
        prune_checkpoint(source, HALF, tmp_path / "out.safetensors", progress=lambda *_: metadata.write_text("mine"))
    assert metadata.read_text() == "mine"
    assert set(tmp_path.iterdir()) == {source, metadata}


def test_an_empty_folder_is_filled(tmp_path):
    (tmp_path / "out").mkdir()
    prune_checkpoint(checkpoint(tmp_path / "llama"), HALF, tmp_path / "out")
    assert (tmp_path / "out" / "sparsity_metadata.json").exists()


def test_a_file_for_a_file_and_a_folder_for_a_folder(tmp_path):
    (tmp_path / "a").mkdir()
    source, folder = one_file(tmp_path / "a"), checkpoint(tmp_path / "a" / "llama")
    (tmp_path / "there").mkdir()
    (tmp_path / "file").write_text("mine")
    (tmp_path / "link").symlink_to("nowhere")
    refused(WeightsError, r"must end in \.safetensors: the format of the model is kept", source, tmp_path / "out.npz")
    refused(IsADirectoryError, r"add a file name, for example .*pruned-in\.saf", source, tmp_path / "there")
    refused(IsADirectoryError, "is a folder: add a file name", source, source.parent)
    refused(FileExistsError, "is no folder, as the model is", folder, tmp_path / "file", overwrite=True)
    refused(FileExistsError, "is no folder, as the model is", folder, tmp_path / "link")
    refused(FileNotFoundError, "create that folder first", source, tmp_path / "not" / "yet.safetensors")


def test_a_disk_that_is_too_full_is_noticed_before_the_work(tmp_path, monkeypatch):
    source = checkpoint(tmp_path / "llama")
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=1000))
    refused(EntrenarVizError, r"takes [\d.]+ kB, but 1 kB are free", source, tmp_path / "out")
    np.savez_compressed(tmp_path / "in.npz", fc=np.eye(512))  # packed it is small; unpacked it lies beside for a while
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=1_000_000))
    refused(EntrenarVizError, "takes 2.1 MB", tmp_path / "in.npz", tmp_path / "out.npz")


@pytest.mark.parametrize("name", ["model.pt", "pytorch_model.bin", "model.onnx", "model.h5", "model"])
def test_formats_that_are_not_written_are_refused_with_the_way_out(tmp_path, name):
    (tmp_path / name).write_bytes(b"anything")
    way = "safetensors.torch.save_file" if name.endswith(("pt", "bin")) else "safetensors.numpy.save_file"
    message = rf"{name}: .* is not pruned: only \.safetensors, \.npz, \.npy can be written again.*{way}"
    refused(WeightsError, message, tmp_path / name, tmp_path / "out.safetensors")


def test_arrays_are_refused(tmp_path):
    with pytest.raises(WeightsError, match="is a path, not dict: prune_mask takes arrays"):
        prune_checkpoint({"fc": np.eye(4)}, HALF, tmp_path / "out.safetensors")


def test_files_beside_a_checkpoint_are_copied_up_to_a_bound(tmp_path, monkeypatch):
    monkeypatch.setattr(companions_module, "MAX_BYTES", 100)
    monkeypatch.setattr(companions_module, "MAX_FILES", 3)
    source = checkpoint(tmp_path / "llama")
    (source / "data.bin.txt").write_bytes(bytes(101))
    (source / "gone").symlink_to("nowhere")
    (source / "zz").write_text("")
    pruned = prune_checkpoint(source, HALF, tmp_path / "out")
    assert pruned.copied == ("blob", "config.json", "tokenizer.json")
    assert pruned.not_copied["data.bin.txt"] == "101 B, more than 100 B"
    assert pruned.not_copied["gone"] == "neither a file nor a folder"
    assert pruned.not_copied["zz"] == "the first 3 files are enough"
