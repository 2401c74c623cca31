"""The file of a sweep: what is read of it, what is refused and left untouched, and who may write to it at once."""

import errno
import json
import os
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from entrenar_viz import ConfigError, digits, sweep
from entrenar_viz.rehearsal.results_file import ResultsFile, key, runs_kept
from tests.rehearsal.trials_to_sweep import CONFIG, GRID, RUNS, STEPS, known

SETTINGS = {"total_steps": 9, "config": {"method": "magnitude", "pattern": {"type": "nm", "n": 2, "m": 4}}}


def what(seed, sparsity=0.5):
    return {"schedule": {"type": "cubic", "start_step": 2}, "sparsity": sparsity, "seed": seed}


def results(folder, settings=SETTINGS, metric="accuracy"):
    return ResultsFile(Path(folder) / "r.jsonl", settings, metric)


def filled(folder, runs):
    file = results(folder)
    file.read()
    for seed in range(runs):
        file.append(what(seed), seed / 10)
    return file


def test_a_line_says_what_was_run(tmp_path):
    sweep(CONFIG, STEPS, **GRID, trial=known, results=str(tmp_path / "r.jsonl"))
    head, *lines = map(json.loads, (tmp_path / "r.jsonl").read_text().splitlines())
    assert {
        name: head[name] for name in ("format", "version", "rules", "metric", "total_steps", "steps", "within")
    } == {
        "format": "entrenar-viz sweep",
        "version": 1,
        "rules": 1,
        "metric": "accuracy",
        "total_steps": STEPS,
        "steps": STEPS,
        "within": "tensor",
    }
    assert head["trial"] == "tests.rehearsal.trials_to_sweep.known"
    assert not {"schedule", "target_sparsity"} & set(head["config"])
    assert len(lines) == RUNS
    assert lines[0] == {"schedule": "dense", "sparsity": 0.0, "seed": 0, "accuracy": 0.9}
    assert lines[-1]["schedule"] == {"type": "cubic", "start_step": 200, "end_step": 700, "final_sparsity": 0.9}


@settings(max_examples=30)  # each waits for the disk
@given(st.integers(0, 400), st.permutations(range(4)), st.integers(0, 2))
def test_whatever_is_cut_off_costs_no_more_than_its_line(cut, order, again):
    with TemporaryDirectory() as folder:
        file = filled(folder, 0)
        head = file.path.stat().st_size
        for seed in order:
            file.append(what(seed), seed / 10)
        content = file.path.read_bytes()
        rest = content[: max(len(content) - cut, head)]
        file.path.write_bytes(rest)
        whole = [json.loads(line)["seed"] for line in rest[head:].split(b"\n")[:-1]]
        last = rest.rpartition(b"\n")[2]
        if last and content[len(rest) : len(rest) + 1] == b"\n":  # nothing but its end is missing
            whole.append(json.loads(last)["seed"])
        expected = {key(what(seed)): seed / 10 for seed in whole}
        assert file.read() == expected
        for seed in range(100, 100 + again):
            file.append(what(seed), 0.5)
        assert file.read() == expected | {key(what(seed)): 0.5 for seed in range(100, 100 + again)}
        assert runs_kept(file.path) == len(expected) + again
        assert file.path.read_bytes().startswith(rest)


def test_two_broken_lines_in_a_row_and_empty_ones_are_left_out(tmp_path):
    file = filled(tmp_path, 1)
    with file.path.open("ab") as raw:
        raw.write(b'{"schedule": {"ty\n{"sch\n\n\x00\x00\n')
    file.append(what(7), 0.7)
    assert file.read() == {key(what(0)): 0.0, key(what(7)): 0.7}


def test_of_two_lines_of_a_run_the_first_counts(tmp_path):
    file = filled(tmp_path, 2)
    file.append(what(1), 0.9)
    assert file.read() == {key(what(0)): 0.0, key(what(1)): 0.1}


def test_a_file_of_other_settings_is_refused_with_what_differs_and_not_touched(tmp_path):
    before = filled(tmp_path, 2).path.read_bytes()
    other = {"total_steps": 10, "config": {"method": "magnitude", "pattern": {"type": "row"}}, "rules": 2}
    with pytest.raises(ConfigError) as raised:
        results(tmp_path, other).read()
    assert {problem.where for problem in raised.value.problems} == {
        "total_steps",
        "config.pattern.type",
        "config.pattern.n",
        "config.pattern.m",
        "rules",
    }
    assert "total_steps: is 9 in the file, and 10 in this sweep: name another file" in str(raised.value)
    assert (tmp_path / "r.jsonl").read_bytes() == before


@pytest.mark.parametrize(
    "other",
    [
        {"steps": 50},
        {"within": "row"},
        {"total_steps": 2000},
        {"config": replace(CONFIG, fine_tune_steps=7)},
        {"widths": (128,)},
        {"X": digits().x_test, "y": digits().y_test},
    ],
)
def test_whatever_the_numbers_depend_on_is_compared(tmp_path, other):
    grid = {"sparsities": [0.5], "seeds": 1, "steps": 40, "results": tmp_path / "r.jsonl"}
    sweep(CONFIG, STEPS, **grid)
    before = (tmp_path / "r.jsonl").read_bytes()
    given = {"config": CONFIG, "total_steps": STEPS, **grid, **other}
    with pytest.raises(ConfigError, match="in this sweep: name another file"):
        sweep(given.pop("config"), given.pop("total_steps"), **given)
    assert (tmp_path / "r.jsonl").read_bytes() == before


