"""Rows compared by themselves, as in Wanda's paper, and masks by every method that needs activations."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from entrenar_viz import NM, Block, Column, Row, Unstructured, WeightsError, prune_mask
from entrenar_viz.masks.order import prune_order
from entrenar_viz.masks.scores import importance
from tests.masks.test_order import EXACT_SCORES, ODD_SCORES, SPARSITIES, naive_mask, naive_unstructured


def naive_rows(scores, sparsity):
    """Each row by itself, by the trainer's rule for a tensor."""
    return np.concatenate([naive_unstructured(row[None], sparsity) for row in scores])


@given(
    hnp.arrays(
        np.float32, st.tuples(st.integers(1, 9), st.integers(1, 30)), elements=st.one_of(EXACT_SCORES, ODD_SCORES)
    ),
    SPARSITIES,
)
def test_rows_compared_by_themselves_each_follow_the_rule_of_a_tensor(scores, sparsity):
    order = prune_order(scores, Unstructured(), within="row")
    mask, ranks = order.mask(sparsity), order.ranks()
    assert order.units == scores.shape[1]
    assert np.array_equal(mask, naive_rows(scores, sparsity))
    assert np.array_equal(ranks >= order.count(sparsity), mask)
    assert np.array_equal(order.ranks(slice(1, 4), slice(2, 9)), ranks[1:4, 2:9])
    assert order.achieved(sparsity) == np.count_nonzero(~mask) / mask.size
    assert order.row_gone()[order.count(sparsity)] == np.count_nonzero(~mask)


@given(st.integers(1, 12), st.integers(1, 64), st.integers(0, 64), st.integers(0, 2**32 - 1))
def test_without_ties_it_is_algorithm_1_of_wandas_paper(outputs, inputs, parts, seed):
    """Sun et al. 2023: sort the metric along each row, and take the first int(C_in * s) indices of each."""
    sparsity = parts / 64
    rng = np.random.default_rng(seed)
    odd = 2.0 * rng.permutation(outputs * inputs).reshape(outputs, inputs) + 1  # times a power of 2: exact, no ties
    weights, x = odd * rng.choice([-1, 1], odd.shape), np.diag(2.0 ** rng.integers(-5, 6, inputs))
    metric = np.abs(weights) * np.linalg.norm(x, axis=0)
    pruned = np.argsort(metric, axis=1, kind="stable")[:, : int(inputs * sparsity)]
    expected = np.ones(weights.shape, bool)
    np.put_along_axis(expected, pruned, False, axis=1)
    mask = prune_mask(weights, sparsity, method="wanda", activations=x, within="row")
    assert np.array_equal(mask, expected)
    assert set((~mask).sum(axis=1).tolist()) == {int(inputs * sparsity)}


def test_the_trainer_compares_over_the_tensor_and_the_paper_within_rows():
    weights = np.array([[1.0, 2.0, 3.0, 4.0], [5.0, 6.0, 7.0, 8.0]])
    kept = {how: prune_mask(weights, 0.5, within=how).sum(axis=1).tolist() for how in ("tensor", "row")}
    assert kept == {"tensor": [0, 4], "row": [2, 2]}


def test_the_count_of_a_row_is_taken_in_float32_too():
    scores = np.arange(300.0).reshape(3, 100)
    assert (~prune_order(scores, Unstructured(), "row").mask(0.29)).sum(axis=1).tolist() == [29, 29, 29]


def test_ties_within_a_row_all_go():
    order = prune_order(np.array([[1.0, 1.0, 1.0, 2.0], [1.0, 2.0, 3.0, 4.0]]), Unstructured(), "row")
    assert (~order.mask(0.25)).sum(axis=1).tolist() == [3, 1]
    assert order.achieved(0.25) == 0.5
    with pytest.raises(WeightsError, match="no ties of the whole layer: ask row_gone"):
        order.tie_groups()


@pytest.mark.parametrize("pattern", [NM(n=2, m=4), Block(height=2, width=2), Row(), Column()])
def test_only_unstructured_is_compared_within_rows(pattern):
    with pytest.raises(WeightsError, match=r"within='row' goes with Unstructured, not with .*: leave within out"):
        prune_mask(np.ones((4, 4)), 0.5, pattern, within="row")


@pytest.mark.parametrize("within", ["rows", "", None])
def test_an_unknown_comparison_is_named(within):
    with pytest.raises(WeightsError, match=f"within is 'tensor' or 'row', not {within!r}"):
        prune_mask(np.ones((4, 4)), 0.5, within=within)


@pytest.mark.parametrize("method", ["wanda", "sparse_gpt"])
@pytest.mark.parametrize("pattern", [Unstructured(), NM(n=2, m=4), Block(height=2, width=4), Row(), Column()], ids=repr)
def test_every_pattern_takes_the_scores_of_every_method(method, pattern):
    rng = np.random.default_rng(7)
    kernel, patches = rng.standard_normal((6, 2, 2, 2)), rng.gamma(0.3, size=(50, 8))
    scores = importance(kernel, method, patches).reshape(6, 8)
    mask = prune_mask(kernel, 0.5, pattern, method, activations=patches)
    assert mask.shape == kernel.shape
    assert np.array_equal(mask.reshape(6, 8), naive_mask(scores, 0.5, pattern))
    assert isinstance(pattern, Row) or not np.array_equal(mask, prune_mask(kernel, 0.5, pattern))
