"""A fourth schedule is one class: everything that shows or judges schedules takes it as it takes the three.

The page has the same test with one more object, in ``explorer/js/fourth.test.mjs``.
"""

from dataclasses import field
from typing import Annotated, Literal

import numpy as np
import pytest
from pydantic import Field

from entrenar_viz import (
    Cubic,
    Gradual,
    OneShot,
    Pin,
    PruningConfig,
    compare,
    rehearsal_figure,
    rehearse,
    replay,
    review,
    schedule_figure,
    sweep,
    sweep_figure,
)
from entrenar_viz.config.schedule_facts import is_due, is_over, num_pruning_steps, progress, window_in_words
from entrenar_viz.config.steps import per_step
from entrenar_viz.config.validation import Count, Fraction, checked
from entrenar_viz.export.markdown import as_markdown
from entrenar_viz.figures.palette import COLORS


@checked
class Power:
    """``s = s_f * p**power`` inside the window, at every step: slow first."""

    type: Literal["power"] = field(default="power", repr=False)
    start_step: Count
    end_step: Count
    final_sparsity: Fraction
    power: Count

    should_prune_at_step = per_step(is_due)
    is_complete = per_step(is_over)
    num_pruning_steps = num_pruning_steps
    initial, every = 0.0, None

    @property
    def window(self):
        return self.start_step, self.end_step

    @property
    def update_steps(self):
        return range(self.start_step, self.end_step + 1)

    @per_step
    def sparsity_at_step(self, steps):
        return np.float32(self.final_sparsity) * progress(steps, self.start_step, self.end_step) ** self.power

    def target(self, target_sparsity):
        return np.float32(self.final_sparsity)

    def requested_at(self, steps, target_sparsity):
        return self.sparsity_at_step(steps)

    def words(self, target_sparsity):
        return window_in_words("Power", self.window, 0.0, self.final_sparsity)

    def within(self, latest):
        end = min(self.end_step, latest)
        return Power(start_step=self.start_step, end_step=end, final_sparsity=self.final_sparsity, power=self.power)


@checked
class Config(PruningConfig):
    schedule: Annotated[OneShot | Gradual | Cubic | Power, Field(discriminator="type")]


@checked
class Pin4(Pin):
    config: Config


SQUARE = Power(start_step=100, end_step=200, final_sparsity=0.8, power=2)
CONFIG = Config(schedule=SQUARE, target_sparsity=0.8)


def test_it_is_replayed():
    run = replay(CONFIG, 400)
    np.testing.assert_array_equal(run.update_steps, range(101, 201))
    np.testing.assert_array_equal(run.applied, SQUARE.sparsity_at_step(range(101, 201)))
    assert (run.final_sparsity, run.shortfall, run.recovery_steps) == (np.float32(0.8), 0, 200)


def test_it_is_judged_and_its_fixes_are_its_own():
    assert review(CONFIG, 400) == []
    (finding,) = review(CONFIG, 220)
    assert (finding.code, finding.fix.schedule) == ("no-recovery", SQUARE.within(132))
    assert "the training ends at step 150" in review(CONFIG, 150)[0].message


def test_it_is_compared_and_reported():
    (outcome,) = compare([Pin4(name="power", config=CONFIG, total_steps=400)])
    assert (outcome.updates, outcome.final_sparsity) == (100, np.float32(0.8))
    assert "## Pruning: Power to 80%" in as_markdown(CONFIG, 400)


def test_it_is_rehearsed_and_swept_beside_the_three():
    short = {"seeds": 1, "steps": 20, "widths": (8,)}
    result, frame = rehearse(CONFIG, 400, **short), sweep(CONFIG, 400, sparsities=[0.5, 0.9], **short)
    assert [one.name for one in result.outcomes] == ["OneShot", "Gradual", "Cubic", "Power"]
    assert (result["Power"].config.schedule, result["Power"].sparsity) == (SQUARE, 0.8)
    assert frame[frame["schedule"] == "Power"]["applied"].tolist() == [0.5, 0.9]
    for figure in (rehearsal_figure(result), sweep_figure(frame)):
        (line,) = (line for line in figure.axes[0].lines if line.get_label() == "Power")
        assert line.get_color() == COLORS["light"]["other"]


@pytest.mark.parametrize("theme", COLORS)
def test_it_is_drawn_alone_and_beside_the_others(theme):
    cubic = Cubic(start_step=100, end_step=200, final_sparsity=0.8)
    figure = schedule_figure(CONFIG, 400, others=[cubic], cursor=150, theme=theme)
    drawn = {line.get_label(): line for line in figure.axes[0].lines}
    steps, sparsity = drawn["Power"].get_data()
    np.testing.assert_array_equal(sparsity, SQUARE.sparsity_at_step(np.asarray(steps, int)))
    assert drawn["Power"].get_color() == COLORS[theme]["other"]
    assert figure.axes[0].get_title(loc="left") == "Power: 0% to 80% in steps 100 to 200"
    beside = schedule_figure(Config(schedule=cubic), 400, others=[SQUARE], theme=theme)
    assert "Power" in [line.get_label() for line in beside.axes[0].lines]
