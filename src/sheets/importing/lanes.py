"""Several writers at once, each taking its work in order."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from queue import Queue
from threading import Lock, Thread
from types import TracebackType
from typing import Generic, Self, TypeVar

T = TypeVar("T")
AHEAD = 64
"""Pieces of work that wait in one lane; whoever brings more waits, too."""


class Lanes(Generic[T]):
    """Does pieces of work in several threads; those put with the same key are done one after the other, in order.

    The first error ends everything: it is raised where work is put or waited for, and work still waiting is dropped.
    """

    def __init__(self, work: Callable[[T], None], count: int) -> None:
        self._work = work
        self._queues: list[Queue[T | None]] = [Queue(AHEAD) for _ in range(count)]
        self._threads = [Thread(target=self._run, args=(queue,), daemon=True) for queue in self._queues]
        self._error: BaseException | None = None
        self._lock = Lock()

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def put(self, key: Hashable, item: T) -> None:
        """Have it done, after everything that was put with this key."""
        self._raise()
        self._queues[hash(key) % len(self._queues)].put(item)

    def wait(self) -> None:
        """Wait until everything that was put is done."""
        for queue in self._queues:
            queue.join()
        self._raise()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if error is not None:
            with self._lock:
                self._error = self._error or error
        for queue in self._queues:
            queue.put(None)
        for thread in self._threads:
            thread.join()

    def _raise(self) -> None:
        if self._error is not None:
            raise self._error

    def _run(self, queue: Queue[T | None]) -> None:
        while (item := queue.get()) is not None:
            try:
                if self._error is None:
                    self._work(item)
            except BaseException as error:
                with self._lock:
                    self._error = self._error or error
            finally:
                queue.task_done()
        queue.task_done()
