"""Lists that can be filtered, sorted, searched and paged: one small language for every read model.

A read model declares what its list shows (`Listing`); a client asks with `field[op]=value`, `q=`, `sort=-name` and a
cursor (`Query`). Everything a client wrote reaches the database as a parameter, never as SQL.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, LiteralString

import msgspec
from psycopg import Connection, sql

from projections.engine.lists.composing import Parameters, all_of, any_of, where_all
from projections.engine.lists.cursor import ForeignCursor
from projections.engine.lists.filtering import Column, compare, part_of
from projections.engine.lists.paging import Key, beyond_all, further_in_range, typed_as
from projections.engine.lists.query import Filter, Query
from projections.engine.lists.refused import (
    MaskedField,
    UnfitCursor,
    UnfitSearch,
    UnfitValue,
    UnknownField,
    UnknownOperator,
    UnknownSort,
)
from projections.engine.lists.values import Unreadable, read_value

MAX_SORTS, MAX_SEARCH = 4, 200

Search = Callable[[str, Callable[[Any], sql.Placeholder]], sql.Composable]
"""A read model's own search: given the words and a way to add a parameter, the condition."""


@dataclass(frozen=True)
class Page:
    """One page of a list; `next` is the cursor of the following one, `total` only when it was asked for."""

    items: list[dict[str, Any]]
    next: str | None = None
    total: int | None = None


