"""A training of one's own in the place of the small one: in PyTorch, by ``Pruner``, and whatever can be wrong."""

from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from multiprocessing import get_context

import numpy as np
import pytest
import torch
from torch import nn

from entrenar_viz import Cubic, EntrenarVizError, OneShot, PruningConfig, StepError, digits, rehearse, replay, sweep
from entrenar_viz.torch import Pruner
from tests.rehearsal import trials_to_sweep
from tests.rehearsal.trials_to_sweep import known

STEPS = 30
CONFIG = PruningConfig(target_sparsity=0.9, schedule=Cubic(start_step=6, end_step=21, final_sparsity=0.9))
LOSSES = {"dense": 0.1, "OneShot": 0.5, "Gradual": 0.3, "Cubic": 0.2}


def in_torch(pruner, seed):
    """A perceptron on the digits; the accuracy as a tensor, as people have it."""
    torch.set_num_threads(1)
    data = [torch.from_numpy(array) for array in digits()]
    torch.manual_seed(seed)
    model = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    masks = Pruner(model, pruner.config, pruner.total_steps, within=pruner.within)
    for step in range(1, pruner.total_steps + 1):
        chosen = torch.randint(len(data[0]), (64,))
        nn.functional.cross_entropy(model(data[0][chosen]), data[1][chosen]).backward()
        optimizer.step()
        optimizer.zero_grad()
        masks.step()
        if step in pruner.readings:
            yield step, (model(data[2]).argmax(dim=1) == data[3]).float().mean()
    assert masks.achieved == pytest.approx(replay(pruner.config, STEPS).final_sparsity, abs=0.01)


@pytest.fixture(autouse=True, scope="module")
def threads_of_torch_as_before():
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


def tried(trial, **arguments):
    return rehearse(CONFIG, STEPS, **({"seeds": 3, "trial": trial} | arguments))


def yielding(*readings):
    return lambda pruner, seed: iter(readings)


def loss_of(pruner, seed):
    return [(STEPS, LOSSES[pruner.name] + 0.001 * seed)]


def test_a_training_of_pytorch_is_rehearsed_by_its_own_pruner():
    found = tried(in_torch)
    assert [one.name for one in found.outcomes] == ["OneShot", "Gradual", "Cubic"]
    assert [one.sparsity for one in (found.dense, *found.outcomes)] == [0, 0.9, 0.9, 0.9]
    assert found.dense.accuracy > max(0.3, found["OneShot"].accuracy)  # guessing gives 0.1
    assert found["Cubic"].steps[-1] == STEPS
    assert "your own training; 3 seeds. 30 steps, as in the training." in str(found)


def test_schedules_and_dense_begin_as_pairs_and_stay_so_until_something_is_pruned():
    found = tried(in_torch, seeds=2)
    dense, cubic = found.dense, found["Cubic"]
    early = dense.steps < 6
    assert early.sum() >= 5
    np.testing.assert_array_equal(cubic.curves[:, early], dense.curves[:, early])
    assert (cubic.curves[:, -1] != dense.curves[:, -1]).all()


def test_a_trial_runs_in_processes_and_gives_the_same():
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as executor:
        apart = rehearse(trials_to_sweep.CONFIG, trials_to_sweep.STEPS, 2, trial=known, executor=executor)
    assert apart.to_dataframe().equals(
        rehearse(trials_to_sweep.CONFIG, trials_to_sweep.STEPS, 2, trial=known).to_dataframe()
    )


def test_a_dense_trial_needs_no_case_of_its_own():
    asked = {}

    def trial(pruner, seed):
        model = nn.Linear(8, 4)
        masks = Pruner(model, pruner.config, pruner.total_steps)
        for _ in range(pruner.total_steps):
            masks.step()
        asked[pruner.name] = (masks.sparsity, int((model.weight == 0).sum()))
        yield pruner.total_steps, 0.5

    tried(trial, seeds=1)
    assert asked["dense"] == (0, 0)
    assert {name: gone for name, (_, gone) in asked.items() if name != "dense"} == dict.fromkeys(
        ("OneShot", "Gradual", "Cubic"), 28
    )


