"""The small multiples of a sensitivity by their data: which layers have a panel, lines, knees, names."""

import numpy as np
import pytest
from matplotlib.colors import to_hex

from entrenar_viz import NM, EntrenarVizError, sample, sample_calibration, sensitivity
from entrenar_viz.figures.palette import COLORS
from entrenar_viz.figures.saving import figure_bytes
from tests.figures.labels import stay_inside_and_apart

DIGITS = sample("digits network")
MEASURED = sensitivity(DIGITS)
WITH_OUTPUTS = sensitivity(DIGITS, calibration=sample_calibration("digits network"))


def layers(count, seed=0):
    """``count`` layers, of which the later ones lose less: more of their weights are nearly nothing."""
    rng = np.random.default_rng(seed)
    return {
        f"model.layers.{place // 2}.{'mlp.gate_proj' if place % 2 else 'self_attn.q_proj'}.weight": (
            np.sign(rng.normal(size=(16, 32))) * rng.random((16, 32)) ** (1 + place / 20)
        ).astype(np.float32)
        for place in range(count)
    }


FOUND = {
    "one": sensitivity({"w": np.eye(4, dtype=np.float32)}),
    "three": MEASURED,
    "with outputs": WITH_OUTPUTS,
    "2:4": sensitivity({"a": np.random.default_rng(0).normal(size=(8, 8))}, pattern=NM(n=2, m=4)),
    "seven": sensitivity(layers(7)),
    "thirty": sensitivity(layers(30)),
    "two hundred": sensitivity(layers(200)),
    "no text for a terminal": sensitivity({"a\x1b[2J\n$x_1$": np.eye(4), "<b>": np.eye(4)}),
    "long names": sensitivity({f"{'very.' * 40}{place}.weight": np.eye(4) for place in range(6)}),
}


def lines(axes):
    return {line.get_label(): line for line in axes.lines}


def words(figure):
    return [text.get_text().replace("\n", " ") for text in [*figure.texts, *(t for a in figure.axes for t in a.texts)]]


def titles(figure):
    return [axes.get_title("left") for axes in figure.axes]


def test_a_panel_has_the_energy_a_layer_keeps_at_each_sparsity():
    figure = MEASURED.figure()
    assert titles(figure) == ["fc1", "fc2", "fc3"]
    for axes, layer in zip(figure.axes, MEASURED, strict=True):
        drawn = lines(axes)["energy kept"]
        np.testing.assert_allclose(drawn.get_xdata(), layer.achieved)
        np.testing.assert_allclose(drawn.get_ydata(), layer.kept_energy)
        assert "output error" not in lines(axes)
    assert "What 3 layers lose by sparsity" in words(figure)


def test_the_error_of_the_output_is_a_second_line_and_both_are_named_at_their_ends():
    figure = WITH_OUTPUTS.figure()
    for axes, layer in zip(figure.axes, WITH_OUTPUTS, strict=True):
        np.testing.assert_allclose(lines(axes)["output error"].get_ydata(), layer.output_error)
    assert [text for text in words(figure) if text in ("energy kept", "output error")] == [
        "output error",
        "energy kept",
    ]
    assert "energy kept" in [text.get_text() for text in figure.axes[-1].texts]
    assert figure.axes[0].get_legend() is None


def test_the_knee_is_marked_on_the_curve_and_written():
    figure = MEASURED.figure()
    for axes, layer in zip(figure.axes, MEASURED, strict=True):
        (x,), (y,) = lines(axes)["knee"].get_data()
        assert (x, y) == (layer.knee, layer.kept_at(layer.knee))
        assert "60%" in [text.get_text() for text in axes.texts]
    assert not [label for label in lines(FOUND["2:4"].figure().axes[0]) if label == "knee"]


def test_of_many_layers_those_are_shown_that_lose_most_and_the_title_says_so():
    found = FOUND["two hundred"]
    figure = found.figure()
    lose_most = sorted(found, key=lambda layer: layer.kept_energy[found.layers[0].levels.index(0.8)])[:24]
    for axes, layer in zip(figure.axes, lose_most, strict=True):
        np.testing.assert_allclose(lines(axes)["energy kept"].get_ydata(), layer.kept_energy)
    assert "24 of 200 layers: those that lose most at 80%" in words(figure)
    assert titles(figure)[0].startswith("model.layers.")
    assert len(FOUND["thirty"].figure().axes) == 30


def test_without_that_level_the_nearest_one_chooses():
    title = words(sensitivity(layers(31), [0.2, 0.6, 0.9]).figure())[0]
    assert title == "24 of 31 layers: those that lose most at 90%"


def test_names_that_do_not_fit_say_block_and_place():
    assert titles(FOUND["thirty"].figure())[:2] == ["model.layers.0\nself_attn.q_proj", "model.layers.0\nmlp.gate_proj"]


def test_what_was_not_measured_has_no_panel_and_is_named():
    figure = sensitivity({"fc.weight": np.eye(4), "lm_head.weight": np.eye(4)}).figure()
    assert len(figure.axes) == 1
    assert any("Not measured: lm_head.weight." in text for text in words(figure))


def test_nothing_measured_is_refused_with_the_reason():
    with pytest.raises(EntrenarVizError, match="no layer of arrays was measured: left whole: 'lm_head' is in its name"):
        sensitivity({"lm_head.weight": np.eye(4)}).figure()
    with pytest.raises(EntrenarVizError, match="theme 'blue' is unknown"):
        MEASURED.figure(theme="blue")


@pytest.mark.parametrize("theme", COLORS)
def test_colours_are_those_of_the_theme(theme):
    figure = WITH_OUTPUTS.figure(theme=theme)
    drawn = lines(figure.axes[0])
    assert [drawn[name].get_color() for name in ("energy kept", "output error")] == [
        COLORS[theme]["kept_high"],
        COLORS[theme]["fresh"],
    ]
    assert to_hex(figure.get_facecolor()).upper() == COLORS[theme]["background"]


@pytest.mark.parametrize("found", FOUND.values(), ids=FOUND)
def test_labels_stay_inside_and_apart(found):
    figure = found.figure()
    figure.draw_without_rendering()
    ticks = [tick for axes in figure.axes for tick in axes.get_xticklabels() + axes.get_yticklabels()]
    written = [axes._left_title for axes in figure.axes] + [tick for tick in ticks if tick.get_text()]
    named = [text for axes in figure.axes for text in axes.texts if not text.get_text().endswith("%")]
    stay_inside_and_apart(figure, [*figure.texts, *written, *named])


def test_the_same_numbers_give_the_same_bytes():
    one, other = (figure_bytes(MEASURED.figure(), ".svg") for _ in range(2))
    assert one == other
