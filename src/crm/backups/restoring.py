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
from crm import migrate
from crm.backups.contents import EVENTS, KEYS, META, Part
from crm.backups.errors import BackupUnusable
from crm.backups.file import Backup, Changed
from crm.backups.manifest import Manifest
from crm.database.roles import APP, make_roles
from crm.database.server import first_line, make_ready
from crm.keys import master
from crm.settings import Settings
from crm.store import Store
from ledger.erasing.key_copy import KeyCopy, WrappedKey
from ledger.erasing.register import Register
from ledger.sealing import Keyring
from projections.engine.tables.sights import view_schemas

Connection = psycopg.Connection
Progress = Callable[[int, int], None]
"""Told how many bytes of rows are in, of how many."""
LOCKS_WAITED_FOR = "10s"
"""How long for those who still use an empty store."""


@dataclass(frozen=True)
class Keys:
    """The sealing keys that the master key opens, where they come from, and of whom none may come back."""

    path: Path
    by_subject: Mapping[UUID, WrappedKey]
    erased: frozenset[UUID]


def registered(settings: Settings) -> frozenset[UUID]:
    """Whoever is in any register here: that of the workspace may lie under its former name. Raises Unreadable."""
    folders = [each for each in settings.erasure_dir.glob("*") if each.is_dir()]
    return frozenset(subject for each in folders for subject in Register(each).subjects())


def keys_for(manifest: Manifest, settings: Settings, copy: KeyCopy, erased: frozenset[UUID]) -> Keys:
    """The keys of the copy that the master key opens, once it is sure that they belong to this backup.

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
    return Keys(copy.path, _opened(settings, copy, by_subject) if by_subject else {}, erased)


def _opened(settings: Settings, copy: KeyCopy, by_subject: Mapping[UUID, WrappedKey]) -> Mapping[UUID, WrappedKey]:
    """Those that the master key opens, which is not made here, as it would be for a new store.

    A key that the database had lost before the master key was changed is still wrapped by the former one.
    """
    path = settings.data_dir / master.FILE
    if settings.master_key is None and not path.exists():
        raise master.MasterKeyUnusable(
            f"The master key is needed that wraps the keys in {copy.path}: set CRM_MASTER_KEY, or put its file in "
            f"{path}."
        )
    keyring = Keyring(None, settings.master_key or master.in_folder(settings.data_dir), former_key=settings.former_key)
    found = {subject: key for subject, key in by_subject.items() if keyring.opens(subject, key.wrapped)}
    if not found:
        raise master.MasterKeyUnusable(
            f"The keys in {copy.path} were wrapped by another master key: set CRM_MASTER_KEY to that, or put its file "
            f"in {path}."
        )
    return found


def check(manifest: Manifest) -> None:
    """See that this release can read it. Raises BackupUnusable."""
    newer = migrate.unknown(manifest.migrations)
    ours = event_classes()
    topics = [
        topic for topic, version in manifest.topics.items() if topic not in ours or version > ours[topic].class_version
    ]
    if newer or topics:
        raise BackupUnusable(
            f"This backup was made by Genjin {manifest.genjin} and has what this release does not know "
            f"({', '.join(newer or topics)}): restore it with that release or a later one."
        )


def restore(
    store: Store, backup: Backup, keys: Keys, decrypt: Changed | None, progress: Progress = lambda _, __: None
) -> None:
    """Fill the store's schema, which must have no events yet, with a backup that stood the `check`.

    Raises BackupUnusable, DatabaseUnusable.
    """
    make_ready(store.conninfo)
    with closing(psycopg.connect(store.conninfo, autocommit=True)) as connection:
        make_roles(connection)
        try:
            with connection.transaction():
                _restore(connection, store.settings.schema, backup, keys, decrypt, progress)
        except psycopg.errors.LockNotAvailable as busy:
            raise BackupUnusable(
                f'Somebody is using the schema "{store.settings.schema}": stop its service first. Nothing was changed.'
            ) from busy
        except psycopg.Error as failed:
            raise BackupUnusable(
                f"The restoration broke off, and nothing was changed: {first_line(failed)}"
            ) from failed


def _restore(
    connection: Connection, schema: str, backup: Backup, keys: Keys, decrypt: Changed | None, progress: Progress
) -> None:
    connection.execute("SELECT set_config('lock_timeout', %s, true)", [LOCKS_WAITED_FOR])
    migrate.lock(connection, schema)
    _clear(connection, schema, backup.manifest)
    migrate.make_former(connection, schema, backup.manifest.migrations)
    _fill(connection, backup, keys, decrypt, progress)
    migrate.bring_up_to_date(connection, schema)
    _compare(connection, backup.manifest)


def _clear(connection: Connection, schema: str, manifest: Manifest) -> None:
    """Remove the schema, provided that it is one of ours in which nothing was ever recorded."""
    tables = {
        table for (table,) in connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = %s", [schema])
    }
    if not tables:
        return
    if not {EVENTS, META, "migrations", "projection_builds"} <= tables:
        raise BackupUnusable(f'The schema "{schema}" holds something else: name another one in CRM_SCHEMA.')
    connection.execute(sql.SQL("LOCK TABLE {} IN ACCESS EXCLUSIVE MODE").format(sql.Identifier(schema, EVENTS)))
    _require_empty(connection, schema, manifest)
    connection.execute(sql.SQL("SET LOCAL ROLE {}").format(sql.Identifier(APP)))
    connection.execute(sql.SQL("SET LOCAL search_path = {}, public").format(sql.Identifier(schema)))
    for (name,) in connection.execute("SELECT schema_name FROM projection_builds").fetchall():
        for each in (*view_schemas(name), name):
            connection.execute(sql.SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(sql.Identifier(each)))
    connection.execute("SET LOCAL ROLE NONE")
    connection.execute(sql.SQL("DROP SCHEMA {} CASCADE").format(sql.Identifier(schema)))


def _require_empty(connection: Connection, schema: str, manifest: Manifest) -> None:
    query = "SELECT m.ledger_id, e.position, e.chain FROM {} m, {} e ORDER BY e.position DESC LIMIT 1"
    names = [sql.Identifier(schema, table) for table in (META, EVENTS)]
    head = connection.execute(sql.SQL(query).format(*names)).fetchone()
    if head is None:
        return
    if (head[0], head[1], bytes(head[2]).hex()) == (manifest.ledger_id, manifest.position, manifest.chain):
        raise BackupUnusable(
            f'This backup is in the schema "{schema}" already: where it broke off since, `crm restored` proves it, '
            f"signs that and builds the read models."
        )
    raise BackupUnusable(
        f'The schema "{schema}" has events already, and a backup is only restored into an empty one: name another in '
        f"CRM_SCHEMA, or another CRM_DATA_DIR."
    )


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
            f"{keys.path} lacks {lacking[0]} keys that the backup needs, and no register of erasures here says that "
            f"they were destroyed. Bring that register along, or name the newest key copy with --keys; keys that only "
            f"a former master key opens need CRM_OLD_MASTER_KEY."
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
