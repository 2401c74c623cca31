"""What a training has reported: at each step the sparsity of its masks, and the metrics that were handed over."""

import json
import math
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from entrenar_viz.analysis.log_files import FORMAT, MAX_BYTES, VERSION, read_log
from entrenar_viz.analysis.log_rows import LogFile, finite, share, whole_step
from entrenar_viz.analysis.updates import whole_steps
from entrenar_viz.config.pruning_config import PruningConfig
from entrenar_viz.config.steps import Steps
from entrenar_viz.errors import ConfigError, EntrenarVizError, Problem, StepError
from entrenar_viz.files.atomic import write_atomically
from entrenar_viz.files.strict_json import read_bytes

CSV = ".csv"


@dataclass(frozen=True, slots=True)
class Report:
    """What was reported at the end of one step."""

    step: int
    sparsity: float | None
    """The fraction that is pruned, as the shortest decimal of its 32 bits; None: it was not told."""
    metrics: dict[str, float] = field(default_factory=dict)
    """By name; nan for what was not finite."""


class TrainingLog:
    """What a training has reported, step by step: ``Pruner.log`` is one, and a file of another tool can be.

    ``config`` and ``total_steps`` say what was planned, None if that is not known. ``rows`` are those of another log.
    Steps count from 1. Raises EntrenarVizError for what is no report.

    >>> log = TrainingLog(total_steps=1000)
    >>> log.add(100, sparsity=0.125, loss=0.5)
    >>> log.add(200, loss=float("inf"))
    >>> log.steps, log.sparsity, log.metric("loss")
    (array([100, 200], dtype=uint64), array([0.125,   nan], dtype=float32), array([0.5, nan]))
    """

    def __init__(
        self,
        config: PruningConfig | None = None,
        total_steps: int | None = None,
        rows: Iterable[Sequence[Any]] = (),
    ) -> None:
        self.config = config
        """What was planned, None if that is not known."""
        self.total_steps = None if total_steps is None else whole_steps(total_steps)
        """How long the training was planned to be, None if that is not known."""
        self.source = ""
        """The file that it was read from."""
        self.notes: tuple[str, ...] = ()
        """What was left out of the file that it was read from, in words."""
        self._reports: list[Report] = []
        self._arrays: dict[str, NDArray[Any]] = {}  # made when asked for: a slider asks again and again
        for step, sparsity, metrics in rows:
            self._add(step, sparsity, metrics)

    def add(self, /, step: int, sparsity: float | None = None, **metrics: Any) -> None:
        """Report what there was at the end of ``step``; a second report of the last step joins the first.

        ``sparsity`` is the fraction that is pruned, from 0 to 1. Metrics are numbers, tensors of one number too; one
        that is not finite is kept as nan, so that a loss that diverges does not end the training. StepError for a
        step before the last one, EntrenarVizError for what is no number.
        """
        self._add(step, sparsity, metrics)

    def _add(self, step: Any, sparsity: Any, metrics: dict[str, Any]) -> None:
        check_names(metrics)
        self._arrays = {}
        number = _step(step)
        fraction = None if sparsity is None else _fraction(sparsity)
        values = {_printable(name): _metric(name, value) for name, value in metrics.items()}
        last = self._reports[-1] if self._reports else None
        if last and number < last.step:
            raise StepError(f"step {number:,} comes after step {last.step:,}: report steps in their order")
        if last and number == last.step:
            known = last.sparsity if fraction is None else fraction
            self._reports[-1] = replace(last, sparsity=known, metrics=last.metrics | values)
        else:
            self._reports.append(Report(number, fraction, values))

    def copy(self) -> "TrainingLog":
        """The same, unchanged by what is reported from now on."""
        same = TrainingLog(self.config, self.total_steps)
        same.source, same.notes, same._reports = self.source, self.notes, list(self._reports)
        return same

    def __len__(self) -> int:
        return len(self._reports)

    def __repr__(self) -> str:
        until = f" to step {self._reports[-1].step:,}" if self._reports else ""
        return f"TrainingLog({len(self):,} steps reported{until}, metrics={self.metrics})"

    @property
    def rows(self) -> list[list[Any]]:
        """All reports as ``[step, sparsity, metrics]``, plain lists and dicts: for a state dict."""
        return [[report.step, report.sparsity, dict(report.metrics)] for report in self._reports]

    @property
    def steps(self) -> Steps:
        """The steps that were reported, uint64, ascending; read only."""
        return self._array("steps", (report.step for report in self._reports), np.uint64)

    @property
    def sparsity(self) -> NDArray[np.float32]:
        """The sparsity at each of ``steps``, float32 fractions, nan where it was not told; read only."""
        told = (math.nan if report.sparsity is None else report.sparsity for report in self._reports)
        return self._array("sparsity", told, np.float32)

    def _array(self, name: str, values: Iterable[float], kind: type[Any]) -> NDArray[Any]:
        if name not in self._arrays:
            self._arrays[name] = np.array(list(values), kind)
            self._arrays[name].flags.writeable = False
        return self._arrays[name]

    @property
    def metrics(self) -> tuple[str, ...]:
        """The names of the metrics, in the order in which they came."""
        return tuple(dict.fromkeys(name for report in self._reports for name in report.metrics))

    def metric(self, name: str) -> NDArray[np.float64]:
        """The metric ``name`` at each of ``steps``, float64; nan where it was not told or not finite."""
        if name not in self.metrics:
            known = ", ".join(self.metrics) or "none"
            raise EntrenarVizError(f"no metric is called {name!r:.60}; known here: {known:.200}")
        return np.array([report.metrics.get(name, math.nan) for report in self._reports], np.float64)

    def told(self, name: str) -> tuple[Steps, NDArray[np.float64]]:
        """The steps at which ``name`` was reported, and what: nan only where that was not finite."""
        found = [(report.step, report.metrics[name]) for report in self._reports if name in report.metrics]
        steps, values = zip(*found, strict=True) if found else ((), ())
        return np.array(steps, np.uint64), np.array(values, np.float64)

    # Files -----------------------------------------------------------------------------------------------------------

    def to_jsonl(self) -> str:
        """The file: a line that says what it is and what was planned, and a line for each step."""
        config = json.loads(self.config.to_json()) if self.config else None
        head = {"format": FORMAT, "version": VERSION, "total_steps": self.total_steps, "config": config}
        return "".join(f"{json.dumps(line, ensure_ascii=False)}\n" for line in (head, *map(_line, self._reports)))

    def save(self, path: str | os.PathLike[str], *, overwrite: bool = False) -> Path:
        """Write ``to_jsonl()`` to ``path`` as one atomic step; FileExistsError unless ``overwrite``."""
        target = Path(path)
        if target.suffix.lower() == CSV:
            raise EntrenarVizError(f"{target}: a log is saved as JSON Lines: write {target.with_suffix('.jsonl').name}")
        return write_atomically(target, self.to_jsonl().encode(), overwrite=overwrite)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> "TrainingLog":
        """Read a log: a .csv with a column ``step``, or JSON Lines, ours or of others (``{"step": 300, "loss": 0.3}``).

        A column or key ``sparsity`` is the sparsity, in fractions; all other numbers are metrics. What is no number is
        left out, and so is a last line that is cut off: ``notes`` says so. ConfigError names the lines that are wrong.
        """
        return cls.read(read_bytes(path, MAX_BYTES, "a training log"), os.fspath(path))

    @classmethod
    def read(cls, content: bytes, name: str) -> "TrainingLog":
        """Read what a file called ``name`` holds; otherwise as ``load``."""
        found = read_log(content, name, is_csv=Path(name).suffix.lower() == CSV)
        log = cls(*_planned(found, name))
        for line in found.lines:
            log._add(line.step, line.sparsity, line.metrics)
        log.source, log.notes = name, tuple(found.notes)
        return log


