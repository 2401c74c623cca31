"""``entrenar-viz check``: what the trainer will do with a configuration, in words, as JSON or as Markdown."""

import json
from collections.abc import Iterator, Sequence
from math import ceil
from typing import Any, Literal

import numpy as np

from entrenar_viz.analysis.finding import Finding
from entrenar_viz.analysis.findings import review
from entrenar_viz.analysis.updates import Replay, in_the_mask, replay
from entrenar_viz.config.pruning_config import PruningConfig
from entrenar_viz.config.typical import RECOVERY
from entrenar_viz.config.validation import U64_MAX
from entrenar_viz.errors import ConfigError, EntrenarVizError, Problem
from entrenar_viz.export.markdown import as_markdown, outcome, shown_indices, update_rows

Form = Literal["text", "json", "markdown"]
SHOWN_JSON = 50_000  # updates at either end of a long list: Cubic has one for every step


def check(file: str, steps: int | None, form: Form) -> int:
    """Print the findings and updates of ``file``; 1 if it is invalid or has a finding of severity error, else 0."""
    try:
        config = PruningConfig.load(file)
        total = default_steps(config) if steps is None else steps
        run, findings = in_the_mask(config, replay(config, total)), review(config, total)
    except EntrenarVizError as error:
        if form != "json":
            raise
        print(json.dumps(_invalid(file, error), indent=2))
        return 1
    if form == "json":
        print(json.dumps(_as_json(file, run, findings), indent=2))
    elif form == "markdown":
        print(as_markdown(config, total), end="")
    else:
        print("\n".join(_as_text(file, config, run, findings, chosen=steps is None)))
    return int(any(finding.severity == "error" for finding in findings))


def default_steps(config: PruningConfig) -> int:
    """A training in which the recovery share is left after the schedule's end, or room to fine-tune if that is more.

    >>> from entrenar_viz import OneShot
    >>> default_steps(PruningConfig(schedule=OneShot(step=3000)))
    5000
    """
    end = config.schedule.window[1]
    tuned = end + config.fine_tune_steps * config.fine_tune_after_pruning
    return min(max(ceil(end / (1 - RECOVERY)), tuned, 1), U64_MAX)


def _as_text(
    file: str, config: PruningConfig, run: Replay, findings: Sequence[Finding], *, chosen: bool
) -> Iterator[str]:
    why = " (chosen to leave room for recovery; --steps N sets it)" if chosen else ""
    yield f"{file}: {type(config.schedule).__name__}, {config.pattern.type}, {config.method}"
    yield f"training: steps 1 to {run.total_steps:,}{why}"
    yield ""
    for finding in findings:
        yield f"{finding.severity:<8} {finding.code}: {finding.message}"
        for fix in finding.fixes:
            yield f"         fix: {fix.label}"
    if not findings:
        yield "nothing to object to"
    yield ""
    yield from _table(run)
    yield outcome(run)


def _table(run: Replay) -> Iterator[str]:
    if not run.num_updates:
        return
    rows = [("step", "applied", "jump"), *update_rows(run)]
    width = max(len(step) for step, _, _ in rows)
    for step, applied, jump in rows:
        yield f"{step:>{width}}  {applied:>8}  {jump:>8}".rstrip()
    yield ""


def _invalid(file: str, error: EntrenarVizError) -> dict[str, Any]:
    found = error.problems if isinstance(error, ConfigError) else [Problem("", str(error))]
    problems = [{"where": problem.where, "message": problem.message} for problem in found]
    empty = dict.fromkeys(("total_steps", "summary"))
    return {"valid": False, "file": file, "problems": problems, **empty, "findings": [], "updates": [], "omitted": 0}


def _as_json(file: str, run: Replay, findings: Sequence[Finding]) -> dict[str, Any]:
    shown = shown_indices(run.num_updates, SHOWN_JSON)
    return {
        "valid": True,
        "file": file,
        "problems": [],
        "total_steps": run.total_steps,
        "summary": _json_summary(run),
        "findings": [_json_finding(finding) for finding in findings],
        "updates": [{"step": int(run.update_steps[i]), "sparsity": _number(run.applied[i])} for i in shown],
        "omitted": run.num_updates - len(shown),
    }


def _json_summary(run: Replay) -> dict[str, Any]:
    return {
        "updates": run.num_updates,
        "target": _number(run.target),
        "final_sparsity": _number(run.final_sparsity),
        "shortfall": _number(run.shortfall),
        "largest_jump": _number(run.largest_jump),
        "first_update": run.first_update,
        "last_update": run.last_update,
        "recovery_steps": run.recovery_steps,
    }


def _json_finding(finding: Finding) -> dict[str, Any]:
    fixes = [{"label": fix.label, "config": json.loads(fix.config.to_json())} for fix in finding.fixes]
    return {"code": finding.code, "severity": finding.severity, "message": finding.message, "fixes": fixes}


def _number(sparsity: np.float32) -> float:
    """The shortest decimal of an f32: 0.4875 rather than 0.48750001192092896."""
    return float(str(sparsity))
