"""Which model a folder stands for: an index, shards that need none, or the one model file in it."""

import re
from collections.abc import Iterator
from pathlib import Path

from entrenar_viz.errors import WeightsError
from entrenar_viz.models.model_files import PICKLED
from entrenar_viz.models.tensor_files import listed, shown

INDEX = "model.safetensors.index.json"
_LISTED = 5  # names of files in a message
_SHARD = re.compile(r"(.+)-(\d{5})-of-(?!0*1\.)(\d{5})(\.\w+)", re.IGNORECASE)
_USUAL = (INDEX, "pytorch_model.bin.index.json", "pytorch_model.bin")  # come before others of their sort
_NO_MODELS = re.compile(r"(training_args|optimizer|scheduler|scaler|rng_state\w*|pruner)\.(bin|pt|pth)")  # of trainers
_SORTS = (  # endings: the first ones that the folder has decide
    (".safetensors.index.json",),
    (".safetensors",),
    (".bin.index.json",),
    PICKLED,
    (".onnx",),
    (".keras", ".h5", ".hdf5"),
)


def model_in(folder: Path) -> list[Path]:
    """The file or the index in ``folder``, or the shards in their order where there is no index.

    WeightsError if it holds no model, or several, which are then named, or if a shard is missing.
    """
    names = sorted(entry.name for entry in folder.iterdir())
    found = next(filter(None, (_of_sort(names, endings) for endings in _SORTS)), [])
    models = list(_models(found))
    if not models:
        has = f"it has {listed(names, _LISTED)}" if names else "it is empty"
        raise WeightsError(f"{folder}: is a folder with neither a model file nor an index ({INDEX}): {has}")
    if len(models) > 1:
        raise WeightsError(f"{folder}: holds several models, name one: {_choices(folder, models)}")
    _check_complete(folder, models[0])
    return [folder / name for name in models[0]]


def _of_sort(names: list[str], endings: tuple[str, ...]) -> list[str]:
    found = [name for name in names if name.lower().endswith(endings) and not _NO_MODELS.fullmatch(name)]
    return next(([name] for name in _USUAL if name in found), found)


def _models(names: list[str]) -> Iterator[list[str]]:
    """The files of each model: one, or all of its shards that are there."""
    shards: dict[tuple[str, ...], list[str]] = {}
    for name in names:
        part = _SHARD.fullmatch(name)
        shards.setdefault((part[1], part[3], part[4]) if part else (name,), []).append(name)
    yield from shards.values()


def _check_complete(folder: Path, names: list[str]) -> None:
    if not (part := _SHARD.fullmatch(names[0])):
        return
    first, count, ending = part[1], part[3], part[4]
    for number in range(1, min(int(count), len(names) + 1) + 1):
        wanted = f"{first}-{number:05}-of-{count}{ending}"
        if wanted not in names:
            one = f"name {str(folder / names[0])!r} to open one shard alone"
            raise WeightsError(f"{folder}: its file {shown(wanted)} is missing, and there is no {INDEX}: {one}")
    if len(names) > int(count):
        raise WeightsError(f"{folder}: has {len(names):,} shards of {int(count):,}: {listed(names, _LISTED)}")


def _choices(folder: Path, models: list[list[str]]) -> str:
    """The models by paths that open them; shards without an index have none but that of the folder."""
    paths = [repr(str(folder / files[0])) for files in models if len(files) == 1]  # whole, so that they can be used
    more = f" and {len(paths) - _LISTED:,} more" if len(paths) > _LISTED else ""
    several = [shown(files[0]) for files in models if len(files) > 1]
    moved = f"; {', '.join(several)} and the shards after it open by the folder, once the others are elsewhere"
    return ", ".join(paths[:_LISTED]) + more + (moved if several else "")
