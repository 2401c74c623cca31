"""The rows of a sweep put together: means, intervals, names, verdicts; from any frame that has its columns."""

import io

import numpy as np
import pandas as pd
import pytest

from entrenar_viz import EntrenarVizError
from entrenar_viz.rehearsal.sweep_table import points_of, verdicts
from entrenar_viz.rehearsal.verdict import interval


def frame_of(cells, metric="accuracy"):
    """``cells``: (schedule, sparsity, frequency, applied), and the metric of each seed."""
    rows = [
        {
            "schedule": name,
            "sparsity": s,
            "frequency": every,
            "seed": seed,
            metric: value,
            "applied": end,
            "problem": "",
        }
        for (name, s, every, end), values in cells
        for seed, value in enumerate(values)
    ]
    frame = pd.DataFrame(rows)
    return frame.assign(frequency=frame["frequency"].astype("Int64"))


DENSE = (("dense", 0.0, None, 0.0), (0.97, 0.96, 0.98))
CLEAR = frame_of(
    [
        DENSE,
        (("OneShot", 0.9, None, 0.9), (0.5, 0.51, 0.49)),
        (("Gradual", 0.9, 100, 0.9), (0.8, 0.81, 0.79)),
        (("Gradual", 0.9, 300, 0.81), (0.9, 0.91, 0.89)),
        (("Cubic", 0.9, None, 0.9), (0.7, np.nan, 0.69)),
        (("Cubic", 0.95, None, 0.95), (np.nan, np.nan, np.nan)),
    ]
)


def test_a_point_for_each_schedule_frequency_and_sparsity_of_what_has_finished():
    points = points_of(CLEAR)
    assert [(point.name, point.sparsity, point.applied, point.frequency) for point in points] == [
        ("dense", 0.0, 0.0, None),
        ("OneShot", 0.9, 0.9, None),
        ("Gradual every 100", 0.9, 0.9, 100),
        ("Gradual every 300", 0.9, 0.81, 300),
        ("Cubic", 0.9, 0.9, None),
    ]
    assert points[4].per_seed == {0: 0.7, 2: 0.69}
    assert points[1].mean == pytest.approx(0.5)
    np.testing.assert_allclose(points[1].interval, interval([0.5, 0.51, 0.49]))


def test_one_frequency_is_not_in_the_name():
    assert [point.name for point in points_of(CLEAR[CLEAR["frequency"] != 300])] == ["Gradual"]


def test_an_interval_of_accuracies_stays_within_0_and_1():
    (point,) = points_of(frame_of([(("Cubic", 0.9, None, 0.9), (1.0, 0.2))]))
    assert point.interval == (0.0, 1.0)
    (point,) = points_of(frame_of([(("Cubic", 0.9, None, 0.9), (1.0, 0.2))], metric="loss"))
    low, high = point.interval
    assert low < 0
    assert high > 1


def test_the_same_from_a_csv():
    text = CLEAR.to_csv(index=False)
    of_csv = points_of(pd.read_csv(io.StringIO(text)))
    assert [vars(point) for point in of_csv] == [vars(point) for point in points_of(CLEAR)]


def test_verdicts_compare_the_seeds_that_all_have():
    (words,) = verdicts(points_of(CLEAR)).values()
    assert words.startswith("2 seeds cannot tell a difference from chance")
    assert words.endswith("; Gradual every 300 ends at 81%, not 90%")
    (words,) = verdicts(points_of(CLEAR[CLEAR["schedule"] != "Cubic"])).values()
    assert words.startswith("Gradual every 300 keeps 10.0 points more than Gradual every 100 (95%: ")


def test_a_verdict_for_each_sparsity_and_none_of_what_never_prunes():
    steady = (0.5, 0.51, 0.49)
    frame = frame_of(
        [
            DENSE,
            *((("OneShot", s, None, 0.0), (0.97, 0.96, 0.98)) for s in (0.5, 0.9)),
            *((("Gradual", s, 100, s), steady) for s in (0.5, 0.9)),
            (("Cubic", 0.5, None, 0.5), steady),
            (("Cubic", 0.9, None, 0.9), (0.7, 0.71, 0.69)),
        ]
    )
    found = verdicts(points_of(frame))
    assert list(found) == [0.5, 0.9]
    assert found[0.5].startswith("no difference at this sparsity between Gradual and Cubic")
    assert found[0.9].startswith("Cubic keeps 20.0 points more than Gradual")
    assert found[0.9].endswith("; OneShot ends at 0%, not 90%")


def test_no_common_seed_is_no_verdict():
    rows = CLEAR[(CLEAR["schedule"] == "OneShot") & (CLEAR["seed"] == 1) | (CLEAR["schedule"] == "Cubic")]
    assert list(verdicts(points_of(rows)).values()) == [
        "no seed has finished for all schedules, so that nothing can be compared"
    ]


@pytest.mark.parametrize(
    ("frame", "words"),
    [
        (pd.DataFrame({"a": [1]}), "no column schedule, sparsity, frequency, seed"),
        (CLEAR.drop(columns="accuracy"), "no column its metric"),
        (CLEAR.rename(columns={"accuracy": "loss"}).reset_index(), "any of the columns index, loss: drop the others"),
        (CLEAR[CLEAR["sparsity"] == 0.95], "no run of this sweep has finished"),
        (CLEAR[:0], "no run of this sweep has finished"),
    ],
)
def test_what_is_no_sweep_is_refused(frame, words):
    with pytest.raises(EntrenarVizError, match=words):
        points_of(frame)
