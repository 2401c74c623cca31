"""A layer that is never held as a whole: its rows pass by in bands, with what scores them and what enters them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from entrenar_viz.config.pruning_config import Method, Pattern
from entrenar_viz.errors import WeightsError
from entrenar_viz.masks.activations import Activations, columns_of
from entrenar_viz.masks.bands import band_starts
from entrenar_viz.masks.calibration import Calibration, nothing_for
from entrenar_viz.masks.scores import Scores, scorer
from entrenar_viz.models.weights import Matrix, Tensors


@dataclass(frozen=True, eq=False)
class StreamedLayer:
    """The bands of a layer, as often as they are asked for. ``grid`` is its shape as (out, rest).

    ``activations`` are what the calibration data have for it: (samples, columns), norms, or None.
    """

    grid: tuple[int, int]
    rows: Callable[[int, int], Matrix]
    parts: list[tuple[int, int]]
    score: Callable[[Scores], Scores]
    activations: Activations | None

    @classmethod
    def of(
        cls, weights: Tensors, name: str, pattern: Pattern, method: Method | None, calibration: Calibration | None
    ) -> "StreamedLayer":
        """Layer ``name`` of ``weights``; without ``method`` nothing is scored. WeightsError for what it lacks."""
        grid = grid_of(weights.shape(name))
        entering = _entering(name, method, calibration)
        score = scorer(method, grid[1], entering) if method else lambda rows: rows
        activations = entering
        if calibration is not None and (entering is None or entering.ndim == 1):
            activations = calibration[name]
        return cls(grid, weights.rows(name), band_starts(grid, pattern), score, activations)

    def bands(self) -> Iterator[tuple[int, Matrix]]:
        """(first row, the rows) from the top."""
        return ((first, self.rows(first, last)) for first, last in self.parts)

    def scored(self) -> Iterator[tuple[int, Scores]]:
        """(first row, the scores) from the top."""
        return ((first, self.score(rows)) for first, rows in self.bands())


def grid_of(shape: tuple[int, ...]) -> tuple[int, int]:
    """A shape of two or more dimensions as (out, rest)."""
    return shape[0], columns_of(shape)


def _entering(name: str, method: Method | None, calibration: Calibration | None) -> Activations | None:
    """What ``method`` scores with."""
    if method is None:
        return None
    if calibration is not None:
        return calibration.for_method(name, method)
    if method != "magnitude":
        raise WeightsError(nothing_for(method))
    return None
