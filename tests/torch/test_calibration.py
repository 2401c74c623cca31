"""calibrate: what is collected is what entered the layers, and the model is afterwards as it was before."""

import copy
import re
from pathlib import Path

import ml_dtypes
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import save_file
from torch import nn
from torch.nn import functional

from entrenar_viz import (
    Explorer,
    OneShot,
    PruningConfig,
    WeightsError,
    load_calibration,
    load_weights,
    prune_mask,
    survey,
)
from entrenar_viz.masks.activations import input_norms
from entrenar_viz.masks.order import prune_order
from entrenar_viz.masks.scores import importance
from entrenar_viz.torch import Pruner, calibrate
from entrenar_viz.torch.collector import Collector, Reservoir
from entrenar_viz.torch.entering import BAND, Patches, Rows, entering


def perceptron():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(12, 32), nn.ReLU(), nn.Dropout(0.5), nn.Linear(32, 5))


def drawn(*shape, seed=1):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


DATA = drawn(1000, 12) * torch.logspace(-3, 3, 12)
BATCHES = list(DATA.split(96))
WANDA = PruningConfig(method="wanda", schedule=OneShot(step=1), target_sparsity=0.5)


def entered(model, x, layer):
    """What enters ``layer`` of a sequential ``model``, in evaluation mode."""
    with torch.no_grad():
        return copy.deepcopy(model).eval()[:layer](x).numpy()


def test_norms_are_bit_for_bit_those_of_all_activations():
    model = perceptron()
    found = calibrate(model, BATCHES, rows=20)
    for name, layer in (("0.weight", 0), ("3.weight", 3)):
        assert np.array_equal(found.norms(name), input_norms(entered(model, DATA, layer)))
        assert found.norms(name).dtype == np.float32


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_norms_of_any_format_are_exact_and_rows_keep_theirs(dtype):
    model, data = nn.Sequential(nn.Linear(6, 4)).to(dtype), drawn(500, 6).to(dtype)
    found = calibrate(model, data.split(7), rows=500)
    assert np.array_equal(found.norms("0.weight"), input_norms(data.float().numpy()))
    assert np.array_equal(found["0.weight"], data.float().numpy())


def test_bfloat16_takes_two_bytes_a_number(tmp_path):
    model = nn.Sequential(nn.Linear(64, 4)).bfloat16()
    calibrate(model, [drawn(512, 64).bfloat16()], tmp_path / "a.safetensors")
    assert 512 * 64 * 2 < (tmp_path / "a.safetensors").stat().st_size < 512 * 64 * 2 + 1000


