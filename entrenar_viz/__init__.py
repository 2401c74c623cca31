"""See what a pruning schedule will really do to a network, and export the configuration that the trainer loads."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from entrenar_viz.config import NM, Block, Column, PruningConfig, Row, Unstructured, json_schema
from entrenar_viz.errors import ConfigError, EntrenarVizError, StepError, WeightsError
from entrenar_viz.schedules import Cubic, Gradual, OneShot
