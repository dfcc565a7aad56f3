"""From a row class to the columns of its table."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints
from uuid import UUID

from msgspec import Struct

SQL_TYPES: Mapping[Any, str] = {
    str: "text",
    int: "bigint",
    bool: "boolean",
    Decimal: "numeric",
    date: "date",
    datetime: "timestamptz",
    UUID: "uuid",
    bytes: "bytea",
    dict: "jsonb",
}


@dataclass(frozen=True)
class Column:
    """One column: its SQL type, whether it may be empty, and how a value read from SQL becomes the row's value."""

    name: str
    sql_type: str
    nullable: bool

    @property
    def is_array(self) -> bool:
        """Whether its value is a tuple in the row and an array in SQL."""
        return self.sql_type.endswith("[]")

    @property
    def loader(self) -> Callable[[Any], Any] | None:
        """What must be done to a value that came from SQL; nothing for most types."""
        return _to_tuple if self.is_array else None


class UnsupportedColumn(TypeError):
    """A row class has a field of a type that no column can hold (floats among them: they do not fold exactly)."""


@cache
def columns_of(row_class: type[Struct]) -> tuple[Column, ...]:
    """The columns of a table, in the order of the row's fields."""
    hints = get_type_hints(row_class)
    return tuple(_column(name, hints[name]) for name in row_class.__struct_fields__)


def _column(name: str, hint: Any) -> Column:
    bare, nullable = _without_none(hint)
    return Column(name, _sql_type(name, bare), nullable)


def _without_none(hint: Any) -> tuple[Any, bool]:
    if get_origin(hint) not in (Union, UnionType):
        return hint, False
    rest = [arg for arg in get_args(hint) if arg is not NoneType]
    if len(rest) != 1:
        raise UnsupportedColumn(f"a column holds one type or nothing, not {hint}")
    return rest[0], NoneType in get_args(hint)


def _sql_type(name: str, hint: Any) -> str:
    origin = get_origin(hint)
    if origin is Literal:
        hint = type(get_args(hint)[0])
    elif origin is dict:
        hint = dict
    elif origin is tuple:
        inner, rest = get_args(hint)
        if rest is not Ellipsis:
            raise UnsupportedColumn(f"{name}: an array is written tuple[X, ...], not {hint}")
        return f"{_sql_type(name, inner)}[]"
    if hint not in SQL_TYPES:
        raise UnsupportedColumn(f"{name}: no column holds {hint}")
    return SQL_TYPES[hint]


def _to_tuple(value: list[Any] | None) -> tuple[Any, ...] | None:
    return None if value is None else tuple(value)
