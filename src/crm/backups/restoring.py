"""Restoring a backup into an empty store: all of it in one transaction, or nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import psycopg
from psycopg import sql

from aggregates.registry import event_classes
from crm import master_key, migrate
from crm.backups.contents import EVENTS, KEYS, Part
from crm.backups.errors import BackupUnusable
from crm.backups.file import Backup, Changed
from crm.backups.manifest import Manifest
from crm.database.roles import APP, make_roles
from crm.database.server import make_ready
from crm.settings import Settings
from crm.store import Store
from ledger.erasing.key_copy import KeyCopy, WrappedKey
from ledger.errors import WrongMasterKey
from ledger.sealing import Keyring
from projections.engine.tables.sights import view_schemas

Connection = psycopg.Connection
Progress = Callable[[int, int], None]
"""Told how many bytes of rows are in, of how many."""


@dataclass(frozen=True)
class Keys:
    """Where the sealing keys come from, and of whom none may come back."""

    path: Path
    by_subject: Mapping[UUID, WrappedKey]
    erased: frozenset[UUID]


def keys_for(manifest: Manifest, settings: Settings, copy: KeyCopy, erased: frozenset[UUID]) -> Keys:
    """The keys of the copy, once it is sure that they belong to this backup and that the master key opens them all.

    Raises BackupUnusable, MasterKeyUnusable, Unreadable, OSError.
    """
    found = copy.keys()
    if found is None and manifest.keys:
        raise BackupUnusable(
            f"There is no key copy in {copy.path}, and without the {manifest.keys} keys of this backup nobody's name "
            f"can be read: name the file with --keys, or put it there."
        )
    ledger_id, by_subject = found or (manifest.ledger_id, {})
    if ledger_id != manifest.ledger_id:
        raise BackupUnusable(f"The keys in {copy.path} belong to another ledger than the backup: name the right file.")
    if by_subject:
        _try_master_key(settings, copy, by_subject)
    return Keys(copy.path, by_subject, erased)


def _try_master_key(settings: Settings, copy: KeyCopy, by_subject: Mapping[UUID, WrappedKey]) -> None:
    """A key is not made here, as it would be for a new store."""
    path = settings.data_dir / master_key.FILE
    if settings.master_key is None and not path.exists():
        raise master_key.MasterKeyUnusable(
            f"The master key is needed that wraps the keys in {copy.path}: set CRM_MASTER_KEY, or put its file in "
            f"{path}."
        )
    keyring = Keyring(
        None, settings.master_key or master_key.in_folder(settings.data_dir), former_key=settings.former_key
    )
    try:
        for key in by_subject.values():
            keyring.add(key.subject, key.wrapped)
    except WrongMasterKey:
        raise master_key.MasterKeyUnusable(
            f"The keys in {copy.path} were wrapped by another master key: set CRM_MASTER_KEY to that, or put its file "
            f"in {path}."
        ) from None


def check(manifest: Manifest) -> None:
    """See that this release can read it. Raises BackupUnusable."""
    newer = migrate.unknown(manifest.migrations)
    ours = event_classes()
    topics = [
        topic
        for topic, version in manifest.topics.items()
        if topic not in ours or version > getattr(ours[topic], "class_version", 1)
    ]
    if newer or topics:
        raise BackupUnusable(
            f"This backup was made by Genjin {manifest.genjin} and has what this release does not know "
            f"({', '.join(newer or topics)}): restore it with that release or a later one."
        )


def restore(
    store: Store, backup: Backup, keys: Keys, decrypt: Changed | None, progress: Progress = lambda _, __: None
) -> None:
    """Fill the store's schema, which must have no events yet. Raises BackupUnusable, DatabaseUnusable."""
    manifest, schema = backup.manifest, store.settings.schema
    check(manifest)
    make_ready(store.conninfo)
    with closing(psycopg.connect(store.conninfo, autocommit=True)) as connection:
        make_roles(connection)
        with connection.transaction():
            migrate.lock(connection, schema)
            _clear(connection, schema)
            migrate.make_former(connection, schema, manifest.migrations)
            _fill(connection, backup, keys, decrypt, progress)
            migrate.bring_up_to_date(connection, schema)
            _compare(connection, manifest)


