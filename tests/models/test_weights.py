"""Samples, arrays and model files: what is read is right, and what is broken is refused with the reason."""

import io
import json
import os
import struct
import zipfile
from pathlib import Path

import ml_dtypes
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.numpy import save as safetensors_bytes

import entrenar_viz
from entrenar_viz import WeightsError, prune_mask
from entrenar_viz.models.tensor_files import FLOATS, MAX_UNPACKED, Stored
from entrenar_viz.models.weights import SAMPLES, Tensors, load_weights, sample

SUFFIXES = (".npy", ".npz", ".safetensors")
TMP = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
VALUES = np.array([[0.0, 0.5, -1.0], [2.0, -0.25, 1.5]])
DIGITS = Path(entrenar_viz.__file__).parent / "models" / "sample_data" / "digits.safetensors"


def written(folder: Path, name: str, content: bytes) -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


def npy_bytes(array, **options) -> bytes:
    file = io.BytesIO()
    np.save(file, array, **options)
    return file.getvalue()


def npz_bytes(arrays, save=np.savez) -> bytes:
    file = io.BytesIO()
    save(file, **arrays)
    return file.getvalue()


def safetensors_with(header: object, data: bytes = b"") -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


def packed(arrays) -> dict[str, bytes]:
    """The same arrays in each format (.npy: the first one)."""
    return {
        ".npy": npy_bytes(next(iter(arrays.values()))),
        ".npz": npz_bytes(arrays, np.savez_compressed),
        ".safetensors": safetensors_bytes(arrays),
    }


def read(source) -> dict[str, np.ndarray]:
    tensors = load_weights(source)
    return {name: tensors.matrix(name) for name in tensors}


def refused(source) -> str:
    """What is said of a source that cannot be used, when it is opened or read."""
    with pytest.raises(WeightsError) as caught:
        read(source)
    return str(caught.value)


# samples


@pytest.mark.parametrize("name", SAMPLES)
def test_samples_are_the_same_on_every_call_and_cannot_be_changed(name):
    first = sample(name)
    first_layer, matrix = next(iter(first.items()))
    assert matrix.dtype == np.float32
    assert matrix.flags.c_contiguous
    with pytest.raises(ValueError, match="read-only"):
        matrix[0, 0] = 1
    first.clear()
    assert np.array_equal(sample(name)[first_layer], matrix)


def test_an_unknown_sample_is_named():
    with pytest.raises(WeightsError, match="'mnist': use one of digits network, gaussian"):
        sample("mnist")


def test_the_real_network_comes_first_and_is_as_accurate_as_its_record_says():
    datasets = pytest.importorskip("sklearn.datasets")
    selection = pytest.importorskip("sklearn.model_selection")
    record = json.loads(DIGITS.with_suffix(".json").read_text())
    images, labels = datasets.load_digits(return_X_y=True)
    _, images, _, labels = selection.train_test_split(
        images / 16, labels, test_size=0.25, random_state=record["seed"], stratify=labels
    )
    shown = record["test_accuracy_pruned_without_fine_tuning"] | {"0": record["test_accuracy"]}
    for sparsity, accuracy in shown.items():
        assert digits_accuracy(images, labels, float(sparsity)) == pytest.approx(accuracy, abs=0.005)
    assert record["test_accuracy"] > 0.95
    assert next(iter(SAMPLES)) == "digits network"


def digits_accuracy(images, labels, sparsity):
    from safetensors.numpy import load_file

    biases, values = load_file(DIGITS), images
    for i, matrix in enumerate(sample("digits network").values(), 1):
        values = np.maximum(values, 0) @ (matrix * prune_mask(matrix, sparsity)).T + biases[f"fc{i}.bias"]
    return np.mean(values.argmax(axis=1) == labels)


