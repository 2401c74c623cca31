"""Calibration data: what is read is right, and what does not fit is refused with file, tensor and reason."""

from pathlib import Path

import ml_dtypes
import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

import entrenar_viz
from entrenar_viz import WeightsError, load_calibration, load_weights, prune_mask, sample, sample_calibration
from entrenar_viz.masks.activations import input_norms
from entrenar_viz.masks.calibration import Calibration
from entrenar_viz.masks.scores import importance

DIGITS = Path(entrenar_viz.__file__).parent / "models" / "sample_data" / "digits_calibration.safetensors"
RNG = np.random.default_rng(128)
ARRAYS = {
    "fc1.weight": RNG.standard_normal((20, 6)).astype(np.float32),
    "fc2.weight": RNG.gamma(2, size=4).astype(np.float32),
}
WEIGHTS = {"fc1.weight": RNG.standard_normal((4, 6)), "fc2.weight": RNG.standard_normal((2, 4)), "fc2.bias": np.ones(2)}


def saved(folder, arrays, suffix):
    path = folder / f"calibration{suffix}"
    if suffix == ".npz":
        np.savez(path, **arrays)
    else:
        save_file(arrays, path)
    return path


@pytest.mark.parametrize("suffix", [".npz", ".safetensors", None])
def test_activations_and_norms_are_read_by_the_name_of_the_weights(tmp_path, suffix):
    calibration = load_calibration(saved(tmp_path, ARRAYS, suffix) if suffix else ARRAYS, load_weights(WEIGHTS))
    assert (list(calibration), len(calibration), calibration.names) == (list(ARRAYS), 2, list(ARRAYS))
    assert "fc1.weight" in calibration
    assert "fc2.bias" not in calibration
    for name, array in ARRAYS.items():
        assert calibration.shape(name) == array.shape
        assert np.array_equal(calibration[name], array)
        assert not calibration[name].flags.writeable
        assert array.flags.writeable
        scores = importance(WEIGHTS[name], "wanda", calibration[name])
        assert np.array_equal(scores, importance(WEIGHTS[name], "wanda", array))
    assert (
        prune_mask(WEIGHTS["fc1.weight"], 0.5, method="sparse_gpt", activations=calibration["fc1.weight"]).sum() == 12
    )


@pytest.mark.parametrize("dtype", [np.float16, np.float64, ml_dtypes.bfloat16, ml_dtypes.float8_e4m3fn])
def test_other_formats_become_float32(dtype):
    array = ARRAYS["fc1.weight"].astype(dtype)
    found = load_calibration({"a": array})["a"]
    assert found.dtype == np.float32
    assert np.array_equal(found, array.astype(np.float32))


def test_what_is_open_already_stays_open():
    calibration = load_calibration(ARRAYS)
    assert isinstance(calibration, Calibration)
    assert load_calibration(calibration) is calibration


def test_norms_of_all_rows_stand_beside_a_sample_of_them(tmp_path):
    everything = RNG.standard_normal((500, 6)).astype(np.float32)
    norms, some = input_norms(everything), everything[::10]
    path = saved(tmp_path, {"fc1.weight": some, "fc1.weight..norms": norms, "fc2.weight": ARRAYS["fc2.weight"]}, ".npz")
    calibration = load_calibration(path, load_weights(WEIGHTS))
    assert calibration.names == ["fc1.weight", "fc2.weight"]
    for one in (calibration, calibration.only("fc1.weight")):
        assert one.shape("fc1.weight") == (50, 6)
        assert np.array_equal(one["fc1.weight"], some)
        assert np.array_equal(one.for_method("fc1.weight", "wanda"), norms)
        assert np.array_equal(one.for_method("fc1.weight", "sparse_gpt"), some)
        assert one.for_method("fc1.weight", "magnitude") is None
    assert np.array_equal(calibration.norms("fc2.weight"), ARRAYS["fc2.weight"])


def test_without_them_the_norms_are_those_of_the_rows_that_are_there():
    assert np.array_equal(load_calibration(ARRAYS).norms("fc1.weight"), input_norms(ARRAYS["fc1.weight"]))


@pytest.mark.parametrize("norms", [np.ones(5), np.ones((2, 6)), np.ones(6, int)])
def test_norms_beside_activations_are_one_for_each_column(norms):
    words = r"arrays: 'a': 'a\.\.norms' beside it must have a norm for each of its 6 columns"
    with pytest.raises(WeightsError, match=words):
        load_calibration({"a": np.ones((20, 6)), "a..norms": norms})


def test_only_headers_are_read_at_first(tmp_path):
    path = saved(tmp_path, {"a": np.array([[1.0, np.nan]], np.float32), "b": np.array([1.0, -1.0])}, ".npz")
    calibration = load_calibration(path, load_weights({"a": np.ones((3, 2)), "b": np.ones((3, 2))}))
    for name, words in (("a", "1 of 2 activations are not finite"), ("b", "1 of 2 norms are negative")):
        with pytest.raises(WeightsError) as caught:
            _ = calibration[name]
        assert str(caught.value).startswith(f"{path}: '{name}': {words}")


