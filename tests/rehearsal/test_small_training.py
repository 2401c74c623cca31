"""The trial that is made unless another is given: its data, its pairs, and that a seed tells everything."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from entrenar_viz import Block, EntrenarVizError, OneShot, PruningConfig, TrialPruner, digits
from entrenar_viz.rehearsal.small_training import SmallTraining, _turn, small_training
from entrenar_viz.rehearsal.trial_pruner import asking_nothing

CONFIG = PruningConfig(schedule=OneShot(step=20), target_sparsity=0.9)
READINGS = (19, 20, 40)


def blobs(classes=3, rows=40, inputs=4):
    rng = np.random.default_rng(0)
    y = np.repeat(np.arange(classes), rows)
    return rng.normal(y[:, None] * 4.0, 1.0, (len(y), inputs)), y


def trial(training, config, seed=1):
    return list(training(TrialPruner("x", config, 40, readings=READINGS), seed))


def test_a_seed_tells_everything():
    first, again = (trial(SmallTraining(), CONFIG) for _ in range(2))
    assert first == again
    assert [step for step, _ in first] == list(READINGS)
    assert first != trial(SmallTraining(), CONFIG, seed=2)


def test_until_the_first_update_schedules_of_a_seed_are_the_same():
    pruned, dense = trial(SmallTraining(), CONFIG), trial(SmallTraining(), asking_nothing(CONFIG))
    assert pruned[0] == dense[0]
    assert pruned[1] != dense[1]


def test_trials_can_go_on_side_by_side():
    alone = trial(SmallTraining(), CONFIG, 1), trial(SmallTraining(), CONFIG, 2)
    pruners = [TrialPruner("x", CONFIG, 40, readings=READINGS) for _ in range(2)]
    together = zip(*(SmallTraining()(pruner, seed) for pruner, seed in zip(pruners, (1, 2), strict=True)), strict=True)
    assert list(zip(*together, strict=True)) == [tuple(one) for one in alone]


def has_the_turn():
    return _turn().acquire(timeout=5)


FORKED = """
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from entrenar_viz.rehearsal.small_training import _turn
from tests.rehearsal.test_small_training import has_the_turn

with _turn(), ProcessPoolExecutor(1, mp_context=get_context("fork")) as pool:
    print(pool.submit(has_the_turn).result())
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_process_that_is_forked_in_the_midst_of_a_training_does_not_wait_for_it():
    """A kernel that rehearses in the background, and makes a pool of processes in the next cell.

    In a process of its own: others of this one's tests load what warns of being forked.
    """
    root = Path(__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", FORKED], cwd=root, capture_output=True, text=True, check=True)
    assert done.stdout == "True\n"


def test_it_learns_the_digits():
    ((_, accuracy),) = SmallTraining()(TrialPruner("dense", asking_nothing(CONFIG), 300), 0)
    assert accuracy > 0.85
    assert SmallTraining().in_words() == (
        "a 64-128-64-10 network on the handwritten digits: 1,347 rows to train on, 450 held out"
    )


def test_own_data_are_split_by_class_and_standardized():
    x, y = blobs()
    names = np.array(["cat", "dog", "owl"])[y]
    training = small_training(x.reshape(len(x), 2, 2) * 1000, names, widths=[8])
    data = training.data
    assert data.x_train.shape, data.x_test.shape == ((90, 4), (30, 4))
    assert np.bincount(data.y_test).tolist() == [10, 10, 10]
    np.testing.assert_allclose(data.x_train.mean(axis=0), 0, atol=1e-5)
    np.testing.assert_allclose(data.x_train.std(axis=0), 1, atol=1e-5)
    assert (training.network(), data.x_train.dtype) == ("a 4-8-3 network", np.float32)
    ((_, accuracy),) = training(TrialPruner("dense", asking_nothing(CONFIG), 400), 0)
    assert accuracy > 0.9


def test_a_column_that_is_constant_stays_finite_and_few_rows_make_small_batches():
    x, y = blobs(classes=2, rows=4)
    x[:, 1] = 7
    training = small_training(x, y, widths=[])
    assert np.isfinite(training.data.x_train).all()
    assert training.network() == "a 4-2 network"
    assert len(trial(training, asking_nothing(CONFIG))) == 3


def test_columns_far_from_zero_keep_what_tells_their_rows_apart():
    x, y = blobs()
    far, near = small_training(x / 1000 + 1e7, y, widths=[]).data, small_training(x, y, widths=[]).data
    np.testing.assert_allclose(far.x_train, near.x_train, atol=1e-4)
    np.testing.assert_allclose(far.x_test, near.x_test, atol=1e-4)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.int8, np.uint8, np.uint64, bool])
def test_numbers_of_any_format_are_those_of_float64(dtype):
    x, y = blobs()
    rows = (x > 4) if dtype is bool else np.abs(np.rint(x))
    data = small_training(rows.astype(dtype), y, widths=[]).data
    np.testing.assert_array_equal(data.x_train, small_training(rows.astype(np.float64), y, widths=[]).data.x_train)


def test_digits_are_used_without_data():
    assert small_training(None, None, (128, 64)).data is None
    assert small_training(None, None, (9,)).layer_widths() == (64, 9, 10)
    assert digits().x_train.shape[1] == 64


@pytest.mark.parametrize(
    ("x", "y", "widths", "words"),
    [
        (blobs()[0], None, (8,), "X and y go together"),
        (None, blobs()[1], (8,), "X and y go together"),
        (np.ones(5), np.arange(5), (8,), "X must be numbers"),
        (np.array([["a", "b"]] * 8), [0, 1] * 4, (8,), "X"),
        (np.ones((8, 2)), [0, 1] * 3, (8,), "y must have a class for each of the 8 rows"),
        (np.array([[1.0, np.nan]] * 8), [0, 1] * 4, (8,), "row 0 is not, and 7 others"),
        (np.array([[1.0, 2.0]] * 7 + [[1.0, 1e31]]), [0, 1] * 4, (8,), r"up to 1e\+30: row 7 is not$"),
        (np.ones((8, 2)), [0] * 8, (8,), "at least 2"),
        (np.ones((8, 2)), [0, np.nan] * 4, (8,), "some are nan"),
        (np.ones((8, 2)), np.array([None, "a"] * 4, dtype=object), (8,), "classes of one kind: .* none missing"),
        (np.ones((8, 2)), [[0], [1, 2]] * 4, (8,), "classes of one kind"),
        (np.ones((8, 2)), np.linspace(0, 1, 8), (8,), "8 values"),
        (np.ones((6, 2)), [0, 1] * 3, (8,), "no class has the 4 rows"),
        (None, None, (0,), "widths"),
        (None, None, (-1, 3), "widths"),
        (None, None, "ab", "widths"),
        (None, None, 128, "widths"),
        (None, None, (1 << 20,), "widths"),
        (None, None, (2.5,), "widths"),
    ],
)
def test_what_cannot_be_trained_on_is_refused(x, y, widths, words):
    with pytest.raises(EntrenarVizError, match=words):
        small_training(x, y, widths)


def test_a_pattern_that_fits_no_layer_is_refused():
    config = PruningConfig(schedule=OneShot(step=1), pattern=Block(height=7, width=7))
    with pytest.raises(EntrenarVizError, match=r"no layer of a 64-128-64-10 network can be pruned: block 7 x 7"):
        SmallTraining().left_whole(TrialPruner("x", config, 5))
