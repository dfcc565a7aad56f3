"""Lists that can be filtered, sorted, searched and paged: one small language for every read model.

A read model declares what its list shows (`Listing`); a client asks with `field[op]=value`, `q=`, `sort=-name` and a
cursor (`Query`). Everything a client wrote reaches the database as a parameter, never as SQL.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, ClassVar, Literal, LiteralString

import msgspec
from psycopg import Connection, sql

from aggregates.base import DomainError
from projections.engine.lists.cursor import Cursors, ForeignCursor
from projections.engine.lists.values import OPS, Kind, Op, Unreadable, read_bool, read_list, read_value

DEFAULT_LIMIT, MAX_LIMIT, MAX_SORTS, MAX_FILTERS, MAX_SEARCH = 50, 200, 4, 30, 200
_FILTER = re.compile(r"([A-Za-z_][A-Za-z0-9_.]*)\[([A-Za-z]*)\]", re.ASCII)
_OWN = ("q", "sort", "cursor", "limit", "include_total")


class QueryRefused(DomainError):
    """A list was asked for in a way it does not know; `parameter` is the part of the query string to blame."""

    code: ClassVar[str] = "query-refused"
    parameter: str


class UnknownParameter(QueryRefused):
    """The query string has a parameter that nothing here understands."""

    code = "unknown-parameter"
    accepted: tuple[str, ...]


class RepeatedParameter(QueryRefused):
    """The query string says twice what can be said once."""

    code = "repeated-parameter"


class UnknownField(QueryRefused):
    """The list has no such field to filter by."""

    code = "unknown-filter-field"
    column: str
    accepted: tuple[str, ...]


class UnknownOperator(QueryRefused):
    """The field cannot be asked about in this way."""

    code = "unknown-filter-operator"
    column: str
    accepted: tuple[str, ...]


class UnfitValue(QueryRefused):
    """The value is not of the field's kind."""

    code = "unfit-filter-value"
    value: str | None
    kind: str
    accepted: tuple[str, ...]


class UnknownSort(QueryRefused):
    """The list cannot be sorted by this."""

    code = "unknown-sort-field"
    value: str
    accepted: tuple[str, ...]
    most: int


class UnfitSearch(QueryRefused):
    """The words searched for are too long, or the list has nothing to search (then `most` is 0)."""

    code = "unfit-search"
    most: int


class UnfitCursor(QueryRefused):
    """The cursor was changed, or belongs to another filter, sort or moment."""

    code = "unfit-cursor"


class UnfitLimit(QueryRefused):
    """The page size is not a number that a page can have."""

    code = "unfit-limit"
    value: str
    most: int


class TooManyFilters(QueryRefused):
    """More conditions than one question may have."""

    code = "too-many-filters"
    most: int


@dataclass(frozen=True)
class Filter:
    """One condition as the client wrote it: `field[op]=value`."""

    field: str
    op: str
    value: str

    @property
    def parameter(self) -> str:
        """How the client named it."""
        return f"{self.field}[{self.op}]"


@dataclass(frozen=True)
class Query:
    """What a client asks of a list; `scope` ties cursors to everything else that was asked (path, day, moment)."""

    filters: tuple[Filter, ...] = ()
    sort: str | None = None
    q: str | None = None
    cursor: str | None = None
    limit: int = DEFAULT_LIMIT
    include_total: bool = False
    scope: str = ""
    cursors: Cursors = field(default_factory=Cursors, repr=False)

    @classmethod
    def parse(
        cls,
        pairs: Iterable[tuple[str, str]],
        *,
        also: Iterable[str] = (),
        scope: str = "",
        cursors: Cursors | None = None,
    ) -> Query:
        """Reads a query string's pairs; parameters named in `also` belong to the caller. Raises QueryRefused."""
        also = tuple(also)
        filters: list[Filter] = []
        own: dict[str, str] = {}
        for name, value in pairs:
            if match := _FILTER.fullmatch(name):
                filters.append(Filter(match[1], match[2], value))
            elif name in _OWN:
                if name in own:
                    raise RepeatedParameter(parameter=name)
                own[name] = value
            elif name not in also:
                raise UnknownParameter(parameter=name, accepted=(*also, *_OWN, "field[op]"))
        if len(filters) > MAX_FILTERS:
            raise TooManyFilters(parameter=filters[MAX_FILTERS].parameter, most=MAX_FILTERS)
        return cls(
            filters=tuple(filters),
            sort=own.get("sort") or None,
            q=own.get("q") or None,
            cursor=own.get("cursor") or None,
            limit=_limit(own.get("limit")),
            include_total=_flag("include_total", own.get("include_total")),
            scope=scope,
            cursors=cursors or Cursors(),
        )


