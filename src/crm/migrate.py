"""Migrations of the ledger's own tables: numbered SQL files, each run once and never changed afterwards.

A file runs as the owner with `search_path` set to the workspace's schema and then public; `{schema}` in it stands for
the schema's name. Any number of processes may migrate at once: the first one does it and the others find it done.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg import sql

from crm.database.errors import DatabaseUnusable
from crm.database.roles import APP, OWNER, READER, make_roles

FOLDER = Path(__file__).parent / "migrations"


@dataclass(frozen=True)
class Migration:
    """One step in the history of the ledger's tables."""

    name: str
    text: str

    @property
    def checksum(self) -> str:
        """Tells whether the text is still the one that was run."""
        return hashlib.sha256(self.text.encode()).hexdigest()


def known() -> list[Migration]:
    """The migrations of this release, in their order."""
    return [Migration(path.stem, path.read_text(encoding="utf-8")) for path in sorted(FOLDER.glob("[0-9]*.sql"))]


def migrate(conninfo: str, schema: str) -> list[str]:
    """Bring a workspace's schema to this release, and name the migrations that were run for it."""
    with closing(psycopg.connect(conninfo, autocommit=True)) as connection:
        make_roles(connection)
        with connection.transaction():
            lock(connection, schema)
            _make_schema(connection, schema)
            missing = _missing(known(), applied(connection))
        return [each.name for each in missing if _run(connection, schema, each)]


def lock(connection: psycopg.Connection, schema: str) -> None:
    """Until the transaction ends, nobody else changes the tables of this workspace."""
    connection.execute("SELECT pg_advisory_xact_lock(hashtextextended('genjin migrate ' || %s, 0))", [schema])


def make_former(connection: psycopg.Connection, schema: str, names: Collection[str]) -> None:
    """Make the schema as it was when it had these migrations and no others, in the caller's transaction."""
    _make_schema(connection, schema)
    for each in known():
        if each.name in names:
            _run(connection, schema, each)


def bring_up_to_date(connection: psycopg.Connection, schema: str) -> None:
    """Run what is missing, in the caller's transaction."""
    for each in _missing(known(), applied(connection)):
        _run(connection, schema, each)


def unknown(former: Mapping[str, str]) -> list[str]:
    """Which of these migrations, by their names with their checksums, this release does not have just so."""
    ours = {each.name: each.checksum for each in known()}
    return [name for name, checksum in sorted(former.items()) if ours.get(name) != checksum]


def pending(connection: psycopg.Connection) -> list[str]:
    """The migrations that the schema of this connection still lacks; none when it is current."""
    row = connection.execute("SELECT to_regclass('migrations') IS NULL").fetchone()
    return [each.name for each in _missing(known(), {} if row and row[0] else applied(connection))]


def _make_schema(connection: psycopg.Connection, schema: str) -> None:
    name, owner = sql.Identifier(schema), sql.Identifier(OWNER)
    found = connection.execute(
        "SELECT nspowner::regrole::text FROM pg_namespace WHERE nspname = %s", [schema]
    ).fetchone()
    if found and found[0] != OWNER:
        raise DatabaseUnusable(
            f'The schema "{schema}" belongs to {found[0]}, not to {OWNER}: name another one in CRM_SCHEMA.'
        )
    if not found:
        connection.execute(sql.SQL("CREATE SCHEMA {} AUTHORIZATION {}").format(name, owner))
    _act(connection, schema)
    connection.execute(
        sql.SQL("GRANT USAGE ON SCHEMA {} TO {}, {}").format(name, sql.Identifier(APP), sql.Identifier(READER))
    )
    connection.execute(
        "CREATE TABLE IF NOT EXISTS migrations (name text PRIMARY KEY, checksum text NOT NULL, "
        "applied_at timestamptz NOT NULL DEFAULT clock_timestamp())"
    )
    connection.execute(
        sql.SQL("GRANT SELECT ON migrations TO {}, {}").format(sql.Identifier(APP), sql.Identifier(READER))
    )


def _act(connection: psycopg.Connection, schema: str) -> None:
    """Until the transaction ends, be the owner and see this schema first."""
    connection.execute(sql.SQL("SET LOCAL ROLE {}").format(sql.Identifier(OWNER)))
    connection.execute(sql.SQL("SET LOCAL search_path = {}, public").format(sql.Identifier(schema)))
    connection.execute("SET LOCAL client_min_messages = warning")


def applied(connection: psycopg.Connection) -> dict[str, str]:
    """The migrations that the schema of this connection has, with their checksums."""
    return dict(connection.execute("SELECT name, checksum FROM migrations").fetchall())


def _missing(files: Iterable[Migration], found: dict[str, str]) -> list[Migration]:
    by_name = {each.name: each for each in files}
    for name, checksum in sorted(found.items()):
        if name not in by_name:
            raise DatabaseUnusable(
                f"This store was migrated by a newer Genjin ({name} is unknown here): run that release or a later one."
            )
        if by_name[name].checksum != checksum:
            raise DatabaseUnusable(
                f"Migration {name} was run with another text than it has now: restore it; changes go into a new file."
            )
    return [each for name, each in sorted(by_name.items()) if name not in found]


def _run(connection: psycopg.Connection, schema: str, migration: Migration) -> bool:
    """Run one migration, unless another process has run it since we looked."""
    with connection.transaction():
        lock(connection, schema)
        _act(connection, schema)
        if not _missing([migration], {k: v for k, v in applied(connection).items() if k == migration.name}):
            return False
        try:
            connection.execute(migration.text.replace("{schema}", schema).encode())
        except psycopg.Error as refused:
            raise DatabaseUnusable(f"Migration {migration.name} failed: {refused}") from refused
        connection.execute(
            "INSERT INTO migrations (name, checksum) VALUES (%s, %s)", [migration.name, migration.checksum]
        )
        return True
