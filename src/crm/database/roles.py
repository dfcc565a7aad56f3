"""The three roles: the owner changes tables, the application appends by the ledger's functions, the reader reads."""

from __future__ import annotations

from typing import LiteralString

import psycopg
from psycopg import errors, sql

from crm.database.errors import DatabaseUnusable

OWNER, APP, READER = "genjin_owner", "genjin_app", "genjin_reader"


def make_roles(connection: psycopg.Connection) -> None:
    """Create the roles that are missing and let this login take each of them; many processes may do so at once."""
    with connection.transaction():
        connection.execute("SELECT pg_advisory_xact_lock(hashtextextended('genjin roles', 0))")
        for role in (OWNER, APP, READER):
            _create(connection, role)
        _let_us_be_them(connection)
        _let_app_and_owner_make_schemas(connection)


def _create(connection: psycopg.Connection, role: str) -> None:
    if connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role]).fetchone():
        return
    try:
        with connection.transaction():
            connection.execute(sql.SQL("CREATE ROLE {} NOLOGIN").format(sql.Identifier(role)))
    except (errors.DuplicateObject, errors.UniqueViolation):
        pass  # made meanwhile, in another database of this server
    except errors.InsufficientPrivilege:
        raise DatabaseUnusable(
            f"The role {role} does not exist and this user may not create it: give the user CREATEROLE, or have an "
            f"administrator run CREATE ROLE {role} NOLOGIN and GRANT {role} to this user."
        ) from None


def _let_us_be_them(connection: psycopg.Connection) -> None:
    for role in (OWNER, APP, READER):
        if _one(connection, "SELECT pg_has_role(current_user, %s, 'USAGE')", role):
            continue
        try:
            with connection.transaction():
                connection.execute(sql.SQL("GRANT {} TO CURRENT_USER").format(sql.Identifier(role)))
        except errors.InsufficientPrivilege:
            raise DatabaseUnusable(
                f"This user may not act as {role}: have an administrator run GRANT {role} to this user."
            ) from None


def _let_app_and_owner_make_schemas(connection: psycopg.Connection) -> None:
    for role in (OWNER, APP):
        if _one(connection, "SELECT has_database_privilege(%s, current_database(), 'CREATE')", role):
            continue
        database = sql.Identifier(connection.info.dbname)
        try:
            with connection.transaction():
                connection.execute(sql.SQL("GRANT CREATE ON DATABASE {} TO {}").format(database, sql.Identifier(role)))
        except errors.InsufficientPrivilege:
            raise DatabaseUnusable(
                f"{role} may not create schemas in this database: have an administrator run "
                f"GRANT CREATE ON DATABASE {connection.info.dbname} TO {role}."
            ) from None


def _one(connection: psycopg.Connection, query: LiteralString, role: str) -> bool:
    row = connection.execute(query, [role]).fetchone()
    return bool(row and row[0])
