"""Finds where a thread that holds the ledger's lock asks the pool for another connection, which may never be free."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import local
from traceback import format_stack
from typing import Any

import pytest
from psycopg.pq import TransactionStatus

from ledger.database import Connection, Database

_HOLDS_LOCK = (
    "SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND classid = 1734700650"
    " AND objid = 'events'::regclass AND granted AND pid = pg_backend_pid())"
)


class Requests:
    """The second connections that were asked for, each with its stack, while every connection is watched."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.second: list[str] = []
        self._held = local()
        connect = Database.connection

        @contextmanager
        def connection(database: Database, **more: Any) -> Iterator[Connection]:
            held: list[Connection] = self._held.__dict__.setdefault("connections", [])
            if any(_holds_lock(each) for each in held):
                self.second.append("".join(format_stack(limit=12)))
            with connect(database, **more) as opened:
                held.append(opened)
                try:
                    yield opened
                finally:
                    held.remove(opened)

        monkeypatch.setattr(Database, "connection", connection)


def _holds_lock(connection: Connection) -> bool:
    if connection.info.transaction_status is not TransactionStatus.INTRANS:
        return False
    row = connection.execute(_HOLDS_LOCK).fetchone()
    return row is not None and bool(row[0])
