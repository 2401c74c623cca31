"""What the served notebook shows: an explorer with the rights of a visitor."""

import json
import os
from pathlib import Path

from entrenar_viz.config.pruning_config import PruningConfig
from entrenar_viz.explorer.explorer import Explorer
from entrenar_viz.models.allowed_folder import AllowedFolder

NOTEBOOK = Path(__file__).parent / "entrenar_viz.ipynb"  # its kernel starts in this folder
GIVEN = "ENTRENAR_VIZ_APP"  # the command tells the notebook by this variable, which no address can change


def dashboard(given: dict[str, str] | None = None) -> Explorer:
    """What a visitor sees: ``given`` has paths by ``root``, ``config``, ``weights``; else the command told them."""
    found = json.loads(os.environ.get(GIVEN, "{}")) if given is None else given
    config = PruningConfig.load(found["config"]) if "config" in found else None
    return Explorer(config, weights=found.get("weights"), allowed_folder=AllowedFolder(found.get("root")))
