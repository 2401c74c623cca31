"""Sums at several sparsities in two passes: the numbers of the masks, whatever the bands and the ties."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from entrenar_viz import prune_mask
from entrenar_viz.masks.level_sums import level_sums


def in_bands(weights, height):
    return lambda: ((rows, rows * rows) for rows in np.split(weights, range(height, len(weights), height)))


@st.composite
def layers(draw):
    shape = draw(st.tuples(st.integers(1, 20), st.integers(1, 20)))
    values = np.random.default_rng(draw(st.integers(0, 99))).standard_normal(shape)
    return (np.round(values) if draw(st.booleans()) else values).astype(np.float32)  # rounded: full of ties


@given(layers(), st.lists(st.floats(0, 1), max_size=8, unique=True).map(sorted), st.integers(1, 7))
def test_they_are_those_of_the_masks_at_each_level(weights, levels, height):
    found = level_sums(in_bands(weights, height), weights.size, levels)
    gone = [~prune_mask(weights, level) for level in levels]
    assert found.weights.tolist() == [np.count_nonzero(one) for one in gone]
    assert found.dead_rows.tolist() == [np.count_nonzero(one.all(axis=1)) for one in gone]
    squares = np.square(weights, dtype=np.float64)
    np.testing.assert_allclose(found.energy, [squares[one].sum() for one in gone], rtol=1e-12)
    assert found.total == pytest.approx(squares.sum(), rel=1e-12)


@given(layers(), st.integers(1, 7))
def test_what_has_gone_of_all_is_all_of_it_and_never_less_at_a_higher_level(weights, height):
    levels = np.linspace(0, 1, 101)
    found = level_sums(in_bands(weights, height), weights.size, levels)
    assert found.energy[-1] == found.total
    assert (np.diff(found.energy) >= 0).all()
    assert found.weights[-1] == weights.size
