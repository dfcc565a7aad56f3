"""The live side: a batch of events becomes changed rows and a new position, in one transaction."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from psycopg import errors

from aggregates.customer import Customer
from aggregates.member import Member
from ledger import packing
from ledger.errors import DatabaseAway
from ledger.sealing import Keyring
from projections.engine.failures import Overtaken, Undigested
from projections.engine.ground import Connection
from projections.engine.live.loading import Fetch, LoadedRows
from projections.engine.model.declaration import Projection, Table
from projections.engine.model.rows import AppendedRows, Rows
from projections.engine.tables.builds import Build, statements_of
from projections.engine.tables.statements import Statements
from projections.engine.tables.writing import delete, upsert

ERASURES = frozenset({Customer.ContactErased.TOPIC, Customer.Erased.TOPIC, Member.Erased.TOPIC})
OVERTAKEN = (errors.SerializationFailure, errors.UndefinedTable, errors.InvalidSchemaName)
"""The build is somewhere else by now, or gone."""


def is_passing(error: BaseException) -> bool:
    """Whether it lies with the database being away or short of something, and not with the event."""
    return isinstance(error, errors.OperationalError | errors.InterfaceError | DatabaseAway) and not isinstance(
        error, errors.ProgramLimitExceeded
    )


class Applier:
    """Brings one build further, batch by batch, over one connection in autocommit mode."""

    def __init__(self, projection: type[Projection], build: Build, connection: Connection, keyring: Keyring) -> None:
        self.build = build
        self._connection = connection
        self._keyring = keyring
        self._statements = statements_of(projection, build.schema_name)
        self._fold = projection(self._rows_of)
        self._tables = list(projection.tables.values())
        self._loaded = [rows for rows in self._fold.rows.values() if isinstance(rows, LoadedRows)]

    @property
    def position(self) -> int:
        """Every event up to here is in the rows."""
        return self.build.position

    def apply(self, events: Sequence[Any], position: int) -> None:
        """Fold these events, write what changed, and stand at that position; all of it or nothing.

        Raises Overtaken when another runner was faster, and Undigested for an event that the fold or its tables refuse:
        then the events before it have been applied.
        """
        try:
            self._apply(events, position)
        except OVERTAKEN as error:
            self.forget()
            raise Overtaken(self.build.schema_name) from error
        except Exception as error:
            self.forget()
            if is_passing(error) or not events:
                raise
            if self._has_moved():
                raise Overtaken(self.build.schema_name) from error
            if len(events) == 1:
                raise Undigested.of(self.build.projection, events[0], error) from error
            for event in events:
                self.apply([event], event.position)
            self.apply([], position)

    def _has_moved(self) -> bool:
        """Somebody else moved the build on: then rows were read that know later events, and the fold failed on them."""
        row = self._connection.execute(
            "SELECT position FROM projection_builds WHERE schema_name = %s", [self.build.schema_name]
        ).fetchone()
        return row is None or row[0] != self.position

    def forget(self) -> None:
        """Drop everything that is kept in memory of the tables."""
        for rows in self._fold.rows.values():
            rows.clear()

    def _apply(self, events: Sequence[Any], position: int) -> None:
        erased = self._erased(events)
        candidates = candidates_of(events)
        for loaded in self._loaded:
            loaded.expect(candidates)
        for event in events:
            self._fold.handle(event)
        tables = [table for table in self._tables if not table.shared or self._changes_shared(events)]
        self._write(position, tables, erased)
        for table in tables:
            self._fold.rows[table.name].written()

    def _erased(self, events: Sequence[Any]) -> list[UUID]:
        """The customers erased by these events; whoever's key is destroyed is not read from memory any more."""
        erasures = [event for event in events if event.topic in ERASURES]
        if erasures:
            self._keyring.expire()
        return [event.originator_id for event in erasures if event.topic == Customer.Erased.TOPIC]

    @staticmethod
    def _changes_shared(events: Sequence[Any]) -> bool:
        """Only what belongs to no customer changes the rows that all share; they are kept from batch to batch."""
        return any(event.customer_id is None for event in events)

    def _write(self, position: int, tables: Sequence[Table[Any]], erased: Sequence[UUID] = ()) -> None:
        connection, keyring = self._connection, self._keyring
        with connection.pipeline(), connection.transaction():
            connection.execute(
                "SELECT move_projection(%s, %s, %s)", [self.build.schema_name, self.position, position], prepare=True
            )
            for table in tables:
                statements, rows = self._statements[table.name], self._fold.rows[table.name]
                delete(connection, statements, table, rows.removed())
                upsert(connection, statements, table, rows.changed(), keyring)
            for emptying in (each.erase for each in self._statements.values()) if erased else ():
                if emptying is not None:
                    connection.execute(emptying, [packing.uuids(erased)])
        self.build = self.build.at(position)

    def _rows_of(self, table: Table[Any]) -> Rows[Any]:
        if table.append_only:
            return AppendedRows(table.name, table.key)
        return LoadedRows(table, fetch_from(self._connection, table, self._statements[table.name]))


def candidates_of(events: Iterable[Any]) -> set[UUID]:
    """The ids that the events may ask for: their aggregates and their customers."""
    found = {event.originator_id for event in events}
    found.update(event.customer_id for event in events if event.customer_id is not None)
    return found


def fetch_from(connection: Connection, table: Table[Any], statements: Statements) -> Fetch:
    """Reads rows of one table over that connection."""
    by_id = next(column for column in table.columns if column.name == table.key[0]).sql_type == "uuid"
    as_array = packing.uuids if by_id else list

    def fetch(firsts: list[Any] | None) -> Iterable[tuple[Any, ...]]:
        if firsts is None:
            return connection.execute(statements.load_all, binary=True, prepare=True).fetchall()
        return connection.execute(statements.load_by_first, [as_array(firsts)], binary=True, prepare=True).fetchall()

    return fetch
