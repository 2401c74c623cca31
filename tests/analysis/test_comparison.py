"""The numbers of pins side by side, against a walk through the training one step at a time."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from entrenar_viz import Cubic, Pin, PruningConfig, StepError, compare
from entrenar_viz.analysis.updates import requested_at
from entrenar_viz.config.pruning_config import fixed_sparsity
from tests.strategies import configs

SHORT = st.integers(0, 300)


def walked(config, total):
    """The sparsity applied at the end of each step from 0 to ``total``, as the trainer goes about it."""
    applied, staircase, steps = np.float32(0), [], range(total + 1)
    allowed = config.schedule.should_prune_at_step(steps) & (np.arange(total + 1) > 0)  # step 0 never comes
    for may_prune, asked in zip(allowed, requested_at(config, steps), strict=True):
        if may_prune and asked > applied:
            applied = asked
        staircase.append(applied)
    return staircase


@given(configs(SHORT), SHORT)
def test_the_numbers_are_those_of_a_walk(config, total):
    (outcome,) = compare([Pin(name="it", config=config, total_steps=total)])
    asked = walked(config, total)
    changes = [step for step in range(1, total + 1) if asked[step] != asked[step - 1]]
    fixed = fixed_sparsity(config.pattern)
    staircase = asked if fixed is None else [np.float32(fixed if applied else 0) for applied in asked]
    before = [np.float32(0), *staircase[:-1]]
    assert (outcome.name, outcome.total_steps, outcome.updates) == ("it", total, len(changes))
    assert outcome.first_update == (changes[0] if changes else None)
    assert outcome.last_update == (changes[-1] if changes else None)
    assert outcome.final_sparsity == staircase[-1]
    assert outcome.largest_jump == max(after - now for after, now in zip(staircase, before, strict=True))
    assert outcome.recovery_steps == (total - changes[-1] if changes else 0)
    assert outcome.recovery_share == (outcome.recovery_steps / total if total else 0)
    target = getattr(config.schedule, "final_sparsity", config.target_sparsity)
    assert outcome.shortfall == max(np.float32(target) - staircase[-1], 0)
    mean = sum(Fraction(float(applied)) for applied in before[1:]) / total if total else 0
    assert outcome.mean_sparsity == pytest.approx(float(mean), rel=1e-12, abs=0)


def test_the_order_is_that_of_the_pins():
    pins = [Pin(name=name, config=PruningConfig(), total_steps=10) for name in "cab"]
    assert [outcome.name for outcome in compare(pins)] == ["c", "a", "b"]
    assert compare([]) == []


def test_a_long_training_is_not_walked():
    config = PruningConfig(schedule=Cubic(start_step=0, end_step=10**6, final_sparsity=0.8))
    (outcome,) = compare([Pin(name="long", config=config, total_steps=2 * 10**6)])
    # the area below 1 - (1 - x)^3 is 3/4
    assert outcome.mean_sparsity == pytest.approx(0.8 * (0.75 + 1) / 2, abs=1e-5)


def test_what_cannot_be_replayed_is_named():
    endless = PruningConfig(schedule=Cubic(start_step=0, end_step=2**60, final_sparsity=0.8))
    with pytest.raises(StepError, match=r"endless: .* too many to replay"):
        compare([Pin(name="endless", config=endless, total_steps=2**60)])
