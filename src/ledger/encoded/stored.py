"""Stored events: the library's, with the columns that our ledger has besides."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import cast
from uuid import UUID

from eventsourcing.domain import DomainEventProtocol
from eventsourcing.persistence import JSONTranscoder, Mapper
from eventsourcing.persistence import Notification as LibraryNotification
from eventsourcing.persistence import StoredEvent as LibraryStoredEvent

from aggregates.base import Claim, Event, ImportedRow
from ledger.encoded.codec import decode, encode, is_sealed, subject_of, to_event
from ledger.encoded.forms import form_of
from ledger.new_keys import NewKeys
from ledger.sealing import Keyring

IMPORT_ROW = "import-row"


@dataclass(frozen=True)
class StoredEvent(LibraryStoredEvent):
    """An event as it stands in the ledger, and what must be written with it."""

    originator_id: UUID
    customer_id: UUID | None = None
    recorded_at: datetime | None = None
    claims: tuple[Claim, ...] = ()
    subject: UUID | None = None
    """The data subject whose key seals the personal fields; None where nothing is sealed."""
    new_key: bytes | None = None
    """The subject's key, wrapped, where it was made for this event and is to be stored with it."""


@dataclass(frozen=True)
class Notification(LibraryNotification):
    """An event with its position."""

    originator_id: UUID
    customer_id: UUID | None = None
    recorded_at: datetime | None = None


class SealingMapper(Mapper[UUID]):
    """Turns the library's events into stored ones and back, by our codec."""

    def __init__(self, keyring: Keyring) -> None:
        super().__init__(transcoder=JSONTranscoder())
        self._keyring = keyring

    def to_stored_event(self, domain_event: DomainEventProtocol[UUID]) -> StoredEvent:
        """The event as it will stand in the ledger, appended alone."""
        return self.to_stored_events([cast(Event, domain_event)])[0]

    def to_stored_events(self, events: Iterable[Event]) -> list[StoredEvent]:
        """The events of one append; those about one person are sealed with one key. Raises SubjectErased."""
        new = NewKeys()
        return [self._stored(event, new) for event in events]

    def _stored(self, event: Event, new: NewKeys) -> StoredEvent:
        state = encode(event, self._keyring, new)
        subject = subject_of(event) if is_sealed(event) else None
        return StoredEvent(
            originator_id=event.originator_id,
            originator_version=event.originator_version,
            topic=form_of(type(event)).topic,
            state=state,
            customer_id=event.customer_id,
            claims=tuple(claims_of(event)),
            subject=subject,
            new_key=None if subject is None else new.wrapped(subject),
        )

    def to_domain_event(self, stored_event: LibraryStoredEvent) -> DomainEventProtocol[UUID]:
        """The event with its personal fields opened."""
        stored = cast(StoredEvent | Notification, stored_event)
        event = decode(
            stored.topic,
            stored.state,
            originator_id=stored.originator_id,
            originator_version=stored.originator_version,
            recorded_at=stored.recorded_at,
            customer_id=stored.customer_id,
        )
        return to_event(event, self._keyring)


def claims_of(event: Event) -> Iterator[Claim]:
    """The names that an event takes or gives back; an imported one also takes the natural key of its row."""
    yield from event.claims()
    if event.imported is not None:
        yield make_row_claim(event.imported)


def make_row_claim(row: ImportedRow) -> Claim:
    """The claim on the natural key of an imported row."""
    return Claim(IMPORT_ROW, f"{row.profile}/{row.key}", detail=row.digest, replaces=row.replaces)