def test_rows_are_bounded_and_come_from_all_batches_in_order():
    found = calibrate(perceptron(), BATCHES, rows=100)
    rows = found["0.weight"]
    assert rows.shape == (100, 12)
    places = [int(np.flatnonzero((DATA.numpy() == row).all(axis=1))[0]) for row in rows]
    assert places == sorted(set(places))
    assert {place // 100 for place in places} == set(range(10))


def test_layers_that_see_the_same_rows_keep_the_same_ones():
    model = perceptron()
    found = calibrate(model, BATCHES, rows=50)
    np.testing.assert_allclose(
        entered(model, torch.from_numpy(found["0.weight"].copy()), 3), found["3.weight"], rtol=1e-5
    )


def test_the_seed_decides_and_the_cut_into_batches_does_not():
    model = perceptron()
    whole, cut, other = (
        calibrate(model, batches, rows=64, seed=seed)["0.weight"]
        for batches, seed in (([DATA], 3), (DATA.split(17), 3), ([DATA], 4))
    )
    assert np.array_equal(whole, cut)
    assert not np.array_equal(whole, other)


def test_each_row_stays_equally_often():
    counts = np.zeros(40)
    numbers = torch.arange(40.0)[:, None]
    for seed in range(3000):
        reservoir = Reservoir(10, seed)
        for band in numbers.split([3, 20, 1, 16]):
            reservoir.add(Rows(band))
        counts[reservoir.rows()[:, 0].int()] += 1
    assert counts.sum() == 30_000
    deviation = np.sqrt(3000 * 0.25 * 0.75)
    assert np.abs(counts - 750).max() < 4.5 * deviation


@given(st.integers(1, 30), st.lists(st.integers(0, 40), min_size=1, max_size=8), st.integers(0, 5))
def test_a_reservoir_holds_different_rows_that_have_passed(most, sizes, seed):
    reservoir, passed = Reservoir(most, seed), 0
    for size in sizes:
        reservoir.add(Rows(torch.arange(passed, passed + size, dtype=torch.float32)[:, None]))
        passed += size
    kept = reservoir.rows().ravel().tolist()
    assert len(kept) == min(most, passed)
    assert kept == sorted(set(kept))
    assert set(kept) <= set(range(passed))


def test_more_rows_than_there_are_take_no_room_for_those_that_are_missing():
    reservoir = Reservoir(10**12, 0)
    reservoir.add(Rows(drawn(5, 3)))
    assert reservoir.rows().shape == (5, 3)


def test_without_rows_there_are_norms_only(tmp_path):
    model = perceptron()
    calibrate(model, BATCHES, tmp_path / "a.safetensors", rows=0)
    found = load_calibration(tmp_path / "a.safetensors")
    assert found.shape("3.weight") == (32,)
    assert np.array_equal(found["3.weight"], calibrate(model, BATCHES).norms("3.weight"))


def test_a_long_input_is_added_up_in_bands():
    rows = drawn(BAND // 4 + 5, 9)
    collector = Collector(0, 0)
    collector.add(Rows(rows))
    assert np.array_equal(collector.norms("here"), input_norms(rows.numpy()))


@st.composite
def convolutions(draw):
    axes = draw(st.integers(1, 3))
    each = lambda low, high: tuple(draw(st.lists(st.integers(low, high), min_size=axes, max_size=axes)))  # noqa: E731
    kernel, dilation, stride = each(1, 3), each(1, 2), each(1, 3)
    padding = draw(st.sampled_from(["valid", "same", "numbers"]))
    if padding == "same":
        stride = (1,) * axes
    if padding == "numbers":
        padding = each(0, 2)
    mode = draw(st.sampled_from(["zeros", "reflect", "replicate", "circular"]))
    kind = (nn.Conv1d, nn.Conv2d, nn.Conv3d)[axes - 1]
    made = kind(
        draw(st.integers(1, 3)),
        2,
        kernel,
        stride=stride,
        padding=padding,
        dilation=dilation,
        padding_mode=mode,
        bias=False,
    )
    sizes = tuple((k - 1) * d + 1 + draw(st.integers(0, 3)) + 2 for k, d in zip(kernel, dilation, strict=True))
    return made, drawn(draw(st.integers(1, 3)), made.in_channels, *sizes)


@given(convolutions())
@pytest.mark.filterwarnings("ignore:Using padding='same'")  # torch pads twice then, for what cannot be halved
@settings(max_examples=150)
def test_patches_times_weights_are_what_a_convolution_computes(given):
    convolution, images = given
    rows = entering(convolution)(images)
    assert isinstance(rows, Patches)
    patches = rows.take(torch.arange(rows.count))
    with torch.no_grad():
        outputs = convolution(images).movedim(1, -1).reshape(-1, 2)
        torch.testing.assert_close(patches @ convolution.weight.reshape(2, -1).T, outputs, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(rows.squares(), patches.double().square().sum(0), rtol=1e-13, atol=0)


def test_a_convolution_takes_an_image_without_a_batch_too():
    convolution, image = nn.Conv2d(2, 3, 3), drawn(2, 6, 7)
    rows = entering(convolution)(image)
    assert rows.count == 4 * 5
    assert torch.equal(rows.squares(), entering(convolution)(image[None]).squares())


def test_norms_of_a_convolution_are_bit_for_bit_those_of_its_patches():
    model, images = nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.ReLU(), nn.Conv2d(4, 2, 3)), drawn(40, 3, 8, 8)
    found = calibrate(model, images.split(6), rows=10**6)
    for name, layer in (("0.weight", 0), ("2.weight", 2)):
        patches = functional.unfold(torch.from_numpy(entered(model, images, layer)), 3, padding=1 if layer == 0 else 0)
        everything = patches.movedim(1, 2).flatten(0, 1).numpy()
        assert np.array_equal(found[name], everything)
        assert np.array_equal(found.norms(name), input_norms(everything))


def test_the_file_opens_everywhere_and_gives_the_masks_of_all_activations(tmp_path):
    model, path, weights = perceptron(), tmp_path / "calibration.safetensors", tmp_path / "model.safetensors"
    save_file(model.state_dict(), weights)
    calibrate(model, BATCHES, path, rows=40)
    opened = load_calibration(path, load_weights(weights))
    everything = {"0.weight": DATA.numpy(), "3.weight": entered(model, DATA, 3)}
    table = survey(weights, WANDA, calibration=path).set_index("layer")
    exact = survey(weights, WANDA, calibration=everything).set_index("layer")
    pruner = Pruner(copy.deepcopy(model), WANDA, 1, calibration=path)
    pruner.step()
    for name, activations in everything.items():
        matrix = model.get_parameter(name).detach().numpy()
        mask = prune_mask(matrix, 0.5, method="wanda", activations=activations)
        assert np.array_equal(prune_mask(matrix, 0.5, method="wanda", activations=opened.norms(name)), mask)
        assert not np.array_equal(prune_mask(matrix, 0.5, method="wanda", activations=opened[name]), mask)
        assert np.array_equal(pruner.mask(name), mask)
        assert table.threshold[name] == exact.threshold[name]
        lost = np.where(mask, 0, matrix)
        error = np.square(opened[name] @ lost.T).sum() / np.square(opened[name] @ matrix.T).sum()
        assert table.output_error[name] == pytest.approx(error, rel=1e-4)
    explorer = Explorer(WANDA, weights=str(weights), calibration=path)
    explorer.wait()
    ranks = np.frombuffer(explorer._parts.live.layer["ranks"], "<u2").reshape(32, 12)
    scores = importance(model[0].weight.detach().numpy(), "wanda", DATA.numpy())
    assert np.array_equal(ranks, prune_order(scores, WANDA.pattern).ranks())
    assert explorer._parts.live.layer["errors"]
    assert explorer.errors == []
    explorer.close()


@pytest.mark.parametrize(
    "batches",
    [
        [(DATA, torch.zeros(1000))],
        [[DATA, "label"]],
        [{"input": DATA}],
        (batch for batch in [DATA]),
        torch.utils.data.DataLoader(torch.utils.data.TensorDataset(DATA), batch_size=1000),
    ],
    ids=["pair", "list", "dict", "generator", "loader"],
)
def test_batches_are_tensors_pairs_and_dicts(batches):
    found = calibrate(perceptron(), batches)
    assert np.array_equal(found.norms("0.weight"), input_norms(DATA.numpy()))


def test_other_batches_are_taken_by_forward():
    found = calibrate(
        perceptron(), [{"x": DATA.tolist()}], forward=lambda model, batch: model(torch.tensor(batch["x"]))
    )
    assert np.array_equal(found.norms("0.weight"), input_norms(DATA.numpy()))


def test_the_model_is_left_as_it_was():
    model = perceptron().train()
    model[2].eval()
    before, state = copy.deepcopy(model.state_dict()), torch.get_rng_state()
    loader = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(DATA), batch_size=100, shuffle=True)
    calibrate(model, loader)
    assert [module.training for module in model.modules()] == [True, True, True, False, True]
    assert all(torch.equal(before[name], value) for name, value in model.state_dict().items())
    assert torch.equal(torch.get_rng_state(), state)
    assert not any(module._forward_hooks for module in model.modules())
    assert torch.is_grad_enabled()
    assert torch.backends.mha.get_fastpath_enabled()


def test_the_model_is_left_as_it_was_when_something_fails():
    model = perceptron()
    with pytest.raises(RuntimeError, match="shapes cannot be multiplied"):
        calibrate(model, [DATA, drawn(4, 5)])
    assert model.training
    assert not any(module._forward_hooks for module in model.modules())


class Tied(nn.Module):
    """Two layers with one weight, the first of which is called twice."""

    def __init__(self):
        super().__init__()
        self.a, self.b, self.unused = nn.Linear(6, 6), nn.Linear(6, 6), nn.Linear(6, 6)
        self.b.weight = self.a.weight

    def forward(self, x):
        return self.b(self.a(self.a(x)))


def test_all_calls_of_all_layers_with_one_tensor_count():
    model, x = Tied(), drawn(50, 6)
    found = calibrate(model, [x], rows=1000)
    with torch.no_grad():
        calls = [x, model.a(x), model.a(model.a(x))]
    assert found.names == ["a.weight"]
    assert np.array_equal(found["a.weight"], torch.cat(calls).numpy())
    assert found.skipped == {"unused.weight": NEVER}


NEVER = "its layer was never called by these batches, or what has it computes with the weights by itself"


class Odd(nn.Module):
    """Layers of which there is nothing to collect."""

    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(10, 16)
        self.attention = nn.MultiheadAttention(16, 2, batch_first=True)
        self.rnn = nn.LSTM(16, 16, batch_first=True)
        self.depthwise = nn.Conv1d(16, 16, 3, groups=16, padding=1)
        self.up = nn.ConvTranspose1d(16, 16, 2)
        self.experts = nn.Module()
        self.experts.up_proj = nn.Parameter(torch.zeros(3, 4, 16))
        self.scaled = nn.utils.parametrizations.weight_norm(nn.Linear(16, 16))
        self.table = nn.Parameter(torch.arange(4).reshape(2, 2), requires_grad=False)
        self.fc = nn.Linear(16, 4)
        self.head = nn.Linear(4, 10)

    def forward(self, tokens):
        x = self.embed(tokens)
        x = self.rnn(self.attention(x, x, x)[0])[0]
        x = self.up(self.depthwise(x.movedim(1, 2))).movedim(1, 2)
        return self.head(self.fc(self.scaled(x)))


def test_what_cannot_be_seen_is_listed_with_the_reason():
    batches = [torch.arange(20).reshape(2, 10) % 10]
    found = calibrate(Odd(), batches)
    by_itself = "computes with it by itself: no layer is called whose input could be seen"
    assert found.names == ["fc.weight"]
    assert found.skipped == {
        "table": "torch.int64 is quantized or no weight: calibrate before quantizing",
        "embed.weight": "left whole: its layer is an Embedding, and skip_embed_layers is on",
        "attention.in_proj_weight": f"MultiheadAttention {by_itself}",
        "rnn.weight_ih_l0": f"LSTM {by_itself}",
        "rnn.weight_hh_l0": f"LSTM {by_itself}",
        "depthwise.weight": "Conv1d in 16 groups: each has inputs of its own, and a mask one norm for each column",
        "up.weight": "ConvTranspose1d: what enters a transposed convolution is not unfolded here",
        "experts.up_proj": "Module has its experts in one tensor: no layer is called for one of them",
        "scaled.parametrizations.weight.original0": "a part of a parametrization, not a weight itself",
        "scaled.parametrizations.weight.original1": "a part of a parametrization, not a weight itself",
        "head.weight": "left whole: 'head' is in its name, and skip_embed_layers is on",
        "attention.out_proj.weight": NEVER,
    }
    heads = calibrate(Odd(), batches, skip_embed_layers=False)
    assert heads.names == ["fc.weight", "head.weight"]
    assert heads.skipped["embed.weight"] == "Embedding: looks its rows up and multiplies nothing"


class Padded(nn.Conv2d):
    def forward(self, x):
        return super().forward(functional.pad(x, (1, 0, 1, 0)))


def test_a_convolution_with_a_forward_of_its_own_is_listed():
    model = nn.Sequential(Padded(1, 1, 2), nn.Flatten(), nn.Linear(16, 2))
    found = calibrate(model, [drawn(3, 1, 4, 4)])
    assert found.names == ["2.weight"]
    assert "has a forward of its own" in found.skipped["0.weight"]


def test_layers_of_an_encoder_are_seen_although_torch_has_a_quicker_way_for_them():
    layer = nn.TransformerEncoderLayer(16, 2, 32, batch_first=True)
    found = calibrate(nn.TransformerEncoder(layer, 2, enable_nested_tensor=False), [drawn(2, 5, 16)])
    assert found.names == [f"layers.{i}.linear{j}.weight" for i in (0, 1) for j in (1, 2)]


@pytest.mark.filterwarnings("ignore::DeprecationWarning:torch")  # what torch.compile imports warns of itself
def test_wrapped_models_have_the_names_of_the_plain_ones():
    model = perceptron()
    plain = calibrate(model, BATCHES)
    for wrapped in (torch.compile(model), nn.DataParallel(model)):
        found = calibrate(wrapped, BATCHES)
        assert found.names == plain.names
        assert np.array_equal(found.norms("3.weight"), plain.norms("3.weight"))
    model[0].compile()
    assert np.array_equal(calibrate(model, BATCHES).norms("3.weight"), plain.norms("3.weight"))


def test_under_autocast_the_rows_are_those_that_enter():
    model = perceptron()
    with torch.autocast("cpu", torch.bfloat16):
        found = calibrate(model, BATCHES, rows=1000)
    assert np.array_equal(found["0.weight"], DATA.numpy())
    assert np.array_equal(found["3.weight"], found["3.weight"].astype(ml_dtypes.bfloat16))
    assert np.array_equal(found.norms("3.weight"), input_norms(found["3.weight"]))


def test_progress_is_told_and_may_end_the_work():
    heard = []
    calibrate(perceptron(), BATCHES[:3], progress=lambda *told: heard.append(told))
    calibrate(perceptron(), iter(BATCHES[:1]), progress=lambda *told: heard.append(told))
    assert heard == [(1, 3), (2, 3), (3, 3), (1, None)]
    model = perceptron()
    with pytest.raises(ZeroDivisionError):
        calibrate(model, BATCHES, progress=lambda done, total: done / 0)
    assert not any(module._forward_hooks for module in model.modules())
    calibrate(perceptron(), BATCHES[:1], progress=True)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"batches": []}, "no batch came: batches is empty, or an iterator that is used up"),
        ({"batches": DATA}, r"batches is a list or a loader of batches, not one Tensor: pass \[batch\]"),
        ({"batches": {"input": DATA}}, r"not one dict: pass \[batch\]"),
        ({"batches": 5}, "not one int"),
        ({"batches": ["text"]}, "a batch is a tensor, .* not .*str.*: pass forward="),
        ({"batches": [[]]}, "a batch is a tensor"),
        ({"batches": [["text", 1]]}, "not list that starts with str"),
        ({"rows": -1}, "rows is how many activations are kept of each layer, 0 or more, not -1"),
        ({"path": "a.npz"}, r"a\.npz: calibration data is written as \.safetensors"),
        ({"model": nn.Sequential(nn.ReLU())}, "nothing entered a layer that can be pruned .the model has no weights"),
        ({"model": nn.Embedding(5, 5), "batches": [torch.tensor([1])]}, "nothing entered .*'weight': left whole"),
    ],
)
def test_what_cannot_be_done_is_refused_with_the_reason(changes, words):
    given = {"model": perceptron(), "batches": BATCHES} | changes
    with pytest.raises(WeightsError, match=words):
        calibrate(given.pop("model"), given.pop("batches"), **given)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_values_that_are_no_numbers_are_found_with_layer_and_batch(value):
    data = [batch.clone() for batch in BATCHES]
    data[2][5, 3] = value
    words = r"'0\.weight': what enters its layer in batches\[2\]: 1 of 12 columns have NaN or infinity"
    with pytest.raises(WeightsError, match=words):
        calibrate(perceptron(), data)


