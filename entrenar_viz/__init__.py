"""See what a pruning schedule will really do to a network, and export the configuration that the trainer loads."""

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from entrenar_viz.advice import recommend
    from entrenar_viz.calibration import load_calibration, sample_calibration
    from entrenar_viz.comparison import compare
    from entrenar_viz.config import METHODS, NM, Block, Column, PruningConfig, Row, Unstructured, json_schema
    from entrenar_viz.epochs import Training
    from entrenar_viz.errors import ConfigError, EntrenarVizError, StepError, WeightsError
    from entrenar_viz.explorer import Explorer
    from entrenar_viz.figures import mask_figure, patterns_figure, save_figure, schedule_figure
    from entrenar_viz.findings import review
    from entrenar_viz.layer_survey import LayerSurvey
    from entrenar_viz.presets import PRESETS, delete_preset, load_presets, save_preset
    from entrenar_viz.pruning import prune_mask
    from entrenar_viz.replay import replay
    from entrenar_viz.schedules import Cubic, Gradual, OneShot
    from entrenar_viz.scripts import as_python, as_rust
    from entrenar_viz.session import Pin, Session, load_session, save_session
    from entrenar_viz.summary import as_markdown
    from entrenar_viz.survey import iter_survey, survey
    from entrenar_viz.weights import load_weights, sample

__version__ = "0.1.0"
__all__ = [
    "METHODS",
    "NM",
    "PRESETS",
    "Block",
    "Column",
    "ConfigError",
    "Cubic",
    "EntrenarVizError",
    "Explorer",
    "Gradual",
    "LayerSurvey",
    "OneShot",
    "Pin",
    "PruningConfig",
    "Row",
    "Session",
    "StepError",
    "Training",
    "Unstructured",
    "WeightsError",
    "as_markdown",
    "as_python",
    "as_rust",
    "compare",
    "delete_preset",
    "iter_survey",
    "json_schema",
    "load_calibration",
    "load_presets",
    "load_session",
    "load_weights",
    "mask_figure",
    "patterns_figure",
    "prune_mask",
    "recommend",
    "replay",
    "review",
    "sample",
    "sample_calibration",
    "save_figure",
    "save_preset",
    "save_session",
    "schedule_figure",
    "survey",
]

_ROOMS = {  # where each name lives; a room is entered when one of its names is first used
    "advice": ("recommend",),
    "calibration": ("load_calibration", "sample_calibration"),
    "comparison": ("compare",),
    "config": ("METHODS", "NM", "Block", "Column", "PruningConfig", "Row", "Unstructured", "json_schema"),
    "epochs": ("Training",),
    "errors": ("ConfigError", "EntrenarVizError", "StepError", "WeightsError"),
    "explorer": ("Explorer",),
    "figures": ("mask_figure", "patterns_figure", "save_figure", "schedule_figure"),
    "findings": ("review",),
    "layer_survey": ("LayerSurvey",),
    "presets": ("PRESETS", "delete_preset", "load_presets", "save_preset"),
    "pruning": ("prune_mask",),
    "replay": ("replay",),
    "schedules": ("Cubic", "Gradual", "OneShot"),
    "scripts": ("as_python", "as_rust"),
    "session": ("Pin", "Session", "load_session", "save_session"),
    "summary": ("as_markdown",),
    "survey": ("iter_survey", "survey"),
    "weights": ("load_weights", "sample"),
}
_HOME = {name: room for room, names in _ROOMS.items() for name in names}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    setattr(sys.modules[__name__], name, value)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


class _Package(ModuleType):
    """Python binds a room to its name here once it is imported; ``replay`` and ``survey`` stay the public functions."""

    def __setattr__(self, name: str, value: Any) -> None:
        shared = name in ("replay", "survey") and isinstance(value, ModuleType)
        super().__setattr__(name, getattr(value, name) if shared else value)


sys.modules[__name__].__class__ = _Package
