"""The rows of a sweep put together: a mean and an interval for each schedule and sparsity, and what they say."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from entrenar_viz.errors import EntrenarVizError
from entrenar_viz.rehearsal.trial_pruner import DENSE
from entrenar_viz.rehearsal.verdict import ACCURACY, Metric, paired_differences, uneven, verdict

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = ("schedule", "sparsity", "frequency", "seed", "applied", "problem")
"""Of a sweep, beside that of its metric."""
HIGHER, GRAIN = "higher_is_better", "grain"


@dataclass(frozen=True, eq=False)
class SweptPoint:
    """The finished runs of one schedule at one sparsity."""

    name: str
    """That of the schedule, with the frequency where it was tried with several: ``Gradual every 500``."""
    schedule: str
    """As in the rows: ``Gradual``, ``dense``."""
    frequency: int | None
    sparsity: float
    """The target, a fraction."""
    applied: float
    """What was applied in the end, a fraction."""
    per_seed: dict[int, float]
    """The metric of each seed."""
    metric: Metric

    @property
    def mean(self) -> float:
        """The mean over the seeds."""
        return float(np.mean([*self.per_seed.values()]))

    @property
    def interval(self) -> tuple[float, float]:
        """The 95% interval of the mean, an accuracy's within 0 and 1; nan for one seed."""
        low, high = self.metric.interval([*self.per_seed.values()])
        return float(low), float(high)


def points_of(frame: "pd.DataFrame") -> list[SweptPoint]:
    """A point for each schedule, frequency and sparsity of a sweep, in the order of its rows; without failed runs.

    EntrenarVizError if ``frame`` is none of a sweep, or has no finished run.
    """
    metric = metric_of(frame)
    runs: dict[tuple[str, int | None, float, float], dict[int, float]] = defaultdict(dict)
    for schedule, frequency, sparsity, applied, seed, value in _rows(frame, metric.name):
        runs[schedule, frequency, sparsity, applied][seed] = value
    if not runs:
        raise EntrenarVizError("no run of this sweep has finished: its column problem says why")
    tried = {(schedule, frequency) for schedule, frequency, *_ in runs}
    several = {schedule for schedule, _ in tried if sum(other == schedule for other, _ in tried) > 1}
    return [
        SweptPoint(_name(schedule, frequency, several), schedule, frequency, sparsity, applied, values, metric)
        for (schedule, frequency, sparsity, applied), values in runs.items()
    ]


def metric_of(frame: "pd.DataFrame") -> Metric:
    """What the sweep has measured; EntrenarVizError if ``frame`` is none of a sweep, or leaves open what that was."""
    missing = [name for name in ("schedule", "sparsity", "frequency", "seed") if name not in frame.columns]
    others = [name for name in frame.columns if name not in COLUMNS]
    if missing or not others:
        what = ", ".join(missing) or "its metric"
        raise EntrenarVizError(f"this is no DataFrame of a sweep: it has no column {what}")
    if len(others) > 1 and ACCURACY not in others:
        raise EntrenarVizError(f"the metric may be any of the columns {', '.join(map(str, others))}: drop the others")
    name = ACCURACY if ACCURACY in others else others[0]
    return Metric(name, bool(frame.attrs.get(HIGHER, True)), float(frame.attrs.get(GRAIN, 0.0)))


def verdicts(points: list[SweptPoint]) -> dict[float, str]:
    """What can be said of the schedules at each sparsity, in the words of ``Rehearsal.verdict``."""
    targets = sorted({point.sparsity for point in points if point.schedule != DENSE})
    return {target: _verdict([point for point in points if point.sparsity == target]) for target in targets}


def _verdict(points: list[SweptPoint]) -> str:
    pruned = [point for point in points if point.schedule != DENSE and point.applied > 0]
    shared = set.intersection(*(set(point.per_seed) for point in pruned)) if pruned else set()
    finals = {point.name: np.array([point.per_seed[seed] for seed in sorted(shared)]) for point in pruned}
    if pruned and not shared:
        return "no seed has finished for all schedules, so that nothing can be compared"
    ends = {point.name: point.applied for point in points}
    return "; ".join([verdict(paired_differences(finals, points[0].metric)), *uneven(ends)])


def _rows(frame: "pd.DataFrame", metric: str) -> Iterator[tuple[str, int | None, float, float, int, float]]:
    """The finished runs as plain values."""
    finished: Any = frame[np.isfinite(frame[metric].to_numpy(dtype=np.float64, na_value=np.nan))]
    frequencies = finished["frequency"].to_numpy(dtype=np.float64, na_value=np.nan)
    applied = finished["applied" if "applied" in finished.columns else "sparsity"]
    columns = (finished["sparsity"], applied, finished["seed"], finished[metric])
    for schedule, every, *numbers in zip(finished["schedule"], frequencies, *columns, strict=True):
        sparsity, end, seed, value = (float(number) for number in numbers)
        yield str(schedule), None if np.isnan(every) else int(every), sparsity, end, int(seed), value


def _name(schedule: str, frequency: int | None, several: set[str]) -> str:
    return f"{schedule} every {frequency:,}" if schedule in several and frequency is not None else schedule
