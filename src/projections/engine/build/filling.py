"""A long stretch of the ledger, folded in memory and copied into tables."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from typing import Any

import psutil

from ledger.sealing import Keyring
from projections.engine.build.indexing import add_key_once
from projections.engine.failures import Undigested
from projections.engine.ground import Connection
from projections.engine.live.applying import candidates_of, fetch_from, is_passing
from projections.engine.live.loading import LoadedRows
from projections.engine.model.declaration import Projection, Table
from projections.engine.model.rows import AppendedRows, Rows
from projections.engine.tables.builds import statements_of
from projections.engine.tables.writing import copy_in, delete

MEMORY = 1_200 * 1024**2
"""Bytes that the processes of one build may need for rows together; then they write them and go on loading by key."""
ROWS_ALWAYS_KEPT = 20_000
"""So many rows are kept in any case, however little memory there is."""
ROWS_APPENDED = 20_000
"""Rows of append-only tables that are collected for one COPY."""

Part = tuple[int, int]
Report = Callable[[int], None]
"""Is told the position that was reached."""


class Filling:
    """Fills the tables of one build with what a part of the customers did.

    From empty tables everything stays in memory until the end. When that becomes too much, or when the tables have
    rows already (`keyed`), rows are loaded by key and written batch by batch.
    """

    def __init__(
        self,
        projection: type[Projection],
        schema_name: str,
        connection: Connection,
        keyring: Keyring,
        *,
        part: Part | None = None,
        keyed: bool = False,
        rows_in_memory: int | None = None,
    ) -> None:
        keyring.expire()
        self._connection = connection
        self._keyring = keyring
        self._schema_name = schema_name
        self._statements = statements_of(projection, schema_name)
        self._is_first = part is None or part[0] == 0
        self._keyed = keyed
        self._most_rows = rows_in_memory
        self._process = psutil.Process()
        self._most_memory = self._process.memory_info().rss + MEMORY // (part[1] if part else 1)
        self._fold = projection(self._loaded if keyed else self._in_memory)
        self._projection = projection

    def fill(self, batches: Iterable[list[Any]], report: Report) -> None:
        """Fold the batches and write the rows; Undigested names the event that could not be folded."""
        handle = self._handler()
        for batch in batches:
            if self._keyed:
                self._expect(batch)
            event: Any = None
            try:
                for event in batch:
                    handle(event)
            except Exception as error:
                if is_passing(error):
                    raise
                raise Undigested.of(self._projection.name, event, error) from error
            self._write_what_is_too_much()
            report(batch[-1].position)
        self._write()
        self._write_shared()

    def _handler(self) -> Callable[[Any], None]:
        """What is done with each event; parts other than the first add nothing for events without a customer."""
        projection = self._fold
        one, every = projection.handlers.get, projection.handle_every
        appended = [rows for rows in projection.rows.values() if isinstance(rows, AppendedRows)]

        def handle(event: Any) -> None:
            handler = one(event.topic)
            if handler is not None:
                handler(event)
            if every is not None:
                every(event)

        def handle_other_part(event: Any) -> None:
            if event.customer_id is not None:
                handle(event)
                return
            lengths = [len(rows) for rows in appended]
            handle(event)
            for rows, length in zip(appended, lengths, strict=True):
                del rows.added[length:]

        return handle if self._is_first else handle_other_part

    def _expect(self, batch: list[Any]) -> None:
        candidates = candidates_of(batch)
        for rows in self._fold.rows.values():
            if isinstance(rows, LoadedRows):
                rows.expect(candidates)

    def _write_what_is_too_much(self) -> None:
        for table, rows in self._tables():
            if table.append_only and len(rows) >= ROWS_APPENDED:
                self._copy(table, rows)
        if self._is_too_much():
            self._write()
            if not self._keyed:
                self._go_on_by_key()

    def _is_too_much(self) -> bool:
        kept = sum(len(rows) for table, rows in self._tables() if not table.append_only and not table.shared)
        if self._most_rows is not None:
            return kept > self._most_rows
        return kept > ROWS_ALWAYS_KEPT and self._process.memory_info().rss > self._most_memory

    def _write(self) -> None:
        for table, rows in self._tables():
            if not table.shared:
                self._copy(table, rows)

    def _write_shared(self) -> None:
        """At the very end, and once: every part needs these rows in memory until then."""
        for table, rows in self._tables():
            if table.shared and self._is_first:
                self._copy(table, rows)

    def _copy(self, table: Table[Any], rows: Rows[Any]) -> None:
        statements = self._statements[table.name]
        if isinstance(rows, LoadedRows):
            delete(self._connection, statements, table, rows.replaced())
            changed: Iterator[Any] = iter(rows.changed())
        else:
            changed = rows.drained()
        if (first := next(changed, None)) is not None:
            copy_in(self._connection, statements, table, chain([first], changed), self._keyring)
        rows.written()

    def _go_on_by_key(self) -> None:
        """From now on, rows are found in their tables: these get their keys."""
        self._keyed = True
        for attribute, table in self._projection.tables.items():
            if table.append_only or table.shared:
                continue
            add_key_once(self._connection, self._schema_name, table, self._statements[table.name].add_key())
            self._connection.execute(self._statements[table.name].analyse)
            rows = self._loaded(table)
            self._fold.rows[table.name] = rows
            setattr(self._fold, attribute, rows)

    def _tables(self) -> Iterator[tuple[Table[Any], Rows[Any]]]:
        for table in self._projection.tables.values():
            yield table, self._fold.rows[table.name]

    @staticmethod
    def _in_memory(table: Table[Any]) -> Rows[Any]:
        return table.appended() if table.append_only else table.in_memory()

    def _loaded(self, table: Table[Any]) -> Rows[Any]:
        if table.append_only:
            return table.appended()
        return LoadedRows(table, fetch_from(self._connection, table, self._statements[table.name]))
