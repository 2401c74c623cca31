"""What layers lose, against the masks themselves."""

from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from entrenar_viz import (
    NM,
    Block,
    Column,
    EntrenarVizError,
    PruningConfig,
    Row,
    Unstructured,
    WeightsError,
    iter_survey,
    prune_mask,
    sample,
    sample_calibration,
    sensitivity,
)
from entrenar_viz.masks import bands
from entrenar_viz.plan import measuring
from entrenar_viz.plan.sensitivities import COLUMNS

DIGITS = sample("digits network")
DATA = sample_calibration("digits network")
PATTERNS = [Unstructured(), Row(), Column(), Block(height=2, width=4), NM(n=2, m=4)]
NAMES = ["unstructured", "row", "column", "block", "nm"]


def check(curve, weights, pattern, method="magnitude", *, within="tensor", inputs=None, entering=None):
    """Each number of ``curve`` is that of the mask at its level."""
    energy = np.square(weights, dtype=np.float64)
    for place, level in enumerate(curve.levels):
        mask = prune_mask(weights, level, pattern, method, activations=entering, within=within)
        mask |= not level  # where nothing is asked nothing goes, by N:M too
        assert curve.achieved[place] == pytest.approx(1 - mask.mean(), abs=1e-15)
        assert curve.kept_energy[place] == pytest.approx((energy * mask).sum() / (energy.sum() or 1), abs=1e-12)
        assert curve.dead_rows[place] == np.count_nonzero(~mask.any(axis=1))
        if inputs is not None:
            whole, lost = (np.square(inputs @ some.T.astype(np.float64)).sum() for some in (weights, weights * ~mask))
            assert curve.output_error[place] == pytest.approx(lost / whole, rel=1e-4, abs=1e-9)


@pytest.mark.parametrize("pattern", PATTERNS, ids=NAMES)
@pytest.mark.parametrize("method", ["magnitude", "wanda", "sparse_gpt"])
def test_every_pattern_and_method(pattern, method):
    for curve in sensitivity(DIGITS, calibration=DATA, pattern=pattern, method=method):
        entering = DATA.for_method(curve.layer, method)
        check(curve, DIGITS[curve.layer], pattern, method, inputs=DATA[curve.layer], entering=entering)


def test_rows_by_themselves():
    for curve in sensitivity(DIGITS, calibration=DATA, method="wanda", within="row"):
        check(curve, DIGITS[curve.layer], Unstructured(), "wanda", within="row", entering=DATA[curve.layer])


@given(st.integers(0, 2**32), st.sampled_from(PATTERNS), st.lists(st.floats(0, 1), min_size=1, max_size=9))
def test_bands_of_any_size_give_the_same(seed, pattern, levels):
    rng = np.random.default_rng(seed)
    weights = rng.integers(-4, 5, (4 * rng.integers(1, 9), 4 * rng.integers(1, 9))).astype(np.float32)  # with ties
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bands.band_starts, "__defaults__", (int(rng.integers(1, 200)),))
        for module in (bands, measuring):  # what is counted, and what is put in order
            patch.setattr(module, "SMALL", int(rng.choice([0, 1 << 16])))
        (curve,) = sensitivity({"fc.weight": weights}, levels, pattern=pattern)
    assert curve.levels == tuple(sorted(set(levels)))
    if weights.any():
        check(curve, weights, pattern)


def test_the_survey_has_the_same_numbers():
    found = sensitivity(DIGITS, [0.8], calibration=DATA)
    for record in iter_survey(DIGITS, PruningConfig(target_sparsity=0.8), calibration=DATA):
        curve = found[record.layer]
        assert (curve.achieved[0], curve.dead_rows[0]) == (record.achieved, record.dead_rows)
        assert curve.kept_energy[0] == pytest.approx(record.kept_energy, rel=1e-12)
        assert curve.output_error[0] == pytest.approx(record.output_error, rel=1e-4)


def test_any_executor_gives_the_same():
    alone = sensitivity(DIGITS, calibration=DATA)
    with ThreadPoolExecutor(2) as threads, ProcessPoolExecutor(2, mp_context=get_context("spawn")) as processes:
        for executor in (threads, processes):
            for one, other in zip(alone, sensitivity(DIGITS, calibration=DATA, executor=executor), strict=True):
                assert one.kept_energy == other.kept_energy
                np.testing.assert_allclose(one.output_error, other.output_error, rtol=1e-4)


def test_between_the_levels_it_is_interpolated():
    curve = sensitivity(DIGITS, [0.0, 0.5, 0.9])["fc1.weight"]
    middle = (curve.kept_energy[0] + curve.kept_energy[1]) / 2
    assert curve.kept_at(curve.achieved[1] / 2) == pytest.approx(middle)
    assert curve.kept_at(1.0) == 0
    assert curve.error_at(0.5) is None
    assert sensitivity(DIGITS, [0.5], calibration=DATA)["fc1.weight"].error_at(1.0) == 1


