"""The chain of hashes: whoever changes, removes, inserts or swaps anything in the ledger breaks it.

The chain of an event is SHA-256 of the chain before it (the 16 bytes of the ledger's id, before the first one) and
then of its columns position, originator_id, originator_version, topic, recorded_at, customer_id and state, each as a
length in four bytes and its bytes, as `COPY ... (FORMAT binary)` sends them: whole numbers in eight bytes, the time as
microseconds since 2000-01-01 UTC, no customer as the length -1. So a row of such a copy is hashed as it comes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from struct import Struct
from typing import Literal

from psycopg import sql

from ledger.database import Connection

_COPY = sql.SQL(
    "COPY (SELECT position, originator_id, originator_version, topic, recorded_at, customer_id, state, chain"
    " FROM events WHERE position >= {start} AND ({upto} IS NULL OR position <= {upto}) ORDER BY position)"
    " TO STDOUT (FORMAT binary)"
)
_HEADER = 19
_FOOTER = b"\xff\xff"
_COUNT = 2
_CHAIN = 4 + 32
_number = Struct("!q").unpack_from
_TIME_AFTER_TOPIC = 2 + 12 + 20 + 12

Fault = Literal["missing", "changed", "time-goes-back", "cut-off"]


@dataclass(frozen=True)
class Anchor:
    """A head that somebody noted earlier; removing the newest events leaves no other trace than its absence."""

    position: int
    chain: bytes


@dataclass(frozen=True)
class ChainReport:
    """How many events were read, and the first one that is not as it was recorded."""

    checked: int
    head: Anchor
    first_bad: int | None = None
    fault: Fault | None = None

    @property
    def is_intact(self) -> bool:
        """Nothing is missing and nothing was changed."""
        return self.first_bad is None


def verify_chain(
    connection: Connection, from_position: int = 1, upto: int | None = None, *, noted: Anchor | None = None
) -> ChainReport:
    """Read the ledger from a position (what is before it is trusted) and stop at the first event that is not in order.

    `missing` names the position that is not there, `changed` the first row that does not fit its chain (one of its
    columns was changed, or it was swapped or inserted), `time-goes-back` one recorded before its predecessor. `cut-off`
    names the first position that is gone from the end, as a `noted` head or the ledger's own side tables remember it.
    """
    expected, link = from_position, _link_before(connection, from_position)
    if link is None:
        return ChainReport(0, Anchor(from_position - 1, b""), from_position - 1, "missing")
    latest = -(2**63)
    for row in _rows(connection, from_position, upto):
        position = _number(row, 6)[0]
        if position != expected:
            return ChainReport(expected - from_position, Anchor(expected - 1, link), expected, "missing")
        link = sha256(link + row[_COUNT:-_CHAIN]).digest()
        if link != row[-32:] or (noted is not None and noted.position == position and noted.chain != link):
            return ChainReport(expected - from_position, Anchor(expected - 1, link), position, "changed")
        recorded = _number(row, _TIME_AFTER_TOPIC + int.from_bytes(row[46:50], "big") + 8)[0]
        if recorded < latest:
            return ChainReport(expected - from_position, Anchor(expected - 1, link), position, "time-goes-back")
        latest = recorded
        expected += 1
    report = ChainReport(expected - from_position, Anchor(expected - 1, link))
    remembered = max(_remembered(connection), noted.position if noted else 0)
    if upto is None and remembered >= expected:
        return ChainReport(report.checked, report.head, expected, "cut-off")
    return report


def _link_before(connection: Connection, position: int) -> bytes | None:
    if position == 1:
        row = connection.execute("SELECT uuid_send(ledger_id) FROM meta").fetchone()
    else:
        row = connection.execute("SELECT chain FROM events WHERE position = %s", [position - 1]).fetchone()
    return bytes(row[0]) if row else None


def _remembered(connection: Connection) -> int:
    """The highest position that anything beside the events themselves speaks of."""
    row = connection.execute("SELECT coalesce(max(position), 0) FROM claims").fetchone()
    return int(row[0]) if row else 0


def _rows(connection: Connection, start: int, upto: int | None) -> Iterator[bytes]:
    """Rows in binary, each as one piece of the copy."""
    query = _COPY.format(start=sql.Literal(start), upto=sql.Literal(upto))
    with connection.cursor().copy(query) as copy:
        first = True
        while data := copy.read():
            row = bytes(data)
            if first:
                row, first = row[_HEADER:], False
            if row and row != _FOOTER:
                yield row
