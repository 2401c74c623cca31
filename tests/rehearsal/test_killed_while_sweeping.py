"""A sweep that is killed at any moment loses at most the runs under way, and the next one goes on from its file."""

import json
import os
import subprocess
import sys

import pandas as pd
import pytest

from entrenar_viz import sweep
from entrenar_viz.rehearsal.results_file import runs_kept
from tests.rehearsal.trials_to_sweep import CONFIG, GRID, RUNS, STEPS, known

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork and SIGKILL")
# Sweeps, and says so after each run. A trial that is told to waits for ever, so that it is killed in its midst.
SWEEPER = r"""
import itertools, os, sys, threading
from concurrent.futures import ThreadPoolExecutor
from tests.rehearsal.test_killed_while_sweeping import swept
from tests.rehearsal.trials_to_sweep import known

path, last, workers = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
begun = itertools.count(1)

def stuck(pruner, seed):
    if next(begun) > last:
        os.write(1, b"stuck\n")  # one write, which another thread's cannot get into
        threading.Event().wait()
    yield from known(pruner, seed)

stuck.__module__, stuck.__qualname__ = known.__module__, known.__qualname__  # by which the file knows a trial
executor = ThreadPoolExecutor(workers) if workers else None
try:
    swept(path, trial=stuck, executor=executor, progress=lambda *told: os.write(1, b"run\n"))
finally:
    os._exit(1)  # at once: threads that are stuck would be waited for
"""


def swept(path, trial=known, **other):
    return sweep(CONFIG, STEPS, **GRID, trial=trial, results=path, **other)


def killed(path, runs, workers):
    """Sweep until ``runs`` are told, and every worker is stuck in another one; then kill it. How many it has told."""
    command = [sys.executable, "-c", SWEEPER, str(path), str(runs), str(workers)]
    with subprocess.Popen(command, text=True, stdout=subprocess.PIPE) as sweeper:
        told = [sweeper.stdout.readline().strip() for _ in range(runs + max(workers, 1))]
        sweeper.kill()
        assert sweeper.wait() == -9
    assert sorted(told) == ["run"] * runs + ["stuck"] * max(workers, 1)
    return runs


@pytest.mark.parametrize(("workers", "times"), [(0, (0, 5)), (2, (1, 5))])
def test_it_goes_on_from_where_it_was_killed(tmp_path, workers, times):
    path, kept = tmp_path / "r.jsonl", 0
    for runs in times:
        kept += killed(path, runs, workers)
        assert runs_kept(path) == kept  # all that were told, and none twice
    made = []
    frame = swept(path, progress=lambda done, total, run: made.append(run))
    assert len(made) == RUNS - kept
    pd.testing.assert_frame_equal(frame, swept(tmp_path / "other.jsonl"))


def test_killed_again_and_again_in_the_midst_of_writing_it_gets_there(tmp_path):
    """Killed as soon as it has told a run: somewhere in the next one, or in writing it."""
    path, command = tmp_path / "r.jsonl", [sys.executable, "-c", SWEEPER, str(tmp_path / "r.jsonl"), "999", "0"]
    before = 0
    for _ in range(3):
        with subprocess.Popen(command, text=True, stdout=subprocess.PIPE) as sweeper:
            assert sweeper.stdout.readline().strip() == "run"
            sweeper.kill()
            sweeper.wait()
        assert before < runs_kept(path) <= RUNS
        before = runs_kept(path)
        if before == RUNS:
            break
    pd.testing.assert_frame_equal(swept(path), swept(tmp_path / "other.jsonl"))
    assert all(json.loads(line) for line in path.read_text().splitlines() if line.endswith("}"))
