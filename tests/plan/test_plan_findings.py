"""What is said of a plan."""

import numpy as np
import pytest

from entrenar_viz import allocate, review_plan, sample, sensitivity

DIGITS = sample("digits network")


def codes(*given):
    return {finding.code: finding.message for finding in review_plan(*given)}


def test_nothing_is_said_of_a_harmless_plan():
    assert review_plan(allocate(DIGITS, 0.1, "uniform"), sensitivity(DIGITS)) == []


def test_emptied_layers():
    plan = allocate(DIGITS, 0.5, "uniform", fixed={"fc1.weight": 1.0, "fc3.weight": 1.0})
    said = codes(plan)["layer-emptied"]
    assert said == "'fc1.weight' and 1 more of 3 layers lose all of their weights: nothing passes them any more."
    assert review_plan(plan)[0].severity == "error"
    assert "layer-emptied" not in codes(plan.skipping("fc1.weight").skipping("fc3.weight"))


def test_dead_rows_are_those_that_masks_kill():
    rng = np.random.default_rng(3)
    weights = rng.standard_normal((40, 30))
    weights[:10] *= 1e-3
    found = sensitivity({"fc.weight": weights})
    plan = allocate(found, 0.41, "uniform")
    assert codes(plan, found)["rows-dead"] == (
        "'fc.weight' has rows (outputs) that lose all of their weights: at least 10 of 40."
    )
    assert "rows-dead" not in codes(allocate(found, 0.39, "uniform"), found), "the level below has none"


def test_layers_beyond_their_knee():
    found = sensitivity(DIGITS)
    knees = {curve.layer: curve.knee for curve in found}
    plan = allocate(DIGITS, 0.9, "uniform")
    said = codes(plan, found)["layer-beyond-knee"]
    worst = min(found, key=lambda curve: curve.kept_at(0.9))
    assert said.startswith(f"3 of 3 layers are beyond the knee of their curve, and {worst.layer!r} keeps least: ")
    assert "knee at 60%" in said
    assert all(knee == pytest.approx(0.6, abs=1e-4) for knee in knees.values())


def test_layers_that_were_not_measured_are_left_out():
    found = sensitivity({"fc1.weight": DIGITS["fc1.weight"]})
    said = codes(allocate(DIGITS, 0.9, "uniform"), found)["layer-beyond-knee"]
    assert said.startswith("'fc1.weight' is beyond the knee of its curve: it keeps ")
