"""Work that takes a while, in the background: one piece at a time counts, and it can be stopped."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from contextvars import copy_context
from queue import Empty, SimpleQueue
from threading import Event, Thread
from typing import Any

Report = Callable[[str, float], None]  # told what is being done and the share that is done; may raise to stop it
Message = Callable[[], None] | None  # something to do where the work was started; None is the last one


def no_report(_stage: str, _share: float) -> None:
    """Report to nobody."""


class StoppedError(Exception):
    """Raised by a report inside work that counts no more."""


class Task:
    """One piece of work: its thread, and the messages that it writes."""

    def __init__(self, run: Callable[["Task"], None]) -> None:
        self.messages: SimpleQueue[Message] = SimpleQueue()
        self.over = Event()
        self.thread = Thread(target=run, args=(self,), name="entrenar_viz preparing", daemon=True)


class BackgroundJob:
    """Runs work in a thread that touches no widget.

    What the thread has to say it queues as messages. The event loop in which the work was started runs them between
    other things, so widgets are only ever touched where the kernel touches them too. Where no loop runs, in a plain
    script, ``wait`` runs them. Work that was replaced or cancelled stops at its next report; its messages are
    dropped.
    """

    def __init__(self, tell: Report) -> None:
        self.tell = tell
        self._task: Task | None = None
        self._last: Thread | None = None

    @property
    def busy(self) -> bool:
        """Whether something is being prepared."""
        return self._task is not None

    def start(self, work: Callable[[Report], Any], done: Callable[["Future[Any]"], None]) -> None:
        """Do ``work(report)`` in the background instead of what was done there, then ``done(its future)`` here."""
        self.cancel()
        before, context = self._last, copy_context()
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            loop = None

        def write(task: Task, message: Message) -> None:
            task.messages.put(message)
            if loop:
                with suppress(RuntimeError):  # the loop is closed: its page is gone, and ``wait`` still reads
                    loop.call_soon_threadsafe(self._read, task, False, context=context)

        def run(task: Task) -> None:
            def report(stage: str, share: float) -> None:
                if task is not self._task:
                    raise StoppedError
                write(task, lambda: self.tell(stage, share))

            if before:
                before.join()  # so that two layers are never held at a time
            future: Future[Any] = Future()
            try:
                report("reading", 0.0)
                future.set_result(work(report))
            except StoppedError:
                return
            except Exception as error:
                future.set_exception(error)
            write(task, lambda: self._end(task, done, future))
            write(task, None)

        self._task = task = Task(run)
        self._last = task.thread
        task.thread.start()

    def cancel(self) -> None:
        """Stop what is being prepared at its next report, and drop it."""
        task, self._task = self._task, None
        if task:
            task.over.set()
            task.messages.put(None)  # for somebody who waits

    def wait(self) -> None:
        """Block until nothing is being prepared, reading the messages meanwhile."""
        while task := self._task:
            self._read(task, True)
            task.over.wait()  # the loop may have taken the last message and be at it still

    def _read(self, task: Task, block: bool) -> None:
        with suppress(Empty):
            while task is self._task:
                message = task.messages.get(block)
                if message is None:
                    task.messages.put(None)  # for the others who read
                    return
                if task is self._task:
                    message()

    def _end(self, task: Task, done: Callable[["Future[Any]"], None], future: "Future[Any]") -> None:
        self._task = None
        try:
            done(future)
        finally:
            task.over.set()
