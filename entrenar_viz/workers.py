"""Independent pieces of work in any executor, with the results in order."""

from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Executor, Future
from contextlib import closing
from itertools import islice
from typing import TypeVar

AHEAD = 32  # jobs handed to an executor before the first of them is back
Job = TypeVar("Job")
Result = TypeVar("Result")


def in_order(
    work: Callable[[Job], Result], jobs: Iterable[Job], executor: Executor | None
) -> Generator[Result, None, None]:
    """``work(job)`` for each of ``jobs``, in their order, as soon as it is there; without an executor one at a time.

    An executor has at most 32 of them at a time, and is not closed. Those that wait are cancelled when this is closed.
    """
    if executor is None:
        yield from map(work, jobs)
        return
    waiting: deque[Future[Result]] = deque()
    rest = iter(jobs)
    try:
        for job in islice(rest, AHEAD):
            waiting.append(executor.submit(work, job))
        while waiting:
            result = waiting[0].result()
            waiting.popleft()
            for job in islice(rest, 1):
                waiting.append(executor.submit(work, job))
            yield result
    finally:
        for future in waiting:
            future.cancel()


def all_in_order(
    work: Callable[[Job], Result],
    jobs: Iterable[Job],
    executor: Executor | None,
    on_result: Callable[[Result], object] = lambda _: None,
) -> list[Result]:
    """All results of ``in_order``; ``on_result`` is told of each, and what it raises ends the work."""
    found, results = in_order(work, jobs, executor), []
    with closing(found):
        for result in found:
            results.append(result)
            on_result(result)
    return results
