"""A checkpoint pruned to the sparsity that its schedule ends with: written whole, beside the one it was made from."""

import itertools
import os
import shutil
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from entrenar_viz.config.pruning_config import PruningConfig
from entrenar_viz.files.atomic import whole_file, whole_folder
from entrenar_viz.masks.calibration import CalibrationSource
from entrenar_viz.masks.order import Within
from entrenar_viz.model_pruning.companions import Companions, companions
from entrenar_viz.model_pruning.destination import Destination
from entrenar_viz.model_pruning.jobs import file_jobs, nothing_pruned
from entrenar_viz.model_pruning.layer import PrunedLayer
from entrenar_viz.model_pruning.model_file import FileJob, PrunedTensor, Tell, prune_file
from entrenar_viz.model_pruning.source import Source, open_source
from entrenar_viz.model_pruning.sparsity_metadata import NAME, as_json
from entrenar_viz.plan.layer_plan import Plan
from entrenar_viz.plan.layer_targets import LayerTargets
from entrenar_viz.progress import Progress, check_progress, reporting


@dataclass(frozen=True)
class PrunedCheckpoint:
    """What ``prune_checkpoint`` has written."""

    path: Path
    """The file or folder."""
    metadata: Path
    """Its ``sparsity_metadata.json``."""
    layers: tuple[PrunedLayer, ...]
    """All prunable layers in the order of the model; those that were left whole have the reason."""
    global_sparsity: float
    """The share of zeros among all floating point numbers of the model, those that are never pruned included."""
    total_parameters: int
    """How many these are."""
    copied: tuple[str, ...]
    """The files of the folder that were copied along."""
    not_copied: dict[str, str]
    """The reason for each of the others."""


def prune_checkpoint(
    source: str | os.PathLike[str],
    config: PruningConfig,
    output: str | os.PathLike[str],
    *,
    total_steps: int | None = None,
    calibration: CalibrationSource | None = None,
    within: Within = "tensor",
    plan: Plan | None = None,
    overwrite: bool = False,
    progress: Progress[PrunedLayer] | bool | None = None,
) -> PrunedCheckpoint:
    """Write ``source``, pruned to the sparsity that ``config`` ends with, to ``output``.

    - ``source``: a .safetensors, .npz or .npy file, the folder of a checkpoint, or the index of its shards.
    - ``output``: a file where ``source`` is a file, else a folder. It is written whole or not at all, and never over
      the source. With ``overwrite`` an existing file is replaced, and an existing folder if it is a pruned checkpoint
      without a file that the new one does not have.
    - ``total_steps``, ``calibration``, ``within``, ``plan``: as in ``iter_survey``. In a plan each expert of a stack is
      a layer of its own, ``name[3]``.
    - ``progress``: called as ``progress(done, total, layer)`` after each layer; what it raises ends the run, and
      nothing is left of it. True shows a bar of tqdm.

    The masks are those of ``prune_mask`` for each layer: stacked experts one by one, kernels of Keras and Flax with
    their outputs as rows. Pruned weights are +0; every other byte of a .safetensors or .npy file is what it was, and so
    is every array of an .npz. Layers are read in bands, so that memory does not grow with the model. Layers that the
    pattern does not fit, that have no calibration data, or whose numbers are not finite are left whole with a reason.
    Beside the model comes ``sparsity_metadata.json``, as the trainer's exporter writes it; into a folder also its
    other files, such as ``config.json`` and the tokenizer's, but no other weights and no hidden files.

    WeightsError for what cannot be read, or if there is nothing to prune; EntrenarVizError if ``output`` is in or
    around the source, or the disk is too full; FileExistsError for what is there already; StepError for
    ``total_steps``; ConfigError for a ``plan`` of another model.

    >>> from importlib.resources import files
    >>> from tempfile import TemporaryDirectory
    >>> digits = files("entrenar_viz") / "models/sample_data/digits.safetensors"
    >>> with TemporaryDirectory() as folder:
    ...     pruned = prune_checkpoint(digits, PruningConfig(target_sparsity=0.75), f"{folder}/pruned.safetensors")
    >>> [(layer.layer, layer.achieved, layer.zeros) for layer in pruned.layers]
    [('fc1.weight', 0.75, 6144), ('fc2.weight', 0.75, 6144), ('fc3.weight', 0.75, 480)]
    """
    opened = open_source(source)
    check_progress(progress)
    jobs = file_jobs(opened, LayerTargets(config, plan), total_steps, calibration, within)
    along = Companions((), {}) if opened.folder is None else companions(opened.folder, opened.names)
    path = Path(output).expanduser()
    new = Destination(opened, path, opened.names | {one.name for one in along.copied} | {NAME}, overwrite)
    new.check()
    new.check_space(_bytes_needed(opened) + along.nbytes)
    with _told(jobs, progress) as tell:
        pruned = _write_file(new, jobs[0], tell) if opened.folder is None else _write_folder(new, jobs, along, tell)
    zeros, count = sum(one.zeros for one in pruned), sum(one.count for one in pruned)
    layers = _in_order(opened, pruned)
    copied = tuple(one.name for one in along.copied)
    return PrunedCheckpoint(path, new.metadata, layers, zeros / count, count, copied, along.left)


