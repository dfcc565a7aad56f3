"""Rows on their way into a table: personal fields are opened here, and only here."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import islice
from typing import Any

from msgspec import Struct
from msgspec.json import encode
from msgspec.structs import astuple

from ledger import packing
from ledger.sealing import Keyring, Sealed
from projections.engine.ahead import ahead
from projections.engine.declaration import Table
from projections.engine.derived import Derived, opened_value, sealed_in
from projections.engine.ground import Connection
from projections.engine.statements import Statements

LAZY = frozenset({Sealed, Derived})
TEXTS = ("text", "text[]")
"""Where personal data, and what is worked out from it, may stand."""
Packers = list[tuple[int, Callable[[Any], Any]]]
"""What a fold may put into a row without having looked into it."""
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
    packers = _packers(table)
    rest = iter(rows)
    chunks = iter(lambda: list(islice(rest, CHUNK)), [])
    opened = (_opened(table, chunk, keyring) for chunk in chunks)
    with connection.cursor() as cursor, cursor.copy(statements.copy_in) as copy:
        copy.set_types([column.sql_type for column in table.columns])
        write = copy.write_row
        for chunk in ahead(opened):
            for values in chunk:
                write(_packed_in(values, packers) if packers else values)


def _opened(table: Table[Any], rows: Iterable[Struct], keyring: Keyring) -> list[Sequence[Any]]:
    """The values of rows, sealed ones opened; what cannot be opened any more is empty."""
    texts = [number for number, column in enumerate(table.columns) if column.sql_type in TEXTS]
    values: list[Sequence[Any]] = []
    places: list[tuple[list[Any], int, Sealed | Derived]] = []
    for row in rows:
        each: Sequence[Any] = astuple(row)
        lazy = [number for number in texts if type(each[number]) in LAZY]
        if lazy:
            each = list(each)
            places += [(each, number, each[number]) for number in lazy]
        values.append(each)
    if places:
        blobs = {handle.blob for _, _, value in places for handle in sealed_in(value)}
        keyring.open_blobs([blob for blob in blobs if blob.fields is None])
        for each, number, value in places:
            each[number] = opened_value(value, _text_of)
    return values


def _text_of(handle: Sealed) -> str | None:
    """What an opened handle holds."""
    fields = handle.blob.fields
    return None if fields is None else fields.get(handle.field)


def _as_json(table: Table[Any], rows: Iterable[Sequence[Any]]) -> str:
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


def _packers(table: Table[Any]) -> Packers:
    """What has to be done to the values of some columns before they are sent: arrays and JSON."""
    return [
        (number, _packed.get(column.sql_type, list))
        for number, column in enumerate(table.columns)
        if column.is_array or column.sql_type == "jsonb"
    ]


def _packed_in(values: Sequence[Any], packers: Packers) -> Sequence[Any]:
    packed = list(values)
    for number, pack in packers:
        if packed[number] is not None:
            packed[number] = pack(packed[number])
    return packed


def _as_packed_json(value: Any) -> packing.Jsonb:
    return packing.Jsonb(encode(value))


_packed: dict[str, Callable[[Any], Any]] = {
    "jsonb": _as_packed_json,
    "text[]": packing.texts,
    "uuid[]": packing.uuids,
    "bigint[]": packing.bigints,
    "bytea[]": packing.byteas,
}