@pytest.mark.parametrize(
    ("array", "words"),
    [
        (
            np.ones((20, 5)),
            r"'fc1\.weight' of shape \[4, 6\]: 5 columns for a layer of 6: pass the inputs of this layer",
        ),
        (np.ones((6, 20)), r"'fc1\.weight' of shape \[4, 6\]: 20 columns for a layer of 6: transpose them"),
        (np.ones(4), r"'fc1\.weight' of shape \[4, 6\]: 4 norms for a layer of 6 columns"),
        (np.ones((2, 10, 6)), r"'fc1\.weight': shape \[2, 10, 6\] is no matrix: .* reshape\(-1, 6\)"),
        (np.ones((0, 6)), r"'fc1\.weight': empty"),
        (np.float64(3), r"'fc1\.weight': a single number"),
        (np.ones((20, 6), int), r"'fc1\.weight': int64: activations are float16"),
    ],
)
def test_a_file_that_does_not_fit_is_refused_with_file_tensor_and_reason(tmp_path, array, words):
    path = saved(tmp_path, ARRAYS | {"fc1.weight": array}, ".npz")
    with pytest.raises(WeightsError, match=words) as caught:
        load_calibration(path, load_weights(WEIGHTS))
    assert str(caught.value).startswith(f"{path}: ")


def test_weights_that_keep_the_inputs_first_are_suspected():
    words = "4 columns for a layer of 6: pass the inputs of this layer.*; or these weights are .in, out., as of GPT-2"
    with pytest.raises(WeightsError, match=words):
        load_calibration({"fc1.weight": np.ones((20, 4))}, load_weights(WEIGHTS))


def test_files_and_models_may_each_have_tensors_that_the_other_has_not():
    calibration = load_calibration(
        ARRAYS | {"other.weight": np.ones(3)}, load_weights(WEIGHTS | {"fc3": np.ones((2, 2))})
    )
    with pytest.raises(WeightsError, match="arrays: has no activations for 'fc3', only for 'fc"):
        _ = calibration["fc3"]


def test_names_that_are_all_unknown_are_a_mistake():
    words = r"no name here is that of a weight tensor: 'fc2' here, 'a', 'b', 'c' and 2 more in arrays"
    with pytest.raises(WeightsError, match=words):
        load_calibration({"fc2": np.ones(4)}, load_weights(dict.fromkeys("abcde", np.ones((2, 4)))))


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ({}, "holds no activations"),
        ({None: np.ones(3)}, "names of tensors are text, not None"),
        (np.ones((3, 3)), "a path or a dict of arrays by name, not ndarray"),
        ("a.npy", r"\.npy has no names of tensors: save an \.npz"),
        ("a.pt", "a.pt: cannot be read: No such file"),
        ("nowhere.npz", "No such file"),
    ],
)
def test_what_is_no_calibration_data_is_refused(source, words):
    with pytest.raises(WeightsError, match=words):
        load_calibration(source)


def test_names_are_shown_as_text():
    with pytest.raises(WeightsError, match=r"'<img src=x\\n>': empty"):
        load_calibration({"<img src=x\n>": np.ones((0, 2))})


def test_the_sample_calibration_is_what_enters_the_layers_of_the_digits_network():
    layers = load_file(DIGITS.parent / "digits.safetensors")
    inputs = load_calibration(sample_calibration("digits network"), load_weights(sample("digits network")))
    pixels = inputs["fc1.weight"]
    assert pixels.shape == (128, 64)
    assert np.array_equal(pixels * 16, np.rint(pixels * 16))
    assert (pixels.min(), pixels.max()) == (0, 1)
    for layer, following in (("fc1", "fc2"), ("fc2", "fc3")):
        out = inputs[f"{layer}.weight"] @ layers[f"{layer}.weight"].T + layers[f"{layer}.bias"]
        np.testing.assert_allclose(inputs[f"{following}.weight"], np.maximum(out, 0), rtol=1e-4, atol=1e-5)


def test_the_sample_calibration_is_what_the_training_script_writes():
    pytest.importorskip("sklearn", reason="the images come with scikit-learn, the extra train")
    from benchmarks.train_digits import calibration, data

    made = calibration(load_file(DIGITS.parent / "digits.safetensors"), data()[0])
    stored = load_file(DIGITS)
    assert set(made) == set(stored) == set(sample_calibration("digits network"))
    assert np.array_equal(made["fc1.weight"], stored["fc1.weight"])
    for name, values in made.items():
        np.testing.assert_allclose(values, stored[name], rtol=1e-4, atol=1e-5)


def test_samples_that_are_no_network_have_no_calibration():
    with pytest.raises(WeightsError, match="'gaussian' is drawn at random: nothing enters it, use 'digits network'"):
        sample_calibration("gaussian")
    with pytest.raises(WeightsError, match="no sample is called 'mnist'"):
        sample_calibration("mnist")
    assert DIGITS.stat().st_size < 200_000
