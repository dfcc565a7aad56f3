"""What those see who may not see everything: views over the tables of a build, under the same names.

A build has two schemas of views beside its own, each with all its tables: one in which only some records are, and one
with all of them; in both, contact details are masked but for some customers. Which ones is said by settings of the
transaction, from today's ownership, so that the same queries serve everybody: whoever looks, looks through a search
path, and where that leads nowhere, nothing is seen.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from psycopg import sql

from policy import Reach, Sight
from projections.engine.ground import Connection
from projections.engine.model.declaration import Projection, Table

SOME, ALL = "_s", "_m"
LONGEST_SUFFIX = 2
OWNERSHIP = ("tracking", "pipeline")
"""The read models that know whose customers and opportunities are."""
SEEN = {"customer_id": "genjin.customers", "opportunity_id": "genjin.opportunities"}
"""By column: the setting that holds the ids of what is seen."""
UNMASKED = "genjin.is_unmasked"
"""The setting that is on where nothing of what is seen is masked."""
OPEN = "genjin.open_customers"
"""The setting that holds the customers whose contact details are shown as they are."""

LINE_ASKED = "genjin.line_asked"
"""The setting that holds a whole line of a hidden column: whoever names it may find it."""


def view_schemas(schema_name: str) -> tuple[str, str]:
    """The schemas of views beside the one of a build."""
    return schema_name + SOME, schema_name + ALL


def schema_for(sight: Sight, schema_name: str) -> str:
    """The schema in which somebody finds the tables of a build."""
    if sight.is_full:
        return schema_name
    return schema_name + (ALL if sight.records.is_all else SOME)


def create_views(connection: Connection, projection: type[Projection], schema_name: str) -> None:
    """Make the views over a build's tables; the function `masked` is found in the workspace."""
    some, everything = view_schemas(schema_name)
    for name in (some, everything):
        connection.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(name)))
    for table in projection.tables.values():
        seen = sql.SQL("TRUE") if table.seen_by is None else _among(table.seen_by, SEEN[table.seen_by])
        _create(connection, table, schema_name, some, rows=seen)
        _create(connection, table, schema_name, everything, rows=sql.SQL("TRUE"))


def _create(connection: Connection, table: Table[Any], schema_name: str, views: str, rows: sql.Composable) -> None:
    columns = sql.SQL(", ").join(_shown(table, name) for name in table.column_names)
    connection.execute(
        sql.SQL("CREATE VIEW {} AS SELECT {} FROM {} WHERE {}").format(
            sql.Identifier(views, table.name), columns, sql.Identifier(schema_name, table.name), rows
        )
    )


def _shown(table: Table[Any], name: str) -> sql.Composable:
    column = sql.Identifier(name)
    otherwise: sql.Composable
    if name in table.masked:
        otherwise = sql.SQL("masked({})").format(column)
    elif name in table.hidden:
        otherwise = sql.SQL(
            "CASE WHEN current_setting({asked}, true) = ANY(string_to_array({column}, E'\\n')) "
            "THEN current_setting({asked}, true) ELSE '' END"
        ).format(column=column, asked=sql.Literal(LINE_ASKED))
    else:
        return column
    return sql.SQL("CASE WHEN current_setting({}) = 'on' THEN {} WHEN {} THEN {} ELSE {} END AS {}").format(
        sql.Literal(UNMASKED), column, _among("customer_id", OPEN), column, otherwise, column
    )


def _among(column: str, setting: str) -> sql.Composable:
    """Whether it is one of those in the setting: as a value of its own, so that the ids are read and hashed once."""
    return sql.SQL("({} IN (SELECT unnest(current_setting({})::uuid[]))) IS TRUE").format(
        sql.Identifier(column), sql.Literal(setting)
    )


@dataclass(frozen=True)
class Ownership:
    """The live schemas of `tracking` and `pipeline`, which know whose everything is, and how far both know it."""

    live: Mapping[str, str]
    position: int


@dataclass(frozen=True)
class Seen:
    """The customers that somebody sees, and those with their contact details; None stands for all.

    `position` is up to where it is known whose everything is; None where that does not matter.
    """

    customers: frozenset[UUID] | None = None
    opened: frozenset[UUID] | None = None
    position: int | None = None

    def shows(self, customer_id: UUID | None) -> bool:
        """Whether what belongs to this customer, or to none, is seen."""
        return self.customers is None or customer_id in self.customers

    def opens(self, customer_id: UUID | None) -> bool:
        """Whether its contact details are seen as they are."""
        return self.opened is None or customer_id in self.opened


def seen(connection: Connection, sight: Sight, owned: Ownership) -> Seen:
    """The customers within sight, by whose they are today."""
    customers, opened = _customers(connection, owned.live["tracking"], sight)
    return Seen(
        None if sight.records.is_all else frozenset(customers),
        None if sight.contacts.is_all else frozenset(opened),
        owned.position,
    )


def look(connection: Connection, projection: str, sight: Sight, owned: Ownership) -> frozenset[UUID] | None:
    """Say in this transaction what is seen of a read model, from whose it is today.

    Whoever sees an opportunity sees in the pipeline whose it is, too. Gives the customers whose contact details are
    open; None for all.
    """
    customers, opened = _customers(connection, owned.live["tracking"], sight)
    deals: dict[UUID, UUID] = {}
    if projection == "pipeline" and not sight.records.is_all:
        deals = _opportunities(connection, owned.live["pipeline"], sight.records, customers)
    settings = {
        SEEN["customer_id"]: _array({*customers, *deals.values()}),
        SEEN["opportunity_id"]: _array(deals),
        OPEN: _array(opened),
        UNMASKED: "on" if sight.is_unmasked else "off",
    }
    connection.execute(
        "SELECT set_config(name, setting, true) FROM unnest(%s::text[], %s::text[]) AS s (name, setting)",
        [list(settings), list(settings.values())],
    )
    return None if sight.contacts.is_all else frozenset(opened)


def _array(ids: Iterable[UUID]) -> str:
    return "{" + ",".join(map(str, ids)) + "}"


def _customers(connection: Connection, schema_name: str, sight: Sight) -> tuple[set[UUID], set[UUID]]:
    """The customers that are seen, and those with their contact details; where somebody sees all, none are listed."""
    found = _of(connection, schema_name, sight.records)
    is_open = sight.contacts.is_all or sight.contacts == sight.records
    return found, found if is_open else _of(connection, schema_name, sight.contacts)


def _of(connection: Connection, schema_name: str, reach: Reach) -> set[UUID]:
    if reach.is_nothing or reach.members is None:
        return set()
    query = sql.SQL("SELECT customer_id FROM {} WHERE owner_id = ANY(%s)")
    rows = connection.execute(query.format(sql.Identifier(schema_name, "customers")), [list(reach.members)])
    return {row[0] for row in rows}


def _opportunities(
    connection: Connection, schema_name: str, reach: Reach, customers: Collection[UUID]
) -> dict[UUID, UUID]:
    """The opportunities of those within reach, and of their customers; with the customer of each."""
    query = sql.SQL(
        "SELECT opportunity_id, customer_id FROM {} WHERE owner_id = ANY(%s) OR customer_id = ANY(%s)"
    ).format(sql.Identifier(schema_name, "opportunities"))
    rows = connection.execute(query, [list(reach.members or ()), list(customers)])
    return dict(rows.fetchall())
