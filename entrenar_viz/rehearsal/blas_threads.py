"""One thread for each multiplication of matrices, while small networks are trained."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from threading import RLock
from typing import Any

from threadpoolctl import OpenBLASController, ThreadpoolController

_LOCK = RLock()  # its holder may be the one who forks
if hasattr(os, "register_at_fork"):  # a process must not be forked while another thread has the lock
    os.register_at_fork(before=_LOCK.acquire, after_in_parent=_LOCK.release, after_in_child=_LOCK.release)
_runs: list[object] = []  # those that are under way in this process
_limits: list[Any] = []  # what the first of them has set, for the last one to take back


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """Let BLAS multiply in one thread until the last of those that are in here in this process has left.

    Small matrices gain nothing from several, and workers that each start some wait for each other: nine times as long
    on two cores. One thread also sums in one order, so that a seed gives the same numbers in every executor.
    """
    run = object()
    with _LOCK:
        if not _runs:
            with _setting_it_from_this_thread():
                _limits.append(ThreadpoolController().limit(limits=1, user_api="blas"))
        _runs.append(run)
    try:
        yield
    finally:
        with _LOCK:
            _runs.remove(run)
            if not _runs:
                with _setting_it_from_this_thread():
                    _limits.pop().restore_original_limits()


@contextmanager
def _setting_it_from_this_thread() -> Iterator[None]:
    """Let this thread set the number, and any other one afterwards.

    threadpoolctl lets the first thread that has set it go on doing so, and ignores all others without a word. Here
    runs begin and end in whatever threads an executor has.
    """
    OpenBLASController.clear_controlling_thread(force=True)
    try:
        yield
    finally:
        OpenBLASController.clear_controlling_thread(force=True)
