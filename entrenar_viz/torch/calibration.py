"""From a model to calibration data: what enters each of its layers while it works on some batches."""

import os
from collections.abc import Callable, Iterable, Mapping, Sized
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from entrenar_viz.errors import WeightsError
from entrenar_viz.files.atomic import check_place, whole_file
from entrenar_viz.masks.calibration import NORMS, Calibration
from entrenar_viz.models.checkpoints import open_checkpoint
from entrenar_viz.models.in_memory import in_memory
from entrenar_viz.models.tensor_files import first_reasons, shown
from entrenar_viz.models.torch_tensors import unwrapped
from entrenar_viz.progress import reporting
from entrenar_viz.torch.collector import Collector
from entrenar_viz.torch.observed import layers_to_watch, undisturbed, watching

Forward = Callable[[nn.Module, Any], object]
Progress = Callable[[int, int | None], object]
ROWS = 1024  # of each layer, that are kept


def calibrate(
    model: nn.Module,
    batches: Iterable[Any],
    path: str | os.PathLike[str] | None = None,
    *,
    rows: int = ROWS,
    seed: int = 0,
    forward: Forward | None = None,
    skip_embed_layers: bool = True,
    overwrite: bool = False,
    progress: Progress | bool | None = None,
) -> Calibration:
    """Run ``model`` on ``batches`` and keep what enters each of its layers, for ``wanda`` and ``sparse_gpt``.

    By the name of each weight tensor there are up to ``rows`` activations, (samples, columns), drawn from all rows of
    all batches with equal chances, and ``norms``: the L2 norms of the columns over all rows. With ``rows=0`` there are
    norms only, which is all that ``wanda`` needs. With a ``path`` (.safetensors), everything is written there, for
    ``load_calibration``, ``Explorer``, ``survey`` and ``Pruner``; the file is written whole or not at all.

    - ``batches``: tensors, tuples or lists whose first item is the input, or dicts of keyword arguments. They are moved
      to the device of the model. With ``forward``, called as ``forward(model, batch)``, they are whatever that takes.
    - ``seed``: the same seed and rows of data keep the same rows, however these are cut into batches.
    - ``skip_embed_layers``: leave out embeddings and output heads, as the configuration does by default.
    - ``progress``: called as ``progress(done, total)`` after each batch, total None if ``batches`` has no length; what
      it raises ends the work. True shows a bar of tqdm.

    Linear layers, ``Conv1D`` of transformers, and convolutions that are not grouped, whose rows are their unfolded
    patches. ``skipped`` of the result has the reason for each other tensor of two or more dimensions. Norms are summed
    in float64 and rounded to float32 once. The model runs in evaluation mode, without gradients, uncompiled; modes,
    hooks and states of randomness are put back at the end, also of a failure.

    WeightsError if no batch comes, if a value is not finite (which layer, which batch), and if there is nothing to
    keep; FileExistsError if the file is there already, before the work, unless ``overwrite`` is set.

    >>> _ = torch.manual_seed(0)
    >>> model = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 2))
    >>> data = calibrate(model, [torch.randn(100, 4), torch.randn(100, 4)], rows=16)
    >>> {name: (data[name].shape, data.norms(name).shape) for name in data}
    {'0.weight': ((16, 4), (4,)), '2.weight': ((16, 8), (8,))}
    """
    place = None if path is None else _place(path, overwrite=overwrite)
    if not isinstance(rows, int) or rows < 0:
        raise WeightsError(f"rows is how many activations are kept of each layer, 0 or more, not {rows!r:.40}")
    _check_batches(batches)
    plain = unwrapped(model)
    watched, skipped = layers_to_watch(plain, skip_embed_layers=skip_embed_layers)
    collectors = {name: Collector(rows, seed) for name in watched}
    if watched:
        total = len(batches) if isinstance(batches, Sized) else None
        told = reporting(progress, total, "batch", "done, total")
        with undisturbed(plain), watching(watched, collectors), told as report:
            _run(plain, batches, forward or _forward, collectors, lambda done: report(done, total))
    skipped |= {name: _NEVER for name, collector in collectors.items() if not collector.count}
    return _kept({name: one for name, one in collectors.items() if one.count}, skipped, place, overwrite=overwrite)


_NEVER = "its layer was never called by these batches, or what has it computes with the weights by itself"


def _run(
    model: nn.Module,
    batches: Iterable[Any],
    forward: Forward,
    collectors: Mapping[str, Collector],
    report: Callable[[int], object],
) -> None:
    done = 0
    for batch in batches:
        forward(model, batch)
        for name, collector in collectors.items():
            if collector.broken:
                raise WeightsError(f"{shown(name)}: what enters its layer in batches[{done}]: {collector.broken}")
        done += 1
        report(done)
    if not done:
        raise WeightsError("no batch came: batches is empty, or an iterator that is used up already")


def _forward(model: nn.Module, batch: Any) -> None:
    """Call the model as most are called."""
    device = next((parameter.device for parameter in model.parameters()), torch.device("cpu"))
    if isinstance(batch, Mapping):
        model(**{name: _moved(value, device) for name, value in batch.items()})
        return
    given = batch[0] if isinstance(batch, (tuple, list)) and batch else batch
    if not isinstance(given, Tensor):
        kind = f"{type(batch).__name__} that starts with {type(given).__name__}" if given is not batch else type(batch)
        fix = "pass forward=lambda model, batch: ..., which calls the model"
        raise WeightsError(f"a batch is a tensor, a tuple or list that starts with one, or a dict, not {kind}: {fix}")
    model(_moved(given, device))


def _moved(value: Any, device: torch.device) -> Any:
    return value.to(device, non_blocking=True) if isinstance(value, Tensor) else value


def _kept(
    collectors: Mapping[str, Collector], skipped: dict[str, str], place: Path | None, *, overwrite: bool
) -> Calibration:
    if not collectors:
        why = first_reasons(skipped)
        raise WeightsError(f"nothing entered a layer that can be pruned ({why or 'the model has no weights'})")
    tensors: dict[str, Tensor] = {}
    for name, collector in collectors.items():
        norms, rows = torch.from_numpy(collector.norms(shown(name))), collector.reservoir.rows()
        tensors |= {name: rows, name + NORMS: norms} if len(rows) else {name: norms}
    if place is None:
        return Calibration("calibration", in_memory(tensors), skipped)
    with whole_file(place, overwrite=overwrite) as temporary:
        save_file(tensors, temporary)
    return Calibration(*open_checkpoint(place), skipped)


def _place(path: str | os.PathLike[str], *, overwrite: bool) -> Path:
    place = Path(path)
    if place.suffix.lower() != ".safetensors":
        raise WeightsError(f"{place}: calibration data is written as .safetensors: let the name end so")
    check_place(place, overwrite=overwrite)
    return place


def _check_batches(batches: object) -> None:
    if isinstance(batches, (Tensor, Mapping, str)) or not isinstance(batches, Iterable):
        kind = type(batches).__name__
        raise WeightsError(f"batches is a list or a loader of batches, not one {kind}: pass [batch]")
