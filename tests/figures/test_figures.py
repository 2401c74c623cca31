"""Figures by their data: lines, texts, places of texts, bytes."""

import hashlib
import subprocess
import sys
from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest

from entrenar_viz import (
    NM,
    Block,
    Column,
    Cubic,
    EntrenarVizError,
    Gradual,
    OneShot,
    Pin,
    PruningConfig,
    Row,
    StepError,
    TrainingLog,
    Unstructured,
    WeightsError,
    prune_mask,
    replay,
)
from entrenar_viz.analysis.updates import requested_at
from entrenar_viz.figures.mask_panels import mask_figure, patterns_figure
from entrenar_viz.figures.palette import COLORS
from entrenar_viz.figures.saving import png_bytes, save_figure
from entrenar_viz.figures.schedule_plot import schedule_figure
from entrenar_viz.figures.thinning import changes, thinned

U64 = 2**64 - 1


def gradual(start, end, initial, final, every):
    return Gradual(start_step=start, end_step=end, initial_sparsity=initial, final_sparsity=final, frequency=every)


def cubic(start, end, final):
    return Cubic(start_step=start, end_step=end, final_sparsity=final)


def lines(figure):
    return {line.get_label(): line for line in figure.axes[0].lines}


def texts(figure):
    return [text for axes in figure.axes for text in axes.findobj(lambda artist: hasattr(artist, "get_text"))]


def words(figure):
    return [text.get_text() for text in texts(figure)]


