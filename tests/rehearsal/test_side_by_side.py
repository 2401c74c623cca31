"""The runs of a rehearsal made together, a reading of each in turn."""

from dataclasses import replace
from itertools import groupby

from entrenar_viz import Cubic, Gradual, OneShot, PruningConfig
from entrenar_viz.rehearsal.blas_threads import _runs
from entrenar_viz.rehearsal.rehearsing import prepare
from entrenar_viz.rehearsal.runs import make_run
from entrenar_viz.rehearsal.small_training import SmallTraining

GRADUAL = Gradual(start_step=100, end_step=600, initial_sparsity=0.0, final_sparsity=0.9, frequency=100)
SCHEDULES = [OneShot(step=600), GRADUAL, Cubic(start_step=100, end_step=600, final_sparsity=0.9)]
CONFIG = PruningConfig(target_sparsity=0.9, schedule=GRADUAL)


def prepared(trial=None, config=CONFIG):
    return prepare(config, 1000, 2, steps=100, schedules=SCHEDULES, trial=trial or SmallTraining(None, (8,)))


def test_all_runs_grow_together_and_are_those_that_are_made_one_after_the_other():
    rehearsal = prepared()
    readings = list(rehearsal.side_by_side())
    of_steps = [(step, [number for number, *_ in of]) for step, of in groupby(readings, key=lambda one: one[1])]
    assert of_steps == [(step, list(range(8))) for step in rehearsal.jobs[0].readings]
    assert rehearsal.runs_of(readings) == [make_run(job) for job in rehearsal.jobs]


def test_one_thread_multiplies_until_it_is_left():
    running = prepared().side_by_side()
    next(running)
    assert len(_runs) == 1
    running.close()
    assert _runs == []


def test_a_trial_may_read_more_often_than_the_others():
    def trial(pruner, seed):
        every = 500 if seed else 250
        yield from ((step, 0.5) for step in range(every, 1001, every))

    rehearsal = prepare(CONFIG, 1000, 2, schedules=SCHEDULES[:1], trial=trial)
    runs = rehearsal.runs_of(rehearsal.side_by_side())
    assert [run.steps for run in runs] == 2 * [(250, 500, 750, 1000), (500, 1000)]
    assert runs == [make_run(job) for job in rehearsal.jobs]


def test_runs_can_be_asked_of_by_another_of_their_schedules():
    rehearsal = prepared()
    runs = rehearsal.runs_of(rehearsal.side_by_side())
    other = rehearsal.asked_of(replace(CONFIG, schedule=SCHEDULES[2])).result(runs)
    assert other.config.schedule == SCHEDULES[2]
    assert other.scaling == "1,000 steps are rehearsed in 100: steps 100 to 600 become 10 to 60"
    assert other.verdict == rehearsal.result(runs).verdict
