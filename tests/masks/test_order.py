"""Masks of all five patterns against the rules of the trainer, written as plainly as possible."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from entrenar_viz import NM, Block, Column, Row, Unstructured, WeightsError, prune_mask
from entrenar_viz.masks.order import prune_order
from entrenar_viz.masks.scores import importance
from entrenar_viz.models.weights import SAMPLES, sample

SIZES = {"height": [1, 2, 3], "width": [1, 2, 4]}
PATTERNS = [
    Unstructured(),
    Row(),
    Column(),
    *(NM(n=n, m=m) for n, m in [(0, 1), (0, 3), (1, 2), (2, 4), (4, 8), (3, 12), (11, 12)]),
    *(Block(height=height, width=width) for height in (1, 2, 3) for width in (1, 2, 4)),
]
FIXED_SPARSITIES = [0.0, 0.29, 0.5, np.float32(1 / 3), 0.999999, 1.0]
SPARSITIES = st.one_of(st.sampled_from(FIXED_SPARSITIES), st.floats(0, 1))
# Ties, zeros, denormals and huge values; their sums are exact in float32, so the order of adding does not matter.
EXACT_SCORES = st.sampled_from([0.0, 0.25, 0.5, 1.0, 2.0, 3.0, 7.0, 100.0])
ODD_SCORES = st.one_of(st.sampled_from([0.0, 1e-45, 2e-45, 1.1754942e-38, 1.0, 3e38, math.inf]), st.floats(0, width=32))


def shapes(pattern):
    """Shapes that ``pattern`` fits, up to 24 x 24; the groups of N:M may straddle rows."""
    rows, columns = st.integers(1, 6), st.integers(1, 6)
    if isinstance(pattern, NM):
        return st.builds(lambda r, c: (r, c * (pattern.m // math.gcd(r, pattern.m))), rows, columns)
    if isinstance(pattern, Block):
        return st.builds(lambda r, c: (r * pattern.height, c * pattern.width), rows, columns)
    return st.tuples(st.integers(1, 12), st.integers(1, 12))


@st.composite
def cases(draw, elements=EXACT_SCORES):
    pattern = draw(st.sampled_from(PATTERNS))
    elements = elements if not isinstance(pattern, (Unstructured, NM)) else st.one_of(elements, ODD_SCORES)
    return draw(hnp.arrays(np.float32, draw(shapes(pattern)), elements=elements)), pattern


def naive_count(count: int, sparsity: float) -> int:
    return int(np.float32(count) * np.float32(sparsity))


def naive_unstructured(scores, sparsity):
    k = naive_count(scores.size, sparsity)
    if k == 0:
        return np.ones(scores.shape, bool)
    threshold = sorted(scores.ravel().tolist())[k - 1]
    return np.array([[score > threshold for score in row] for row in scores.tolist()])


def naive_nm(scores, pattern):
    flat, keep = scores.ravel().tolist(), np.zeros(scores.size, bool)
    for start in range(0, len(flat), pattern.m):
        group = range(start, start + pattern.m)
        for index in sorted(group, key=lambda i: (-flat[i], i))[: pattern.n]:
            keep[index] = True
    return keep.reshape(scores.shape)


def naive_units(scores, sparsity, height, width):
    rows, columns = scores.shape
    corners = [(y, x) for y in range(0, rows, height) for x in range(0, columns, width)]
    total = {(y, x): scores[y : y + height, x : x + width].astype(float).sum() for y, x in corners}
    keep = np.ones(scores.shape, bool)
    for y, x in sorted(corners, key=lambda corner: (total[corner], corner))[: naive_count(len(corners), sparsity)]:
        keep[y : y + height, x : x + width] = False
    return keep


def naive_mask(scores, sparsity, pattern):
    rows, columns = scores.shape
    match pattern:
        case Unstructured():
            return naive_unstructured(scores, sparsity)
        case NM():
            return naive_nm(scores, pattern)
        case Block(height=height, width=width):
            return naive_units(scores, sparsity, height, width)
        case Row():
            return naive_units(scores, sparsity, 1, columns)
        case Column():
            return naive_units(scores, sparsity, rows, 1)


@given(cases(), SPARSITIES)
def test_a_mask_is_the_trainers(case, sparsity):
    scores, pattern = case
    mask = prune_order(scores, pattern).mask(sparsity)
    assert mask.dtype == bool
    assert mask.flags.writeable
    assert np.array_equal(mask, naive_mask(scores, sparsity, pattern))


@given(cases(), SPARSITIES)
def test_ranks_and_the_achieved_share_tell_the_same_as_the_mask(case, sparsity):
    scores, pattern = case
    order = prune_order(scores, pattern)
    mask, ranks = order.mask(sparsity), order.ranks()
    assert np.array_equal(ranks >= order.count(sparsity), mask)
    assert ranks.dtype == np.uint32
    assert order.achieved(sparsity) == np.count_nonzero(~mask) / mask.size
    assert np.array_equal(order.ranks(slice(1, 4), slice(0, 3)), ranks[1:4, 0:3])


@given(hnp.arrays(np.float32, st.tuples(st.integers(1, 9), st.integers(1, 9)), elements=ODD_SCORES))
def test_tie_groups_give_the_achieved_count_at_every_count(scores):
    order = prune_order(scores, Unstructured())
    groups = order.tie_groups()
    assert groups.dtype == np.uint32
    for count in range(1, scores.size + 1):
        jumps = [int(high) for low, high in groups if low < count < high]
        gone = jumps[0] if jumps else count
        assert gone == np.count_nonzero(order.ranks() < count)


def test_tie_groups_are_found_across_the_bands_they_are_looked_for_in(monkeypatch):
    scores = np.repeat([3.0, 1.0, 2.0, 5.0, 4.0], [1, 9, 1, 6, 4])[None].astype(np.float32)
    for band in (1, 2, 3, 5, 8, 100):
        monkeypatch.setattr("entrenar_viz.masks.order._BAND", band)
        assert prune_order(scores, Unstructured()).tie_groups().tolist() == [[0, 9], [11, 15], [15, 21]]


def test_tie_groups_keep_the_largest_when_there_are_too_many():
    scores = np.repeat(np.arange(5, dtype=np.float32), [2, 4, 1, 3, 2])[None]
    order = prune_order(scores, Unstructured())
    assert order.tie_groups().tolist() == [[0, 2], [2, 6], [7, 10], [10, 12]]
    assert order.tie_groups(limit=2).tolist() == [[2, 6], [7, 10]]


@pytest.mark.parametrize("pattern", [NM(n=2, m=4), Block(height=2, width=2), Row(), Column()])
def test_only_unstructured_has_tie_groups(pattern):
    assert prune_order(np.ones((4, 4)), pattern).tie_groups().shape == (0, 2)


def test_counts_are_taken_in_float32():
    order = prune_order(np.arange(100.0).reshape(10, 10), Unstructured())
    assert order.count(0.29) == 29  # int(100 * 0.29) is 28
    assert np.count_nonzero(~order.mask(0.29)) == 29


def test_a_count_that_float32_rounds_up_stays_within_the_layer():
    order = prune_order(np.ones((2**24 + 3, 1), np.float32), Row())
    assert order.count(1.0) == order.units == 2**24 + 3


def test_all_equal_scores_go_at_once():
    order = prune_order(np.ones((3, 4)), Unstructured())
    assert order.mask(1 / 13).all()
    assert not order.mask(1 / 12).any()
    assert order.achieved(1 / 12) == 1


def test_groups_that_do_not_fit_are_refused_with_the_numbers():
    with pytest.raises(WeightsError, match=r"length 6,300 must be divisible by m = 8"):
        prune_order(np.ones((63, 100)), NM(n=4, m=8))


def test_a_block_that_does_not_fit_gets_sizes_that_do():
    with pytest.raises(WeightsError) as caught:
        prune_order(np.ones((64, 100)), Block(height=3, width=7))
    assert str(caught.value) == (
        "block 3 x 7 does not divide 64 x 100: "
        "use a height dividing 64 (1, 2, 4) and use a width dividing 100 (4, 5, 10)"
    )


@pytest.mark.parametrize(
    ("block", "words"),
    [
        (Block(height=3, width=10), r"3 x 10 does not divide 64 x 100: use a height dividing 64 \(1, 2, 4\)$"),
        (Block(height=4, width=7), r"4 x 7 does not divide 64 x 100: use a width dividing 100 \(4, 5, 10\)$"),
    ],
)
def test_a_block_that_fits_in_one_direction_only(block, words):
    with pytest.raises(WeightsError, match=words):
        prune_order(np.ones((64, 100)), block)


@pytest.mark.parametrize("pattern", PATTERNS, ids=repr)
@pytest.mark.parametrize("sparsity", [-0.1, 1.1, math.nan, math.inf, 10**400, "0.5", None, [0.5], 0.5j])
def test_a_sparsity_outside_0_to_1_is_refused(pattern, sparsity):
    with pytest.raises(WeightsError, match=r"must be between 0\.0 and 1\.0"):
        prune_order(np.ones((12, 12)), pattern).mask(sparsity)


@pytest.mark.parametrize(
    "scores", [np.ones(4), np.ones((0, 4)), np.ones((2, 2), int), [[math.nan, 1.0]], [[-math.inf, 1.0]], "x"]
)
def test_scores_without_an_order_are_refused(scores):
    with pytest.raises(WeightsError, match="scores must be"):
        prune_order(scores, Unstructured())


def test_what_is_no_pattern_is_refused():
    with pytest.raises(WeightsError, match="'row' is no pattern"):
        prune_order(np.ones((2, 2)), "row")


def test_infinite_scores_and_sums_go_last():
    huge = np.array([[2e19, 1.0], [1.5e19, 1.5e19]], np.float32)  # squares: infinite, and two whose sum is
    assert prune_mask(huge, 0.5).tolist() == [[True, False], [False, False]]  # a tie
    assert prune_mask(huge, 0.5, Row()).tolist() == [[False, False], [True, True]]  # equal: the lower index


@given(
    hnp.arrays(np.float32, hnp.array_shapes(max_dims=4, max_side=4), elements=st.floats(-3, 3, width=32)),
    SPARSITIES,
)
def test_weights_of_any_dimension_keep_their_shape(weights, sparsity):
    rows = weights.shape[0] if weights.ndim > 1 else 1
    expected = naive_unstructured((weights * weights).reshape(rows, -1), sparsity)
    assert np.array_equal(prune_mask(weights, sparsity), expected.reshape(weights.shape))


def test_rows_of_a_convolution_are_its_output_channels():
    kernel = np.ones((4, 3, 2, 2)) * np.arange(4)[:, None, None, None]
    assert prune_mask(kernel, 0.5, Row()).all(axis=(1, 2, 3)).tolist() == [False, False, True, True]


def test_one_dimension_has_groups_but_no_rows():
    assert prune_mask([1.0, 3.0, 2.0, 0.0], 0.9, NM(n=2, m=4)).tolist() == [False, True, True, False]
    with pytest.raises(WeightsError, match=r"shape \[4\] cannot be pruned by Row"):
        prune_mask(np.ones(4), 0.5, Row())


@pytest.mark.parametrize("weights", [np.ones((0, 3)), np.float32(1)])
def test_no_weights_have_no_mask(weights):
    with pytest.raises(WeightsError, match="cannot be pruned"):
        prune_mask(weights, 0.5)


@pytest.mark.parametrize("name", SAMPLES)
def test_the_samples_can_be_pruned_by_every_kind_of_pattern(name):
    for matrix in sample(name).values():
        scores = importance(matrix)
        for pattern in (Unstructured(), NM(n=2, m=4), Block(height=2, width=4), Row(), Column()):
            order = prune_order(scores, pattern)
            assert order.achieved(0.5) == pytest.approx(0.5, abs=0.01)
            assert order.achieved(0.5) == 1 - order.mask(0.5).mean()
