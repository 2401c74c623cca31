"""A pruned checkpoint: the weights are those of the masks, and every other byte is what it was."""

import json
import zipfile
from pathlib import Path

import ml_dtypes
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors import safe_open

from entrenar_viz import (
    NM,
    Block,
    Column,
    Gradual,
    OneShot,
    PruningConfig,
    Row,
    StepError,
    Unstructured,
    WeightsError,
    iter_survey,
    load_weights,
    prune_checkpoint,
    prune_mask,
    sample_calibration,
)
from entrenar_viz.masks import bands
from entrenar_viz.model_pruning import layer as layer_module
from entrenar_viz.models.layout import layout_of
from tests.model_pruning.models import (
    FLOAT_FORMATS,
    HALF,
    RNG,
    as_entries,
    checkpoint,
    drawn,
    entry,
    write_safetensors,
)
from tests.strategies import FRACTIONS, patterns

DIGITS = Path(layer_module.__file__).parents[1] / "models" / "sample_data" / "digits.safetensors"
METHODS = ("magnitude", "wanda", "sparse_gpt")


def bits(values):
    return np.ascontiguousarray(values).view(f"u{values.dtype.itemsize}")


def arrays_in(path):
    """All arrays of a file, by numpy or by the bytes of a .safetensors file with a hand-written header."""
    if path.suffix == ".npz":
        with np.load(path) as archive:
            return dict(archive)
    if path.suffix == ".npy":
        return {path.stem: np.load(path)}
    content = path.read_bytes()
    length = int.from_bytes(content[:8], "little")
    kinds = {"F32": "float32", "F16": "float16", "F64": "float64", "BF16": "bfloat16", "I64": "int64"}
    kinds |= {"F8_E4M3": "float8_e4m3fn", "F8_E5M2": "float8_e5m2"}
    kinds |= {"F8_E4M3FNUZ": "float8_e4m3fnuz", "F8_E5M2FNUZ": "float8_e5m2fnuz"}
    found = {}
    for name, one in json.loads(content[8 : 8 + length]).items():
        if name != "__metadata__" and one["dtype"] in kinds:
            begin, end = one["data_offsets"]
            kind = getattr(ml_dtypes, kinds[one["dtype"]], kinds[one["dtype"]])
            found[name] = np.frombuffer(content[8 + length + begin : 8 + length + end], kind).reshape(one["shape"])
    return found


def expected(name, values, sparsity, pattern, **arguments):
    """The bits of the tensor after pruning, by the dense masks of its matrices; WeightsError if they cannot be."""
    layout = layout_of(name, values.shape)
    pruned = []
    for matrix in values if layout.experts else values[None]:
        turned = layout.turned(matrix)
        mask = prune_mask(turned.astype(np.float32), sparsity, pattern, **arguments)
        pruned.append(layout.back(np.where(mask, bits(turned), bits(turned).dtype.type(0))))
    return np.stack(pruned) if layout.experts else pruned[0]


def expected_or_none(name, values, sparsity, pattern):
    """The same, None where no weight goes."""
    try:
        layout = layout_of(name, values.shape)
        turned = layout.turned(values[0] if layout.experts else values)
        ones = prune_mask(np.ones_like(turned, np.float32), sparsity, pattern)  # counts do not depend on the weights
        return None if ones.all() or not np.float32(sparsity) else expected(name, values, sparsity, pattern)
    except WeightsError:
        return None


def config(pattern=Unstructured(), sparsity=0.5, **fields):  # noqa: B008 - frozen
    return PruningConfig(target_sparsity=sparsity, pattern=pattern, **fields)


# The numbers ---------------------------------------------------------------------------------------------------------


SIDES = {  # dimensions by names that say how a tensor lies
    **{"fc.weight": 2, "fc.kernel": 2, "mlp.experts": 3, "experts.kernel": 3, "conv.weight": 4, "conv.kernel": 4},
    **{"attention.query.kernel": 3, "attention.out.kernel": 3, "depthwise.kernel": 4, "conv2d_transpose.kernel": 4},
}
NUMPY_FORMATS = ["float16", "float32", "float64"]  # .npy forgets the others


