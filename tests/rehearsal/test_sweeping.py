"""Sweeps: which runs are made, in which pairs, on any executor, and what a run that fails leaves of the others."""

import errno
import pickle
import sys
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context
from threading import Event

import numpy as np
import pandas as pd
import pytest

from entrenar_viz import (
    NM,
    ConfigError,
    Cubic,
    EntrenarVizError,
    Gradual,
    OneShot,
    PruningConfig,
    StepError,
    rehearse,
    replay,
    sweep,
)
from entrenar_viz.rehearsal import runs, staircase
from entrenar_viz.rehearsal.results_file import ResultsFile
from entrenar_viz.rehearsal.runs import make_run
from tests.rehearsal.trials_to_sweep import CONFIG, GRID, RUNS, STEPS, fails_at_seed_1, known

GRADUAL = Gradual(start_step=200, end_step=700, initial_sparsity=0.0, final_sparsity=0.5, frequency=250)


def swept(**other):
    return sweep(CONFIG, STEPS, **{**GRID, "trial": known, **other})


def test_a_row_for_each_run_in_order():
    frame = swept(frequencies=[250, 100])
    assert list(frame.columns) == ["schedule", "sparsity", "frequency", "seed", "accuracy", "applied", "problem"]
    cells = list(dict.fromkeys(zip(frame["schedule"], frame["sparsity"], frame["frequency"].fillna(0), strict=True)))
    kinds = [("OneShot", 0), ("Gradual", 100), ("Gradual", 250), ("Cubic", 0)]
    assert cells == [("dense", 0.0, 0), *((kind, s, every) for s in (0.5, 0.9) for kind, every in kinds)]
    assert frame["seed"].tolist() == [0, 1, 2] * 9
    assert (str(frame["frequency"].dtype), frame["accuracy"].dtype, frame["problem"].unique().tolist()) == (
        "Int64",
        float,
        [""],
    )
    assert frame["frequency"].isna().tolist() == [name != "Gradual" for name in frame["schedule"]]


def test_what_is_tried_has_the_target_in_both_places():
    seen = []

    def watched(pruner, seed):
        seen.append((pruner.name, pruner.config.target_sparsity, pruner.config.schedule))
        yield STEPS, 0.5

    swept(trial=watched, sparsities=[0.9], seeds=1, frequencies=[100])
    over = {"start_step": 200, "end_step": 700}
    assert seen[1:] == [
        ("OneShot", 0.9, OneShot(step=700)),
        ("Gradual", 0.9, Gradual(**over, initial_sparsity=0.0, final_sparsity=0.9, frequency=100)),
        ("Cubic", 0.9, Cubic(**over, final_sparsity=0.9)),
    ]
    assert (seen[0][:2], len(seen)) == (("dense", 0.0), 4)


def test_without_frequencies_a_schedule_keeps_its_own():
    frame = swept(schedules=[GRADUAL])
    assert frame["frequency"].dropna().unique().tolist() == [250]


def test_the_runs_are_those_of_a_rehearsal():
    frame = sweep(CONFIG, STEPS, sparsities=[0.5], seeds=2, steps=150)
    result = rehearse(CONFIG, STEPS, seeds=2, steps=150)
    for one in (result.dense, *result.outcomes):
        np.testing.assert_array_equal(frame[frame["schedule"] == one.name]["accuracy"], one.per_seed)


def test_what_is_really_applied_is_told():
    frame = swept(frequencies=[300], sparsities=[0.5]).set_index("schedule")
    assert frame["applied"].to_dict() == {"dense": 0.0, "OneShot": 0.5, "Gradual": 0.3, "Cubic": 0.5}


def test_a_schedule_is_replayed_once_whatever_the_seeds_and_processes(monkeypatch):
    replayed, made = [], []
    monkeypatch.setattr(staircase, "replay", lambda *given: replayed.append(given) or replay(*given))

    def elsewhere(job):
        return made.append(job) or make_run(pickle.loads(pickle.dumps(job)))  # as a process gets it

    monkeypatch.setattr(runs, "make_run", elsewhere)
    swept(seeds=50)
    assert (len(made), len(replayed)) == (7 * 50, 7)


