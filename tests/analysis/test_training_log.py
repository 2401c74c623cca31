import json
import math
import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from entrenar_viz import ConfigError, EntrenarVizError, Gradual, PruningConfig, StepError, TrainingLog
from entrenar_viz.analysis import log_files, log_rows
from tests.strategies import FRACTIONS

CONFIG = PruningConfig(
    schedule=Gradual(start_step=100, end_step=500, initial_sparsity=0.0, final_sparsity=0.8, frequency=100)
)
NUMBERS = st.one_of(st.floats(), st.floats(width=16), st.integers(-(2**70), 2**70))
NAMES = st.text(max_size=5).filter(lambda name: name not in ("step", "sparsity"))
REPORTS = st.dictionaries(
    st.integers(1, 2**64 - 1),
    st.tuples(st.none() | FRACTIONS, st.dictionaries(NAMES, NUMBERS, max_size=3)),
    max_size=8,
)


def read(text, name="run.jsonl"):
    return TrainingLog.read(text.encode(), name)


def a_log():
    log = TrainingLog(CONFIG, 1000)
    log.add(100, np.float32(0.0))
    log.add(200, np.float32(0.26666668), loss=0.5, accuracy=0.25)
    log.add(300, loss=float("nan"))
    return log


def test_rows_come_back_as_arrays():
    log = a_log()
    np.testing.assert_array_equal(log.steps, np.array([100, 200, 300], np.uint64))
    np.testing.assert_array_equal(log.sparsity, np.array([0, 0.26666668, np.nan], np.float32))
    np.testing.assert_array_equal(log.metric("loss"), [np.nan, 0.5, np.nan])
    assert (log.metrics, len(log), log.total_steps) == (("loss", "accuracy"), 3, 1000)
    with pytest.raises(EntrenarVizError, match="known here: loss, accuracy"):
        log.metric("los")


def test_an_empty_log_has_empty_arrays():
    log = TrainingLog()
    assert log.steps.dtype == np.uint64
    assert log.sparsity.dtype == np.float32
    assert (len(log), log.metrics, log.rows) == (0, (), [])


def test_a_second_report_of_a_step_joins_the_first():
    log = TrainingLog()
    log.add(10, 0.25, loss=1.0)
    log.add(10, accuracy=0.5)
    log.add(10, 0.5, loss=2.0)
    assert log.rows == [[10, 0.5, {"loss": 2.0, "accuracy": 0.5}]]


def test_what_has_one_number_is_a_metric():
    torch = pytest.importorskip("torch")
    log = TrainingLog()
    loss = torch.tensor(3.0, requires_grad=True)
    log.add(torch.tensor(7), torch.tensor(0.5), loss=loss, half=torch.tensor(1.5, dtype=torch.bfloat16))
    log.add(np.int64(8), np.float64(0.5), loss=np.array([2.0]), right=True)
    assert log.rows == [[7, 0.5, {"loss": 3.0, "half": 1.5}], [8, 0.5, {"loss": 2.0, "right": 1.0}]]


@pytest.mark.parametrize("value", [float("inf"), float("nan"), -float("inf"), 10**400])
def test_a_loss_that_diverges_is_a_gap_and_no_error(value):
    log = TrainingLog()
    log.add(1, loss=value)
    assert math.isnan(log.rows[0][2]["loss"])
    assert json.loads(log.to_jsonl().splitlines()[1]) == {"step": 1, "loss": None}
    assert math.isnan(read(log.to_jsonl()).metric("loss")[0])


@pytest.mark.parametrize("step", [0, -1, 1.5, "1", None, True, 2**64, float("nan")])
def test_what_is_no_step_is_refused(step):
    with pytest.raises(StepError):
        TrainingLog().add(step)


def test_steps_must_ascend():
    log = a_log()
    with pytest.raises(StepError, match="step 299 comes after step 300"):
        log.add(299)


@pytest.mark.parametrize("sparsity", [-0.1, 1.1, 48.75, float("nan"), "half", [0.5, 0.5]])
def test_what_is_no_fraction_is_refused(sparsity):
    with pytest.raises(EntrenarVizError, match="sparsity"):
        TrainingLog().add(1, sparsity)


@pytest.mark.parametrize("value", ["low", None, [1, 2], np.ones(3), 1j])
def test_a_metric_that_is_no_number_is_refused_by_its_name(value):
    with pytest.raises(EntrenarVizError, match="loss must be a number"):
        TrainingLog().add(1, loss=value)


def test_the_file_says_what_was_planned_and_has_a_line_for_each_step():
    head, *lines = map(json.loads, a_log().to_jsonl().splitlines())
    assert head == {
        "format": "entrenar-viz log",
        "version": 1,
        "total_steps": 1000,
        "config": json.loads(CONFIG.to_json()),
    }
    assert lines == [
        {"step": 100, "sparsity": 0.0},
        {"step": 200, "sparsity": 0.26666668, "loss": 0.5, "accuracy": 0.25},
        {"step": 300, "loss": None},
    ]