@st.composite
def tensors(draw):
    """A name that says how the tensor lies, weights of any format, and the kind of a file that they go into."""
    name, form = draw(st.sampled_from(list(SIDES))), draw(st.sampled_from(["safetensors", "npz"]))
    shape = draw(st.tuples(*[st.integers(1, 24 if SIDES[name] == 2 else 5)] * SIDES[name]))
    return name, drawn(shape, draw(st.sampled_from(NUMPY_FORMATS if form == "npz" else FLOAT_FORMATS))), form


def pruned_in_bands_of(size, *arguments):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(layer_module, "BAND", size)
        patch.setattr(layer_module, "TURNED_BAND", size)
        return prune_checkpoint(*arguments)


@given(tensors(), patterns(), FRACTIONS, st.sampled_from([1, 64, 1 << 18]))
@settings(max_examples=250)
def test_the_weights_are_those_of_the_masks_bit_for_bit(tmp_path_factory, named, pattern, sparsity, size):
    name, weights, form = named
    folder = tmp_path_factory.mktemp("any")
    source, output = folder / f"in.{form}", folder / f"out.{form}"
    arrays = {"bias": drawn(7, "float32"), name: weights, "steps": np.arange(5)}
    if form == "npz":
        np.savez(source, **arrays)
    else:
        write_safetensors(source, as_entries(arrays), {"format": "pt"})
    want = expected_or_none(name, weights, sparsity, pattern)
    if want is None:
        with pytest.raises(WeightsError):
            pruned_in_bands_of(size, source, config(pattern, sparsity), output)
        assert list(folder.iterdir()) == [source]
        return
    pruned = pruned_in_bands_of(size, source, config(pattern, sparsity), output)
    got = arrays_in(output)
    assert list(got) == list(arrays)
    assert np.array_equal(bits(got[name]), want)
    assert np.array_equal(bits(got["bias"]), bits(arrays["bias"]))
    assert np.array_equal(got["steps"], arrays["steps"])
    assert sum(one.zeros for one in pruned.layers) == np.count_nonzero(got[name] == 0)


@pytest.mark.parametrize("dtype", FLOAT_FORMATS)
@pytest.mark.parametrize("pattern", [Unstructured(), NM(n=1, m=4), Block(height=2, width=2), Row(), Column()])
def test_only_bytes_of_pruned_weights_change_in_the_file(tmp_path, dtype, pattern):
    weights = drawn((8, 12), dtype)
    exotic = {
        "scales": entry("F8_E8M0", (3,), b"\x00\x7f\xff"),
        "fc.weight": as_entries({"w": weights})["w"],
        "packed": entry("F4", (2, 4), b"\x01\x23\x45\x67"),
        "ids": entry("I64", (1, 2), bytes(range(16))),
        "flags": entry("BOOL", (2, 2), b"\x01\x00\x01\x01"),
    }
    source = write_safetensors(tmp_path / "in.safetensors", exotic, {"b": "2", "a": "1"})
    pruned = prune_checkpoint(source, config(pattern), tmp_path / "out.safetensors")
    before, after = source.read_bytes(), pruned.path.read_bytes()
    start = before.index(weights.tobytes())
    end = start + weights.nbytes
    assert after[:start] == before[:start]
    assert after[end:] == before[end:]
    mask = prune_mask(weights.astype(np.float32), 0.5, pattern)
    assert after[start:end] == (bits(weights) * mask).tobytes()
    (layer,) = pruned.layers
    assert layer.achieved == np.count_nonzero(~mask) / mask.size


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("within", ["tensor", "row"])
def test_methods_and_their_calibration(tmp_path, method, within):
    calibration = sample_calibration("digits network")
    given = None if method == "magnitude" else {name: calibration[name] for name in calibration}
    settings = config(sparsity=0.7, method=method)
    pruned = prune_checkpoint(DIGITS, settings, tmp_path / "out.safetensors", calibration=given, within=within)
    before, after = load_weights(DIGITS), load_weights(pruned.path)
    for name in before:
        inputs = None if given is None else given[name]
        mask = prune_mask(before[name], 0.7, method=method, activations=inputs, within=within)
        assert np.array_equal(after[name], np.where(mask, before[name], 0))


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("dtype", ["float32", ">f4", ">f8", "float16"])
@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_arrays_of_numpy_keep_their_order_format_and_packing(tmp_path, order, dtype, save):
    shapes = {"fc.kernel": (6, 8), "conv.kernel": (3, 2, 4, 6), "w": (6, 4), "deep": (4, 3, 2, 2)}
    arrays = {name: np.array(RNG.standard_normal(shape), dtype, order=order) for name, shape in shapes.items()}
    save(tmp_path / "in.npz", **arrays, count=np.int64(3))
    pruned = prune_checkpoint(tmp_path / "in.npz", HALF, tmp_path / "out.npz")
    got = arrays_in(pruned.path)
    assert list(got) == [*arrays, "count"]
    for name, values in arrays.items():
        assert got[name].dtype == values.dtype
        assert got[name].flags.f_contiguous == values.flags.f_contiguous
        native = values.astype(values.dtype.newbyteorder("="))
        np.testing.assert_array_equal(bits(got[name].astype(native.dtype)), expected(name, native, 0.5, Unstructured()))
    with zipfile.ZipFile(tmp_path / "in.npz") as old, zipfile.ZipFile(pruned.path) as new:
        kept = [(one.filename, one.compress_type, one.file_size, one.date_time) for one in old.infolist()]
        assert [(one.filename, one.compress_type, one.file_size, one.date_time) for one in new.infolist()] == kept


