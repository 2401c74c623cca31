"""Which model files a visitor of the served dashboard may open: those below one folder, and no others."""

import os
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

from numpy.typing import NDArray

from entrenar_viz.errors import WeightsError
from entrenar_viz.models.checkpoints import NO_PATH
from entrenar_viz.models.tensor_files import Stored, reason, shown
from entrenar_viz.models.weights import Tensors, load_weights


class AllowedFolder:
    """The model files below ``root``; without a root, none.

    WeightsError if ``root`` is no folder.
    """

    def __init__(self, root: str | os.PathLike[str] | None = None) -> None:
        self.root = None if root is None else Path(root).expanduser().resolve()
        if self.root is not None and not self.root.is_dir():
            raise WeightsError(f"{root}: is no folder: name one that holds model files")

    def open(self, text: str) -> Tensors:
        """The weights at a path that a visitor has written, relative to the root or absolute.

        WeightsError if it cannot be read; it and all later errors of the weights name paths below the root, and never
        where the root is. What is outside the root and what does not exist gets the same words, so
        that nobody learns from here what there is elsewhere.
        """
        path = self.resolve(text)
        try:
            tensors = load_weights(path)
        except WeightsError as error:
            raise WeightsError(self._without_root(str(error))) from None
        if not all(self._inside(Path(file).resolve()) for file in tensors.files):
            raise _nothing_there(text)  # a folder or an index below the root, with a link that leads out of it
        return tensors.changed(self._without_root(tensors.source), self._told)

    def resolve(self, text: str) -> Path:
        """The path that ``text`` means once links are followed; WeightsError unless it exists below the root."""
        if not text:
            raise WeightsError(NO_PATH)
        parts = {*PurePosixPath(text).parts, *PureWindowsPath(text).parts}
        if self.root is None or ".." in parts:
            raise _nothing_there(text)
        try:
            path = (self.root / text).resolve(strict=True)
        except (OSError, ValueError, RuntimeError):  # also for names too long, with a null, and links in a circle
            raise _nothing_there(text) from None
        if not self._inside(path):
            raise _nothing_there(text)
        return path

    def _inside(self, path: Path) -> bool:
        return self.root is not None and path.is_relative_to(self.root)

    def _told(self, stored: Stored) -> Stored:
        """``stored`` whose errors, also the ones to come, name paths below the root only."""
        part = stored.part and partial(self._read, stored.part)
        return replace(stored, file=self._without_root(stored.file), read=partial(self._read, stored.read), part=part)

    def _read(self, read: Callable[..., NDArray[Any]], *rows: int) -> NDArray[Any]:
        try:
            return read(*rows)
        except WeightsError as error:
            raise WeightsError(self._without_root(str(error))) from None
        except Exception as error:  # parsers of three formats on anyone's bytes, as where they are read
            raise ValueError(self._without_root(reason(error))) from None

    def _without_root(self, message: str) -> str:
        if self.root is None or self.root == Path(self.root.anchor):  # that of the system is no secret
            return message
        return message.replace(f"{self.root}{os.sep}", "").replace(str(self.root), ".")


def _nothing_there(text: str) -> WeightsError:
    return WeightsError(f"{shown(text)}: no model file or folder of that name can be opened here")
