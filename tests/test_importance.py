"""Scores: the trainer's float32 squares, and plain refusals."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis.extra import numpy as hnp

from entrenar_viz import METHODS, WeightsError
from entrenar_viz.importance import importance


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


@pytest.mark.parametrize("method", [method for method in METHODS if method != "magnitude"])
def test_methods_without_their_data_say_so(method):
    with pytest.raises(WeightsError, match=f"{method} needs calibration data"):
        importance(np.ones((2, 2)), method)


def test_an_unknown_method_is_named():
    with pytest.raises(WeightsError, match="'taylor' is unknown: use one of magnitude"):
        importance(np.ones((2, 2)), "taylor")


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