def test_an_npy_file(tmp_path):
    np.save(tmp_path / "in.npy", RNG.standard_normal((9, 7)))
    pruned = prune_checkpoint(tmp_path / "in.npy", HALF, tmp_path / "out.npy")
    assert [layer.layer for layer in pruned.layers] == ["in"]
    before, after = np.load(tmp_path / "in.npy"), np.load(tmp_path / "out.npy")
    assert np.array_equal(after, np.where(prune_mask(before, 0.5), before, 0))
    assert (tmp_path / "in.npy").stat().st_size == (tmp_path / "out.npy").stat().st_size


def test_experts_in_fortran_order_are_refused(tmp_path):
    np.savez(tmp_path / "in.npz", **{"mlp.experts": np.asfortranarray(RNG.standard_normal((2, 3, 4)))})
    with pytest.raises(WeightsError, match=r"'mlp.experts\[0\]': is in Fortran order.*ascontiguousarray"):
        prune_checkpoint(tmp_path / "in.npz", HALF, tmp_path / "out.npz")
    assert [path.name for path in tmp_path.iterdir()] == ["in.npz"]


def test_experts_are_pruned_one_by_one(tmp_path):
    experts = drawn((3, 4, 6))
    experts[1, 2, 3] = np.nan
    source = write_safetensors(tmp_path / "in.safetensors", as_entries({"mlp.experts.up": experts}))
    pruned = prune_checkpoint(source, HALF, tmp_path / "out.safetensors")
    assert [layer.layer for layer in pruned.layers] == [f"mlp.experts.up[{i}]" for i in range(3)]
    assert [layer.is_whole for layer in pruned.layers] == [False, True, False]
    assert {layer.note for layer in pruned.layers} == {"one of 3 experts"}
    assert "'mlp.experts.up[1]': 1 of 24 weights are not finite" in pruned.layers[1].reason
    after = arrays_in(pruned.path)["mlp.experts.up"]
    assert np.array_equal(bits(after[1]), bits(experts[1]))
    assert np.array_equal(after[2], np.where(prune_mask(experts[2], 0.5), experts[2], 0))
    (entry,) = json.loads(pruned.metadata.read_text())["tensors"]
    assert entry["name"] == "mlp.experts.up"
    assert entry["zero_count"] == np.count_nonzero(after == 0)


@pytest.mark.parametrize("pattern", [NM(n=2, m=4), Unstructured(), Row()])
def test_a_layer_with_a_number_that_is_not_finite_at_its_end_is_not_touched(tmp_path, pattern, monkeypatch):
    monkeypatch.setattr(layer_module, "BAND", 8)
    broken = drawn((8, 8))
    broken[-1, -1] = np.inf
    source = write_safetensors(tmp_path / "in.safetensors", as_entries({"a": broken, "b": drawn((8, 8))}))
    pruned = prune_checkpoint(source, config(pattern), tmp_path / "out.safetensors")
    assert "at [7, 7]" in pruned.layers[0].reason
    assert np.array_equal(bits(arrays_in(pruned.path)["a"]), bits(broken))