@given(reports=REPORTS, known=st.booleans())
def test_a_saved_log_comes_back(reports, known):
    config = CONFIG if known else None
    rows = [[step, *reports[step]] for step in sorted(reports)]
    log = TrainingLog(config, 5 if known else None, rows)
    for again in (read(log.to_jsonl()), TrainingLog(config, log.total_steps, rows=log.rows)):
        assert repr(again.rows) == repr(log.rows)
        assert (again.config, again.total_steps, again.notes) == (config, log.total_steps, ())
        np.testing.assert_array_equal(again.sparsity, log.sparsity)


def test_a_metric_may_have_any_name():
    log = TrainingLog()
    log.add(1, **{"self": 1, "Step": 2, "": 3, "train/loss": 4, "\ud800": 5})
    assert read(log.to_jsonl()).rows == [[1, None, {"self": 1, "Step": 2, "": 3, "train/loss": 4, "?": 5}]]


@pytest.mark.parametrize("name", ["step", "sparsity"])
def test_a_metric_cannot_have_the_name_of_what_each_report_has(name):
    with pytest.raises(EntrenarVizError, match=f"the log has a {name} of its own"):
        TrainingLog(rows=[[1, None, {name: 0.5}]])


def test_rows_do_not_change_with_the_log():
    log = a_log()
    rows = log.rows
    log.add(300, loss=1.0)
    rows[0][2]["loss"] = 9.0
    assert math.isnan(rows[2][2]["loss"])
    assert math.isnan(log.metric("loss")[0])


def test_saving_does_not_overwrite(tmp_path):
    path = a_log().save(tmp_path / "run.jsonl")
    with pytest.raises(FileExistsError):
        TrainingLog().save(path)
    assert len(TrainingLog.load(path)) == 3
    TrainingLog().save(path, overwrite=True)
    assert len(TrainingLog.load(path)) == 0
    with pytest.raises(EntrenarVizError, match=r"run\.jsonl"):
        TrainingLog().save(tmp_path / "run.csv")


# Files of others -----------------------------------------------------------------------------------------------------


def test_json_lines_of_others_need_no_first_line():
    log = read('{"step": 10, "loss": 0.5, "time": "12:00"}\n\n{"Step": 20.0, "Sparsity": 0.5, "lr": NaN}\n')
    assert repr(log.rows) == repr([[10, None, {"loss": 0.5}], [20, 0.5, {"lr": math.nan}]])
    assert log.notes == ("Left out, since it is no number: time.",)
    assert (log.config, log.total_steps) == (None, None)


def test_csv_is_read_by_its_suffix():
    log = read("\ufeffStep, sparsity,loss,date\n10,,0.5,today\n20.0,0.25,,\n20,,nan,later\n", "RUN.CSV")
    assert repr(log.rows) == repr([[10, None, {"loss": 0.5}], [20, 0.25, {"loss": math.nan}]])
    assert log.notes == ("Left out, since it is no number: date.",)


def test_a_step_0_is_left_out_and_said():
    log = read("step,loss\n0,1\n0,2\n1,3\n", "a.csv")
    assert log.rows == [[1, None, {"loss": 3.0}]]
    assert log.notes == ("Line 2 is of step 0 and was left out: a training counts its steps from 1.",)


@pytest.mark.parametrize(
    ("name", "text"), [("a.jsonl", '{"step": 1}\n{"step": 2}\n{"st'), ("a.csv", "step,loss\n1,1\n2,1\n3")]
)
def test_a_last_line_cut_off_by_a_kill_is_left_out_and_said(name, text):
    log = read(text, name)
    assert log.steps[-1] == 2
    assert "cut off" in log.notes[0]


