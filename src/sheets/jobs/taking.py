"""A worker's side of the book: taking a job, putting it back, and saying how it ended."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

import msgspec

from ledger.database import Connection
from ledger.sealing import Keyring
from projections.engine.locks import lock_key, try_lock, unlock
from sheets.importing import Report
from sheets.jobs import uploads
from sheets.jobs.book import SILENT, find, sealed
from sheets.jobs.job import Ended, Job, Outcome
from sheets.jobs.signs import Lost

MOST_ATTEMPTS = 5


def is_any_open(connection: Connection) -> bool:
    """There is a job that nobody works on."""
    return _open(connection) != []


def _open(connection: Connection) -> list[UUID]:
    rows = connection.execute(
        "SELECT job_id FROM import_jobs WHERE state = 'queued' "
        "OR (state = 'running' AND seen_at < clock_timestamp() - make_interval(secs => %s)) ORDER BY requested_at",
        [SILENT],
    ).fetchall()
    return [job_id for (job_id,) in rows]


@contextmanager
def taken(connection: Connection, worker: str) -> Iterator[Job | None]:
    """The next job to do, held by a lock for as long as the block lasts; what broke off is taken up again."""
    job = _take(connection, worker)
    try:
        yield job
    finally:
        if job is not None and not connection.closed:
            unlock(connection, _lock(job.job_id))


def _take(connection: Connection, worker: str) -> Job | None:
    for job_id in _open(connection):
        key = _lock(job_id)
        if not try_lock(connection, key):
            continue
        started = connection.execute(
            "UPDATE import_jobs SET state = 'running', worker = %s, seen_at = clock_timestamp(), "
            "attempts = attempts + 1, started_at = clock_timestamp(), rows_done = 0, rows_total = NULL "
            "WHERE job_id = %s AND state IN ('queued', 'running')",
            [worker, job_id],
        )
        job = find(connection, job_id) if started.rowcount else None
        if job is not None and not _ended_already(connection, job, worker):
            return job
        unlock(connection, key)
    return None


def _ended_already(connection: Connection, job: Job, worker: str) -> bool:
    """One that was called off while nobody worked on it, or that has ended too many workers, is not begun again."""
    if job.cancel_requested:
        end(connection, job, worker, "cancelled")
    elif job.attempts > MOST_ATTEMPTS:
        end(connection, job, worker, "failed", "import-broken-off")
    else:
        return False
    return True


def _lock(job_id: UUID) -> int:
    return lock_key("import", job_id)


def put_back(connection: Connection, worker: str, *, is_counted: bool) -> None:
    """Queue again what a worker leaves undone; its attempt counts unless it was asked to stop."""
    connection.execute(
        "UPDATE import_jobs SET state = 'queued', worker = NULL, attempts = attempts - %s "
        "WHERE worker = %s AND state = 'running'",
        [0 if is_counted else 1, worker],
    )


def end(connection: Connection, job: Job, worker: str, state: str, error: Ended | None = None) -> None:
    """Record that it is over without a report; its files go. Raises Lost when another worker has taken it."""
    with connection.transaction():
        _require_held(connection, job, worker)
        connection.execute(
            "UPDATE import_jobs SET state = %s, error = %s, finished_at = clock_timestamp() WHERE job_id = %s",
            [state, error, job.job_id],
        )
        uploads.drop(connection, job.job_id)


def _require_held(connection: Connection, job: Job, worker: str) -> None:
    """Keep the job this worker's until the end of the transaction; raises Lost when it is another's."""
    held = connection.execute(
        "SELECT FROM import_jobs WHERE job_id = %s AND worker = %s AND state = 'running' FOR UPDATE",
        [job.job_id, worker],
    ).fetchone()
    if held is None:
        raise Lost(str(job.job_id))


def fail_unreadable(connection: Connection, keyring: Keyring, job: Job, worker: str, told: Outcome, epoch: int) -> None:
    """Record that its files cannot be read, and why. Raises Lost."""
    with connection.transaction():
        _require_held(connection, job, worker)
        _tell(connection, keyring, job, told, epoch)
        end(connection, job, worker, "failed", "import-unreadable")


def _tell(connection: Connection, keyring: Keyring, job: Job, told: Outcome, epoch: int) -> None:
    """Keep what it tells about rows, until it is forgotten or somebody's data is erased."""
    connection.execute(
        "UPDATE import_jobs SET report = %b, sealing_epoch = %s WHERE job_id = %s",
        [sealed(keyring, job.job_id, told), epoch, job.job_id],
    )


def finish(connection: Connection, keyring: Keyring, job: Job, worker: str, report: Report, epoch: int) -> None:
    """Record that every row was looked at: keep the report, and let the files go. Raises Lost."""
    rows = sum(count.rows for count in report.counts)
    with connection.transaction():
        _require_held(connection, job, worker)
        connection.execute(
            "UPDATE import_jobs SET batch_id = %s, position = %s, refused_rows = %s, counts = %s::jsonb, "
            "rows_total = coalesce(rows_total, %s), rows_done = coalesce(rows_total, %s) WHERE job_id = %s",
            [
                report.batch,
                report.position,
                report.refused_rows,
                msgspec.json.encode(report.counts).decode(),
                rows,
                rows,
                job.job_id,
            ],
        )
        _tell(connection, keyring, job, Outcome.of(report), epoch)
        end(connection, job, worker, "done")