# What is promised ----------------------------------------------------------------------------------------------------


def test_a_survey_of_turned_kernels_and_experts_confirms_it_too(tmp_path):
    arrays = {"fc.kernel": drawn((8, 12)), "mlp.experts": drawn((2, 4, 6)), "depthwise.kernel": drawn((3, 3, 2, 4))}
    source = write_safetensors(tmp_path / "in.safetensors", as_entries(arrays))
    pruned = prune_checkpoint(source, config(Row()), tmp_path / "out.safetensors")
    records = list(iter_survey(pruned.path, config(Row())))
    assert [one.kept_energy for one in records] == [1.0] * 4
    said = [(one.layer, one.shape, one.achieved, one.note) for one in records]
    assert said == [(one.layer, one.shape, one.achieved, one.note) for one in pruned.layers]


@pytest.mark.parametrize("pattern", [Unstructured(), NM(n=2, m=4), Block(height=2, width=4), Row(), Column()])
def test_a_survey_of_the_result_confirms_it_and_pruning_it_again_changes_nothing(tmp_path, pattern):
    settings = config(pattern, 0.6)
    pruned = prune_checkpoint(DIGITS, settings, tmp_path / "out.safetensors")
    for layer, record in zip(pruned.layers, iter_survey(pruned.path, settings), strict=True):
        assert (record.layer, record.achieved, record.asked) == (layer.layer, layer.achieved, layer.asked)
        assert (record.kept_energy, record.reason) == (1.0, layer.reason)
    for record, layer in zip(iter_survey(DIGITS, settings), pruned.layers, strict=True):
        assert (record.achieved, record.reason) == (layer.achieved, layer.reason)
    (tmp_path / "again").mkdir()
    again = prune_checkpoint(pruned.path, settings, tmp_path / "again" / "out.safetensors")
    assert again.path.read_bytes() == pruned.path.read_bytes()
    assert again.metadata.read_bytes() == pruned.metadata.read_bytes()


@pytest.mark.parametrize("steps", [None, 1300, 5000])
def test_the_sparsity_is_that_of_the_schedules_end(tmp_path, steps):
    missed = Gradual(start_step=1000, end_step=5000, initial_sparsity=0.0, final_sparsity=0.5, frequency=300)
    pruned = prune_checkpoint(DIGITS, PruningConfig(schedule=missed), tmp_path / "o.safetensors", total_steps=steps)
    assert {layer.asked for layer in pruned.layers} == {0.0375 if steps == 1300 else 0.4875}


def test_the_metadata_is_what_the_exporter_writes(tmp_path):
    source = write_safetensors(
        tmp_path / "in.safetensors",
        as_entries({"z": np.array([[1.0, 2.0], [3.0, 4.0]], np.float32), "bias": np.array([0.0, 1.0, 2.0], np.float32)})
        | {"ids": entry("I64", (1,), bytes(8)), "ä": entry("F32", (0,), b"")},
    )
    pruned = prune_checkpoint(source, HALF, tmp_path / "out.safetensors")
    assert pruned.metadata == tmp_path / "sparsity_metadata.json"
    assert pruned.metadata.read_text("utf-8") == (
        '{\n  "version": "1.0",\n  "global_sparsity": 0.42857143,\n  "total_parameters": 7,\n'
        '  "parameters_pruned": 3,\n  "tensors": [\n    {\n      "name": "bias",\n      "sparsity": 0.33333334,\n'
        '      "zero_count": 1,\n      "total_count": 3\n    },\n    {\n      "name": "z",\n      "sparsity": 0.5,\n'
        '      "zero_count": 2,\n      "total_count": 4\n    },\n    {\n      "name": "ä",\n      "sparsity": 0.0,\n'
        '      "zero_count": 0,\n      "total_count": 0\n    }\n  ]\n}'
    )
    assert (pruned.global_sparsity, pruned.total_parameters) == (3 / 7, 7)


