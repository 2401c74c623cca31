"""Pruner: the masks are those of prune_mask, the steps those of replay, and what has gone stays gone."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn.utils import prune

from entrenar_viz import (
    NM,
    Block,
    Column,
    ConfigError,
    EntrenarVizError,
    OneShot,
    PruningConfig,
    Row,
    StepError,
    Unstructured,
    WeightsError,
    prune_mask,
    replay,
)
from entrenar_viz.torch import Pruner, scores_on_device
from tests.strategies import schedules
from tests.torch.networks import batches, config, disturb, gradual, loss_of, network, perceptron, weights_of

PATTERNS = (Unstructured(), NM(n=2, m=4), NM(n=3, m=16), Block(height=4, width=8), Row(), Column())
METHODS = ("magnitude", "wanda", "sparse_gpt")


def calibration(rng):
    return {
        "0.weight": rng.normal(size=(300, 128)).astype(np.float32),
        "3.weight": rng.normal(size=(300, 32)).astype(np.float32),
    }


def held(pruner, model):
    """The weights as they are scored: the optimizer's change of what has gone undone."""
    weights = {name: parameter.detach().numpy() for name, parameter in model.named_parameters() if name in pruner.names}
    return {name: np.where(pruner.mask(name).numpy(), values, 0) for name, values in weights.items()}


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("pattern", PATTERNS, ids=repr)
def test_masks_are_those_of_prune_mask_at_every_update(pattern, method):
    rng, model = np.random.default_rng(0), network()
    given = None if method == "magnitude" else calibration(rng)
    asked = config(0.7, end=6, method=method, pattern=pattern)
    pruner, run = Pruner(model, asked, 8, calibration=given), replay(asked, 8)
    for step in range(1, 9):
        disturb(model, rng)
        before = held(pruner, model)
        pruner.step()
        assert pruner.sparsity == run.applied_at(step)
        for name, weights in before.items():
            entering = None if given is None else given[name]
            if step in run.update_steps:
                expected = prune_mask(weights, pruner.sparsity, pattern, method, activations=entering)
                np.testing.assert_array_equal(pruner.mask(name).numpy(), expected)
            now = dict(model.named_parameters())[name].detach().numpy()
            wanted = np.where(pruner.mask(name).numpy(), weights, np.float32(0))
            np.testing.assert_array_equal(now.view(np.int32), wanted.view(np.int32))  # kept to the bit, gone is +0


@pytest.mark.parametrize("method", METHODS)
def test_rows_by_themselves_are_those_of_prune_mask_too(method):
    rng, model = np.random.default_rng(0), network()
    given = None if method == "magnitude" else calibration(rng)
    pruner = Pruner(model, config(0.6, method=method), 8, calibration=given, within="row")
    before = held(pruner, model)
    pruner.step()
    for name, weights in before.items():
        entering = None if given is None else given[name]
        expected = prune_mask(weights, pruner.sparsity, method=method, activations=entering, within="row")
        np.testing.assert_array_equal(pruner.mask(name).numpy(), expected)


@settings(max_examples=60)
@given(st.data())
def test_any_weights_at_any_sparsity_have_the_mask_of_prune_mask(data):
    rows, columns = data.draw(st.integers(1, 9)), data.draw(st.integers(1, 9))
    values = st.one_of(st.sampled_from([0.0, -0.0, 1.0, -1.0, 1e-30, 1e20]), st.floats(-9, 9, width=32))
    numbers = data.draw(st.lists(values, min_size=rows * columns, max_size=rows * columns))
    weights = np.array(numbers, np.float32).reshape(rows, columns)
    pattern = data.draw(st.sampled_from([Unstructured(), Row(), Column(), NM(n=1, m=columns + 1), NM(n=1, m=2)]))
    sparsity = data.draw(st.floats(0.015625, 1, width=32))
    layer = nn.Linear(columns, rows, bias=False)
    layer.weight.data = torch.from_numpy(weights.copy())
    try:
        expected = prune_mask(weights, sparsity, pattern)
    except WeightsError:
        with pytest.raises(ConfigError, match="does not fit"):
            Pruner(layer, PruningConfig(pattern=pattern), 1)
        return
    pruner = Pruner(layer, PruningConfig(target_sparsity=sparsity, pattern=pattern, schedule=OneShot(step=1)), 1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(scores_on_device, "SMALL", data.draw(st.sampled_from([0, 1 << 16])))  # counted, or put in order
        pruner.step()
    np.testing.assert_array_equal(pruner.mask("weight").numpy(), expected)
    np.testing.assert_array_equal(layer.weight.detach().numpy(), np.where(expected, weights, 0))


@settings(max_examples=60)
@given(schedules(st.integers(0, 40)), st.integers(0, 60), st.floats(0, 1, width=32))
def test_the_sparsity_is_the_staircase_of_replay_at_every_step(schedule, total, target):
    asked = PruningConfig(target_sparsity=target, schedule=schedule)
    pruner, run = Pruner(nn.Linear(3, 3), asked, total), replay(asked, total)
    for step in range(1, total + 3):
        pruner.step()
        assert pruner.sparsity == run.applied_at(step)
    logged = [(step, sparsity) for step, sparsity, _ in pruner.log.rows if step in run.update_steps]
    assert [step for step, _ in logged] == run.update_steps.tolist()
    np.testing.assert_array_equal(np.array([share for _, share in logged], np.float32), run.applied)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float16, torch.bfloat16])
