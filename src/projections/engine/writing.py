"""Rows on their way into a table: personal fields are opened here, and only here."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Any

from msgspec import Struct
from msgspec.json import encode
from msgspec.structs import astuple
from psycopg.types.json import Jsonb

from ledger.sealing import Keyring, Sealed
from projections.engine.declaration import Table
from projections.engine.derived import Derived, opened_value, sealed_in
from projections.engine.ground import Connection
from projections.engine.statements import Statements

CLOSED = frozenset({Sealed, Derived})
"""What a fold may put into a row without having looked into it."""
LAZY = frozenset({Sealed, Derived})
CHUNK = 2_000
"""Rows whose personal fields are opened together: enough to ask for all their keys at once, few enough to keep them."""


def upsert(
    connection: Connection, statements: Statements, table: Table[Any], rows: Sequence[Struct], keyring: Keyring
) -> None:
    """Put rows in the place of those with the same key, in one statement."""
    if rows:
        statement = statements.insert if table.append_only else statements.upsert
        connection.execute(statement, [_as_json(table, _opened(rows, keyring))], prepare=True)


def delete(connection: Connection, statements: Statements, table: Table[Any], keys: Sequence[Any]) -> None:
    """Take the rows of these keys out, in one statement."""
    if keys:
        records = [dict(zip(table.key, key if len(table.key) > 1 else (key,), strict=True)) for key in keys]
        connection.execute(statements.delete, [encode(records).decode()], prepare=True)


def copy_in(
    connection: Connection, statements: Statements, table: Table[Any], rows: Iterable[Struct], keyring: Keyring
) -> None:
    """Put many new rows into a table by COPY."""
    prepare = _for_copy(table)
    rest = iter(rows)
    with connection.cursor() as cursor, cursor.copy(statements.copy_in) as copy:
        copy.set_types([column.sql_type for column in table.columns])
        while chunk := list(islice(rest, CHUNK)):
            for values in _opened(chunk, keyring):
                copy.write_row(prepare(values) if prepare else values)


def _opened(rows: Iterable[Struct], keyring: Keyring) -> list[tuple[Any, ...]]:
    """The values of rows, sealed ones opened; what cannot be opened any more is empty."""
    values = [astuple(row) for row in rows]
    handles = [handle for each in values for value in each if type(value) in LAZY for handle in sealed_in(value)]
    if not handles:
        return values
    keyring.open_many(handles)
    return [
        tuple(opened_value(value, keyring.open) if type(value) in LAZY else value for value in each) for each in values
    ]


def _as_json(table: Table[Any], rows: Iterable[tuple[Any, ...]]) -> str:
    blobs = [number for number, column in enumerate(table.columns) if column.sql_type == "bytea"]
    names = table.column_names
    records = []
    for values in rows:
        record = dict(zip(names, values, strict=True))
        for number in blobs:
            blob = values[number]
            record[names[number]] = None if blob is None else f"\\x{blob.hex()}"
        records.append(record)
    return encode(records).decode()


class _for_copy:  # noqa: N801
    """Turns tuples into lists and dicts into jsonb, for the tables that have such columns."""

    def __init__(self, table: Table[Any]) -> None:
        self._arrays = [number for number, column in enumerate(table.columns) if column.is_array]
        self._json = [number for number, column in enumerate(table.columns) if column.sql_type == "jsonb"]

    def __bool__(self) -> bool:
        return bool(self._arrays or self._json)

    def __call__(self, values: tuple[Any, ...]) -> list[Any]:
        prepared = list(values)
        for number in self._arrays:
            if prepared[number] is not None:
                prepared[number] = list(prepared[number])
        for number in self._json:
            if prepared[number] is not None:
                prepared[number] = Jsonb(prepared[number], dumps=encode)
        return prepared
