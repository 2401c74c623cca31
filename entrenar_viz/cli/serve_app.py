"""``entrenar-viz app``: the dashboard alone, served to visitors."""

import json
import os
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path


def app(given: dict[str, str | None], for_voila: Sequence[str], *, port: int, theme: str, open_browser: bool) -> int:
    """Serve the dashboard until interrupted; ``given`` has the paths ``root``, ``config`` and ``weights``, or None."""
    if find_spec("voila") is None:
        print('entrenar-viz: Voila is not installed here: pip install "entrenar-viz[app]"', file=sys.stderr)
        return 2
    from entrenar_viz.app.dashboard import GIVEN, NOTEBOOK, dashboard

    found = {name: str(Path(path).expanduser().absolute()) for name, path in given.items() if path is not None}
    dashboard(found).close()  # what cannot be read is said here, not to the first visitor
    os.environ[GIVEN] = json.dumps(found)
    from entrenar_viz.app.server import serve

    serve(NOTEBOOK, for_voila, port=port, theme=theme, open_browser=open_browser)
    return 0
