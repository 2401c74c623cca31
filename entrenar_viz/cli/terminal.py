"""What commands have in common: how far they are, on a terminal, and whether their files may be written."""

import sys
from collections.abc import Iterable
from pathlib import Path

from entrenar_viz.files.atomic import check_place


def tell_progress(words: str, *, last: bool) -> None:
    """``words`` on one line that the next one replaces, and the ``last`` leaves empty; only to a terminal."""
    if sys.stderr.isatty():
        print(f"\r\x1b[K{words}", end="\r\x1b[K" if last else "", file=sys.stderr, flush=True)


def check_outputs(paths: Iterable[Path | None], *, overwrite: bool) -> None:
    """Raise what would be raised at the end, before the work."""
    for path in filter(None, paths):
        check_place(path)
        if path.exists() and not overwrite:
            raise FileExistsError(f"{path} exists already: --force replaces it")
