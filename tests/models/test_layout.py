"""Which axes of a tensor are its outputs, and where experts are stacked."""

import numpy as np
import pytest

from entrenar_viz.models.layout import layout_of


@pytest.mark.parametrize(
    ("name", "kind", "stored", "shape", "experts"),
    [
        ("fc.weight", "", (10, 784), (10, 784), 0),
        ("conv.weight", "Conv2d", (32, 16, 3, 3), (32, 16, 3, 3), 0),
        ("up.weight", "ConvTranspose2d", (16, 32, 3, 3), (32, 16, 3, 3), 0),
        ("h.0.attn.c_attn.weight", "Conv1D", (768, 2304), (2304, 768), 0),
        ("params.dense.kernel", "", (784, 10), (10, 784), 0),
        ("params.conv.kernel", "", (3, 3, 16, 32), (32, 16, 3, 3), 0),
        ("params.conv.kernel", "", (5, 16, 32), (32, 16, 5), 0),
        ("attention.query.kernel", "", (512, 8, 64), (512, 512), 0),
        ("attention.key.kernel", "", (768, 12, 32), (384, 768), 0),
        ("mlp.experts.down_proj", "", (8, 64, 32), (64, 32), 8),
        ("block_sparse_moe.input_linear.weight", "", (8, 64, 32), (64, 32), 8),
        ("mlp.weights", "Qwen3MoeExperts", (8, 64, 32), (64, 32), 8),
        ("mlp.experts.gate_up_proj", "GptOssExperts", (8, 32, 64), (64, 32), 8),
        ("mlp.experts.0.up.weight", "", (64, 32), (64, 32), 0),
        ("experts.0.conv.weight", "", (64, 32, 5), (64, 32, 5), 0),
        ("moe.conv.weight", "Conv1d", (64, 32, 5), (64, 32, 5), 0),
        ("conv1.weight", "", (64, 32, 5), (64, 32, 5), 0),
        ("remoed.weight", "", (64, 32, 5), (64, 32, 5), 0),
    ],
)
def test_outputs_come_first(name, kind, stored, shape, experts):
    layout = layout_of(name, stored, kind)
    assert (layout.shape, layout.experts) == (shape, experts)
    values = np.arange(np.prod(layout.stored)).reshape(layout.stored)
    turned = layout.turned(values)
    assert turned.shape == shape
    np.testing.assert_array_equal(layout.back(turned), values)


def test_a_kernel_has_a_row_for_each_output():
    values = np.arange(6).reshape(2, 3)  # (in, out)
    np.testing.assert_array_equal(layout_of("dense.kernel", (2, 3)).turned(values), values.T)
    assert layout_of("dense.kernel", (2, 3)).is_turned
    assert not layout_of("dense.weight", (2, 3)).is_turned


def test_the_heads_of_a_query_are_outputs():
    values = np.arange(24).reshape(2, 3, 4)  # (in, heads, size)
    turned = layout_of("self.query.kernel", (2, 3, 4)).turned(values)
    np.testing.assert_array_equal(turned[:, 0], values[0].ravel())
