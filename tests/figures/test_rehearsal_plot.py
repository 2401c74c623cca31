"""The picture of a rehearsal by its data: lines, bands, limits, words and where these stand."""

import subprocess
import sys

import numpy as np
import pytest
from matplotlib.colors import to_hex

from entrenar_viz import Cubic, EntrenarVizError, Gradual, OneShot, PruningConfig, StepError, rehearsal_figure, rehearse
from entrenar_viz.figures.palette import COLORS
from entrenar_viz.figures.saving import figure_bytes
from entrenar_viz.rehearsal.verdict import interval
from tests.figures.labels import stay_inside_and_apart
from tests.plan.by_hand import layer, plan

OVER = {"start_step": 2000, "end_step": 7000}
CONFIG = PruningConfig(schedule=Cubic(**OVER, final_sparsity=0.9), target_sparsity=0.9)
TOTAL = 10_000
LOST = {"dense": 0.0, "OneShot": 0.3, "Gradual": 0.1, "Cubic": 0.02}


def known(pruner, seed):
    """Rises to 0.9 and falls at step 7,000; seeds and schedules differ."""
    for step in range(500, pruner.total_steps + 1, 500):
        fallen = LOST.get(pruner.name, 0.2) if step >= 7000 else 0.0
        yield step, 0.9 * min(step / 1500, 1) - fallen + 0.001 * seed * (1 + step % 1000 / 500)


def result_of(seeds=5, trial=known, config=CONFIG, total=TOTAL, **other):
    return rehearse(config, total, seeds, trial=trial, **other)


def lines(figure):
    return {line.get_label(): line for line in figure.axes[0].lines}


def words(figure):
    return [text.get_text() for text in [*figure.texts, *figure.axes[0].texts]]


def bands(figure):
    return [band for band in figure.axes[0].collections if band.get_label() == "_band"]


def test_lines_are_means_from_the_reading_before_the_first_update_on():
    result = result_of()
    drawn = lines(rehearsal_figure(result))
    for one in (result.dense, *result.outcomes):
        first = {"dense": 500, "OneShot": 6500, "Gradual": 2000, "Cubic": 2000}[one.name]
        seen = one.steps >= first
        np.testing.assert_array_equal(drawn[one.name].get_xdata(), one.steps[seen])
        np.testing.assert_allclose(drawn[one.name].get_ydata(), one.curves.mean(axis=0)[seen])
    assert drawn["dense"].is_dashed()
    assert not drawn["Cubic"].is_dashed()


