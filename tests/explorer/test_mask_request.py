"""Calibration and comparison in the explorer: by which method the masks are, with what, and what the note says."""

import numpy as np
import pytest

from entrenar_viz import Explorer, PruningConfig, WeightsError, load_calibration
from entrenar_viz.explorer.panels.parts import is_shown
from entrenar_viz.explorer.preview import mask_request, preparation
from entrenar_viz.masks.order import prune_order
from entrenar_viz.masks.scores import importance
from entrenar_viz.models.weights import Tensors
from tests.explorer.hands import answer, put

RNG = np.random.default_rng(5)
A, B, C = (RNG.standard_normal(shape).astype(np.float32) for shape in ((8, 12), (6, 4), (5, 7)))
WEIGHTS = {"a": A, "b": B, "c": C}
SAMPLES = RNG.standard_normal((20, 12)).astype(np.float32)
NORMS = np.abs(RNG.standard_normal(4)).astype(np.float32)
CALIBRATION = {"a": SAMPLES, "b": NORMS}
PLAIN = PruningConfig().pattern


@pytest.fixture
def explorer():
    explorer = Explorer(weights=WEIGHTS, calibration=CALIBRATION)
    yield explorer
    assert explorer.errors == []
    explorer.close()


def assert_ranks(explorer, matrix, method, activations=None):
    data = explorer._parts.live.layer
    ranks = np.frombuffer(data["ranks"], "<u2").reshape(matrix.shape)
    np.testing.assert_array_equal(ranks, prune_order(importance(matrix, method, activations), PLAIN).ranks())


def note(explorer):
    return explorer._parts.live.layer["note"]


def test_masks_are_by_the_method_with_the_activations_of_the_layer(explorer):
    assert_ranks(explorer, A, "magnitude")
    assert "Scored" not in note(explorer)
    for method in ("wanda", "sparse_gpt"):
        put(explorer, method=method)
        assert_ranks(explorer, A, method, SAMPLES)
        assert f"Scored by {method} with arrays." in note(explorer)
    put(explorer, method="wanda")
    explorer._parts.masks.layer.value = "b"
    assert_ranks(explorer, B, "wanda", NORMS)


@pytest.mark.parametrize(
    ("layer", "method", "why"),
    [
        ("a", "minitron_depth", "minitron_depth removes whole layers and gives no mask."),
        ("a", "minitron_width", "minitron_width removes whole channels and gives no mask."),
        ("b", "sparse_gpt", "sparse_gpt needs activations, (samples, columns), and arrays has norms: use wanda."),
        ("c", "wanda", "wanda needs calibration data, and arrays has none for this layer: add it there."),
    ],
)
def test_other_masks_are_by_magnitude_and_the_note_says_why(explorer, layer, method, why):
    explorer._parts.masks.layer.value = layer
    put(explorer, method=method)
    assert_ranks(explorer, WEIGHTS[layer], "magnitude")
    assert note(explorer).endswith(f"Previewed by magnitude: {why}")


def test_calibration_is_kept_for_other_weights_and_checked_layer_by_layer(explorer):
    put(explorer, method="wanda")
    explorer._parts.masks.add(Tensors("other", {"a": explorer._parts.masks.tensors["arrays"]._stored["c"]}))
    assert "Previewed by magnitude: wanda needs calibration data that fits. arrays has 12 columns" in note(explorer)
    assert_ranks(explorer, C, "magnitude")
    explorer._parts.masks.source.value = "arrays"
    assert_ranks(explorer, A, "wanda", SAMPLES)


def test_calibration_that_cannot_be_scored_gives_no_mask(explorer):
    explorer._parts.masks.calibrate({"a": np.zeros((3, 12), np.float32)})
    put(explorer, method="sparse_gpt")
    assert note(explorer).startswith("No mask: activations: ")
    explorer._parts.masks.masks_of.value = "patterns"
    assert {data["note"] for data in explorer._parts.live.patterns} == {explorer._parts.live.patterns[0]["note"]}
    assert explorer._parts.live.patterns[0]["note"].startswith("No mask: activations: ")
    explorer._parts.masks.masks_of.value = "schedules"
    explorer._parts.masks.calibrate({"a": np.full((3, 12), np.nan)})
    put(explorer, method="wanda")
    assert "not finite" in note(explorer)


def test_calibration_is_opened_by_path_and_a_bad_one_leaves_the_one_before(tmp_path):
    np.savez(tmp_path / "good.npz", **CALIBRATION)
    np.savez(tmp_path / "bad.npz", a=SAMPLES[:, :5])
    explorer = Explorer(weights=WEIGHTS)
    put(explorer, method="wanda")
    assert note(explorer).endswith("wanda needs calibration data. Open a file with it in the tab Masks.")
    preview, row = explorer._parts.masks, explorer._parts.masks.rows["calibration"]
    assert row.problem.value == "wanda needs calibration data"
    preview.calibration_path.value = f" {tmp_path / 'good.npz'} "
    preview.open_calibration.click()
    assert_ranks(explorer, A, "wanda", SAMPLES)
    assert row.problem.value == ""
    for name, problem in (("bad.npz", "5 columns for a layer of 12"), ("none.npz", "none.npz"), ("", "")):
        preview.calibration_path.value = str(tmp_path / name) if name else name
        preview.open_calibration.click()
        assert problem in row.problem.value
        assert is_shown(row.problem)
        assert_ranks(explorer, A, "wanda", SAMPLES)
    assert explorer.errors == []
    assert [found.code for found in explorer.findings] == ["needs-calibration"]
    explorer.close()


