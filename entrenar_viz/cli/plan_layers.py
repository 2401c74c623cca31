"""``entrenar-viz plan``: a budget shared out among the layers of a model, as a table and as a plan in a file."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from shlex import quote
from typing import Any

from entrenar_viz.cli.survey_model import SHOWN, tell, threads
from entrenar_viz.cli.terminal import check_outputs, tell_progress
from entrenar_viz.formatting import counted, percent, printable
from entrenar_viz.model_survey.text import aligned, once_each, shape_text, short
from entrenar_viz.plan.allocation import allocate
from entrenar_viz.plan.layer_plan import Plan
from entrenar_viz.plan.measuring import sensitivity
from entrenar_viz.plan.planned_layer import PlannedLayer
from entrenar_viz.plan.sensitivities import LayerSensitivity, Sensitivity

_HEAD = ("layer", "shape", "share", "weights", "sparsity", "pruned")
_KEPT, _ERROR = "energy kept", "output error"


@dataclass(frozen=True)
class Budget:
    """How much is shared out: the arguments of ``allocate`` but for the layers, the method and what it looks at."""

    sparsity: float
    fixed: Mapping[str, float]
    skip: Sequence[str]
    min_sparsity: float
    max_sparsity: float
    count_fixed: bool
    skip_embed_layers: bool


@dataclass(frozen=True)
class Written:
    """The files that are written at the end, None for none."""

    plan: Path | None
    curves: Path | None
    figure: Path | None
    theme: str
    overwrite: bool

    def check(self) -> None:
        """Raise what would be raised at the end, before the work."""
        check_outputs((self.plan, self.curves, self.figure), overwrite=self.overwrite)

    def write(self, plan: Plan, measured: Sensitivity | None) -> None:
        """Write those that were asked for, and say so."""
        if self.plan is not None:
            plan.save(self.plan, overwrite=self.overwrite)
            print(f"wrote {self.plan}: {counted(len(plan.layers), 'layer')}")
        if self.curves is not None and measured is not None:
            measured.save_csv(self.curves, overwrite=self.overwrite)
            print(f"wrote {self.curves}: what {counted(len(measured), 'layer')} lose{'s' * (len(measured) == 1)}")
        if self.figure is not None:
            from entrenar_viz.figures.saving import save_figure

            save_figure(plan.figure(theme=self.theme), self.figure, overwrite=self.overwrite)
            print(f"wrote {self.figure}")


def plan(
    model: str,
    budget: Budget,
    method: Any,
    options: Mapping[str, Any],
    *,
    calibration: str | None,
    workers: int,
    table: bool,
    written: Written,
) -> int:
    """Share out ``budget`` among the layers of ``model``, write what was asked for, and print the layers; 0.

    All layers are printed with ``table``, and the first 40 if no plan is written.
    """
    written.check()
    given: dict[str, Any] = {**vars(budget), "calibration": calibration}
    with threads(workers) as executor:
        measured = None
        if method == "sensitivity":  # once, for the plan and for the table
            allocate(model, method="uniform", **given)  # an impossible budget is refused before the work
            measured = _measure(model, budget, calibration, executor)
        found = allocate(
            model if measured is None else measured,
            method=method,
            **(given if measured is None else vars(budget)),
            executor=executor,
            progress=_tell,
            **options,
        )
        if measured is None and written.curves is not None:
            measured = _measure(model, budget, calibration, executor)
    print(f"{printable(model)}: {found.words()}")
    if budget.fixed and not budget.count_fixed:
        print(f"{percent(budget.sparsity)} was asked of the layers that are not fixed")
    if table or written.plan is None:
        print("\n".join(_as_text(found, measured, len(found.layers) if table else SHOWN)))
    written.write(found, measured)
    print("\n".join(_where_it_goes(model, written.plan)))
    return 0


def _measure(model: str, budget: Budget, calibration: str | None, executor: Any) -> Sensitivity:
    given: dict[str, Any] = {"calibration": calibration, "skip_embed_layers": budget.skip_embed_layers}
    return sensitivity(model, **given, executor=executor, progress=tell)


def _tell(done: int, total: int) -> None:
    tell_progress(f"{done:,} of {total:,} layers read", last=done == total)


def _as_text(planned: Plan, measured: Sensitivity | None, most: int) -> Iterator[str]:
    """The lines of a table with at most ``most`` layers, in the order of the model."""
    known = {layer.layer: layer for layer in measured or ()}
    more = [_KEPT] * bool(known) + [_ERROR] * any(layer.output_error is not None for layer in known.values())
    yield ""
    rows = [(*_cells(layer), *_lost(layer, known.get(layer.name), more)) for layer in planned.layers[:most]]
    yield from aligned([(*_HEAD, *more), *rows])
    if len(planned.layers) > most:
        yield f"and {counted(len(planned.layers) - most, 'layer')} more: --table has all"
    reasons = [(layer.layer, layer.reason) for layer in known.values() if not planned[layer.layer].skip]
    yield from once_each(reasons, SHOWN, "reasons more: --sensitivity FILE has all")
    yield ""


def _cells(layer: PlannedLayer) -> tuple[str, ...]:
    share = "left whole" if layer.skip else "fixed" if layer.locked else "allotted"
    pruned = ("", "") if layer.skip else (percent(layer.sparsity), f"{layer.pruned:,}")
    return short(layer.name), shape_text(layer.shape), share, f"{layer.weights:,}", *pruned


def _lost(layer: PlannedLayer, known: LayerSensitivity | None, more: Sequence[str]) -> Iterator[str]:
    """What it loses at its sparsity, a cell for each column, empty where nothing is known."""
    for column in more:
        value = None
        if known is not None and not layer.skip:
            value = known.kept_at(layer.sparsity) if column == _KEPT else known.error_at(layer.sparsity)
        yield "" if value is None else percent(value)


def _where_it_goes(model: str, file: Path | None) -> Iterator[str]:
    yield "The trainer's file has no field for a plan: there, all layers get the same. These follow it:"
    name, path = (quote(str(file)), f"Plan.load({str(file)!r})") if file else ("FILE", "Plan.load(FILE)")
    for command, what in (("survey", "what it does to each layer"), ("prune", "a pruned copy")):
        end = " -o OUT" if command == "prune" else ""
        yield printable(f"  entrenar-viz {command} {quote(model)} CONFIG{end} --plan {name}") + f"  ({what})"
    yield f"  Pruner(..., plan={printable(path)}) in a training by PyTorch"
    if file is None:
        yield "-o FILE writes the plan."
