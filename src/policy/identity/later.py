"""What is written beside requests and never in their way: gathered for a moment, then written by one thread."""

from __future__ import annotations

from collections.abc import Callable
from threading import Event, Lock, Thread

WRITTEN_AFTER = 0.2
"""Seconds in which things gather before they are written together."""


class Later:
    """Has one thread call `write` a moment after something was gathered; it begins with the first time."""

    def __init__(self, write: Callable[[], None], name: str) -> None:
        self._write = write
        self._name = name
        self._lock = Lock()
        self._some, self._stop = Event(), Event()
        self._thread: Thread | None = None

    def soon(self) -> None:
        """Something was gathered."""
        with self._lock:
            if self._thread is None and not self._stop.is_set():
                self._thread = Thread(target=self._write_until_stopped, name=self._name, daemon=True)
                self._thread.start()
        self._some.set()

    def _write_until_stopped(self) -> None:
        while self._some.wait() and not self._stop.wait(WRITTEN_AFTER):
            self._some.clear()
            self._write()

    def close(self) -> None:
        """Call it no more."""
        self._stop.set()
        self._some.set()
        if self._thread is not None:
            self._thread.join()