def test_what_cannot_be_pruned_is_left_whole_with_the_reason(tmp_path):
    arrays = {"embed.weight": drawn((4, 4)), "odd": drawn((3, 5)), "fits": drawn((4, 4)), "norm": drawn(4)}
    source = write_safetensors(tmp_path / "in.safetensors", as_entries(arrays))
    pruned = prune_checkpoint(source, config(NM(n=2, m=4)), tmp_path / "out.safetensors")
    assert [(layer.layer, layer.achieved) for layer in pruned.layers] == [
        ("embed.weight", 0),
        ("odd", 0),
        ("fits", 0.5),
    ]
    embed, odd, fits = pruned.layers
    assert embed.reason == "left whole: 'embed' is in its name, and skip_embed_layers is on"
    assert odd.reason == "2:4 does not fit: length 15 must be divisible by m = 4"
    assert fits.reason == ""
    got = arrays_in(pruned.path)
    assert all(np.array_equal(bits(got[name]), bits(arrays[name])) for name in ("embed.weight", "odd", "norm"))
    assert embed.zeros == np.count_nonzero(arrays["embed.weight"] == 0)


def test_a_layer_without_calibration_data_is_left_whole(tmp_path):
    source = write_safetensors(tmp_path / "in.safetensors", as_entries({"a": drawn((4, 4)), "b": drawn((4, 4))}))
    pruned = prune_checkpoint(
        source, config(method="wanda"), tmp_path / "out.safetensors", calibration={"a": np.ones(4)}
    )
    assert [layer.reason for layer in pruned.layers] == [
        "ties: 1 more weights share the last score to go" if pruned.layers[0].reason else "",
        "wanda needs calibration data, which has nothing for this layer",
    ]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (config(schedule=OneShot(step=0), sparsity=0.0), "there is nothing to prune: the schedule ends with 0%"),
        (config(NM(n=1, m=5)), "no weight would be pruned .*1:5 does not fit"),
        (config(sparsity=0.01), "no weight would be pruned .*rounded down to whole weights: 0 of 16 go"),
        (config(method="wanda"), "wanda needs calibration data"),
        (config(method="minitron_width"), "minitron_width"),
    ],
)
def test_a_run_in_which_nothing_is_pruned_writes_nothing(tmp_path, settings, message):
    source = write_safetensors(tmp_path / "in.safetensors", as_entries({"a": drawn((4, 4))}))
    with pytest.raises(WeightsError, match=message):
        prune_checkpoint(source, settings, tmp_path / "out.safetensors")
    assert [path.name for path in tmp_path.iterdir()] == ["in.safetensors"]


def test_steps_that_are_none_are_refused(tmp_path):
    with pytest.raises(StepError):
        prune_checkpoint(DIGITS, HALF, tmp_path / "out.safetensors", total_steps=1.5)


# Checkpoints in folders ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("given", ["", "model.safetensors.index.json"])
def test_shards_index_and_the_files_beside_them(tmp_path, given):
    source, output = checkpoint(tmp_path / "llama"), tmp_path / "pruned"
    pruned = prune_checkpoint(source / given, HALF, output)
    assert {str(path.relative_to(output)) for path in output.rglob("*") if path.is_file()} == {
        *("model-1.safetensors", "more/model-2.safetensors", "model.safetensors.index.json"),
        *("config.json", "tokenizer.json", "blob", "sparsity_metadata.json"),
    }
    assert pruned.copied == ("blob", "config.json", "tokenizer.json")
    assert pruned.not_copied == {
        "adapter.safetensors": "other weights, not part of this checkpoint",
        "onnx": "a folder",
        "pytorch_model.bin": "other weights, not part of this checkpoint",
        "pytorch_model.bin.index.json": "the index of other weights",
    }
    for name in ("model.safetensors.index.json", "config.json", "tokenizer.json"):
        assert (output / name).read_bytes() == (source / name).read_bytes()
    assert not (output / "tokenizer.json").is_symlink()
    before, after = load_weights(source), load_weights(output)
    assert [layer.layer for layer in pruned.layers] == before.names == after.names
    assert [layer.is_whole for layer in pruned.layers] == [name.startswith("model.embed") for name in before]
    for layer in pruned.layers:
        weights = before[layer.layer]
        mask = np.ones(weights.shape, bool) if layer.is_whole else prune_mask(weights, 0.5)
        assert np.array_equal(after[layer.layer], np.where(mask, weights, 0))
    with safe_open(output / "model-1.safetensors", "numpy") as file:
        assert file.metadata() == {"format": "pt"}
    names = [one["name"] for one in json.loads(pruned.metadata.read_text())["tensors"]]
    assert names == sorted([*before.names, "h.1.bias"])


