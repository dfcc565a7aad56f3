"""Signs of life: whoever works on a job says so all the time, and learns whether it was called off."""

from __future__ import annotations

from threading import Event, Thread

import psycopg

from ledger.database import Connection
from sheets.jobs.job import Job

SIGNS_APART = 0.5
"""Seconds between two signs of life."""


class CalledOff(Exception):
    """Somebody has cancelled the import; what was written stays."""


class Lost(Exception):
    """The job is no longer this worker's: its connection was lost, or another one has taken it."""


class SignsOfLife:
    """Writes down every half second how far a job is, and learns whether it was called off.

    The connection is the one that holds the job's lock, so when it is lost, so is the job.
    """

    def __init__(self, connection: Connection, job: Job, worker: str) -> None:
        self._connection = connection
        self._job = job
        self._worker = worker
        self._done, self._total = 0, 0
        self._ended: type[Exception] | None = None
        self._stop = Event()
        self._thread = Thread(target=self._run, name="signs of life", daemon=True)

    def progress(self, done: int, total: int) -> None:
        """So many rows of so many. Raises CalledOff and Lost."""
        self._done, self._total = max(self._done, done), total
        if self._ended is not None:
            raise self._ended(str(self._job.job_id))

    def __enter__(self) -> SignsOfLife:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        while self._ended is None and not self._stop.wait(SIGNS_APART):
            try:
                row = self._connection.execute(
                    "UPDATE import_jobs SET seen_at = clock_timestamp(), rows_done = %s, rows_total = nullif(%s, 0) "
                    "WHERE job_id = %s AND worker = %s AND state = 'running' RETURNING cancel_requested",
                    [self._done, self._total, self._job.job_id, self._worker],
                    prepare=True,
                ).fetchone()
            except psycopg.Error:
                self._ended = Lost
            else:
                self._ended = Lost if row is None else CalledOff if row[0] else None