def _limit(raw: str | None) -> int:
    if raw is None:
        return DEFAULT_LIMIT
    if not re.fullmatch(r"\d{1,3}", raw, re.ASCII) or not 1 <= int(raw) <= MAX_LIMIT:
        raise UnfitLimit(parameter="limit", value=raw, most=MAX_LIMIT)
    return int(raw)


def _flag(name: str, raw: str | None) -> bool:
    try:
        return raw is not None and read_bool(raw)
    except Unreadable:
        raise UnfitValue(parameter=name, value=raw, kind="bool", accepted=("true", "false")) from None


@dataclass(frozen=True)
class Column:
    """A field of a list: its SQL, its kind, and what may be asked of it.

    `sql` may use the caller's named parameters (`next_contact_on < %(today)s`). `compared` is what filters and sorting
    go by where that is not what is shown (sums by currency, compared in one of them); `order` is what it is sorted by
    where that differs from both (a name's pinyin). `nulls` says whether an empty value counts as the largest (last
    when ascending, first when descending: what a plain index gives) or as the smallest; so one index serves both ways.
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

    @property
    def accepted_ops(self) -> tuple[Op, ...]:
        """The operators this field takes."""
        return OPS[self.kind] if self.ops is None else self.ops


@dataclass(frozen=True)
class Page:
    """One page of a list; `next` is the cursor of the following one, `total` only when it was asked for."""

    items: list[dict[str, Any]]
    next: str | None = None
    total: int | None = None


@dataclass(frozen=True)
class _Key:
    column: Column
    descending: bool

    @property
    def expression(self) -> sql.SQL:
        return sql.SQL(self.column.order or self.column.compared or self.column.sql)

    @property
    def nulls_come_last(self) -> bool:
        return (self.column.nulls == "largest") != self.descending

    @property
    def ordering(self) -> sql.Composable:
        direction = sql.SQL(" DESC") if self.descending else sql.SQL(" ASC")
        if not self.column.nullable:
            return self.expression + direction
        return self.expression + direction + sql.SQL(" NULLS LAST" if self.nulls_come_last else " NULLS FIRST")


class _Parameters:
    """Gives each value a name of its own in the statement."""

    def __init__(self, given: Mapping[str, Any]) -> None:
        self.values: dict[str, Any] = dict(given)

    def add(self, value: Any) -> sql.Placeholder:
        name = f"listing_{len(self.values)}"
        self.values[name] = value
        return sql.Placeholder(name)


Search = Callable[[str, Callable[[Any], sql.Placeholder]], sql.Composable]
"""A read model's own search: given the words and a way to add a parameter, the condition."""

