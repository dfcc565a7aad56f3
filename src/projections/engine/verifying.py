"""The proof that a read model says what the ledger says: fold everything once more and compare, both ways."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from psycopg import sql

from ledger.follow.reading import read
from projections.engine.build.filling import Filling
from projections.engine.build.indexing import add_key_once
from projections.engine.failures import NotBuilt
from projections.engine.ground import Connection, Ground
from projections.engine.model.declaration import Projection, Table
from projections.engine.tables import builds
from projections.engine.tables.builds import Build

NAMED = 100
"""Differences that are named at most; all are counted."""
SCRATCH = "pg_temp"


@dataclass(frozen=True)
class Difference:
    """A place where the live read model does not say what its events say; a row that is missing has no column."""

    table: str
    key: dict[str, Any]
    column: str | None
    live: Any
    rebuilt: Any


@dataclass(frozen=True)
class Verification:
    """What was compared, at which position, and what differed."""

    projection: str
    version: int
    position: int
    rows: int
    differing_rows: int
    differences: list[Difference] = field(default_factory=list)

    @property
    def is_clean(self) -> bool:
        """Whether live and rebuilt are the same."""
        return self.differing_rows == 0


def verify(
    ground: Ground,
    projection: type[Projection],
    report: Callable[[int, int], None] | None = None,
    *,
    rows_in_memory: int | None = None,
) -> Verification:
    """Compare the live read model with a fresh fold to exactly its position, in one snapshot, while writing goes on.

    `report` is given the position reached and the one to reach. Raises NotBuilt when there is nothing to compare, and
    Undigested when the events cannot be folded.
    """
    with ground.connection() as connection, connection.transaction():
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        # A scratch table may be called like one of the ledger's own: temporary tables are looked for last.
        connection.execute("SELECT set_config('search_path', current_setting('search_path') || ', pg_temp', true)")
        live = builds.live_build(connection, projection)
        if live is None:
            raise NotBuilt(projection.name, None, None)
        _fold_scratch(ground, connection, projection, live.position, report, rows_in_memory)
        return _compare(connection, projection, live)


def _fold_scratch(
    ground: Ground,
    connection: Connection,
    projection: type[Projection],
    upto: int,
    report: Callable[[int, int], None] | None,
    rows_in_memory: int | None,
) -> None:
    scratch = builds.statements_of(projection, SCRATCH)
    for statements in scratch.values():
        connection.execute(statements.create())
    filling = Filling(projection, SCRATCH, connection, ground.keyring, rows_in_memory=rows_in_memory)
    batches = read(connection, 0, upto, topics=projection.topics_read())
    filling.fill(batches, lambda position: report(position, upto) if report else None)
    for table in projection.tables.values():
        add_key_once(connection, SCRATCH, table, scratch[table.name].add_key())
        connection.execute(scratch[table.name].analyse)


def _compare(connection: Connection, projection: type[Projection], live: Build) -> Verification:
    rows = differing = 0
    differences: list[Difference] = []
    for table in projection.tables.values():
        own = sql.Identifier(live.schema_name, table.name)
        scratch = sql.Identifier(SCRATCH, table.name)
        rows += _number(connection, sql.SQL("SELECT count(*) FROM {}").format(own))
        keys = _differing_keys(table, own, scratch)
        found = _number(connection, sql.SQL("SELECT count(*) FROM ({}) AS k").format(keys))
        differing += found
        if found and len(differences) < NAMED:
            differences += _named(connection, table, own, scratch, keys, NAMED - len(differences))
    return Verification(live.projection, live.version, live.position, rows, differing, differences)


def _differing_keys(table: Table[Any], own: sql.Composable, scratch: sql.Composable) -> sql.Composed:
    """The keys of rows that one side has and the other has not, in exactly that form and number."""
    columns, key = _list(table.column_names), _list(table.key)
    return sql.SQL(
        "SELECT DISTINCT {key} FROM ("
        "(SELECT {columns} FROM {own} EXCEPT ALL SELECT {columns} FROM {scratch}) UNION ALL "
        "(SELECT {columns} FROM {scratch} EXCEPT ALL SELECT {columns} FROM {own})) AS d"
    ).format(key=key, columns=columns, own=own, scratch=scratch)


def _named(
    connection: Connection,
    table: Table[Any],
    own: sql.Composable,
    scratch: sql.Composable,
    keys: sql.Composable,
    most: int,
) -> list[Difference]:
    query = sql.SQL(
        "SELECT {key_values}, l.{first} IS NOT NULL, r.{first} IS NOT NULL, {live}, {rebuilt} FROM ({keys}) AS k "
        "LEFT JOIN {own} AS l USING ({key}) LEFT JOIN {scratch} AS r USING ({key}) ORDER BY {key_values} LIMIT {most}"
    ).format(
        key_values=sql.SQL(", ").join(sql.Identifier("k", name) for name in table.key),
        first=sql.Identifier(table.key[0]),
        live=sql.SQL(", ").join(sql.Identifier("l", name) for name in table.column_names),
        rebuilt=sql.SQL(", ").join(sql.Identifier("r", name) for name in table.column_names),
        keys=keys,
        own=own,
        scratch=scratch,
        key=_list(table.key),
        most=sql.Literal(most),
    )
    differences: list[Difference] = []
    for row in connection.execute(query).fetchall():
        differences += _of_row(table, row)
    return differences[:most]


def _of_row(table: Table[Any], row: tuple[Any, ...]) -> list[Difference]:
    width, columns = len(table.key), len(table.column_names)
    key = dict(zip(table.key, row[:width], strict=True))
    has_live, has_rebuilt = row[width : width + 2]
    live, rebuilt = row[width + 2 : width + 2 + columns], row[width + 2 + columns :]
    names = table.column_names
    if not has_live or not has_rebuilt:
        return [
            Difference(
                table.name,
                key,
                None,
                dict(zip(names, live, strict=True)) if has_live else None,
                dict(zip(names, rebuilt, strict=True)) if has_rebuilt else None,
            )
        ]
    return [
        Difference(table.name, key, name, one, other)
        for name, one, other in zip(names, live, rebuilt, strict=True)
        if one != other
    ]


def _number(connection: Connection, query: sql.Composed) -> int:
    row = connection.execute(query).fetchone()
    assert row is not None
    return int(row[0])


def _list(names: tuple[str, ...]) -> sql.Composed:
    return sql.SQL(", ").join(map(sql.Identifier, names))
