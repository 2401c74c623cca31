"""What the trainer will do with a configuration, in words: the parts of a report, and a report in Markdown."""

import json
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from entrenar_viz.analysis.finding import Finding
from entrenar_viz.analysis.findings import review
from entrenar_viz.analysis.updates import Replay, in_the_mask, replay
from entrenar_viz.config.pruning_config import PruningConfig
from entrenar_viz.formatting import counted, percent, points

SHOWN = 8  # updates at either end of a long table


def as_markdown(config: PruningConfig, total_steps: int) -> str:
    """``config`` in a training of ``total_steps`` steps as Markdown: settings, findings, updates and where it ends.

    Of a long table of updates the first and the last eight are shown. Raises StepError for a bad ``total_steps``.

    >>> print(as_markdown(PruningConfig(), 10_000).splitlines()[0])
    ## Pruning: OneShot to 50%, unstructured, magnitude
    """
    run, findings = in_the_mask(config, replay(config, total_steps)), review(config, total_steps)
    title = f"## Pruning: {type(config.schedule).__name__} to {percent(run.target)}, {config.pattern.type}"
    parts = [
        [f"{title}, {config.method}"],
        [f"Training: steps 1 to {run.total_steps:,}. Outcome: {outcome(run)}."],
        _markdown_table(("setting", "value"), ":-", setting_rows(config)),
        ["### Findings"],
        list(_markdown_findings(findings)),
        ["### Updates"],
        _markdown_table(("step", "applied", "jump"), "-:", update_rows(run)) if run.num_updates else ["None."],
    ]
    return "\n\n".join("\n".join(part) for part in parts) + "\n"


def outcome(run: Replay) -> str:
    """Updates, final sparsity, shortfall, largest jump and recovery, in one line."""
    updates = counted(run.num_updates, "update")
    short = f"{points(run.shortfall)} short of {percent(run.target)}"
    missing = short if run.shortfall else "target reached"
    jump = f"largest jump {percent(run.largest_jump)}"
    return f"{updates}, final sparsity {percent(run.final_sparsity)}, {missing}, {jump}, {_recovery(run)}"


def setting_rows(config: PruningConfig) -> list[tuple[str, str]]:
    """Each field of ``config`` by the place that it has in the JSON, and its value as the JSON has it."""
    return list(_leaves(json.loads(config.to_json(), parse_float=str)))


def update_rows(run: Replay) -> Iterator[tuple[str, str, str]]:
    """Step, applied sparsity and jump of the first and last updates; a row of dots says how many are left out."""
    jumps = np.diff(run.applied, prepend=np.float32(0))
    previous = -1
    for index in shown_indices(run.num_updates, SHOWN):
        if index > previous + 1:
            yield "...", f"{index - previous - 1:,} more updates", ""
        yield f"{int(run.update_steps[index]):,}", percent(run.applied[index]), percent(jumps[index])
        previous = index


def shown_indices(count: int, either_end: int) -> list[int]:
    """The indices of ``count`` things of which only so many are shown at either end."""
    if count <= 2 * either_end + 1:
        return list(range(count))
    return [*range(either_end), *range(count - either_end, count)]


def _recovery(run: Replay) -> str:
    if not run.num_updates:
        return "nothing to recover from"
    return f"recovery {counted(run.recovery_steps, 'step')} ({percent(run.recovery_steps / max(run.total_steps, 1))})"


def _leaves(fields: dict[str, Any], inside: str = "") -> Iterator[tuple[str, str]]:
    for name, value in fields.items():
        if isinstance(value, dict):
            yield from _leaves(value, f"{inside}{name}.")
        else:
            yield f"{inside}{name}", value if isinstance(value, str) else json.dumps(value)


def _markdown_findings(findings: Iterable[Finding]) -> Iterator[str]:
    if not findings:
        yield "Nothing to object to."
    for finding in findings:
        yield f"- **{finding.severity}** `{finding.code}`: {_escaped(finding.message)}"
        yield from (f"  - fix: {_escaped(fix.label)}" for fix in finding.fixes)


def _markdown_table(heading: tuple[str, ...], rule: str, rows: Iterable[tuple[str, ...]]) -> list[str]:
    lines = [heading, (rule,) * len(heading), *(tuple(map(_escaped, row)) for row in rows)]
    return [f"| {' | '.join(line)} |" for line in lines]


def _escaped(text: str) -> str:
    """``text`` that Markdown shows as it is: no cell ends in it, no tag or emphasis begins in it."""
    return "".join(f"\\{character}" if character in "\\`*_<|[" else character for character in text)