@pytest.mark.parametrize(
    ("trial", "says"),
    [
        (yielding(), "dense, seed 0: the trial yielded nothing: it must yield a step and its metric"),
        (lambda pruner, seed: None, "dense, seed 0: a trial yields .* again and again: it returned NoneType"),
        (lambda pruner, seed: 0.9, "it returned float"),
        (yielding(0.9), "dense, seed 0: a trial yields a whole step and a number, not 0.9"),
        (yielding((10, 0.9, 0.1)), r"a whole step and a number, not \(10, 0.9, 0.1\)"),
        (yielding((10.0, 0.9)), r"a whole step and a number, not \(10.0, 0.9\)"),
        (yielding((10, "0.9")), r"a whole step and a number, not \(10, '0.9'\)"),
        (yielding((10, torch.ones(2))), r"a whole step and a number, not \(10, tensor\(\[1., 1.\]\)\)"),
        (yielding((10, np.ones(2))), r"a whole step and a number, not \(10, array\(\[1., 1.\]\)\)"),
        (yielding((10, 0.9), (10, 0.9)), "steps must ascend from 1 to 30, not 10 after 10"),
        (yielding((10, 0.9), (5, 0.9)), "steps must ascend from 1 to 30, not 5 after 10"),
        (yielding((0, 0.9)), "steps must ascend from 1 to 30, not 0 after 0"),
        (yielding((31, 0.9)), "steps must ascend from 1 to 30, not 31 after 0"),
        (yielding((20, 0.9)), "the last metric is that of step 20 of 30: yield the metric at the end of the training"),
        (yielding((10, float("nan"))), "the metric at step 10 is nan: the training has diverged"),
        (yielding((10, float("inf"))), "the metric at step 10 is inf: the training has diverged"),
        (yielding((STEPS, 96.8)), "accuracy is a fraction from 0 to 1, not 96.8: divide percent by 100"),
        (5, "a trial is a function of a pruner and a seed, not int"),
        (0, "a trial is a function of a pruner and a seed, not int"),
    ],
)
def test_what_is_wrong_with_a_trial_is_said(trial, says):
    with pytest.raises(EntrenarVizError, match=says):
        tried(trial)


@pytest.mark.parametrize(
    ("steps_of", "says"),
    [
        (lambda seed: [10 + seed, STEPS], "dense: .* the same steps for every seed; seed 1 at 11, seed 0 at 10"),
        (lambda seed: [10, STEPS][seed:], "the same steps for every seed; seed 1 has 1 reading, seed 0 2"),
    ],
)
def test_other_steps_for_other_seeds_are_refused_at_the_second_run(steps_of, says):
    made = []

    def trial(pruner, seed):
        made.append(seed)
        return [(step, 0.5) for step in steps_of(seed)]

    with pytest.raises(EntrenarVizError, match=says):
        tried(trial)
    assert made == [0, 1]


def test_a_sweep_refuses_the_same_and_keeps_nothing_of_it(tmp_path):
    results = tmp_path / "results.jsonl"
    with pytest.raises(EntrenarVizError, match=r"accuracy is a fraction from 0 to 1, not 96\.8"):
        sweep(CONFIG, STEPS, seeds=1, trial=yielding((STEPS, 96.8)), results=results)
    with pytest.raises(EntrenarVizError, match="a trial is a function of a pruner and a seed, not int"):
        sweep(CONFIG, STEPS, seeds=1, trial=5, results=results)
    again = sweep(CONFIG, STEPS, seeds=1, sparsities=[0.5], trial=yielding((STEPS, 0.968)), results=results)
    assert set(again.accuracy) == {0.968}


@pytest.mark.parametrize("arguments", [{"X": np.zeros((8, 2))}, {"y": np.zeros(8)}, {"widths": (8,)}])
def test_data_and_widths_of_the_small_network_do_not_go_with_a_trial(arguments):
    with pytest.raises(EntrenarVizError, match="its own data and network: leave X, y and widths out"):
        tried(loss_of, **arguments)


