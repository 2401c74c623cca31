"""What people hold in memory opens as it is: modules and tensors of PyTorch, params of Flax, weights of Keras."""

import subprocess
import sys

import jax.numpy as jnp
import ml_dtypes
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from entrenar_viz import (
    PruningConfig,
    WeightsError,
    iter_survey,
    load_calibration,
    load_weights,
    mask_figure,
    prune_mask,
    review,
)
from entrenar_viz.models.in_memory import flattened
from entrenar_viz.models.torch_tensors import as_numpy

RNG = np.random.default_rng(0)


class Net(nn.Module):
    """An embedding that is tied to the head, a buffer, and a convolution that keeps its inputs first."""

    def __init__(self):
        super().__init__()
        self.tokens = nn.Embedding(20, 8)
        self.fc = nn.Linear(8, 16)
        self.up = nn.ConvTranspose2d(4, 6, 3)
        self.head = nn.Linear(8, 20, bias=False)
        self.head.weight = self.tokens.weight
        self.register_buffer("running", torch.ones(3, 3))

    def forward(self, tokens):
        return self.head(self.tokens(tokens))


def refused(source) -> str:
    with pytest.raises(WeightsError) as caught:
        load_weights(source)
    return str(caught.value)


# PyTorch


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float8_e4m3fn, torch.float8_e5m2])
def test_a_state_dict_in_half_or_less_opens_without_a_copy(dtype):
    weight = torch.randn(4, 6).to(dtype)
    tensors = load_weights({"w": weight})
    assert (tensors.dtype("w"), tensors.nbytes("w")) == (str(dtype)[6:], 24 * weight.element_size())
    held = as_numpy(weight)
    assert held.__array_interface__["data"][0] == weight.data_ptr()
    assert np.array_equal(tensors["w"], weight.float().numpy())


def test_a_bfloat16_state_dict_is_made_float32_a_tensor_at_a_time(monkeypatch):
    state = nn.Sequential(nn.Linear(8, 8), nn.Linear(8, 8)).to(torch.bfloat16).state_dict()
    converted = []
    monkeypatch.setattr(torch.Tensor, "float", converted.append)
    monkeypatch.setattr(torch.Tensor, "cpu", lambda tensor: converted.append(1) or tensor)
    tensors = load_weights(state)
    assert (tensors.names, converted) == (["0.weight", "1.weight"], [])
    assert tensors["0.weight"].dtype == np.float32
    assert converted == [1]


def test_what_requires_a_gradient_opens_and_still_requires_it():
    layer = nn.Linear(3, 2)
    assert np.array_equal(load_weights(layer.weight)["weights"], layer.weight.detach().numpy())
    assert load_weights(dict(layer.named_parameters())).names == ["weight"]
    assert layer.weight.requires_grad


def test_tensors_that_are_no_rows_one_after_the_other_are_read_right():
    weight = torch.randn(6, 4).to(torch.bfloat16).T
    tensors = load_weights({"w": weight})
    assert np.array_equal(tensors["w"], weight.float().numpy())
    assert np.array_equal(tensors.rows("w")(1, 3), weight[1:3].float().numpy())


def test_of_a_module_the_parameters_open_once_each_with_the_class_of_their_module():
    tensors = load_weights(Net())
    assert tensors.source == "Net"
    assert {name: tensors.kind(name) for name in tensors} == {
        "tokens.weight": "Embedding",
        "fc.weight": "Linear",
        "up.weight": "ConvTranspose2d",
    }
    assert list(tensors.skipped) == ["fc.bias", "up.bias"]


def test_transposed_convolutions_of_a_module_are_turned():
    model = Net()
    tensors = load_weights(model)
    assert tensors.shape("up.weight") == (6, 4, 3, 3)
    assert tensors.notes == {"up.weight": "weight 4 × 6 × 3 × 3, outputs turned to the front"}
    expected = model.up.weight.detach().numpy().transpose(1, 0, 2, 3).reshape(6, -1)
    assert np.array_equal(tensors["up.weight"], expected)
    assert np.array_equal(tensors.rows("up.weight")(2, 4), expected[2:4])


@pytest.mark.filterwarnings("ignore:`torch.jit")
def test_wrapped_models_have_the_names_of_the_plain_one():
    plain = load_weights(Net()).names
    assert load_weights(torch.compile(Net())).names == plain
    assert load_weights(nn.DataParallel(Net())).names == plain
    assert load_weights(torch.compile(nn.DataParallel(Net()))).source == "Net"
    inside = Net()
    inside.fc = torch.compile(inside.fc)
    assert load_weights(inside).names == plain


