"""The handwritten digits that the sample network was trained on: small real data for a training in seconds."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Digits(NamedTuple):
    """Images as (n, 64), float32 from 0 to 1, and the digits that they show, int64; a quarter is held out for tests."""

    x_train: NDArray[np.float32]
    y_train: NDArray[np.int64]
    x_test: NDArray[np.float32]
    y_test: NDArray[np.int64]


def digits() -> Digits:
    """1,797 images of 8 x 8 pixels, split as they were to train ``sample("digits network")``.

    From scikit-learn, there from the UCI repository (Alpaydin & Kaynak 1998, "Optical Recognition of Handwritten
    Digits", CC BY 4.0). ``benchmarks/train_digits.py`` writes the file.

    >>> data = digits()
    >>> data.x_train.shape, data.x_test.shape, data.y_test[:4]
    ((1347, 64), (450, 64), array([8, 6, 8, 3]))
    """
    with np.load(Path(__file__).parent / "sample_data" / "digits_images.npz") as held:
        return Digits(
            held["x_train"].astype(np.float32) / 16,
            held["y_train"].astype(np.int64),
            held["x_test"].astype(np.float32) / 16,
            held["y_test"].astype(np.int64),
        )
