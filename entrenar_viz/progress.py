"""How far long work is: told to a function, or shown as a bar of tqdm."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any, TypeVar

from entrenar_viz.errors import EntrenarVizError

Record = TypeVar("Record")
Progress = Callable[[int, int, Record], object]  # done, total, the record of what is done
Report = Callable[..., object]
RECORDS = "done, total, record"


def check_progress(progress: Progress[Any] | bool | None) -> None:
    """EntrenarVizError if a bar is asked for and tqdm is not there."""
    if progress is True:
        _tqdm(RECORDS)


@contextmanager
def reporting(progress: Report | bool | None, total: int | None, unit: str, told: str = RECORDS) -> Iterator[Report]:
    """What is to be called after each of ``total`` pieces of work, None if nobody knows how many, shown as ``unit``.

    ``told`` names the arguments that a function gets, for the error.
    """
    if callable(progress):
        yield progress
    elif progress:
        with _tqdm(told)(total=total, unit=unit) as bar:
            yield lambda *_: bar.update()
    else:
        yield lambda *_: None


def optional(module: str, why: str, otherwise: str) -> Any:
    """A module of the extra ``survey``; EntrenarVizError, which says how to do without, if it is not installed."""
    try:
        return import_module(module)
    except ImportError:
        raise EntrenarVizError(f'{why}: pip install "entrenar-viz[survey]", or {otherwise}') from None


def _tqdm(told: str) -> Any:
    return optional("tqdm.auto", "progress=True needs tqdm", f"pass a function ({told})").tqdm
