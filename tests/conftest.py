"""What tests of every kind share: a PostgreSQL server, and a workspace of their own in it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import pytest

from keys import MASTER_KEY
from workspaces import dropped_afterwards

if TYPE_CHECKING:
    from ledger.database import Database
    from ledger.ledger import Ledger
    from ledger.sealing import Keyring

NO_REFERENCE_DATA = "there is no reference data"


@contextmanager
def folder_for_a_server() -> Iterator[Path]:
    """A folder that a server's own user can get to: pytest closes those above its own to everybody but us."""
    with TemporaryDirectory(prefix="genjin-", ignore_cleanup_errors=True) as folder:
        yield Path(folder)


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder in which a test may have an embedded server."""
    with folder_for_a_server() as folder:
        yield folder


def hurry(conninfo: str) -> None:
    """Let a server whose machine may lose everything not wait for its disk; a crash of its processes loses nothing."""
    from contextlib import closing

    import psycopg
    from psycopg import sql

    with closing(psycopg.connect(conninfo, autocommit=True)) as connection:
        for name in ("fsync", "full_page_writes"):
            connection.execute(sql.SQL("ALTER SYSTEM SET {} = off").format(sql.Identifier(name)))
        connection.execute("SELECT pg_reload_conf()")


@pytest.fixture(scope="session")
def server() -> Iterator[str]:
    """How to reach a database of ours as a superuser: on the server named by CRM_TEST_DATABASE_URL, or on our own."""
    from crm.database.embedded import EmbeddedServer
    from crm.database.server import make_ready

    if named := os.environ.get("CRM_TEST_DATABASE_URL"):
        make_ready(named)
        yield named
        return
    with folder_for_a_server() as folder:
        embedded = EmbeddedServer(folder / "postgres")
        embedded.start()
        try:
            conninfo = embedded.conninfo("genjin_test")
            make_ready(conninfo)
            hurry(conninfo)
            yield conninfo
        finally:
            embedded.stop()


@pytest.fixture
def schema(server: str) -> Iterator[str]:
    """A name for a workspace; whatever is made under it is dropped afterwards."""
    with dropped_afterwards(server) as name:
        yield name


@pytest.fixture
def workspace(server: str, schema: str) -> str:
    """The schema of a workspace with all its tables, empty."""
    from crm.migrate import migrate

    migrate(server, schema)
    return schema


@pytest.fixture
def database(server: str, workspace: str) -> Iterator[Database]:
    """The workspace as the application reaches it."""
    from ledger.database import Database

    opened = Database(server, workspace, role="genjin_app", min_size=1, max_size=12)
    yield opened
    opened.close()


@pytest.fixture
def keyring(database: Database) -> Keyring:
    """The keys of the workspace's data subjects."""
    from ledger.sealing import Keyring

    return Keyring(database, MASTER_KEY)


@pytest.fixture
def ledger(database: Database, keyring: Keyring) -> Iterator[Ledger]:
    """The workspace's ledger, empty."""
    from ledger.ledger import Ledger

    opened = Ledger(database, keyring)
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def reference_data() -> Path:
    """The folder of real sales data; tests that need it are left out where it is absent."""
    folder = Path(os.environ.get("CRM_REFERENCE_DATA", "../shared/data"))
    if not folder.is_dir():
        pytest.skip(f"{NO_REFERENCE_DATA} in {folder}")
    return folder


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Says in one line which tests were left out for want of reference data, and how to have them run."""
    skipped = terminalreporter.stats.get("skipped", [])
    reasons = [report.longrepr[2] for report in skipped if isinstance(report.longrepr, tuple)]
    left_out = [reason.removeprefix("Skipped: ") for reason in reasons if NO_REFERENCE_DATA in reason]
    if left_out:
        terminalreporter.write_line(
            f"{len(left_out)} tests were left out: {left_out[0]}; CRM_REFERENCE_DATA names the folder that has it.",
            yellow=True,
        )
