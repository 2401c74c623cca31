"""What layers lose at each of some sparsities: the records, and what follows from them."""

import csv
import io
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from entrenar_viz.config.pruning_config import Method, Pattern, pattern_name
from entrenar_viz.errors import EntrenarVizError
from entrenar_viz.files.atomic import write_atomically
from entrenar_viz.masks.order import Within
from entrenar_viz.models.tensor_files import listed, shown
from entrenar_viz.progress import optional

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

COLUMNS = ("layer", "shape", "weights", "level", "achieved", "kept_energy", "output_error", "dead_rows", "reason")
_ON_THE_LINE = 0.02  # of the height of a curve: a knee is farther from the line between its ends


@dataclass(frozen=True)
class LayerSensitivity:
    """What one layer loses. The tuples have a number for each level, and are empty where ``reason`` says why."""

    layer: str
    """The name of the tensor: text from outside, never HTML."""
    shape: tuple[int, ...]
    kind: str
    """The class of the module, or the operation, that the tensor belongs to; empty where nothing tells."""
    weights: int
    levels: tuple[float, ...] = ()
    """The sparsities that were asked for, fractions, ascending."""
    achieved: tuple[float, ...] = field(default=(), repr=False)
    """The share of the weights that goes at each: patterns round, and N:M fixes it."""
    kept_energy: tuple[float, ...] = ()
    """The squared Frobenius norm of what is kept, as a share of the layer's; 1 for a layer of zeros."""
    output_error: tuple[float, ...] | None = field(default=None, repr=False)
    """||X (W - P)^T||^2 / ||X W^T||^2 for the pruned P and up to 256 of the activations X; None without any."""
    dead_rows: tuple[int, ...] = field(default=(), repr=False)
    """Rows, in the view as (out, rest), that lose all of their weights."""
    reason: str = ""
    """Why there are no numbers; empty if there are."""

    def kept_at(self, sparsity: float) -> float | None:
        """The energy that is kept at ``sparsity``, interpolated between the levels; None where nothing is known."""
        return None if self.reason else float(np.interp(sparsity, *self._until_all(self.kept_energy, 0.0)))

    def error_at(self, sparsity: float) -> float | None:
        """The relative error of the output at ``sparsity``, interpolated; None where nothing is known."""
        if self.output_error is None:
            return None
        return float(np.interp(sparsity, *self._until_all(self.output_error, 1.0)))

    def dead_rows_at(self, sparsity: float) -> int | None:
        """Rows that have certainly lost all weights at ``sparsity``: those of the last level below; None if unknown."""
        if self.reason:
            return None
        below = [rows for achieved, rows in zip(self.achieved, self.dead_rows, strict=True) if achieved <= sparsity]
        return below[-1] if below else 0

    @property
    def knee(self) -> float | None:
        """The level from which on a layer loses more energy with each weight than on average.

        It is the one farthest from the straight line between the ends of the curve (Satopaa et al. 2011, "Finding a
        'Kneedle' in a Haystack"). None for a curve that is such a line, or is unknown.
        """
        if len(set(self.achieved)) < 3:
            return None
        x, kept = np.array(self.achieved), np.array(self.kept_energy)
        above = kept - (kept[0] + (kept[-1] - kept[0]) * (x - x[0]) / (x[-1] - x[0]))
        place = int(above.argmax())
        return float(x[place]) if above[place] > _ON_THE_LINE else None

    def _until_all(self, values: tuple[float, ...], at_the_end: float) -> tuple[list[float], list[float]]:
        """The curve with its end, at which all weights have gone."""
        end = ([1.0], [at_the_end]) if self.achieved[-1] < 1 else ([], [])
        return [*self.achieved, *end[0]], [*values, *end[1]]


@dataclass(frozen=True, eq=False, repr=False)
class Sensitivity:
    """What each layer of a model loses at some sparsities. ``sensitivity`` measures it; ``allocate`` takes it.

    ``for layer in found`` gives the records, ``found["fc1.weight"]`` one of them.
    """

    source: str
    """The name of the model."""
    layers: tuple[LayerSensitivity, ...]
    pattern: Pattern
    method: Method
    within: Within = "tensor"
    calibration: str = ""
    """The name of the calibration data, empty without."""

    def __iter__(self) -> Iterator[LayerSensitivity]:
        return iter(self.layers)

    def __len__(self) -> int:
        return len(self.layers)

    def __contains__(self, name: object) -> bool:
        return name in self._by_name

    def __getitem__(self, name: str) -> LayerSensitivity:
        if name not in self._by_name:
            raise EntrenarVizError(f"{self.source}: no layer {shown(name)} was measured, only {listed(self.names, 3)}")
        return self._by_name[name]

    @property
    def names(self) -> list[str]:
        """The names of the layers, in the order of the model."""
        return list(self._by_name)

    @cached_property
    def _by_name(self) -> dict[str, LayerSensitivity]:
        return {layer.layer: layer for layer in self.layers}

    def frame(self) -> "pd.DataFrame":
        """A pandas DataFrame with a row for each layer and level; a layer without numbers has one row with its reason.

        EntrenarVizError if pandas is missing.
        """
        pd = optional("pandas", "a table needs pandas", "take the records: for layer in found")
        numbers = dict.fromkeys(("level", "achieved", "kept_energy", "output_error"), "float64")
        return pd.DataFrame(self._rows(), columns=COLUMNS).astype(numbers | {"weights": "Int64", "dead_rows": "Int64"})

    def to_csv(self) -> str:
        """The same as CSV: what is unknown is empty, a shape is ``2x3``, names stand as they are in the model."""
        text = io.StringIO()
        lines = csv.writer(text, lineterminator="\n")
        lines.writerow(COLUMNS)
        for layer, shape, *rest in self._rows():
            lines.writerow([layer, "x".join(map(str, shape)), *("" if one is None else one for one in rest)])
        return text.getvalue()

    def save_csv(self, path: str | os.PathLike[str], *, overwrite: bool = False) -> Path:
        """Write ``to_csv()`` to ``path`` as one atomic step, UTF-8; FileExistsError unless ``overwrite``."""
        content = self.to_csv().encode(errors="backslashreplace")  # half a surrogate pair is a name in JSON
        return write_atomically(Path(path), content, overwrite=overwrite)

    def figure(self, *, theme: str = "light") -> "Figure":
        """The curves of all layers as small multiples, as a matplotlib figure."""
        from entrenar_viz.figures.sensitivity_plot import sensitivity_figure

        return sensitivity_figure(self, theme=theme)

    def words(self) -> str:
        """How it was measured: ``unstructured, magnitude``."""
        words = f"{pattern_name(self.pattern)}, {self.method}"
        words += ", each row by itself" if self.within == "row" else ""
        return f"{words}; calibration {self.calibration}" if self.calibration else words

    def __repr__(self) -> str:
        return f"<Sensitivity: {self.source}, {len(self)} layers, {self.words()}>"

    def _rows(self) -> list[tuple[Any, ...]]:
        return [row for layer in self.layers for row in _rows_of(layer)]


def _rows_of(layer: LayerSensitivity) -> Iterator[tuple[Any, ...]]:
    known = (layer.layer, layer.shape, layer.weights)
    if layer.reason:
        yield (*known, None, None, None, None, None, layer.reason)
    for place, level in enumerate(layer.levels if not layer.reason else ()):
        error = None if layer.output_error is None else layer.output_error[place]
        yield (*known, level, layer.achieved[place], layer.kept_energy[place], error, layer.dead_rows[place], "")
