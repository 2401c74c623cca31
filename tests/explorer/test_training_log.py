"""A training log in the explorer: drawn over the plan, and told in words."""

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest

from entrenar_viz import (
    NM,
    ConfigError,
    Cubic,
    EntrenarVizError,
    Explorer,
    Gradual,
    PruningConfig,
    Training,
    TrainingLog,
    replay,
)
from entrenar_viz.explorer.panels.parts import is_shown
from entrenar_viz.models.allowed_folder import AllowedFolder
from tests.explorer.hands import answer, press, put, show_tab

PLAN = PruningConfig(
    schedule=Gradual(start_step=500, end_step=2500, initial_sparsity=0.0, final_sparsity=0.6, frequency=500)
)
HUGE = Cubic(start_step=0, end_step=500_000_000, final_sparsity=0.5)
TOTAL = 4000


def a_log(plan=PLAN, total=TOTAL, most=0.45):
    log, run = TrainingLog(plan, total), replay(PLAN, TOTAL)
    for step in range(100, 3001, 100):
        log.add(step, min(run.applied_at(step), np.float32(most)), loss=1 / step, accuracy=float("nan"))
    return log


@pytest.fixture(params=["canvas", "matplotlib"])
def explorer(request):
    explorer = Explorer(PLAN, total_steps=TOTAL, view=request.param)
    yield explorer
    assert explorer.errors == []
    explorer.close()


@pytest.fixture
def live():
    explorer = Explorer(PLAN, total_steps=TOTAL)
    yield explorer
    assert explorer.errors == []
    explorer.close()


def sent(explorer):
    return explorer._parts.live.training_log


def section(explorer):
    return explorer._parts.logs


def words(explorer):
    return section(explorer).words.value.splitlines()


def upload(explorer, content, name="up.jsonl", size=None):
    item = {"name": name, "type": "", "size": size or len(content), "content": memoryview(content)}
    section(explorer).upload.value = ({**item, "last_modified": datetime.now(UTC)},)


def test_the_page_gets_what_changes_and_one_metric(live):
    live.load_log(a_log())
    assert sent(live)["steps"] == [100, 1000, 1500, 2000, 3000]
    np.testing.assert_allclose(sent(live)["sparsity"], [0, 0.15, 0.3, 0.45, 0.45], atol=1e-7)
    assert (sent(live)["metric"], sent(live)["metric_steps"][-1]) == ("loss", 3000)
    assert answer(live)["parted"] == [[2500, 3000]]
    section(live).metric.value = "accuracy"
    assert sent(live)["values"] == [None] * 30
    section(live).metric.value = ""
    assert (sent(live)["metric"], sent(live)["values"]) == ("", [])


def test_where_it_parts_follows_what_is_shown(explorer):
    explorer.load_log(a_log())
    assert words(explorer) == [
        "From step 2,500 on, 45% happened where 60% was planned.",
        "The log ends at step 3,000 of 4,000.",
    ]
    put(explorer, target=0.45)
    assert words(explorer)[0].startswith("The log was made with another configuration: ")
    show_tab(explorer, "Masks")
    put(explorer, target=0.6)
    show_tab(explorer, "Compare")
    assert words(explorer)[0] == "From step 2,500 on, 45% happened where 60% was planned."


def test_parted_stretches_come_with_every_answer(live):
    live.load_log(a_log(most=1))
    assert answer(live)["parted"] == []
    show_tab(live, "Masks")
    put(live, frequency=1000)
    assert answer(live)["parted"] == [[1000, 1400], [2000, 2400]]
    put(live, start_step=3000)
    assert answer(live)["parted"] == []
    assert live.problems


def test_the_configuration_of_the_log_can_be_shown_and_undone(explorer):
    other = replace(PLAN, target_sparsity=0.3)
    explorer.load_log(a_log(other, 5000))
    assert is_shown(section(explorer).plan)
    section(explorer).plan.click()
    assert (explorer.config, explorer.total_steps) == (other, 5000)
    assert not is_shown(section(explorer).plan)
    press(explorer, "undo")
    assert (explorer.config, explorer.total_steps) == (PLAN, TOTAL)
    assert is_shown(section(explorer).plan)


def test_the_configuration_of_a_log_that_cannot_be_shown_says_so(live):
    live.load_log(a_log(PruningConfig(schedule=replace(HUGE, end_step=2**60))))
    section(live).plan.click()
    assert "a browser cannot count that far" in section(live).status.value
    assert live.config == PLAN


def test_a_log_is_as_it_was_when_it_was_loaded(live):
    log = a_log()
    live.load_log(log)
    log.add(3500, 0.6)
    assert (len(live.log), sent(live)["steps"][-1]) == (30, 3000)
    live.load_log(log, metric="accuracy")
    assert (len(live.log), sent(live)["metric"]) == (31, "accuracy")


def test_no_log_is_drawn_after_it_was_removed(explorer):
    assert explorer.log is None
    explorer.load_log(a_log())
    section(explorer).remove.click()
    assert explorer.log is None
    assert not is_shown(section(explorer).words)
    assert answer(explorer)["parted"] == []
    if explorer._parts.live:
        assert sent(explorer) == {}
    explorer.load_log(a_log())
    explorer.load_log(None)
    assert explorer.log is None


