"""Rows of the ledger as they lie there: in the form in which the chain hashes them, and column by column."""

from __future__ import annotations

from collections.abc import Iterator
from struct import Struct
from uuid import UUID

import msgspec
from psycopg import sql

from ledger.database import Connection

_COPY = sql.SQL(
    "COPY (SELECT position, originator_id, originator_version, topic, recorded_at, customer_id, state, chain"
    " FROM events WHERE position >= {start} AND ({upto} IS NULL OR position <= {upto}) ORDER BY position)"
    " TO STDOUT (FORMAT binary)"
)
_HEADER = 19
_FOOTER = b"\xff\xff"
_EARLIEST = -(2**63)
_MICROSECONDS_TO_2000 = 946_684_800_000_000
_number = Struct("!q").unpack_from
_length = Struct("!i").unpack_from
_POSITION, _ORIGINATOR, _VERSION, _TOPIC = 6, 18, 38, 46


class Row(msgspec.Struct, frozen=True, gc=False):
    """One event as it is stored: `recorded_at` in microseconds since 1970-01-01 UTC, `chain` in hexadecimal."""

    position: int
    originator_id: UUID
    originator_version: int
    topic: str
    recorded_at: int
    customer_id: UUID | None
    state: bytes
    chain: str


def rows(connection: Connection, start: int, upto: int | None = None) -> Iterator[bytes]:
    """Rows in binary, each as one piece of a copy; from position 1 on, also any that was put before it."""
    query = _COPY.format(start=sql.Literal(_EARLIEST if start == 1 else start), upto=sql.Literal(upto))
    with connection.cursor().copy(query) as copy:
        first = True
        while data := copy.read():
            row = bytes(data)
            if first:
                row, first = row[_HEADER:], False
            if row and row != _FOOTER:
                yield row


def row_of(data: bytes) -> Row:
    """The columns of a row in binary."""
    topic_ends = _TOPIC + 4 + _length(data, _TOPIC)[0]
    customer_at = topic_ends + 12
    customer_ends = customer_at + 4 + max(_length(data, customer_at)[0], 0)
    state_ends = customer_ends + 4 + _length(data, customer_ends)[0]
    customer = data[customer_at + 4 : customer_ends]
    return Row(
        _number(data, _POSITION)[0],
        UUID(bytes=data[_ORIGINATOR : _ORIGINATOR + 16]),
        _number(data, _VERSION)[0],
        data[_TOPIC + 4 : topic_ends].decode(),
        _number(data, topic_ends + 4)[0] + _MICROSECONDS_TO_2000,
        UUID(bytes=customer) if customer else None,
        data[customer_ends + 4 : state_ends],
        data[state_ends + 4 :].hex(),
    )
