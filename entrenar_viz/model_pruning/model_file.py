"""One model file copied, and the layers in the copy set to zero; all that is not pruned is the copy."""

import shutil
import tempfile
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np

from entrenar_viz.errors import WeightsError
from entrenar_viz.model_pruning.layer import LayerJob, PrunedLayer, prune_layer
from entrenar_viz.model_pruning.places import Place, npy_place, safetensors_places, zeros
from entrenar_viz.model_pruning.stored_matrix import matrix_at
from entrenar_viz.models.layout import Layout
from entrenar_viz.models.tensor_files import Stamp, blame, reading, shown, stamp_of

_CHUNK = 1 << 22  # bytes copied or looked at together


@dataclass(frozen=True, eq=False)
class TensorJob:
    """A tensor of floating point numbers and its layers: none of a bias, one of a matrix, as many as experts."""

    name: str
    shape: tuple[int, ...]
    dtype: str
    layout: Layout
    layers: Sequence[LayerJob]


@dataclass(frozen=True, eq=False)
class FileJob:
    """A file and its tensors of floating point numbers. ``stamp`` is that of the file when it was opened."""

    path: Path
    stamp: Stamp
    tensors: Sequence[TensorJob]


@dataclass(frozen=True, eq=False)
class PrunedTensor:
    """A tensor as it is in the new file: ``zeros`` of its ``count`` numbers are zero."""

    name: str
    zeros: int
    count: int
    layers: tuple[PrunedLayer, ...] = ()


Tell = Callable[[PrunedLayer], object]


def prune_file(job: FileJob, target: IO[bytes], folder: Path, tell: Tell) -> list[PrunedTensor]:
    """Write the pruned file to ``target``, telling each layer; what is unpacked on the way lies in ``folder``."""
    if job.path.suffix.lower() == ".npz":
        return list(_archive(job, target, folder, tell))
    with _unchanged(job) as source:
        shutil.copyfileobj(source, target, _CHUNK)
    if job.path.suffix.lower() == ".npy":
        return [_prune_tensor(tensor, npy_place(target), target, tell) for tensor in job.tensors]
    places = safetensors_places(target, {tensor.name: tensor.dtype for tensor in job.tensors})
    return [_prune_tensor(tensor, places[tensor.name], target, tell) for tensor in job.tensors]


@contextmanager
def _unchanged(job: FileJob) -> Iterator[IO[bytes]]:
    """The file; WeightsError if it is not, or at the end no longer, the one that was opened."""
    with reading(job.path) as file:
        yield file
        if stamp_of(job.path) != job.stamp:
            raise WeightsError(f"{job.path}: has changed since it was opened: try again once it stays as it is")


def _archive(job: FileJob, target: IO[bytes], folder: Path, tell: Tell) -> Iterator[PrunedTensor]:
    """Each member is unpacked, pruned and packed as it was before; those that hold no weights too."""
    tensors = {f"{tensor.name}.npy": tensor for tensor in job.tensors}
    with _unchanged(job) as source, zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w") as new:
        for member in old.infolist():
            with tempfile.TemporaryFile(dir=folder) as unpacked:
                with blame(f"{job.path}: {shown(member.filename)}"), old.open(member) as packed:
                    shutil.copyfileobj(packed, unpacked, _CHUNK)  # to the end, where its checksum is compared
                if member.filename in tensors:
                    yield _prune_tensor(tensors[member.filename], npy_place(unpacked), unpacked, tell)
                unpacked.seek(0)
                with new.open(_like(member), "w", force_zip64=True) as packed:
                    shutil.copyfileobj(unpacked, packed, _CHUNK)


def _like(member: zipfile.ZipInfo) -> zipfile.ZipInfo:
    same = zipfile.ZipInfo(member.filename, member.date_time)
    same.compress_type, same.external_attr, same.comment = member.compress_type, member.external_attr, member.comment
    return same


def _prune_tensor(job: TensorJob, place: Place, file: IO[bytes], tell: Tell) -> PrunedTensor:
    if place.shape != job.shape:
        raise WeightsError(f"{shown(job.name)}: has changed its shape since it was opened")
    if not job.layers:
        return PrunedTensor(job.name, _zeros(place, file), place.count)
    records = []
    for index, layer in enumerate(job.layers):
        records.append(prune_layer(layer, matrix_at(file, place, job.layout, index, layer.where)))
        tell(records[-1])
    return PrunedTensor(job.name, sum(record.zeros for record in records), place.count, tuple(records))


def _zeros(place: Place, file: IO[bytes]) -> int:
    """The zeros of a tensor that is not pruned, whatever its shape."""
    file.seek(place.offset)
    left, there = place.count, 0
    while left:
        bits = np.frombuffer(file.read(min(left * place.bits.itemsize, _CHUNK)), place.bits)
        if not bits.size:
            raise OSError("the file ends before it should")
        there += zeros(bits, place.kind)
        left -= bits.size
    return there