def _clear(connection: Connection, schema: str) -> None:
    """Remove the schema, provided that it is one of ours in which nothing was ever recorded."""
    tables = {
        table for (table,) in connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = %s", [schema])
    }
    if not tables:
        return
    if not {EVENTS, "projection_builds"} <= tables:
        raise BackupUnusable(f'The schema "{schema}" holds something else: name another one in CRM_SCHEMA.')
    events = sql.Identifier(schema, EVENTS)
    recorded = connection.execute(sql.SQL("SELECT EXISTS (SELECT FROM {})").format(events)).fetchone()
    if recorded and recorded[0]:
        raise BackupUnusable(
            f'The schema "{schema}" has events already, and a backup is only restored into an empty one: name another '
            f"in CRM_SCHEMA, or another CRM_DATA_DIR."
        )
    connection.execute(sql.SQL("SET LOCAL ROLE {}").format(sql.Identifier(APP)))
    connection.execute(sql.SQL("SET LOCAL search_path = {}, public").format(sql.Identifier(schema)))
    for (name,) in connection.execute("SELECT schema_name FROM projection_builds").fetchall():
        for each in (*view_schemas(name), name):
            connection.execute(sql.SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(sql.Identifier(each)))
    connection.execute("SET LOCAL ROLE NONE")
    connection.execute(sql.SQL("DROP SCHEMA {} CASCADE").format(sql.Identifier(schema)))


def _fill(connection: Connection, backup: Backup, keys: Keys, decrypt: Changed | None, progress: Progress) -> None:
    done, total = 0, backup.manifest.raw_size
    for table in backup.manifest.tables:
        part = Part(table.table, table.columns)
        into = None
        if table.table == KEYS:
            connection.execute("CREATE TEMP TABLE subjects (subject uuid, destroyed_at timestamptz) ON COMMIT DROP")
            into = "subjects"
        elif table.table != EVENTS:
            connection.execute(sql.SQL("DELETE FROM {}").format(sql.Identifier(table.table)))
        with connection.cursor().copy(part.filled(into)) as copy:
            for rows in backup.rows(table, decrypt):
                copy.write(rows)
                done += len(rows)
                progress(done, total)
    _put_keys_back(connection, keys)
    for name, value in backup.manifest.sequences.items():
        connection.execute("SELECT setval(quote_ident(%s), %s)", [name, value])


def _put_keys_back(connection: Connection, keys: Keys) -> None:
    """The key of every subject in the backup, but those of persons who were erased, be it later."""
    connection.execute(
        "CREATE TEMP TABLE copied (subject uuid, wrapped bytea, master text, created_at timestamptz) ON COMMIT DROP"
    )
    with connection.cursor().copy("COPY copied FROM STDIN") as copy:
        for key in keys.by_subject.values():
            if key.subject not in keys.erased:
                copy.write_row((key.subject, key.wrapped, key.master, key.created_at))
    connection.execute(
        "INSERT INTO sealing_keys (subject, wrapped, master, destroyed_at) "
        "SELECT subject, NULL, '', coalesce(destroyed_at, clock_timestamp()) FROM subjects "
        "WHERE destroyed_at IS NOT NULL OR subject = ANY(%s) ON CONFLICT DO NOTHING",
        [list(keys.erased)],
    )
    connection.execute(
        "INSERT INTO sealing_keys (subject, wrapped, master, created_at) "
        "SELECT subject, c.wrapped, c.master, c.created_at FROM subjects JOIN copied c USING (subject) "
        "ON CONFLICT DO NOTHING"
    )
    lacking = connection.execute(
        "SELECT count(*) FROM subjects s WHERE NOT EXISTS (SELECT FROM sealing_keys k WHERE k.subject = s.subject)"
    ).fetchone()
    if lacking and lacking[0]:
        raise BackupUnusable(
            f"{keys.path} lacks {lacking[0]} keys that the backup needs, and nobody erased them: it is older than the "
            f"backup. Name the newest one with --keys."
        )


def _compare(connection: Connection, manifest: Manifest) -> None:
    """The ledger ends where the backup says, with the hash that it says."""
    head = connection.execute("SELECT position, chain FROM events ORDER BY position DESC LIMIT 1").fetchone()
    position, chain = (head[0], bytes(head[1]).hex()) if head else (0, manifest.ledger_id.bytes.hex())
    if (position, chain) != (manifest.position, manifest.chain):
        raise BackupUnusable(
            f"The backup says that its ledger ends at position {manifest.position}, and it ends at {position} or with "
            f"another hash: take another backup."
        )
