"""Events as they stand in the history, read with their personal parts opened."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, LiteralString
from uuid import UUID

import msgspec
from psycopg import Connection

from ledger.sealed import Blob
from ledger.sealing import Keyring
from policy.masking import MASKED_FIELDS, masked
from projections.history.fields import plan, value_of

COLUMNS: LiteralString = (
    "SELECT e.position, e.customer_id, e.originator_id, e.version, e.topic, e.recorded_at, e.occurred_on, e.actor, "
    "e.source, e.command_id, e.reason, e.body, e.before, e.subject, e.sealed FROM events e"
)

_body = msgspec.json.Decoder(dict[str, Any]).decode
_before = msgspec.json.Decoder(dict[str, int]).decode


@dataclass(slots=True)
class Record:
    """One event of the history; `values` has its fields as JSON has them, unreadable ones missing."""

    position: int
    customer_id: UUID | None
    originator_id: UUID
    version: int
    topic: str
    recorded_at: datetime
    occurred_on: date
    actor: str
    source: str
    command_id: UUID
    reason: str | None
    values: dict[str, Any]
    before: dict[str, int]
    blob: Blob | None

    def get(self, name: str) -> Any:
        """What the event says of a field."""
        return value_of(self.topic, self.values, name)

    @property
    def aggregate(self) -> str:
        """What kind of thing the event happened to."""
        return self.topic.partition(".")[0]

    @property
    def erased(self) -> bool:
        """It had personal fields, and nobody can read them any more."""
        return self.blob is not None and not self.blob.fields


@dataclass(frozen=True)
class Reading:
    """How the history is read: where from, with whose keys, and of which customers (None: of all) contact details are
    shown as they are."""

    connection: Connection[Any]
    keyring: Keyring
    opened: Collection[UUID] | None = None

    def is_open(self, record: Record) -> bool:
        """Whether the contact details in this event are shown as they are."""
        return self.opened is None or record.customer_id in self.opened


def records(reading: Reading, where: LiteralString, params: dict[str, Any]) -> list[Record]:
    """The events that `where` and what follows it select; raises what the keyring raises."""
    connection, keyring = reading.connection, reading.keyring
    found = [_record(row) for row in connection.execute(COLUMNS + where, params, binary=True).fetchall()]
    keyring.open_blobs(record.blob for record in found if record.blob is not None)
    for record in found:
        if record.blob is not None:
            opened = keyring.open_blob(record.blob)
            record.values |= opened if reading.is_open(record) else _masked(opened)
    return found


def _masked(fields: Mapping[str, str | None]) -> dict[str, str | None]:
    return {name: masked(value) if name in MASKED_FIELDS else value for name, value in fields.items()}


def at_positions(reading: Reading, positions: Iterable[int]) -> dict[int, Record]:
    """The events at these positions."""
    wanted = list(positions)
    if not wanted:
        return {}
    found = records(reading, " WHERE e.position = ANY(%(positions)s)", {"positions": wanted})
    return {record.position: record for record in found}


def beginnings(reading: Reading, aggregates: Iterable[UUID]) -> dict[UUID, Record]:
    """The first event of each of these aggregates."""
    wanted = list(aggregates)
    if not wanted:
        return {}
    found = records(reading, " WHERE e.version = 1 AND e.originator_id = ANY(%(ids)s)", {"ids": wanted})
    return {record.originator_id: record for record in found}


def contacts_added(reading: Reading, customers: Sequence[UUID]) -> dict[UUID, Record]:
    """How the contacts of these customers were added, by contact."""
    if not customers:
        return {}
    where: LiteralString = " WHERE e.customer_id = ANY(%(ids)s) AND e.topic = 'customer.contact-added'"
    found = records(reading, where, {"ids": list(customers)})
    return {UUID(record.values["contact_id"]): record for record in found}


def fields_in_order(record: Record) -> Iterable[str]:
    """The names of an event's own fields, personal ones first."""
    known = plan(record.topic)
    return (*known.personal, *known.clear)


def _record(row: tuple[Any, ...]) -> Record:
    body, before, subject, sealed = row[11:]
    return Record(
        position=row[0],
        customer_id=row[1],
        originator_id=row[2],
        version=row[3],
        topic=row[4],
        recorded_at=row[5],
        occurred_on=row[6],
        actor=row[7],
        source=row[8],
        command_id=row[9],
        reason=row[10],
        values=_body(body),
        before={} if before is None else _before(before),
        blob=None if sealed is None else Blob(subject, row[2], row[3], sealed),
    )
