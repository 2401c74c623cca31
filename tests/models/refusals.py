"""What tests of model files ask of every format."""

import pytest

from entrenar_viz import WeightsError, load_weights


def read_all(path) -> None:
    tensors = load_weights(path)
    for name in tensors:
        tensors.matrix(name)


def refused(path) -> str:
    """What the refusal of the file says, its path among it."""
    with pytest.raises(WeightsError) as caught:
        read_all(path)
    assert str(path) in str(caught.value)
    return str(caught.value)
