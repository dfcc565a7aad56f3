"""Paging by key: what comes after a row in the order of a list, asked so that an index can answer."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from psycopg import sql

from projections.engine.lists.composing import Parameters, all_of, any_of
from projections.engine.lists.filtering import Column
from projections.engine.lists.values import Kind, read_value


@dataclass(frozen=True)
class Key:
    """A column that the list is sorted by, and which way."""

    column: Column
    descending: bool

    @property
    def expression(self) -> sql.SQL:
        """What is compared."""
        return sql.SQL(self.column.order or self.column.compared or self.column.sql)

    @property
    def nulls_come_last(self) -> bool:
        """Where empty values stand in this order."""
        return (self.column.nulls == "largest") != self.descending

    @property
    def ordering(self) -> sql.Composable:
        """How it stands after ORDER BY."""
        direction = sql.SQL(" DESC") if self.descending else sql.SQL(" ASC")
        if not self.column.nullable:
            return self.expression + direction
        return self.expression + direction + sql.SQL(" NULLS LAST" if self.nulls_come_last else " NULLS FIRST")


def typed_as(column: Column, value: Any) -> Any:
    """A cursor's value as the column's type again (in JSON, dates, decimals and ids are strings)."""
    if value is None or isinstance(value, (bool, int, float)):
        return value
    if column.kind in ("number", "decimal") and column.order is None:
        return Decimal(str(value))
    kind: Kind = "text" if column.kind in ("enum", "tags") or column.order is not None else column.kind
    return str(value) if kind == "text" else read_value(kind, str(value))


def beyond_all(keys: list[Key], values: list[Any], given: Parameters, *, filled_first: bool = False) -> sql.Composable:
    """After this row in the order of all keys: further on in the first, or the same there and after it in the rest."""
    if not keys:
        return sql.SQL("FALSE")
    key, value = keys[0], values[0]
    further = _beyond(key, value, given, filled=filled_first)
    if len(keys) == 1:
        return further
    same = key.expression + (sql.SQL(" IS NULL") if value is None else sql.SQL(" = ") + given.add(value))
    return any_of([further, all_of([same, beyond_all(keys[1:], values[1:], given)])])


def _beyond(key: Key, value: Any, given: Parameters, *, filled: bool) -> sql.Composable:
    """Further on in one key; with `filled`, among the filled values only (the empty ones are another segment)."""
    if value is None:
        return sql.SQL("FALSE") if key.nulls_come_last else key.expression + sql.SQL(" IS NOT NULL")
    further = key.expression + sql.SQL(" < " if key.descending else " > ") + given.add(value)
    if filled or not key.column.nullable or not key.nulls_come_last:
        return further
    return any_of([further, key.expression + sql.SQL(" IS NULL")])


def further_in_range(keys: list[Key], values: list[Any], given: Parameters) -> list[sql.Composable]:
    """After this row, among rows whose first key is filled; always with a bound that an index can start from."""
    first = keys[0]
    if all(key.descending == first.descending and not key.column.nullable for key in keys[1:]):
        ours = sql.SQL(", ").join(key.expression for key in keys)
        theirs = sql.SQL(", ").join([given.add(value) for value in values])
        beyond = sql.SQL(") < (") if first.descending else sql.SQL(") > (")
        return [sql.SQL("(") + ours + beyond + theirs + sql.SQL(")")]
    bound = first.expression + sql.SQL(" <= " if first.descending else " >= ") + given.add(values[0])
    return [bound, beyond_all(keys, values, given, filled_first=True)]