def test_embeddings_are_known_by_their_class():
    config = PruningConfig(target_sparsity=0.5, skip_embed_layers=True)
    records = {record.layer: record for record in iter_survey(Net(), config)}
    assert records["tokens.weight"].reason == "left whole: its layer is an Embedding, and skip_embed_layers is on"
    assert records["fc.weight"].kind == "Linear"
    assert "layers-left-whole" not in {finding.code for finding in review(config, 100, Net())}
    only = nn.ModuleDict({"tokens": nn.Embedding(4, 4)})
    (found,) = [one for one in review(config, 100, only) if one.code == "layers-left-whole"]
    assert "'tokens.weight' since its layer is an Embedding." in found.message


def test_what_has_no_numbers_here_is_skipped_with_words():
    tensors = load_weights(
        {
            "w": torch.ones(2, 2),
            "meta": torch.empty(3, 4, device="meta"),
            "sparse": torch.eye(3).to_sparse(),
            "lazy": nn.LazyLinear(3).weight,
            "int8": torch.ones(3, 3, dtype=torch.int8),
            "uint4": torch.empty(3, 3, dtype=torch.uint4),
            "e8m0": torch.ones(3, 3).to(torch.float8_e8m0fnu),
            "fp4": torch.empty(3, 3, dtype=torch.float4_e2m1fn_x2),
        }
    )
    assert tensors.names == ["w"]
    assert tensors.skipped == {
        "meta": "on the meta device: it has no numbers, load the weights first",
        "sparse": "torch.sparse_coo: make it dense, tensor.to_dense()",
        "lazy": "has no shape yet: run the model once on a batch",
        "int8": "int8, quantized: prune before quantizing",
        "uint4": "uint4, quantized: prune before quantizing",
        "e8m0": "float8_e8m0fnu, quantized: prune before quantizing",
        "fp4": "float4_e2m1fn_x2, quantized: prune before quantizing",
    }


def test_a_distributed_tensor_is_refused_with_what_to_do():
    class DTensor(torch.Tensor):
        pass

    part = torch.ones(2, 2).as_subclass(DTensor)
    assert "DTensor: each process has a part of it, pass tensor.full_tensor()" in refused({"w": part})


def test_a_tied_embedding_is_one_whichever_of_its_layers_comes_first():
    model = nn.ModuleDict({"out": nn.Linear(8, 10, bias=False), "tokens": nn.Embedding(10, 8)})
    model["out"].weight = model["tokens"].weight
    tensors = load_weights(model)
    assert {name: tensors.kind(name) for name in tensors} == {"out.weight": "Embedding"}


@pytest.mark.filterwarnings("ignore:torch")
def test_quantized_modules_are_named_with_the_reason():
    model = torch.ao.quantization.quantize_dynamic(
        nn.Sequential(nn.Linear(4, 4), nn.Conv2d(2, 2, 3)), {nn.Linear}, dtype=torch.qint8
    )
    tensors = load_weights(model)
    assert tensors.names == ["1.weight"]
    assert tensors.skipped["0.weight"] == "quantized: prune before quantizing"


def test_masks_and_figures_take_tensors_too():
    weight = nn.Parameter(torch.randn(4, 6).to(torch.bfloat16))
    expected = prune_mask(weight.detach().float().numpy(), 0.5)
    assert np.array_equal(prune_mask(weight, 0.5), expected)
    assert mask_figure(weight, {"half": 0.5}).axes


def test_calibration_data_may_be_tensors():
    calibration = load_calibration({"fc.weight": torch.ones(5, 8, dtype=torch.bfloat16)}, load_weights(Net()))
    assert calibration["fc.weight"].shape == (5, 8)


# JAX, Flax, Keras


def test_nested_parameters_of_flax_are_flattened_and_kernels_turned():
    kernel = jnp.arange(6, dtype=jnp.bfloat16).reshape(2, 3)
    params = {"params": {"dense": {"kernel": kernel, "bias": jnp.zeros(3)}, "blocks": [{"kernel": np.ones((3, 4))}]}}
    tensors = load_weights(params)
    assert tensors.names == ["params.dense.kernel", "params.blocks.0.kernel"]
    assert tensors.shape("params.dense.kernel") == (3, 2)
    assert tensors.dtype("params.dense.kernel") == "bfloat16"
    assert tensors.notes["params.dense.kernel"] == "kernel (in, out), turned to (out, in)"
    assert np.array_equal(tensors["params.dense.kernel"], np.arange(6).reshape(2, 3).T)
    assert np.array_equal(tensors.rows("params.dense.kernel")(1, 3), np.arange(6).reshape(2, 3).T[1:3])