@pytest.mark.parametrize(
    ("text", "where", "message"),
    [
        ("", "", "is empty"),
        ("{}", "line 1", 'has no "step"'),
        ("[1]", "line 1", "must be an object"),
        ('{"step": 1}\n{"step": 2,}\n{"step": 3}\n', "line 2", "is not JSON"),
        ('{"step": 1, "step": 2}', "line 1", "step: is written more than once"),
        ('{"step": 1, "Step": 2}', "line 1", "has two keys for one: step, Step"),
        ('{"step": 1.5}', "line 1", "step must be a whole number, not 1.5"),
        ('{"step": true}', "line 1", "step must be a whole number, not True"),
        ('{"step": 2}\n{"step": 1}', "line 2", "step 1 comes after step 2"),
        ('{"step": 1, "sparsity": 48.75}', "line 1", "write fractions, such as 0.4875 for 48.75%"),
        ('{"step": 1, "sparsity": "0.5"}', "line 1", "sparsity must be a number"),
        ('{"step": 0}', "", "reports no step"),
        ('{"format": "entrenar-viz session", "version": 1}', "line 1", "is no training log"),
        ('{"format": "entrenar-viz log", "version": 2}', "line 1", "newer entrenar_viz"),
        ('{"format": "entrenar-viz log", "version": 1, "steps": 2}', "line 1", "unknown key 'steps'"),
        ('{"format": "entrenar-viz log", "version": 1, "total_steps": -2}', "line 1", "total_steps must be"),
        ('{"format": "entrenar-viz log", "version": 1, "config": []}', "line 1: config", "must be a JSON object"),
        ('{"format": "entrenar-viz log", "version": 1}\n{"step": 1, "a": "b"}', "line 2", "must be a number or null"),
    ],
)
def test_what_is_wrong_in_json_lines_is_told_with_its_line(text, where, message):
    with pytest.raises(ConfigError) as caught:
        read(text)
    assert caught.value.problems[0].where == where
    assert message in caught.value.problems[0].message
    assert str(caught.value).startswith("run.jsonl: ")


@pytest.mark.parametrize(
    ("text", "where", "message"),
    [
        ("loss,time\n1,2\n", "line 1", "one of them must be step; found 'loss, time'"),
        ("step;loss\n1;2\n", "line 1", "separated by commas"),
        ("step,loss,loss\n1,2,3\n", "line 1", "two columns are called 'loss'"),
        ("step,Step\n1,2\n", "line 1", "two columns are called 'step'"),
        ("step,loss\n1,2,3\n", "line 2", "has 3 cells, the header 2"),
        ("step,loss\n,2\n", "line 2", "step must be a whole number"),
        ("step,sparsity\n1,0.5\n2,half\n", "line 3", "sparsity must be a number"),
        ("step,sparsity\n1,0.5\n2,50\n", "line 3", "write fractions"),
        ('step,loss\n1,"2\n', "", "is no CSV"),
        ("step,loss\n", "", "reports no step"),
    ],
)
def test_what_is_wrong_in_a_csv_is_told_with_its_line(text, where, message):
    with pytest.raises(ConfigError) as caught:
        read(text, "run.csv")
    assert caught.value.problems[0].where == where
    assert message in caught.value.problems[0].message


def test_the_first_ten_problems_are_told_at_once():
    with pytest.raises(ConfigError) as caught:
        read("step\n" + "x\n" * 50, "a.csv")
    assert [problem.where for problem in caught.value.problems] == [f"line {i}" for i in range(2, 12)]


def test_too_large_a_file_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(log_rows, "MAX_ROWS", 3)
    with pytest.raises(ConfigError, match="line 4: is one more than the 3 rows"):
        read('{"step": 1}\n' * 4)
    path = tmp_path / "large.jsonl"
    with path.open("wb") as file:
        file.truncate(log_files.MAX_BYTES + 1)
    with pytest.raises(ConfigError, match="larger than 64 MiB: this is not a training log"):
        TrainingLog.load(path)


@pytest.mark.parametrize("path", ["", "nowhere.jsonl", ".", "\0.csv"])
def test_a_path_that_cannot_be_read_is_refused(path, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError):
        TrainingLog.load(path)


WHOLE = {
    "a.jsonl": a_log().to_jsonl().encode(),
    "b.jsonl": b'{"step": 10, "loss": 0.5, "time": "12"}\n{"Step": 20.0, "sparsity": 0.5, "lr": NaN}\n',
    "c.csv": b'step,sparsity,loss,date\n10,0.1,1e-3,"a, b"\n20,0.2,,x\n30,0.3,nan,\n',
}
NASTY = [b"\0", b"\xff", b'"', b"\n", b"\r", b",", b"9" * 400, b"9" * 5000, b"-", b"e9", b"null", b"[" * 2000, b"{"]
NASTY += [b"NaN", b"_", b"step", b"1e400", b"\xef\xbb\xbf", b"\xed\xa0\x80", "٣".encode(), b"0x10", b"self", b"\\ud800"]


@pytest.mark.parametrize("name", WHOLE)
def test_whatever_is_broken_in_a_file_only_our_errors_come_out(name):
    rng = random.Random(0)
    refused = 0
    for _ in range(600):
        content = bytearray(WHOLE[name])
        for _ in range(rng.choice((1, 1, 2, 3))):
            begin = rng.randrange(len(content) + 1)
            content[begin : begin + rng.choice((0, 1, 1, 5, 40))] = rng.choice(
                [*NASTY, b"", bytes([rng.randrange(256)])]
            )
        try:
            log = TrainingLog.read(bytes(content), name)
        except EntrenarVizError as error:
            refused += bool(str(error))
        else:
            read(log.to_jsonl())
    assert 100 < refused < 600
