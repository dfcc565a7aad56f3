"""Rows on their way into a table: personal fields are opened here, and only here."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice
from typing import Any

from msgspec import Struct
from msgspec.json import encode
from msgspec.structs import astuple

from ledger.sealed import Blob, Sealed
from ledger.sealing import Keyring
from projections.engine.ground import Connection
from projections.engine.model.declaration import Table
from projections.engine.model.derived import Derived, opened_value, sealed_in
from projections.engine.tables.ahead import ahead
from projections.engine.tables.statements import Statements
from projections.engine.tables.wire import packer, sent_as

LAZY = frozenset({Sealed, Derived})
"""What a fold may put into a row without having looked into it."""
TEXTS = ("text", "text[]")
"""Where personal data, and what is worked out from it, may stand."""
CHUNK = 2_000
"""Rows whose personal fields are opened together: enough to ask for all their keys at once, few enough to keep them."""


def upsert(
    connection: Connection, statements: Statements, table: Table[Any], rows: Sequence[Struct], keyring: Keyring
) -> None:
    """Put rows in the place of those with the same key, in one statement."""
    if rows:
        statement = statements.insert if table.append_only else statements.upsert
        connection.execute(statement, [_as_json(table, _opened(table, rows, keyring))], prepare=True)


def delete(connection: Connection, statements: Statements, table: Table[Any], keys: Sequence[Any]) -> None:
    """Take the rows of these keys out, in one statement."""
    if keys:
        records = [dict(zip(table.key, key if len(table.key) > 1 else (key,), strict=True)) for key in keys]
        connection.execute(statements.delete, [encode(records).decode()], prepare=True)


def copy_in(
    connection: Connection, statements: Statements, table: Table[Any], rows: Iterable[Struct], keyring: Keyring
) -> None:
    """Put many new rows into a table by COPY."""
    rest = iter(rows)
    chunks = iter(lambda: list(islice(rest, CHUNK)), [])
    packed = (list(zip(*_packed(table, chunk, keyring), strict=True)) for chunk in chunks)
    with connection.cursor() as cursor, cursor.copy(statements.copy_in) as copy:
        copy.set_types([sent_as(column.sql_type) for column in table.columns])
        write = copy.write_row
        for chunk in ahead(packed):
            for values in chunk:
                write(values)


def _packed(table: Table[Any], rows: Sequence[Struct], keyring: Keyring) -> Iterator[Sequence[Any]]:
    """The columns of rows, opened and ready to be sent."""
    for column, values in zip(table.columns, _opened(table, rows, keyring), strict=True):
        pack = packer(column.sql_type)
        yield values if pack is None else pack(values)


def _opened(table: Table[Any], rows: Sequence[Struct], keyring: Keyring) -> list[Sequence[Any]]:
    """The columns of rows, sealed values opened; what cannot be opened any more is empty."""
    columns: list[Sequence[Any]] = list(zip(*map(astuple, rows), strict=True))
    lazy = [
        number
        for number, column in enumerate(table.columns)
        if column.sql_type in TEXTS and not LAZY.isdisjoint(map(type, columns[number]))
    ]
    if lazy:
        keyring.open_blobs(_blobs([columns[number] for number in lazy]))
        for number in lazy:
            columns[number] = list(map(_value_of, columns[number]))
    return columns


def _blobs(columns: Iterable[Sequence[Any]]) -> list[Blob]:
    """What has to be opened for these columns, each once."""
    found: dict[int, Blob] = {}
    for value in chain.from_iterable(columns):
        kind = type(value)
        if kind is Sealed:
            found[id(value.blob)] = value.blob
        elif kind is Derived:
            for handle in sealed_in(value):
                found[id(handle.blob)] = handle.blob
    return [blob for blob in found.values() if blob.fields is None]


def _value_of(value: Any) -> Any:
    """What a column of personal data holds, once everything in it was opened."""
    kind = type(value)
    if kind is Sealed:
        fields = value.blob.fields
        return None if fields is None else fields.get(value.field)
    return opened_value(value, _value_of) if kind is Derived else value


def _as_json(table: Table[Any], columns: Iterable[Sequence[Any]]) -> str:
    blobs = [number for number, column in enumerate(table.columns) if column.sql_type == "bytea"]
    names = table.column_names
    records = []
    for values in zip(*columns, strict=True):
        record = dict(zip(names, values, strict=True))
        for number in blobs:
            blob = values[number]
            record[names[number]] = None if blob is None else f"\\x{blob.hex()}"
        records.append(record)
    return encode(records).decode()