def test_a_file_is_overwritten_only_when_that_is_said(tmp_path):
    path, model = tmp_path / "a.safetensors", perceptron()
    path.write_bytes(b"before")

    def forward(model, batch):
        raise AssertionError("asked before the work")

    with pytest.raises(FileExistsError, match="exists already: pass overwrite=True"):
        calibrate(model, BATCHES, path, forward=forward)
    with pytest.raises(FileNotFoundError, match="create that folder first"):
        calibrate(model, BATCHES, tmp_path / "none" / "a.safetensors", forward=forward)
    assert path.read_bytes() == b"before"
    calibrate(model, BATCHES, path, overwrite=True)
    assert load_calibration(path).names == ["0.weight", "3.weight"]
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.safetensors"]


def test_a_failure_leaves_no_file(tmp_path):
    with pytest.raises(RuntimeError):
        calibrate(perceptron(), [DATA, drawn(4, 5)], tmp_path / "a.safetensors")
    assert list(tmp_path.iterdir()) == []


def test_the_document_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    text = (Path(__file__).parents[2] / "docs" / "calibration.md").read_text("utf-8")
    (example,) = re.findall(r"^```python\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    scope = {}
    exec(example.replace("Explorer(", "explorer = Explorer(", 1), scope)
    assert scope["table"].achieved.tolist() == [0.5, 0.5]
    assert scope["explorer"].errors == []
    scope["explorer"].close()


@pytest.mark.filterwarnings("ignore:Lazy modules are a new feature")
def test_a_layer_without_a_shape_yet_is_listed():
    data = calibrate(nn.Sequential(nn.Linear(4, 8), nn.LazyLinear(3)), [torch.randn(5, 4)])
    assert list(data) == ["0.weight"]
    assert data.skipped["1.weight"] == "has no shape yet: run the model once on a batch"
