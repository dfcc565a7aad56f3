"""Takes base backups of the embedded server while it serves."""

from __future__ import annotations

import os
import secrets
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from datetime import datetime, timedelta
from pathlib import Path

import psycopg

from crm.database.archive.failing import archives_into, failing
from crm.database.archive.folder import Archive
from crm.database.archive.retention import tidy
from crm.database.embedded import programs
from crm.database.errors import ArchiveUnusable
from crm.database.lease import turn
from ledger.stamps import stamp


def take(conninfo: str, archive: Archive) -> Path:
    """Take a base backup and put it into the archive, whole and verified; raises ArchiveUnusable."""
    with closing(psycopg.connect(conninfo, autocommit=True)) as connection:
        _require_archiving(connection, archive)
        aside = archive.base / f".{secrets.token_hex(4)}.part"
        try:
            run(
                *("pg_basebackup", "--dbname", conninfo, "--pgdata", str(aside), "--format=tar"),
                *("--compress=gzip:1", "--wal-method=stream", "--checkpoint=fast", "--manifest-checksums=SHA256"),
                *("--label=genjin", "--no-password"),
            )
            verify(aside)
            return _placed(aside, _clock(connection))
        finally:
            shutil.rmtree(aside, ignore_errors=True)


@contextmanager
def alone(archive: Archive) -> Iterator[None]:
    """Take and remove base backups in an archive while nobody else does."""
    try:
        archive.base.mkdir(mode=0o700, parents=True, exist_ok=True)
        with turn(archive.base):
            tidy(archive)
            yield
    except OSError as refused:
        raise ArchiveUnusable(f"CRM_ARCHIVE_DIR must be a folder that can be written to: {refused}.") from refused


def verify(base: Path) -> None:
    """Compare a base backup with the checksums that were taken down when it was made; raises ArchiveUnusable."""
    run("pg_verifybackup", "--quiet", "--format=tar", "--no-parse-wal", str(base))


def run(program: str, *words: str) -> None:
    """Run one of PostgreSQL's programs to its end; raises ArchiveUnusable with what it says where that is a failure."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    done = subprocess.run(
        [str(programs() / program), *words],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        env={**clean, "LC_ALL": "C"},
        check=False,
    )
    if done.returncode:
        raise ArchiveUnusable(f"{program} failed: {done.stderr.strip()}")


def _require_archiving(connection: psycopg.Connection, archive: Archive) -> None:
    if not archives_into(connection, archive.path):
        raise ArchiveUnusable(
            f"The database does not archive into {archive.path}: stop everything that uses it, and start it again with "
            f"CRM_ARCHIVE_DIR={shlex.quote(str(archive.path))}."
        )
    if (fault := failing(connection)) is not None:
        raise ArchiveUnusable(
            f"The segment {fault.segment} cannot be archived, and a base backup is worth little without what comes "
            f"after it: see {archive.path} and the log of the database, which says why."
        )


def _clock(connection: psycopg.Connection) -> datetime:
    """The next whole millisecond, so that it can be told without losing digits."""
    (now,) = connection.execute("SELECT clock_timestamp()").fetchone() or (None,)
    assert isinstance(now, datetime)
    return now + timedelta(microseconds=1000 - now.microsecond % 1000)


def _placed(aside: Path, moment: datetime) -> Path:
    path = aside.rename(aside.with_name(stamp(moment)))
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        with suppress(OSError):
            os.fsync(folder)
    finally:
        os.close(folder)
    return path
