"""Where the pruned checkpoint goes: never over its source, never over what somebody would miss."""

import shutil
from dataclasses import dataclass
from pathlib import Path

from entrenar_viz.errors import EntrenarVizError, WeightsError
from entrenar_viz.formatting import size
from entrenar_viz.model_pruning.source import Source
from entrenar_viz.model_pruning.sparsity_metadata import NAME
from entrenar_viz.models.tensor_files import listed

_LISTED = 5  # names in a message


@dataclass(frozen=True, eq=False)
class Destination:
    """``path`` is a file where the source is one, else a folder, which will hold ``names``."""

    source: Source
    path: Path
    names: set[str]
    overwrite: bool

    @property
    def metadata(self) -> Path:
        """Its ``sparsity_metadata.json``."""
        return (self.path.parent if self.source.folder is None else self.path) / NAME

    def check(self) -> None:
        """FileExistsError for what is there already; EntrenarVizError if it is, holds or lies in the source."""
        if not self.path.parent.is_dir():
            raise FileNotFoundError(f"{self.path.parent} does not exist: create that folder first, or choose another")
        if self.source.folder is None and self.path.is_dir():
            example = self.path / f"pruned-{self.source.files[0].name}"
            raise IsADirectoryError(f"{self.path} is a folder: add a file name, for example {example}")
        _check_apart(self.source, self.path)
        if self.source.folder is None:
            self._check_file()
        else:
            self._check_folder()

    def check_space(self, needed: int) -> None:
        """EntrenarVizError if ``needed`` bytes are more than are free there."""
        free = shutil.disk_usage(self.path.parent).free
        if needed > free:
            short = f"takes {size(needed)}, but {size(free)} are free"
            raise EntrenarVizError(f"{self.path}: {short}: choose another place")

    def _check_file(self) -> None:
        suffix = self.source.files[0].suffix
        if self.path.suffix.lower() != suffix.lower():
            raise WeightsError(f"{self.path}: the name must end in {suffix}: the format of the model is kept")
        if self.path.exists() and not self.overwrite:
            raise _exists(self.path)
        if self.metadata.exists() and not self.overwrite:
            why = "exists already, of another model perhaps: write to a folder of its own, or replace it"
            raise FileExistsError(f"{self.metadata} {why} by overwrite=True (--force)")

    def _check_folder(self) -> None:
        if self.path.is_symlink() or (self.path.exists() and not self.path.is_dir()):
            raise FileExistsError(f"{self.path} is no folder, as the model is: choose another name")
        there = sorted(entry.name for entry in self.path.iterdir()) if self.path.exists() else []
        if there and not self.overwrite:
            raise _exists(self.path)
        if there and NAME not in there:
            why = f"has no {NAME}, so it is no pruned checkpoint"
            raise FileExistsError(f"{self.path} {why} and is not replaced: delete it yourself, or choose another name")
        if others := [name for name in there if name not in self.names]:
            what = f"holds what would be lost ({listed(others, _LISTED)})"
            raise FileExistsError(f"{self.path} {what} and is not replaced: move that, or choose another name")


def _check_apart(source: Source, output: Path) -> None:
    """Compared by what is on the disk, so that links and other spellings of a path deceive nobody."""
    for path in source.own:
        if output.exists() and output.samefile(path):
            raise EntrenarVizError(f"{output}: is the model itself, which is never overwritten: choose another name")
        if _is_below(path, output):
            raise EntrenarVizError(f"{output}: has the model in it, which is never overwritten: choose another name")
    if source.folder is not None and _is_below(output, source.folder):
        raise EntrenarVizError(f"{output}: is inside the checkpoint's own folder: choose a place beside it")


def _is_below(path: Path, folder: Path) -> bool:
    """Whether ``path`` or what it links to lies in ``folder``, or is it."""
    if not folder.is_dir():
        return False
    below = [path.resolve(), *path.resolve().parents, *path.absolute().parents]
    return any(one.exists() and one.samefile(folder) for one in below)


def _exists(path: Path) -> FileExistsError:
    return FileExistsError(f"{path} exists already: overwrite=True (--force) replaces it")