def test_a_layer_that_cannot_be_measured_is_a_record_with_its_reason():
    model = {"a.weight": np.ones((3, 3)), "b.weight": np.array([[np.inf, 1.0]]), "lm_head.weight": np.ones((4, 4))}
    found = sensitivity(model, pattern=Block(height=1, width=1))
    assert not found["a.weight"].reason
    assert "not finite" in found["b.weight"].reason
    assert "left whole" in found["lm_head.weight"].reason
    assert found["b.weight"].kept_at(0.5) is None
    assert found["b.weight"].knee is None
    assert not sensitivity(model, skip_embed_layers=False)["lm_head.weight"].reason
    misfit = sensitivity(model, pattern=Block(height=2, width=2))
    assert "does not divide" in misfit["a.weight"].reason


def test_a_layer_of_zeros_loses_nothing():
    curve = sensitivity({"fc.weight": np.zeros((4, 4))}, [0.5], calibration={"fc.weight": np.ones((2, 4))})["fc.weight"]
    assert (curve.kept_energy, curve.output_error, curve.achieved) == ((1.0,), (0.0,), (1.0,))


def test_where_all_has_gone_nothing_is_kept():
    weights = np.random.default_rng(1).standard_normal((50, 70))
    for levels in ([1.0], np.linspace(0, 1, 50), np.linspace(0, 1, 255)):
        curve = sensitivity({"fc.weight": weights}, levels)["fc.weight"]
        assert curve.kept_energy[-1] == 0
        assert min(curve.kept_energy) == 0


def test_outputs_beyond_float32_have_no_error():
    model = {"fc.weight": np.full((4, 4), 1e30)}
    curve = sensitivity(model, calibration={"fc.weight": np.full((2, 4), 1e10)})["fc.weight"]
    assert (curve.output_error, curve.reason) == (None, "")


def test_knees():
    rng = np.random.default_rng(0)
    gaussian = sensitivity({"fc.weight": rng.standard_normal((300, 300))}, np.linspace(0, 1, 101))["fc.weight"]
    assert gaussian.knee == pytest.approx(0.6827, abs=0.02), "where a weight is as large as the standard deviation"
    straight = sensitivity({"fc.weight": np.sign(rng.standard_normal((300, 300)))}, pattern=Row())["fc.weight"]
    assert straight.knee is None
    assert sensitivity(DIGITS, pattern=NM(n=2, m=4))["fc1.weight"].knee is None


def test_as_a_table_and_as_csv(tmp_path):
    found = sensitivity({"a,b.weight": np.eye(4), "c.weight": np.full((2, 2), np.nan)}, [0.0, 0.5])
    table = found.frame()
    assert list(table.columns) == list(COLUMNS)
    assert table["layer"].tolist() == ["a,b.weight", "a,b.weight", "c.weight"]
    assert table["kept_energy"][:2].tolist() == list(found["a,b.weight"].kept_energy)
    read = pd.read_csv(found.save_csv(tmp_path / "found.csv"))
    assert read["level"][:2].tolist() == [0.0, 0.5]
    assert read["shape"].tolist() == ["4x4", "4x4", "2x2"]
    assert "not finite" in read["reason"][2]
    with pytest.raises(FileExistsError):
        found.save_csv(tmp_path / "found.csv")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"levels": []}, "levels are 1 to 255 sparsities from 0 to 1"),
        ({"levels": 0.5}, "levels are 1 to 255 sparsities from 0 to 1, not 0.5"),
        ({"levels": ["80%"]}, r"levels are 1 to 255 sparsities from 0 to 1, not \['80%'\]"),
        ({"levels": [0.5, 1.5]}, "levels are 1 to 255 sparsities from 0 to 1, not"),
        ({"levels": np.linspace(0, 1, 256)}, "levels are 1 to 255"),
        ({"method": "wanda"}, "wanda needs calibration data"),
        ({"method": "minitron_depth"}, "it gives no mask"),
        ({"within": "column"}, "within is 'tensor' or 'row'"),
        ({"within": "row", "pattern": Row()}, "within='row' goes with Unstructured"),
        ({"calibration": {"fc1.weight": np.ones(3)}}, "3 norms for a layer of 64 columns"),
    ],
)
def test_what_cannot_be_measured_is_refused(arguments, message):
    with pytest.raises(EntrenarVizError, match=message):
        sensitivity(DIGITS, **arguments)


def test_a_layer_without_data_says_so_and_norms_tell_no_error():
    found = sensitivity(DIGITS, calibration={"fc1.weight": np.ones(64, np.float32)}, method="wanda")
    assert found["fc1.weight"].output_error is None
    assert "has nothing for this layer" in found["fc2.weight"].reason
    with pytest.raises(EntrenarVizError, match="no layer 'fc4' was measured"):
        found["fc4"]


def test_progress_is_told_and_may_end_it():
    told = []
    sensitivity(DIGITS, progress=lambda done, total, layer: told.append((done, total, layer.layer)))
    assert told == [(1, 3, "fc1.weight"), (2, 3, "fc2.weight"), (3, 3, "fc3.weight")]

    def stop(*_):
        raise WeightsError("enough")

    with pytest.raises(WeightsError, match="enough"):
        sensitivity(DIGITS, progress=stop)
