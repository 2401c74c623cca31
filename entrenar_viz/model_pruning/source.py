"""The checkpoint to prune: its files, and what of it can be written again."""

import os
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from entrenar_viz.errors import WeightsError
from entrenar_viz.models.checkpoints import open_checkpoint
from entrenar_viz.models.matrices import matrices
from entrenar_viz.models.model_files import PICKLED
from entrenar_viz.models.tensor_files import Stored, blame
from entrenar_viz.models.weights import Tensors

WRITTEN = (".safetensors", ".npz", ".npy")


@dataclass(frozen=True, eq=False)
class Source:
    """A model file, or a checkpoint in a folder. ``stored`` are its tensors as they lie in it, ``tensors`` as matrices.

    ``files`` are those with weights, ``index`` the one that says what is where. ``folder`` is the folder that all of
    them are in, None where a file was named by itself.
    """

    stored: dict[str, Stored]
    tensors: Tensors
    files: tuple[Path, ...]
    index: Path | None
    folder: Path | None

    def file_of(self, name: str) -> Path:
        """The file that holds the tensor."""
        return Path(self.stored[name].file or self.tensors.source)

    @property
    def own(self) -> tuple[Path, ...]:
        """The files of the checkpoint itself: those with weights, and the index."""
        return self.files if self.index is None else (*self.files, self.index)

    @cached_property
    def layers(self) -> frozenset[str]:
        """The names of what can be pruned."""
        return frozenset(self.tensors.names)

    @property
    def names(self) -> set[str]:
        """What the folder of ``own`` calls them; of a file further below, the folder in it."""
        return {path.name if self.folder is None else self.below(path).parts[0] for path in self.own}

    def below(self, path: Path) -> Path:
        """``path``, one of ``own``, relative to the folder."""
        return path.relative_to(self.folder or path.parent)


def open_source(given: str | os.PathLike[str]) -> Source:
    """Open a model for pruning; only headers are read. WeightsError for what cannot be read or not be written."""
    if not isinstance(given, (str, os.PathLike)):
        raise WeightsError(f"the model to prune is a path, not {type(given).__name__}: prune_mask takes arrays")
    path = Path(given).expanduser()
    is_index = path.name.lower().endswith(".index.json")
    if path.is_file() and not is_index:
        _check_format(path)
    shown, stored = open_checkpoint(given)
    with blame(shown):
        tensors = Tensors(shown, matrices(stored))
    opened = Path(shown)
    files = tuple(dict.fromkeys(Path(one.file or shown) for one in stored.values()))
    for file in files:
        _check_format(file)
    index = opened if opened.is_file() and opened.name.lower().endswith(".index.json") else None
    folder = None if path.is_file() and not is_index else path.parent if is_index else path
    return Source(stored, tensors, files, index, folder)


def _check_format(path: Path) -> None:
    suffix = path.suffix.lower()
    if suffix in WRITTEN:
        return
    save = "safetensors.numpy.save_file({name: array, ...}, path)"
    if suffix in PICKLED:
        save = "safetensors.torch.save_file(torch.load(path, weights_only=True), new_path)"
    only = f"only {', '.join(WRITTEN)} can be written again"
    raise WeightsError(f"{path}: {suffix or 'this file'} is not pruned: {only}. Save its weights first: {save}")
