"""The picture of a sweep by its data: where sparsities stand, lines, bands, knees, names."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex

from entrenar_viz import EntrenarVizError, sweep_figure
from entrenar_viz.figures.palette import COLORS
from entrenar_viz.rehearsal.verdict import interval
from tests.figures.labels import stay_inside_and_apart

SPARSITIES = (0.5, 0.7, 0.8, 0.9, 0.95, 0.98)
FALLS = (0.97, 0.97, 0.97, 0.96, 0.95, 0.5)
FLAT = (0.97, 0.97, 0.97, 0.97, 0.97, 0.97)
STEADY = tuple(0.97 - 0.1 * np.log2(0.5 / (1 - np.array(SPARSITIES))))  # a straight line in the picture


def frame_of(curves, seeds=3, metric="accuracy", spread=0.005, dense=0.97):
    """``curves``: means over ``SPARSITIES`` by schedule and frequency; the seeds lie ``spread`` apart around them."""
    cells = [("dense", None, 0.0, dense)]
    cells += [(*which, s, mean) for which, means in curves.items() for s, mean in zip(SPARSITIES, means, strict=False)]
    rows = [
        (name, every, s, s, seed, mean + spread * (seed - (seeds - 1) / 2), "")
        for name, every, s, mean in cells
        for seed in range(seeds)
    ]
    frame = pd.DataFrame(rows, columns=["schedule", "frequency", "sparsity", "applied", "seed", metric, "problem"])
    return frame.assign(frequency=frame["frequency"].astype("Int64"))


THREE = {("OneShot", None): FALLS, ("Gradual", 250): STEADY, ("Cubic", None): FLAT}


def lines(figure):
    return {line.get_label(): line for line in figure.axes[0].lines}


def words(figure):
    return [text.get_text() for text in [*figure.texts, *figure.axes[0].texts]]


def names(figure):
    return [text.get_text() for text in figure.axes[0].texts]


def test_lines_are_means_over_the_sparsities_and_high_ones_stay_apart():
    figure = sweep_figure(frame_of(THREE))
    drawn = lines(figure)
    x = drawn["OneShot"].get_xdata()
    np.testing.assert_allclose(x, -np.log2(1 - np.array(SPARSITIES)))
    assert np.diff(x)[-2:].min() > 0.15 * np.ptp(x)
    for (name, _), means in THREE.items():
        np.testing.assert_allclose(drawn[name].get_ydata(), means)
    ticks = figure.axes[0].get_xticklabels()
    assert [tick.get_text() for tick in ticks] == ["50%", "70%", "80%", "90%", "95%", "98%"]
    np.testing.assert_allclose([tick.get_position()[0] for tick in ticks], x)


def test_bands_are_intervals_and_dense_lies_across():
    figure = sweep_figure(frame_of({("OneShot", None): FALLS}))
    (band,) = [one for one in figure.axes[0].collections if one.get_label() == "_band"]
    low, high = interval([0.5 - 0.005, 0.5, 0.5 + 0.005])
    at_98 = [y for x, y in band.get_paths()[0].vertices if np.isclose(x, -np.log2(0.02))]
    assert (min(at_98), max(at_98)) == (pytest.approx(low), pytest.approx(high))
    np.testing.assert_allclose(lines(figure)["dense"].get_ydata(), 0.97)
    (dense,) = figure.axes[0].patches
    low, high = interval([0.965, 0.97, 0.975])
    assert (dense.get_y(), dense.get_y() + dense.get_height()) == (pytest.approx(low), pytest.approx(high))


@pytest.mark.parametrize("seeds", [1, 2])
def test_few_seeds_have_no_bands_and_no_knees(seeds):
    figure = sweep_figure(frame_of(THREE, seeds))
    assert not [one for one in figure.axes[0].collections if one.get_label() == "_band"]
    assert not figure.axes[0].patches
    assert not [name for name in lines(figure) if name.startswith("knee")]
    assert not [text for text in words(figure) if "nee" in text]


def test_a_knee_is_where_a_curve_begins_to_fall_and_only_if_it_does():
    figure = sweep_figure(frame_of(THREE))
    knees = {name: line.get_xdata()[0] for name, line in lines(figure).items() if name.startswith("knee")}
    assert knees == {"knee of OneShot": pytest.approx(-np.log2(0.05))}
    assert set(names(figure)) == {"OneShot 50.0, knee at 95%", "Gradual 50.6", "Cubic 97.0", "dense 97.0"}
    assert any("Knee: the sparsity farthest from the straight line" in text for text in words(figure))


def test_noise_has_no_knee():
    assert "OneShot 50.0" in names(sweep_figure(frame_of({("OneShot", None): FALLS}, spread=0.4)))


def test_two_sparsities_have_no_knee():
    figure = sweep_figure(frame_of({("OneShot", None): (0.97, 0.5)}))
    assert set(names(figure)) == {"OneShot 50.0", "dense 97.0"}


def test_a_loss_has_its_knee_where_it_begins_to_rise():
    frame = frame_of({("OneShot", None): [1 - one for one in FALLS]}, metric="loss", dense=0.03)
    assert "OneShot 0.5" in names(sweep_figure(frame))  # more is taken to be better
    frame.attrs["higher_is_better"] = False
    figure = sweep_figure(frame)
    assert "OneShot 0.5, knee at 95%" in names(figure)
    assert figure.axes[0].get_ylabel() == "loss"


def test_frequencies_are_lines_of_one_colour_told_apart():
    figure = sweep_figure(frame_of({("Gradual", 100): FALLS, ("Gradual", 2500): FLAT, ("Cubic", None): FLAT}))
    one, other = (lines(figure)[f"Gradual every {every}"] for every in ("100", "2,500"))
    assert one.get_color() == other.get_color() == COLORS["light"]["gradual"]
    assert one.get_linestyle() != other.get_linestyle()
    assert "Gradual every 100: 50.0, knee at 95%" in names(figure)


def test_a_point_stands_at_what_was_really_applied():
    frame = frame_of({("Gradual", 300): FALLS})
    frame.loc[frame["sparsity"] == 0.98, "applied"] = 0.96
    figure = sweep_figure(frame)
    assert lines(figure)["Gradual"].get_xdata()[-1] == pytest.approx(-np.log2(0.04))
    assert figure.axes[0].get_xticklabels()[-1].get_text() == "98%"


def test_what_never_prunes_is_left_out_and_said():
    frame = frame_of(THREE)
    frame.loc[frame["schedule"] == "OneShot", "applied"] = 0.0
    figure = sweep_figure(frame)
    assert "OneShot" not in lines(figure)
    assert any("OneShot never prunes and is left out." in text.replace("\n", " ") for text in words(figure))


def test_runs_that_failed_are_left_out():
    frame = frame_of(THREE, seeds=5)
    failed = (frame["schedule"] == "Cubic") & ((frame["sparsity"] == 0.9) | (frame["seed"] == 4))
    frame.loc[failed, ["accuracy", "problem"]] = [np.nan, "RuntimeError"]
    figure = sweep_figure(frame)
    assert len(lines(figure)["Cubic"].get_xdata()) == 5
    assert any("means of 4 to 5 seeds" in text for text in words(figure))


def test_a_sweep_without_dense_is_drawn():
    frame = frame_of(THREE)
    assert "dense" not in lines(sweep_figure(frame[frame["schedule"] != "dense"]))


@pytest.mark.parametrize("theme", COLORS)
def test_colours_are_those_of_the_theme(theme):
    figure = sweep_figure(frame_of(THREE), theme=theme)
    drawn = lines(figure)
    assert drawn["dense"].get_color() == COLORS[theme]["ink"]
    assert [drawn[name].get_color() for name in ("OneShot", "Gradual", "Cubic")] == [
        COLORS[theme][kind] for kind in ("one_shot", "gradual", "cubic")
    ]
    assert to_hex(figure.get_facecolor()).upper() == COLORS[theme]["background"]


@pytest.mark.parametrize(
    ("frame", "theme", "words"),
    [
        (frame_of(THREE), "blue", "theme 'blue' is unknown"),
        (frame_of({}), "light", "no run of a schedule that prunes has finished: its column problem says why"),
        (frame_of(THREE).assign(applied=0.0), "light", "has finished: OneShot and Gradual and Cubic never prunes"),
        (pd.DataFrame({"a": [1]}), "light", "this is no DataFrame of a sweep"),
    ],
)
def test_what_cannot_be_drawn_is_refused(frame, theme, words):
    with pytest.raises(EntrenarVizError, match=words):
        sweep_figure(frame, theme=theme)


MANY = {("Gradual", every): FALLS for every in range(100, 1100, 100)}


@pytest.mark.parametrize("seeds", [1, 3])
@pytest.mark.parametrize("curves", [THREE, MANY, {("OneShot", None): FLAT[:1]}, {("Cubic", None): (1.0, 1.0)}])
def test_labels_stay_inside_and_apart(curves, seeds):
    figure = sweep_figure(frame_of(curves, seeds, spread=0.0 if seeds == 1 else 0.005))
    figure.draw_without_rendering()
    ticks = [tick for tick in figure.axes[0].get_xticklabels() if tick.get_text()]
    labels = [*figure.texts, *figure.axes[0].texts, *ticks]
    stay_inside_and_apart(figure, labels)


def test_ticks_that_would_touch_are_left_empty():
    frame = frame_of({("Cubic", None): FALLS})
    close = {s: 0.9 + 0.001 * index for index, s in enumerate(SPARSITIES)}
    prunes = frame["sparsity"] > 0
    moved = frame["sparsity"].where(~prunes, frame["sparsity"].map(close))
    frame = frame.assign(sparsity=moved, applied=moved)
    more = frame[prunes].assign(sparsity=0.5, applied=0.5)
    ticks = [tick.get_text() for tick in sweep_figure(pd.concat([frame, more])).axes[0].get_xticklabels()]
    assert (ticks[:2], ticks.count("")) == (["50%", "90%"], 5)
