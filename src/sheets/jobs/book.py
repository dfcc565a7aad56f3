"""The book of jobs: asking for an import, looking at it, calling it off, and forgetting it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import BinaryIO, LiteralString
from uuid import UUID

import msgspec
from cryptography.exceptions import InvalidTag
from psycopg.rows import class_row

from aggregates.ids import new_id
from ledger.database import Connection
from ledger.sealing import Keyring
from sheets.jobs import uploads
from sheets.jobs.job import Job, Order, Outcome

MOST_WAITING = 50
"""Jobs whose files are kept at the same time."""

SILENT = 10.0
"""Seconds without a sign of life after which a worker counts as gone."""

KEPT_DAYS = 30
_SELECT: LiteralString = """
    SELECT job_id, profile, is_rehearsal, encoding, files, bytes, asked_by, member_id, only_roles, token_digest,
        cancel_requested, error, attempts, rows_done, rows_total, batch_id, position, refused_rows, counts,
        requested_at, started_at, finished_at,
        CASE WHEN state = 'running' AND seen_at < clock_timestamp() - make_interval(secs => %(silent)s)
            THEN 'queued' ELSE state END AS state,
        clock_timestamp() AS read_at
    FROM import_jobs
"""


def is_full(connection: Connection) -> bool:
    """So many jobs wait that no more files are taken in."""
    row = connection.execute("SELECT count(*) FROM import_jobs WHERE state IN ('queued', 'running')").fetchone()
    return row is not None and row[0] >= MOST_WAITING


def request(connection: Connection, keyring: Keyring, order: Order, files: Mapping[str, BinaryIO]) -> Job:
    """Ask for an import of these files; all of it is stored, or nothing."""
    job_id = new_id(int(datetime.now(UTC).timestamp() * 1000))
    with connection.transaction():
        connection.execute(
            "INSERT INTO import_jobs (job_id, profile, is_rehearsal, encoding, files, bytes, asked_by, member_id, "
            "only_roles, token_digest) VALUES (%s, %s, %s, %s, %s, 0, %s, %s, %s, %b)",
            [
                job_id,
                order.profile,
                order.is_rehearsal,
                order.encoding,
                list(files),
                order.asked_by,
                order.member_id,
                None if order.only_roles is None else sorted(order.only_roles),
                order.token_digest,
            ],
        )
        size = uploads.keep(connection, keyring, job_id, files)
        connection.execute("UPDATE import_jobs SET bytes = %s WHERE job_id = %s", [size, job_id])
        found = find(connection, job_id)
    assert found is not None
    return found


def find(connection: Connection, job_id: UUID) -> Job | None:
    """The job as it stands."""
    with connection.cursor(row_factory=class_row(Job)) as cursor:
        return cursor.execute(
            _SELECT + "WHERE job_id = %(job_id)s", {"job_id": job_id, "silent": SILENT}, prepare=True
        ).fetchone()


def latest(connection: Connection, limit: int, before: UUID | None = None) -> list[Job]:
    """The jobs asked for last, newest first; ids sort by the moment they were made."""
    with connection.cursor(row_factory=class_row(Job)) as cursor:
        return cursor.execute(
            _SELECT + "WHERE %(before)s::uuid IS NULL OR job_id < %(before)s ORDER BY job_id DESC LIMIT %(limit)s",
            {"before": before, "limit": limit, "silent": SILENT},
        ).fetchall()


def outcome(connection: Connection, keyring: Keyring, job_id: UUID) -> Outcome | None:
    """What it tells about rows; none while it is not over, and none after somebody's data was erased since."""
    row = connection.execute(
        "SELECT report FROM import_jobs WHERE job_id = %s AND sealing_epoch = (SELECT sealing_epoch FROM meta)",
        [job_id],
        binary=True,
    ).fetchone()
    if row is None or row[0] is None:
        return None
    try:
        return msgspec.json.decode(keyring.decrypt_cached(bytes(row[0]), job_id.bytes), type=Outcome)
    except InvalidTag:
        return None


def sealed(keyring: Keyring, job_id: UUID, told: Outcome) -> bytes:
    """What a job tells about rows, as it is kept."""
    return keyring.encrypt_cached(msgspec.json.encode(told, enc_hook=str), job_id.bytes)


def cancel(connection: Connection, job_id: UUID) -> Job | None:
    """Call it off: at once when nobody works on it, else as soon as whoever does looks up."""
    with connection.transaction():
        row = connection.execute(
            "UPDATE import_jobs SET cancel_requested = true, "
            "finished_at = CASE WHEN state = 'queued' THEN clock_timestamp() END, "
            "state = CASE WHEN state = 'queued' THEN 'cancelled' ELSE state END "
            "WHERE job_id = %s AND state IN ('queued', 'running') RETURNING state",
            [job_id],
        ).fetchone()
        if row is not None and row[0] == "cancelled":
            uploads.drop(connection, job_id)
        return find(connection, job_id)


def forget_old(connection: Connection, days: int = KEPT_DAYS) -> None:
    """Remove what was over long ago, and reports in which somebody may stand whose data was erased since."""
    connection.execute("DELETE FROM import_jobs WHERE finished_at < now() - make_interval(days => %s)", [days])
    connection.execute(
        "UPDATE import_jobs SET report = NULL "
        "WHERE report IS NOT NULL AND sealing_epoch <> (SELECT sealing_epoch FROM meta)"
    )
