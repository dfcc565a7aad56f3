"""Any server: what a database must be able to do before anything is kept in it."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import LiteralString

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import make_conninfo

from crm.database import server as servers
from crm.database.errors import DatabaseUnusable
from crm.database.roles import make_roles
from crm.database.server import make_ready
from crm.migrate import migrate


@pytest.fixture
def name(server: str) -> Iterator[str]:
    """A name for a database that is dropped afterwards."""
    name = f"t_{secrets.token_hex(4)}"
    yield name
    _do(server, "DROP DATABASE IF EXISTS {} WITH (FORCE)", name)


def _do(server: str, statement: LiteralString, name: str) -> None:
    with closing(psycopg.connect(server, autocommit=True)) as connection:
        connection.execute("SET client_min_messages = warning")
        connection.execute(sql.SQL(statement).format(sql.Identifier(name)))


def test_a_missing_database_is_made(server: str, name: str) -> None:
    conninfo = make_conninfo(server, dbname=name)
    make_ready(conninfo)
    make_ready(conninfo)
    with closing(psycopg.connect(conninfo)) as connection:
        found = connection.execute("SELECT extname FROM pg_extension ORDER BY 1").fetchall()
    assert {("pg_trgm",), ("btree_gin",)} <= set(found)


def test_many_may_make_it_at_once(server: str, name: str) -> None:
    conninfo = make_conninfo(server, dbname=name)
    with ThreadPoolExecutor(6) as pool:
        assert list(pool.map(make_ready, [conninfo] * 6)) == [None] * 6


def test_a_database_without_chinese_letters_is_refused(server: str, name: str) -> None:
    _do(server, "CREATE DATABASE {} TEMPLATE template0 ENCODING 'UTF8' LOCALE_PROVIDER libc LOCALE 'C'", name)
    with pytest.raises(DatabaseUnusable, match="does not know Chinese letters"):
        make_ready(make_conninfo(server, dbname=name))


def test_another_encoding_is_refused(server: str, name: str) -> None:
    _do(server, "CREATE DATABASE {} TEMPLATE template0 ENCODING 'LATIN1' LOCALE_PROVIDER libc LOCALE 'C'", name)
    with pytest.raises(DatabaseUnusable, match="must be encoded in UTF8, and this one is in LATIN1"):
        make_ready(make_conninfo(server, dbname=name))


def test_an_old_server_is_refused(server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(servers, "OLDEST", 99)
    with pytest.raises(DatabaseUnusable, match="needs PostgreSQL 99 or newer"):
        make_ready(server)


def test_a_server_that_is_away_is_a_sentence() -> None:
    with pytest.raises(DatabaseUnusable, match="cannot be reached"):
        make_ready("postgresql://127.0.0.1:1/nowhere?connect_timeout=2")


def test_roles_are_made_by_many_at_once(server: str) -> None:
    def make(_: int) -> None:
        with closing(psycopg.connect(server, autocommit=True)) as connection:
            make_roles(connection)

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(make, range(6)))


def test_a_user_who_may_not_make_roles_works_where_an_administrator_has_made_them(server: str, name: str) -> None:
    conninfo = make_conninfo(server, dbname=name)
    make_ready(conninfo)
    login = f"login_{name}"
    with closing(psycopg.connect(conninfo, autocommit=True)) as connection:
        make_roles(connection)
        for statement in (
            "CREATE ROLE {login} LOGIN NOCREATEROLE",
            "GRANT genjin_owner, genjin_app, genjin_reader TO {login}",
            "GRANT CREATE ON DATABASE {name} TO genjin_owner, genjin_app",
        ):
            connection.execute(sql.SQL(statement).format(login=sql.Identifier(login), name=sql.Identifier(name)))
    try:
        assert migrate(make_conninfo(conninfo, user=login), "prepared")
    finally:
        with closing(psycopg.connect(conninfo, autocommit=True)) as connection:
            connection.execute("DROP SCHEMA IF EXISTS prepared CASCADE")
            connection.execute(sql.SQL("DROP OWNED BY {} CASCADE").format(sql.Identifier(login)))
            connection.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(login)))


def test_the_reader_may_make_nothing(server: str) -> None:
    with closing(psycopg.connect(server, autocommit=True)) as connection:
        make_roles(connection)
        connection.execute("SET ROLE genjin_reader")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("CREATE SCHEMA of_the_reader")
