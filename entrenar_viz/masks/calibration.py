"""Calibration data: for each tensor the activations that enter its layer, or their norms, from a file or arrays.

The array ``T`` is for the weight tensor T. Where it holds some of the rows only, ``T..norms`` may stand beside it: the
norms of all of them. No tensor of a model has such a name, since PyTorch allows no empty part between two dots.
"""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from numpy.typing import ArrayLike

from entrenar_viz.config.pruning_config import Method
from entrenar_viz.errors import WeightsError
from entrenar_viz.masks.activations import (
    Activations,
    checked_activations,
    columns_of,
    input_norms,
    misfit,
    no_activations,
)
from entrenar_viz.masks.scores import NEEDS_ACTIVATIONS, check_method
from entrenar_viz.models.checkpoints import open_checkpoint
from entrenar_viz.models.in_memory import in_memory
from entrenar_viz.models.tensor_files import FLOATS, Stored, blame, listed, shown
from entrenar_viz.models.weights import SAMPLES, Tensors, not_floating, sample

NORMS = "..norms"  # behind the name of a tensor: the norms of all rows, where its array has some of them
_LISTED = 3  # names in a message


class Calibration:
    """Activations or norms by the name of the weight tensor, read when asked for: ``calibration["fc1.weight"]``.

    ``source`` is the name to show, ``names`` lists the tensors, and ``skipped`` has the reason for each tensor that
    ``entrenar_viz.torch.calibrate`` found nothing for. Names are text from outside: never HTML.
    """

    def __init__(self, source: str, stored: Mapping[str, Stored], skipped: Mapping[str, str] | None = None) -> None:
        self.source = source
        self.skipped: dict[str, str] = dict(skipped or {})
        bases = (name.removesuffix(NORMS) for name in stored if name.endswith(NORMS))
        self._norms = {name: stored[name + NORMS] for name in bases if name in stored}
        companions = {name + NORMS for name in self._norms}
        self._stored = {name: one for name, one in stored.items() if name not in companions}
        self.names: list[str] = list(self._stored)
        if not self.names:
            raise WeightsError(f"{source}: holds no activations: store an array for each weight tensor, by its name")
        for name, one in self._stored.items():
            if wrong := _unusable(one) or self._wrong_norms(name):
                raise WeightsError(f"{source}: {shown(name)}: {wrong}")

    def shape(self, name: str) -> tuple[int, ...]:
        """(samples, columns) or, of norms, (columns,); WeightsError if there is nothing for that tensor."""
        return self._find(name).shape

    def check(self, weights: Tensors) -> None:
        """Compare the shapes with those of ``weights``, without reading a number of either.

        Either may have tensors that the other has not. WeightsError for the first width that does not fit its layer,
        and if not one name is the same.
        """
        shared = [name for name in self.names if name in weights]
        if not shared:
            both = f"{listed(self.names, _LISTED)} here, {listed(weights.names, _LISTED)} in {weights.source}"
            raise WeightsError(f"{self.source}: no name here is that of a weight tensor: {both}")
        for name in shared:
            given, shape = self.shape(name), weights.shape(name)
            if wrong := misfit(given, columns_of(shape)):
                swapped = "; or these weights are (in, out), as of GPT-2: turn them" if given[-1] == shape[0] else ""
                raise WeightsError(f"{self.source}: {shown(name)} of shape {list(shape)}: {wrong}{swapped}")

    def __getitem__(self, name: str) -> Activations:
        """(samples, columns) or, of norms, (columns,), float32, read now.

        WeightsError if it is not there, cannot be read, is not finite, or holds norms that are negative.
        """
        return self._read(name, self._find(name))

    def norms(self, name: str) -> Activations:
        """(columns,): the L2 norms of the columns, over all rows that were seen where these are stored, else over those
        that are. WeightsError as for ``calibration[name]``."""
        if name in self._norms:
            return self._read(name + NORMS, self._norms[name])
        return input_norms(self[name])

    def for_method(self, name: str, method: Method) -> Activations | None:
        """What ``method`` scores the tensor with: norms for ``wanda``, activations for ``sparse_gpt``, else None.

        It goes into ``activations`` of ``prune_mask`` and ``importance``, which refuse norms for ``sparse_gpt``.
        WeightsError as for ``calibration[name]``.
        """
        if method not in NEEDS_ACTIVATIONS:
            return None
        return self.norms(name) if method == "wanda" else self[name]

    def only(self, name: str) -> "Calibration":
        """The same source with that tensor alone: small enough to be sent to another process."""
        norms = {name + NORMS: self._norms[name]} if name in self._norms else {}
        return Calibration(self.source, {name: self._find(name)} | norms)

    def _read(self, name: str, stored: Stored) -> Activations:
        where = f"{self.source}: {shown(name)}"
        with blame(where):
            values = stored.read()
        activations = checked_activations(values, where).view()
        activations.flags.writeable = False  # it may be the user's own array
        return activations

    def _wrong_norms(self, name: str) -> str:
        """Why the norms beside the activations are none; empty if they are, or if there are none."""
        if name not in self._norms:
            return ""
        norms, columns = self._norms[name], self._stored[name].shape[-1:]
        if norms.shape == columns and norms.dtype in FLOATS:
            return ""
        return f"{shown(name + NORMS)} beside it must have a norm for each of its {columns[0]:,} columns"

    def _find(self, name: str) -> Stored:
        if name not in self._stored:
            raise WeightsError(
                f"{self.source}: has no activations for {shown(name)}, only for {listed(self.names, _LISTED)}"
            )
        return self._stored[name]

    def __repr__(self) -> str:
        return f"<Calibration: {self.source}, {len(self.names)} layers, {len(self.skipped)} skipped>"

    def __iter__(self) -> Iterator[str]:
        return iter(self.names)

    def __contains__(self, name: object) -> bool:
        return name in self._stored

    def __len__(self) -> int:
        return len(self.names)