def test_other_number_formats_are_scored_in_float32_and_kept_to_the_bit(dtype):
    layer = nn.Linear(40, 30, bias=False, dtype=dtype)
    before = layer.weight.detach().clone()
    pruner = Pruner(layer, config(0.8, end=1), 1)
    pruner.step()
    mask = prune_mask(before.double().numpy(), 0.8)
    np.testing.assert_array_equal(pruner.mask("weight").numpy(), mask)
    torch.testing.assert_close(layer.weight.detach(), before * torch.from_numpy(mask), rtol=0, atol=0)


def test_what_has_gone_stays_gone_even_where_it_has_become_the_largest():
    layer = nn.Linear(4, 1, bias=False)
    layer.weight.data = torch.tensor([[1.0, 2.0, 3.0, 4.0]])
    pruner = Pruner(layer, gradual(0.75, 1, 7, 3), 10)  # updates at 4 and 7: 37.5% and 75%
    for _ in range(10):
        with torch.no_grad():
            layer.weight[0, 0] = 100.0 if pruner.sparsity else layer.weight[0, 0]
        pruner.step()
    assert layer.weight.tolist() == [[0, 0, 0, 4]]


def test_what_has_gone_is_zero_whatever_the_optimizer_makes_of_it():
    layer = nn.Linear(4, 1, bias=False)
    layer.weight.data = torch.tensor([[1.0, 2.0, 3.0, 4.0]])
    pruner = Pruner(layer, config(0.5, end=1), 2)
    pruner.step()
    with torch.no_grad():
        layer.weight[0, :2] = torch.tensor([float("nan"), -float("inf")])
    pruner.step()
    assert layer.weight.tolist() == [[0, 0, 3, 4]]
    assert not torch.signbit(layer.weight).any()


def test_a_model_may_change_its_number_format_after_a_mask():
    model = perceptron()
    pruner = Pruner(model, config(0.5, end=1), 4)
    pruner.step()
    for changed in (model.double(), model.bfloat16()):
        disturb(changed, np.random.default_rng(0))
        loss_of(changed, next((x.to(changed[0].weight.dtype), y) for x, y in batches(1))).backward()
        pruner.step()
        pruner.mask_gradients()
        assert int((changed[0].weight == 0).sum()) == int((changed[0].weight.grad == 0).sum()) == 256
        changed.zero_grad()


def test_channels_last_and_transposed_weights_are_pruned_where_they_lie():
    model = network().to(memory_format=torch.channels_last)
    model[3].weight = nn.Parameter(model[3].weight.detach().t().contiguous().t())
    before = weights_of(model)
    pruner = Pruner(model, config(0.5, end=1), 1)
    pruner.step()
    for name in pruner.names:
        np.testing.assert_array_equal(pruner.mask(name).numpy(), prune_mask(before[name].contiguous().numpy(), 0.5))
    assert model[0].weight.is_contiguous(memory_format=torch.channels_last)


def test_each_expert_is_a_matrix_of_its_own():
    class Experts(nn.Module):
        def __init__(self):
            super().__init__()
            self.up = nn.Parameter(torch.randn(3, 8, 6) * torch.tensor([1.0, 10.0, 100.0]).reshape(3, 1, 1))

    model = nn.ModuleDict({"experts": Experts()})
    before = model["experts"].up.detach().clone()
    pruner = Pruner(model, config(0.5, end=1), 1)
    pruner.step()
    for index in range(3):
        np.testing.assert_array_equal(pruner.mask("experts.up")[index].numpy(), prune_mask(before[index].numpy(), 0.5))


