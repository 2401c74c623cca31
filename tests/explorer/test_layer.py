"""What the browser is sent of a layer: enough for every mask, little enough to send."""

import numpy as np
import pytest

from entrenar_viz import NM, Block, Column, Row, Unstructured, WeightsError
from entrenar_viz.config.pruning_config import PATTERNS
from entrenar_viz.explorer.preview.layer import FINE, LEVELS, WINDOW, prepare, prepare_patterns
from entrenar_viz.masks.loss_curves import level_counts
from entrenar_viz.masks.order import prune_order
from entrenar_viz.masks.scores import importance

ALL = {
    "Unstructured": Unstructured(),
    "N:M": NM(n=2, m=4),
    "Block": Block(height=2, width=4),
    "Row": Row(),
    "Column": Column(),
}


def drawn(shape, seed=1):
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def array(data, name, kind):
    return np.frombuffer(data[name], kind)


@pytest.mark.parametrize("pattern", ALL.values(), ids=repr)
def test_ranks_give_the_mask_at_every_sparsity(pattern):
    matrix = np.round(drawn((16, 24)), 1)
    data, order = prepare(matrix, pattern).data, prune_order(matrix**2, pattern)
    ranks = array(data, "ranks", "<u2").reshape(16, 24)
    for sparsity in np.linspace(0.1, 1, 10):
        assert ((ranks >= order.count(sparsity)) == order.mask(sparsity)).all()


@pytest.mark.parametrize("pattern", ALL.values(), ids=repr)
@pytest.mark.parametrize("shape", [(16, 24), (32, 300)])
def test_kept_energy_and_thresholds_are_told_at_every_count(pattern, shape):
    matrix = drawn(shape)
    data, order = prepare(matrix, pattern).data, prune_order(matrix**2, pattern)
    energy = array(data, "energy", "<f4")
    counts = array(data, "energy_counts", "<u4")
    assert set(level_counts(order, min(order.units, FINE) if data["exact"] else LEVELS)) <= set(counts)
    for count, share in list(zip(counts, energy, strict=True))[::7]:
        kept = np.square(matrix[order.mask_of(int(count))], dtype=np.float64).sum()
        assert share == pytest.approx(kept / np.square(matrix, dtype=np.float64).sum(), abs=1e-5)
    assert len(data["thresholds"]) == (0 if isinstance(pattern, NM) else 4 * (min(order.units, FINE) + 1))
    assert array(data, "bins", "<u4").sum() == (matrix.size if isinstance(pattern, NM) else order.units)


def test_rows_compared_by_themselves_say_how_many_go_in_all():
    matrix = np.round(drawn((12, 20)), 1)
    data = prepare(matrix, Unstructured(), within="row").data
    order = prune_order(matrix**2, Unstructured(), "row")
    assert (data["units"], data["unit"], data["ties"]) == (20, "weights of each row", b"")
    for count, gone in enumerate(array(data, "gone", "<u4")):
        assert gone == np.count_nonzero(~order.mask_of(count))


def test_the_error_of_the_output_is_told_where_the_inputs_are_given():
    matrix, x = drawn((8, 16)), drawn((40, 16), seed=2)
    assert "errors" not in prepare(matrix, Unstructured()).data
    norms = np.ones(16, np.float32)
    assert "errors" not in prepare(matrix, Unstructured(), method="wanda", activations=norms, inputs=norms).data
    data = prepare(matrix, Unstructured(), method="wanda", activations=x, inputs=x).data
    errors = array(data, "errors", "<f4")
    assert (errors[0], errors[-1]) == (0, 1)
    order = prune_order(importance(matrix, "wanda", x), Unstructured())
    gone = np.where(order.mask_of(64), 0, matrix)
    assert errors[len(errors) // 2] == pytest.approx(
        np.square(x @ gone.T).sum() / np.square(x @ matrix.T).sum(), rel=1e-3
    )


@pytest.mark.parametrize("within", ["tensor", "row"])
def test_a_large_layer_is_sent_small(within):
    prepared = prepare(np.round(drawn((2000, 2100)), 3), Unstructured(), within=within)
    data = prepared.data | prepared.window(0, 0)
    assert sum(len(part) for part in data.values() if isinstance(part, bytes)) < 4e6
    assert (data["rows"], data["cols"], data["exact"]) == (2000, 2100, False)
    assert len(prepared.data["density"]) == (LEVELS + 1) * 256 * 256


@pytest.mark.parametrize("pattern", ALL.values(), ids=repr)
@pytest.mark.parametrize("corner", [(0, 0), (100, 30), (-5, 10_000)])
def test_the_window_is_exact_and_lies_inside(pattern, corner):
    matrix = drawn((264, 520))
    prepared = prepare(matrix, pattern)
    window = prepared.window(*corner)
    row, column, height, width = (window[name] for name in ("row", "column", "height", "width"))
    assert (height, width) == WINDOW
    assert (row, column) == (min(max(corner[0], 0), 264 - height), min(max(corner[1], 0), 520 - width))
    part = (slice(row, row + height), slice(column, column + width))
    ranks = array(window, "ranks", "<u4").reshape(height, width)
    order = prune_order(matrix**2, pattern)
    for sparsity in (0.1, 0.5, 0.9):
        assert ((ranks >= order.count(sparsity)) == order.mask(sparsity)[part]).all()
    shades = array(window, "shades", np.uint8).reshape(height, width)
    assert shades.min() >= 70
    largest = np.unravel_index(np.abs(matrix[part]).argmax(), shades.shape)
    assert shades[largest] == shades.max()


def test_a_window_on_a_flat_layer_is_as_flat():
    window = prepare(drawn((5, 300)), Unstructured()).window(3, 290)
    assert [window[name] for name in ("row", "column", "height", "width")] == [0, 44, 5, 256]


def test_patterns_are_compared_at_once_and_one_that_does_not_fit_says_why():
    matrix, told = drawn((6, 10)), []
    found = prepare_patterns(matrix, ALL, report=lambda stage, share: told.append((stage, share)))
    assert [data["name"] for data in found] == list(ALL)
    assert found[0]["ranks"] == prepare(matrix, Unstructured()).data["ranks"]
    assert "note" not in found[1]
    assert found[2] == {"name": "Block", "note": found[2]["note"]}
    assert "block 2 x 4 does not divide 6 x 10" in found[2]["note"]
    assert told[2] == ("comparing Block", 2 / 5)
    assert len(PATTERNS) == len(ALL)


def test_compared_patterns_of_a_large_layer_are_sent_smaller():
    found = prepare_patterns(drawn((512, 512)), ALL)
    assert {len(data["density"]) for data in found} == {31 * 128 * 128}


def test_what_is_being_done_is_told_in_order_and_may_stop_it():
    told = []
    prepare(drawn((300, 8)), Unstructured(), report=lambda stage, share: told.append((stage, share)))
    assert [share for _, share in told] == sorted(share for _, share in told)
    assert list(dict.fromkeys(stage for stage, _ in told)) == [
        "scoring the weights",
        "putting them in order",
        "drawing",
    ]

    def stop(stage, share):
        raise InterruptedError

    with pytest.raises(InterruptedError):
        prepare(drawn((4, 4)), Unstructured(), report=stop)
    with pytest.raises(WeightsError, match="does not divide"):
        prepare(drawn((4, 4)), Block(height=3, width=3))
