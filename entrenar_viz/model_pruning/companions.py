"""The files of a checkpoint's folder that are no weights: configuration and tokenizer, copied so that it loads."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from entrenar_viz.formatting import size
from entrenar_viz.model_pruning.sparsity_metadata import NAME

MAX_BYTES = 100_000_000  # of one file; the largest tokenizers have 40 MB
MAX_FILES = 200
_WEIGHTS = (
    *(".safetensors", ".npz", ".npy", ".pt", ".pth", ".bin", ".ckpt", ".pkl", ".onnx", ".onnx_data", ".h5", ".hdf5"),
    *(".keras", ".gguf", ".ggml", ".msgpack", ".tflite", ".pb", ".mlmodel"),
)


@dataclass(frozen=True)
class Companions:
    """``copied``: the files to copy, links followed. ``left``: the reason for each of the others, by its name."""

    copied: tuple[Path, ...]
    left: dict[str, str]

    @property
    def nbytes(self) -> int:
        """How much is to be copied."""
        return sum(path.stat().st_size for path in self.copied)

    def copy(self, folder: Path) -> None:
        """Copy the files into ``folder``."""
        for path in self.copied:
            shutil.copyfile(path, folder / path.name)


def companions(folder: Path, weights: set[str]) -> Companions:
    """What is in ``folder`` beside the checkpoint's own files, ``weights`` by their names."""
    copied: list[Path] = []
    left: dict[str, str] = {}
    for entry in _visible(folder):
        if entry.name in weights or entry.name == NAME:
            continue
        if reason := _reason(entry) or ("" if len(copied) < MAX_FILES else f"the first {MAX_FILES} files are enough"):
            left[entry.name] = reason
        else:
            copied.append(entry)
    return Companions(tuple(copied), left)


def _visible(folder: Path) -> Iterator[Path]:
    return (entry for entry in sorted(folder.iterdir()) if not entry.name.startswith("."))


def _reason(entry: Path) -> str:
    """Why ``entry`` is not copied; empty if it is."""
    if entry.is_dir():
        return "a folder"
    if not entry.is_file():
        return "neither a file nor a folder"
    if entry.suffix.lower() in _WEIGHTS:
        return "other weights, not part of this checkpoint"
    if entry.name.lower().endswith(".index.json"):
        return "the index of other weights"
    found = entry.stat().st_size
    return f"{size(found)}, more than {size(MAX_BYTES)}" if found > MAX_BYTES else ""