def test_a_transposed_convolution_is_pruned_by_its_outputs():
    model = nn.ConvTranspose2d(4, 6, 3)
    before = model.weight.detach().numpy().copy()
    pruner = Pruner(model, config(0.5, end=1, pattern=Row()), 1)
    pruner.step()
    expected = prune_mask(before.transpose(1, 0, 2, 3), 0.5, Row()).transpose(1, 0, 2, 3)
    np.testing.assert_array_equal(pruner.mask("weight").numpy(), expected)


def test_tied_weights_are_pruned_once_and_left_whole_if_either_name_says_so():
    class Tied(nn.Module):
        def __init__(self, last):
            super().__init__()
            self.first, self.second = nn.Linear(8, 8), nn.Linear(8, 8)
            setattr(self, last, nn.Linear(8, 8))
            getattr(self, last).weight = self.first.weight

    pruner = Pruner(Tied("third"), config(0.5, end=1), 1)
    pruner.step()
    assert pruner.names == ["first.weight", "second.weight"]
    assert pruner.achieved == 0.5
    assert torch.equal(pruner.mask("third.weight"), pruner.mask("first.weight"))
    assert "lm_head" in Pruner(Tied("lm_head"), config(), 1).skipped["first.weight"]


def test_what_is_left_out_is_listed_with_its_reason():
    model = nn.ModuleDict(
        {
            "tokens": nn.Embedding(10, 8),
            "fc": nn.Linear(8, 8),
            "odd": nn.Linear(6, 7),
            "norm": nn.LayerNorm(8),
            "lm_head": nn.Linear(8, 10, bias=False),
            "normed": nn.utils.parametrizations.weight_norm(nn.Linear(8, 8, bias=False)),
        }
    )
    pruner = Pruner(model, config(pattern=Block(height=4, width=4)), 1)
    assert pruner.names == ["fc.weight"]
    assert pruner.skipped["tokens.weight"] == "left whole: its layer is an Embedding, and skip_embed_layers is on"
    assert pruner.skipped["norm.weight"] == "1-D: biases and norms are not pruned"
    assert pruner.skipped["odd.weight"].startswith("block 4 x 4 does not divide 7 x 6")
    assert pruner.skipped["lm_head.weight"] == "left whole: 'lm_head' is in its name, and skip_embed_layers is on"
    assert "parametrization" in pruner.skipped["normed.parametrizations.weight.original1"]
    with pytest.raises(EntrenarVizError, match=r"'lm_head\.weight' is not pruned: left whole"):
        pruner.mask("lm_head.weight")
    assert "tokens.weight" in Pruner(model, config(skip_embed_layers=False), 1).names


def test_a_layer_without_calibration_data_is_left_whole_and_said():
    given = calibration(np.random.default_rng(0))
    del given["0.weight"]
    pruner = Pruner(network(), config(method="wanda"), 1, calibration=given)
    assert pruner.names == ["3.weight"]
    assert pruner.skipped["0.weight"] == "arrays has nothing for 0.weight, which wanda needs"


def test_all_that_cannot_be_applied_is_told_together():
    model = nn.ModuleDict({"a": nn.Linear(4, 4), "b": nn.Linear(4, 4), "c": nn.Linear(4, 4, device="meta")})
    model["b"].weight.data[0, 1] = float("nan")
    prune.l1_unstructured(model["a"], "weight", 0.5)
    asked = PruningConfig(method="wanda", pattern=Row(), schedule=OneShot(step=1))
    with pytest.raises(ConfigError) as refused:
        Pruner(model, asked, 1, within="row")
    told = str(refused.value)
    assert "method: wanda needs calibration data" in told
    assert "within: within='row' goes with Unstructured" in told
    assert "a.weight_orig: has a mask of torch.nn.utils.prune" in told
    assert "b.weight: 1 of 16 weights are not finite as float32, the first at [0, 1]" in told
    assert "c.weight: has no numbers (device meta)" in told


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"0.weight": np.ones((4, 5), np.float32)}, "5 columns for a layer of 128"),
        ({"0.weight": np.ones(128, np.float32)}, "norms are for wanda"),
    ],
)
def test_calibration_data_that_does_not_fit_is_refused(given, message):
    with pytest.raises(ConfigError, match=message):
        Pruner(network(), config(method="sparse_gpt"), 1, calibration=given)


def test_what_is_no_model_and_what_is_no_configuration_is_refused():
    with pytest.raises(EntrenarVizError, match="is a module of PyTorch, not OrderedDict"):
        Pruner(network().state_dict(), config(), 1)
    with pytest.raises(EntrenarVizError, match="a PruningConfig or the path of its file, not dict"):
        Pruner(network(), {"method": "magnitude"}, 1)


