"""Signs of life: whoever works on a job says so all the time, and learns whether it may go on."""

from __future__ import annotations

from collections.abc import Callable
from threading import Event, Thread

import psycopg

from ledger.database import Connection
from ledger.errors import DatabaseAway
from sheets.jobs.job import Ended, Job

SIGNS_APART = 0.5
"""Seconds between two signs of life."""

Check = Callable[[Connection], Ended | None]
"""Answers why a job must not go on; none while it may."""


class CalledOff(Exception):
    """Somebody has cancelled the import; what was written stays."""


class Lost(Exception):
    """The job is no longer this worker's: its connection was lost, or another one has taken it."""


class NotAllowed(Exception):
    """The job must not go on, for the reason that its code names; what was written stays."""

    def __init__(self, code: Ended) -> None:
        super().__init__(code)
        self.code = code


class SignsOfLife:
    """Writes down every half second how far a job is, and learns whether it was called off or must not go on.

    The connection is the one that holds the job's lock, so when it is lost, so is the job.
    """

    def __init__(self, connection: Connection, job: Job, worker: str, check: Check) -> None:
        self._connection = connection
        self._job = job
        self._worker = worker
        self._check = check
        self._done, self._total = 0, 0
        self._ended: Exception | None = None
        self._stop = Event()
        self._thread = Thread(target=self._run, name="signs of life", daemon=True)

    def progress(self, done: int, total: int) -> None:
        """So many rows of so many. Raises CalledOff, NotAllowed and Lost."""
        self._done, self._total = max(self._done, done), total
        if self._ended is not None:
            raise self._ended

    def __enter__(self) -> SignsOfLife:
        """Begin; raises NotAllowed before anything is done."""
        if (code := self._check(self._connection)) is not None:
            raise NotAllowed(code)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        while self._ended is None and not self._stop.wait(SIGNS_APART):
            try:
                self._ended = self._sign()
            except (psycopg.Error, DatabaseAway):
                self._ended = Lost(str(self._job.job_id))

    def _sign(self) -> Exception | None:
        """Write one down; why the job must end, if it must."""
        row = self._connection.execute(
            "UPDATE import_jobs SET seen_at = clock_timestamp(), rows_done = %s, rows_total = nullif(%s, 0) "
            "WHERE job_id = %s AND worker = %s AND state = 'running' RETURNING cancel_requested",
            [self._done, self._total, self._job.job_id, self._worker],
            prepare=True,
        ).fetchone()
        if row is None:
            return Lost(str(self._job.job_id))
        if row[0]:
            return CalledOff(str(self._job.job_id))
        code = self._check(self._connection)
        return None if code is None else NotAllowed(code)
