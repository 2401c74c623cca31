"""The images that come with the package are those that the sample network knows."""

import numpy as np

from entrenar_viz import sample_calibration
from entrenar_viz.models.handwritten_digits import digits


def test_the_calibration_of_the_sample_network_is_its_first_training_images():
    inputs = sample_calibration("digits network")["fc1.weight"]
    np.testing.assert_array_equal(digits().x_train[: len(inputs)], inputs)


def test_every_digit_is_there_in_equal_shares():
    data = digits()
    for labels in (data.y_train, data.y_test):
        shares = np.bincount(labels, minlength=10) / len(labels)
        assert shares.min() > 0.09
        assert shares.max() < 0.11
    assert data.x_train.min() == 0
    assert data.x_train.max() == 1
