"""A read model filled from events in memory, its tables where queries can be asked of them."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, cast

import psycopg
from psycopg import sql

from ledger import packing
from ledger.sealing import Keyring
from projections.engine import Projection, fold
from projections.engine.tables.builds import statements_of
from projections.engine.tables.writing import copy_in

NO_KEYS = cast(Keyring, None)
"""Nothing is sealed in events that never were in a ledger."""


@contextmanager
def tables_of(
    conninfo: str, projection: type[Projection], events: Iterable[Any], keyring: Keyring = NO_KEYS
) -> Iterator[psycopg.Connection[Any]]:
    """A connection to the tables of the projection as these events leave them; nothing of it is ever committed."""
    folded, schema = fold(projection, events), sql.Identifier(name := f"t_{secrets.token_hex(6)}")
    with psycopg.connect(conninfo) as connection:
        packing.register(connection)
        connection.execute(sql.SQL("CREATE SCHEMA {0}; SET LOCAL search_path = {0}").format(schema))
        all_statements = statements_of(projection, name).values()
        for statements, declared in zip(all_statements, projection.tables.values(), strict=True):
            connection.execute(statements.create())
            copy_in(connection, statements, declared, iter(folded.rows[declared.name]), keyring)
            for statement in [statements.add_key(), *statements.add_indexes(), statements.analyse]:
                connection.execute(statement)
        yield connection
        connection.rollback()
