"""See what a pruning schedule will really do to a network, and export the configuration that the trainer loads."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from entrenar_viz.advice import recommend
from entrenar_viz.config import METHODS, NM, Block, Column, PruningConfig, Row, Unstructured, json_schema
from entrenar_viz.errors import ConfigError, EntrenarVizError, StepError, WeightsError
from entrenar_viz.findings import review
from entrenar_viz.masks import prune_mask
from entrenar_viz.replay import replay
from entrenar_viz.schedules import Cubic, Gradual, OneShot
from entrenar_viz.weights import load_weights

if TYPE_CHECKING:
    from entrenar_viz.explorer import Explorer
    from entrenar_viz.figures import mask_figure, schedule_figure

__version__ = "0.1.0"
__all__ = [
    "METHODS",
    "NM",
    "Block",
    "Column",
    "ConfigError",
    "Cubic",
    "EntrenarVizError",
    "Explorer",
    "Gradual",
    "OneShot",
    "PruningConfig",
    "Row",
    "StepError",
    "Unstructured",
    "WeightsError",
    "json_schema",
    "load_weights",
    "mask_figure",
    "prune_mask",
    "recommend",
    "replay",
    "review",
    "schedule_figure",
]

_HEAVY = {  # loaded on first use: who only reads a configuration does not pay for matplotlib and a dashboard
    "Explorer": "explorer",
    "mask_figure": "figures",
    "schedule_figure": "figures",
}


def __getattr__(name: str) -> Any:
    if name not in _HEAVY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_HEAVY[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