def test_sparsities_are_the_decimals_that_were_meant():
    frame = swept(sparsities=np.float32([0.9, 0.3, 0.9]))
    assert frame["sparsity"].unique().tolist() == [0.0, 0.3, 0.9]


@pytest.mark.parametrize("pool", [ThreadPoolExecutor(2), ProcessPoolExecutor(2, mp_context=get_context("spawn"))])
def test_the_frame_is_the_same_whatever_the_executor(pool, tmp_path):
    with pool as executor:
        pd.testing.assert_frame_equal(swept(executor=executor, results=tmp_path / "r.jsonl"), swept())
        small = {"sparsities": [0.9], "seeds": 2, "steps": 60, "executor": executor}
        pd.testing.assert_frame_equal(
            sweep(CONFIG, STEPS, **small), sweep(CONFIG, STEPS, **{**small, "executor": None})
        )


def test_the_frame_is_the_same_on_a_cluster(tmp_path):
    distributed = pytest.importorskip("distributed", reason="distributed is not installed")
    with (
        distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=":0") as cluster,
        distributed.Client(cluster) as client,
    ):
        found = swept(executor=client.get_executor(), results=tmp_path / "r.jsonl")
    pd.testing.assert_frame_equal(found, swept())
    assert len((tmp_path / "r.jsonl").read_text().splitlines()) == 1 + RUNS


@pytest.mark.parametrize("executor", [None, ThreadPoolExecutor(2)])
def test_a_run_that_fails_loses_nothing_and_is_tried_again(tmp_path, executor):
    failing = swept(trial=fails_at_seed_1, results=tmp_path / "r.jsonl", executor=executor)
    wrong = (failing["seed"] == 1) & (failing["schedule"] != "dense")
    assert failing[wrong]["problem"].tolist() == ["RuntimeError: out of memory"] * 6
    assert failing["accuracy"].isna().tolist() == wrong.tolist()
    assert (failing[~wrong]["problem"] == "").all()
    pd.testing.assert_frame_equal(failing[~wrong], swept()[~wrong])
    again = []
    swept(trial=fails_at_seed_1, results=tmp_path / "r.jsonl", progress=lambda *told: again.append(told))
    assert [(done, total, run.seed, run.problem[:12]) for done, total, run in again] == [
        (done, 6, 1, "RuntimeError") for done in range(1, 7)
    ]


def test_a_trial_that_yields_nonsense_is_a_problem_too():
    frame = swept(trial=lambda pruner, seed: [(STEPS, float("nan"))], seeds=1)
    assert set(frame["problem"].str.partition(": ")[2]) == {
        "the metric at step 1,000 is nan: the training has diverged"
    }


def test_percent_for_accuracy_ends_it_at_the_first_run_and_is_not_kept(tmp_path):
    with pytest.raises(EntrenarVizError, match="accuracy is a fraction from 0 to 1, not 90"):
        swept(trial=lambda pruner, seed: [(STEPS, 90.0)], results=tmp_path / "r.jsonl")
    assert len((tmp_path / "r.jsonl").read_text().splitlines()) == 1


@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError])
@pytest.mark.parametrize("workers", [0, 1, 3])
def test_progress_ends_a_sweep_and_what_is_finished_is_in_the_file(tmp_path, error, workers):
    def stop(done, total, run):
        if done == 4:
            raise error

    executor = ThreadPoolExecutor(workers) if workers else None
    with pytest.raises(error):
        swept(results=tmp_path / "r.jsonl", progress=stop, executor=executor)
    kept = len((tmp_path / "r.jsonl").read_text().splitlines()) - 1
    assert kept >= 4
    rest = []
    frame = swept(results=tmp_path / "r.jsonl", progress=lambda done, total, run: rest.append(total))
    assert rest == [RUNS - kept] * (RUNS - kept)
    pd.testing.assert_frame_equal(frame, swept())


