"""Intervals, and what is said of differences."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy import stats

from entrenar_viz.rehearsal.verdict import Metric, PairedDifference, interval, paired_differences, verdict

ACCURACY, LOSS = Metric(), Metric("loss", higher_is_better=False)
SEEDS = np.array([0.0, 0.002, -0.002, 0.001, -0.001])


def said(metric=ACCURACY, **finals):
    return verdict(pairs(metric, **finals))


def pairs(metric=ACCURACY, **finals):
    return paired_differences({name: np.asarray(values) for name, values in finals.items()}, metric)


@given(st.lists(st.floats(-1, 1), min_size=2, max_size=12))
def test_an_interval_is_that_of_students_t(values):
    low, high = interval(values)
    error = np.std(values, ddof=1) / np.sqrt(len(values))
    expected = np.mean(values) + np.array([-1, 1]) * stats.t.ppf(0.975, len(values) - 1) * error
    np.testing.assert_allclose([low, high], expected, atol=1e-9)


def test_with_more_chances_to_be_wrong_intervals_are_longer_so_that_all_hold_together():
    low, high = interval([0.1, 0.2, 0.4], chances=3)
    half = stats.t.ppf(1 - 0.05 / 6, 2) * np.std([0.1, 0.2, 0.4], ddof=1) / np.sqrt(3)
    assert (high - low) / 2 == pytest.approx(half)


def test_one_value_has_no_interval():
    assert np.isnan(interval([0.5])).all()


def test_better_worse_and_equal_have_their_words():
    better = PairedDifference("Cubic", "Gradual", 0.024, 0.011, 0.037, 5)
    assert better.words() == "Cubic keeps 2.4 points more than Gradual (95%: 1.1 to 3.7)"
    worse = PairedDifference("Gradual", "Cubic", -0.024, -0.037, -0.011, 5)
    assert worse.words() == "Gradual keeps 2.4 points less than Cubic (95%: 1.1 to 3.7)"
    equal = PairedDifference("Gradual", "Cubic", 0.0004, -0.008, 0.009, 5)
    assert equal.words() == "no difference at this sparsity between Gradual and Cubic (0.0 points, 95%: -0.8 to 0.9)"
    assert worse.upwards() == better


def test_the_best_is_compared_with_each_of_the_others():
    words = said(Cubic=0.95 + SEEDS, Gradual=0.92 + SEEDS[::-1], OneShot=0.6 + SEEDS)
    assert words.startswith("Cubic keeps 3.0 points more than Gradual (95%: ")
    assert " and 35.0 points more than OneShot (95%: " in words
    assert "no difference" not in words


def test_no_difference_is_said_where_there_is_none():
    words = said(Cubic=0.95 + SEEDS, Gradual=0.951 + SEEDS[::-1], OneShot=0.949 + np.roll(SEEDS, 2))
    assert words.startswith(
        "no difference at this sparsity between Gradual, Cubic and OneShot (Gradual and OneShot are"
    )
    few = said(A=[0.1, 0.2, 0.3], B=[0.3, 0.2, 0.1])
    assert few.startswith(
        "no difference at this sparsity that 3 seeds can show between A and B (0.0 points, 95%: -49.7 to"
    )


def test_a_part_that_does_not_differ_is_said_too():
    words = said(Cubic=0.95 + SEEDS, Gradual=0.951 + SEEDS[::-1], OneShot=0.6 + SEEDS)
    assert words.startswith("Gradual keeps 35.1 points more than OneShot (95%: ")
    assert "; no difference at this sparsity between Gradual and Cubic (0.1 points" in words


def test_a_best_that_differs_from_none_leaves_the_word_to_the_others():
    spread = np.array([0.0, 0.5, -0.5, 0.4, -0.4])
    words = said(Best=0.9 + spread, Middle=0.8 + SEEDS, Last=0.7 + SEEDS)
    assert words.startswith("Middle keeps 10.0 points more than Last")
    assert words.count("no difference at this sparsity that 5 seeds can show between Best and ") == 2


def test_a_metric_of_which_less_is_better():
    words = said(LOSS, Cubic=2.5 + SEEDS, Gradual=2.7 + SEEDS)
    assert words == "Cubic's loss is 0.2 less than Gradual's (95%: 0.2 to 0.2)"
    none = said(LOSS, A=[0.5, 0.6, 0.7], B=[0.7, 0.6, 0.5], C=[0.6, 0.61, 0.62])
    assert none.startswith("no difference at this sparsity that 3 seeds can show between A, B and C (C and ")


def test_too_few_seeds_or_schedules_tell_nothing():
    assert said(A=[0.9, 0.9], B=[0.1, 0.1]).startswith("2 seeds cannot tell a difference from chance")
    assert not any(pair.is_certain for pair in pairs(A=[0.9, 0.9], B=[0.1, 0.1]))
    assert said(A=[0.9], B=[0.1]).startswith("1 seed cannot tell")
    assert said(A=[0.9, 0.9, 0.9]).startswith("fewer than two of the schedules prune")


def certain_by_holm(finals):
    """The pairs that differ, from the p values of scipy, by the procedure as its paper has it."""
    tests = {
        frozenset(pair): stats.ttest_rel(finals[pair[0]], finals[pair[1]]).pvalue for pair in combinations(finals, 2)
    }
    certain = set()
    for left, (pair, p) in zip(range(len(tests), 0, -1), sorted(tests.items(), key=lambda item: item[1]), strict=True):
        if p > 0.05 / left:
            break
        certain.add(pair)
    return certain


@given(st.lists(st.lists(st.integers(400, 450), min_size=5, max_size=5), min_size=2, max_size=4))
def test_what_is_certain_is_so_by_holms_procedure(rows):
    finals = {str(number): np.array(row) / 450 for number, row in enumerate(rows)}
    for one, other in combinations(finals.values(), 2):
        assume(np.std(one - other) > 1e-9)
    found = pairs(**finals)
    assert len(found) == len(rows) * (len(rows) - 1) // 2
    assert {frozenset((pair.first, pair.second)) for pair in found if pair.is_certain} == certain_by_holm(finals)
    for pair in found:
        assert pair.difference == pytest.approx((finals[pair.first] - finals[pair.second]).mean())
        assert pair.low <= pair.difference <= pair.high


def test_a_clear_difference_does_not_hide_behind_another():
    """OneShot varies more, so its greater difference needs the longer way of the procedure."""
    spread = np.array([-0.06, 0.06, -0.05, 0.06, -0.01])
    words = said(Cubic=0.95 + SEEDS, Gradual=0.905 + SEEDS[::-1], OneShot=0.85 + spread)
    assert words.startswith("Cubic keeps 4.5 points more than Gradual")
    assert " and 10.0 points more than OneShot (95%: " in words


def test_the_same_difference_in_all_seeds_is_not_certain_where_it_is_one_grain():
    unknown, image = Metric(), Metric(grain=1 / 450)
    finals = {"Cubic": np.full(3, 435 / 450), "Gradual": np.full(3, 434 / 450)}
    assert "keeps 0.2 points more" in said(unknown, **finals)
    assert said(image, **finals).startswith("no difference at this sparsity between Cubic and Gradual (0.2 points")
    (pair,) = pairs(image, **finals)
    half = stats.t.ppf(0.975, 2) / 450 / np.sqrt(6) / np.sqrt(3)
    assert (pair.high - pair.low) / 2 == pytest.approx(half)
    assert "keeps 20.0 points more" in said(image, Cubic=np.full(3, 0.9), Gradual=np.full(3, 0.7))