_COMPARE: dict[str, LiteralString] = {"eq": "=", "lt": "<", "lte": "<=", "gt": ">", "gte": ">="}


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
        parameters = _Parameters(params or {})
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
                statement = head + _where([*conditions, *segment]) + order + sql.SQL(" LIMIT ") + sql.Literal(wanted)
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
        self._conditions(query, None, _Parameters({}))
        self._keys(query)

    def conditions(self, query: Query, parameters: dict[str, Any]) -> sql.Composable:
        """The filters and the search as one condition, its values put into `parameters`; for sums over a list."""
        collected = _Parameters(parameters)
        condition = _all(self._conditions(query, None, collected))
        parameters.update(collected.values)
        return condition

    def _total(
        self, connection: Connection[Any], source: LiteralString, conditions: list[sql.Composable], given: _Parameters
    ) -> int:
        statement = sql.SQL("SELECT count(*) FROM ") + sql.SQL(source) + _where(conditions)
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

    def _keys(self, query: Query) -> list[_Key]:
        keys: dict[str, _Key] = {}
        words = (query.sort if query.sort is not None else self.default_sort).split(",")
        sortable = sorted(name for name, column in self.columns.items() if column.sortable)
        for word in filter(None, words):
            name = word.removeprefix("-")
            column = self.columns.get(name)
            if column is None or not column.sortable or name in keys or len(keys) == MAX_SORTS:
                raise UnknownSort(parameter="sort", value=word, accepted=tuple(sortable), most=MAX_SORTS)
            keys[name] = _Key(column, word.startswith("-"))
        if self.tie_break not in keys:
            last = next(reversed(keys.values()), None)
            keys[self.tie_break] = _Key(self.columns[self.tie_break], last is not None and last.descending)
        return list(keys.values())

    def _conditions(self, query: Query, where: LiteralString | None, given: _Parameters) -> list[sql.Composable]:
        conditions: list[sql.Composable] = [] if where is None else [sql.SQL("(") + sql.SQL(where) + sql.SQL(")")]
        conditions += [self._condition(asked, given) for asked in query.filters]
        if query.q is not None:
            conditions.append(self._found(query.q, given))
        return conditions

    def _found(self, words: str, given: _Parameters) -> sql.Composable:
        try:
            read_value("text", words)
        except Unreadable:
            raise UnfitSearch(parameter="q", most=MAX_SEARCH) from None
        if not self.search or len(words) > MAX_SEARCH:
            raise UnfitSearch(parameter="q", most=MAX_SEARCH if self.search else 0)
        if callable(self.search):
            return sql.SQL("(") + self.search(words, given.add) + sql.SQL(")")
        pattern = given.add(part_of(words))
        return _any([sql.SQL(expression) + sql.SQL(" ILIKE ") + pattern for expression in self.search])

    def _condition(self, asked: Filter, given: _Parameters) -> sql.Composable:
        column = self.columns.get(asked.field)
        if column is None or not column.accepted_ops:
            accepted = tuple(sorted(name for name, known in self.columns.items() if known.accepted_ops))
            raise UnknownField(parameter=asked.parameter, column=asked.field, accepted=accepted)
        if asked.op not in column.accepted_ops:
            raise UnknownOperator(parameter=asked.parameter, column=asked.field, accepted=column.accepted_ops)
        expression = sql.SQL("(") + sql.SQL(column.compared or column.sql) + sql.SQL(")")
        try:
            return _compare(expression, column, asked, given)
        except Unreadable:
            kind = "bool" if asked.op == "isnull" else column.kind
            raise UnfitValue(
                parameter=asked.parameter, value=asked.value[:100], kind=kind, accepted=column.choices
            ) from None

    def _segments(self, query: Query, keys: list[_Key], given: _Parameters) -> Iterable[list[sql.Composable]]:
        """Conditions for what comes after the cursor: asked one after another, each a plain range of an index."""
        if query.cursor is None:
            return [[]]
        try:
            values = query.cursors.read(query.cursor, self._question(query))
            typed = [_typed(key.column, value) for key, value in zip(keys, values, strict=True)]
        except (ForeignCursor, Unreadable, ValueError):
            raise UnfitCursor(parameter="cursor") from None
        first, value = keys[0], typed[0]
        rest = _beyond_all(keys[1:], typed[1:], given)
        null, filled = first.expression + sql.SQL(" IS NULL"), first.expression + sql.SQL(" IS NOT NULL")
        if value is None:
            return [[null, rest]] if first.nulls_come_last else [[null, rest], [filled]]
        here = _further_in_range(keys, typed, given)
        return [here, [null]] if first.column.nullable and first.nulls_come_last else [here]

    def _question(self, query: Query) -> bytes:
        """What a cursor is bound to: everything that decides which rows there are, and their order."""
        asked = sorted((item.field, item.op, item.value) for item in query.filters)
        sort = query.sort if query.sort is not None else self.default_sort
        return hashlib.sha256(msgspec.json.encode([asked, sort, query.q, query.scope, self.tie_break])).digest()


