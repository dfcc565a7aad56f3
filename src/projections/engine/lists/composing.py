"""The small pieces that conditions are composed of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from psycopg import sql


class Parameters:
    """Gives each value a name of its own in the statement."""

    def __init__(self, given: Mapping[str, Any]) -> None:
        self.values: dict[str, Any] = dict(given)

    def add(self, value: Any) -> sql.Placeholder:
        """A place for the value."""
        name = f"listing_{len(self.values)}"
        self.values[name] = value
        return sql.Placeholder(name)


def any_of(conditions: list[sql.Composable]) -> sql.Composable:
    """One of them holds."""
    return sql.SQL("(") + sql.SQL(" OR ").join(conditions) + sql.SQL(")")


def all_of(conditions: list[sql.Composable]) -> sql.Composable:
    """All of them hold, if there are any."""
    return sql.SQL("(") + sql.SQL(" AND ").join(conditions) + sql.SQL(")") if conditions else sql.SQL("TRUE")


def where_all(conditions: list[sql.Composable]) -> sql.Composable:
    """The same as a clause, which is empty without conditions."""
    return sql.SQL(" WHERE ") + sql.SQL(" AND ").join(conditions) if conditions else sql.SQL("")