def test_methods_without_masks_and_models_without_matrices_are_refused():
    with pytest.raises(ConfigError, match="minitron_depth needs calibration data, and removes whole layers"):
        Pruner(network(), config(method="minitron_depth"), 1)
    with pytest.raises(ConfigError, match="nothing here can be pruned"):
        Pruner(nn.LayerNorm(4), config(), 1)
    with pytest.raises(ConfigError, match="it has no parameters"):
        Pruner(nn.ReLU(), config(), 1)
    with pytest.raises(StepError, match="whole number"):
        Pruner(network(), config(), 1.5)


def test_weights_that_diverge_are_refused_at_the_update_with_the_layer():
    model = perceptron()
    pruner = Pruner(model, config(), 8)
    with torch.no_grad():
        model[2].weight[1, 2] = float("inf")
    with pytest.raises(WeightsError, match=r"2\.weight: 1 of 128 weights are not finite .* \[1, 2\]"):
        pruner.step()
    assert (pruner.sparsity, pruner.achieved) == (0, 0)


def _assigned(model):
    model.load_state_dict({name: tensor.clone() for name, tensor in model.state_dict().items()}, assign=True)


def _new_parameter(model):
    model[0].weight = nn.Parameter(model[0].weight.detach().clone())


def _new_layer(model):
    model[0] = nn.Linear(16, 32)


@pytest.mark.parametrize("replace", [_assigned, _new_parameter, _new_layer])
def test_parameters_that_were_replaced_are_refused_and_a_new_pruner_goes_on(replace):
    model = perceptron()
    old = Pruner(model, config(0.5, end=4), 4)
    old.step()
    replace(model)
    before, state = weights_of(model), old.state_dict()
    for attempt in (old.step, lambda: old.load_state_dict(state)):
        with pytest.raises(EntrenarVizError, match=r"'0\.weight'.* no longer in the model as .* make a new Pruner"):
            attempt()
    assert (old.step_count, old.log.rows) == (1, state["log"])
    assert all(torch.equal(now, before[name]) for name, now in weights_of(model).items())
    new = Pruner(model, old.config, 4)
    new.load_state_dict(old.state_dict())
    new.step()
    assert new.step_count == 2
    assert int((model[0].weight == 0).sum()) == 512 - int(new.mask("0.weight").sum()) > 0


class Adapted(nn.Module):
    """A frozen layer with the two small matrices of LoRA beside it, as peft puts it in the place of the layer."""

    def __init__(self, base):
        super().__init__()
        self.base_layer = base.requires_grad_(requires_grad=False)
        self.down, self.up = nn.Linear(base.in_features, 4, bias=False), nn.Linear(4, base.out_features, bias=False)

    def forward(self, inputs):
        return self.base_layer(inputs) + self.up(self.down(inputs))


def test_the_frozen_base_of_adapters_is_pruned_alone_if_the_pruner_was_there_first():
    model = perceptron()
    pruner = Pruner(model, config(0.5, end=1), 2)
    model[0] = Adapted(model[0])
    pruner.step()
    assert int((model[0].base_layer.weight == 0).sum()) == 256
    assert (model[0].down.weight != 0).all()
    model[0] = model[0].base_layer  # merged
    pruner.step()
    assert "0.down.weight" in Pruner(nn.Sequential(Adapted(nn.Linear(8, 8))), config(), 1).names


def test_a_parameter_of_another_shape_is_refused():
    model = perceptron()
    pruner = Pruner(model, config(), 8)
    model[0].weight.data = torch.zeros(0)  # as sharding leaves it
    with pytest.raises(EntrenarVizError, match=r"'0\.weight': no longer in the model as before"):
        pruner.step()


def test_a_model_that_is_wrapped_or_gets_more_layers_later_is_pruned_all_the_same():
    model = perceptron()
    pruner = Pruner(model, config(0.5, end=1), 4)
    model.append(nn.Linear(4, 4))
    nn.utils.parametrizations.spectral_norm(model[2])  # the parameter is its original from now on
    nn.DataParallel(model)
    pruner.step()
    assert int((model[0].weight == 0).sum()) == 256
    assert int((model[2].weight == 0).sum()) == 64


