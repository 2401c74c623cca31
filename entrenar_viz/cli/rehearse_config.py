"""``entrenar-viz rehearse``: which schedule keeps more accuracy in small trainings, at one sparsity or at several."""

import signal
import sys
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Any

from entrenar_viz.cli.check_config import default_steps
from entrenar_viz.cli.terminal import check_outputs, tell_progress
from entrenar_viz.config.pruning_config import PruningConfig
from entrenar_viz.files.atomic import write_atomically
from entrenar_viz.formatting import counted, percent
from entrenar_viz.progress import optional
from entrenar_viz.rehearsal.rehearsing import rehearse
from entrenar_viz.rehearsal.results_file import runs_kept
from entrenar_viz.rehearsal.runs import Run
from entrenar_viz.rehearsal.sweep_table import SweptPoint, points_of, verdicts
from entrenar_viz.rehearsal.sweeping import SPARSITIES, sweep
from entrenar_viz.rehearsal.trial_pruner import DENSE

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

BAR = 24  # letters
PLANS = {"uniform": None, "ERK": "erk"}  # the same of each layer, and what needs no weights
MOST_PROBLEMS = 5


@dataclass(frozen=True)
class Written:
    """The files that are written at the end, None for none."""

    csv: Path | None
    figure: Path | None
    theme: str
    overwrite: bool

    def check(self) -> None:
        """Raise what would be raised at the end, before the work."""
        check_outputs((self.csv, self.figure), overwrite=self.overwrite)
        if self.csv is not None:
            optional("pandas", "--csv needs pandas", "leave it out")

    def write(self, frame: "pd.DataFrame | None", figure: "Figure | None") -> None:
        """Write those that were asked for, and say so."""
        if self.csv is not None and frame is not None:
            content = frame.to_csv(index=False, lineterminator="\n").encode()
            write_atomically(self.csv, content, overwrite=self.overwrite)
            print(f"wrote {self.csv}: {counted(len(frame), 'row')}")
        if self.figure is not None and figure is not None:
            from entrenar_viz.figures.saving import save_figure

            save_figure(figure, self.figure, overwrite=self.overwrite)
            print(f"wrote {self.figure}")


def rehearse_file(
    file: str,
    *,
    plans: Mapping[str, str | None] | None,
    steps: int | None,
    rehearsal_steps: int | None,
    seeds: int,
    workers: int,
    written: Written,
) -> int:
    """Rehearse the configuration in ``file`` and its alternatives, or ``plans``, and print what came out; 0."""
    config = PruningConfig.load(file)
    written.check()
    total = default_steps(config) if steps is None else steps
    with _processes(min(workers, 4 * seeds)) as executor:
        how: dict[str, Any] = {"steps": rehearsal_steps, "plans": plans}
        result = rehearse(config, total, seeds, **how, executor=executor, progress=tell)
    print(result)
    frame = None if written.csv is None else result.to_dataframe()
    figure = None
    if written.figure is not None:
        from entrenar_viz.figures.rehearsal_plot import rehearsal_figure

        figure = rehearsal_figure(result, theme=written.theme)
    written.write(frame, figure)
    return 0


def sweep_file(
    file: str,
    sparsities: Sequence[float],
    *,
    frequencies: Sequence[int] | None,
    results: Path | None,
    steps: int | None,
    rehearsal_steps: int | None,
    seeds: int,
    workers: int,
    written: Written,
) -> int:
    """Sweep the configuration in ``file``; print a table and a verdict for each sparsity; 1 if no run finished, else 0.

    Without ``sparsities`` those of ``sweep``. What is finished when it is interrupted is in ``results``.
    """
    config = PruningConfig.load(file)
    written.check()
    total, targets = default_steps(config) if steps is None else steps, sparsities or SPARSITIES
    grid: dict[str, Any] = {"sparsities": targets, "frequencies": frequencies, "seeds": seeds, "steps": rehearsal_steps}
    try:
        with _processes(min(workers, 4 * seeds * len(targets))) as executor:
            frame = sweep(config, total, **grid, results=results, executor=executor, progress=tell)
    except KeyboardInterrupt:
        if results is not None:
            kept = counted(runs_kept(results), "run")
            print(f"\n{kept} kept in {results}: the same command goes on from there", file=sys.stderr)
        raise
    failed = _problems(frame)
    if len(frame) == sum(frame["problem"] != ""):
        print("\n".join(["no run has finished", *failed]))
        return 1
    points = points_of(frame)
    print("\n".join([*_table(points), "", *_verdicts(points), *failed]))
    figure = None
    if written.figure is not None:
        from entrenar_viz.figures.sweep_plot import sweep_figure

        figure = sweep_figure(frame, theme=written.theme)
    written.write(frame, figure)
    return 0


@contextmanager
def _processes(workers: int) -> Iterator[Executor | None]:
    """Processes: training small networks is Python's own work more than numpy's, so that threads would take turns.

    Ctrl-C reaches all of them; only this one heeds it.
    """
    if workers == 1:
        yield None
        return
    pool = ProcessPoolExecutor(workers, mp_context=get_context("spawn"))
    heeded = signal.signal(signal.SIGINT, signal.SIG_IGN)  # which processes that are started now inherit
    try:
        for _ in range(workers):
            pool.submit(int)  # starts one of them
    finally:
        signal.signal(signal.SIGINT, heeded)
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)


def tell(done: int, total: int, run: Run) -> None:
    """How far it is: a bar, and the run that is done."""
    bar = ("=" * (BAR * done // total)).ljust(BAR)
    at = "" if run.name == DENSE else f" at {percent(run.sparsity)}"
    tell_progress(f"[{bar}] {done:,} of {total:,} runs  {run.name}{at}, seed {run.seed}", last=done == total)


def _table(points: Sequence[SweptPoint]) -> Iterator[str]:
    """A line for each schedule at each sparsity, in columns."""
    metric = points[0].metric
    rows = [("sparsity", "schedule", metric.name, "95% interval", "seeds")]
    for point in points:
        low, high = point.interval
        ends = f"{metric.number(low)} to {metric.number(high)}" if len(point.per_seed) > 1 else ""
        target = "" if point.schedule == DENSE else percent(point.sparsity)
        rows.append((target, point.name, metric.number(point.mean), ends, f"{len(point.per_seed):,}"))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for sparsity, name, *numbers in rows:
        cells = [number.rjust(width) for number, width in zip(numbers, widths[2:], strict=True)]
        yield "  ".join([sparsity.rjust(widths[0]), name.ljust(widths[1]), *cells]).rstrip()


def _verdicts(points: list[SweptPoint]) -> Iterator[str]:
    for target, words in verdicts(points).items():
        yield f"{percent(target)}: {words}"


def _problems(frame: "pd.DataFrame") -> list[str]:
    """What trials have raised, the most frequent first."""
    counts = frame["problem"][frame["problem"] != ""].value_counts()
    told = [f"{counted(int(count), 'run')} failed: {problem}" for problem, count in counts.items()]
    more = [f"and {len(told) - MOST_PROBLEMS} more reasons"] if len(told) > MOST_PROBLEMS else []
    return told[:MOST_PROBLEMS] + more