def test_the_constructor_takes_what_load_calibration_takes_and_refuses_what_does_not_fit(tmp_path):
    np.savez(tmp_path / "c.npz", **CALIBRATION)
    for given in (tmp_path / "c.npz", str(tmp_path / "c.npz"), load_calibration(CALIBRATION)):
        explorer = Explorer(PruningConfig(method="wanda"), weights=WEIGHTS, calibration=given)
        assert_ranks(explorer, A, "wanda", SAMPLES)
        explorer.close()
    with pytest.raises(WeightsError, match="5 columns for a layer of 12"):
        Explorer(weights=WEIGHTS, calibration={"a": SAMPLES[:, :5]})
    with pytest.raises(WeightsError, match="no name here is that of a weight tensor"):
        Explorer(calibration={"a": SAMPLES})


# Comparison -----------------------------------------------------------------------------------------------------------


def test_the_comparison_is_a_matter_of_the_preview_only(explorer, monkeypatch):
    asked, prepare = [], preparation.prepare

    def prepared(*arguments, within, **options):
        asked.append(within)
        return prepare(*arguments, **options)

    monkeypatch.setattr(preparation, "prepare", prepared)
    before = answer(explorer)["exported"]["text"]
    explorer._parts.masks.within.value = "row"
    assert "Each row by itself, as in Wanda's paper: preview only, not what the trainer does." in note(explorer)
    assert answer(explorer)["exported"]["text"] == before
    put(explorer, pattern="row")
    assert "Wanda's paper" not in note(explorer)
    put(explorer, pattern="unstructured")
    assert asked == ["row", "tensor", "row"]


def test_the_comparison_is_offered_where_there_is_one(explorer):
    row = explorer._parts.masks.rows["within"]
    assert is_shown(row)
    put(explorer, pattern="nm")
    assert not is_shown(row)
    put(explorer, pattern="unstructured")
    assert is_shown(row)
    explorer._parts.masks.masks_of.value = "patterns"
    assert not is_shown(row)


# The picture of the fallback ------------------------------------------------------------------------------------------


@pytest.fixture
def drawn(monkeypatch):
    """The figures that the fallback has drawn of masks."""
    figures = []
    from entrenar_viz.figures import mask_panels

    real = mask_panels.panels_figure
    monkeypatch.setattr(mask_panels, "panels_figure", lambda *a, **k: figures.append(real(*a, **k)) or figures[-1])
    return figures


def titles(figure):
    return [axes.get_title() for axes in figure.axes if axes.get_title()]


def test_the_fallback_draws_the_masks_of_method_comparison_and_patterns(drawn):
    explorer = Explorer(weights=WEIGHTS, calibration=CALIBRATION, view="matplotlib")
    assert titles(drawn[-1]) == ["OneShot", "Gradual", "Cubic"]
    put(explorer, method="wanda")
    explorer._parts.masks.within.value = "row"
    put(explorer, cursor=4500)
    kept = ~np.ma.getmaskarray(drawn[-1].axes[1].images[0].get_array())
    order = prune_order(importance(A, "wanda", SAMPLES), PLAIN, "row")
    np.testing.assert_array_equal(kept, order.mask(0.4375))
    explorer._parts.masks.masks_of.value = "patterns"
    assert titles(drawn[-1]) == ["unstructured", "2:4", "4 × 4 blocks", "rows", "columns"]
    assert drawn[-1].axes[3].get_xlabel() == "asked 43.75% / got 37.5%"
    explorer._parts.masks.layer.value = "c"
    assert drawn[-1].axes[1].texts[0].get_text().startswith("2:4 does not fit")
    assert explorer.errors == []
    explorer.close()


def test_the_fallback_draws_each_picture_once(drawn):
    explorer = Explorer(view="matplotlib")
    assert len(drawn) == 1
    put(explorer, cursor=4500)
    assert len(drawn) == 2
    put(explorer, fine_tune_steps=7)
    assert len(drawn) == 2
    explorer.close()


def test_the_fallback_prepares_in_the_background_too(drawn, monkeypatch):
    monkeypatch.setattr(mask_request, "AT_ONCE", 90)
    explorer = Explorer(weights=WEIGHTS, view="matplotlib")
    assert drawn == []
    assert explorer._parts.presenter.job.busy
    assert not is_shown(explorer._parts.picture.masks)
    explorer.wait()
    assert titles(drawn[-1]) == ["OneShot", "Gradual", "Cubic"]
    assert explorer._parts.picture.note.value.startswith("arrays, a. 8 × 12 weights.")
    assert explorer.errors == []
    explorer.close()


def test_the_fallback_says_why_there_is_no_mask(tmp_path):
    np.save(tmp_path / "w.npy", np.eye(4))
    explorer = Explorer(weights=tmp_path / "w.npy", view="matplotlib")
    (tmp_path / "w.npy").unlink()
    put(explorer, method="wanda")
    assert explorer._parts.picture.note.value.startswith(f"No mask: {tmp_path / 'w.npy'}: ")
    assert not is_shown(explorer._parts.picture.masks)
    assert explorer.errors == []
    explorer.close()


def test_the_error_of_the_output_is_told_whatever_the_method(explorer):
    assert explorer._parts.state.settings.method == "magnitude"
    with_activations = explorer._parts.live.layer
    errors = np.frombuffer(with_activations["errors"], "<f4")
    gone = np.where(np.frombuffer(with_activations["ranks"], "<u2").reshape(A.shape) < A.size // 2, A, 0)
    lost, whole = (np.square(SAMPLES @ weights.T).sum() for weights in (gone, A))
    assert errors[len(errors) // 2] == pytest.approx(lost / whole, rel=1e-4)
    explorer._parts.masks.masks_of.value = "patterns"
    assert all("errors" in data for data in explorer._parts.live.patterns if "rows" in data)
