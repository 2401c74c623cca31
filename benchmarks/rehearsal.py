"""What a rehearsal costs in time, and whether its accuracies are those that another program has found.

    python -m benchmarks.rehearsal [--repeat 5]
    python -m benchmarks.rehearsal --table [--seeds 10]

Without ``--table``: a dense run of 2,000 Adam steps of 64-128-64-10, in seconds and as a ratio to the products of
matrices in it, made by plain numpy in the same run; then three schedules x 5 seeds + dense, 20 runs, on each executor,
with its start, again, and the processor time of the mean of the two, which other work makes no longer. ``--table``:
accuracies at the end beside those of a separate script, and whether they agree. The trainer's Cubic has an update at
each step, that script had few: the table has Cubic with few updates too.
"""

import argparse
import os
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from multiprocessing import get_context

import numpy as np

from benchmarks.schedules import medians
from entrenar_viz import Cubic, Gradual, PruningConfig, Rehearsal, TrialPruner, rehearse
from entrenar_viz.rehearsal.blas_threads import one_blas_thread
from entrenar_viz.rehearsal.rehearsing import prepare
from entrenar_viz.rehearsal.runs import iter_runs, make_run
from entrenar_viz.rehearsal.small_training import BATCH, SmallTraining
from entrenar_viz.rehearsal.verdict import interval

STEPS, START, END = 2000, 400, 1400
DENSE_SECONDS, WHOLE_SECONDS = 1.0, 12.0  # the aims
NAMES = ("OneShot", "Gradual", "Cubic")
# Percent, by sparsity in the order of NAMES, with the half of the interval where there is one on record.
REFERENCE = {
    0.8: ((96.2, None), (96.4, None), (96.6, None)),
    0.9: ((94.9, None), (95.2, None), (95.9, None)),
    0.95: ((83.9, 3.7), (91.6, 1.4), (94.0, 1.0)),
    0.98: ((32.0, None), (59.0, None), (76.0, None)),
}
DENSE_REFERENCE = (96.8, 0.3)


def config(sparsity: float) -> PruningConfig:
    linear = Gradual(start_step=START, end_step=END, initial_sparsity=0.0, final_sparsity=sparsity, frequency=50)
    return PruningConfig(target_sparsity=sparsity, schedule=linear)


def products() -> Callable[[], None]:
    """The products of matrices in 2,000 steps: forward, the gradients of the weights, those of what enters."""
    rng, pairs = np.random.default_rng(0), ((64, 128), (128, 64), (64, 10))
    layers = [tuple(rng.random(shape, np.float32) for shape in ((BATCH, i), (o, i), (BATCH, o))) for i, o in pairs]

    def multiply() -> None:
        for _ in range(STEPS):
            for number, (entering, weights, slope) in enumerate(layers):
                entering @ weights.T
                slope.T @ entering
                if number:
                    slope @ weights

    return multiply


def dense_run(repeat: int) -> None:
    job = prepare(config(0.9), STEPS, 1, trial=SmallTraining()).jobs[0]
    with one_blas_thread():
        took, plain = (ms / 1000 for ms in medians(repeat, lambda: make_run(job), products()))
    verdict = "ok" if took <= DENSE_SECONDS else "MISSED"
    print(f"a dense run of 2,000 Adam steps {took:6.2f} s  {took / plain:5.2f} x its products of matrices", end="")
    print(f"   at most {DENSE_SECONDS:g} s: {verdict}")


@contextmanager
def serial() -> Iterator[None]:
    yield None


@contextmanager
def dask() -> Iterator[Executor]:
    from distributed import Client

    with Client(n_workers=2, threads_per_worker=1, dashboard_address=None) as client, client.get_executor() as executor:
        yield executor


def processes() -> ProcessPoolExecutor:
    return ProcessPoolExecutor(2, mp_context=get_context("spawn"))


def executors() -> None:
    ways = {"serial": serial, "2 threads": lambda: ThreadPoolExecutor(2), "2 processes": processes, "Dask": dask}
    print("three schedules x 5 seeds + dense, 95%           with its start     again   processor time")
    found = [whole(name, start) for name, start in ways.items()]
    same = all(one.to_dataframe().equals(found[0].to_dataframe()) for one in found)
    print(f"all accuracies at all readings are {'the same' if same else 'NOT THE SAME'} on each of them")


def whole(name: str, start: Callable[[], object]) -> Rehearsal:
    used, begin = sum(os.times()[:4]), time.perf_counter()
    with start() as executor:
        rehearse(config(0.95), STEPS, executor=executor)
        first = time.perf_counter() - begin
        begin = time.perf_counter()
        found = rehearse(config(0.95), STEPS, executor=executor)
        again = time.perf_counter() - begin
    used = (sum(os.times()[:4]) - used) / 2  # of children too, which have ended by now
    print(f"  {name:<46}{first:11.1f} s{again:9.1f} s{used:15.1f} s", end="")
    print(f"   at most {WHOLE_SECONDS:g} s: {'ok' if max(first, again) <= WHOLE_SECONDS else 'MISSED'}")
    return found


@dataclass(frozen=True)
class Seldom:
    """The small training with few updates: those that fall on a multiple of ``every`` steps."""

    every: int

    def __call__(self, pruner: TrialPruner, seed: int) -> Iterator[tuple[int, float]]:
        """The readings of that training."""
        updates = {step: asked for step, asked in pruner.updates.items() if step % self.every == 0}
        yield from SmallTraining()(replace(pruner, updates=updates), seed)


def table(seeds: int) -> None:
    print(f"percent right at the end of {STEPS:,} steps, {seeds} seeds, 95% intervals; window {START} to {END}")
    with processes() as executor:
        for number, sparsity in enumerate(REFERENCE):
            found = rehearse(config(sparsity), STEPS, seeds, executor=executor)
            if not number:
                row("dense", found.dense.per_seed, *DENSE_REFERENCE)
            print(f"{sparsity:.0%}: {found.verdict}")
            for name, reference in zip(NAMES, REFERENCE[sparsity], strict=True):
                row(name, found[name].per_seed, *reference)
            for every in (50, 100):
                row(f"Cubic, every {every} steps", thinned(sparsity, every, seeds, executor), *REFERENCE[sparsity][-1])


def thinned(sparsity: float, every: int, seeds: int, executor: Executor) -> np.ndarray:
    """The accuracies of Cubic with few updates, a seed each."""
    cubic = Cubic(start_step=START, end_step=END, final_sparsity=sparsity)
    prepared = prepare(config(sparsity), STEPS, seeds, schedules=[cubic], trial=Seldom(every))
    jobs = [job for job in prepared.jobs if job.name == "Cubic"]
    runs = dict(iter_runs(jobs, executor))
    return np.array([runs[job].metric for job in jobs])


def row(name: str, per_seed: np.ndarray, reference: float, half: float | None) -> None:
    """A line of the table. They agree if the intervals meet; one that is not on record counts as wide as ours."""
    mean, high = 100 * per_seed.mean(), 100 * interval(per_seed)[1]
    ours = high - mean
    agree = abs(mean - reference) <= ours + (ours if half is None else half)
    given = f"{reference:.1f}" + (f" +- {half:.1f}" if half else "")
    print(f"  {name:<24}{mean:6.1f} +- {ours:4.1f}   reference {given:<14}{'agrees' if agree else 'DIFFERS'}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--table", action="store_true", help="accuracies beside those of a separate script")
    parser.add_argument("--seeds", type=int, default=10, help="of the table")
    given = parser.parse_args()
    if given.table:
        table(given.seeds)
    else:
        dense_run(given.repeat)
        executors()


if __name__ == "__main__":
    main()
