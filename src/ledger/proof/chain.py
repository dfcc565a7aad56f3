"""The chain of hashes: whoever changes, removes, inserts or swaps anything in the ledger breaks it.

The chain of an event is SHA-256 of the chain before it (the 16 bytes of the ledger's id, before the first one) and
then of its columns position, originator_id, originator_version, topic, recorded_at, customer_id and state, each as a
length in four bytes and its bytes, as `COPY ... (FORMAT binary)` sends them: whole numbers in eight bytes, the time as
microseconds since 2000-01-01 UTC, no customer as the length -1. So a row of such a copy is hashed as it comes.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from hashlib import sha256
from struct import Struct
from typing import Literal

from ledger.database import Connection
from ledger.proof.rows import rows

_COUNT = 2
_CHAIN = 4 + 32
_number = Struct("!q").unpack_from
_TIME_AFTER_TOPIC = 2 + 12 + 20 + 12
_LONG_AGO = -(2**63)

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
    before = _before(connection, from_position)
    if before is None:
        return ChainReport(0, Anchor(from_position - 1, b""), from_position - 1, "missing")
    link, latest = before
    expected = from_position
    due, remembered = head_of(connection), noted.position if noted else 0
    if upto is None:
        remembered = max(remembered, _remembered(connection))
    else:
        due = min(due, upto)
    for row in rows(connection, from_position, upto):
        position = _number(row, 6)[0]
        if position != expected:
            report = ChainReport(expected - from_position, Anchor(expected - 1, link), expected, "missing")
            return report if position > expected else replace(report, first_bad=position, fault="changed")
        following = sha256(link + row[_COUNT:-_CHAIN]).digest()
        if following != row[-32:] or (noted is not None and noted.position == position and noted.chain != following):
            return ChainReport(expected - from_position, Anchor(expected - 1, link), position, "changed")
        recorded = _number(row, _TIME_AFTER_TOPIC + int.from_bytes(row[46:50], "big") + 8)[0]
        if recorded < latest:
            return ChainReport(expected - from_position, Anchor(expected - 1, link), position, "time-goes-back")
        link, latest = following, recorded
        expected += 1
    report = ChainReport(expected - from_position, Anchor(expected - 1, link))
    if expected <= due:
        return ChainReport(report.checked, report.head, expected, "missing")
    if upto is None and remembered >= expected:
        return ChainReport(report.checked, report.head, expected, "cut-off")
    return report


def link_before(connection: Connection, position: int) -> bytes | None:
    """What the chain of an event begins with; none when the event before it is missing."""
    before = _before(connection, position)
    return before[0] if before else None


def head_of(connection: Connection) -> int:
    """The last position there is; 0 in an empty ledger."""
    row = connection.execute("SELECT coalesce(max(position), 0) FROM events").fetchone()
    return int(row[0]) if row else 0


def _before(connection: Connection, position: int) -> tuple[bytes, int] | None:
    """The chain before an event, and the time before which it cannot have been recorded."""
    if position == 1:
        row = connection.execute("SELECT uuid_send(ledger_id) FROM meta").fetchone()
        return (bytes(row[0]), _LONG_AGO) if row else None
    row = connection.execute(
        "SELECT chain, timestamptz_send(recorded_at) FROM events WHERE position = %s", [position - 1]
    ).fetchone()
    return (bytes(row[0]), _number(bytes(row[1]), 0)[0]) if row else None


def _remembered(connection: Connection) -> int:
    """The highest position that anything beside the events themselves speaks of."""
    row = connection.execute("SELECT coalesce(max(position), 0) FROM claims").fetchone()
    return int(row[0]) if row else 0
