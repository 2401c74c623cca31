"""Checkpoints by their path: a model file, a folder, or shards, with or without an index that says what is where.

The index (``model.safetensors.index.json``, ``pytorch_model.bin.index.json``, as Hugging Face writes them) maps each
tensor to the file that holds it. The header of every shard is read once, on opening, and index and headers must agree.
Numbers are read from their shard when they are asked for.
"""

import json
import os
from collections.abc import Iterable
from dataclasses import replace
from functools import partial
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

from entrenar_viz.errors import WeightsError
from entrenar_viz.models.layer_names import in_block_order
from entrenar_viz.models.model_files import PICKLED, open_model
from entrenar_viz.models.model_folder import model_in
from entrenar_viz.models.tensor_files import Stored, blame, reading, shown

NO_PATH = "the path is empty: name a model file, or the folder of one"
MAX_INDEX = 100_000_000  # bytes; safetensors allows a header as many
_OF_SHARDS = (".safetensors", *PICKLED)

Shards = dict[str, dict[str, Stored]]  # tensors by name, by the name of their shard


def open_checkpoint(given: str | os.PathLike[str]) -> tuple[str, dict[str, Stored]]:
    """The path to show, and the tensors there by name, as they are stored, block by block; only headers are read.

    WeightsError, with the file and where there is one the tensor, for whatever is wrong.
    """
    path, stored = _opened(given)
    return path, {name: stored[name] for name in in_block_order(stored)}


def _opened(given: str | os.PathLike[str]) -> tuple[str, dict[str, Stored]]:
    if not os.fspath(given):
        raise WeightsError(NO_PATH)
    with blame(str(given)):
        path = Path(given).expanduser()
    with blame(str(path)):
        files = model_in(path) if path.is_dir() else [path]
        if len(files) > 1:
            return str(path), _without_index(path, files)
        is_index = files[0].name.lower().endswith(".index.json")
        return str(files[0]), _sharded(files[0]) if is_index else open_model(files[0])


def _without_index(folder: Path, files: Iterable[Path]) -> dict[str, Stored]:
    """The tensors of all shards, in the order of the shards."""
    shards = {path.name: _shard(path) for path in files}
    _check_once(folder, shards)
    return {name: stored for shard in shards.values() for name, stored in shard.items()}


def _sharded(index: Path) -> dict[str, Stored]:
    """The tensors in the order of the index, then those that shards hold without its knowledge, which are refused."""
    places = _places(index)
    shards = _headers(index, places)
    _check_once(index, shards)
    named = {name: _placed(index, name, shards, shard) for name, shard in places.items()}
    held = {name: stored for shard in shards.values() for name, stored in shard.items() if name not in named}
    return named | {name: replace(stored, refused="the index does not name it") for name, stored in held.items()}


def _placed(index: Path, name: str, shards: Shards, shard: str) -> Stored:
    if name in shards[shard]:
        return shards[shard][name]
    elsewhere = [f", but {shown(other)} does" for other, tensors in shards.items() if name in tensors]
    raise WeightsError(f"{index.parent / shard}: {shown(name)}: the file does not hold it{''.join(elsewhere)}")


def _headers(index: Path, places: dict[str, str]) -> Shards:
    shards: Shards = {}
    for name, shard in places.items():
        if shard not in shards:
            with blame(f"{index}: {shown(name)}"):
                shards[shard] = _shard(index.parent / shard)
    return shards


def _shard(path: Path) -> dict[str, Stored]:
    if not path.exists():
        raise ValueError(f"its file {shown(path.name)} is missing")
    return {name: replace(stored, file=str(path)) for name, stored in open_model(path).items()}


def _check_once(index: Path, shards: Shards) -> None:
    """Refuse a tensor that two shards hold: which of them counts would be a guess."""
    home: dict[str, str] = {}
    for shard, tensors in shards.items():
        for name in tensors:
            if home.setdefault(name, shard) != shard:
                raise WeightsError(f"{index}: {shown(name)}: is in two files, {shown(home[name])} and {shown(shard)}")


def _places(index: Path) -> dict[str, str]:
    """Each tensor's shard, by the index."""
    content = _parsed(index)
    places = content.get("weight_map") if isinstance(content, dict) else None
    if not isinstance(places, dict) or not places:
        raise WeightsError(f"{index}: is no index of shards: it has no weight_map with tensors and their files")
    return {name: _inside(index, name, shard) for name, shard in places.items()}


def _parsed(index: Path) -> Any:
    with reading(index) as file:
        text = file.read(MAX_INDEX + 1)
    if len(text) > MAX_INDEX:
        raise WeightsError(f"{index}: has more than {MAX_INDEX:,} bytes, which no index of shards has")
    try:
        return json.loads(text, object_pairs_hook=partial(_object, index))
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise WeightsError(f"{index}: is no JSON: {error}") from error


def _object(index: Path, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:  # a parser keeps the last one without a word
            raise WeightsError(f"{index}: names {shown(key)} twice")
        found[key] = value
    return found


def _inside(index: Path, name: str, shard: object) -> str:
    """The name of the shard, relative to the folder of the index and below it.

    Only the name is looked at, on any system by the rules of both: links are followed, since the cache of Hugging Face
    keeps the files of a checkpoint as links to another folder.
    """
    where = f"{index}: {shown(name)}"
    if not isinstance(shard, str) or not shard.lower().endswith(_OF_SHARDS):
        raise WeightsError(f"{where}: its file {shown(shard)} is no .safetensors or .bin file")
    if any(path.anchor or ".." in path.parts for path in (PurePosixPath(shard), PureWindowsPath(shard))):
        raise WeightsError(f"{where}: its file {shown(shard)} is outside the folder of the index")
    return str(PurePosixPath(shard))