def test_the_samples_are_what_they_say():
    gaussian, outliers, low = (sample(name)["weight"] for name in ("gaussian", "outlier columns", "low rank"))
    assert gaussian.std() == pytest.approx(np.sqrt(2 / 256), rel=0.02)
    norms = np.sort(np.linalg.norm(outliers, axis=0))
    assert norms[-6] > 3 * np.median(norms)
    singular = np.linalg.svd(low, compute_uv=False)
    assert (singular[:8] ** 2).sum() > 0.9 * (singular**2).sum()


# arrays


def test_one_array_is_one_tensor():
    tensors = load_weights(VALUES)
    assert (tensors.source, tensors.names, list(tensors), len(tensors)) == ("array", ["weights"], ["weights"], 1)
    assert tensors.dtype("weights") == "float64"
    assert tensors.nbytes("weights") == 48
    assert np.array_equal(tensors["weights"], VALUES)
    assert load_weights(tensors) is tensors
    assert np.array_equal(load_weights(VALUES.tolist())["weights"], VALUES)


def test_the_matrix_of_an_array_is_a_view_that_protects_it():
    array = np.ones((2, 3), np.float32)
    matrix = load_weights(array).matrix("weights")
    assert np.shares_memory(matrix, array)
    assert not matrix.flags.writeable
    array[0, 0] = 5  # still the user's to change


def test_more_dimensions_are_viewed_as_out_and_rest():
    kernel = np.arange(24.0).reshape(2, 3, 2, 2)
    tensors = load_weights({"conv": np.asfortranarray(kernel)})
    assert tensors.shape("conv") == (2, 3, 2, 2)
    assert np.array_equal(tensors["conv"], kernel.reshape(2, 12))
    assert tensors["conv"].flags.c_contiguous


def test_what_cannot_be_pruned_is_skipped_with_its_reason():
    tensors = load_weights(
        {
            "weight": VALUES,
            "bias": np.ones(3),
            "scale": np.float64(1),
            "none": np.ones((0, 3)),
            "steps": np.ones((2, 2), int),
            "complex": np.ones((2, 2), complex),
            "words": np.array([["a"]]),
            "objects": np.array([[None]]),
        }
    )
    assert tensors.names == ["weight"]
    assert "bias" not in tensors
    assert {name: reason.split(":")[0] for name, reason in tensors.skipped.items()} == {
        "bias": "1-D",
        "scale": "a single number, not a matrix",
        "none": "empty",
        "steps": "int64",
        "complex": "complex128",
        "words": "str32",
        "objects": "Python objects would have to be unpickled, which can run code",
    }
    assert tensors.shape("bias") == (3,)
    assert tensors.nbytes("bias") == 24
    with pytest.raises(WeightsError, match="arrays: 'steps': int64: weights are float16"):
        tensors.nbytes("steps")
    with pytest.raises(WeightsError, match="arrays: 'bias': 1-D: biases and norms are not pruned"):
        tensors.matrix("bias")


def test_names_are_text_whatever_they_hold():
    name = "<img src=x onerror=alert(1)>"
    tensors = load_weights({name: VALUES, "long" * 1000: np.ones(1)})
    assert tensors.names == [name]
    with pytest.raises(WeightsError) as caught:
        tensors.matrix("long" * 1000)
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ({}, "no tensor here can be pruned (there is none at all)"),
        ({"bias": np.ones(3)}, "('bias': 1-D: biases and norms are not pruned)"),
        ({None: VALUES}, "names of tensors are text, not None"),
        (None, "NoneType: no array of numbers"),
        (iter([VALUES]), "no array of numbers, make it a dict or a list first"),
        ([[1.0], [1.0, 2.0]], "inhomogeneous"),
        (np.ma.masked_array(VALUES, VALUES > 1), "a masked array would lose its mask"),
        ({"w": [[1.0, np.nan, -np.inf]]}, "'w': 2 of 3 weights are not finite as float32, the first is nan at [0, 1]"),
        ({"w": [[[1.0], [1e39]]]}, "'w': 1 of 2 weights are not finite as float32, the first is 1e+39 at [0, 1, 0]"),
    ],
)
def test_unusable_arrays_are_refused(source, words):
    assert words in refused(source)


