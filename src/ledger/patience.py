"""How long a process that answers requests waits for its database, and what ends it where nothing else does."""

from __future__ import annotations

import os
import socket
from contextlib import closing
from dataclasses import dataclass
from threading import Event, Lock, Thread
from time import monotonic
from typing import Any

import psycopg

LOOKS_APART = 0.5
GRACE = 2.0
"""Seconds beyond its timeout that a statement has to be stopped by the server itself."""


@dataclass(frozen=True)
class Patience:
    """Seconds for a statement and for a lock (0: no limit), and how many threads may wait for a connection."""

    statement: float = 15.0
    lock: float = 5.0
    most_waiting: int = 64

    @property
    def longest(self) -> float:
        """Seconds after which a connection that is still in use is broken off."""
        return self.statement + GRACE


class Watch:
    """Breaks connections off on which a server says nothing any more.

    A server that hangs (its disk, its machine, the network between) stops no statement by itself, and a thread that
    waits for it would wait for ever.
    """

    def __init__(self, longest: float) -> None:
        self._longest = longest
        self._lock = Lock()
        self._since: dict[int, tuple[float, psycopg.Connection[Any]]] = {}
        self._closed = Event()
        self._thread: Thread | None = None

    def begin(self, connection: psycopg.Connection[Any]) -> None:
        """It is in use from now on."""
        self._since[id(connection)] = (monotonic(), connection)
        if self._thread is None:
            self._start()

    def end(self, connection: psycopg.Connection[Any]) -> None:
        """It is not in use any more."""
        with self._lock:
            self._since.pop(id(connection), None)

    def close(self) -> None:
        """Watch no longer."""
        self._closed.set()
        if self._thread is not None:
            self._thread.join()

    def _start(self) -> None:
        with self._lock:
            if self._thread is None:
                self._thread = Thread(target=self._look, name="genjin-patience", daemon=True)
                self._thread.start()

    def _look(self) -> None:
        while not self._closed.wait(LOOKS_APART):
            late = monotonic() - self._longest
            with self._lock:
                for since, connection in list(self._since.values()):
                    if since < late:
                        _break_off(connection)


def _break_off(connection: psycopg.Connection[Any]) -> None:
    """End the connection under the thread that waits on it, which then learns that it is lost."""
    try:
        with closing(socket.socket(fileno=os.dup(connection.fileno()))) as line:
            line.shutdown(socket.SHUT_RDWR)
    except (OSError, psycopg.OperationalError):
        return  # it is gone already
