"""The picture that a notebook file keeps: well-formed, with the curves' own numbers, without matplotlib."""

import re
import subprocess
import sys
from itertools import pairwise
from xml.etree import ElementTree

import pytest

from entrenar_viz import Cubic, Gradual, OneShot, PruningConfig, StepError, TrainingLog, replay
from entrenar_viz.figures.still_svg import BOTTOM, HEIGHT, TOP, still_svg

WINDOW = {"start_step": 1000, "end_step": 5000, "final_sparsity": 0.5}
GRADUAL = Gradual(**WINDOW, initial_sparsity=0.0, frequency=300)
OTHERS = [OneShot(step=2000), GRADUAL, Cubic(**WINDOW)]


def points(element):
    pairs = (pair.split(",") for pair in element.get("points").split())
    return [(float(x), round((HEIGHT - BOTTOM - float(y)) / (HEIGHT - BOTTOM - TOP), 3)) for x, y in pairs]


def parts(svg, tag):
    return ElementTree.fromstring(svg).findall(f".//{{http://www.w3.org/2000/svg}}{tag}")


def test_it_has_the_curves_and_what_is_applied():
    config = PruningConfig(schedule=GRADUAL)
    svg = still_svg(config, 10_000, OTHERS)
    lines = [points(line) for line in parts(svg, "polyline")]
    assert [line[-1][1] for line in lines] == [0.5, 0.5, 0.5]
    (filled,) = (points(polygon) for polygon in parts(svg, "polygon"))
    shares = sorted({share for _, share in filled})
    assert shares == pytest.approx([0, *replay(config, 10_000).applied], abs=2e-3)
    names = [text.text for text in parts(svg, "text")]
    assert {"OneShot 50%", "Gradual 50%", "Cubic 50%", "10,000", "training step"} <= set(names)


def test_names_stand_apart():
    svg = still_svg(PruningConfig(schedule=GRADUAL), 10_000, OTHERS)
    heights = sorted(float(text.get("y")) for text in parts(svg, "text") if re.match(r"\w+ 50%", text.text))
    assert min(b - a for a, b in pairwise(heights)) >= 14


@pytest.mark.parametrize("total_steps", [1, 10, 2**40])
def test_any_training_is_drawn(total_steps):
    for schedule in OTHERS:
        still_svg(PruningConfig(schedule=schedule), total_steps, OTHERS)


def test_what_is_no_training_is_refused():
    with pytest.raises(StepError):
        still_svg(PruningConfig(), -1, [])


def test_it_needs_no_matplotlib():
    program = (
        "import sys; from entrenar_viz import PruningConfig; from entrenar_viz.figures.still_svg import still_svg; "
        "still_svg(PruningConfig(), 9, []); print('matplotlib' in sys.modules)"
    )
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert run.stdout == "False\n"


def test_what_a_log_tells_is_a_staircase_of_its_own():
    log = TrainingLog()
    for step, sparsity in [(1000, 0.0), (2000, 0.25), (3000, 0.25), (20_000, 0.5)]:
        log.add(step, sparsity)
    svg = still_svg(PruningConfig(schedule=GRADUAL), 10_000, OTHERS, log)
    told = points(parts(svg, "polyline")[-1])
    assert [share for _, share in told] == [0, 0.25, 0.25, 0.25]
    assert told[0][0] == told[1][0] < told[2][0]
    assert "happened 25%" in [text.text for text in parts(svg, "text")]
    assert still_svg(PruningConfig(schedule=GRADUAL), 10_000, OTHERS, TrainingLog()).count("polyline") == 3