CalibrationSource = Mapping[str, ArrayLike] | str | os.PathLike[str] | Calibration  # what load_calibration takes


def load_calibration(source: CalibrationSource, weights: Tensors | None = None) -> Calibration:
    """Calibration data from a dict of arrays or a path to an .npz or .safetensors file.

    Each array has the name of the weight tensor of its layer. It holds the inputs of the layer, (samples, columns), or
    the L2 norms of their columns, (columns,). Where it holds a sample of the inputs, NAME..norms may have the norms of
    all of them. ``entrenar_viz.torch.calibrate`` makes such files. Only headers are read here, and compared with
    ``weights`` where these are given. WeightsError names file, tensor and reason.

    >>> calibration = load_calibration({"fc1.weight": [[1.0, 0.0], [0.5, 2.0]], "fc2.weight": [1.5, 0.25, 3.0]})
    >>> {name: calibration.shape(name) for name in calibration}
    {'fc1.weight': (2, 2), 'fc2.weight': (3,)}
    """
    calibration = source if isinstance(source, Calibration) else _opened(source)
    if weights is not None:
        calibration.check(weights)
    return calibration


def calibration_for(method: Method, source: CalibrationSource | None, weights: Tensors) -> Calibration | None:
    """The calibration data for work on a whole model; WeightsError if the method lacks it or gives no mask."""
    if source is None and method in NEEDS_ACTIVATIONS:
        fix = "pass calibration= (--calibration FILE), the inputs of each layer as load_calibration takes them"
        raise WeightsError(f"{method} needs calibration data: {fix}; without it, only magnitude can be used")
    check_method(method, has_activations=method != "magnitude")
    return None if source is None else load_calibration(source, weights)


def nothing_for(method: Method) -> str:
    """Why ``method`` cannot score a layer that the calibration data do not know."""
    return f"{method} needs calibration data, which has nothing for this layer"


def sample_calibration(name: str) -> Calibration:
    """What enters the layers of ``sample(name)``; WeightsError for the samples that are no network, and other names.

    Of the "digits network" these are the inputs of its three layers, (128, columns), float32, on 128 of the images that
    it was trained on. ``benchmarks/train_digits.py`` makes them.

    >>> inputs = sample_calibration("digits network")
    >>> {layer: inputs.shape(layer) for layer in inputs}
    {'fc1.weight': (128, 64), 'fc2.weight': (128, 128), 'fc3.weight': (128, 64)}
    """
    if name != "digits network":
        sample(name)  # says so if there is none of that name
        raise WeightsError(f"{shown(name)} is drawn at random: nothing enters it, use {next(iter(SAMPLES))!r}")
    stored = open_checkpoint(Path(__file__).parents[1] / "models" / "sample_data" / "digits_calibration.safetensors")[1]
    return Calibration("128 training images", stored)


def _unusable(stored: Stored) -> str:
    return no_activations(stored.shape) if stored.dtype in FLOATS else not_floating(stored.dtype, "activations")


def _opened(source: Mapping[str, ArrayLike] | str | os.PathLike[str]) -> Calibration:
    if isinstance(source, Mapping):
        return Calibration("arrays", in_memory(source))
    if not isinstance(source, (str, os.PathLike)):
        raise WeightsError(f"calibration data is a path or a dict of arrays by name, not {type(source).__name__}")
    if Path(source).suffix.lower() == ".npy":
        raise WeightsError(f"{source}: .npy has no names of tensors: save an .npz, np.savez(path, **arrays_by_name)")
    return Calibration(*open_checkpoint(source))
