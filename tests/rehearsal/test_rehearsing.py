"""``rehearse``: its fields, its words, and that they are the same however it is carried out."""

from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import replace
from multiprocessing import get_context

import numpy as np
import pytest
from threadpoolctl import threadpool_info

from entrenar_viz import (
    NM,
    ConfigError,
    Cubic,
    EntrenarVizError,
    Gradual,
    OneShot,
    PruningConfig,
    Rehearsal,
    Row,
    StepError,
    rehearse,
)
from entrenar_viz.rehearsal.blas_threads import one_blas_thread
from entrenar_viz.rehearsal.rehearsing import prepare
from entrenar_viz.rehearsal.small_training import SmallTraining
from entrenar_viz.rehearsal.trials import seeds_of
from entrenar_viz.rehearsal.tried import alternatives

CUBIC = Cubic(start_step=1000, end_step=6000, final_sparsity=0.98)
CONFIG = PruningConfig(schedule=CUBIC, target_sparsity=0.98)
SHORT = {"seeds": 3, "steps": 200, "widths": (16,)}


@pytest.fixture(scope="module")
def result():
    return rehearse(CONFIG, 10_000, seeds=3, steps=600)


def test_there_is_an_outcome_for_each_schedule_and_for_dense(result):
    assert isinstance(result, Rehearsal)
    assert [one.name for one in result.outcomes] == ["OneShot", "Gradual", "Cubic"]
    assert (result.dense.name, result.dense.sparsity, result.dense.drop) == ("dense", 0.0, None)
    assert (result.seeds, result.steps, result.total_steps, result.config) == ((0, 1, 2), 600, 10_000, CONFIG)
    for one in (result.dense, *result.outcomes):
        assert one.per_seed.shape == (3,)
        assert one.curves.shape == (3, len(one.steps))
        assert 0 <= one.low <= one.accuracy <= one.high <= 1
        assert one.accuracy == one.per_seed.mean()
        np.testing.assert_array_equal(one.curves[:, -1], one.per_seed)
        assert one.steps[-1] == 10_000


def test_drops_are_taken_seed_by_seed(result):
    for one in result.outcomes:
        assert one.drop[0] == pytest.approx((result.dense.per_seed - one.per_seed).mean())
        assert one.drop[1] <= one.drop[0] <= one.drop[2]


def test_before_the_first_update_all_curves_are_one(result):
    first = [one.curves[:, one.steps < 1000] for one in (result.dense, *result.outcomes)]
    assert first[0].shape[1] > 2
    for other in first[1:]:
        np.testing.assert_array_equal(other, first[0])


def test_cubic_keeps_more_than_pruning_at_once_and_it_says_so(result):
    assert result.verdict.startswith("Cubic keeps ")
    assert "points more than OneShot (95%: " in result.verdict
    words = str(result)
    assert words.startswith(result.verdict)
    assert "64-128-64-10 network on the handwritten digits" in words
    assert "10,000 steps are rehearsed in 600: steps 1,000 to 6,000 become 60 to 360." in words
    assert f"Cubic {100 * result['Cubic'].accuracy:.1f} (95%: " in words
    assert repr(result) == f"<Rehearsal of Cubic: 0% to 98% in steps 1,000 to 6,000: {result.verdict}>"


def test_a_schedule_that_is_certainly_better_is_named(result):
    assert result.better is None
    worse = rehearse(replace(CONFIG, schedule=OneShot(step=6000)), 10_000, seeds=3, steps=600)
    assert worse.better.name == "Cubic"
    assert worse.better.config.schedule == CUBIC


def test_at_a_low_sparsity_there_is_no_difference():
    config = replace(CONFIG, schedule=replace(CUBIC, final_sparsity=0.3))
    assert "no difference at this sparsity" in rehearse(config, 10_000, **SHORT).verdict


def test_a_table_has_a_row_for_each_reading(result):
    frame = result.to_dataframe()
    assert list(frame.columns) == ["schedule", "sparsity", "seed", "step", "accuracy"]
    assert len(frame) == 4 * 3 * len(result.dense.steps)
    last = frame[(frame.schedule == "Cubic") & (frame.step == 10_000)]
    np.testing.assert_array_equal(last.accuracy, result["Cubic"].per_seed)
    with pytest.raises(EntrenarVizError, match="there are OneShot, Gradual, Cubic, dense"):
        result["Linear"]


