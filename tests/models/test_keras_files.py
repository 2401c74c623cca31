"""Models of Keras without Keras: HDF5 as its versions 2 and 3 write it, and the archive around it.

What these write here is laid out as Keras 3.15 does it, tried with files of its own.
"""

import io
import pickle
import sys
import zipfile

import h5py
import ml_dtypes
import numpy as np
import pytest

from entrenar_viz import PruningConfig, WeightsError, iter_survey, load_weights
from entrenar_viz.models.keras_files import WEIGHTS
from tests.models.refusals import refused

RNG = np.random.default_rng(0)
KERNEL = RNG.standard_normal((12, 10)).astype(np.float32)
OLD = {
    "model_weights/top/top/kernel:0": KERNEL,
    "model_weights/top/top/bias:0": np.zeros(10, np.float32),
    "model_weights/conv2d/conv2d/kernel": np.ones((3, 3, 4, 8), np.float16),
    "model_weights/embedding/embedding/embeddings": np.ones((50, 16), np.float32),
    "optimizer_weights/adam/top_kernel_momentum": KERNEL,
}
NEW = {
    "layers/dense/vars/0": KERNEL,
    "layers/dense/vars/1": np.zeros(10, np.float32),
    "layers/conv2d_transpose/vars/0": np.ones((3, 3, 5, 6), np.float32),
    "layers/depthwise_conv2d/vars/0": np.ones((3, 3, 5, 2), np.float32),
    "layers/embedding/vars/0": np.ones((50, 16), np.float32),
    "layers/lstm/cell/vars/0": np.ones((16, 48), np.float32),
    "layers/lstm/cell/vars/1": np.ones((12, 48), np.float32),
    "layers/attention/query_dense/vars/0": np.ones((16, 2, 8), np.float32),
    "layers/attention/query_dense/vars/1": np.ones((2, 8), np.float32),
    "layers/attention/output_dense/vars/0": np.ones((2, 8, 16), np.float32),
    "optimizer/vars/2": KERNEL,
}


def h5_bytes(arrays, **options) -> bytes:
    file = io.BytesIO()
    with h5py.File(file, "w") as opened:
        for name, values in arrays.items():
            opened.create_dataset(name, data=values, **options)
    return file.getvalue()


def written(folder, arrays, name="m.h5", **options):
    (folder / name).write_bytes(h5_bytes(arrays, **options))
    return folder / name


def archive(folder, method=zipfile.ZIP_STORED, content=None):
    with zipfile.ZipFile(folder / "m.keras", "w", method) as opened:
        opened.writestr("config.json", "{}" * 500)
        if content is not None:
            opened.writestr(WEIGHTS, content)
    return folder / "m.keras"


def test_names_of_keras_2_are_paths_without_what_all_of_them_share(tmp_path):
    tensors = load_weights(written(tmp_path, OLD))
    assert tensors.names == ["conv2d.conv2d.kernel", "embedding.embedding.embeddings", "top.top.kernel"]
    assert tensors.skipped["optimizer_weights.adam.top_kernel_momentum"] == "of the optimizer: not pruned"
    assert (tensors.shape("conv2d.conv2d.kernel"), tensors.dtype("conv2d.conv2d.kernel")) == ((8, 4, 3, 3), "float16")
    assert np.array_equal(tensors["top.top.kernel"], KERNEL.T)
    assert np.array_equal(tensors.rows("top.top.kernel")(2, 5), KERNEL.T[2:5])
    assert tensors.notes["top.top.kernel"] == "kernel (in, out), turned to (out, in)"


SHAPES = {
    "layers.attention.output_dense.vars.0": (16, 16),
    "layers.attention.query_dense.vars.0": (16, 16),
    "layers.conv2d_transpose.vars.0": (5, 6, 3, 3),
    "layers.dense.vars.0": (10, 12),
    "layers.depthwise_conv2d.vars.0": (10, 3, 3),
    "layers.embedding.vars.0": (50, 16),
    "layers.lstm.cell.vars.0": (48, 16),
    "layers.lstm.cell.vars.1": (48, 12),
}


@pytest.mark.parametrize("name", ["m.weights.h5", "m.keras"])
def test_the_layers_of_keras_3_tell_which_side_is_out(tmp_path, name):
    path = written(tmp_path, NEW, name) if name.endswith("h5") else archive(tmp_path, content=h5_bytes(NEW))
    tensors = load_weights(path)
    assert {name: tensors.shape(name) for name in tensors} == SHAPES
    assert "layers.embedding.vars.0" not in tensors.notes
    assert tensors.skipped["layers.attention.query_dense.vars.1"] == "a bias: not pruned"
    assert tensors.skipped["optimizer.vars.2"] == "of the optimizer: not pruned"
    assert np.array_equal(tensors["layers.dense.vars.0"], KERNEL.T)


