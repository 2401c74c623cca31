"""The picture of a plan by its data: how wide bars are, how far they are filled, what is named."""

from dataclasses import replace

import numpy as np
import pytest
from matplotlib.colors import to_hex

from entrenar_viz import EntrenarVizError, Plan, PlannedLayer, PlanOrigin, allocate
from entrenar_viz.figures.palette import COLORS
from entrenar_viz.figures.plan_plot import bar_widths, plan_figure
from entrenar_viz.figures.saving import figure_bytes
from tests.figures.labels import stay_inside_and_apart

SHAPES = {"fc1.weight": (128, 64), "fc2.weight": (64, 128), "fc3.weight": (10, 64)}
BLOCK = {"self_attn.q_proj": (64, 64), "self_attn.k_proj": (16, 64), "mlp.gate_proj": (172, 64)}
MANY = {f"model.layers.{block}.{name}.weight": shape for block in range(100) for name, shape in BLOCK.items()}
SOME = {f"encoder.layer.{i // 2}.{'attention.query' if i % 2 else 'dense'}": (64, 8 + i) for i in range(24)}
PLANS = {
    "one": allocate({"w": (10, 10)}, 0.5),
    "three": allocate(SHAPES, 0.95, "erk"),
    "twenty-four": allocate(SOME, 0.8, "erk"),
    "three hundred": allocate({"model.embed_tokens.weight": (1000, 64)} | MANY, 0.8, "erk"),
    "long names": allocate({f"{'very.' * 40}{i}.weight": (8, 8) for i in range(5)}, 0.5),
    "no text for a terminal": allocate({"a\x1b[2J\n$x_1$": (8, 8), "<b>b</b>": (8, 8)}, 0.5),
    "nothing": allocate(SHAPES, 0.0),
    "everything": allocate(SHAPES, 1.0),
}


def rectangles(figure, label):
    """(left, width, height) of each."""
    (drawn,) = [one for one in figure.axes[0].collections if one.get_label() == label]
    boxes = [path.get_extents() for path in drawn.get_paths()]
    return np.array([(box.x0, box.width, box.height) for box in boxes])


def words(figure):
    return [text.get_text().replace("\n", " ") for text in [*figure.texts, *figure.axes[0].texts]]


def test_what_is_filled_is_the_budget():
    plan = PLANS["three"]
    figure = plan.figure()
    _, width, height = rectangles(figure, "pruned").T
    np.testing.assert_allclose(width / width.sum(), np.array([8192, 8192, 640]) / 17024)
    np.testing.assert_allclose(height, list(plan.sparsities.values()))
    assert width @ height / width.sum() == pytest.approx(0.95, abs=1e-4)
    overall = next(line for line in figure.axes[0].lines if line.get_label() == "overall")
    np.testing.assert_allclose(overall.get_ydata(), plan.sparsity)
    assert {plan.words(), "95% overall", *SHAPES, "95.64%", "78.59%"} <= set(words(figure))


def test_bars_stand_side_by_side_in_the_order_of_the_model_and_none_is_too_small_to_see():
    figure = PLANS["three hundred"].figure()
    left, width, _ = rectangles(figure, "weights").T
    assert (left[1:] > left[:-1] + width[:-1]).all()
    assert width.min() > 0.5
    assert left[-1] + width[-1] < figure.axes[0].get_xlim()[1]
    assert width[0] > 3 * width[1]
    assert any("Layers too small to be seen are drawn wider." in text for text in words(figure))
    assert not any("drawn wider" in text for text in words(PLANS["one"].figure()))


def test_small_bars_have_the_least_width_and_the_others_share_the_rest():
    widths = bar_widths([1, 1, 30, 1000, 2000], room=400.0, least=5.0)
    np.testing.assert_allclose(widths, [5, 5, 390 * 30 / 3030 if 390 * 30 / 3030 > 5 else 5, 385 / 3, 770 / 3])
    np.testing.assert_allclose(bar_widths([7, 7], 10.0, 1.0), [5, 5])


def test_what_is_skipped_is_hatched_and_empty():
    figure = plan_figure(allocate(SHAPES, 0.5, "uniform", skip=["fc2.weight"]))
    left, _, height = rectangles(figure, "left whole").T
    assert (len(left), height.tolist()) == (1, [1.0])
    assert len(rectangles(figure, "pruned")) == 2
    assert "left whole" in words(figure)
    assert any("Hatched: left whole, and not in the budget." in text for text in words(figure))
    all_whole = Plan(
        origin=PlanOrigin(method="by hand", sparsity=0.0), layers=(PlannedLayer(name="a", shape=(2, 2), skip=True),)
    )
    assert "by hand: 0% of 0 weights in 0 layers; 1 layer left whole" in words(all_whole.figure())


def test_names_are_thinned_out_and_those_of_the_largest_stay():
    figure = PLANS["three hundred"].figure()
    named = [text for text in words(figure) if text.endswith("_proj")]
    assert 20 < len(named) < 80
    assert {name.split(".")[-1] for name in named} == {"gate_proj"}
    assert "model.embed_tokens" in words(figure)


def test_the_model_is_named():
    plan = PLANS["three"]
    named = replace(plan, origin=replace(plan.origin, source="model.safetensors"))
    assert any("Model: model.safetensors." in text for text in words(named.figure()))
    assert not any("Model:" in text for text in words(plan.figure()))


@pytest.mark.parametrize("theme", COLORS)
def test_colours_are_those_of_the_theme(theme):
    figure = PLANS["three"].figure(theme=theme)
    filled = next(one for one in figure.axes[0].collections if one.get_label() == "pruned")
    assert to_hex(filled.get_facecolor()[0]).upper() == COLORS[theme]["kept_low"]
    assert to_hex(figure.get_facecolor()).upper() == COLORS[theme]["background"]


def test_an_unknown_theme_is_refused():
    with pytest.raises(EntrenarVizError, match="theme 'blue' is unknown"):
        PLANS["one"].figure(theme="blue")


@pytest.mark.parametrize("plan", PLANS.values(), ids=PLANS)
def test_labels_stay_inside_and_apart(plan):
    figure = plan.figure()
    figure.draw_without_rendering()
    labels = [*figure.texts, *figure.axes[0].texts, *figure.axes[0].get_yticklabels()]
    stay_inside_and_apart(figure, labels)


def test_the_same_plan_gives_the_same_bytes():
    one, other = (figure_bytes(PLANS["three"].figure(), ".svg") for _ in range(2))
    assert one == other