def test_an_explorer_is_opened_with_a_log_and_its_configuration(tmp_path):
    path = a_log().save(tmp_path / "run.jsonl")
    explorer = Explorer(log=path)
    assert (explorer.config, explorer.total_steps) == (PLAN, TOTAL)
    assert section(explorer).status.value == "run.jsonl: 30 steps reported, up to step 3,000."
    assert explorer._parts.tabs.open_title == "Compare"
    explorer.close()
    other = Explorer(PruningConfig(), total_steps=9, log=a_log())
    assert (other.config, other.total_steps) == (PruningConfig(), 9)
    assert section(other).status.value.startswith("The training log: 30 steps")
    other.close()
    counted = Explorer(log=a_log(), training=Training(dataset_size=100, batch_size=10, epochs=3))
    assert (counted.config, counted.total_steps) == (PLAN, 30)
    counted.close()


def test_an_explorer_of_a_log_that_is_none_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="cannot be read"):
        Explorer(log=tmp_path / "nowhere.jsonl")


def test_a_log_whose_plan_cannot_be_replayed_is_drawn_over_the_last_one_that_can(live):
    live.load_log(a_log(PruningConfig(schedule=HUGE), 600_000_000))
    section(live).plan.click()
    assert live.problems
    assert sent(live)["steps"]


def test_a_metric_that_the_log_does_not_have_is_refused(live):
    live.load_log(a_log())
    before = sent(live)
    with pytest.raises(EntrenarVizError, match="known here: loss, accuracy"):
        live.load_log(a_log(), metric="los")
    assert sent(live) == before


def test_an_empty_log_can_be_drawn(explorer):
    explorer.load_log(TrainingLog())
    assert explorer.log is not None
    assert words(explorer) == ["The log reports no step yet."]
    assert is_shown(section(explorer).remove)


def test_a_file_is_loaded_by_its_path(live, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "run.csv").write_text("step,loss,date\n1,2,today\n2,1,today\n")
    show_tab(live, "Compare")
    assert section(live).path.options == ("run.csv",)
    section(live).path.value = " run.csv "
    section(live).read.click()
    assert section(live).status.value == (
        "run.csv: 2 steps reported, up to step 2. Left out, since it is no number: date."
    )
    assert words(live) == ["The log ends at step 2 of 4,000.", "The log tells no sparsity, only loss."]
    (tmp_path / "run.csv").write_text("step,sparsity\n1,50\n")
    section(live).read.click()
    assert "Nothing was loaded: run.csv: line 2: sparsity 50 is above 1" in section(live).status.value
    assert len(live.log) == 2


def test_enter_in_the_box_of_the_path_loads_it(live, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    a_log().save("run.jsonl")
    section(live).path.value = "run.jsonl"
    section(live).path._handle_custom_msg({"event": "submit"}, [])
    assert len(live.log) == 30


def test_a_file_is_uploaded(live):
    upload(live, a_log().to_jsonl().encode())
    assert len(live.log) == 30
    upload(live, b"{", "b.jsonl")
    assert "Nothing was loaded: b.jsonl: line 1: is not JSON" in section(live).status.value
    upload(live, b"{", "c.jsonl", size=9 << 20)
    assert section(live).status.value == "c.jsonl is larger than 8 MiB: keep every tenth row"


def test_visitors_upload_and_read_no_file_of_the_kernel(tmp_path):
    path = a_log().save(tmp_path / "run.jsonl")
    visited = Explorer(allowed_folder=AllowedFolder(tmp_path))
    section(visited).path.value = str(path)
    section(visited).read.click()
    show_tab(visited, "Compare")
    assert (visited.log, section(visited).path.options) == (None, ())
    upload(visited, path.read_bytes())
    assert len(visited.log) == 30
    assert visited.errors == []
    visited.close()


def test_saved_figures_have_the_log(explorer):
    explorer.load_log(a_log())
    labels = {line.get_label() for line in explorer.figure().axes[0].lines}
    assert {"happened", "parted", "metric loss"} <= labels
    section(explorer).metric.value = "accuracy"  # never finite
    assert "metric accuracy" not in {line.get_label() for line in explorer.figure().axes[0].lines}


def test_the_fallback_view_draws_the_log():
    explorer = Explorer(PLAN, total_steps=TOTAL, view="matplotlib")
    before = explorer._parts.picture.schedules.value
    explorer.load_log(a_log())
    drawn = explorer._parts.picture.schedules.value
    explorer.load_log(None)
    assert drawn != before == explorer._parts.picture.schedules.value
    explorer.close()


def test_a_session_does_not_keep_the_log(live, tmp_path):
    live.load_log(a_log())
    live.load_session(live.save_session(tmp_path / "session.json"))
    assert live.log is not None


def test_a_long_log_is_sent_thinned(live):
    rng, log = np.random.default_rng(0), TrainingLog()
    for step in range(1, 20_001):
        log.add(step, rng.random(), loss=99.0 if step == 777 else rng.random())
    live.load_log(log)
    assert len(sent(live)["steps"]) <= 2000
    assert len(sent(live)["values"]) <= 2000
    assert max(sent(live)["values"]) == 99


def test_an_nm_pattern_is_compared_by_its_share(live):
    live.load(replace(PLAN, pattern=NM(n=2, m=4)), TOTAL)
    live.load_log(a_log(most=1))
    assert answer(live)["parted"] == []
