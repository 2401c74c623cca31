"""Models of ONNX: initializers of every format, the sides of their matrices, and data in other files."""

import pickle
import sys

import ml_dtypes
import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from entrenar_viz import AllowedFolder, WeightsError, load_weights
from entrenar_viz.models.tensor_files import FLOATS

RNG = np.random.default_rng(0)
W = RNG.standard_normal((3, 5)).astype(np.float32)


def model(nodes, tensors):
    graph = helper.make_graph(nodes, "g", [], [], list(tensors))
    return helper.make_model(graph)


def saved(folder, tensors, nodes=(), name="m.onnx", **options):
    onnx.save(model(nodes, tensors), folder / name, **options)
    return folder / name


def tensor(values, name="w"):
    return numpy_helper.from_array(values, name)


def refused(path) -> str:
    with pytest.raises(WeightsError) as caught:
        load_weights(path)
    assert str(path) in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("dtype", FLOATS)
def test_every_float_format(tmp_path, dtype):
    values = W.astype(getattr(ml_dtypes, dtype, dtype))
    tensors = load_weights(saved(tmp_path, [tensor(values)]))
    assert (tensors.names, tensors.dtype("w"), tensors.nbytes("w")) == (["w"], dtype, values.nbytes)
    assert np.array_equal(tensors["w"], values.astype(np.float32))


@pytest.mark.parametrize(
    ("code", "dtype"),
    [
        (TensorProto.FLOAT, "float32"),
        (TensorProto.DOUBLE, "float64"),
        (TensorProto.FLOAT16, "float16"),
        (TensorProto.BFLOAT16, "bfloat16"),
        (TensorProto.FLOAT8E4M3FN, "float8_e4m3fn"),
    ],
)
def test_numbers_in_fields_of_their_own(tmp_path, code, dtype):
    values = np.array([[1.5, -2.0, 0.25]])
    tensors = load_weights(saved(tmp_path, [helper.make_tensor("w", code, (1, 3), values.ravel())]))
    assert tensors.dtype("w") == dtype
    assert np.array_equal(tensors["w"], values)


@pytest.mark.parametrize(
    ("node", "kind", "turned"),
    [
        (helper.make_node("MatMul", ["x", "w"], ["y"]), "MatMul", True),
        (helper.make_node("MatMul", ["w", "x"], ["y"]), "MatMul, on the left", False),
        (helper.make_node("Gemm", ["x", "w"], ["y"]), "Gemm without transB", True),
        (helper.make_node("Gemm", ["x", "w"], ["y"], transB=1), "Gemm", False),
        (helper.make_node("Gather", ["w", "x"], ["y"]), "Gather", False),
    ],
)
def test_the_operation_tells_which_side_is_out(tmp_path, node, kind, turned):
    tensors = load_weights(saved(tmp_path, [tensor(W)], [node]))
    assert tensors.kind("w") == kind
    assert tensors.notes == ({"w": "weight (in, out), turned to (out, in)"} if turned else {})
    assert np.array_equal(tensors["w"], W.T if turned else W)


def test_convolutions_stay_and_transposed_ones_are_turned(tmp_path):
    values = RNG.standard_normal((4, 6, 3, 3)).astype(np.float32)
    nodes = [
        helper.make_node("Conv", ["x", "conv"], ["y"]),
        helper.make_node("ConvTranspose", ["y", "up"], ["z"]),
    ]
    tensors = load_weights(saved(tmp_path, [tensor(values, "conv"), tensor(values, "up")], nodes))
    assert (tensors.shape("conv"), tensors.shape("up")) == ((4, 6, 3, 3), (6, 4, 3, 3))


def test_products_of_stacked_matrices_are_left_as_they_are(tmp_path):
    node = helper.make_node("MatMul", ["x", "w"], ["y"])
    tensors = load_weights(saved(tmp_path, [tensor(np.ones((2, 3, 4), np.float32))], [node]))
    assert (tensors.shape("w"), tensors.notes) == ((2, 3, 4), {})


def test_quantized_tensors_are_skipped_with_words(tmp_path):
    tensors = [
        tensor(W),
        tensor(np.ones((2, 2), np.int8), "int8"),
        tensor(np.ones((2, 2), np.uint8), "uint8"),
        helper.make_tensor("int4", TensorProto.INT4, (2, 2), [1, 2, 3, 4]),
        helper.make_tensor("fp4", TensorProto.FLOAT4E2M1, (2, 2), [1, 2, 3, 4]),
        tensor(np.ones(2, np.int64), "shape"),
    ]
    skipped = load_weights(saved(tmp_path, tensors)).skipped
    assert [skipped[name] for name in ("int8", "uint8", "int4", "fp4")] == [
        "int8, quantized: prune before quantizing",
        "uint8, quantized: prune before quantizing",
        "int4, quantized: prune before quantizing",
        "float4_e2m1fn, quantized: prune before quantizing",
    ]
    assert skipped["shape"].startswith("int64: weights are")