@dataclass(frozen=True)
class Listing:
    """What a list shows and may be asked; `tie_break` names a column that is unique and never empty.

    `search` is either the text expressions in which `q` is looked for as a part, or a function of its own.
    """

    columns: Mapping[str, Column]
    search: tuple[LiteralString, ...] | Search = ()
    default_sort: str = ""
    tie_break: str = "id"

    def page(
        self,
        connection: Connection[Any],
        query: Query,
        *,
        source: LiteralString,
        select: LiteralString | None = None,
        where: LiteralString | None = None,
        params: Mapping[str, Any] | None = None,
    ) -> Page:
        """One page of `source` (what stands after FROM); `select` replaces the columns shown. Raises QueryRefused."""
        parameters = Parameters(params or {})
        keys = self._keys(query)
        conditions = self._conditions(query, where, parameters)
        head = sql.SQL("SELECT ") + self._shown(select) + sql.SQL(", ")
        head += sql.SQL(", ").join(key.expression for key in keys) + sql.SQL(" FROM ") + sql.SQL(source)
        order = sql.SQL(" ORDER BY ") + sql.SQL(", ").join(key.ordering for key in keys)
        rows: list[tuple[Any, ...]] = []
        names: list[str] = []
        with connection.cursor() as cursor:
            for segment in self._segments(query, keys, parameters):
                wanted = query.limit + 1 - len(rows)
                statement = head + where_all([*conditions, *segment]) + order + sql.SQL(" LIMIT ") + sql.Literal(wanted)
                cursor.execute(statement, parameters.values)
                names = [column.name for column in cursor.description or ()]
                rows += cursor.fetchall()
                if len(rows) > query.limit:
                    break
        width = len(names) - len(keys)
        items = [dict(zip(names[:width], row[:width], strict=True)) for row in rows[: query.limit]]
        more = len(rows) > query.limit
        last = list(rows[query.limit - 1][width:]) if more else []
        return Page(
            items=items,
            next=query.cursors.write(last, self._question(query)) if more else None,
            total=self._total(connection, source, conditions, parameters) if query.include_total else None,
        )

    def check(self, query: Query) -> None:
        """Refuses what this list does not understand, without a database; a cursor is checked when the page is read.

        Raises QueryRefused.
        """
        self._conditions(query, None, Parameters({}))
        self._keys(query)

    def refuse_masked(self, query: Query) -> None:
        """Refuses filters and sorting by what is masked for whoever asks; raises MaskedField."""
        masked = {name for name, column in self.columns.items() if column.masked}
        for asked in query.filters:
            if asked.field in masked:
                raise MaskedField(parameter=asked.parameter, column=asked.field)
        for word in (query.sort or "").split(","):
            if word.removeprefix("-") in masked:
                raise MaskedField(parameter="sort", column=word.removeprefix("-"))

    def conditions(self, query: Query, parameters: dict[str, Any]) -> sql.Composable:
        """The filters and the search as one condition, its values put into `parameters`; for sums over a list."""
        collected = Parameters(parameters)
        condition = all_of(self._conditions(query, None, collected))
        parameters.update(collected.values)
        return condition

    def _total(
        self, connection: Connection[Any], source: LiteralString, conditions: list[sql.Composable], given: Parameters
    ) -> int:
        statement = sql.SQL("SELECT count(*) FROM ") + sql.SQL(source) + where_all(conditions)
        row = connection.execute(statement, given.values).fetchone()
        return int(row[0]) if row else 0

    def _shown(self, select: LiteralString | None) -> sql.Composable:
        if select is not None:
            return sql.SQL(select)
        return sql.SQL(", ").join(
            sql.SQL(column.sql) + sql.SQL(" AS ") + sql.Identifier(name)
            for name, column in self.columns.items()
            if column.shown
        )

    def _keys(self, query: Query) -> list[Key]:
        keys: dict[str, Key] = {}
        words = (query.sort if query.sort is not None else self.default_sort).split(",")
        sortable = sorted(name for name, column in self.columns.items() if column.sortable)
        for word in filter(None, words):
            name = word.removeprefix("-")
            column = self.columns.get(name)
            if column is None or not column.sortable or name in keys or len(keys) == MAX_SORTS:
                raise UnknownSort(parameter="sort", value=word, accepted=tuple(sortable), most=MAX_SORTS)
            keys[name] = Key(column, word.startswith("-"))
        if self.tie_break not in keys:
            last = next(reversed(keys.values()), None)
            keys[self.tie_break] = Key(self.columns[self.tie_break], last is not None and last.descending)
        return list(keys.values())

    def _conditions(self, query: Query, where: LiteralString | None, given: Parameters) -> list[sql.Composable]:
        conditions: list[sql.Composable] = [] if where is None else [sql.SQL("(") + sql.SQL(where) + sql.SQL(")")]
        conditions += [self._condition(asked, given) for asked in query.filters]
        if query.q is not None:
            conditions.append(self._found(query.q, given))
        return conditions

    def _found(self, words: str, given: Parameters) -> sql.Composable:
        try:
            read_value("text", words)
        except Unreadable:
            raise UnfitSearch(parameter="q", most=MAX_SEARCH) from None
        if not self.search or len(words) > MAX_SEARCH:
            raise UnfitSearch(parameter="q", most=MAX_SEARCH if self.search else 0)
        if callable(self.search):
            return sql.SQL("(") + self.search(words, given.add) + sql.SQL(")")
        pattern = given.add(part_of(words))
        return any_of([sql.SQL(expression) + sql.SQL(" ILIKE ") + pattern for expression in self.search])

    def _condition(self, asked: Filter, given: Parameters) -> sql.Composable:
        column = self.columns.get(asked.field)
        if column is None or not column.accepted_ops:
            accepted = tuple(sorted(name for name, known in self.columns.items() if known.accepted_ops))
            raise UnknownField(parameter=asked.parameter, column=asked.field, accepted=accepted)
        if asked.op not in column.accepted_ops:
            raise UnknownOperator(parameter=asked.parameter, column=asked.field, accepted=column.accepted_ops)
        expression = sql.SQL("(") + sql.SQL(column.compared or column.sql) + sql.SQL(")")
        try:
            return compare(expression, column, asked, given)
        except Unreadable:
            kind = "bool" if asked.op == "isnull" else column.kind
            raise UnfitValue(
                parameter=asked.parameter, value=asked.value[:100], kind=kind, accepted=column.choices
            ) from None

    def _segments(self, query: Query, keys: list[Key], given: Parameters) -> Iterable[list[sql.Composable]]:
        """Conditions for what comes after the cursor: asked one after another, each a plain range of an index."""
        if query.cursor is None:
            return [[]]
        try:
            values = query.cursors.read(query.cursor, self._question(query))
            typed = [typed_as(key.column, value) for key, value in zip(keys, values, strict=True)]
        except (ForeignCursor, Unreadable, ValueError):
            raise UnfitCursor(parameter="cursor") from None
        first, value = keys[0], typed[0]
        rest = beyond_all(keys[1:], typed[1:], given)
        null, filled = first.expression + sql.SQL(" IS NULL"), first.expression + sql.SQL(" IS NOT NULL")
        if value is None:
            return [[null, rest]] if first.nulls_come_last else [[null, rest], [filled]]
        here = further_in_range(keys, typed, given)
        return [here, [null]] if first.column.nullable and first.nulls_come_last else [here]

    def _question(self, query: Query) -> bytes:
        """What a cursor is bound to: everything that decides which rows there are, and their order."""
        asked = sorted((item.field, item.op, item.value) for item in query.filters)
        sort = query.sort if query.sort is not None else self.default_sort
        return hashlib.sha256(msgspec.json.encode([asked, sort, query.q, query.scope, self.tie_break])).digest()