def test_other_data_of_the_same_size_is_told_apart(tmp_path):
    data = digits()
    grid = {"sparsities": [0.5], "seeds": 1, "steps": 10, "results": tmp_path / "r.jsonl", "y": data.y_test}
    sweep(CONFIG, STEPS, **grid, X=data.x_test)
    with pytest.raises(ConfigError, match="data: is '"):
        sweep(CONFIG, STEPS, **grid, X=np.sqrt(data.x_test))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (b"step,loss\n1,2\n", 'is no results file: its first line does not say "format": "entrenar-viz sweep"'),
        (b'{"format": "entrenar-viz log", "version": 1}\n', "is no results file"),
        (b"[]\n", "is no results file"),
        (b"\xff\xfe\n", "is not UTF-8 text"),
        (b'{"format": "entrenar-viz sweep", "version": 2}\n', "is 2, of a newer entrenar_viz"),
        (b'{"format": "entrenar-viz sweep", "version": true}\n', "version: must be 1, not True"),
        (b'{"format": "entrenar-viz sweep", "version": 1, "version": 1}\n', "version: is written more than once"),
        (b'{"format": "entrenar-viz sweep", "version": 1}\n', "total_steps: says nothing, and 9 in this sweep"),
    ],
)
def test_other_files_are_refused_and_not_touched(tmp_path, content, words):
    (tmp_path / "r.jsonl").write_bytes(content)
    with pytest.raises(ConfigError) as raised:
        results(tmp_path).read()
    assert words in str(raised.value)
    assert (tmp_path / "r.jsonl").read_bytes() == content


@pytest.mark.parametrize(
    "line",
    [
        "[]",
        "{}",
        '{"schedule": "dense", "sparsity": 0, "seed": 1, "accuracy": NaN}',
        '{"schedule": "dense", "sparsity": 0, "seed": 1, "accuracy": true}',
        '{"schedule": "dense", "sparsity": 0, "seed": 1, "seed": 2, "accuracy": 1}',
    ],
)
def test_a_whole_line_that_is_no_run_is_refused_with_its_place(tmp_path, line):
    file = filled(tmp_path, 1)
    file.path.write_text(file.path.read_text() + line + "\n")
    with pytest.raises(ConfigError, match=r"line 3: .*: delete the line, or name another file"):
        file.read()


def test_a_folder_that_is_not_there_or_a_file_that_may_not_be_written(tmp_path):
    with pytest.raises(FileNotFoundError, match="does not exist: create that folder first"):
        results(tmp_path / "none").read()
    with pytest.raises(IsADirectoryError):
        ResultsFile(tmp_path, SETTINGS, "accuracy").read()


def test_a_full_disk_is_an_error_and_costs_only_that_line(tmp_path, monkeypatch):
    file, write = filled(tmp_path, 1), os.write
    with monkeypatch.context() as patch:
        patch.setattr(os, "write", lambda descriptor, line: write(descriptor, line[:20]))
        with pytest.raises(OSError, match=r"r\.jsonl") as raised:
            file.append(what(1), 0.1)
    assert raised.value.errno == errno.ENOSPC
    file.append(what(2), 0.2)
    assert file.read() == {key(what(0)): 0.0, key(what(2)): 0.2}


def test_what_the_disk_refuses_names_the_file(tmp_path, monkeypatch):
    file = filled(tmp_path, 1)

    def refuse(*given):
        raise OSError(errno.EIO, "Input/output error")

    for name in ("write", "fsync"):
        with monkeypatch.context() as patch:
            patch.setattr(os, name, refuse)
            with pytest.raises(OSError, match=r"Input/output error: '.*r\.jsonl'"):
                file.append(what(1), 0.1)
    file.path.write_bytes(b"")
    with pytest.raises(OSError, match=r"r\.jsonl"):
        file.append(what(1), 0.1)


def test_a_file_is_gone_on_with_in_a_folder_that_may_not_be_written(tmp_path, monkeypatch):
    file = filled(tmp_path, 2)

    def refuse(**given):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr("tempfile.mkstemp", refuse)
    assert len(file.read()) == 2
    with pytest.raises(PermissionError, match=r"other\.jsonl"):
        replace(file, path=tmp_path / "other.jsonl").read()


def test_a_file_that_an_editor_has_given_the_line_ends_of_windows_is_read(tmp_path):
    file = filled(tmp_path, 2)
    file.path.write_bytes(file.path.read_bytes().replace(b"\n", b"\r\n"))
    file.append(what(2), 0.2)
    assert file.read() == {key(what(seed)): seed / 10 for seed in range(3)}


def _append(folder, seeds):
    file = results(folder)
    file.read()
    for seed in seeds:
        file.append(what(seed), seed / 10)


def test_two_processes_do_not_garble_a_file(tmp_path):
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        parts = [pool.submit(_append, tmp_path, range(start, 400, 2)) for start in (0, 1)]
        for part in parts:
            part.result()
    lines = (tmp_path / "r.jsonl").read_bytes().splitlines()
    # whoever looks while the other's line is half written begins a line of its own: an empty one is left
    assert all(json.loads(line) for line in lines if line)
    assert len([line for line in lines if line]) == 401
    assert results(tmp_path).read() == {key(what(seed)): seed / 10 for seed in range(400)}


def _sweep(path):
    return sweep(CONFIG, STEPS, **GRID, trial=known, results=path)


def test_two_sweeps_on_one_file_both_come_to_their_end(tmp_path):
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        one, other = pool.map(_sweep, [tmp_path / "r.jsonl"] * 2)
    assert one.equals(other)
    assert RUNS <= runs_kept(tmp_path / "r.jsonl") <= 2 * RUNS
    assert _sweep(tmp_path / "r.jsonl").equals(one)