def test_weights_that_memory_cannot_hold_as_float32_are_refused():
    class Huge:
        shape, dtype = (1, 1), np.dtype("float64")

        def astype(self, *_, **__):
            raise MemoryError("Unable to allocate 16. TiB")

    tensors = Tensors("model", {"w": Stored((1, 1), "float64", Huge)})
    with pytest.raises(WeightsError, match="model: 'w': Unable to allocate"):
        tensors.matrix("w")


def test_an_unknown_name_is_refused():
    with pytest.raises(WeightsError, match="array: has no tensor 'fc9'"):
        load_weights(VALUES).matrix("fc9")


class Torch:
    """Converts as a torch tensor does; one that needs a gradient refuses."""

    def __init__(self, requires_grad):
        self.requires_grad = requires_grad

    def __array__(self, dtype=None, copy=None):
        if self.requires_grad:
            raise RuntimeError("Can't call numpy() on Tensor that requires grad. Use tensor.detach().numpy() instead.")
        return VALUES


def test_tensors_that_convert_themselves_are_arrays():
    assert np.array_equal(load_weights({"w": Torch(False)})["w"], VALUES)
    assert "'w': Can't call numpy() on Tensor that requires grad" in refused({"w": Torch(True)})


# files


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_each_format_gives_its_matrices(tmp_path, suffix):
    arrays = {"fc.weight": VALUES.astype(np.float32), "fc.bias": np.ones(3, np.float32)}
    path = written(tmp_path, f"fc.weight{suffix}", packed(arrays)[suffix])
    tensors = load_weights(str(path))
    assert tensors.source == str(path)
    assert tensors.names == ["fc.weight"]
    assert list(tensors.skipped) == ([] if suffix == ".npy" else ["fc.bias"])
    assert (tensors.shape("fc.weight"), tensors.dtype("fc.weight")) == ((2, 3), "float32")
    assert np.array_equal(tensors["fc.weight"], VALUES)
    assert tensors["fc.weight"].dtype == np.float32


@pytest.mark.parametrize("dtype", FLOATS)
def test_safetensors_of_every_float_format(tmp_path, dtype):
    array = VALUES.astype(getattr(ml_dtypes, dtype, dtype))
    tensors = load_weights(written(tmp_path, "m.safetensors", safetensors_bytes({"w": array})))
    assert tensors.dtype("w") == dtype
    assert tensors.nbytes("w") == array.nbytes
    assert np.array_equal(tensors["w"], VALUES)


@pytest.mark.parametrize("dtype", FLOATS)
def test_arrays_of_every_float_format(dtype):
    tensors = load_weights(VALUES.astype(getattr(ml_dtypes, dtype, dtype)))
    assert tensors.dtype("weights") == dtype
    assert np.array_equal(tensors["weights"], VALUES)


@pytest.mark.parametrize("array", [VALUES.astype(">f4"), np.asfortranarray(VALUES), VALUES.astype(np.float16)])
def test_npy_of_every_order(tmp_path, array):
    assert np.array_equal(load_weights(written(tmp_path, "a.NPY", npy_bytes(array)))["a"], VALUES)


def test_bfloat16_in_npy_is_refused_with_the_way_out(tmp_path):
    path = written(tmp_path, "a.npy", npy_bytes(VALUES.astype(ml_dtypes.bfloat16)))
    assert "the file forgets bfloat16 and float8, save them as .safetensors" in refused(path)


def test_unusual_formats_in_safetensors_are_skipped(tmp_path):
    arrays = {"w": VALUES, "ids": np.ones((2, 2), int), "scales": np.ones((2, 2), ml_dtypes.float8_e8m0fnu)}
    tensors = load_weights(written(tmp_path, "m.safetensors", safetensors_bytes(arrays)))
    assert tensors.names == ["w"]
    assert {name: reason.split(":")[0] for name, reason in tensors.skipped.items()} == {
        "ids": "I64",
        "scales": "F8_E8M0, quantized",
    }


