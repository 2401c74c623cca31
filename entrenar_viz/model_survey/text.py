"""The records of a survey as text: a table by what the layers lose, and CSV."""

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import fields

from entrenar_viz.formatting import counted, percent, printable, size
from entrenar_viz.model_survey.layer import LayerSurvey
from entrenar_viz.plan.layer_targets import LayerTargets

_NAME = 60
_HEAD = ("layer", "shape", "format", "pruned", "energy kept", "output error", "dead rows", "columns", "dense", "sparse")


def as_csv(records: Sequence[LayerSurvey]) -> bytes:
    """A line for each layer in the order of the model, UTF-8; what is None is empty, a shape is ``2x3``.

    Names stand as they are in the model, also those that a spreadsheet would take for formulas: programs must find the
    layer again by its name. Import such a column as text.
    """
    text = io.StringIO()
    lines = csv.writer(text, lineterminator="\n")
    lines.writerow(field.name for field in fields(LayerSurvey))
    for record in records:
        values = vars(record) | {"shape": shape_text(record.shape)}
        lines.writerow("" if value is None else value for value in values.values())
    return text.getvalue().encode(errors="backslashreplace")  # half a surrogate pair is a name in JSON


def headline(model: str, targets: LayerTargets, total: int, applied: float) -> str:
    """What was surveyed: ``model``, the configuration, and what is asked at the training's last step, ``total``.

    That is the sparsity ``applied``, or a plan; the share of it if the schedule has not come to its target by then.
    """
    config, step = targets.config, f"asked at step {total:,}"
    kind = f"{type(config.schedule).__name__}, {config.pattern.type}, {config.method}"
    if targets.plan is None:
        return f"{printable(model)}: {kind}, {percent(applied)} {step}"
    share = targets.share(applied)
    asked = step if share == 1 else f"{percent(share)} of that {step}"
    return f"{printable(model)}: {kind}, by a plan ({targets.plan.words()}), {asked}"


def as_text(caption: str, records: Sequence[LayerSurvey], most: int) -> Iterator[str]:
    """The lines of a table, the layers that lose most first, with at most ``most`` layers and ``most`` reasons."""
    yield caption
    yield ""
    ranked = [record for record in records if record.kept_energy is not None and not _skipped(record)]
    ranked.sort(key=lambda record: record.kept_energy or 0.0)
    yield from aligned([_HEAD, *map(_cells, ranked[:most])] if ranked else [])
    if len(ranked) > most:
        yield f"and {len(ranked) - most:,} layers that lose less: --csv FILE has all"
    yield from once_each(
        [(record.layer, record.reason) for record in records], most, "reasons more: --csv FILE has all"
    )
    yield from once_each([(record.layer, record.note) for record in records], most, "notes more: --csv FILE has all")
    yield ""
    yield summary(records)


def once_each(said: Sequence[tuple[str, str]], most: int, rest: str) -> Iterator[str]:
    """What is to be known of layers, (layer, words), all words once with the first layer that they are said of.

    ``rest`` says what there is more of than ``most``, and where to find it.
    """
    layers: dict[str, list[str]] = {}
    for layer, words in said:
        if words:
            layers.setdefault(words, []).append(layer)
    for words, those in list(layers.items())[:most]:
        more = f" and {len(those) - 1:,} more" if len(those) > 1 else ""
        yield f"{short(those[0])}{more}: {printable(words)}"
    if len(layers) > most:
        yield f"and {len(layers) - most:,} {rest}"


def _cells(record: LayerSurvey) -> tuple[str, ...]:
    sparse = [size for size in (record.bytes_csr, record.bytes_nm, record.bytes_block) if size is not None]
    return (
        short(record.layer),
        shape_text(record.shape),
        record.dtype,
        percent(record.achieved or 0.0),
        percent(record.kept_energy or 0.0),
        "" if record.output_error is None else percent(record.output_error),
        f"{record.dead_rows:,}",
        f"{record.dead_columns:,}",
        size(record.bytes_dense),
        size(min(sparse)) if sparse else "",
    )


def aligned(lines: Sequence[Sequence[str]]) -> Iterator[str]:
    """Three columns of words to the left, the numbers to the right."""
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        words = [cell.ljust(width) for cell, width in zip(line[:3], widths[:3], strict=True)]
        numbers = [cell.rjust(width) for cell, width in zip(line[3:], widths[3:], strict=True)]
        yield "  ".join(words + numbers).rstrip()


def summary(records: Sequence[LayerSurvey]) -> str:
    """All layers together: the share that goes, and the bytes before and after."""
    known = [record for record in records if record.achieved is not None]
    weights = sum(record.weights for record in known)
    gone = sum(record.weights * (record.achieved or 0.0) for record in known)
    dense = sum(record.bytes_dense for record in records)
    sparse = sum(_least(record) for record in records)
    unknown = f", {len(records) - len(known):,} not surveyed" if len(known) < len(records) else ""
    share = f"{percent(gone / weights)} of {weights:,} weights pruned" if weights else "nothing pruned"
    sizes = f"{size(dense)} dense, {size(sparse)} where sparse is smaller"
    return f"{counted(len(records), 'layer')}{unknown}: {share}; {sizes}"


def _least(record: LayerSurvey) -> int:
    sizes = (record.bytes_dense, record.bytes_csr, record.bytes_nm, record.bytes_block)
    return min(size for size in sizes if size is not None)


def _skipped(record: LayerSurvey) -> bool:
    return record.bytes_csr is None


def shape_text(shape: tuple[int, ...]) -> str:
    """``2x3``."""
    return "x".join(map(str, shape))


def short(name: str) -> str:
    """``name`` in up to 60 printable letters, its end included."""
    name = printable(name)
    return name if len(name) <= _NAME else f"{name[: _NAME - 21]}…{name[-20:]}"
