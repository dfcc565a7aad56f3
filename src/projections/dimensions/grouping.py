"""Reports by owner, team, region and the like: the SQL that a grouping needs, and the key that its groups show.

Everything here is literal: what a client asks for only chooses among these pieces.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, ClassVar, LiteralString
from uuid import UUID

from psycopg import sql

from aggregates.base import DomainError


class UnknownGrouping(DomainError):
    """The report cannot be grouped like this, or not twice."""

    code: ClassVar[str] = "unknown-grouping"
    at: ClassVar[str | None] = "by"
    value: str
    accepted: tuple[str, ...]


@dataclass(frozen=True)
class Dimension:
    """One way to group: the columns that its key shows, each with its SQL, and the joins that these need, in order.

    `label` is a column that the others decide, such as the name that belongs to an id: it is shown, not grouped by.
    """

    columns: tuple[tuple[str, LiteralString], ...]
    joins: tuple[LiteralString, ...] = ()
    label: tuple[str, LiteralString] | None = None


@dataclass(frozen=True)
class Grouping:
    """The groupings asked for, as pieces of one statement; the currency always ends the key."""

    names: tuple[str, ...]
    columns: sql.Composable
    grouped: sql.Composable
    joins: sql.Composable

    def key(self, row: Sequence[Any]) -> dict[str, str | None]:
        """The key of the group that a result row belongs to (its first columns)."""
        return dict(zip(self.names, map(_plain, row), strict=False))


def grouping(by: Sequence[str], dimensions: Mapping[str, Dimension], currency: LiteralString) -> Grouping:
    """The pieces of SQL for these dimensions. Raises UnknownGrouping, also when one is named twice."""
    for name in by:
        if name not in dimensions or list(by).count(name) > 1:
            raise UnknownGrouping(value=name, accepted=tuple(sorted(dimensions)))
    chosen = [dimensions[name] for name in by]
    shown: list[tuple[str, sql.Composable]] = []
    for dimension in chosen:
        if dimension.label is not None:
            name, expression = dimension.label
            shown.append((name, sql.SQL("min(") + sql.SQL(expression) + sql.SQL(")")))
        shown += [(name, sql.SQL(expression)) for name, expression in dimension.columns]
    grouped = [expression for dimension in chosen for _, expression in dimension.columns]
    joins = dict.fromkeys(join for dimension in chosen for join in dimension.joins)
    return Grouping(
        names=(*(name for name, _ in shown), "currency"),
        columns=sql.SQL(", ").join([*(expression for _, expression in shown), sql.SQL(currency)]),
        grouped=sql.SQL(", ").join(sql.SQL(expression) for expression in [*grouped, currency]),
        joins=sql.SQL(" ").join(sql.SQL(join) for join in joins),
    )


def in_order(groups: Mapping[tuple[Any, ...], dict[str, Any]]) -> list[dict[str, Any]]:
    """The groups ordered by their keys, what is unknown at the end."""
    return [groups[key] for key in sorted(groups, key=lambda key: [(part is None, str(part)) for part in key])]


def amount(value: Decimal | int | None) -> str | None:
    """An amount as JSON shows it: a decimal string, null where it is unknown."""
    return None if value is None else format(Decimal(value), "f")


def _plain(value: Any) -> str | None:
    return str(value) if isinstance(value, UUID) else value