def test_nan_in_a_file_names_file_tensor_and_place(tmp_path):
    bad = VALUES.astype(np.float32)
    bad[1, 2] = np.nan
    path = written(tmp_path, "m.safetensors", safetensors_bytes({"good": VALUES, "bad": bad}))
    tensors = load_weights(path)
    assert np.array_equal(tensors["good"], VALUES)
    with pytest.raises(WeightsError) as caught:
        tensors.matrix("bad")
    assert str(caught.value) == (f"{path}: 'bad': 1 of 6 weights are not finite as float32, the first is nan at [1, 2]")


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_file_that_changes_after_opening_is_not_misread(tmp_path, suffix):
    path = written(tmp_path, f"w{suffix}", packed({"w": VALUES})[suffix])
    tensors = load_weights(path)
    path.write_bytes(packed({"w": np.ones((4, 5))})[suffix])
    with pytest.raises(WeightsError, match="has changed since it was opened"):
        tensors.matrix("w")
    path.unlink()
    with pytest.raises(WeightsError, match="No such file"):
        tensors.matrix("w")


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("none.npy", "No such file or directory"),
        (
            "",
            "is a folder with neither a model file nor an index (model.safetensors.index.json): it is empty",
        ),
        ("nofile", "nofile: does not exist"),
        ("model.pt", "model.pt: cannot be read: No such file"),
        ("nul\0.npy", "embedded null byte"),
        ("x" * 300 + ".npy", "File name too long"),
    ],
)
def test_a_path_that_leads_nowhere(tmp_path, name, words):
    assert words in refused(str(tmp_path / name))


@pytest.mark.parametrize(
    ("name", "words"),
    [
        (
            "model.txt",
            "the name must end in .safetensors, .npz, .npy, .pt, .pth, .bin, .ckpt, .onnx,",
        ),
        ("model", ".keras or .index.json"),
        ("model.pkl", ".pkl is a pickle, which can run code, and is not read here: save its weights as .safetensors"),
        ("model.GGUF", ".gguf holds weights that are quantized for inference already and is not read here"),
        ("model.msgpack", "save its weights as .safetensors"),
    ],
)
def test_a_file_of_another_format(tmp_path, name, words):
    (tmp_path / name).touch()
    assert words in refused(str(tmp_path / name))


def test_an_empty_path_is_not_the_folder_that_one_is_in():
    with pytest.raises(WeightsError, match=r"^the path is empty: name a model file"):
        load_weights("")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe.npy")
    assert "is neither a file nor a folder" in refused(tmp_path / "pipe.npy")


def test_objects_are_never_unpickled(tmp_path):
    for name, content in {
        "a.npy": npy_bytes(np.array([[print]], object), allow_pickle=True),
        "a.npz": npz_bytes({"a": np.array([[print]], object)}),
    }.items():
        assert "unpickled, which can run code" in refused(written(tmp_path, name, content))


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_file_cut_anywhere_is_refused(tmp_path, suffix):
    whole = packed({"w": VALUES})[suffix]
    for length in range(0, len(whole), 7):
        assert str(tmp_path / f"w{suffix}") in refused(written(tmp_path, f"w{suffix}", whole[:length]))


def test_npy_headers_that_lie(tmp_path):
    honest = npy_bytes(VALUES)
    for shape in (b"(9, 9), }", b"(-2,-3),}", b"(2**9,),}", b"('2',), }", b"(True,),}", b"(2., 3),}"):
        refused(written(tmp_path, "a.npy", honest.replace(b"(2, 3), }", shape)))
    assert "bytes follow, but" in refused(written(tmp_path, "a.npy", honest + b"more"))


