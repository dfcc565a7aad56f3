"""Rows that are fetched from their table when a fold first asks for them, with what they were then."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from copy import deepcopy
from typing import Any
from uuid import UUID

from msgspec.structs import astuple

from projections.engine.model.declaration import Table
from projections.engine.model.rows import R, Rows

Fetch = Callable[[list[Any] | None], Iterable[tuple[Any, ...]]]
"""Gives the rows whose key begins with one of these values; all rows for None."""


class LoadedRows(Rows[R]):
    """Rows by key, fetched on demand: at the first miss of a batch all that its events may need, in one query."""

    def __init__(self, table: Table[R], fetch: Fetch) -> None:
        super().__init__(table.name, table.key)
        self._table = table
        self._fetch = fetch
        self._arrays = [number for number, column in enumerate(table.columns) if column.is_array]
        self._mutable = [number for number, column in enumerate(table.columns) if column.sql_type == "jsonb"]
        self._keyed_by_id = next(column for column in table.columns if column.name == table.key[0]).sql_type == "uuid"
        self._fetched: dict[Any, tuple[Any, ...]] = {}
        self._known: set[Any] = set()
        self._complete = False
        self._candidates: Collection[UUID] = ()

    def expect(self, candidates: Collection[UUID]) -> None:
        """The ids that the events at hand may ask for; they are fetched together when the first one is missed."""
        self._candidates = candidates if self._keyed_by_id else ()

    def __getitem__(self, key: Any) -> R:
        row = self._rows.get(key)
        if row is None:
            self._seek(key[0] if self._composite else key)
            return self._rows[key]
        return row

    def get(self, key: Any) -> R | None:
        """The row of that key, or nothing."""
        row = self._rows.get(key)
        if row is None:
            self._seek(key[0] if self._composite else key)
            return self._rows.get(key)
        return row

    def of(self, first: Any) -> list[R]:
        """The rows whose key begins with that value, in the order of their keys."""
        self._seek(first)
        return super().of(first)

    def changed(self) -> list[R]:
        """The rows that are new, or no longer what was fetched."""
        fetched = self._fetched
        return [row for key, row in self._rows.items() if fetched.get(key) != astuple(row)]

    def replaced(self) -> list[Any]:
        """The keys of fetched rows that are no longer what they were, or no longer there."""
        rows = self._rows
        return [
            key for key, values in self._fetched.items() if (row := rows.get(key)) is None or astuple(row) != values
        ]

    def removed(self) -> list[Any]:
        """The keys of fetched rows that are no longer there."""
        return [key for key in self._fetched if key not in self._rows]

    def written(self) -> None:
        """What is at hand is what the table now has; shared rows are kept for the next batch, all others forgotten."""
        if not self._complete:
            self.clear()
            return
        self._fetched = {key: self._copied(astuple(row)) for key, row in self._rows.items()}

    def clear(self) -> None:
        """Forget all rows at hand."""
        super().clear()
        self._fetched.clear()
        self._known.clear()
        self._complete = False
        self._candidates = ()

    def _seek(self, first: Any) -> None:
        if self._complete or first in self._known:
            return
        if self._table.shared:
            self._complete = True
            self._take(self._fetch(None))
            return
        wanted = [first]
        if self._candidates:
            wanted.extend(each for each in self._candidates if each != first and each not in self._known)
            self._candidates = ()
        self._known.update(wanted)
        self._take(self._fetch(wanted))

    def _take(self, fetched: Iterable[tuple[Any, ...]]) -> None:
        make = self._table.row_class
        for values in fetched:
            if self._arrays:
                values = self._with_tuples(values)
            row = make(*values)
            key = self.key_of(row)
            self._fetched[key] = self._copied(values)
            self._put(key, row)

    def _with_tuples(self, values: tuple[Any, ...]) -> tuple[Any, ...]:
        changed = list(values)
        for number in self._arrays:
            if changed[number] is not None:
                changed[number] = tuple(changed[number])
        return tuple(changed)

    def _copied(self, values: tuple[Any, ...]) -> tuple[Any, ...]:
        if not self._mutable:
            return values
        return tuple(deepcopy(value) if number in self._mutable else value for number, value in enumerate(values))
