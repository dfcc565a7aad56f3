"""Hearing what is announced in the database, until somebody says that it is enough."""

from __future__ import annotations

import socket
from collections.abc import Iterable
from contextlib import suppress
from selectors import EVENT_READ, DefaultSelector

from psycopg import Notify, sql

from ledger.database import Connection


class Ear:
    """Listens on a connection, which is its own from now on; another thread may end the waiting at any time."""

    def __init__(self, connection: Connection, channels: Iterable[str]) -> None:
        try:
            for channel in channels:
                connection.execute(sql.SQL("LISTEN {}").format(sql.Identifier(channel)))
        except BaseException:
            connection.close()
            raise
        self._connection = connection
        self._woken, self._waker = socket.socketpair()
        self._selector = DefaultSelector()
        self._selector.register(connection, EVENT_READ)
        self._selector.register(self._woken, EVENT_READ)

    def heard(self, timeout: float) -> list[Notify]:
        """Everything announced since the last time; waits for something, at most so many seconds, or until woken.

        Raises psycopg.OperationalError when the connection is lost.
        """
        return self._announced() or (self._announced() if self._selector.select(timeout) else [])

    def _announced(self) -> list[Notify]:
        return list(self._connection.notifies(timeout=0))

    def wake(self) -> None:
        """End the waiting, now and from now on."""
        with suppress(OSError):  # closed already
            self._waker.send(b"!")

    def close(self) -> None:
        """Listen no longer."""
        self._selector.close()
        self._connection.close()
        self._woken.close()
        self._waker.close()
