"""Following the ledger: every event in order and without gaps, and the new ones as soon as they are written."""

from __future__ import annotations

from collections.abc import Collection, Generator
from functools import partial
from threading import Event as Signal
from types import TracebackType
from typing import Self

import psycopg

from ledger.database import Connection, Database
from ledger.encoded.forms import FastEvent
from ledger.follow.listening import Ear
from ledger.follow.reading import read

POLL = 1.0
"""Seconds after which a follower looks by itself, in case a notification was lost with its connection."""
BATCH = 500


class Bell:
    """Rings when something was appended; it has a connection of its own, and makes a new one when that is lost."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._ear: Ear | None = self._listen()

    def wait(self, timeout: float) -> int | None:
        """Wait for the next append; gives its position, or None when none came in time or the connection was lost."""
        try:
            if self._ear is None:
                self._ear = self._listen()
                return None
            announced = self._ear.heard(timeout)
        except psycopg.OperationalError:
            self.close()
            return None
        return int(announced[-1].payload) if announced else None

    def _listen(self) -> Ear:
        return Ear(self._database.connect(), [f"{self._database.schema}_events"])

    def wake(self) -> None:
        """End the waiting of another thread, which is not to wait again."""
        if ear := self._ear:
            ear.wake()

    def close(self) -> None:
        """Stop listening."""
        if self._ear is not None:
            self._ear.close()
            self._ear = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


def follow(
    database: Database,
    after: int,
    *,
    topics: Collection[str] | None = None,
    poll: float = POLL,
    stop: Signal | None = None,
) -> Generator[list[FastEvent], None, None]:
    """Batches of events after a position, for ever; an empty one whenever nothing came for `poll` seconds.

    Ends when `stop` is set, after `poll` seconds at most. Raises DatabaseAway when the database cannot be reached.
    """
    with Bell(database) as bell:
        while stop is None or not stop.is_set():
            head, batch = database.read(partial(_next, after=after, topics=topics))
            if batch:
                yield batch
                after = batch[-1].position
                continue
            after = max(after, head)
            if bell.wait(poll) is None:
                yield []


def _next(connection: Connection, *, after: int, topics: Collection[str] | None) -> tuple[int, list[FastEvent]]:
    """The next batch, and the head as it was before looking: up to there nothing else is to come."""
    row = connection.execute("SELECT coalesce(max(position), 0) FROM events").fetchone()
    head = int(row[0]) if row else 0
    return head, next(read(connection, after, head, topics=topics, limit=BATCH), [])
