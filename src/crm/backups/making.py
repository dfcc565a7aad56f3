"""Making a backup: every row in one snapshot, while the service goes on writing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from uuid import UUID

import psycopg
from psycopg import sql

from aggregates.registry import event_classes
from crm import migrate
from crm.backups.contents import EVENTS, Part, parts, sequences
from crm.backups.encryption import Lock
from crm.backups.errors import BackupUnusable
from crm.backups.file import Rows, Writer, is_of_ledger
from crm.backups.folder import Folder
from crm.backups.manifest import FORMAT, VERSION, Manifest, Table
from crm.checkpoints import Checkpoints
from crm.database.roles import OWNER
from crm.database.server import first_line
from crm.store import Store
from ledger.database import Connection
from ledger.erasing.key_copy import KeyCopy
from ledger.erasing.register import Register
from ledger.placing import placed
from ledger.proof.comparing import ledger_id_of

OWNER_ONLY = 0o600
TOLD_EVERY = 5_000
Progress = Callable[[int, int], None]
"""Told how many events are done, of how many."""


@dataclass(frozen=True)
class Made:
    """A backup that was made: its file, what it says, and how many keys the key copy has now."""

    path: Path
    manifest: Manifest
    keys: int

    @property
    def size(self) -> int:
        """The size of the file."""
        return self.path.stat().st_size


def make(store: Store, progress: Progress = lambda _, __: None) -> Made:
    """Write a backup and bring the key copy up to date; neither is there half.

    Raises BackupUnusable, Unreadable, SigningKeyUnusable, OSError.
    """
    _require_migrated(store)
    settings = store.settings
    chosen, signer = settings.backups, Checkpoints(settings).signer()
    folder, made_at = Folder(settings.backup_dir), datetime.now(UTC)
    folder.path.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder.name(settings.schema, made_at)
    with placed(path, mode=OWNER_ONLY) as file:
        writer = Writer(file, made_at.timestamp(), Lock(chosen.recipients) if chosen.recipients else None)
        with store.connection() as connection, connection.transaction():
            _look_at_one_snapshot(connection)
            manifest = _written(connection, store, writer, made_at, signer.public, progress)
        writer.finish(manifest, signer)
        keys = _renew_key_copy(store)
    return Made(path, manifest, keys)


def _renew_key_copy(store: Store) -> int:
    """Say how many keys it has; whoever is erased meanwhile is not in it."""
    settings = store.settings
    copy, register = KeyCopy(settings.backups.key_copy(settings.schema)), Register(settings.erasures)
    with store.connection() as connection, connection.transaction():
        _look_at_one_snapshot(connection)
        keys = copy.renew(connection, register.subjects())
    return keys - copy.forget(register.subjects())


def _look_at_one_snapshot(connection: Connection) -> None:
    connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
    connection.execute(sql.SQL("SET LOCAL ROLE {}").format(sql.Identifier(OWNER)))
    connection.execute("SET LOCAL statement_timeout = 0")


def _written(
    connection: Connection, store: Store, writer: Writer, made_at: datetime, signed_with: bytes, progress: Progress
) -> Manifest:
    head = connection.execute("SELECT position, chain, recorded_at FROM events ORDER BY position DESC LIMIT 1")
    ledger_id = ledger_id_of(connection)
    position, chain, recorded_at = head.fetchone() or (0, ledger_id.bytes, None)
    topics, ours = connection.execute("SELECT DISTINCT topic FROM events ORDER BY topic").fetchall(), event_classes()
    keys = connection.execute("SELECT count(*) FROM sealing_keys WHERE wrapped IS NOT NULL").fetchone()
    assert keys is not None
    return Manifest(
        format=FORMAT,
        version=VERSION,
        made_at=made_at,
        genjin=version("genjin"),
        postgresql=connection.info.server_version,
        schema=store.settings.schema,
        ledger_id=ledger_id,
        position=position,
        chain=bytes(chain).hex(),
        recorded_at=recorded_at,
        topics={topic: ours[topic].class_version if topic in ours else 1 for (topic,) in topics},
        migrations=migrate.applied(connection),
        sequences=sequences(connection),
        keys=keys[0],
        is_encrypted=writer.is_encrypted,
        tables=tuple(_table(connection, writer, part, position, progress) for part in parts(connection)),
        signed_with=signed_with,
    )


def _require_migrated(store: Store) -> None:
    try:
        with store.connection() as connection:
            lacking = migrate.pending(connection)
    except psycopg.OperationalError as away:
        raise BackupUnusable(f"The database cannot be reached, or is not there yet: {first_line(away)}") from away
    if lacking:
        raise BackupUnusable(f"This store is not migrated to this release yet ({lacking[0]}): run crm migrate first.")


def thin(store: Store, ledger_id: UUID) -> list[Path]:
    """Remove the backups of this ledger that need not be kept, and answer which."""
    settings = store.settings
    folder = Folder(settings.backup_dir)
    return folder.thin(settings.backups.retention, datetime.now(UTC), lambda path: is_of_ledger(path, ledger_id))


def _table(connection: Connection, writer: Writer, part: Part, total: int, progress: Progress) -> Table:
    with connection.cursor().copy(part.copied()) as copy:
        return writer.add(part, _told(copy, total, progress) if part.table == EVENTS else copy)


def _told(copy: Iterable[Rows], total: int, progress: Progress) -> Iterator[Rows]:
    for number, data in enumerate(copy):
        if number % TOLD_EVERY == 0:
            progress(min(number, total), total)
        yield data
    progress(total, total)
