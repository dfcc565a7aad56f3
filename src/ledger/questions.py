"""Small questions to the ledger's tables, each one statement."""

from __future__ import annotations

from datetime import datetime
from typing import Any, LiteralString
from uuid import UUID

from ledger.database import Connection, Database
from ledger.errors import FutureMoment
from ledger.outcome import Outcome


def _first(database: Database, query: LiteralString, *values: Any) -> tuple[Any, ...] | None:
    return database.read(lambda connection: connection.execute(query, values, binary=True).fetchone())


def head(database: Database) -> int:
    """The position of the last event; 0 in an empty ledger."""
    row = _first(database, "SELECT coalesce(max(position), 0) FROM events")
    assert row is not None
    return int(row[0])


def settle(database: Database) -> int:
    """The position of the last event once all writers in flight have finished."""
    row = _first(database, "SELECT settle()")
    assert row is not None
    return int(row[0])


def position_at(database: Database, instant: datetime) -> int:
    """The last position recorded at or before a moment. Raises FutureMoment."""
    row = _first(database, "SELECT position_at(%s)", instant)
    assert row is not None
    if row[0] is None:
        raise FutureMoment(instant)
    return int(row[0])


def recorded_at(database: Database, position: int) -> datetime | None:
    """When a position was recorded."""
    row = _first(database, "SELECT recorded_at FROM events WHERE position = %s", position)
    return row[0] if row else None


def next_number(database: Database, counter: str) -> int:
    """The next number of a counter, from 1.

    Its commit need not wait for the disk: what uses the number is committed, and written to disk, later than this. When
    the database crashes in between, the number is drawn again by somebody else, and the claim on it decides.
    """

    def draw(connection: Connection) -> tuple[Any, ...] | None:
        with connection.transaction(), connection.pipeline():
            connection.execute("SET LOCAL synchronous_commit = off")
            drawn = connection.execute("SELECT next_number(%s)", [counter])
            return drawn.fetchone()

    row = database.read(draw)
    assert row is not None
    return int(row[0])


def holders(database: Database, kind: str, values: list[str]) -> dict[str, tuple[UUID, str | None]]:
    """Who holds which of these names, and the detail of the claim."""
    rows = database.read(
        lambda connection: connection.execute(
            "SELECT value, aggregate_id, detail FROM claims WHERE kind = %s AND value = ANY(%s)",
            [kind, values],
            binary=True,
        ).fetchall()
    )
    return {value: (aggregate_id, detail) for value, aggregate_id, detail in rows}


def answer_of(database: Database, member: str, key: str, index: int) -> tuple[bytes, Outcome] | None:
    """The keyed hash of the request that used a key, and what was answered."""
    row = _first(
        database,
        "SELECT body, id, version, position FROM idempotency_keys WHERE member = %s AND key = %s AND index = %s",
        member,
        key,
        index,
    )
    return (row[0], Outcome(row[1], row[2], row[3], replayed=True)) if row else None