def test_an_array_of_jax_is_one_array():
    assert load_weights(jnp.ones((2, 3))).shape("weights") == (2, 3)


def test_the_weights_of_keras_are_numbered_and_turned_as_their_biases_tell():
    kernel, conv = RNG.standard_normal((5, 3)), RNG.standard_normal((2, 2, 3, 7))
    tensors = load_weights([kernel, np.zeros(3), conv, np.zeros(7), np.ones((4, 4))])
    assert tensors.names == ["0", "2", "4"]
    assert (tensors.shape("0"), tensors.shape("2")) == ((3, 5), (7, 3, 2, 2))
    assert np.array_equal(tensors["0"], kernel.T.astype(np.float32))


def test_the_weights_of_each_layer_of_keras_open_by_its_name():
    layers = {
        "attention": [np.ones((16, 2, 8)), np.ones((2, 8)), np.ones((2, 8, 16)), np.ones(16)],
        "norm": [np.ones(16), np.zeros(16)],
        "top": [np.ones((16, 10)), np.zeros(10)],
    }
    tensors = load_weights(layers)
    assert {name: tensors.shape(name) for name in tensors} == {
        "attention.0": (16, 16),
        "attention.2": (16, 8, 2),
        "top.0": (10, 16),
    }
    assert tensors.skipped["attention.1"] == "a bias: not pruned"
    assert tensors.skipped["norm.0"] == "1-D: biases and norms are not pruned"


def test_a_list_in_the_order_of_pytorch_stays_as_it_is():
    tensors = load_weights(list(nn.Sequential(nn.Linear(5, 3), nn.Linear(3, 4)).parameters()))
    assert (tensors.names, tensors.shape("0"), tensors.notes) == (["0", "2"], (3, 5), {})


@pytest.mark.parametrize(
    "arrays",
    [[np.ones((4, 4)), np.ones(4)], [np.ones((4, 5))], [np.ones((4, 5)), np.ones(4), np.ones((2, 3)), np.ones(3)]],
)
def test_where_nothing_tells_the_sides_it_is_said(arrays):
    tensors = load_weights(arrays)
    assert tensors.shape("0") == arrays[0].shape
    assert set(tensors.notes.values()) == {"nothing tells which side is out: taken as (out, in)"}


@pytest.mark.parametrize(
    "rows", [[[1.0, 2.0], [3.0, 4.0]], [np.array([1.0, 2.0]), np.array([3.0, 4.0])], ((1.0, 2.0), (3.0, 4.0))]
)
def test_a_list_of_rows_is_one_array(rows):
    assert np.array_equal(load_weights(rows)["weights"], [[1.0, 2.0], [3.0, 4.0]])


def test_names_that_would_be_one_are_refused():
    assert refused({"a": {"b": np.eye(2)}, "a.b": np.eye(2)}) == "arrays: two tensors would be called 'a.b'"
    assert refused({"x.experts": np.ones((2, 3, 3)), "x.experts[1]": np.eye(2)}) == (
        "arrays: 'x.experts[1]' is the name of a tensor and of an expert"
    )


def test_dicts_and_lists_that_hold_themselves_are_refused():
    circle, ring = {}, []
    circle["x"] = circle
    ring.append(ring)
    assert "goes more than 64 levels down" in refused(circle)
    assert "goes more than 64 levels down" in refused(ring)


def test_what_is_no_array_is_skipped_with_its_class():
    assert load_weights({"w": np.eye(2), "step": None, "config": object()}).skipped == {
        "step": "NoneType: no array of numbers",
        "config": "object: no array of numbers",
    }


NAMES = st.text("abc", min_size=1, max_size=3)
TREES = st.recursive(
    st.builds(object), lambda inner: st.dictionaries(NAMES, inner, min_size=1, max_size=3), max_leaves=12
)


@given(st.dictionaries(NAMES, TREES, min_size=1, max_size=3))
def test_every_leaf_of_nested_dicts_has_the_name_of_its_way_down(tree):
    for name, value in flattened(tree).items():
        inside = tree
        for part in name.split("."):
            inside = inside[part]
        assert inside is value


# experts