def ends(result):
    return {one.name: one.curves.tolist() for one in (result.dense, *result.outcomes)}


def test_numbers_are_the_same_in_every_executor():
    alone = ends(rehearse(CONFIG, 10_000, **SHORT))
    with ThreadPoolExecutor(2) as threads:
        assert ends(rehearse(CONFIG, 10_000, **SHORT, executor=threads)) == alone
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as processes:
        assert ends(rehearse(CONFIG, 10_000, **SHORT, executor=processes)) == alone


def test_numbers_are_the_same_in_dask():
    distributed = pytest.importorskip("distributed")
    with (
        distributed.LocalCluster(n_workers=1, processes=False, dashboard_address=":0") as cluster,
        distributed.Client(cluster) as client,
    ):
        assert ends(rehearse(CONFIG, 10_000, **SHORT, executor=client.get_executor())) == ends(
            rehearse(CONFIG, 10_000, **SHORT)
        )


def test_progress_is_told_after_each_run_and_may_end_it():
    told = []
    rehearse(CONFIG, 100, seeds=1, steps=20, progress=lambda *record: told.append(record))
    assert [(done, total, run.name) for done, total, run in told] == [
        (number, 4, name) for number, name in enumerate(["dense", "OneShot", "Gradual", "Cubic"], 1)
    ]

    def stop(done, total, run):
        raise KeyboardInterrupt

    with ThreadPoolExecutor(1) as threads, pytest.raises(KeyboardInterrupt):
        rehearse(CONFIG, 100, seeds=1, steps=20, executor=threads, progress=stop)


def threads():
    return [one["num_threads"] for one in threadpool_info() if one["user_api"] == "blas"]


def test_blas_has_one_thread_while_something_runs_and_its_own_number_afterwards():
    before, first, second = threads(), one_blas_thread(), one_blas_thread()
    assert before
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    assert set(threads()) == {1}
    second.__exit__(None, None, None)
    assert threads() == before


def test_blas_has_one_thread_whichever_threads_begin_and_end():
    before = threads()
    with ThreadPoolExecutor(1) as a, ThreadPoolExecutor(1) as b:
        for one, other in ((a, b), (b, a)):  # a thread that has set the number once keeps nobody else from it
            first, second = one_blas_thread(), one_blas_thread()
            one.submit(first.__enter__).result()
            other.submit(second.__enter__).result()
            one.submit(first.__exit__, None, None, None).result()
            assert set(threads()) == {1}
            other.submit(second.__exit__, None, None, None).result()
            assert threads() == before
        with one_blas_thread():
            assert set(threads()) == {1}
    assert threads() == before


def test_own_data_and_widths_take_the_place_of_the_digits():
    rng = np.random.default_rng(0)
    y = np.repeat([0, 1], 40)
    found = rehearse(CONFIG, 10_000, seeds=1, steps=50, X=rng.normal(y[:, None] * 4.0, 1.0, (80, 6)), y=y, widths=[8])
    assert found.trained == "a 6-8-2 network on the data given: 60 rows to train on, 20 held out"


@pytest.mark.parametrize("method", ["wanda", "sparse_gpt"])
def test_methods_that_look_at_activations_score_by_those_of_the_batch(method):
    config = replace(CONFIG, method=method)
    assert ends(rehearse(config, 10_000, **SHORT)) != ends(rehearse(CONFIG, 10_000, **SHORT))


def test_patterns_are_those_of_the_configuration():
    halves = rehearse(replace(CONFIG, pattern=NM(n=2, m=4)), 10_000, **SHORT)
    assert [one.sparsity for one in halves.outcomes] == [0.5, 0.5, 0.5]
    rows = rehearse(replace(CONFIG, pattern=Row()), 10_000, **SHORT)
    assert list(rows.left_whole) == ["fc2.weight"]
    assert "fc2.weight is left whole: each of its rows is a class" in str(rows)


def test_a_schedule_that_ends_at_less_is_told_apart():
    short = Gradual(start_step=0, end_step=6000, initial_sparsity=0.0, final_sparsity=0.98, frequency=4000)
    found = rehearse(replace(CONFIG, schedule=short), 10_000, **SHORT)
    assert "; Gradual ends at 65.33%, not 98%" in found.verdict
    never = rehearse(PruningConfig(target_sparsity=0.9), 10_000, **SHORT)
    assert "; OneShot ends at 0%, not 90%" in never.verdict
    assert never.better is None or never.better.sparsity == 0.9


