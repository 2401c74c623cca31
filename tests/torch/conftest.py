"""PyTorch as these tests use it."""

import pytest
import torch


@pytest.fixture(autouse=True, scope="package")
def one_thread():
    """Small networks are slowed down by threads, and more so by those of other tests beside them."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
