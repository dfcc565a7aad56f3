"""Loading: an aggregate from its events, or from a snapshot and the events after it."""

from __future__ import annotations

from dataclasses import MISSING, fields
from typing import Any, LiteralString, TypeVar, cast
from uuid import UUID

from eventsourcing.domain import BaseAggregate

from aggregates.base import personal_fields
from ledger.database import Connection, Database
from ledger.encoded.codec import decode
from ledger.encoded.forms import FastEvent, body_fields, form
from ledger.errors import NotFound
from ledger.replaying.replay import replay
from ledger.replaying.snapshots import Snapshot, fingerprint, latest_snapshot
from ledger.sealing import Keyring

A = TypeVar("A", bound=BaseAggregate[UUID])

_UNTIL = (
    " AND (%(version)s::bigint IS NULL OR originator_version <= %(version)s)"
    " AND (%(position)s::bigint IS NULL OR position <= %(position)s)"
)
_HISTORY = (
    "SELECT originator_version, topic, state, recorded_at, customer_id, position,"
    " CASE WHEN originator_version = 1 THEN (SELECT wrapped FROM sealing_keys WHERE subject = %(id)s) END FROM events"
    " WHERE originator_id = %(id)s AND originator_version > "
)
_ORDER = f"{_UNTIL} ORDER BY originator_version"
_AFTER = f"{_HISTORY} %(after)s {_ORDER}"
_SNAPSHOT = (
    f"SELECT max(originator_version) FROM snapshots WHERE originator_id = %(id)s AND fingerprint = %(code)s{_UNTIL}"  # noqa: S608
)
_AFTER_SNAPSHOT = f"{_HISTORY} coalesce(({_SNAPSHOT}), 0) {_ORDER}"


class Loader:
    """Loads aggregates as they are, or as they were."""

    def __init__(self, database: Database, keyring: Keyring) -> None:
        self._database = database
        self._keyring = keyring

    def load(self, cls: type[A], id: UUID, *, version: int | None, position: int | None) -> A:
        """The aggregate; raises NotFound when there is none of that kind, or was none then."""
        standing = self._keyring.standing()
        snapshot, events, key = self._database.read(
            lambda connection: self._read(connection, cls, id, version, position)
        )
        if key is not None:
            self._keyring.take_over(id, key, standing)
        aggregate = replay(snapshot.aggregate if snapshot else None, events, self._keyring)
        if not isinstance(aggregate, cls) or (version is not None and aggregate.version != version):
            raise NotFound(str(getattr(cls, "TOPIC", cls.__name__)), id)
        return aggregate

    def _read(
        self, connection: Connection, cls: type[A], id: UUID, version: int | None, position: int | None
    ) -> tuple[Snapshot | None, list[FastEvent], bytes | None]:
        """The events after the last snapshot, in one query; it is fetched by another when there is one.

        Where the first event is among them, the key to what the aggregate itself says of persons comes along.
        """
        values = {"id": id, "version": version, "position": position, "code": fingerprint(cls), "after": 0}
        events, key = _history(connection, _AFTER_SNAPSHOT, values)
        if events and events[0].originator_version == 1:
            return None, events, key
        snapshot = latest_snapshot(connection, self._keyring, cls, id, version, position)
        if snapshot is None or (events and events[0].originator_version != snapshot.version + 1):
            values["after"] = snapshot.version if snapshot else 0
            events, key = _history(connection, _AFTER, values)
        return snapshot, events, key

    def changed_since(self, id: UUID, version: int) -> tuple[str, ...]:
        """The names of the fields that the events after a version say something about, each once, in order.

        A field that an event always has was changed although it was cleared; one that it may have, when it is given.
        """
        values = {"id": id, "after": version, "version": None, "position": None}
        events, _ = self._database.read(lambda connection: _history(connection, _AFTER, values))
        names: dict[str, None] = {}
        self._keyring.open_blobs([event.blob for event in events if event.blob is not None])
        for event in events:
            names.update(dict.fromkeys(self._changed_by(event)))
        return tuple(names)

    def _changed_by(self, event: FastEvent) -> tuple[str, ...]:
        changed = getattr(event, "changed", None)
        if changed is not None:
            return cast(tuple[str, ...], tuple(changed))
        event_class = form(event.topic).event_class
        personal = personal_fields(event_class)
        opened = {} if event.blob is None else self._keyring.open_blob(event.blob)
        always = {each.name for each in fields(event_class) if each.default is MISSING}
        values = (
            (name, opened.get(name) if name in personal else getattr(event, name)) for name in body_fields(event_class)
        )
        return (*event_class.CHANGES, *(name for name, value in values if name in always or value is not None))


def _history(
    connection: Connection, query: LiteralString, values: dict[str, Any]
) -> tuple[list[FastEvent], bytes | None]:
    rows = connection.execute(query, values, binary=True).fetchall()
    events = [
        decode(
            topic,
            state,
            originator_id=values["id"],
            originator_version=version,
            recorded_at=recorded_at,
            customer_id=customer_id,
            position=position,
        )
        for version, topic, state, recorded_at, customer_id, position, _ in rows
    ]
    return events, rows[0][-1] if rows else None