def test_bfloat16_is_read_as_keras_stores_it(tmp_path):
    half = KERNEL.astype(ml_dtypes.bfloat16)
    with h5py.File(tmp_path / "m.weights.h5", "w") as opened:
        opened.create_dataset("layers/dense/vars/0", data=half.view("V2")).attrs["dtype"] = "bfloat16"
    tensors = load_weights(tmp_path / "m.weights.h5")
    assert tensors.dtype("layers.dense.vars.0") == "bfloat16"
    assert np.array_equal(tensors["layers.dense.vars.0"], half.T.astype(np.float32))


@pytest.mark.parametrize(
    "options", [{"compression": "gzip"}, {"chunks": (3, 5)}, {"compression": "lzf", "shuffle": True}]
)
def test_packed_datasets_are_read(tmp_path, options):
    assert np.array_equal(load_weights(written(tmp_path, {"w": KERNEL}, **options))["w"], KERNEL)


def test_a_survey_is_the_same_as_of_arrays(tmp_path):
    config = PruningConfig(target_sparsity=0.5)
    (from_file,) = iter_survey(written(tmp_path, {"dense/kernel": KERNEL}), config)
    (from_arrays,) = iter_survey({"dense": {"kernel": KERNEL}}, config)
    assert from_file == from_arrays


def test_links_are_refused_whether_they_lead_out_or_not(tmp_path):
    for link in (h5py.ExternalLink("/etc/passwd", "/x"), h5py.SoftLink("/w")):
        with h5py.File(tmp_path / "m.h5", "w") as opened:
            opened["w"], opened["x"] = KERNEL, link
        assert "'x' is a link, which may lead out of the file" in refused(tmp_path / "m.h5")


def test_numbers_in_other_files_are_refused(tmp_path):
    (tmp_path / "other").write_bytes(KERNEL.tobytes())
    with h5py.File(tmp_path / "m.h5", "w") as opened:
        opened.create_dataset("w", KERNEL.shape, KERNEL.dtype, external=[(tmp_path / "other", 0, KERNEL.nbytes)])
    assert "'w': keeps its numbers in other files" in refused(tmp_path / "m.h5")
    with h5py.File(tmp_path / "m.h5", "w") as opened:
        opened["w"] = KERNEL
        layout = h5py.VirtualLayout(KERNEL.shape, KERNEL.dtype)
        layout[:] = h5py.VirtualSource(tmp_path / "other.h5", "w", KERNEL.shape)
        opened.create_virtual_dataset("v", layout)
    assert "'v': keeps its numbers in other files" in refused(tmp_path / "m.h5")


def test_a_group_in_itself_is_refused(tmp_path):
    with h5py.File(tmp_path / "m.h5", "w") as opened:
        opened["a/w"] = KERNEL
        opened["a/again"] = opened["a"]
    assert "is in itself" in refused(tmp_path / "m.h5")


def test_datasets_that_hold_less_than_they_say_are_refused(tmp_path):
    with h5py.File(tmp_path / "m.h5", "w") as opened:
        opened.create_dataset("w", (10**6, 10**6), "f4", chunks=(1000, 1000))
    assert "'w': says that it has 4,000,000,000,000 bytes, and 0 are stored" in refused(tmp_path / "m.h5")


def test_words_and_pieces_are_no_weights(tmp_path):
    with h5py.File(tmp_path / "m.h5", "w") as opened:
        opened["w"], opened["words"], opened["steps"] = KERNEL, "hello", np.ones((2, 2), int)
    assert list(load_weights(tmp_path / "m.h5").skipped) == ["steps", "words"]


def test_an_archive_that_is_none_of_keras_is_refused(tmp_path):
    assert f"holds no {WEIGHTS}" in refused(archive(tmp_path))
    assert "is packed, which Keras does not do" in refused(archive(tmp_path, zipfile.ZIP_DEFLATED, h5_bytes(NEW)))
    assert refused(archive(tmp_path, content=b"no HDF5")) != ""


def test_without_h5py_the_extra_is_named(tmp_path, monkeypatch):
    path = written(tmp_path, NEW)
    monkeypatch.setitem(sys.modules, "h5py", None)
    assert refused(path) == f'{path}: .h5 needs h5py: pip install "entrenar-viz[keras]"'


def test_another_process_opens_the_file_for_itself(tmp_path):
    sent = pickle.dumps(load_weights(written(tmp_path, {"w": np.ones((500, 500))})).only("w"))
    assert len(sent) < 2000
    assert pickle.loads(sent)["w"].shape == (500, 500)


def test_a_file_that_has_changed_is_not_read(tmp_path):
    tensors = load_weights(written(tmp_path, {"w": KERNEL}))
    written(tmp_path, {"w": np.ones((500, 500))})
    with pytest.raises(WeightsError, match="has changed since it was opened"):
        tensors.matrix("w")
