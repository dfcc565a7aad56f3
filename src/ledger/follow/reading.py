"""Reading the ledger in bulk: batches of fast events in the order of their positions."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from typing import Any, LiteralString

import msgspec

from ledger.database import Connection
from ledger.encoded.forms import FastEvent, form
from ledger.errors import Malformed

BATCH = 5_000

_COLUMNS: LiteralString = (
    "SELECT position, originator_id, originator_version, topic, state, recorded_at, customer_id FROM events"
)
_RANGE: LiteralString = " WHERE position > %(after)s AND (%(upto)s::bigint IS NULL OR position <= %(upto)s)"
_TOPICS: LiteralString = " AND topic = ANY(%(topics)s)"
_PART: LiteralString = " AND (customer_id IS NULL OR get_byte(uuid_send(customer_id), 15) %% %(n)s = %(k)s)"
_OF_WORKSPACE: LiteralString = " AND customer_id IS NULL"
_ORDER: LiteralString = " ORDER BY position LIMIT %(batch)s"


def read(
    connection: Connection,
    after: int,
    upto: int | None = None,
    *,
    topics: Collection[str] | None = None,
    part: tuple[int, int] | None = None,
    of_workspace: bool = False,
    limit: int | None = None,
    batch: int = BATCH,
) -> Iterator[list[FastEvent]]:
    """Events after one position and up to another (None: the head as each batch finds it).

    `topics` leaves out all others; `part=(k, n)` gives the events of the customers in the k-th (from 0) of n parts, and
    all events without a customer; `of_workspace` leaves out those of customers; `limit` is the most events in
    all. Between two batches the connection is free for other use. Raises UnknownTopic and Malformed, naming the event.
    """
    query = _COLUMNS + _RANGE + ("" if topics is None else _TOPICS) + ("" if part is None else _PART)
    query += (_OF_WORKSPACE if of_workspace else "") + _ORDER
    k, n = part or (0, 1)
    values: dict[str, Any] = {"after": after, "upto": upto, "topics": list(topics or ()), "k": k, "n": n}
    left = limit
    while left is None or left > 0:
        values["batch"] = size = batch if left is None else min(batch, left)
        rows = connection.execute(query, values, binary=True).fetchall()
        if rows:
            yield _events(rows)
            values["after"] = rows[-1][0]
        if len(rows) < size:
            return
        if left is not None:
            left -= len(rows)


def _events(rows: list[tuple[Any, ...]]) -> list[FastEvent]:
    """The rows as events. One look-up and one decoding each: this is where bulk reading spends its time."""
    events: list[FastEvent] = []
    decoders: dict[str, Callable[[bytes], FastEvent]] = {}
    position, topic = 0, ""
    try:
        for position, originator_id, version, topic, state, recorded_at, customer_id in rows:
            decode = decoders.get(topic)
            if decode is None:
                decode = decoders[topic] = form(topic).decode
            event = decode(state)
            event.position, event.originator_id, event.originator_version = position, originator_id, version
            event.recorded_at, event.customer_id = recorded_at, customer_id
            events.append(event)
    except (msgspec.MsgspecError, ValueError, KeyError) as error:
        raise Malformed(f"position {position}, {topic}: {error}") from error
    return events
