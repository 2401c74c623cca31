"""What is left at each sparsity, against masks and dense products."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from entrenar_viz import NM, Block, Unstructured, WeightsError
from entrenar_viz.explorer.preview.layer import LEVELS
from entrenar_viz.masks.loss_curves import MOST_SAMPLES, level_counts, output_errors, survival
from entrenar_viz.masks.order import prune_order
from tests.masks.test_order import PATTERNS, cases


def cell_shares(mask, height, width):
    """The kept share of each cell, by the definition of the bins."""
    rows, columns = mask.shape
    h, w = min(rows, height), min(columns, width)
    y, x = np.arange(rows) * h // rows, np.arange(columns) * w // columns
    return np.array([[mask[np.ix_(y == i, x == j)].mean() for j in range(w)] for i in range(h)])


@pytest.mark.parametrize("pattern", PATTERNS, ids=repr)
@pytest.mark.parametrize("shape", [(12, 24), (36, 60), (60, 12)])
def test_densities_are_the_means_of_masks(pattern, shape):
    scores = np.random.default_rng(5).standard_gamma(1, shape).round(1).astype(np.float32)  # with ties
    order = prune_order(scores, pattern)
    levels = survival(order, scores, height=24, width=20, levels=8).density
    assert levels.shape == (9, min(shape[0], 24), min(shape[1], 20))
    for level, count in zip(levels, level_counts(order, 8), strict=True):
        kept = 255 * cell_shares(order.ranks() >= count, 24, 20)
        assert np.abs(level - kept).max() <= 0.5 + 1e-9


@given(cases(), st.integers(1, 300), st.integers(1, 5), st.integers(1, 5), st.sampled_from(["tensor", "row"]))
def test_densities_at_any_size(case, levels, height, width, within):
    scores, pattern = case
    order = prune_order(scores, pattern, within if isinstance(pattern, Unstructured) else "tensor")
    density = survival(order, np.ones_like(scores), height, width, levels).density
    counts = level_counts(order, levels)
    for j in {0, levels // 2, levels}:
        kept = 255 * cell_shares(order.ranks() >= counts[j], height, width)
        assert np.abs(density[j] - kept).max() <= 0.5 + 1e-9


def test_level_counts_round_halves_up_as_a_browser_does():
    order = prune_order(np.ones((1, 3)), Unstructured())
    assert level_counts(order, 2).tolist() == [0, 2, 3]


def test_nm_keeps_all_at_level_0_and_its_share_at_every_other():
    scores = np.random.default_rng(1).random((8, 16), np.float32)
    left = survival(prune_order(scores, NM(n=1, m=4)), scores, 1, 1, 3)
    assert left.density.ravel().tolist() == [255, 64, 64, 64]
    assert left.energy[0] == 1
    assert len(set(left.energy[1:])) == 1


@given(cases(), st.integers(1, 40), st.integers(1, 5), st.sampled_from(["tensor", "row"]))
def test_the_energy_is_the_squared_norm_that_the_mask_leaves(case, levels, height, within):
    scores, pattern = case
    matrix = np.random.default_rng(3).standard_normal(scores.shape).astype(np.float32)
    order = prune_order(scores, pattern, within if isinstance(pattern, Unstructured) else "tensor")
    left = survival(order, matrix, height, 2, levels)
    whole = np.square(matrix, dtype=np.float64).sum()
    kept = [np.square(matrix[order.ranks() >= count], dtype=np.float64).sum() for count in left.counts]
    assert left.energy == pytest.approx(np.array(kept) / whole, abs=1e-12)
    assert set(level_counts(order, levels)) <= set(left.counts)
    assert np.all(np.diff(left.counts) >= 0)


def test_a_layer_of_zeros_has_all_the_energy_it_ever_had():
    zeros = np.zeros((4, 4), np.float32)
    assert set(survival(prune_order(zeros, Unstructured()), zeros, levels=4).energy) == {1.0}


def test_the_share_that_is_done_is_told_and_may_stop_it():
    matrix, told = np.ones((6, 4), np.float32), []
    order = prune_order(matrix, Unstructured())
    survival(order, matrix, 3, 2, 4, on_progress=told.append)
    assert told == pytest.approx([1 / 3, 2 / 3, 1])

    def stop(share):
        raise InterruptedError

    with pytest.raises(InterruptedError):
        survival(order, matrix, on_progress=stop)


@pytest.mark.parametrize("pattern", [Unstructured(), NM(n=2, m=4), Block(height=2, width=4)], ids=repr)
@pytest.mark.parametrize("samples", [1, 5, MOST_SAMPLES, 3 * MOST_SAMPLES + 1])
def test_output_errors_are_those_of_the_dense_products(pattern, samples):
    rng = np.random.default_rng(2)
    matrix = rng.standard_normal((6, 8)).astype(np.float32)
    activations = rng.standard_normal((samples, 8)).astype(np.float32)
    order = prune_order(matrix**2, pattern)
    told = []
    errors = output_errors(order, matrix, activations, told.append)
    x = activations[:: -(-samples // MOST_SAMPLES)].astype(np.float64)
    for error, count in zip(errors, level_counts(order, len(errors) - 1), strict=True):
        gone = np.where(order.ranks() >= count, 0, matrix)
        assert error == pytest.approx(np.square(x @ gone.T).sum() / np.square(x @ matrix.T).sum(), rel=1e-5)
    assert (errors[0], told[-1]) == (0, 1)


def test_a_large_layer_has_fewer_levels_and_a_silent_one_no_error(monkeypatch):
    matrix, x = np.ones((4, 4), np.float32), np.zeros((2, 4), np.float32)
    order = prune_order(matrix, Unstructured())
    assert output_errors(order, matrix, x).tolist() == [0] * 65
    monkeypatch.setattr("entrenar_viz.masks.loss_curves._WORK", 32 * 11)
    assert len(output_errors(order, matrix, x)) == 12
    monkeypatch.setattr("entrenar_viz.masks.loss_curves._WORK", 1)
    assert len(output_errors(order, matrix, x)) == 9


def test_norms_do_not_tell_the_error_of_the_output():
    matrix = np.ones((4, 4), np.float32)
    with pytest.raises(WeightsError, match="norms do not tell the error of the output: pass activations"):
        output_errors(prune_order(matrix, Unstructured()), matrix, np.ones(4, np.float32))


@pytest.mark.parametrize(("degrees", "most"), [(None, 0.3), (3, 0.8), (2, 0.8)])
def test_how_far_energy_is_off_between_levels(degrees, most):
    """What docs/reading.md says of it."""
    rng = np.random.default_rng(0)
    drawn = rng.standard_t(degrees, (300, 300)) if degrees else rng.standard_normal((300, 300))
    matrix = drawn.astype(np.float32)
    order = prune_order(matrix**2, Unstructured())
    left = survival(order, matrix, 1, 1, LEVELS)
    every = np.arange(order.units + 1)
    squares = np.sort(np.square(matrix, dtype=np.float64).ravel())
    kept = 1 - np.concatenate([[0], squares.cumsum()]) / squares.sum()
    off = 100 * np.abs(np.interp(every, left.counts, left.energy) - kept)
    assert off[every <= 0.95 * order.units].max() < 0.2
    assert most / 2 < off.max() < most
