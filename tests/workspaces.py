"""Workspaces for tests: a schema in the database, and what the application makes of it."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import closing, contextmanager

import psycopg
from psycopg import sql


def a_name() -> str:
    """A name that no other workspace has."""
    return f"t_{secrets.token_hex(4)}"


def drop(server: str, name: str) -> None:
    """Drop the workspace and every read model built on it."""
    with closing(psycopg.connect(server, autocommit=True)) as connection:
        found = connection.execute(
            "SELECT nspname FROM pg_namespace WHERE nspname = %s OR starts_with(nspname, %s)", [name, f"{name}_"]
        ).fetchall()
        connection.execute("SET client_min_messages = warning")
        for (each,) in found:
            connection.execute(sql.SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(sql.Identifier(each)))


@contextmanager
def dropped_afterwards(server: str) -> Iterator[str]:
    """A name for a workspace; whatever is made under it is dropped afterwards."""
    name = a_name()
    try:
        yield name
    finally:
        drop(server, name)