def check_names(metrics: Iterable[str]) -> None:
    """EntrenarVizError for a metric that is called as what every report has."""
    if taken := sorted({"step", "sparsity"}.intersection(metrics)):
        raise EntrenarVizError(f"the log has a {taken[0]} of its own: give that metric another name")


def _planned(found: LogFile, source: str) -> tuple[PruningConfig | None, int | None]:
    head = found.head or {}
    total, config = head.get("total_steps"), head.get("config")
    try:
        steps = None if total is None else whole_steps(total)
        return (None if config is None else PruningConfig.from_json(json.dumps(config))), steps
    except StepError as error:
        problems = [Problem("line 1", str(error))]
    except ConfigError as error:
        problems = [Problem(f"line 1: config.{one.where}".rstrip("."), one.message) for one in error.problems]
    raise ConfigError(problems, source)


def _line(report: Report) -> dict[str, Any]:
    sparsity = {} if report.sparsity is None else {"sparsity": report.sparsity}
    metrics = {name: None if math.isnan(value) else value for name, value in report.metrics.items()}
    return {"step": report.step, **sparsity, **metrics}


def _step(value: Any) -> int:
    try:
        step = whole_step(_plain(value))
    except ValueError as error:
        raise StepError(str(error)) from None
    if step == 0:
        raise StepError("a training counts its steps from 1: report step 0 as nothing, or count one more")
    return step


def _fraction(value: Any) -> float:
    try:
        return float(str(np.float32(share(float(_plain(value))))))  # 0.1125 rather than 0.112499997
    except (TypeError, ValueError) as error:
        raise EntrenarVizError(f"sparsity {value!r:.60} is no fraction: {error}") from None


def _printable(name: str) -> str:
    """``name`` without halves of surrogate pairs, which no file and no page can hold."""
    return name.encode(errors="replace").decode()


def _metric(name: str, value: Any) -> float:
    try:
        return finite(_plain(value))
    except (TypeError, ValueError) as error:
        raise EntrenarVizError(f"{name:.60} must be a number, not {value!r:.60}: {error}") from None


def _plain(value: Any) -> Any:
    """The Python number in a numpy scalar or in a tensor of one number."""
    try:
        return value.item() if hasattr(value, "item") else value
    except (RuntimeError, TypeError) as error:  # a tensor of several numbers
        raise ValueError(error) from None
