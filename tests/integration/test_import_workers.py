"""Imports by several processes at once, one of which may be slow, stopped for a while or taken for lost."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BytesIO
from multiprocessing import get_context
from multiprocessing.context import SpawnProcess
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from commands.base import Door, execute
from commands.members import RegisterMember
from crm.imports.process import work_off
from integration.bookkeeping import superuser
from integration.overlapping import import_of, require_each_once, write_profile, write_sheet
from keys import MASTER_KEY, as_setting
from ledger.database import Database
from ledger.ledger import Ledger
from ledger.sealing import Keyring
from policy import Actor
from projections.engine.ground import Address
from projections.engine.locks import lock_key
from sheets.jobs import Job, Order, book

ROWS = 60
WAITING = (
    "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
    " AND (classid::bigint << 32 | objid::bigint) = (1734700650::bigint << 32 | 'events'::regclass::oid::bigint)"
)
"""Those who wait for being the next to write."""
PATIENCE = 60.0
SHORT_AND_LONG = [1, pytest.param(15, marks=pytest.mark.torture)]


class Site:
    """A workspace with a member who may import, a profile of payments, and the processes that bring files in."""

    def __init__(self, server: str, schema: str, database: Database, ledger: Ledger, folder: Path) -> None:
        self.server, self.schema, self.database, self.ledger, self.folder = server, schema, database, ledger, folder
        self.profile = write_profile(folder, "payments")
        by = Actor("rule:test", None, "test", "rule")
        command = RegisterMember(name="成员", roles=["administrator"])
        self.member: UUID = execute(command, to=None, by=by, door=Door(ledger)).id

    def invoiced(self, prefix: str, rows: int) -> Path:
        """A sheet of payments whose invoices are in."""
        import_of(self.profile, write_sheet(self.folder, prefix, rows, is_acting=False), self.ledger)()
        return write_sheet(self.folder, prefix, rows)

    def ask(self, sheet: Path) -> Job:
        """Ask for an import, as the route does."""
        order = Order(str(self.profile), False, None, f"member:{self.member}", self.member)
        with self.database.connection(autocommit=True) as connection:
            return book.request(
                connection, Keyring(self.database, MASTER_KEY), order, {"sheet.csv": BytesIO(sheet.read_bytes())}
            )

    def found(self, job: Job) -> Job:
        """The job as it stands."""
        with self.database.connection(autocommit=True) as connection:
            found = book.find(connection, job.job_id)
        assert found is not None
        return found

    @contextmanager
    def worker(self, name: str) -> Iterator[SpawnProcess]:
        """A process that does jobs until there are none."""
        context = get_context("spawn")
        theirs, ours = context.Pipe(duplex=False)
        folder = self.folder / f"{name}-{time.monotonic_ns()}"
        address = Address(self.server, self.schema, self.database.role, MASTER_KEY)
        process = context.Process(target=work_off, args=(address, name, folder, theirs, "ERROR"), daemon=True)
        process.start()
        theirs.close()
        try:
            yield process
            process.join(PATIENCE)
            assert process.exitcode is not None, "a worker does not come to its end"
        finally:
            ours.close()
            process.kill()
            process.join()

    def command_line(self, sheet: Path) -> subprocess.Popen[str]:
        """A run of `crm import`."""
        clean = {name: value for name, value in os.environ.items() if not name.startswith("CRM_")}
        where = {
            "CRM_DATABASE_URL": self.server,
            "CRM_SCHEMA": self.schema,
            "CRM_DATA_DIR": str(self.folder / "data"),
            "CRM_MASTER_KEY": as_setting(MASTER_KEY),
        }
        words = [sys.executable, "-m", "crm", "import", "--json", "--profile", str(self.profile), str(sheet)]
        return subprocess.Popen(words, env={**clean, **where}, stdout=subprocess.PIPE, text=True)

    def payments(self) -> int:
        """How many there are."""
        with self.database.connection() as connection:
            row = connection.execute("SELECT count(*) FROM events WHERE topic = 'receivable.payment-received'")
            (found,) = row.fetchone() or (0,)
        return int(found)

    @contextmanager
    def starting_together(self) -> Iterator[None]:
        """What starts within the block has found no row in the ledger when the first of all writes its first one."""
        with superuser(self.server, self.schema) as connection, connection.transaction():
            connection.execute("SELECT lock_ledger()")
            yield
            wait(lambda: connection.execute(WAITING).fetchone() == (2,))

    def lose_lock(self, job: Job) -> None:
        """End the connection that holds a job, and let its last sign of life be long ago."""
        with superuser(self.server, self.schema) as connection:
            ended = connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND granted"
                " AND (classid::bigint << 32 | objid::bigint) = %s",
                [lock_key("import", job.job_id)],
            ).fetchall()
            assert len(ended) == 1
            connection.execute("UPDATE import_jobs SET seen_at = now() - interval '1 minute'")


@pytest.fixture
def site(server: str, workspace: str, database: Database, ledger: Ledger, tmp_path: Path) -> Site:
    """Such a workspace."""
    return Site(server, workspace, database, ledger, tmp_path)


def wait(until: Callable[[], Any]) -> None:
    """Wait for it."""
    ends = time.monotonic() + PATIENCE
    while not until():
        assert time.monotonic() < ends
        time.sleep(0.005)


def all_in(run: subprocess.Popen[str]) -> int:
    """The rows that a command line brought in; it must end with 0 and have refused none."""
    said, _ = run.communicate(timeout=PATIENCE)
    assert run.returncode == 0, said
    total = json.loads(said)["total"]
    assert total["refused"] == total["changed"] == 0
    return int(total["imported"])


@pytest.mark.parametrize("rounds", SHORT_AND_LONG)
def test_two_command_lines(site: Site, rounds: int) -> None:
    for number in range(1, rounds + 1):
        sheet = site.invoiced(f"C{number}", ROWS)
        with site.starting_together():
            runs = [site.command_line(sheet) for _ in range(2)]
        assert sum(all_in(run) for run in runs) == ROWS
        require_each_once(site.ledger, ["payments"], number * ROWS)


@pytest.mark.parametrize("rounds", SHORT_AND_LONG)
def test_a_command_line_with_a_worker(site: Site, rounds: int) -> None:
    for number in range(1, rounds + 1):
        sheet = site.invoiced(f"W{number}", ROWS)
        job = site.ask(sheet)
        with site.worker("worker") as worker:
            with site.starting_together():
                run = site.command_line(sheet)
            imported = all_in(run)
        done = site.found(job)
        assert (worker.exitcode, done.state, done.refused_rows) == (0, "done", 0)
        assert imported + _imported(done) == ROWS
        require_each_once(site.ledger, ["payments"], number * ROWS)


@pytest.mark.parametrize("rounds", SHORT_AND_LONG)
def test_two_workers(site: Site, rounds: int) -> None:
    for number in range(1, rounds + 1):
        sheet = site.invoiced(f"T{number}", ROWS)
        jobs = [site.ask(sheet) for _ in range(2)]
        with site.worker("one") as one, site.worker("other") as other, site.starting_together():
            pass
        done = [site.found(job) for job in jobs]
        assert [one.exitcode, other.exitcode] == [0, 0]
        assert [(each.state, each.refused_rows) for each in done] == [("done", 0)] * 2
        assert sum(map(_imported, done)) == ROWS
        require_each_once(site.ledger, ["payments"], number * ROWS)


@pytest.mark.parametrize("rounds", SHORT_AND_LONG)
def test_a_worker_that_was_taken_for_lost_and_was_only_slow(site: Site, rounds: int) -> None:
    rows = 10 * ROWS
    for number in range(1, rounds + 1):
        sheet, before = site.invoiced(f"S{number}", rows), site.payments()
        job = site.ask(sheet)
        with site.worker("slow") as slow:
            wait(lambda before=before: site.payments() > before)  # type: ignore[misc]
            assert slow.pid is not None
            os.kill(slow.pid, signal.SIGSTOP)
            site.lose_lock(job)
            seen = site.payments()
            assert seen < before + rows
            with site.worker("other") as other:
                wait(lambda seen=seen: site.payments() > seen)  # type: ignore[misc]
                os.kill(slow.pid, signal.SIGCONT)
        done = site.found(job)
        assert (other.exitcode, done.state, done.attempts, done.refused_rows) == (0, "done", 2, 0)
        assert slow.exitcode != 0
        require_each_once(site.ledger, ["payments"], number * rows)


def _imported(job: Job) -> int:
    return sum(int(count["imported"]) for count in job.counts or ())
