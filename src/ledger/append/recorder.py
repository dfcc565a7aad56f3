"""The recorder: how the library reads and writes our tables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast
from uuid import UUID

from eventsourcing.persistence import ApplicationRecorder, Subscription
from eventsourcing.persistence import Notification as LibraryNotification
from eventsourcing.persistence import StoredEvent as LibraryStoredEvent

from aggregates.base import Claim
from ledger.append.command import Append, Request, Verdict
from ledger.append.writing import Writer
from ledger.database import Database
from ledger.encoded.stored import Notification, StoredEvent
from ledger.errors import ClaimReplaced, ClaimTaken, CredentialEnded, KeyReused, StaleVersion, VersionConflict
from ledger.follow.tailing import BATCH, POLL, Bell
from ledger.outcome import UNCONDITIONAL, Conditions, Expecting, Idempotency, Outcome
from ledger.sealing import Keyring

_OF_ONE = (
    "SELECT originator_id, originator_version, topic, state, customer_id, recorded_at FROM events"
    " WHERE originator_id = %s AND originator_version > %s AND (%s::bigint IS NULL OR originator_version <= %s)"
    " ORDER BY originator_version LIMIT %s"
)
_OF_ONE_BACKWARDS = _OF_ONE.replace("BY originator_version", "BY originator_version DESC")


class SealingKeyExists(Exception):
    """The subject has another key than the one that it was sealed with, or none any more: seal again."""

    def __init__(self, subject: UUID) -> None:
        super().__init__(subject)
        self.subject = subject


class LedgerRecorder(ApplicationRecorder):
    """Reads and writes the events of one workspace."""

    def __init__(self, database: Database, keyring: Keyring) -> None:
        self.database = database
        self._keyring = keyring
        self._writer = Writer(database, keyring.master_id)

    def append(
        self,
        events: Sequence[StoredEvent],
        *,
        id: UUID,
        version: int,
        expecting: Expecting | None = None,
        idempotency: Idempotency | None = None,
        conditions: Conditions = UNCONDITIONAL,
    ) -> Outcome:
        """Write the events of one command, all or none, and answer for one aggregate and its version.

        Raises VersionConflict, StaleVersion, CredentialEnded, ClaimTaken, ClaimReplaced, KeyReused, SealingKeyExists,
        DatabaseAway.
        """
        command = self.command(
            events, id=id, version=version, expecting=expecting, idempotency=idempotency, conditions=conditions
        )
        keys_destroyed = self._keyring.standing() if command.keys else None
        verdict = self._writer.append(command)
        if verdict.word in ("written", "replayed"):
            if verdict.word == "written":
                for subject, new_key in command.keys:
                    if new_key is not None:
                        self._keyring.take_over(subject, new_key, keys_destroyed)
            return Outcome(verdict.id, verdict.version, verdict.position, replayed=verdict.word == "replayed")
        raise _refusal(verdict, expecting, idempotency)

    def command(
        self,
        events: Sequence[StoredEvent],
        *,
        id: UUID,
        version: int,
        expecting: Expecting | None = None,
        idempotency: Idempotency | None = None,
        conditions: Conditions = UNCONDITIONAL,
    ) -> Append:
        """The events with all that has to be written, or to be true, along with them. Raises ClaimTaken."""
        request = None
        if idempotency is not None:
            digest = self._keyring.request_hash(idempotency.body)
            request = Request(idempotency.member, idempotency.key, idempotency.index, digest)
        return Append(events, id, version, expecting, request, _claims(events), _keys(events), conditions)

    def insert_events(self, stored_events: Sequence[LibraryStoredEvent], **kwargs: Any) -> Sequence[int] | None:
        """Write events as the library asks for it; `Ledger.save` is the richer way."""
        if not stored_events:
            return []
        events = cast(Sequence[StoredEvent], stored_events)
        outcome = self.append(events, id=events[0].originator_id, version=events[-1].originator_version, **kwargs)
        return range(outcome.position - len(events) + 1, outcome.position + 1)

    def select_events(
        self,
        originator_id: UUID | str,
        *,
        gt: int | None = None,
        lte: int | None = None,
        desc: bool = False,
        limit: int | None = None,
    ) -> Sequence[StoredEvent]:
        """The events of one aggregate."""
        query = _OF_ONE_BACKWARDS if desc else _OF_ONE
        values = [originator_id, gt or 0, lte, lte, limit]
        rows = self.database.read(lambda connection: connection.execute(query, values, binary=True).fetchall())
        return [StoredEvent(*row) for row in rows]

    def select_notifications(
        self,
        start: int | None,
        limit: int,
        stop: int | None = None,
        topics: Sequence[str] = (),
        *,
        inclusive_of_start: bool = True,
    ) -> Sequence[LibraryNotification]:
        """Events in the order of their positions."""
        after = (start or 0) - 1 if inclusive_of_start else start or 0
        rows = self.database.read(
            lambda connection: connection.execute(
                "SELECT originator_id, originator_version, topic, state, position, customer_id, recorded_at FROM events"
                " WHERE position > %s AND (%s::bigint IS NULL OR position <= %s)"
                " AND (%s OR topic = ANY(%s)) ORDER BY position LIMIT %s",
                [after, stop, stop, not topics, list(topics), limit],
                binary=True,
            ).fetchall()
        )
        return [Notification(*row) for row in rows]

    def max_notification_id(self) -> int | None:
        """The position of the last event; none in an empty ledger."""
        row = self.database.read(lambda connection: connection.execute("SELECT max(position) FROM events").fetchone())
        return row[0] if row else None

    def subscribe(self, gt: int | None = None, topics: Sequence[str] = ()) -> Subscription[ApplicationRecorder]:
        """Every event after a position, and then the new ones as they come."""
        return LedgerSubscription(self, gt=gt, topics=topics)


def _keys(events: Sequence[StoredEvent]) -> list[tuple[UUID, bytes | None]]:
    """The subjects of sealed events, each once, with the very key that they were sealed with where it is a new one."""
    keys: dict[UUID, bytes | None] = {}
    for event in events:
        if event.subject is not None and keys.setdefault(event.subject, event.new_key) != event.new_key:
            raise ValueError(f"the events of one append were sealed with two keys of {event.subject}")
    return list(keys.items())


def _claims(events: Sequence[StoredEvent]) -> list[dict[str, Any]]:
    """The claims of a command, each with the number of its event; of aggregates that share one the first holds it."""
    stated: list[dict[str, Any]] = []
    takers: dict[tuple[str, str], UUID] = {}
    for number, event in enumerate(events):
        for claim in event.claims:
            name = claim.kind, claim.value
            if claim.released:
                if takers.get(name) == event.originator_id:
                    del takers[name]
            elif takers.setdefault(name, event.originator_id) != event.originator_id:
                if claim.detail is not None:
                    continue
                raise ClaimTaken(claim.kind, claim.value, takers[name])
            stated.append(_stated(claim, event.originator_id, number))
    return stated


def _stated(claim: Claim, aggregate_id: UUID, event: int) -> dict[str, Any]:
    stated: dict[str, Any] = {"kind": claim.kind, "value": claim.value, "id": aggregate_id, "event": event}
    if claim.detail is not None:
        stated["detail"] = claim.detail
    if claim.replaces is not None:
        stated["replaces"] = claim.replaces
    if claim.released:
        stated["released"] = True
    return stated


def _refusal(verdict: Verdict, expecting: Expecting | None, idempotency: Idempotency | None) -> Exception:
    if verdict.word == "reused":
        return KeyReused(idempotency.key if idempotency else "")
    if verdict.word == "ended":
        return CredentialEnded()
    if verdict.word == "taken":
        return ClaimTaken(str(verdict.kind), str(verdict.value), verdict.id)
    if verdict.word == "replaced":
        return ClaimReplaced(str(verdict.kind), str(verdict.value))
    if verdict.word == "rekey":
        return SealingKeyExists(verdict.id)
    if expecting is not None and expecting.id == verdict.id and expecting.version != verdict.version:
        return StaleVersion(expecting.version, verdict.version)
    return VersionConflict(verdict.id, verdict.version)


class LedgerSubscription(Subscription[ApplicationRecorder]):
    """The library's way to follow the ledger: one notification after the other, for ever."""

    def __init__(self, recorder: LedgerRecorder, gt: int | None = None, topics: Sequence[str] = ()) -> None:
        super().__init__(recorder=recorder, gt=gt, topics=topics)
        self._bell = Bell(recorder.database)
        self._waiting: list[LibraryNotification] = []

    def __exit__(self, *args: object, **kwargs: object) -> None:
        super().__exit__(*args, **kwargs)
        self._bell.close()

    def __next__(self) -> LibraryNotification:
        while not self._has_been_stopped:
            if not self._waiting:
                found = self._recorder.select_notifications(
                    self._last_notification_id, BATCH, topics=self._topics, inclusive_of_start=False
                )
                self._waiting = list(reversed(found))
            if self._waiting:
                notification = self._waiting.pop()
                self._last_notification_id = notification.id
                return notification
            self._bell.wait(POLL)
        raise StopIteration