def test_each_expert_is_a_matrix_of_its_own():
    stacked = RNG.standard_normal((3, 4, 5)).astype(ml_dtypes.bfloat16)
    tensors = load_weights({"mlp.experts.up": stacked, "mlp.experts.up_bias": np.ones((3, 4))})
    assert tensors.names == ["mlp.experts.up[0]", "mlp.experts.up[1]", "mlp.experts.up[2]"]
    assert tensors.skipped == {"mlp.experts.up_bias": "the biases of experts: not pruned"}
    assert tensors.nbytes("mlp.experts.up[1]") == 40
    assert tensors.notes["mlp.experts.up[1]"] == "one of 3 experts"
    assert np.array_equal(tensors["mlp.experts.up[1]"], stacked[1].astype(np.float32))
    assert np.array_equal(tensors.rows("mlp.experts.up[2]")(1, 3), stacked[2, 1:3].astype(np.float32))


def test_an_expert_is_read_without_the_others(tmp_path):
    from safetensors.numpy import save_file

    stacked = RNG.standard_normal((64, 128, 128), np.float32)
    save_file({"experts.up": stacked}, tmp_path / "m.safetensors")
    tensors, read = load_weights(tmp_path), []
    fromfile = np.fromfile
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(np, "fromfile", lambda *given: read.append(given[2]) or fromfile(*given))
        assert np.array_equal(tensors.rows("experts.up[63]")(3, 5), stacked[63, 3:5])
        assert np.array_equal(tensors["experts.up[5]"], stacked[5])
    assert read == [stacked[0].nbytes] * 2


def test_experts_that_keep_their_inputs_first_are_turned():
    class GptOssExperts(nn.Module):
        def __init__(self):
            super().__init__()
            self.gate_up_proj = nn.Parameter(torch.randn(2, 4, 6))
            self.gate_up_proj_bias = nn.Parameter(torch.randn(2, 6))

    model = nn.ModuleDict({"mlp": GptOssExperts()})
    tensors = load_weights(model)
    name = "mlp.gate_up_proj[1]"
    assert (tensors.kind(name), tensors.shape(name)) == ("GptOssExperts", (6, 4))
    assert tensors.notes[name] == "one of 2 experts; weight (in, out), turned to (out, in)"
    assert np.array_equal(tensors[name], model["mlp"].gate_up_proj[1].detach().numpy().T)
    assert tensors.skipped == {"mlp.gate_up_proj_bias": "the biases of experts: not pruned"}


def test_more_experts_than_anybody_has_are_refused():
    assert "5,000 experts: more than 4,096" in refused({"experts": np.zeros((5000, 1, 1), np.float16)})


def test_scales_of_channels_tokens_and_tables_of_biases_are_no_matrices():
    tensors = load_weights(
        {
            "block.layer_scale": np.ones((8, 1, 1)),
            "cls_token": np.ones((1, 1, 8)),
            "attention.bias_k": np.ones((1, 2, 8)),
            "attention.relative_position_bias_table": np.ones((9, 2)),
            "one_channel.weight": np.ones((8, 1, 1, 1)),
            "one_output.weight": np.ones((1, 8)),
            "latents": np.ones((1, 4, 8)),
        }
    )
    assert tensors.names == ["one_channel.weight", "one_output.weight", "latents"]
    assert tensors.skipped == {
        "block.layer_scale": "a vector in 3 dimensions: scales of channels and tokens are not pruned",
        "cls_token": "a vector in 3 dimensions: scales of channels and tokens are not pruned",
        "attention.bias_k": "a bias: not pruned",
        "attention.relative_position_bias_table": "a bias: not pruned",
    }


def test_scales_of_quantized_weights_are_no_weights():
    tensors = load_weights(
        {
            "norm.weight_scale": np.ones((2, 2)),
            "q.qweight": np.ones((4, 4), np.int32),
            "q.scales": np.ones((2, 4), np.float16),
            "w": np.eye(2),
        }
    )
    assert tensors.skipped == {
        "norm.weight_scale": "scales of quantized weights: not pruned",
        "q.qweight": "int32, quantized: prune before quantizing",
        "q.scales": "scales of quantized weights: not pruned",
    }


# what is loaded


def test_arrays_and_safetensors_load_no_framework(tmp_path):
    code = (
        "import sys, numpy as np; from safetensors.numpy import save_file; import entrenar_viz as e;"
        f"save_file({{'w': np.eye(2)}}, r'{tmp_path / 'm.safetensors'}');"
        f"e.load_weights(r'{tmp_path / 'm.safetensors'}')['w']; e.load_weights({{'a': {{'kernel': np.eye(2)}}}});"
        "print([name for name in ('torch', 'onnx', 'h5py', 'jax') if name in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout == "[]\n"
