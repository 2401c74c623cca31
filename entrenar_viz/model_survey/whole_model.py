"""What a configuration does to every layer of a model: one record each, a layer at a time for each worker."""

from collections.abc import Iterator
from concurrent.futures import Executor
from contextlib import closing
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from entrenar_viz.analysis.updates import sparsity_in_the_end
from entrenar_viz.config.pruning_config import PruningConfig
from entrenar_viz.masks.calibration import CalibrationSource, calibration_for
from entrenar_viz.masks.order import Within, check_within
from entrenar_viz.model_survey.layer import LayerJob, LayerSurvey, survey_layer
from entrenar_viz.models.weights import Source, Tensors, load_weights
from entrenar_viz.plan.layer_plan import Plan
from entrenar_viz.plan.layer_targets import LayerTargets
from entrenar_viz.progress import Progress, check_progress, optional, reporting
from entrenar_viz.workers import in_order

if TYPE_CHECKING:
    import pandas as pd

_COUNTS = ("weights", "ties", "dead_rows", "dead_columns", "bytes_dense", "bytes_csr", "bytes_nm", "bytes_block")
_SHARES = ("asked", "achieved", "kept_energy", "output_error", "threshold")


def survey(
    source: Source,
    config: PruningConfig,
    *,
    total_steps: int | None = None,
    calibration: CalibrationSource | None = None,
    within: Within = "tensor",
    plan: Plan | None = None,
    executor: Executor | None = None,
    progress: Progress[LayerSurvey] | bool | None = None,
) -> "pd.DataFrame":
    """What ``config`` does to each prunable layer of ``source``, in its order: a table, a row for each layer.

    A pandas DataFrame with the fields of ``LayerSurvey`` as columns. Arguments and errors are those of ``iter_survey``,
    which gives the records one by one and does without pandas; EntrenarVizError if that is missing.
    """
    pd = _pandas()
    found = iter_survey(
        source,
        config,
        total_steps=total_steps,
        calibration=calibration,
        within=within,
        plan=plan,
        executor=executor,
        progress=progress,
    )
    records = list(found)
    frame = pd.DataFrame([asdict(record) for record in records])
    return frame.astype(dict.fromkeys(_COUNTS, "Int64") | dict.fromkeys(_SHARES, "float64"))


def iter_survey(
    source: Source,
    config: PruningConfig,
    *,
    total_steps: int | None = None,
    calibration: CalibrationSource | None = None,
    within: Within = "tensor",
    plan: Plan | None = None,
    executor: Executor | None = None,
    progress: Progress[LayerSurvey] | bool | None = None,
) -> Iterator[LayerSurvey]:
    """The record of each prunable layer of ``source``, in its order, as soon as it is there.

    - ``source``: what ``load_weights`` takes. ``calibration``: what ``load_calibration`` takes; ``wanda`` and
      ``sparse_gpt`` need it, and where it has the activations of a layer, its ``output_error`` is worked out.
    - ``total_steps``: the length of the training; without it, the schedule's own end, or pruning after the training if
      the schedule's only update is at step 0. What is asked of every layer is
      what ``replay`` says is applied by then. If that is 0, nothing is pruned, N:M included.
    - ``within``: as in ``prune_mask``.
    - ``plan``: which layer gives how much, instead of the same of each: what is asked of a layer is its sparsity in the
      plan, or the share of it that the schedule has come to by then. What the plan has nothing for is left whole.
    - ``executor``: any of concurrent.futures, or ``client.get_executor()`` of Dask. It gets paths and names, not
      weights, so all workers must see the files at the same path; arrays in memory are sent to other processes. At
      most 32 layers are handed over at a time. The records are the same whatever the executor, and it is not closed.
    - ``progress``: called as ``progress(done, total, record)`` after each layer; what it raises ends the survey. True
      shows a bar of tqdm.

    When the survey ends early, by an error or because the iterator is closed, the layers that wait are cancelled. A
    layer that cannot be read or pruned is a record with its reason. Errors are raised before the first layer:
    WeightsError for a source or calibration data that cannot be opened or do not fit each other, and for a method that
    lacks calibration data or gives no mask; StepError for ``total_steps``; ConfigError for a ``plan`` of another model.

    >>> record = next(iter_survey({"fc.weight": [[0.1, -3.0], [2.0, -4.0]]}, PruningConfig(target_sparsity=0.5)))
    >>> record.achieved, round(record.kept_energy, 4), record.bytes_dense, record.bytes_csr
    (0.5, 0.8618, 32, 36)
    """
    jobs = _jobs(load_weights(source), LayerTargets(config, plan), total_steps, calibration, within)
    check_progress(progress)
    return _surveyed(jobs, executor, progress)


def _jobs(
    weights: Tensors,
    targets: LayerTargets,
    total_steps: int | None,
    calibration: CalibrationSource | None,
    within: Within,
) -> list[LayerJob]:
    config = targets.config
    check_within(within, config.pattern)
    targets.check({name: weights.shape(name) for name in weights}, within)
    given = calibration_for(config.method, calibration, weights)
    applied = sparsity_in_the_end(config, total_steps)
    return [
        LayerJob(
            weights.only(name),
            targets.config_of(name),
            targets.asked(name, applied),
            within,
            given.only(name) if given and name in given else None,
            targets.why_whole(name, weights.kind(name)),
        )
        for name in weights
    ]


def _surveyed(
    jobs: list[LayerJob], executor: Executor | None, progress: Progress[LayerSurvey] | bool | None
) -> Iterator[LayerSurvey]:
    records = in_order(survey_layer, jobs, executor)
    with closing(records), reporting(progress, len(jobs), "layer") as report:
        for done, record in enumerate(records, 1):
            report(done, len(jobs), record)
            yield record


def _pandas() -> Any:
    return optional("pandas", "survey needs pandas", "take the records of iter_survey")
