"""The next events of the ledger, as a fold is given them."""

from __future__ import annotations

from typing import Any

from ledger.errors import Malformed, UnknownTopic
from ledger.follow.reading import read
from projections.engine.failures import Undigested
from projections.engine.ground import Connection
from projections.engine.model.declaration import Projection

BATCH = 1_000


def head_of(connection: Connection) -> int:
    """The position of the last event; 0 in an empty ledger."""
    row = connection.execute("SELECT coalesce(max(position), 0) FROM events", prepare=True).fetchone()
    assert row is not None
    return int(row[0])


def next_events(
    connection: Connection, projection: type[Projection], after: int, limit: int = BATCH
) -> tuple[list[Any], int]:
    """The events after a position that this projection folds, and the position that is reached with them.

    Raises Undigested for an event that cannot be read at all, once everything before it was given.
    """
    head = head_of(connection)
    if head <= after:
        return [], after
    topics = projection.topics_read()
    try:
        events: list[Any] = next(read(connection, after, head, topics=topics, limit=limit, batch=limit), [])
    except (Malformed, UnknownTopic) as error:
        if limit > 1:
            return next_events(connection, projection, after, 1)
        raise _unreadable(connection, projection, after, error) from error
    return events, events[-1].position if len(events) == limit else head


def _unreadable(connection: Connection, projection: type[Projection], after: int, error: Exception) -> Undigested:
    topics = projection.topics_read()
    row = connection.execute(
        "SELECT position, topic, originator_id FROM events WHERE position > %s "
        "AND (%s::text[] IS NULL OR topic = ANY(%s)) ORDER BY position LIMIT 1",
        [after, topics and list(topics), topics and list(topics)],
    ).fetchone()
    assert row is not None
    return Undigested(projection.name, row[0], row[1], row[2], f"{type(error).__name__}: {error}")
