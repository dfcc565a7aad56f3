"""A database on any PostgreSQL server, made ready: it exists, it is recent enough, and it knows Chinese letters."""

from __future__ import annotations

from contextlib import closing

import psycopg
from psycopg import errors, sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from crm.database.errors import DatabaseUnusable

OLDEST = 15
_NEW_DATABASE = "TEMPLATE template0 ENCODING 'UTF8'"
_UNICODE = {
    True: f"{_NEW_DATABASE} LOCALE_PROVIDER builtin BUILTIN_LOCALE 'C.UTF-8' LOCALE 'C.UTF-8'",
    False: f"{_NEW_DATABASE} LC_COLLATE 'C' LC_CTYPE 'C.UTF-8'",
}


def make_ready(conninfo: str) -> None:
    """Create the database if there is none, and its extensions; raise DatabaseUnusable when it cannot serve."""
    try:
        connection = _connect_or_create(conninfo)
    except psycopg.OperationalError as away:
        raise DatabaseUnusable(f"The database cannot be reached: {first_line(away)}") from away
    with closing(connection):
        _check_server(connection)
        with connection.transaction():
            connection.execute("SELECT pg_advisory_xact_lock(hashtextextended('genjin extensions', 0))")
            for extension in ("pg_trgm", "btree_gin"):
                _create_extension(connection, extension)
        _check_letters(connection)


def _connect_or_create(conninfo: str) -> psycopg.Connection:
    try:
        return psycopg.connect(conninfo, autocommit=True)
    except psycopg.OperationalError as refused:
        name = conninfo_to_dict(conninfo).get("dbname")
        if name is None or f'database "{name}" does not exist' not in str(refused):
            raise
    _create_database(conninfo, str(name))
    return psycopg.connect(conninfo, autocommit=True)


def _create_database(conninfo: str, name: str) -> None:
    with closing(psycopg.connect(make_conninfo(conninfo, dbname="postgres"), autocommit=True)) as connection:
        locale = sql.SQL(_UNICODE[connection.info.server_version >= 170000])
        try:
            connection.execute(sql.SQL("CREATE DATABASE {} {}").format(sql.Identifier(name), locale))
        except (errors.DuplicateDatabase, errors.UniqueViolation):
            pass  # a process that started together with this one was first
        except errors.InsufficientPrivilege:
            raise DatabaseUnusable(
                f'The database "{name}" does not exist and this user may not create it: create it with '
                f"CREATE DATABASE {name} {_UNICODE[connection.info.server_version >= 170000]}."
            ) from None


def _check_server(connection: psycopg.Connection) -> None:
    version = connection.info.server_version
    if version < OLDEST * 10_000:
        raise DatabaseUnusable(f"Genjin needs PostgreSQL {OLDEST} or newer, and this is {version // 10_000}.")
    encoding = connection.info.parameter_status("server_encoding")
    if encoding != "UTF8":
        raise DatabaseUnusable(f"The database must be encoded in UTF8, and this one is in {encoding}.")


def _create_extension(connection: psycopg.Connection, name: str) -> None:
    try:
        connection.execute(sql.SQL("CREATE EXTENSION IF NOT EXISTS {} WITH SCHEMA public").format(sql.Identifier(name)))
    except errors.InsufficientPrivilege:
        raise DatabaseUnusable(
            f"This user may not create the extension {name}: have an administrator run "
            f"CREATE EXTENSION {name} WITH SCHEMA public in this database."
        ) from None
    except errors.FeatureNotSupported:
        raise DatabaseUnusable(
            f"This server lacks the extension {name}: install PostgreSQL's contrib package."
        ) from None


def _check_letters(connection: psycopg.Connection) -> None:
    """Without a Unicode character type, Chinese words have no trigrams and every search reads the whole table."""
    found = connection.execute("SELECT public.show_trgm('上海跟进科技')").fetchone()
    if not found or not found[0]:
        raise DatabaseUnusable(
            "This database does not know Chinese letters (show_trgm finds none): create one with "
            f"{_UNICODE[connection.info.server_version >= 170000]}."
        )


def first_line(error: Exception) -> str:
    """What it comes to."""
    return str(error).strip().splitlines()[0]
