"""The SQL of one table in one schema, composed once."""

from __future__ import annotations

import re
from typing import Any

from psycopg import sql

from projections.engine.model.declaration import Table

_TAIL = re.compile(r"\s+(?=(?:INCLUDE|NULLS NOT DISTINCT|WITH|WHERE)\b)", re.IGNORECASE)


class Statements:
    """How a table is made, filled, read and changed; everything names its schema, so that no search path matters."""

    def __init__(self, schema: str, table: Table[Any]) -> None:
        self._relation = sql.Identifier(schema, table.name)
        self._table = table
        self._columns = sql.SQL(", ").join(map(sql.Identifier, table.column_names))
        self._key = sql.SQL(", ").join(map(sql.Identifier, table.key))
        self.copy_in = self._compose("COPY {relation} ({columns}) FROM STDIN (FORMAT binary)")
        self.load_all = self._compose("SELECT {columns} FROM {relation}")
        self.load_by_first = self._compose("SELECT {columns} FROM {relation} WHERE {first} = ANY(%s)")
        self.insert = self._compose("INSERT INTO {relation} ({columns}) SELECT {columns} FROM {records}")
        self.upsert = self.insert + self._on_conflict()
        self.delete = self._compose("DELETE FROM {relation} USING {records} AS gone WHERE ({own_key}) = ({gone_key})")
        self.erase = self._erase(schema)
        self.analyse = self._compose("ANALYZE {relation}")
        self.count = self._compose("SELECT count(*) FROM {relation}")

    def create(self) -> bytes:
        """The table with its columns; the key and the indexes come after the rows."""
        columns = sql.SQL(", ").join(
            sql.SQL("{} {} {}").format(
                sql.Identifier(column.name),
                sql.SQL(column.sql_type),
                sql.SQL("" if column.nullable else "NOT NULL"),
            )
            for column in self._table.columns
        )
        return self._compose("CREATE TABLE {relation} ({definitions})", definitions=columns)

    def copy_from(self, schema: str) -> bytes:
        """Take over the rows that the same table in another schema has."""
        return self._compose(
            "INSERT INTO {relation} ({columns}) SELECT {columns} FROM {sister}",
            sister=sql.Identifier(schema, self._table.name),
        )

    def add_key(self) -> bytes:
        """Build the primary key."""
        return self._compose("ALTER TABLE {relation} ADD PRIMARY KEY ({key})")

    def add_indexes(self) -> list[bytes]:
        """Build the indexes, one statement each; named, as two that are built at once could draw the same name."""
        return [
            self._compose(
                "CREATE INDEX {name} ON {relation} {index}",
                name=sql.Identifier(f"{self._table.name}_index_{number}"),
                index=sql.SQL(_index(expression)),
            )
            for number, expression in enumerate(self._table.indexes, 1)
        ]

    def _erase(self, schema: str) -> bytes | None:
        """Empty what is said of some customers; none where nothing has to be."""
        if not self._table.erased:
            return None
        emptied = sql.SQL(", ").join(sql.SQL("{} = NULL").format(sql.Identifier(name)) for name in self._table.erased)
        if self._table.through is None:
            return self._compose("UPDATE {relation} SET {emptied} WHERE customer_id = ANY(%s)", emptied=emptied)
        return self._compose(
            "UPDATE {relation} SET {emptied} WHERE {first} IN "
            "(SELECT {first} FROM {through} WHERE customer_id = ANY(%s))",
            emptied=emptied,
            through=sql.Identifier(schema, self._table.through),
        )

    def _on_conflict(self) -> bytes:
        rest = [name for name in self._table.column_names if name not in self._table.key]
        if not rest:
            return self._compose(" ON CONFLICT ({key}) DO NOTHING")
        assignments = sql.SQL(", ").join(sql.SQL("{0} = excluded.{0}").format(sql.Identifier(name)) for name in rest)
        return self._compose(" ON CONFLICT ({key}) DO UPDATE SET {assignments}", assignments=assignments)

    def _compose(self, text: str, **more: sql.Composable) -> bytes:
        keys = self._table.key
        return (
            sql.SQL(text)
            .format(
                relation=self._relation,
                columns=self._columns,
                key=self._key,
                first=sql.Identifier(keys[0]),
                records=sql.SQL("jsonb_populate_recordset(NULL::{}, %s)").format(self._relation),
                own_key=sql.SQL(", ").join(sql.Identifier(self._table.name, name) for name in keys),
                gone_key=sql.SQL(", ").join(sql.Identifier("gone", name) for name in keys),
                **more,
            )
            .as_bytes(None)
        )


def _index(expression: str) -> str:
    """What follows the table's name: columns get their parentheses, all else stands as it was written."""
    if expression.lstrip().upper().startswith(("USING", "(")):
        return expression
    columns, *tail = _TAIL.split(expression, maxsplit=1)
    return " ".join([f"({columns})", *tail])