def test_shards_without_an_index(tmp_path):
    (tmp_path / "model").mkdir()
    for number in (1, 2):
        path = tmp_path / "model" / f"model-0000{number}-of-00002.safetensors"
        write_safetensors(path, as_entries({f"h.{number}": drawn((4, 4))}))
    pruned = prune_checkpoint(tmp_path / "model", HALF, tmp_path / "out")
    assert [layer.layer for layer in pruned.layers] == ["h.1", "h.2"]
    assert load_weights(pruned.path).names == ["h.1", "h.2"]
    assert len(list(pruned.path.iterdir())) == 3


def test_a_folder_with_one_file(tmp_path):
    (tmp_path / "digits").mkdir()
    (tmp_path / "digits" / "model.safetensors").write_bytes(DIGITS.read_bytes())
    pruned = prune_checkpoint(tmp_path / "digits", HALF, tmp_path / "out")
    assert sorted(path.name for path in pruned.path.iterdir()) == ["model.safetensors", "sparsity_metadata.json"]


def test_what_links_lead_to_is_read_and_copied(tmp_path):
    """The cache of Hugging Face keeps the files of a checkpoint as links to another folder."""
    checkpoint(tmp_path / "blobs")
    (tmp_path / "snapshot").mkdir()
    for path in (tmp_path / "blobs").iterdir():
        (tmp_path / "snapshot" / path.name).symlink_to(path)
    pruned = prune_checkpoint(tmp_path / "snapshot", HALF, tmp_path / "out")
    assert not any(path.is_symlink() for path in pruned.path.rglob("*"))
    assert load_weights(pruned.path).names == load_weights(tmp_path / "blobs").names


# Progress and cancelling ---------------------------------------------------------------------------------------------


def test_progress_is_told_after_each_layer(tmp_path):
    told = []
    pruned = prune_checkpoint(
        DIGITS, HALF, tmp_path / "out.safetensors", progress=lambda *arguments: told.append(arguments)
    )
    assert told == [(i + 1, 3, layer) for i, layer in enumerate(pruned.layers)]


def test_a_bar_of_tqdm(tmp_path, capsys):
    prune_checkpoint(DIGITS, HALF, tmp_path / "out.safetensors", progress=True)
    assert "3/3" in capsys.readouterr().err


@pytest.mark.parametrize("is_folder", [False, True])
@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError])
def test_a_run_that_is_cancelled_leaves_nothing_behind(tmp_path, error, is_folder):
    def cancel(done, _total, _layer):
        if done == 2:
            raise error

    source = checkpoint(tmp_path / "llama") if is_folder else DIGITS
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(error):
        prune_checkpoint(source, HALF, tmp_path / ("out" if is_folder else "out.safetensors"), progress=cancel)
    assert sorted(tmp_path.rglob("*")) == before


def test_a_file_that_changes_meanwhile_is_noticed(tmp_path):
    source = write_safetensors(tmp_path / "in.safetensors", as_entries({"a": drawn((8, 8)), "b": drawn((8, 8))}))
    np.savez(tmp_path / "in.npz", a=drawn((8, 8)), b=drawn((8, 8)))

    def change(done, _total, _layer):
        with (tmp_path / "in.npz").open("ab") as file:
            file.write(b"more")

    with pytest.raises(WeightsError, match=r"in\.npz: has changed since it was opened"):
        prune_checkpoint(tmp_path / "in.npz", HALF, tmp_path / "out.npz", progress=change)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.npz", source.name]


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_an_archive_that_is_damaged_is_refused(tmp_path, save):
    save(tmp_path / "in.npz", a=drawn((64, 64)), b=drawn((8, 8)))
    content = bytearray((tmp_path / "in.npz").read_bytes())
    content[2000] ^= 255
    (tmp_path / "in.npz").write_bytes(content)
    with pytest.raises(WeightsError, match=r"in\.npz: 'a\.npy': "):
        prune_checkpoint(tmp_path / "in.npz", HALF, tmp_path / "out.npz")
    assert [path.name for path in tmp_path.iterdir()] == ["in.npz"]


def test_bands_of_the_masks_are_those_of_the_survey():
    assert layer_module.BAND == bands.BAND