def test_a_trial_is_as_long_as_its_training():
    with pytest.raises(StepError, match="set total_steps to 10 and leave steps out"):
        tried(loss_of, steps=10)


def test_a_trial_that_cannot_be_sent_to_a_process_says_where_to_define_it():
    with (
        ProcessPoolExecutor(1, mp_context=get_context("spawn")) as executor,
        pytest.raises(EntrenarVizError, match="cannot be sent to another process: define it at the top of a module"),
    ):
        tried(yielding((STEPS, 0.5)), executor=executor)


def test_what_a_trial_raises_comes_through():
    def trial(pruner, seed):
        raise MemoryError("no room")
        yield

    with pytest.raises(MemoryError, match="no room"):
        tried(trial)


def test_of_a_loss_less_is_better():
    found = tried(loss_of, metric="loss", higher_is_better=False)
    assert found.verdict == (
        "Cubic's loss is 0.1 less than Gradual's (95%: 0.1 to 0.1) and 0.3 less than OneShot's (95%: 0.3 to 0.3)"
    )
    assert found["Cubic"].words() == "Cubic 0.201 (95%: 0.1985 to 0.2035), 0.1 above dense"
    assert found.better is None
    assert list(found.to_dataframe().columns)[-1] == "loss"


def test_the_best_by_loss_is_better_than_the_schedule_asked_about():
    losses = dict(zip(LOSSES, (0.1, 0.2, 0.3, 0.5), strict=True))
    found = tried(
        lambda pruner, seed: [(STEPS, losses[pruner.name] + 0.001 * seed)], metric="loss", higher_is_better=False
    )
    assert found.better is found["OneShot"]


def test_a_better_one_is_known_among_schedules_of_a_kind_and_from_three_seeds_on():
    late = Cubic(start_step=20, end_step=29, final_sparsity=0.9)

    def trial(pruner, seed):
        return [(STEPS, 0.9 - pruner.config.schedule.window[0] / 100 + seed / 1000)]

    found = tried(trial, schedules=[late, CONFIG.schedule])
    assert (found.better, replace(found, config=replace(CONFIG, schedule=late)).better.name) == (None, "Cubic 2")
    few = tried(trial, schedules=[late, CONFIG.schedule], seeds=2)
    assert replace(few, config=replace(CONFIG, schedule=late)).better is None
    assert replace(found, config=replace(CONFIG, schedule=OneShot(step=1))).better is None


@pytest.mark.parametrize("way", [rehearse, sweep])
@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"schedules": CONFIG.schedule}, r"schedules are a list, such as \[Cubic\(.*\], even if there is one"),
        ({"schedules": "cubic"}, "schedules are a list"),
        ({"schedules": ["cubic"]}, r"schedules are such as OneShot\(step=100\), not 'cubic'"),
        ({"schedules": []}, "there is no schedule to rehearse"),
        ({"metric": "loss"}, "tells its accuracy"),
        ({"higher_is_better": False}, "tells its accuracy"),
        ({"metric": "seed", "trial": loss_of}, "metric is the name of a column, and none of schedule, "),
        ({"metric": "step", "trial": loss_of}, "metric is the name of a column"),
        ({"metric": "", "trial": loss_of}, "metric is the name of a column"),
        ({"metric": 5, "trial": loss_of}, "metric is the name of a column"),
    ],
)
def test_schedules_and_metrics_that_cannot_be_used_are_refused_in_words(way, arguments, says):
    with pytest.raises(EntrenarVizError, match=says):
        way(CONFIG, STEPS, **arguments)


def test_a_loss_with_its_graph_is_a_number():
    weight = torch.ones(1, requires_grad=True)
    found = tried(lambda pruner, seed: [(STEPS, (weight * 0.25).sum())], metric="loss", higher_is_better=False)
    assert found.dense.accuracy == 0.25
