"""What is said of a configuration, and the report in Markdown."""

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from entrenar_viz import NM, Cubic, Gradual, OneShot, PruningConfig, StepError, as_markdown, replay, review
from entrenar_viz.analysis.updates import in_the_mask
from entrenar_viz.export.markdown import SHOWN, _escaped, outcome, setting_rows, shown_indices, update_rows
from entrenar_viz.formatting import percent
from tests.strategies import configs

MISSED = PruningConfig(
    schedule=Gradual(start_step=1000, end_step=5000, initial_sparsity=0.0, final_sparsity=0.5, frequency=300)
)


def cells(report, heading):
    """The rows of the table that has ``heading``, without heading and rule."""
    table = report.split(heading + " |\n")[1].split("\n\n")[0]
    rows = [line for line in table.splitlines() if line.startswith("|")][1:]
    return [re.sub(r"\\(.)", r"\1", row.strip("| ")).split(" | ") for row in rows]


def test_a_report():
    report = as_markdown(MISSED, 10_000)
    assert report.startswith(
        "## Pruning: Gradual to 50%, unstructured, magnitude\n"
        "\n"
        "Training: steps 1 to 10,000. Outcome: 13 updates, final sparsity 48.75%, 1.25 points short of 50%, "
        "largest jump 3.75%, recovery 5,100 steps (51%).\n"
        "\n"
        "| setting | value |\n"
        "| :- | :- |\n"
        "| method | magnitude |\n"
        "| target\\_sparsity | 0.5 |\n"
    )
    assert "- **warning** `target-missed`: Gradual stops at 48.75%" in report
    assert "\n  - fix: every 250 steps\n" in report
    assert report.endswith("| 4,600 | 45% | 3.75% |\n| 4,900 | 48.75% | 3.75% |\n")


@given(configs(), st.integers(0, 12_000))
def test_a_report_has_every_setting_every_finding_and_the_outcome(config, total):
    report, run = as_markdown(config, total), replay(config, total)
    said = dict(cells(report, "| setting | value"))
    assert said == dict(setting_rows(config))
    assert f"Outcome: {outcome(in_the_mask(config, run))}." in report
    assert re.findall(r"^- \*\*\w+\*\* `(.+?)`", report, re.M) == [found.code for found in review(config, total)]


@given(configs())
def test_the_settings_are_those_of_the_file(config):
    def at(place):
        value = json.loads(config.to_json())
        for key in place.split("."):
            value = value[key]
        return value

    for place, text in setting_rows(config):
        value = at(place)
        assert (text if isinstance(value, str) else json.loads(text)) == value


@given(configs(), st.integers(0, 300))
def test_the_table_is_that_of_a_walk_through_the_training(config, total):
    run, applied, walked = replay(config, total), 0.0, []
    for step in range(total + 1):
        if run.applied_at(step) != applied:
            walked.append((f"{step:,}", percent(run.applied_at(step))))
            applied = run.applied_at(step)
    rows = [row[:2] for row in update_rows(run)]
    shown = [(step, text) for step, text in rows if step != "..." and text != "<0.01%"]
    assert set(shown) <= set(walked)
    left_out = sum(int(text.split()[0].replace(",", "")) for step, text in rows if step == "...")
    assert len([step for step, _ in rows if step != "..."]) + left_out == len(walked)


@pytest.mark.parametrize(("count", "shown"), [(0, 0), (1, 1), (17, 17), (18, 16), (6001, 16)])
def test_a_long_table_keeps_both_ends(count, shown):
    indices = shown_indices(count, SHOWN)
    assert len(indices) == shown
    assert indices[:1] == ([0] if count else [])
    assert indices[-1:] == ([count - 1] if count else [])


def test_what_is_left_out_is_counted():
    run = replay(PruningConfig(schedule=Cubic(start_step=0, end_step=6000, final_sparsity=0.5)), 10_000)
    rows = list(update_rows(run))
    assert rows[SHOWN] == ("...", f"{run.num_updates - 2 * SHOWN:,} more updates", "")
    assert run.num_updates > len(rows)


def test_a_training_without_updates():
    report = as_markdown(PruningConfig(schedule=OneShot(step=100)), 50)
    assert report.endswith("### Updates\n\nNone.\n")
    assert "nothing to recover from" in report


def test_a_configuration_without_findings():
    report = as_markdown(PruningConfig(pattern=NM(n=2, m=4), schedule=OneShot(step=1)), 10_000)
    assert "### Findings\n\nNothing to object to.\n" in report


def test_markdown_is_not_broken_by_what_it_shows():
    assert _escaped("a|b_c <0.01% `x` [y](z) 1 * 2 \\") == r"a\|b\_c \<0.01% \`x\` \[y](z) 1 \* 2 \\"
    tiny = PruningConfig(schedule=Cubic(start_step=0, end_step=10**6, final_sparsity=0.5))
    assert "| \\<0.01% |" in as_markdown(tiny, 2 * 10**6)


def test_a_bad_number_of_steps_is_refused():
    with pytest.raises(StepError, match="total_steps"):
        as_markdown(PruningConfig(), -1)
