"""Migrations: run once each, in order, by whoever comes first; a store from another history is refused."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from crm import migrate as migrations
from crm.database.errors import DatabaseUnusable
from crm.migrate import migrate, pending


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two migrations of a made-up release."""
    (tmp_path / "0001_words.sql").write_text("CREATE TABLE words (word text); GRANT SELECT ON words TO genjin_reader;")
    (tmp_path / "0002_more.sql").write_text("INSERT INTO {schema}.words VALUES ('跟进'), (current_schema());")
    monkeypatch.setattr(migrations, "FOLDER", tmp_path)
    return tmp_path


@pytest.fixture
def connection(server: str, schema: str) -> Iterator[psycopg.Connection]:
    """A connection that sees the workspace first."""
    with closing(psycopg.connect(server, autocommit=True)) as opened:
        opened.execute(sql.SQL("SET search_path = {}, public").format(sql.Identifier(schema)))
        yield opened


def test_each_migration_runs_once_and_in_order(
    folder: Path, server: str, schema: str, connection: psycopg.Connection
) -> None:
    assert pending(connection) == ["0001_words", "0002_more"]
    assert migrate(server, schema) == ["0001_words", "0002_more"]
    assert migrate(server, schema) == []
    assert pending(connection) == []
    assert connection.execute("SELECT word FROM words").fetchall() == [("跟进",), (schema,)]


def test_a_new_migration_is_run_on_an_existing_store(
    folder: Path, server: str, schema: str, connection: psycopg.Connection
) -> None:
    migrate(server, schema)
    (folder / "0003_new.sql").write_text("DELETE FROM words")
    assert pending(connection) == ["0003_new"]
    assert migrate(server, schema) == ["0003_new"]
    assert connection.execute("SELECT count(*) FROM words").fetchone() == (0,)


def test_a_changed_migration_is_refused(folder: Path, server: str, schema: str) -> None:
    migrate(server, schema)
    (folder / "0001_words.sql").write_text("CREATE TABLE other (word text)")
    with pytest.raises(DatabaseUnusable, match="0001_words was run with another text"):
        migrate(server, schema)


def test_a_store_of_a_newer_release_is_refused(folder: Path, server: str, schema: str) -> None:
    migrate(server, schema)
    (folder / "0002_more.sql").unlink()
    with pytest.raises(DatabaseUnusable, match="newer Genjin .0002_more is unknown"):
        migrate(server, schema)


def test_a_migration_that_fails_leaves_nothing_behind(
    folder: Path, server: str, schema: str, connection: psycopg.Connection
) -> None:
    (folder / "0002_more.sql").write_text("CREATE TABLE half (x int); SELECT 1 / 0;")
    with pytest.raises(DatabaseUnusable, match="0002_more failed: division by zero"):
        migrate(server, schema)
    assert pending(connection) == ["0002_more"]
    assert connection.execute("SELECT to_regclass('half')").fetchone() == (None,)


def test_many_may_migrate_at_once(folder: Path, server: str, schema: str) -> None:
    with ThreadPoolExecutor(6) as pool:
        ran = [name for names in pool.map(lambda _: migrate(server, schema), range(6)) for name in names]
    assert sorted(ran) == ["0001_words", "0002_more"]


def test_what_is_migrated_belongs_to_the_owner_and_is_seen_by_the_others(
    folder: Path, server: str, schema: str, connection: psycopg.Connection
) -> None:
    migrate(server, schema)
    assert connection.execute("SELECT tableowner FROM pg_tables WHERE tablename = 'words'").fetchone() == (
        "genjin_owner",
    )
    connection.execute("SET ROLE genjin_reader")
    assert connection.execute("SELECT count(*) FROM words").fetchone() == (2,)
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute("INSERT INTO words VALUES ('no')")


def test_a_schema_of_somebody_else_is_left_alone(server: str, schema: str, connection: psycopg.Connection) -> None:
    connection.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(schema)))
    with pytest.raises(DatabaseUnusable, match="name another one in CRM_SCHEMA"):
        migrate(server, schema)


def test_the_migrations_of_this_release_make_a_workspace(workspace: str, connection: psycopg.Connection) -> None:
    assert pending(connection) == []
