"""The histogram of scores and its thresholds, against plain counting."""

import numpy as np
import pytest
from hypothesis import given

from entrenar_viz import NM, Unstructured
from entrenar_viz.masks.loss_curves import level_counts
from entrenar_viz.masks.order import prune_order
from entrenar_viz.masks.score_distribution import BINS, LARGEST_SAMPLE, distribution, evenly
from tests.masks.test_order import cases


@given(cases())
def test_every_unit_is_counted_and_every_threshold_is_the_last_score_to_go(case):
    scores, pattern = case
    order = prune_order(scores, pattern)
    spread = distribution(order, order.keys if order.keys.dtype == np.float32 else np.abs(scores), 7)
    assert spread.bins.shape == (BINS,)
    assert spread.low < spread.high
    if isinstance(pattern, NM):
        assert spread.bins.sum() == scores.size
        assert spread.thresholds.size == 0
        return
    assert spread.bins.sum() == order.units
    for count, threshold in zip(level_counts(order, 7), spread.thresholds, strict=True):
        if count == 0:
            assert np.isnan(threshold)
        else:
            with np.errstate(divide="ignore"):
                last = np.log10(np.sort(order.scores)[count - 1], dtype=np.float64)
            assert threshold == np.float32(np.clip(last, spread.low, spread.high))


def test_bins_are_even_on_the_logarithmic_axis():
    scores = (10 ** np.linspace(-3, 3, 6 * 4001)).astype(np.float32)[None]
    spread = distribution(prune_order(scores, Unstructured()), scores, 4)
    assert (spread.low, spread.high) == pytest.approx((-3, 3), abs=0.01)
    assert np.abs(spread.bins[1:-1] - scores.size / BINS).max() <= 3
    assert spread.thresholds[1:] == pytest.approx([-1.5, 0, 1.5, 3], abs=0.01)


def test_zeros_are_in_the_first_bin():
    scores = np.concatenate([np.zeros(50), np.full(50, 2.0)]).astype(np.float32)[None]
    spread = distribution(prune_order(scores, Unstructured()), scores, 2)
    assert spread.bins[0] == 50
    assert spread.low < np.log10(2) < spread.high
    assert spread.thresholds[1] == np.float32(spread.low)


def test_nothing_but_zeros_has_an_axis_too():
    zeros = np.zeros((2, 2), np.float32)
    spread = distribution(prune_order(zeros, Unstructured()), zeros, 2)
    assert (spread.low, spread.high, spread.bins[0]) == (0, 1, 4)


def test_rows_and_groups_have_no_threshold_of_the_layer_and_large_ones_are_sampled():
    scores = np.random.default_rng(1).random((1025, 2048), np.float32)
    for order in (prune_order(scores, NM(n=2, m=4)), prune_order(scores, Unstructured(), "row")):
        spread = distribution(order, scores, 4)
        assert spread.sampled
        assert spread.thresholds.size == 0
        assert LARGEST_SAMPLE / 2 < spread.bins.sum() <= LARGEST_SAMPLE


def test_a_sample_prefers_no_columns():
    columns = np.tile(np.arange(64, dtype=np.float32), (1024, 1))
    some = evenly(columns, 2048)
    assert len(some) <= 2048
    assert np.ptp(np.bincount(some.astype(int), minlength=64)) <= 1
    assert evenly(columns, 65536).size == 65536
