"""Which weights the masks are previewed on: samples, the user's arrays, and model files."""

from typing import Any

import ipywidgets as w

from entrenar_viz.config import Method, Pattern
from entrenar_viz.errors import WeightsError
from entrenar_viz.explorer.canvas import MAX_CELLS, layer_data
from entrenar_viz.weights import SAMPLES, Matrix, Tensors, load_weights, sample


class Preview:
    """The pickers for weights and layer, and what they stand for. Later sources come first in the list."""

    def __init__(self) -> None:
        self.tensors: dict[str, Tensors] = {}
        self.version = 0  # counts what was added: the same name may stand for other weights than before
        self.source = w.Dropdown(options=list(SAMPLES), tooltip="Samples, and the weights you gave")
        self.layer = w.Dropdown(tooltip="A weight matrix, viewed as (out, rest)")
        self.path = w.Text(placeholder=".safetensors .npz .npy", tooltip="A path, seen from the kernel")
        self.open = w.Button(description="Open", layout={"width": "auto"})
        self.show_layers()

    def add(self, tensors: Tensors) -> None:
        """Offer ``tensors`` and pick them."""
        self.tensors[tensors.source] = tensors
        self.version += 1
        names = [*reversed(self.tensors), *SAMPLES]
        if tuple(names) != tuple(self.source.options):
            self.source.options = names
        self.source.value = tensors.source
        self.show_layers()

    def open_path(self) -> None:
        """Read the model file of the path box; WeightsError leaves everything as it was."""
        self.add(load_weights(self.path.value.strip()))

    def show_layers(self) -> None:
        """Offer the layers of the picked source."""
        tensors = self._picked()
        options = [(f"{name}  ({' × '.join(f'{n:,}' for n in tensors.shape(name))})", name) for name in tensors.names]
        if tuple(options) != tuple(self.layer.options):
            self.layer.options = options
            self.layer.index = 0

    def matrix(self) -> Matrix:
        """The picked layer; WeightsError if it cannot be read."""
        return self._picked().matrix(self.layer.value)

    def layer_data(self, pattern: Pattern, method: Method) -> dict[str, Any]:
        """What the canvas needs of the picked layer; where there is no mask, a note says why."""
        try:
            matrix = self.matrix()
            return layer_data(matrix, pattern, self.note(matrix, method))
        except WeightsError as error:
            return {"note": f"No mask: {error}"}

    def _picked(self) -> Tensors:
        name = self.source.value
        return self.tensors[name] if name in self.tensors else load_weights(sample(name))

    def note(self, matrix: Matrix, method: Method) -> str:
        """What ``matrix`` is, and how to read its picture."""
        rows, columns = matrix.shape
        name = self.source.value
        about = f"{name}, {self.layer.value}" if name in self.tensors else f"{self.layer.value}: {SAMPLES[name]}"
        colour = "The stronger the colour, the larger the weight; pruned ones are blank."
        if max(rows, columns) > MAX_CELLS:
            colour = "Too large to show each weight: the stronger the colour, the more of a cell are kept."
        note = f"{about}. {rows:,} × {columns:,} weights. {colour}"
        if method != "magnitude":
            note += f" Previewed by magnitude: {method} needs calibration data."
        return note
