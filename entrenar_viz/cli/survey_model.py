"""``entrenar-viz survey``: what a configuration does to each layer of a model, as a table and as CSV."""

from collections.abc import Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from entrenar_viz.analysis.updates import sparsity_in_the_end
from entrenar_viz.cli.terminal import tell_progress
from entrenar_viz.config.pruning_config import PruningConfig
from entrenar_viz.files.atomic import write_atomically
from entrenar_viz.formatting import counted
from entrenar_viz.model_pruning.layer import PrunedLayer
from entrenar_viz.model_survey.layer import LayerSurvey
from entrenar_viz.model_survey.text import as_csv, as_text, headline, short
from entrenar_viz.model_survey.whole_model import iter_survey
from entrenar_viz.plan.layer_plan import Plan
from entrenar_viz.plan.layer_targets import LayerTargets
from entrenar_viz.plan.sensitivities import LayerSensitivity

SHOWN = 40  # layers in the table; the CSV has all


def survey(
    model: str,
    config_file: str,
    *,
    steps: int | None,
    calibration: str | None,
    plan: str | None,
    workers: int,
    output: Path | None,
    overwrite: bool,
) -> int:
    """Print the layers of ``model`` by what they lose, write ``output``; 1 if no layer could be surveyed, else 0."""
    targets = LayerTargets(PruningConfig.load(config_file), None if plan is None else Plan.load(plan))
    if output is not None and output.exists() and not overwrite:
        raise FileExistsError(f"{output} exists already: --force replaces it")  # before the work, not after
    with threads(workers) as executor:
        found = iter_survey(
            model,
            targets.config,
            total_steps=steps,
            calibration=calibration,
            plan=targets.plan,
            executor=executor,
            progress=tell,
        )
        records = list(found)
    print("\n".join(as_text(caption(model, targets, steps), records, SHOWN)))
    if output is not None:
        write_atomically(output, as_csv(records), overwrite=overwrite)
        print(f"wrote {output}: {counted(len(records), 'layer')}")
    return int(all(record.achieved is None for record in records))


def caption(model: str, targets: LayerTargets, steps: int | None) -> str:
    """What was done to ``model`` by the end of a training of ``steps``, or of the schedule."""
    total = targets.config.schedule.window[1] if steps is None else steps
    return headline(model, targets, total, sparsity_in_the_end(targets.config, steps))


@contextmanager
def threads(workers: int) -> Iterator[Executor | None]:
    """Threads: numpy works without Python's lock, so that two are as quick as two processes and start at once."""
    if workers == 1:
        yield None
        return
    pool = ThreadPoolExecutor(workers)
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)


def tell(done: int, total: int, record: LayerSurvey | LayerSensitivity | PrunedLayer) -> None:
    """The layer that is done, on one line that the next one replaces."""
    tell_progress(f"{done:,} of {total:,} layers  {short(record.layer)}", last=done == total)
