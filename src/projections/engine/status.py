"""How the read models are doing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from psycopg.rows import class_row

from projections.engine.ground import Connection


@dataclass(frozen=True)
class Failure:
    """The event at which a projection has stopped."""

    position: int
    topic: str
    aggregate: UUID
    error: str
    at: datetime


@dataclass(frozen=True)
class Status:
    """One projection: which version, how far, how much behind, and who keeps it up to date.

    `state` is `building` while there is none to ask yet, `stopped` at an event it could not fold, `waiting` without a
    leader, else `running`.
    """

    projection: str
    version: int
    state: Literal["running", "waiting", "stopped", "building"]
    schema_name: str | None
    position: int | None
    head: int
    events_behind: int
    seconds_behind: float
    leader: str | None
    led_since: datetime | None
    failure: Failure | None


@dataclass(frozen=True)
class _Row:
    projection: str
    version: int
    schema_name: str | None
    position: int | None
    head: int
    seconds_behind: float
    leader: str | None
    led_since: datetime | None
    failed_position: int | None
    failed_topic: str | None
    failed_aggregate: UUID | None
    failed_error: str | None
    failed_at: datetime | None


def status(connection: Connection) -> list[Status]:
    """Every projection in use, by name and version; its connection looks at the workspace's schema."""
    with connection.cursor(row_factory=class_row(_Row)) as cursor:
        rows = cursor.execute(
            """
            SELECT p.projection, p.version, b.schema_name, b.position, h.head,
                coalesce(extract(epoch FROM clock_timestamp() - n.recorded_at), 0)::float8 AS seconds_behind,
                CASE WHEN l.held THEN p.leader END AS leader, CASE WHEN l.held THEN p.led_since END AS led_since,
                p.failed_position, p.failed_topic, p.failed_aggregate, p.failed_error, p.failed_at
            FROM projections p
            LEFT JOIN projection_builds b ON b.schema_name = p.live
            CROSS JOIN (SELECT coalesce(max(position), 0) AS head FROM events) h
            LEFT JOIN events n ON n.position = b.position + 1
            CROSS JOIN LATERAL (
                SELECT EXISTS (
                    SELECT FROM pg_locks k
                    WHERE k.locktype = 'advisory' AND k.objsubid = 1 AND k.granted
                      AND k.database = (SELECT oid FROM pg_database WHERE datname = current_database())
                      AND (k.classid::bigint << 32 | k.objid::bigint) = p.leader_lock
                ) AS held
            ) l
            ORDER BY p.projection, p.version
            """
        ).fetchall()
    return [_status(row) for row in rows]


def _status(row: _Row) -> Status:
    failure = _failure(row)
    return Status(
        projection=row.projection,
        version=row.version,
        state=_state(row, failure),
        schema_name=row.schema_name,
        position=row.position,
        head=row.head,
        events_behind=max(0, row.head - (row.position or 0)),
        seconds_behind=max(0.0, row.seconds_behind),
        leader=row.leader,
        led_since=row.led_since,
        failure=failure,
    )


def _state(row: _Row, failure: Failure | None) -> Literal["running", "waiting", "stopped", "building"]:
    if failure is not None:
        return "stopped"
    if row.schema_name is None:
        return "building"
    return "running" if row.leader is not None else "waiting"


def _failure(row: _Row) -> Failure | None:
    if row.failed_position is None or row.failed_at is None or row.failed_aggregate is None:
        return None
    return Failure(
        row.failed_position, row.failed_topic or "", row.failed_aggregate, row.failed_error or "", row.failed_at
    )