def test_a_run_that_cannot_be_kept_ends_a_sweep_and_those_that_wait(tmp_path, monkeypatch):
    made, release = [], Event()

    def slow(pruner, seed):
        made.append(pruner.name)
        if len(made) > 1:
            release.wait()
        yield from known(pruner, seed)

    def full(*given):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(ResultsFile, "append", full)
    with ThreadPoolExecutor(1) as executor:
        try:
            with pytest.raises(OSError, match="No space left"):
                swept(trial=slow, executor=executor, results=tmp_path / "r.jsonl")
        finally:
            release.set()
    assert len(made) <= 2  # that one, and the one that had begun meanwhile


def test_a_larger_grid_makes_only_what_is_missing(tmp_path):
    made = []
    given = {"results": tmp_path / "r.jsonl", "progress": lambda done, total, run: made.append(run)}
    swept(**given)
    assert len(made) == RUNS
    larger = {
        "sparsities": (0.9, 0.7, 0.5),
        "seeds": 4,
        "frequencies": [100, 25],
        "schedules": [CONFIG.schedule, GRADUAL],
    }
    made.clear()
    frame = swept(**given, **larger)
    assert len(frame) == 4 + 3 * (1 + 2) * 4
    # there are Cubic and dense in three seeds, and Gradual every 25, which was its own over that window
    assert len(made) == len(frame) - 3 - 2 * 3 - 2 * 3
    pd.testing.assert_frame_equal(frame, swept(**larger))
    made.clear()
    pd.testing.assert_frame_equal(swept(**given), swept())
    assert len(made) == 2 * 3 - 2 * 3


def test_a_metric_of_another_name(tmp_path):
    frame = swept(metric="loss", higher_is_better=False, results=tmp_path / "r.jsonl")
    assert frame.attrs == {"higher_is_better": False, "grain": 0.0}
    assert frame["loss"].notna().all()
    with pytest.raises(ConfigError, match=r"metric: is 'loss' in the file, and 'accuracy' in this sweep"):
        swept(results=tmp_path / "r.jsonl")


@pytest.mark.parametrize(
    ("other", "words"),
    [
        ({"sparsities": [90]}, "fractions between 0 and 1, such as 0.9 for 90%, not 90.0"),
        ({"sparsities": []}, "not none"),
        ({"sparsities": [0.5, 0.0]}, "not 0.0"),
        ({"sparsities": [float("nan")]}, "not nan"),
        ({"sparsities": 0.5}, "sparsities are numbers such as"),
        ({"frequencies": [0]}, "frequencies are whole numbers of steps"),
        ({"frequencies": [2.5]}, "frequencies are whole numbers of steps"),
        ({"frequencies": []}, "frequencies are whole numbers of steps"),
        ({"frequencies": [9], "schedules": [CONFIG.schedule]}, "Cubic have no frequency"),
        ({"schedules": []}, "no schedule to rehearse"),
        ({"metric": "seed"}, "metric is the name of a column"),
        ({"seeds": 0}, "seeds are how many there are"),
        ({"X": np.ones((9, 2)), "y": np.arange(9)}, "has its own data and network"),
    ],
)
def test_what_cannot_be_swept_is_refused_before_any_run(other, words):
    def never(pruner, seed):
        raise AssertionError

    with pytest.raises(EntrenarVizError, match=words):
        swept(**{"trial": never, **other})


def test_steps_of_an_own_trial_are_those_of_the_training():
    with pytest.raises(StepError, match="as long as its training"):
        swept(steps=10)


def test_a_pattern_with_one_sparsity_has_nothing_to_sweep():
    config = PruningConfig(pattern=NM(n=2, m=4), schedule=CONFIG.schedule)
    with pytest.raises(EntrenarVizError, match="2:4 masks have 50% whatever a schedule asks for"):
        sweep(config, STEPS, trial=known)
    assert sweep(config, STEPS, trial=known, sparsities=[0.5], seeds=1)["applied"].tolist() == [0.0, 0.5, 0.5, 0.5]


def test_without_pandas_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(EntrenarVizError, match=r'sweep needs pandas: pip install "entrenar-viz\[survey\]"'):
        swept()


def test_a_bar_of_tqdm(capsys):
    swept(progress=True)
    assert f"{RUNS}/{RUNS}" in capsys.readouterr().err
