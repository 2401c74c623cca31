"""Scores: the trainer's squares, both methods of calibration against their formulas, and plain refusals."""

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from entrenar_viz import METHODS, WeightsError
from entrenar_viz.masks.activations import input_norms, inverse_curvature
from entrenar_viz.masks.scores import importance

TINY = float(np.float32(1e-45))
WEIGHTS = st.one_of(st.sampled_from([0.0, -0.5, 3.0, TINY, 1e-20, 3e38]), st.floats(-1e3, 1e3, width=32))
ENTERING = st.one_of(st.sampled_from([0.0, TINY, 1e-30, 1e30]), st.floats(-1e3, 1e3, width=32))
RNG = np.random.default_rng(2306)


@st.composite
def layers(draw, elements=ENTERING):
    """Weights of one to four dimensions, and activations that fit them."""
    weights = draw(hnp.arrays(np.float32, hnp.array_shapes(max_dims=4, max_side=4), elements=WEIGHTS))
    columns = weights[0].size if weights.ndim > 1 else weights.size
    return weights, draw(hnp.arrays(np.float32, (draw(st.integers(1, 6)), columns), elements=elements))


def naive_norms(activations):
    return np.array([np.float32(np.sqrt(sum(float(x) ** 2 for x in column))) for column in activations.T])


def naive_curvature(activations):
    """By the definition, the inverse and all."""
    inputs = activations.astype(np.float64)
    hessian = inputs.T @ inputs / len(inputs)
    hessian += 0.01 * np.diag(hessian).mean() * np.eye(len(hessian))
    return np.diag(np.linalg.inv(hessian))


@given(hnp.arrays(np.float32, hnp.array_shapes(max_dims=4, max_side=5), elements={"allow_nan": False}))
def test_magnitude_is_the_square_in_float32(weights):
    if not np.isfinite(weights).all():
        with pytest.raises(WeightsError, match="not finite"):
            importance(weights)
        return
    scores = importance(weights)
    expected = (weights.astype(np.float64) ** 2).ravel()
    with np.errstate(all="ignore"):
        assert np.array_equal(scores.ravel(), expected.astype(np.float32))  # one rounding of the exact square
    assert scores.dtype == np.float32
    assert scores.shape == weights.shape


def test_float64_weights_are_rounded_before_they_are_squared():
    weight = 1.0 + 2.0**-24
    assert importance([[weight]])[0, 0] == np.float32(1.0)


def test_squares_beyond_float32_tie_instead_of_failing():
    scores = importance(np.array([[2e19, 3e38], [1e-30, 1e-40]], np.float32))
    assert scores.tolist() == [[np.inf, np.inf], [0, 0]]


