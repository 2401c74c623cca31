"""Checkpoints that torch.save has written (.pt, .pth, .bin, .ckpt), read by PyTorch itself without unpickling objects.

``torch.load(weights_only=True)`` builds tensors and plain containers and refuses every other object. Files are mapped
(``mmap=True``), so that opening a large one reads next to nothing; what is read is copied out of the map at once, after
it has been seen that the file is still the same.
"""

import pickle
import re
import warnings
import zipfile
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from entrenar_viz.models.in_memory import flattened
from entrenar_viz.models.tensor_files import Again, Stored, optional, shown
from entrenar_viz.models.torch_tensors import as_numpy, is_tensor, stored_tensor

MODEL_KEYS = ("state_dict", "model_state_dict", "model", "module", "net", "params")  # where checkpoints keep a model


def read_torch(file: IO[bytes], again: Again) -> dict[str, Stored]:
    """The tensors of a checkpoint by name; those of the model come first, and others beside it are refused."""
    path = Path(file.name)
    optional("torch", "torch", f"{path}: {path.suffix}")
    checkpoint = _Checkpoint(again)
    names = checkpoint.tensors()
    model, key = _model_in(checkpoint.loaded, names)
    beside = f"not the model's, which is under {shown(key)}" if key else ""
    stored = {name: _stored(checkpoint, inside, "") for name, inside in model.items()}
    others = [name for name in names.keys() - model.values() if name not in stored]
    return stored | {name: _stored(checkpoint, name, beside) for name in sorted(others)}


class _Checkpoint:
    """The content of a file, mapped when it is first asked for. Another process maps the file for itself."""

    def __init__(self, again: Again) -> None:
        self._again = again
        self._loaded: Any = None
        self._tensors: dict[str, Any] | None = None

    def __getstate__(self) -> dict[str, Any]:
        return {"_again": self._again, "_loaded": None, "_tensors": None}

    @property
    def loaded(self) -> Any:
        """What torch.load has given."""
        self.tensors()
        return self._loaded

    def tensors(self) -> dict[str, Any]:
        """All tensors by their names, those of dicts and lists joined by dots."""
        if self._tensors is None:
            with self._again() as file:
                self._loaded = _load(file)
            found = (
                {Path(file.name).stem: self._loaded}
                if is_tensor(self._loaded)
                else flattened(self._loaded, any_key=True)
            )
            self._tensors = {name: value for name, value in found.items() if is_tensor(value)}
        return self._tensors

    def read(self, name: str, *rows: int) -> NDArray[Any]:
        """A tensor, or (start, stop) of its rows, copied out of the map."""
        with self._again():  # the file is still the same
            tensor = self.tensors()[name]
            return np.array(as_numpy(tensor[slice(*rows)] if rows else tensor))


def _load(file: IO[bytes]) -> Any:
    import torch

    mapped = zipfile.is_zipfile(file)  # the format before PyTorch 1.6 is none, and cannot be mapped
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what torch.load tells of odd files is said here in other words
        try:
            return torch.load(file.name, map_location="cpu", weights_only=True, mmap=mapped)
        except (pickle.UnpicklingError, RuntimeError) as error:
            raise ValueError(_why(str(error))) from error


def _why(message: str) -> str:
    """What torch.load says, in a line."""
    if found := re.search(r"Unsupported (?:global|class)\W+(?:GLOBAL )?([\w.]+)", message):
        return (
            f"holds a Python object beside tensors ({found[1]}), and unpickling that can run code: save the tensors "
            "alone, torch.save(model.state_dict(), path)"
        )
    if "TorchScript" in message:
        return "is a program of TorchScript: save its tensors alone, torch.save(model.state_dict(), path)"
    told = (message.partition("WeightsUnpickler error:")[2] or message).split("\n")
    return f"cannot be read by torch.load(weights_only=True): {next(filter(str.strip, told), '').strip():.200}"


def _model_in(loaded: Any, names: Mapping[str, Any]) -> tuple[dict[str, str], str]:
    """The names of the model's tensors, each with its name in the file, and the key that they are under, if any."""
    if isinstance(loaded, Mapping) and not any(is_tensor(value) for value in loaded.values()):
        for key in MODEL_KEYS:
            inside = {name.removeprefix(f"{key}."): name for name in names if name.startswith(f"{key}.")}
            if isinstance(loaded.get(key), Mapping) and inside:
                return inside, key
    return {name: name for name in names}, ""


def _stored(checkpoint: _Checkpoint, name: str, refused: str) -> Stored:
    tensor = checkpoint.tensors()[name]
    found = stored_tensor(tensor)
    why = refused or found.refused or _too_large(tensor)
    read = partial(checkpoint.read, name)
    return Stored(found.shape, found.dtype, read, refused=why, part=read)


def _too_large(tensor: Any) -> str:
    """A tensor may repeat few stored numbers without end; no checkpoint of a model does."""
    says, holds = tensor.nelement() * tensor.element_size(), tensor.untyped_storage().nbytes()
    return f"says that it has {says:,} bytes, and {holds:,} are stored" if says > holds else ""