@contextmanager
def _told(jobs: Sequence[FileJob], progress: Progress[PrunedLayer] | bool | None) -> Iterator[Tell]:
    """What counts the layers and tells ``progress`` of each."""
    total, done = sum(len(tensor.layers) for job in jobs for tensor in job.tensors), itertools.count(1)
    with reporting(progress, total, "layer") as report:
        yield lambda record: report(next(done), total, record)


def _write_file(new: Destination, job: FileJob, tell: Tell) -> list[PrunedTensor]:
    with (
        whole_file(new.path, overwrite=new.overwrite) as temporary,
        whole_file(new.metadata, overwrite=new.overwrite) as metadata,  # put first: without it there is no model either
    ):
        with temporary.open("w+b") as target:
            pruned = prune_file(job, target, new.path.parent, tell)
        _check_pruned(new.source, pruned)
        metadata.write_bytes(_metadata(pruned))
    return pruned


def _write_folder(new: Destination, jobs: Sequence[FileJob], along: Companions, tell: Tell) -> list[PrunedTensor]:
    pruned: list[PrunedTensor] = []
    with whole_folder(new.path, overwrite=new.overwrite) as folder:
        for job in jobs:
            shard = folder / new.source.below(job.path)
            shard.parent.mkdir(parents=True, exist_ok=True)
            with shard.open("w+b") as target:
                pruned += prune_file(job, target, folder, tell)
        _check_pruned(new.source, pruned)
        if new.source.index is not None:
            shutil.copyfile(new.source.index, folder / new.source.index.name)
        along.copy(folder)
        (folder / NAME).write_bytes(_metadata(pruned))
        new.check()  # once more: somebody may have put a file there
    return pruned


def _metadata(pruned: Sequence[PrunedTensor]) -> bytes:
    return as_json([(one.name, one.zeros, one.count) for one in pruned])


def _check_pruned(source: Source, pruned: Sequence[PrunedTensor]) -> None:
    layers = [layer for tensor in pruned for layer in tensor.layers]
    if all(layer.is_whole for layer in layers):
        raise nothing_pruned(source, ((layer.layer, layer.reason) for layer in layers))


def _in_order(source: Source, pruned: Sequence[PrunedTensor]) -> tuple[PrunedLayer, ...]:
    """The layers in the order of the model, which its files need not be in."""
    tensors = {tensor.name: tensor.layers for tensor in pruned}
    return tuple(layer for name in source.stored for layer in tensors.get(name, ()))


def _bytes_needed(source: Source) -> int:
    """The room for the files, and of an archive for its largest member, which lies unpacked beside it for a while."""
    needed = sum(path.stat().st_size for path in source.own)
    for path in source.files:
        if path.suffix.lower() == ".npz":
            with zipfile.ZipFile(path) as archive:
                needed += max(member.file_size for member in archive.infolist())
    return needed