@pytest.mark.parametrize(
    "header",
    [
        b"",
        b"{",
        b"[]",
        b"{}" + b"\0" * 8,
        {"w": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 20]}},
        {"w": {"dtype": "F32", "shape": [2, 3], "data_offsets": [8, 32]}},
        {"w": {"dtype": "F32", "shape": [-2, 3], "data_offsets": [0, 24]}},
        {"w": {"dtype": "F32", "shape": [2**40, 2**40], "data_offsets": [0, 24]}},
        {"w": {"dtype": "FUN", "shape": [2, 3], "data_offsets": [0, 24]}},
        {name: {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]} for name in "ab"},
    ],
)
def test_safetensors_headers_that_lie(tmp_path, header):
    path = written(tmp_path, "m.safetensors", safetensors_with(header, bytes(24)))
    assert refused(path).startswith(f"{path}: ")


def test_a_safetensors_header_longer_than_the_file(tmp_path):
    refused(written(tmp_path, "m.safetensors", struct.pack("<Q", 2**63) + b"{}"))


def test_a_zip_bomb_is_refused_before_it_is_unpacked(tmp_path, monkeypatch):
    assert MAX_UNPACKED == 4 << 30
    monkeypatch.setattr("entrenar_viz.models.numpy_files.MAX_UNPACKED", 1 << 20)
    path = written(tmp_path, "bomb.npz", npz_bytes({"w": np.zeros((1 << 10, 1 << 10))}, np.savez_compressed))
    assert "'w': says that" in refused(path)
    assert "unpack to 8,388,736: more than 1,048,576 is refused" in refused(path)


def test_a_zip_that_promises_more_than_deflate_can_hold(tmp_path):
    whole = bytearray(npz_bytes({"w": VALUES}, np.savez_compressed))
    directory = whole.rindex(b"PK\1\2")
    whole[directory + 24 : directory + 28] = struct.pack("<I", 2**31)
    assert "unpack to 2,147,483,648" in refused(written(tmp_path, "a.npz", bytes(whole)))


def test_odd_members_of_a_zip(tmp_path):
    path = tmp_path / "a.npz"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("w.npy", npy_bytes(VALUES))
        archive.writestr("readme.txt", "hello")
    assert load_weights(path).names == ["w"]
    assert list(load_weights(path).skipped) == ["readme.txt"]
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("w", npy_bytes(VALUES))
    assert "holds 'w' twice" in refused(path)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_LZMA) as archive:
        archive.writestr("w.npy", npy_bytes(VALUES))
    assert "is packed in a way that numpy does not write" in refused(path)


def test_a_wrong_checksum_is_noticed(tmp_path):
    whole = npz_bytes({"w": VALUES})
    assert "CRC" in refused(written(tmp_path, "a.npz", whole.replace(VALUES.tobytes(), VALUES[::-1].tobytes())))


def read_all(path: Path) -> None:
    """Read everything; only WeightsError may come out of it."""
    try:
        tensors = load_weights(path)
    except WeightsError:
        return
    assert isinstance(tensors, Tensors)
    for name in tensors:
        try:
            assert tensors.matrix(name).dtype == np.float32
        except WeightsError:
            continue


@TMP
@given(st.sampled_from(SUFFIXES), st.binary(max_size=300))
def test_arbitrary_bytes_only_raise_our_error(tmp_path, suffix, content):
    magic = {".npy": b"\x93NUMPY\x01\x00", ".npz": b"PK\x03\x04", ".safetensors": b""}[suffix]
    read_all(written(tmp_path, f"a{suffix}", content))
    read_all(written(tmp_path, f"a{suffix}", magic + content))
    if suffix == ".safetensors":
        read_all(written(tmp_path, f"a{suffix}", safetensors_with(b"{" + content + b"}")))


VALID = packed({"w": VALUES, "b": np.ones(3)})
EDITS = st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), min_size=1, max_size=6)


@settings(TMP, max_examples=300)
@given(st.sampled_from(SUFFIXES), EDITS, st.one_of(st.none(), st.floats(0, 1)))
def test_mutated_files_only_raise_our_error(tmp_path, suffix, edits, cut):
    content = bytearray(VALID[suffix])
    for place, byte in edits:
        content[int(place * len(content))] = byte
    read_all(written(tmp_path, f"w{suffix}", bytes(content[: None if cut is None else int(cut * len(content))])))
