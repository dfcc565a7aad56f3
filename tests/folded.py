"""A read model filled from events in memory, its tables where queries can be asked of them."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, cast

import psycopg
from psycopg import sql

from ledger.sealing import Keyring
from projections.engine import Projection, fold
from projections.engine.builds import statements_of
from projections.engine.writing import copy_in

NO_KEYS = cast(Keyring, None)
"""Nothing is sealed in events that never were in a ledger."""


@contextmanager
def tables_of(
    conninfo: str, projection: type[Projection], events: Iterable[Any]
) -> Iterator[psycopg.Connection[Any]]:
    """A connection to the tables of the projection as these events leave them; they are gone afterwards."""
    folded, schema = fold(projection, events), f"t_{secrets.token_hex(6)}"
    with psycopg.connect(conninfo, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(schema)))
        connection.execute(sql.SQL("SET search_path = {}").format(sql.Identifier(schema)))
        for statements, declared in zip(
            statements_of(projection, schema).values(), projection.tables.values(), strict=True
        ):
            connection.execute(statements.create())
            copy_in(connection, statements, declared, iter(folded.rows[declared.name]), NO_KEYS)
            for statement in [statements.add_key(), *statements.add_indexes(), statements.analyse]:
                connection.execute(statement)
        try:
            yield connection
        finally:
            connection.execute("SET client_min_messages = warning")
            connection.execute(sql.SQL("DROP SCHEMA {} CASCADE").format(sql.Identifier(schema)))
