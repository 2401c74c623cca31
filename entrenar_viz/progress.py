"""How far long work is: told to a function, or shown as a bar of tqdm."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any, TypeVar

from entrenar_viz.errors import EntrenarVizError

Record = TypeVar("Record")
Progress = Callable[[int, int, Record], object]  # done, total, the record of what is done


def check_progress(progress: Progress[Any] | bool | None) -> None:
    """EntrenarVizError if a bar is asked for and tqdm is not there."""
    if progress is True:
        _tqdm()


@contextmanager
def reporting(progress: Progress[Record] | bool | None, total: int, unit: str) -> Iterator[Progress[Record]]:
    """What is to be called after each of ``total`` pieces of work, which are shown as ``unit``."""
    if callable(progress):
        yield progress
    elif progress:
        with _tqdm()(total=total, unit=unit) as bar:
            yield lambda *_: bar.update()
    else:
        yield lambda *_: None


def optional(module: str, why: str, otherwise: str) -> Any:
    """A module of the extra ``survey``; EntrenarVizError, which says how to do without, if it is not installed."""
    try:
        return import_module(module)
    except ImportError:
        raise EntrenarVizError(f'{why}: pip install "entrenar-viz[survey]", or {otherwise}') from None


def _tqdm() -> Any:
    return optional("tqdm.auto", "progress=True needs tqdm", "pass a function (done, total, record)").tqdm
