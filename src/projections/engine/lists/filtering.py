"""The fields of a list, and the condition that each filter is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, LiteralString

from psycopg import sql

from projections.engine.lists.composing import Parameters
from projections.engine.lists.query import Filter
from projections.engine.lists.values import OPS, Kind, Op, read_bool, read_list, read_value

_COMPARE: dict[str, LiteralString] = {"eq": "=", "lt": "<", "lte": "<=", "gt": ">", "gte": ">="}


@dataclass(frozen=True)
class Column:
    """A field of a list: its SQL, its kind, and what may be asked of it.

    `sql` may use the caller's named parameters (`next_contact_on < %(today)s`). `compared` is what filters and sorting
    go by where that is not what is shown (sums by currency, compared in one of them); `order` is what it is sorted by
    where that differs from both (a name's pinyin). `nulls` says whether an empty value counts as the largest (last
    when ascending, first when descending: what a plain index gives) or as the smallest; so one index serves both ways.
    `masked` fields are shown in part to some, who then may not ask by them either.
    """

    sql: LiteralString
    kind: Kind
    ops: tuple[Op, ...] | None = None
    sortable: bool = False
    nullable: bool = True
    choices: tuple[str, ...] = ()
    order: LiteralString | None = None
    compared: LiteralString | None = None
    nulls: Literal["largest", "smallest"] = "largest"
    shown: bool = True
    masked: bool = False

    @property
    def accepted_ops(self) -> tuple[Op, ...]:
        """The operators this field takes."""
        return OPS[self.kind] if self.ops is None else self.ops


def part_of(words: str) -> str:
    """The LIKE pattern for a text that contains the words, whatever signs they hold."""
    escaped = words.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{escaped}%"


def compare(expression: sql.Composable, column: Column, asked: Filter, given: Parameters) -> sql.Composable:
    """The condition for one filter; an empty value differs (`ne`) from every other. Raises Unreadable."""
    op, raw, tags = asked.op, asked.value, column.kind == "tags"
    if op == "isnull":
        empty = expression + sql.SQL(" IS NULL")
        if tags:
            empty = sql.SQL("cardinality(coalesce(") + expression + sql.SQL(", '{}')) = 0")
        return empty if read_bool(raw) else sql.SQL("NOT (") + empty + sql.SQL(")")
    if op == "in":
        values = given.add(read_list(column.kind, raw, column.choices))
        if tags:
            return expression + sql.SQL(" && ") + values + sql.SQL("::text[]")
        return expression + sql.SQL(" = ANY(") + values + sql.SQL(")")
    value = read_value(column.kind, raw, column.choices)
    if op == "contains":
        if tags:
            return expression + sql.SQL(" @> ") + given.add([value]) + sql.SQL("::text[]")
        return expression + sql.SQL(" ILIKE ") + given.add(part_of(value))
    if op == "ne":
        return expression + sql.SQL(" IS DISTINCT FROM ") + given.add(value)
    return expression + sql.SQL(" ") + sql.SQL(_COMPARE[op]) + sql.SQL(" ") + given.add(value)