@given(layers())
def test_wanda_is_the_magnitude_times_the_norm_of_the_input(layer):
    weights, activations = layer
    scores = importance(weights, "wanda", activations)
    norms = np.broadcast_to(naive_norms(activations), (weights.size // activations.shape[1], activations.shape[1]))
    with np.errstate(all="ignore"):
        expected = np.abs(weights.astype(np.float64)).ravel() * norms.ravel().astype(np.float64)
        rounded = expected.astype(np.float32)  # one rounding of the exact product
    assert np.array_equal(scores.ravel(), rounded)
    assert (scores.dtype, scores.shape) == (np.float32, weights.shape)


@given(layers())
def test_stored_norms_give_the_scores_of_the_activations_bit_by_bit(layer):
    weights, activations = layer
    stored = importance(weights, "wanda", input_norms(activations))
    assert np.array_equal(stored, importance(weights, "wanda", activations))


def test_norms_are_summed_in_float64():
    spread = np.full((100_000, 1), 0.1, np.float32)
    spread[0] = 3000  # in float32 the small squares beside it are lost
    assert input_norms(spread)[0] == np.float32(np.sqrt(np.square(spread.astype(np.float64)).sum()))
    assert input_norms(spread)[0] > 3000
    assert input_norms(np.full((4, 1), 1e38, np.float32)) == np.float32(2e38)  # its square is beyond float32


def test_wanda_ties_where_the_product_leaves_float32():
    scores = importance(np.array([[3e38, 1e-30, 0.0]], np.float32), "wanda", np.array([1e30, 1e-30, 3e38]))
    assert scores.tolist() == [[np.inf, 0, 0]]


@settings(deadline=None)  # the first example loads scipy
@given(layers(st.floats(-100, 100, width=16)))
def test_sparse_gpt_is_the_square_over_the_diagonal_of_the_inverse(layer):
    weights, activations = layer
    if not activations.any():
        with pytest.raises(WeightsError, match="is singular"):
            importance(weights, "sparse_gpt", activations)
        return
    scores = importance(weights, "sparse_gpt", activations)
    columns = activations.shape[1]
    with np.errstate(all="ignore"):
        expected = (importance(weights).reshape(-1, columns) / naive_curvature(activations)).astype(np.float32)
    np.testing.assert_allclose(scores.reshape(-1, columns), expected, rtol=1e-6, atol=TINY)
    assert (scores.dtype, scores.shape) == (np.float32, weights.shape)


@pytest.mark.parametrize(("samples", "columns"), [(1, 7), (5, 40), (300, 40), (700, 1300)])
def test_the_curvature_in_bands_is_the_definition(samples, columns, monkeypatch):
    monkeypatch.setattr("entrenar_viz.masks.activations._BAND", 1000)
    activations = (RNG.standard_normal((samples, columns)) * RNG.gamma(1, size=columns)).astype(np.float32)
    activations[:, 3] = activations[:, 2]  # two inputs that say the same
    activations[:, 5] = 0  # and a dead one
    found = inverse_curvature(activations)
    np.testing.assert_allclose(found, naive_curvature(activations), rtol=1e-9)
    np.testing.assert_allclose(input_norms(activations), naive_norms(activations), rtol=1e-7)


def test_uncorrelated_inputs_make_sparse_gpt_magnitude_times_a_variance():
    """H = diag(h) gives w^2 h_j: the square of Wanda's score, but for the damping."""
    scores = importance(np.array([[2.0, 2.0]]), "sparse_gpt", np.array([[np.sqrt(8), 0], [0, np.sqrt(2)]]))
    np.testing.assert_allclose(scores, [[4 * (4 + 0.025), 4 * (1 + 0.025)]], rtol=1e-6)


@pytest.mark.parametrize("scale", [1e-30, 1e-18, 1.0, 1e18, 1e30])
def test_sparse_gpt_survives_activations_of_any_scale(scale):
    activations = RNG.standard_normal((50, 6))
    found = inverse_curvature((scale * activations).astype(np.float32)) * scale**2
    np.testing.assert_allclose(found, naive_curvature(activations), rtol=1e-5)


@pytest.mark.parametrize("value", [0.0, -0.0])
def test_activations_that_are_all_zero_make_it_singular(value):
    with pytest.raises(
        WeightsError, match=r"is singular \(.*\): pass activations of real inputs, they must not all be"
    ):
        importance(np.ones((2, 3)), "sparse_gpt", np.full((4, 3), value))
    assert not importance(np.ones((2, 3)), "wanda", np.full((4, 3), value)).any()


@pytest.mark.parametrize("method", ["wanda", "sparse_gpt"])
def test_a_convolution_is_viewed_as_out_by_rest(method):
    kernel = RNG.standard_normal((4, 3, 2, 2)).astype(np.float32)
    patches = RNG.standard_normal((20, 12)).astype(np.float32)
    flat = importance(kernel.reshape(4, 12), method, patches)
    assert np.array_equal(importance(kernel, method, patches), flat.reshape(kernel.shape))


@pytest.mark.parametrize("method", ["magnitude", "wanda", "sparse_gpt"])
def test_neither_weights_nor_activations_are_changed(method):
    weights, activations = RNG.standard_normal((3, 4), np.float32), RNG.standard_normal((5, 4), np.float32)
    before = weights.copy(), activations.copy()
    importance(weights, method, None if method == "magnitude" else activations)
    assert np.array_equal(weights, before[0])
    assert np.array_equal(activations, before[1])


def test_no_weights_have_no_scores():
    assert importance(np.ones((0, 3)), "wanda", np.ones(3)).shape == (0, 3)
    with pytest.raises(WeightsError, match="3 norms for a layer of 0 columns"):
        importance(np.ones((3, 0)), "wanda", np.ones(3))


@pytest.mark.parametrize("method", [method for method in METHODS if method != "magnitude"])
def test_methods_without_their_data_say_so(method):
    with pytest.raises(WeightsError, match=f"{method} needs calibration data"):
        importance(np.ones((2, 2)), method)


@pytest.mark.parametrize(("method", "what"), [("minitron_depth", "layers"), ("minitron_width", "channels")])
def test_methods_that_remove_more_than_weights_give_no_mask(method, what):
    with pytest.raises(WeightsError, match=f"removes whole {what}: it gives no mask; use magnitude, wanda or"):
        importance(np.ones((2, 2)), method, np.ones((4, 2)))


def test_an_unknown_method_is_named():
    with pytest.raises(WeightsError, match="'taylor' is unknown: use one of magnitude"):
        importance(np.ones((2, 2)), "taylor")


def test_magnitude_does_not_swallow_activations():
    with pytest.raises(WeightsError, match="magnitude uses no activations: leave them out, or use method wanda"):
        importance(np.ones((2, 2)), activations=np.ones((4, 2)))


@pytest.mark.parametrize(
    ("weights", "words"),
    [
        ([[1, 2]], "int64"),
        ([["a"]], "str"),
        ([[1j]], "complex128"),
        ([[1.0], [1.0, 2.0]], "inhomogeneous"),
        (None, "object"),
        (np.ma.masked_array([1.0, 2.0], [True, False]), "masked"),
        ([[1.0, np.nan], [np.inf, 1.0]], r"2 of 4 weights .* the first is nan at \[0, 1\]"),
        ([[1.0, 1e39]], r"1 of 2 weights .* the first is 1e\+39 at \[0, 1\]"),
    ],
)
def test_what_has_no_score_is_refused_with_the_reason(weights, words):
    with pytest.raises(WeightsError, match=words):
        importance(weights)


@pytest.mark.parametrize(
    ("activations", "words"),
    [
        (np.ones((5, 4)), "4 columns for a layer of 3: pass the inputs of this layer, a row for each sample"),
        (np.ones((3, 5)), "5 columns for a layer of 3: transpose them"),
        (np.ones(4), "4 norms for a layer of 3 columns: pass one norm for each column"),
        (np.ones((2, 5, 3)), r"shape \[2, 5, 3\] is no matrix: .* for tokens reshape\(-1, 3\)"),
        (np.float32(1), "a single number"),
        (np.ones((0, 3)), r"empty: shape \[0, 3\]"),
        (np.ones((5, 3), int), "int64: activations are float16"),
        ([[1.0], [1.0, 2.0]], "activations: .*inhomogeneous"),
        (np.ma.masked_array([1.0, 2.0, 3.0], [True, False, False]), "activations: a masked array"),
        ([[1.0, 2.0, np.nan]], r"1 of 3 activations are not finite as float32, the first is nan at \[0, 2\]"),
        ([[1.0, 2.0, 1e39]], r"1 of 3 activations .* the first is 1e\+39 at \[0, 2\]"),
        ([1.0, np.inf, 1.0], r"1 of 3 norms .* the first is inf at \[1\]"),
        ([1.0, -0.5, -2.0], r"2 of 3 norms are negative, the first is -0\.5 at \[1\]"),
    ],
)
@pytest.mark.parametrize("method", ["wanda", "sparse_gpt"])
def test_activations_that_do_not_fit_are_refused_with_the_remedy(activations, words, method):
    with pytest.raises(WeightsError, match=words) as caught:
        importance(np.ones((2, 3)), method, activations)
    assert str(caught.value).startswith("activations: ")


def test_norms_beyond_float32_are_refused():
    with pytest.raises(WeightsError, match=r"1 of 2 norms are not finite as float32, the first is 6.*e\+38 at \[0\]"):
        importance(np.ones((1, 2)), "wanda", np.full((4, 2), [3e38, 1]))


def test_norms_are_not_enough_for_sparse_gpt():
    with pytest.raises(WeightsError, match=r"needs the activations themselves, \(samples, columns\): norms are for"):
        importance(np.ones((2, 3)), "sparse_gpt", np.ones(3))


def test_only_sparse_gpt_loads_scipy():
    code = (
        "import sys, numpy as np; from entrenar_viz.masks.scores import importance; w = np.eye(3);"
        "importance(w, 'wanda', w); assert 'scipy' not in sys.modules;"
        "importance(w, 'sparse_gpt', w); assert 'scipy' in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