def part_of(words: str) -> str:
    """The LIKE pattern for a text that contains the words, whatever signs they hold."""
    escaped = words.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{escaped}%"


def _compare(expression: sql.Composable, column: Column, asked: Filter, given: _Parameters) -> sql.Composable:
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


def _typed(column: Column, value: Any) -> Any:
    """A cursor's value as the column's type again (in JSON, dates, decimals and ids are strings)."""
    if value is None or isinstance(value, (bool, int, float)):
        return value
    if column.kind in ("number", "decimal") and column.order is None:
        return Decimal(str(value))
    kind: Kind = "text" if column.kind in ("enum", "tags") or column.order is not None else column.kind
    return str(value) if kind == "text" else read_value(kind, str(value))


def _beyond_all(
    keys: list[_Key], values: list[Any], given: _Parameters, *, filled_first: bool = False
) -> sql.Composable:
    """After this row in the order of all keys: further on in the first, or the same there and after it in the rest."""
    if not keys:
        return sql.SQL("FALSE")
    key, value = keys[0], values[0]
    further = _beyond(key, value, given, filled=filled_first)
    if len(keys) == 1:
        return further
    same = key.expression + (sql.SQL(" IS NULL") if value is None else sql.SQL(" = ") + given.add(value))
    return _any([further, _all([same, _beyond_all(keys[1:], values[1:], given)])])


def _beyond(key: _Key, value: Any, given: _Parameters, *, filled: bool) -> sql.Composable:
    """Further on in one key; with `filled`, among the filled values only (the empty ones are another segment)."""
    if value is None:
        return sql.SQL("FALSE") if key.nulls_come_last else key.expression + sql.SQL(" IS NOT NULL")
    further = key.expression + sql.SQL(" < " if key.descending else " > ") + given.add(value)
    if filled or not key.column.nullable or not key.nulls_come_last:
        return further
    return _any([further, key.expression + sql.SQL(" IS NULL")])


def _further_in_range(keys: list[_Key], values: list[Any], given: _Parameters) -> list[sql.Composable]:
    """After this row, among rows whose first key is filled; always with a bound that an index can start from."""
    first = keys[0]
    if all(key.descending == first.descending and not key.column.nullable for key in keys[1:]):
        ours = sql.SQL(", ").join(key.expression for key in keys)
        theirs = sql.SQL(", ").join([given.add(value) for value in values])
        beyond = sql.SQL(") < (") if first.descending else sql.SQL(") > (")
        return [sql.SQL("(") + ours + beyond + theirs + sql.SQL(")")]
    bound = first.expression + sql.SQL(" <= " if first.descending else " >= ") + given.add(values[0])
    return [bound, _beyond_all(keys, values, given, filled_first=True)]


def _any(conditions: list[sql.Composable]) -> sql.Composable:
    return sql.SQL("(") + sql.SQL(" OR ").join(conditions) + sql.SQL(")")


def _all(conditions: list[sql.Composable]) -> sql.Composable:
    return sql.SQL("(") + sql.SQL(" AND ").join(conditions) + sql.SQL(")") if conditions else sql.SQL("TRUE")


def _where(conditions: list[sql.Composable]) -> sql.Composable:
    return sql.SQL(" WHERE ") + sql.SQL(" AND ").join(conditions) if conditions else sql.SQL("")
