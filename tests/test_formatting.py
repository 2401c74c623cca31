"""Numbers as people read them: the kernel and the page write the same."""

import json
from pathlib import Path

import numpy as np
import pytest

from entrenar_viz.formatting import counted, percent, points, rounded, size

VECTORS = json.loads((Path(__file__).parent / "vectors" / "formatting.json").read_text("utf-8"))
WRITERS = {"percent": percent, "rounded": rounded, "size": size, "thousands": "{:,}".format}


@pytest.mark.parametrize(("name", "number", "text"), [(name, *row) for name, rows in VECTORS.items() for row in rows])
def test_the_vectors_that_the_page_is_held_to(name, number, text):
    assert WRITERS[name](number) == text


def test_the_trainers_own_floats_are_written_as_people_wrote_them():
    assert percent(np.float32(0.7)) == "70%"
    assert percent(np.float32(0.29)) == "29%"


def test_points_and_counts():
    assert [points(0.0125), points(0.5), points(np.float32(1e-6))] == ["1.25 points", "50 points", "0.0001 points"]
    assert [counted(0, "step"), counted(1, "step"), counted(5000, "step")] == ["0 steps", "1 step", "5,000 steps"]
