"""The store that the settings name, open for as long as a process needs it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass

import psycopg
from psycopg import sql

from crm.database.archive.archiving import Archiving
from crm.database.embedded import EmbeddedServer
from crm.database.errors import DatabaseUnusable
from crm.database.server import make_ready
from crm.keys import master
from crm.migrate import migrate, pending
from crm.settings import Settings

EMBEDDED_DATABASE = "genjin"


@dataclass(frozen=True)
class Store:
    """A database that is there, and a workspace's schema in it."""

    settings: Settings
    conninfo: str
    embedded: EmbeddedServer | None

    @property
    def master_key(self) -> bytes:
        """The key above the keys of personal data."""
        return self.settings.master_key or master.in_folder(self.settings.data_dir)

    def migrate(self) -> list[str]:
        """Bring the schema to this release, and name the migrations that were run for it."""
        make_ready(self.conninfo)
        return migrate(self.conninfo, self.settings.schema)

    def is_current(self) -> bool:
        """The schema is that of this release; asking changes nothing and needs no right to change anything."""
        try:
            with self.connection() as connection:
                return not pending(connection)
        except psycopg.OperationalError:
            return False  # no such database yet, or away: migrating says which

    def _check_master_key(self) -> None:
        """Raise MasterKeyUnusable when the personal data in this store was sealed under another key."""
        from ledger.sealing import Keyring

        own = [Keyring(None, key).master_id for key in (self.master_key, self.settings.former_key) if key]
        with self.connection() as connection:
            other = connection.execute(
                "SELECT 1 FROM sealing_keys WHERE wrapped IS NOT NULL AND master <> ALL(%s) LIMIT 1", [own]
            ).fetchone()
        if other:
            raise master.MasterKeyUnusable(
                "The personal data in this database was sealed under another master key: set CRM_MASTER_KEY to that, "
                f"or put its file back as {self.settings.data_dir / master.FILE}."
            )

    @contextmanager
    def connection(self) -> Iterator[psycopg.Connection]:
        """A connection that sees the workspace's schema, as the user of the settings."""
        with closing(psycopg.connect(self.conninfo, autocommit=True)) as connection:
            connection.execute(sql.SQL("SET search_path = {}, public").format(sql.Identifier(self.settings.schema)))
            yield connection

    def prepare(self) -> None:
        """Migrate when there is something to migrate, and see that the master key is the one of this store."""
        if not self.is_current():
            self.migrate()
        self._check_master_key()


@contextmanager
def opened(settings: Settings) -> Iterator[Store]:
    """The store; an embedded server runs at least until the end of the block."""
    if settings.database_url:
        yield Store(settings, settings.database_url, None)
        return
    try:
        settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        archiving = None if settings.archive_dir is None else Archiving(settings.archive_dir)
        server = EmbeddedServer(settings.data_dir / "postgres", archiving)
        server.start()
    except OSError as refused:
        raise DatabaseUnusable(f"CRM_DATA_DIR must be a folder that can be written to: {refused}.") from refused
    try:
        yield Store(settings, server.conninfo(EMBEDDED_DATABASE), server)
    finally:
        server.stop()
