"""What workers are asked to build, and how far they are."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from threading import Event
from time import monotonic
from typing import Any, Literal, LiteralString
from uuid import UUID

from psycopg.rows import class_row

from projections.engine.failures import Cancelled, Stopping
from projections.engine.ground import Connection
from projections.engine.locks import lock_key, try_lock, unlock

Kind = Literal["rebuild", "as-of"]
MOST_ATTEMPTS = 5
REPORTS_APART = 0.5
"""Seconds between two reports of a running job."""

_SELECT: LiteralString = """
    SELECT job_id, kind, projection, version, as_of, state, phase, cancel_requested, events_done, events_total,
        events_per_second, seconds_left, schema_name, worker, attempts, error, requested_at, started_at, finished_at
    FROM projection_jobs
"""


@dataclass(frozen=True)
class Job:
    """A read model to be built anew, or a copy of one as of a position."""

    job_id: UUID
    kind: Kind
    projection: str
    version: int
    as_of: int | None
    state: Literal["queued", "running", "done", "failed", "cancelled"]
    phase: str | None
    cancel_requested: bool
    events_done: int
    events_total: int | None
    events_per_second: int | None
    seconds_left: int | None
    schema_name: str | None
    worker: str | None
    attempts: int
    error: str | None
    requested_at: datetime
    started_at: datetime | None
    finished_at: datetime | None

    @property
    def is_over(self) -> bool:
        """Nothing more happens to it."""
        return self.state in ("done", "failed", "cancelled")


def request(connection: Connection, kind: Kind, projection: str, version: int, as_of: int | None = None) -> Job:
    """Ask for it to be built; whoever asks for what is queued or running already gets that job."""
    with connection.transaction():
        connection.execute(
            "INSERT INTO projection_jobs (kind, projection, version, as_of) VALUES (%s, %s, %s, %s) "
            "ON CONFLICT (kind, projection, version, coalesce(as_of, -1)) WHERE state IN ('queued', 'running') "
            "DO NOTHING",
            [kind, projection, version, as_of],
        )
        connection.execute("SELECT pg_notify(current_schema() || '_jobs', 'queued')")
        found = _one(
            connection,
            _SELECT + "WHERE kind = %s AND projection = %s AND version = %s "
            "AND as_of IS NOT DISTINCT FROM %s ORDER BY requested_at DESC LIMIT 1",
            [kind, projection, version, as_of],
        )
    assert found is not None
    return found


def find(connection: Connection, job_id: UUID) -> Job | None:
    """The job as it stands."""
    return _one(connection, _SELECT + "WHERE job_id = %s", [job_id])


def latest(
    connection: Connection, kind: Kind | None = None, projection: str | None = None, limit: int = 50
) -> list[Job]:
    """The jobs asked for last, newest first."""
    with connection.cursor(row_factory=class_row(Job)) as cursor:
        return cursor.execute(
            _SELECT + "WHERE (%(kind)s::text IS NULL OR kind = %(kind)s) "
            "AND (%(projection)s::text IS NULL OR projection = %(projection)s) "
            "ORDER BY requested_at DESC LIMIT %(limit)s",
            {"kind": kind, "projection": projection, "limit": limit},
        ).fetchall()


def cancel(connection: Connection, job_id: UUID) -> Job | None:
    """Stop it: at once when nobody works on it yet, else as soon as whoever does looks up."""
    with connection.transaction():
        connection.execute(
            "UPDATE projection_jobs SET cancel_requested = true, "
            "finished_at = CASE WHEN state = 'queued' THEN now() END, "
            "state = CASE WHEN state = 'queued' THEN 'cancelled' ELSE state END "
            "WHERE job_id = %s AND state IN ('queued', 'running')",
            [job_id],
        )
        _tell(connection, "cancel")
        return find(connection, job_id)


@contextmanager
def taken(
    connection: Connection, worker: str, kind: Kind, versions: Collection[tuple[str, int]]
) -> Iterator[Job | None]:
    """The next job to do, held by a lock for as long as the block lasts; what broke off is taken up again."""
    job = _take(connection, worker, kind, versions)
    try:
        yield job
    finally:
        if job is not None and not connection.closed:
            unlock(connection, _lock(job.job_id))


def _take(connection: Connection, worker: str, kind: Kind, versions: Collection[tuple[str, int]]) -> Job | None:
    """Taking the lock comes first: a job that says it is running while nobody has its lock was broken off."""
    open_jobs = connection.execute(
        "SELECT job_id FROM projection_jobs WHERE state IN ('queued', 'running') AND kind = %s "
        "AND (projection, version) IN (SELECT * FROM unnest(%s::text[], %s::int[])) ORDER BY requested_at",
        [kind, [name for name, _ in versions], [version for _, version in versions]],
    ).fetchall()
    for (job_id,) in open_jobs:
        key = _lock(job_id)
        if not try_lock(connection, key):
            continue
        started = connection.execute(
            "UPDATE projection_jobs SET state = 'running', worker = %s, attempts = attempts + 1, phase = 'starting', "
            "started_at = now(), events_done = 0, events_per_second = NULL, seconds_left = NULL, schema_name = NULL "
            "WHERE job_id = %s AND state IN ('queued', 'running')",
            [worker, job_id],
        )
        if started.rowcount:
            return find(connection, job_id)
        unlock(connection, key)
    return None


def _lock(job_id: UUID) -> int:
    return lock_key("job", job_id)


def finish(connection: Connection, job: Job, state: str, error: str | None = None) -> None:
    """Say how it ended."""
    connection.execute(
        "UPDATE projection_jobs SET state = %s, error = %s, finished_at = now(), seconds_left = NULL, phase = NULL, "
        "events_done = CASE WHEN %s = 'done' THEN coalesce(events_total, events_done) ELSE events_done END "
        "WHERE job_id = %s",
        [state, error, state, job.job_id],
    )
    _tell(connection, state)


def put_back(connection: Connection, job: Job) -> None:
    """Queue it again; it was broken off through no fault of its own."""
    connection.execute(
        "UPDATE projection_jobs SET state = 'queued', phase = NULL, worker = NULL WHERE job_id = %s", [job.job_id]
    )


def forget_old(connection: Connection, days: int = 30) -> None:
    """Remove what was over long ago."""
    connection.execute("DELETE FROM projection_jobs WHERE finished_at < now() - make_interval(days => %s)", [days])


def _tell(connection: Connection, what: str) -> None:
    connection.execute("SELECT pg_notify(current_schema() || '_jobs', %s)", [what])


def _one(connection: Connection, query: LiteralString, parameters: list[Any]) -> Job | None:
    with connection.cursor(row_factory=class_row(Job)) as cursor:
        return cursor.execute(query, parameters).fetchone()


class Progress:
    """Writes down how far a job is, not too often; raises Cancelled when somebody asked for that, and Stopping."""

    def __init__(
        self, connection: Connection, job: Job, stop: Event | None = None, *, apart: float = REPORTS_APART
    ) -> None:
        self._connection = connection
        self._job = job
        self._stop = stop
        self._apart = apart
        self._phase = "starting"
        self._after = 0
        self._upto = 0
        self._began = self._reported = monotonic()

    def begin(self, phase: str, after: int, upto: int, schema_name: str) -> None:
        """A phase that goes from one position to another."""
        self._phase, self._after, self._upto = phase, after, upto
        self._began = monotonic()
        self._write(after, schema_name)

    def phase(self, phase: str) -> None:
        """What is being done now, without events to count."""
        self._phase = phase
        self._write(self._upto)

    def reached(self, position: int) -> None:
        """So far we are."""
        if self._stop is not None and self._stop.is_set():
            raise Stopping
        if monotonic() - self._reported >= self._apart:
            self._write(position)

    def _write(self, position: int, schema_name: str | None = None) -> None:
        self._reported = monotonic()
        done, total = position - self._after, self._upto - self._after
        seconds = self._reported - self._began
        rate = int(done / seconds) if done and seconds > 0 else None
        row = self._connection.execute(
            "UPDATE projection_jobs SET phase = %s, events_done = %s, events_total = %s, events_per_second = %s, "
            "seconds_left = %s, schema_name = coalesce(%s, schema_name) WHERE job_id = %s RETURNING cancel_requested",
            [
                self._phase,
                done,
                total,
                rate,
                -(-(total - done) // rate) if rate else None,
                schema_name,
                self._job.job_id,
            ],
            prepare=True,
        ).fetchone()
        _tell(self._connection, "progress")
        if row is None or row[0]:
            raise Cancelled(str(self._job.job_id))
