"""What planning a large checkpoint takes: ``sensitivity`` beside ``survey``, and ``allocate`` by each method.

    python -m benchmarks.plan [--gigabytes 8] [--workers N] [--repeat 1] [--rows 256] [--folder DIR]

Makes a sharded bfloat16 checkpoint with the layer shapes of Llama 3 8B, of which embedding and head are left whole,
unread. Every piece of work is a process of its own: its seconds are those of the work alone, without starting Python,
its memory the resident set at its peak. Survey and sensitivity take turns; the ratio is that of the processor seconds,
medians, so that what else the machine does falls on both or none. With calibration data they do so again: with norms
they score by ``wanda``; with activations, of so many rows, they measure the error of the outputs of one block, the
survey at one sparsity, ``sensitivity`` at ten. The checkpoint is deleted at the end. Exit 1 if ``sensitivity`` takes
more than 1.5 times as long as a survey without activations, or either too much memory.

    python -m benchmarks.plan --drag [--layers 300] [--repeat 3]

Drags one of so many layers in JupyterLab, and prints how many pictures a second the page shows.
"""

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import numpy as np

from benchmarks.survey_memory import LIMIT, make, measured, sized
from entrenar_viz import Gradual, PruningConfig, allocate, iter_survey, load_weights, sensitivity
from entrenar_viz.models.layer_names import left_whole

SPARSITY, RATIO = 0.8, 1.5
METHODS = ("uniform", "erk", "global_magnitude", "sensitivity", "owl")
DATA = {
    "": "without calibration",
    "norms": "with norms, by wanda",
    "activations": "one block, with activations of {rows} rows",
}
WORK = "import sys; from benchmarks.plan import work; work(*sys.argv[1:])"


@dataclass(frozen=True)
class Taken:
    """Seconds, seconds of all processors, and bytes at the peak."""

    seconds: float
    processors: float
    peak: int

    @classmethod
    def median(cls, runs: Sequence["Taken"]) -> "Taken":
        """The medians of their seconds, and the highest of their peaks."""
        seconds, processors = (median(getattr(run, what) for run in runs) for what in ("seconds", "processors"))
        return cls(seconds, processors, max(run.peak for run in runs))

    def __str__(self) -> str:
        return f"{self.seconds:8.1f} s   {self.processors:8.1f} processor s   peak {self.peak / 1e6:6,.0f} MB"


def work(what: str, folder: str, data: str, workers: str) -> None:
    """Do one piece of work and print the seconds that it took, and those of all processors."""
    calibration = Path(folder).parent / f"{data}.npz" if data else None
    method = "wanda" if data == "norms" else "magnitude"
    with ThreadPoolExecutor(int(workers)) as executor:
        given = {"calibration": calibration, "executor": executor}
        source = load_weights(folder)
        if data == "activations":
            source = source.choose([name for name in source if ".layers.0." in name])
        start = time.perf_counter(), time.process_time()
        if what == "survey":
            schedule = Gradual(start_step=0, end_step=100, initial_sparsity=0.0, final_sparsity=SPARSITY, frequency=10)
            list(iter_survey(source, PruningConfig(schedule=schedule, method=method), **given))
        elif what == "sensitivity":
            sensitivity(source, method=method, **given)
        else:
            allocate(source, SPARSITY, what.removeprefix("allocate "), **given)
        print(time.perf_counter() - start[0], time.process_time() - start[1])


def make_data(folder: Path, rows: int) -> None:
    """Beside the checkpoint: norms for all layers, and activations; layers with as many columns share theirs."""
    rng = np.random.default_rng(0)
    weights = load_weights(folder)
    columns = {name: weights.shape(name)[1] for name in weights if not left_whole(name)}
    entering = {count: rng.normal(size=(rows, count)).astype(np.float32) for count in set(columns.values())}
    for kind in ("norms", "activations"):
        made = {n: np.linalg.norm(x, axis=0) if kind == "norms" else x for n, x in entering.items()}
        np.savez(folder.parent / f"{kind}.npz", **{name: made[count] for name, count in columns.items()})


def timed(what: str, folder: Path, data: str, workers: int) -> Taken:
    """One piece of work in a process of its own."""
    _, peak, said = measured(WORK, what, str(folder), data, str(workers))
    seconds, processors = map(float, said.split())
    return Taken(seconds, processors, peak)


def in_turns(folder: Path, data: str, workers: int, repeat: int) -> dict[str, Taken]:
    """Medians, and the highest peaks, of survey and sensitivity."""
    runs = [[timed(what, folder, data, workers) for what in ("survey", "sensitivity")] for _ in range(repeat)]
    return {
        what: Taken(
            median(one.seconds for one in of), median(one.processors for one in of), max(one.peak for one in of)
        )
        for what, of in zip(("survey", "sensitivity"), zip(*runs, strict=True), strict=True)
    }


def lines(folder: Path, given: argparse.Namespace) -> Iterator[tuple[str, bool]]:
    """What is printed, and whether it is as it should be."""
    for data, words in DATA.items():
        found = in_turns(folder, data, given.workers, given.repeat)
        ratio = found["sensitivity"].processors / found["survey"].processors
        yield f"{words.format(rows=given.rows)}, {given.workers} workers", True
        yield f"  {'survey':24}{found['survey']}", found["survey"].peak <= LIMIT
        fine = found["sensitivity"].peak <= LIMIT and (data == "activations" or ratio <= RATIO)
        yield f"  {'sensitivity':24}{found['sensitivity']}   {ratio:.2f} x", fine
    yield "one allocation, from the files", True
    for method in METHODS:
        taken = timed(f"allocate {method}", folder, "norms" if method == "owl" else "", given.workers)
        yield f"  {method:24}{taken}", taken.peak <= LIMIT


def run(folder: Path, size: float, given: argparse.Namespace) -> int:
    folder.mkdir()
    total = make(folder, size)
    make_data(folder, given.rows)
    print(f"{total / 1e9:.1f} GB of bfloat16, {len(load_weights(folder))} layers; limit {LIMIT / 1e6:,.0f} MB")
    failed = 0
    for line, fine in lines(folder, given):
        failed |= not fine
        print(line if fine else f"{line}   TOO MUCH", flush=True)
    return int(failed)


def dragged(layers: int, repeat: int) -> int:
    from benchmarks.browser_bars import drag

    for run in drag(layers, 3.0, repeat):
        pictures = f"{run.pictures:5.1f} pictures a second of {run.moves:.1f} moves"
        print(f"one layer of {run.bars} dragged: {pictures}, drawn in {run.took:.1f} ms")
    return 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--repeat", type=int, default=1)
    parser.add_argument("--rows", type=int, default=256)
    parser.add_argument("--drag", action="store_true", help="drag a layer in JupyterLab instead")
    parser.add_argument("--layers", type=int, default=300)
    given, size = sized(parser, 1.2)
    if given.drag:
        return dragged(given.layers, given.repeat)
    with tempfile.TemporaryDirectory(dir=given.folder) as folder:
        return run(Path(folder) / "model", size, given)


if __name__ == "__main__":
    sys.exit(main())