def external(folder, **changes):
    """A model whose one tensor is in ``data/w.bin``, where it says it is, or where ``changes`` say."""
    made = tensor(W)
    made.ClearField("raw_data")
    made.data_location = TensorProto.EXTERNAL
    (folder / "data").mkdir(exist_ok=True)
    (folder / "data" / "w.bin").write_bytes(bytes(8) + W.tobytes())
    told = {"location": "data/w.bin", "offset": "8", "length": str(W.nbytes)} | changes
    made.external_data.extend(onnx.StringStringEntryProto(key=key, value=value) for key, value in told.items())
    (folder / "m.onnx").write_bytes(model([], [made]).SerializeToString())
    return folder / "m.onnx"


def test_data_in_another_file_is_read_where_it_is(tmp_path):
    tensors = load_weights(external(tmp_path))
    assert np.array_equal(tensors["w"], W)
    assert np.array_equal(tensors.rows("w")(1, 2), W[1:2])
    assert tensors.files == {str(tmp_path / "m.onnx"), str(tmp_path / "data" / "w.bin")}


def test_data_that_onnx_itself_keeps_outside_is_read(tmp_path):
    path = saved(tmp_path, [tensor(W)], save_as_external_data=True, size_threshold=0, location="weights")
    assert np.array_equal(load_weights(path)["w"], W)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"location": "/etc/passwd"}, "is outside the folder of the model"),
        ({"location": "../w.bin"}, "is outside the folder of the model"),
        ({"location": "C:\\w.bin"}, "is outside the folder of the model"),
        ({"location": ""}, "is outside the folder of the model"),
        ({"location": "none.bin"}, "is missing"),
        ({"location": "data"}, "is neither a file nor a folder"),
        ({"offset": "9"}, "is not in 'w.bin', where it says it is"),
        ({"offset": "-8"}, "is not in 'w.bin', where it says it is"),
        ({"offset": "x"}, "invalid literal"),
        ({"length": "8"}, "is not in 'w.bin', where it says it is"),
    ],
)
def test_data_that_is_not_where_it_says_is_refused(tmp_path, changes, words):
    with pytest.raises(WeightsError) as caught:
        load_weights(external(tmp_path, **changes))
    assert words in str(caught.value)


def test_data_elsewhere_opens_below_the_allowed_folder_only(tmp_path):
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "data").symlink_to(tmp_path)
    with pytest.raises(WeightsError, match="can be opened here"):
        AllowedFolder(tmp_path / "models").open(str(external_link(tmp_path)))


def external_link(folder):
    """A model below ``models`` whose data is a link that leads out of it."""
    (folder / "w.bin").write_bytes(W.tobytes())
    made = tensor(W)
    made.ClearField("raw_data")
    made.data_location = TensorProto.EXTERNAL
    made.external_data.append(onnx.StringStringEntryProto(key="location", value="data/w.bin"))
    (folder / "models" / "m.onnx").write_bytes(model([], [made]).SerializeToString())
    return folder / "models" / "m.onnx"


def test_sizes_that_lie_are_refused(tmp_path):
    made = tensor(W)
    made.dims[0] = 2**40
    assert "is broken: it holds 60 bytes" in refused(saved(tmp_path, [made]))
    made.dims[0] = -3
    assert "has the shape [-3, 5]" in refused(saved(tmp_path, [made]))


def test_a_name_twice_is_refused(tmp_path):
    assert "holds 'w' twice" in refused(saved(tmp_path, [tensor(W), tensor(W)]))


@pytest.mark.parametrize("content", [b"", b"garbage", b"\x08\x07", bytes(100)])
def test_what_is_no_model_is_refused(tmp_path, content):
    (tmp_path / "m.onnx").write_bytes(content)
    refused(tmp_path / "m.onnx")


def test_without_onnx_the_extra_is_named(tmp_path, monkeypatch):
    path = saved(tmp_path, [tensor(W)])
    monkeypatch.setitem(sys.modules, "onnx", None)
    assert refused(path) == f'{path}: .onnx needs onnx: pip install "entrenar-viz[onnx]"'


def test_another_process_opens_the_file_for_itself(tmp_path):
    sent = pickle.dumps(load_weights(saved(tmp_path, [tensor(np.ones((500, 500), np.float32))])).only("w"))
    assert len(sent) < 2000
    assert pickle.loads(sent)["w"].shape == (500, 500)


def test_a_file_that_has_changed_is_not_read(tmp_path):
    tensors = load_weights(saved(tmp_path, [tensor(W)]))
    saved(tmp_path, [tensor(np.ones((7, 7), np.float32))])
    with pytest.raises(WeightsError, match="has changed since it was opened"):
        tensors.matrix("w")


def test_a_folder_with_one_model_opens(tmp_path):
    assert load_weights(saved(tmp_path, [tensor(W)]).parent).names == ["w"]
