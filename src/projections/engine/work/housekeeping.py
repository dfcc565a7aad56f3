"""Clearing away what nobody needs any more."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass

from projections.engine.build import jobs
from projections.engine.ground import Connection
from projections.engine.locks import lock_key, try_lock, unlock
from projections.engine.model.declaration import Projection
from projections.engine.tables import builds

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Limits:
    """How long and how much is kept."""

    grace_seconds: float = 60.0
    """A retired schema is kept so long for the readers that are still in it."""
    copies_bytes: int = 4 * 1024**3
    """Copies as of earlier positions may take so much space together."""
    seconds_apart: float = 5.0


def keep_house(connection: Connection, schema: str, projections: Iterable[type[Projection]], limits: Limits) -> None:
    """One round of clearing up; only one worker at a time does it."""
    key = lock_key(schema, "housekeeping")
    if not try_lock(connection, key):
        return
    try:
        for projection in projections:
            _retire_other_versions(connection, projection)
            _renew_after_erasure(connection, projection)
        builds.retire_erased_copies(connection)
        _retire_copies_above(connection, limits.copies_bytes)
        for name in builds.drop_retired(connection, limits.grace_seconds):
            log.info("dropped %s", name)
        jobs.forget_old(connection)
    finally:
        unlock(connection, key)


def _retire_other_versions(connection: Connection, projection: type[Projection]) -> None:
    """Earlier versions go once this one is served and no worker of that release leads them any more."""
    with connection.transaction():
        connection.execute(
            "UPDATE projection_builds SET state = 'retired', retired_at = now() "
            "WHERE projection = %s AND version < %s AND as_of IS NOT NULL AND state = 'serving'",
            [projection.name, projection.version],
        )
        connection.execute(
            """
            WITH gone AS (
                DELETE FROM projections p
                WHERE p.projection = %(name)s AND p.version < %(version)s
                  AND EXISTS (SELECT FROM projections c JOIN projection_builds b ON b.schema_name = c.live
                              WHERE c.projection = %(name)s AND c.version = %(version)s)
                  AND NOT EXISTS (SELECT FROM pg_locks k WHERE k.locktype = 'advisory' AND k.objsubid = 1 AND k.granted
                                  AND k.database = (SELECT oid FROM pg_database WHERE datname = current_database())
                                  AND (k.classid::bigint << 32 | k.objid::bigint) = p.leader_lock)
                RETURNING p.projection, p.version
            )
            UPDATE projection_builds b SET state = 'retired', retired_at = now() FROM gone
            WHERE b.projection = gone.projection AND b.version = gone.version AND b.state <> 'retired'
            """,
            {"name": projection.name, "version": projection.version},
        )


def _renew_after_erasure(connection: Connection, projection: type[Projection]) -> None:
    """What was erased must not stay readable in rows that were written before: these are built anew."""
    outdated = connection.execute(
        "SELECT FROM projections p JOIN projection_builds b ON b.schema_name = p.live CROSS JOIN meta m "
        "WHERE p.projection = %s AND p.version = %s AND b.sealing_epoch < m.sealing_epoch",
        [projection.name, projection.version],
    ).fetchone()
    if outdated is not None:
        jobs.request(connection, "rebuild", projection.name, projection.version)


def _retire_copies_above(connection: Connection, most: int) -> None:
    """The least recently used copies go first."""
    connection.execute(
        """
        UPDATE projection_builds b SET state = 'retired', retired_at = now()
        FROM (SELECT schema_name, sum(bytes) OVER (ORDER BY used_at DESC, schema_name) AS upto
              FROM projection_builds WHERE as_of IS NOT NULL AND state = 'serving') AS u
        WHERE u.schema_name = b.schema_name AND u.upto > %s
        """,
        [most],
    )
