"""``entrenar-viz app``: the dashboard alone, served to visitors; and what the notebook that is served shows."""

import json
import os
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from entrenar_viz.config import PruningConfig

if TYPE_CHECKING:
    from entrenar_viz.explorer import Explorer

NOTEBOOK = Path(__file__).parents[1] / "served" / "entrenar_viz.ipynb"  # its kernel starts in this folder
GIVEN = "ENTRENAR_VIZ_APP"  # the command tells the notebook by this variable, which no address can change


def app(given: dict[str, str | None], for_voila: Sequence[str], *, port: int, theme: str, open_browser: bool) -> int:
    """Serve the dashboard until interrupted; ``given`` has the paths ``root``, ``config`` and ``weights``, or None."""
    if find_spec("voila") is None:
        print('entrenar-viz: Voila is not installed here: pip install "entrenar-viz[app]"', file=sys.stderr)
        return 2
    found = {name: str(Path(path).expanduser().absolute()) for name, path in given.items() if path is not None}
    dashboard(found).close()  # what cannot be read is said here, not to the first visitor
    os.environ[GIVEN] = json.dumps(found)
    from entrenar_viz.cli.server import serve

    serve(NOTEBOOK, for_voila, port=port, theme=theme, open_browser=open_browser)
    return 0


def dashboard(given: dict[str, str] | None = None) -> "Explorer":
    """What a visitor sees: ``given`` as in ``app``, by default what the command has told."""
    from entrenar_viz.explorer import Explorer
    from entrenar_viz.reach import Reach

    found = json.loads(os.environ.get(GIVEN, "{}")) if given is None else given
    config = PruningConfig.load(found["config"]) if "config" in found else None
    return Explorer(config, weights=found.get("weights"), reach=Reach(found.get("root")))
