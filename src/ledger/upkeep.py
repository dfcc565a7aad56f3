"""What a worker does for the ledger now and then: snapshots of what has grown long, and forgetting old answers."""

from __future__ import annotations

import pickle
from uuid import UUID

from eventsourcing.domain import BaseAggregate

from ledger.database import Database
from ledger.encoded.forms import form
from ledger.ledger import Ledger
from ledger.replaying.snapshots import bound_to, fingerprint


def take_snapshots(ledger: Ledger, *, most: int = 100) -> int:
    """Take the snapshots that are due, at most so many, and say how many were taken.

    One is due at every five hundredth event of an aggregate (the index events_milestone knows the number).
    """
    rows = ledger.database.read(
        lambda connection: connection.execute(
            "SELECT e.originator_id, e.originator_version, e.position, e.topic, s.fingerprint FROM ("
            "  SELECT DISTINCT ON (originator_id) originator_id, originator_version, position, topic FROM events"
            "  WHERE originator_version % 500 = 0 ORDER BY originator_id, originator_version DESC) e"
            " LEFT JOIN snapshots s USING (originator_id, originator_version)"
        ).fetchall()
    )
    taken = 0
    for aggregate_id, version, position, topic, made_by in rows:
        cls = form(topic).aggregate_class
        if made_by != fingerprint(cls) and taken < most:
            taken += _take(ledger, cls, aggregate_id, version, position)
    return taken


def _take(ledger: Ledger, cls: type[BaseAggregate[UUID]], id: UUID, version: int, position: int) -> bool:
    epoch = ledger.keyring.epoch()
    state = pickle.dumps(ledger.load(cls, id, version=version), protocol=5)
    sealed = ledger.keyring.encrypt_cached(state, bound_to(id, version))
    with ledger.database.connection(autocommit=True) as connection:
        row = connection.execute(
            "SELECT put_snapshot(%s, %s, %s, %s, %s, %s)", [id, version, position, fingerprint(cls), sealed, epoch]
        ).fetchone()
    return bool(row and row[0])


def forget_idempotency_keys(database: Database) -> int:
    """Remove answers older than seven days; says how many."""
    row = database.read(lambda connection: connection.execute("SELECT forget_idempotency_keys()").fetchone())
    assert row is not None
    return int(row[0])