MISSED = PruningConfig(schedule=gradual(1000, 5000, 0.0, 0.5, 300))
HARD = {
    "start at 0": (gradual(0, 100, 0.0, 0.8, 30), 200, [OneShot(step=0), cubic(0, 100, 0.8)], 0),
    "one step at the end": (gradual(9999, 10_000, 0.0, 0.5, 1), 10_000, [OneShot(step=10_000)], 10_000),
    "target 1%": (cubic(0, 6000, 0.01), 10_000, [OneShot(step=0), gradual(0, 6000, 0.0, 0.01, 9)], 3000),
    "target 100%": (cubic(1000, 6000, 1.0), 10_000, [gradual(1000, 6000, 0.0, 1.0, 100)], 10_000),
    "falling": (gradual(1000, 6000, 0.8, 0.3, 100), 10_000, [cubic(0, 6000, 0.3)], 0),
    "three end alike": (gradual(1000, 5000, 0.0, 0.5, 300), 10_000, [OneShot(step=9), cubic(1000, 5000, 0.5)], 3000),
    "one training step": (cubic(0, 1, 0.5), 1, [OneShot(step=0), gradual(0, 1, 0.1, 0.5, 1)], 1),
    "no training step": (OneShot(step=0), 0, [cubic(0, 9, 0.5)], 0),
    "no step, window after it": (gradual(0, 9, 0.5, 0.6, 1), 0, [], None),
    "10**7 steps": (cubic(0, 6_000_000, 0.7), 10**7, [OneShot(step=0)], 1_234_567),
    "window passes the end": (gradual(2000, 14_000, 0.0, 0.5, 1000), 10_000, [cubic(0, 30_000, 0.5)], 5000),
    "an early update, then the end": (gradual(0, 10**10, 0.5, 0.6, 10**10), 10**9, [], 10**9),
    "window after the end": (gradual(20_000, 90_000, 0.0, 0.5, 1000), 10_000, [OneShot(step=20_000)], 15_000),
    "64 bits": (gradual(0, U64, 0.123456, 0.987654, U64 // 7), U64, [OneShot(step=U64)], U64),
    "64 bits, late": (gradual(U64 - 5, U64, 0.123456, 0.987654, U64 // 7), U64 // 2, [OneShot(step=U64)], None),
    "fifty pins": (gradual(1000, 5000, 0.0, 0.5, 300), 10_000, [OneShot(step=9), cubic(1000, 5000, 0.5)], 3000, 50),
    "nine curves": (gradual(0, 100, 0.0, 0.0, 30), 200, [cubic(0, end, 0.0) for end in range(1, 9)], None),
}


@pytest.mark.parametrize("case", HARD.values(), ids=HARD)
def test_labels_stay_inside_and_apart(case):
    schedule, total, others, cursor, *number = case
    pins = pins_of(*(f"{i}" + "W" * 78 for i in range(sum(number))))
    figure = schedule_figure(PruningConfig(schedule=schedule), total, others=others, cursor=cursor, pins=pins)
    axes = figure.axes[0]
    figure.draw_without_rendering()
    labels = [text for text in axes.texts if text.get_text()]
    for label in labels:
        box = label.get_window_extent()
        assert axes.bbox.x0 <= box.x0, label
        assert box.x1 <= axes.bbox.x1, label
        assert axes.bbox.y0 <= box.y0, label
        assert box.y1 <= axes.bbox.y1 + 1, label
    # a line box is taller than its letters
    boxes = {text.get_text(): text.get_window_extent().padded(-2) for text in [*labels, *axes.get_xticklabels()]}
    title = axes._left_title
    assert title.get_window_extent().x1 <= figure.bbox.x1
    boxes["title"] = title.get_window_extent().padded(-2)
    for (one, box), (other, second) in combinations(boxes.items(), 2):
        assert not box.overlaps(second), (one, other)


@pytest.mark.parametrize("theme", COLORS)
def test_the_curve_is_the_formula_and_the_staircase_the_replay(theme):
    cubic_line = cubic(1000, 5000, 0.5)
    figure = schedule_figure(MISSED, 10_000, others=[cubic_line, MISSED.schedule], theme=theme)
    drawn = lines(figure)
    assert [line for line in drawn if line in ("Gradual", "Cubic", "OneShot")] == ["Cubic", "Gradual"]
    steps, sparsity = drawn["Gradual"].get_data()
    assert {0, 1000, 5000, 10_000} <= set(steps)
    np.testing.assert_array_equal(sparsity, requested_at(MISSED, np.asarray(steps, int)))
    steps, sparsity = drawn["Cubic"].get_data()
    np.testing.assert_array_equal(sparsity, cubic_line.sparsity_at_step(np.asarray(steps, int)))
    run = replay(MISSED, 10_000)
    np.testing.assert_array_equal(drawn["applied"].get_xdata(), [0, *run.update_steps, 10_000])
    np.testing.assert_array_equal(drawn["applied"].get_ydata(), [0, *run.applied, run.final_sparsity])
    assert drawn["applied"].get_drawstyle() == "steps-post"
    assert drawn["Gradual"].get_color() == COLORS[theme]["gradual"]
    assert drawn["Gradual"].get_linewidth() > drawn["Cubic"].get_linewidth()
    assert set(drawn["target"].get_ydata()) == {0.5}


def test_a_window_far_behind_the_end_does_not_squeeze_the_training():
    late = PruningConfig(schedule=gradual(1000, 100_000, 0.0, 0.5, 500))
    assert lines(schedule_figure(late, 10_000))["Gradual"].get_xdata()[-1] == 15_000
    later = PruningConfig(schedule=gradual(1000, 12_000, 0.0, 0.5, 500))
    assert lines(schedule_figure(later, 10_000))["Gradual"].get_xdata()[-1] == 12_000


def test_the_staircase_of_n_m_is_what_the_mask_gets():
    config = PruningConfig(pattern=NM(n=2, m=4), schedule=gradual(1000, 5000, 0.0, 0.8, 500))
    figure = schedule_figure(config, 10_000, cursor=2000)
    applied = lines(figure)["applied"]
    assert (applied.get_xdata()[1], set(applied.get_ydata())) == (1500, {0, 0.5})
    assert {"stops at 50%", "target 80%", "applied 50%", "Gradual 20%"} <= set(words(figure))


def test_a_missed_target_is_said_and_a_reached_one_too():
    assert {"stops at 48.75%", "target 50%", "recovery: 5,100 steps (51%)"} <= set(
        words(schedule_figure(MISSED, 10_000))
    )
    reached = PruningConfig(schedule=gradual(1000, 5000, 0.0, 0.5, 250))
    assert "applied 50%" in words(schedule_figure(reached, 10_000))


def pins_of(*names):
    return [Pin(name=name, config=replace(MISSED, target_sparsity=0.4), total_steps=9) for name in names]


def test_pins_are_dashed_grey_and_named_where_they_end():
    steep = Pin(name="steep", config=PruningConfig(schedule=cubic(0, 100, 0.9)), total_steps=9)
    once = Pin(name="once", config=PruningConfig(target_sparsity=0.3, schedule=OneShot(step=5)), total_steps=9)
    figure = schedule_figure(MISSED, 10_000, others=[cubic(1000, 5000, 0.5)], pins=[steep, once])
    drawn = lines(figure)
    assert not {"--", "-."} & {drawn[name].get_linestyle() for name in ("Gradual", "Cubic", "applied")}
    for pin in (steep, once):
        line = drawn[f"pin {pin.name}"]
        assert (line.get_color(), line.is_dashed()) == (COLORS["light"]["muted"], True)
        assert line.get_zorder() < drawn["Cubic"].get_zorder()
    steps, sparsity = drawn["pin steep"].get_data()
    np.testing.assert_array_equal(sparsity, requested_at(steep.config, np.asarray(steps, np.uint64)))
    np.testing.assert_array_equal(drawn["pin once"].get_ydata(), np.float32([0, 0, 0.3, 0.3]))
    places = {text.get_text(): text.get_position()[1] for text in texts(figure)}
    assert places["steep"] > places["Gradual"] > places["once"]
    assert drawn["pin steep"]._dash_pattern != drawn["pin once"]._dash_pattern


def test_as_many_names_of_pins_as_there_is_room_for():
    pins = pins_of(*(f"pin {i}" for i in range(50)))
    figure = schedule_figure(MISSED, 10_000, others=[cubic(1000, 5000, 0.5), OneShot(step=9)], pins=pins)
    assert len([label for label in lines(figure) if label.startswith("pin ")]) == 50
    assert {"pin 0", "pin 11", "38 more pins"} <= set(words(figure))
    assert "pin 12" not in words(figure)


@pytest.mark.parametrize("name", [r"$\frac{$ & <b>", "x" * 80, "層 größer", "_hidden"])
def test_any_name_of_a_pin_is_drawn_as_text(name):
    figure = schedule_figure(MISSED, 10_000, pins=pins_of(name))
    assert png_bytes(figure).startswith(b"\x89PNG")
    label = next(word for word in words(figure) if word[:2] in (name[:2], "? "))
    assert label in (name, "? größer") or label.endswith("…")


def test_one_shot_is_drawn_as_the_sparsity_that_it_applies():
    figure = schedule_figure(PruningConfig(target_sparsity=0.6, schedule=OneShot(step=1000)), 4000)
    np.testing.assert_array_equal(lines(figure)["OneShot"].get_xdata(), [0, 1000, 1000, 4000])
    np.testing.assert_array_equal(lines(figure)["OneShot"].get_ydata(), np.float32([0, 0, 0.6, 0.6]))
    assert not [word for word in words(figure) if word.startswith("window")]


def test_the_end_of_training_is_marked_only_where_the_window_passes_it():
    past = schedule_figure(PruningConfig(schedule=cubic(0, 14_000, 0.5)), 10_000)
    assert set(lines(past)["training ends"].get_xdata()) == {10_000}
    assert max(lines(past)["Cubic"].get_xdata()) == 14_000
    assert max(lines(past)["applied"].get_xdata()) == 10_000
    assert "training ends" not in lines(schedule_figure(MISSED, 10_000))


def test_the_cursor_reads_out_every_curve():
    figure = schedule_figure(MISSED, 10_000, others=[cubic(1000, 5000, 0.5)], cursor=3000)
    assert {"step 3,000", "Gradual 25%", "applied 22.5%", "Cubic 43.75%"} <= set(words(figure))
    assert set(lines(figure)["cursor"].get_xdata()) == {3000}


def test_long_schedules_are_drawn_with_few_points():
    figure = schedule_figure(PruningConfig(schedule=gradual(0, 10**7, 0.3, 0.7, 1)), 10**7)
    for line in lines(figure).values():
        assert len(line.get_xdata()) <= 1000
    assert lines(figure)["applied"].get_ydata()[1] == pytest.approx(0.3)
    assert lines(figure)["applied"].get_ydata()[-2] == np.float32(0.7)


def test_ticks_are_whole_steps_with_separators():
    figure = schedule_figure(MISSED, 10_000)
    assert [label.get_text() for label in figure.axes[0].get_xticklabels()][-1] == "10,000"
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()][::5] == ["0%", "100%"]


@pytest.mark.parametrize("cursor", [-1, 0.5, 10_001])
def test_a_cursor_outside_is_refused(cursor):
    with pytest.raises(StepError):
        schedule_figure(MISSED, 10_000, cursor=cursor)


def test_an_unknown_theme_is_refused():
    with pytest.raises(EntrenarVizError, match="use one of light, dark"):
        schedule_figure(MISSED, 10_000, theme="sepia")


def luminance(color):
    channels = np.array([int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)])
    linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


def contrast(one, other):
    low, high = sorted([luminance(one), luminance(other)])
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("colors", COLORS.values(), ids=COLORS)
def test_text_is_readable_and_the_lowest_kept_weight_is_not_taken_for_pruned(colors):
    assert set(colors) == set(COLORS["light"])
    for name in ("one_shot", "gradual", "cubic", "other", "ink", "muted"):
        assert contrast(colors[name], colors["background"]) >= 4.5
    assert contrast(colors["muted"], colors["window"]) >= 4.5
    assert contrast(colors["kept_low"], colors["pruned"]) >= 1.8
    assert contrast(colors["kept_high"], colors["pruned"]) >= 12


WEIGHTS = np.random.default_rng(0).standard_normal((20, 30)).astype(np.float32)


def test_a_panel_shows_the_magnitudes_of_kept_weights_only():
    figure = mask_figure(WEIGHTS, {"Gradual": 0.25, "Cubic": 0.46})
    for axes, sparsity in zip(figure.axes, (0.25, 0.46), strict=False):
        shown = axes.images[0].get_array()
        np.testing.assert_array_equal(~np.ma.getmaskarray(shown), prune_mask(WEIGHTS, sparsity))
        np.testing.assert_array_equal(shown.data, np.abs(WEIGHTS))
    assert figure.axes[0].images[0].norm.vmax == figure.axes[1].images[0].norm.vmax
    assert {"Gradual", "asked 25% / got 25%", "asked 46% / got 46%"} <= set(words(figure))


def test_what_was_got_can_differ_from_what_was_asked():
    assert "asked 30% / got 50%" in words(mask_figure(WEIGHTS, {"2:4": 0.3}, pattern=NM(n=2, m=4)))
    assert "asked 30% / got 25%" in words(mask_figure(WEIGHTS, {"blocks": 0.3}, pattern=Block(height=10, width=15)))


def test_masks_by_activations_are_those_of_prune_mask_and_say_how_they_compare():
    norms = np.random.default_rng(3).gamma(1, size=WEIGHTS.shape[1])
    for within, said in (("tensor", "unstructured, by wanda"), ("row", "unstructured, by wanda within each row")):
        figure = mask_figure(WEIGHTS, {"half": 0.5}, method="wanda", activations=norms, within=within)
        gone = np.ma.getmaskarray(figure.axes[0].images[0].get_array())
        expected = prune_mask(WEIGHTS, 0.5, method="wanda", activations=norms, within=within)
        np.testing.assert_array_equal(~gone, expected)
        assert figure.texts[0].get_text().endswith(said)


def test_patterns_are_drawn_side_by_side_and_one_that_does_not_fit_says_why():
    patterns = [Unstructured(), NM(n=2, m=4), Block(height=8, width=5), Row(), Column()]
    norms = np.random.default_rng(3).gamma(1, size=WEIGHTS.shape[1])
    figure = patterns_figure(WEIGHTS, 0.5, patterns, method="wanda", activations=norms)
    assert [axes.get_title() for axes in figure.axes] == ["unstructured", "2:4", "8 × 5 blocks", "rows", "columns"]
    for axes, pattern in zip(figure.axes, patterns, strict=True):
        if isinstance(pattern, Block):
            assert not axes.images
            assert " ".join(axes.texts[0].get_text().split()).startswith("block 8 x 5 does not divide 20 x 30")
        else:
            gone = np.ma.getmaskarray(axes.images[0].get_array())
            np.testing.assert_array_equal(~gone, prune_mask(WEIGHTS, 0.5, pattern, "wanda", activations=norms))
    assert figure.texts[0].get_text() == "20 × 30 weights, by wanda"
    before = patterns_figure(WEIGHTS, None, [NM(n=2, m=4)], theme="dark")
    assert before.axes[0].get_xlabel() == "no update yet"
    with pytest.raises(EntrenarVizError, match="pass patterns"):
        patterns_figure(WEIGHTS, 0.5, [])


def test_large_layers_are_shown_as_the_density_of_kept_weights():
    large = np.random.default_rng(1).standard_normal((600, 300)).astype(np.float32)
    shown = mask_figure(large, {"half": 0.5}).axes[0].images[0].get_array()
    assert shown.shape == (256, 256)
    keep = prune_mask(large, 0.5)
    edges = [np.arange(257) * size // 256 for size in (600, 300)]
    naive = [
        [keep[top:bottom, left:right].mean() for left, right in zip(edges[1], edges[1][1:], strict=False)]
        for top, bottom in zip(edges[0], edges[0][1:], strict=False)
    ]
    np.testing.assert_allclose(shown, naive)


@pytest.mark.parametrize("shape", [(1, 1), (1, 3000), (3000, 2), (2, 3, 4)])
@pytest.mark.parametrize("sparsity", [0, 1.0])
def test_any_shape_and_either_extreme_can_be_drawn(shape, sparsity):
    assert png_bytes(mask_figure(np.zeros(shape, np.float32), {"a": sparsity}), dpi=30).startswith(b"\x89PNG")


def test_labels_of_masks_are_text_and_never_formulas():
    figure = mask_figure(WEIGHTS, {r"$\nonsense{": 0.1, **{f"panel {i}": i / 10 for i in range(8)}}, theme="dark")
    assert len(figure.axes) == 9
    assert png_bytes(figure, dpi=30)


@pytest.mark.parametrize(
    ("weights", "requests"),
    [(WEIGHTS, {}), (WEIGHTS, {"a": 1.5}), (WEIGHTS, {"a": np.nan}), (WEIGHTS[0], {"a": 0.5}), ("x", {"a": 0.5})],
)
def test_masks_that_cannot_be_drawn_are_refused(weights, requests):
    with pytest.raises(EntrenarVizError):
        mask_figure(weights, requests)


def test_non_finite_weights_are_refused():
    with pytest.raises(WeightsError, match="not finite"):
        mask_figure(np.float32([[1, np.nan]]), {"a": 0.5})


@pytest.mark.parametrize("suffix", [".png", ".svg", ".pdf", ".SVG"])
def test_files_have_the_same_bytes_every_time(tmp_path, suffix):
    one, two = (
        save_figure(schedule_figure(MISSED, 10_000, cursor=3000), tmp_path / f"{name}{suffix}").read_bytes()
        for name in ("one", "two")
    )
    assert one == two
    assert one.startswith((b"\x89PNG", b"<?xml", b"%PDF"))


def test_an_svg_has_the_same_bytes_in_another_process(tmp_path):
    code = (
        "import sys, numpy as np; from entrenar_viz import mask_figure, save_figure;"
        "save_figure(mask_figure(np.eye(9, dtype=np.float32), {'a': 0.5}), sys.argv[1])"
    )
    sums = set()
    for name in ("one.svg", "two.svg"):
        subprocess.run([sys.executable, "-c", code, str(tmp_path / name)], check=True)
        sums.add(hashlib.sha256((tmp_path / name).read_bytes()).hexdigest())
    assert len(sums) == 1


def test_saving_overwrites_only_when_told(tmp_path):
    figure, path = schedule_figure(MISSED, 10_000), tmp_path / "a.svg"
    path.write_text("mine")
    with pytest.raises(FileExistsError):
        save_figure(figure, path)
    assert path.read_text() == "mine"
    assert save_figure(figure, path, overwrite=True) == path
    assert path.read_bytes().startswith(b"<?xml")


@pytest.mark.parametrize("name", ["a.jpg", "a", ".svg", "a.svgz"])
def test_other_suffixes_are_refused(tmp_path, name):
    with pytest.raises(EntrenarVizError, match=r"\.png, \.svg, \.pdf"):
        save_figure(schedule_figure(MISSED, 10_000), tmp_path / name)


def test_pyplot_is_never_loaded():
    code = "import sys, entrenar_viz.figures; assert 'matplotlib.pyplot' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


# What happened -------------------------------------------------------------------------------------------------------


def parted_log():
    """As planned but for steps 3,000 to 3,800 and from 4,500 on, reported every 50 steps up to 8,200."""
    log, run = TrainingLog(MISSED, 10_000), replay(MISSED, 10_000)
    for step in range(50, 8201, 50):
        sparsity = run.applied_at(2999) if 3000 <= step < 3800 else run.applied_at(step)
        log.add(step, min(sparsity, np.float32(0.42)), loss=3 - step / 4100, lr=1e-3)
    return log


def test_what_happened_is_a_staircase_of_its_own_with_marks_where_it_parts():
    figure = schedule_figure(MISSED, 10_000, log=parted_log(), cursor=3100)
    happened, marks = lines(figure)["happened"], lines(figure)["parted"]
    steps, sparsity = happened.get_data()
    assert happened.get_drawstyle() == "steps-post"
    assert (steps[0], steps[-1], sparsity[-1]) == (50, 8200, np.float32(0.42))
    assert len(steps) < 20
    assert marks.get_xdata().tolist() == [3100, 4600]
    assert {"happened 42%", "happened 22.5%"} <= set(words(figure))
    assert {line.get_color() for line in (happened,)} == {COLORS["light"]["happened"]}


def test_metrics_have_a_scale_of_their_own_and_their_ends_written():
    figure = schedule_figure(MISSED, 10_000, log=parted_log(), metrics=["loss", "lr"])
    heights = lines(figure)["metric loss"].get_ydata()
    assert 0 < heights.min() < 0.1
    assert 0.9 < heights.max() < 1
    assert {"2.988", "1", "loss 1", "lr 0.001"} <= set(words(figure))
    assert len(set(lines(figure)["metric lr"].get_ydata())) == 1


def test_a_loss_that_diverges_is_a_gap_in_its_line():
    log = TrainingLog()
    for step, loss in [(1, 2.0), (2, 1.0), (3, float("inf")), (4, 3.0)]:
        log.add(step, loss=loss)
    assert np.isnan(lines(schedule_figure(MISSED, 10, log=log, metrics=["loss"]))["metric loss"].get_ydata()[2])


def test_a_log_that_goes_on_is_drawn_to_the_end_of_the_figure():
    figure = schedule_figure(
        PruningConfig(schedule=gradual(0, 50, 0.0, 0.5, 10)), 100, log=parted_log(), metrics=["loss"]
    )
    assert lines(figure)["happened"].get_xdata().max() <= 100
    assert lines(figure)["metric loss"].get_xdata().max() <= 100


@pytest.mark.parametrize(("name", "said"), [("los", "known here: loss, lr"), ("nan", "never reported as a finite")])
def test_a_metric_that_cannot_be_drawn_is_refused(name, said):
    log = parted_log()
    if name == "nan":
        log.add(9000, nan=float("nan"))
    with pytest.raises(EntrenarVizError, match=said):
        schedule_figure(MISSED, 10_000, log=log, metrics=[name])


def test_no_extreme_and_no_step_is_lost_where_points_are_thinned():
    rng = np.random.default_rng(0)
    values = rng.normal(size=100_000)
    values[[777, 50_001]] = [99, -99]
    values[3] = np.nan
    kept = thinned(values, 1000)
    assert len(kept) <= 1000
    assert {0, 3, 777, 50_001, 99_999} <= set(kept.tolist())
    assert thinned(np.full(50, np.nan), 10).size <= 10
    stairs = np.repeat(np.arange(30, dtype=np.float32), 1000)
    assert changes(stairs, 800).tolist() == [*range(0, 30_000, 1000), 29_999]
    assert changes(stairs[:0], 800).size == 0
    assert len(changes(np.arange(10_000, dtype=np.float32), 800)) <= 800