def test_the_others_have_the_window_and_the_target_of_the_configuration():
    one_shot, gradual, cubic = alternatives(CONFIG, 10_000)
    assert (one_shot, cubic) == (OneShot(step=6000), CUBIC)
    assert gradual == Gradual(start_step=1000, end_step=6000, initial_sparsity=0.0, final_sparsity=0.98, frequency=250)
    assert alternatives(replace(CONFIG, schedule=OneShot(step=0)), 1000)[2].window == (100, 600)
    assert alternatives(replace(CONFIG, schedule=OneShot(step=300)), 1000)[2].window == (0, 300)
    assert alternatives(replace(CONFIG, schedule=OneShot(step=1)), 1)[2].window == (0, 1)


def test_schedules_may_be_given():
    given = [Cubic(start_step=0, end_step=end, final_sparsity=0.9) for end in (2000, 8000)]
    found = rehearse(CONFIG, 10_000, schedules=given, **SHORT)
    assert [one.name for one in found.outcomes] == ["Cubic 1", "Cubic 2"]
    assert [one.config.schedule for one in found.outcomes] == given
    mixed = rehearse(CONFIG, 10_000, schedules=(one for one in [OneShot(step=9), *given]), seeds=1, steps=20)
    assert [one.name for one in mixed.outcomes] == ["OneShot", "Cubic 1", "Cubic 2"]


def test_seeds_are_a_number_or_a_list():
    assert (seeds_of(3), seeds_of([7, 5]), seeds_of(np.int64(2))) == ((0, 1, 2), (7, 5), (0, 1))
    found = rehearse(CONFIG, 10_000, seeds=[4], steps=20)
    assert found.seeds == (4,)
    assert np.isnan(found.dense.low)
    assert "1 seed cannot tell" in found.verdict


@pytest.mark.parametrize("seeds", [0, -1, [], [1, 1], [-3], 2.5, "ab", None])
def test_seeds_that_are_none_are_refused(seeds):
    with pytest.raises(EntrenarVizError, match="seeds"):
        rehearse(CONFIG, 100, seeds=seeds)


@pytest.mark.parametrize(
    ("total", "steps", "words"),
    [
        (0, None, "total_steps must be at least 1"),
        (1.5, None, "whole"),
        (100, 0, "steps must be at least 1"),
        (100, 0.5, "^steps must be a whole"),
    ],
)
def test_steps_that_are_none_are_refused(total, steps, words):
    with pytest.raises(StepError, match=words):
        rehearse(CONFIG, total, steps=steps)
    with pytest.raises(StepError, match="at most 10,000,000"):
        rehearse(CONFIG, 100, steps=10**8)


def test_a_configuration_without_masks_is_refused_before_anything_is_trained():
    with pytest.raises(ConfigError, match="minitron_depth"):
        rehearse(replace(CONFIG, method="minitron_depth"), 100)
    with pytest.raises(ConfigError, match="within"):
        rehearse(replace(CONFIG, pattern=Row()), 100, within="row")


def test_the_shortest_training_is_rehearsed():
    found = rehearse(replace(CONFIG, schedule=OneShot(step=1)), 1, seeds=1, steps=1)
    assert found["OneShot"].steps.tolist() == [1]


def test_all_runs_have_the_same_readings():
    jobs = prepare(CONFIG, 10_000, 2, trial=SmallTraining()).jobs
    assert len(jobs) == 8
    assert len({job.readings for job in jobs}) == 1
    assert {249, 250, 1199, 1200, 2000}.issubset(jobs[0].readings)
    assert {251, 1201}.isdisjoint(jobs[0].readings)


def test_a_window_that_scaling_has_made_too_short_tells_nothing():
    once = OneShot(step=4000)
    given = [once, replace(CUBIC, start_step=1000, end_step=5000)]
    found = rehearse(replace(CONFIG, schedule=once), 5_000_000, seeds=3, widths=(16,), schedules=given)
    assert found.squeezed == 1
    assert found.verdict.endswith(
        "; the window has 1 step of the rehearsal, too few to tell schedules apart: rehearse with more steps"
    )
    assert found.better is None
    assert rehearse(CONFIG, 10_000, **SHORT).squeezed is None
    short = replace(CONFIG, schedule=replace(CUBIC, end_step=1003))
    assert rehearse(short, 1200, seeds=1, steps=1200, widths=(4,)).squeezed is None  # it is as short as it is