def test_bands_are_intervals_within_0_and_1():
    result = result_of()
    drawn = bands(rehearsal_figure(result))
    assert len(drawn) == 4
    low, high = interval(result.dense.curves)
    heights = drawn[0].get_paths()[0].vertices[:, 1]
    assert (heights.min(), heights.max()) == (pytest.approx(low.min()), pytest.approx(high.max()))
    wild = result_of(trial=lambda pruner, seed: [(TOTAL // 2, seed % 2), (TOTAL, 1 - seed % 2)])
    edges = np.concatenate([band.get_paths()[0].vertices[:, 1] for band in bands(rehearsal_figure(wild))])
    assert (edges.min(), edges.max()) == (0, 1)


@pytest.mark.parametrize(("seeds", "told"), [(1, "; 1 seed."), (2, "of 2 seeds."), (3, "bands: their 95% intervals")])
def test_few_seeds_have_no_bands(seeds, told):
    figure = rehearsal_figure(result_of(seeds))
    assert len(bands(figure)) == (4 if seeds == 3 else 0)
    assert any(told in text.replace("\n", " ") for text in words(figure))


def test_the_title_is_the_verdict_and_what_was_trained_stands_below():
    result = rehearse(CONFIG, TOTAL, seeds=3, steps=60)
    title, below = (text.get_text().replace("\n", " ") for text in rehearsal_figure(result).texts)
    assert title.lower() == result.verdict.lower()
    assert "64-128-64-10 network on the handwritten digits" in below
    assert "10,000 steps are rehearsed in 60" in below.lower()


def test_the_first_rise_may_begin_below_the_picture_and_nothing_else():
    result = result_of()
    bottom, top = rehearsal_figure(result).axes[0].get_ylim()
    assert result.dense.curves[:, 0].max() < bottom < 0.9 - LOST["OneShot"] < top
    early = result_of(config=PruningConfig(schedule=OneShot(step=1), target_sparsity=0.9), schedules=[OneShot(step=1)])
    assert rehearsal_figure(early).axes[0].get_ylim()[0] > early.dense.curves[:, 0].max()


def test_the_window_is_that_of_the_configuration():
    figure = rehearsal_figure(result_of())
    (span,) = [patch for patch in figure.axes[0].patches if patch.get_label() == "window"]
    assert (span.get_x(), span.get_x() + span.get_width()) == (2000, 7000)
    assert "window: 5,000 steps" in words(figure)
    once = PruningConfig(schedule=OneShot(step=9), target_sparsity=0.9)
    assert not rehearsal_figure(result_of(config=once, schedules=[once.schedule])).axes[0].patches


def test_names_have_the_accuracy_at_the_end_and_the_configuration_is_bold():
    figure = rehearsal_figure(result_of(1))
    names = {text.get_text(): text.get_weight() for text in figure.axes[0].texts}
    expected = {"dense 90.0": "normal", "OneShot 60.0": "normal", "Gradual 80.0": "normal", "Cubic 88.0": "bold"}
    assert {name: names[name] for name in expected} == expected


def test_a_cursor_reads_the_nearest_reading():
    figure = rehearsal_figure(result_of(1), cursor=7249)
    assert {"read at step 7,000", "dense 90.0", "OneShot 60.0", "Gradual 80.0", "Cubic 88.0"} <= set(words(figure))
    assert set(lines(figure)["cursor"].get_xdata()) == {7000}


@pytest.mark.parametrize("cursor", [10_001, -1, 0.5])
def test_a_cursor_outside_is_refused(cursor):
    with pytest.raises(StepError):
        rehearsal_figure(result_of(1), cursor=cursor)


def test_a_metric_of_another_name_is_drawn_as_it_is():
    result = result_of(3, lambda pruner, seed: [(TOTAL, 250.0 + seed)], metric="loss", higher_is_better=False)
    figure = rehearsal_figure(result)
    assert figure.axes[0].get_ylabel() == "loss"
    assert "dense 251" in words(figure)
    assert "250" in [tick.get_text() for tick in figure.axes[0].get_yticklabels()]


@pytest.mark.parametrize("theme", COLORS)
def test_colours_are_those_of_the_theme(theme):
    figure = rehearsal_figure(result_of(1), theme=theme)
    colors = {name: to_hex(line.get_color()).upper() for name, line in lines(figure).items()}
    expected = {"dense": "ink", "OneShot": "one_shot", "Gradual": "gradual", "Cubic": "cubic"}
    assert {name: colors[name] for name in expected} == {name: COLORS[theme][key] for name, key in expected.items()}
    assert to_hex(figure.get_facecolor()).upper() == COLORS[theme]["background"]


PLANS = {"alike": None} | {
    name: plan(layer("a", (2, 2), share)) for name, share in (("x", 0.5), ("$y$", 0.9), ("z", 0.7))
}


def test_plans_have_colours_of_their_own_and_the_schedule_has_that_of_all_alike():
    figure = rehearsal_figure(result_of(plans=PLANS))
    drawn = {name: line for name, line in lines(figure).items() if name in PLANS}
    colors = {name: to_hex(line.get_color()).upper() for name, line in drawn.items()}
    palette = {key: COLORS["light"][key] for key in ("cubic", "other", "happened")}
    assert list(colors.values()) == [palette["cubic"], palette["other"], palette["happened"], palette["other"]]
    assert [line.is_dashed() for line in drawn.values()] == [False, False, False, True]
    weights = {text.get_text().split()[0]: text.get_weight() for text in figure.axes[0].texts}
    assert [weights[name] for name in PLANS] == ["bold", "normal", "normal", "normal"]
    below = figure.texts[1].get_text().replace("\n", " ")
    assert "All under Cubic: 0% to 90% in steps 2,000 to 7,000. x, by hand: 50% of 4 weights in 1 layer" in below


def test_one_plan_for_all_schedules_is_said_below():
    figure = rehearsal_figure(result_of(plan=PLANS["x"]))
    assert "By a plan, by hand: 50% of 4 weights in 1 layer" in figure.texts[1].get_text().replace("\n", " ")
    assert to_hex(lines(figure)["Cubic"].get_color()).upper() == COLORS["light"]["cubic"]


def test_an_unknown_theme_is_refused():
    with pytest.raises(EntrenarVizError, match="theme 'blue' is unknown"):
        rehearsal_figure(result_of(1), theme="blue")


def gradual(every):
    return Gradual(**OVER, initial_sparsity=0.0, final_sparsity=0.9, frequency=every)


def _alike(pruner, seed):
    yield pruner.total_steps, 0.5


def _apart(pruner, seed):
    """All schedules certainly differ: the longest verdicts."""
    yield pruner.total_steps, 0.1 * len(pruner.name) + 0.001 * seed


LONG = PruningConfig(schedule=Cubic(start_step=2 * 10**18, end_step=7 * 10**18, final_sparsity=0.9))
CASES = {
    "five seeds": ({}, 6000),
    "one seed": ({"seeds": 1}, 0),
    "alike": ({"trial": _alike}, 10_000),
    "certainly apart": ({"trial": _apart}, 5000),
    "noise": ({"trial": lambda pruner, seed: [(TOTAL, np.random.default_rng([seed, len(pruner.name)]).random())]}, 0),
    "six schedules": ({"schedules": [gradual(every) for every in (50, 100, 250, 300, 700)] + [CONFIG.schedule]}, 5000),
    "plans": ({"plans": PLANS | {"a name of a plan that is 40 letters long": None}}, 5000),
    "one step": ({"total": 1, "trial": _alike, "config": PruningConfig(schedule=OneShot(step=1))}, 1),
    "a million steps": ({"total": 10**6, "trial": _apart}, 10**6),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_labels_stay_inside_and_apart(case):
    given, cursor = case
    figure = rehearsal_figure(result_of(**given), cursor=cursor)
    figure.draw_without_rendering()
    labels = [text for text in [*figure.texts, *figure.axes[0].texts] if text.get_text()]
    labels += [tick for tick in figure.axes[0].get_xticklabels() if tick.get_text()]
    stay_inside_and_apart(figure, labels)


def test_the_same_rehearsal_gives_the_same_bytes_and_pyplot_is_not_loaded():
    result = result_of(3)
    one, other = (figure_bytes(rehearsal_figure(result, cursor=7000), ".svg") for _ in range(2))
    assert one == other
    ask = (
        "from entrenar_viz import rehearsal_figure, sweep_figure; import sys; print('matplotlib.pyplot' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", ask], check=True, capture_output=True).stdout.strip() == b"False"