def test_quantized_layers_are_refused_before_anything_is_touched():
    class Packed(nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = nn.Parameter(torch.zeros(4, 4, dtype=torch.int8), requires_grad=False)

    with pytest.raises(ConfigError, match="weight: int8 is quantized or no weight: prune before quantizing"):
        Pruner(nn.ModuleDict({"a": Packed(), "b": nn.Linear(4, 4)}), config(), 1)
    with pytest.warns(), pytest.raises(ConfigError, match="Linear is quantized: prune before quantizing"):
        Pruner(torch.ao.quantization.quantize_dynamic(perceptron(), {nn.Linear}), config(), 1)


class Odd(nn.Module):
    """A module with tensors of its own, under the names that are given."""

    def __init__(self, parameters=(), buffers=()):
        super().__init__()
        for name, tensor in dict(parameters).items():
            self.register_parameter(name, nn.Parameter(tensor))
        for name, tensor in dict(buffers).items():
            self.register_buffer(name, tensor)


class Affine(torch.Tensor):
    """Some library's way to keep quantized weights."""


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: nn.LazyLinear(4), r"odd\.weight: has no shape yet: run the model once on a batch"),
        (lambda: Odd(buffers={"qweight": torch.zeros(4, 4, dtype=torch.int32)}), "odd: Odd is quantized: prune before"),
        (lambda: Odd({"weight": torch.zeros(4, 4).as_subclass(Affine)}), r"odd\.weight: is a Affine, which keeps its"),
    ],
)
@pytest.mark.filterwarnings("ignore:Lazy modules are a new feature")
def test_what_would_be_left_dense_without_a_word_is_refused(make, message):
    with pytest.raises(ConfigError, match=message):
        Pruner(nn.ModuleDict({"odd": make(), "fc": nn.Linear(4, 4)}), config(), 1)


def test_a_mask_of_the_model_itself_is_none_of_pytorch_prune():
    odd = Odd({"attention": torch.randn(4, 4)}, {"attention_mask": torch.ones(4, 4)})
    assert Pruner(odd, config(), 1).names == ["attention"]


def test_a_schedule_that_never_prunes_is_told_of():
    pruner = Pruner(network(), PruningConfig(), 10)
    assert [finding.code for finding in pruner.findings if finding.severity == "error"] == ["never-fires"]
    pruner.step()
    assert pruner.achieved == pruner.sparsity == 0


def test_the_log_has_updates_metrics_and_the_end():
    pruner = Pruner(perceptron(), gradual(0.5, 0, 4, 2), 6)
    for step in range(1, 7):
        pruner.step(**({"loss": torch.tensor(1 / step)} if step == 3 else {}))
    assert pruner.log.rows == [[2, 0.25, {}], [3, 0.25, {"loss": pytest.approx(1 / 3)}], [4, 0.5, {}], [6, 0.5, {}]]
    assert (pruner.log.config, pruner.log.total_steps) == (pruner.config, 6)


@pytest.mark.parametrize("name", ["step", "sparsity"])
def test_a_metric_named_like_what_the_log_has_anyhow_is_refused_before_the_step(name):
    pruner = Pruner(perceptron(), config(), 8)
    with pytest.raises(EntrenarVizError, match=f"the log has a {name} of its own"):
        pruner.step(**{name: 0.5})
    assert (pruner.step_count, pruner.achieved) == (0, 0)


def test_gradients_of_what_has_gone_can_be_left_out_of_a_clipped_norm():
    model = perceptron()
    pruner = Pruner(model, config(0.5, end=1), 2)
    pruner.mask_gradients()
    pruner.step()
    loss_of(model, next(batches(1))).backward()
    before = {name: parameter.grad.clone() for name, parameter in model.named_parameters()}
    pruner.mask_gradients()
    for name, parameter in model.named_parameters():
        mask = pruner.mask(name) if name in pruner.names else torch.ones_like(parameter, dtype=torch.bool)
        torch.testing.assert_close(parameter.grad, before[name] * mask, rtol=0, atol=0)


def test_sparse_gradients_of_an_embedding_are_left_out_too():
    layer = nn.Embedding(10, 8, sparse=True)
    pruner = Pruner(layer, config(0.5, end=1, skip_embed_layers=False), 2)
    pruner.step()
    layer(torch.tensor([1, 7, 1])).sum().backward()
    pruner.mask_gradients()
    expected = torch.zeros(10, 8)
    expected[1], expected[7] = 2, 1
    assert torch.equal(layer.weight.grad.to_dense(), expected * pruner.mask("weight"))


def test_steps_may_be_made_in_inference_mode_and_out_of_it():
    model = perceptron()
    pruner = Pruner(model, config(0.5, end=4), 4)
    for step in range(1, 5):
        with torch.inference_mode(step % 2 == 1):
            pruner.step()
    loss_of(model, next(batches(1))).backward()
    pruner.mask_gradients()
    assert pruner.achieved == 0.5


def test_a_configuration_is_read_from_its_file(tmp_path):
    pruner = Pruner(network(), config().save(tmp_path / "pruning.json"), 8)
    assert pruner.config == config()
    assert repr(pruner) == "<Pruner: step 0 of 8, 2 layers at 0.00%, 2 skipped>"
