"""What is open and how long it has been due, by status, and how punctually customers pay (ORD-2, ORD-4, RPT-10)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from psycopg import Connection, sql

from projections.dimensions import amount, grouping, in_order
from projections.receivables.standing import BUCKETS, DIMENSIONS, STANDING, STATUSES

_AGING = sql.SQL("""
    SELECT {columns}, r.bucket, count(*), sum(r.amount), sum(r.collected_then), sum(r.open_then), max(r.days_past_due)
    FROM {standing} {joins}
    GROUP BY {grouped}, r.bucket""")


def aging(connection: Connection[Any], on: date, by: Sequence[str] = ()) -> dict[str, Any]:
    """What was invoiced, collected, open and overdue at the end of a day, the open in buckets of days past due.

    By any of DIMENSIONS, always by currency; without `by` one group a currency. Raises UnknownGrouping.
    """
    grouped = grouping(by, DIMENSIONS, "r.currency")
    statement = _AGING.format(
        columns=grouped.columns, grouped=grouped.grouped, joins=grouped.joins, standing=sql.SQL(STANDING)
    )
    lines: dict[tuple[Any, ...], dict[str | None, tuple[Any, ...]]] = {}
    for row in connection.execute(statement, {"on": on}):
        key, (bucket, *sums) = row[: len(grouped.names)], row[len(grouped.names) :]
        lines.setdefault(key, {})[bucket] = tuple(sums)
    return {"on": on, "groups": in_order({key: _aged(grouped.key(key), found) for key, found in lines.items()})}


def _aged(key: dict[str, str | None], lines: dict[str | None, tuple[Any, ...]]) -> dict[str, Any]:
    """One group, from the sums of its buckets (None: nothing open)."""
    open_lines = [line for bucket, line in lines.items() if bucket is not None]
    overdue = [line for bucket, line in lines.items() if bucket not in (None, "current")]
    return {
        "key": key,
        "invoiced": {"count": _sum(lines.values(), 0), "amount": amount(_sum(lines.values(), 1))},
        "collected": {"amount": amount(_sum(lines.values(), 2))},
        "open": {"count": _sum(open_lines, 0), "amount": amount(_sum(open_lines, 3))},
        "overdue": {
            "count": _sum(overdue, 0),
            "amount": amount(_sum(overdue, 3)),
            "max_days_past_due": max((line[4] for line in overdue), default=None),
        },
        "buckets": [
            {"bucket": name, "count": _sum(found, 0), "amount": amount(_sum(found, 3))}
            for name in BUCKETS
            for found in [[lines[name]] if name in lines else []]
        ],
    }


def _sum(lines: Any, column: int) -> Any:
    return sum(line[column] for line in lines)


_BY_STATUS = sql.SQL("""
    SELECT r.status, r.currency, count(DISTINCT r.customer_id), count(*), sum(r.amount), sum(r.collected_then),
        sum(r.open_then), count(*) FILTER (WHERE r.partly_paid)
    FROM {standing} GROUP BY r.status, r.currency""").format(standing=sql.SQL(STANDING))


def by_status(connection: Connection[Any], on: date) -> dict[str, Any]:
    """How many customers and receivables have each payment status at the end of a day, and how much that is.

    A part payment that is overdue counts as overdue; `partly_paid` says how many of the receivables it is true of.
    """
    rows = connection.execute(_BY_STATUS, {"on": on}).fetchall()
    rows.sort(key=lambda row: (STATUSES.index(row[0]), row[1]))
    return {
        "on": on,
        "groups": [
            {
                "key": {"status": status, "currency": currency},
                "customers": customers,
                "receivables": count,
                "amount": amount(asked),
                "collected": amount(collected),
                "open": amount(still_open),
                "partly_paid": partly_paid,
            }
            for status, currency, customers, count, asked, collected, still_open, partly_paid in rows
        ],
    }


_PUNCTUALITY = sql.SQL("""
    SELECT {columns}, count(*), count(*) FILTER (WHERE p.settled_on > r.due_on),
        sum(p.settled_on - r.due_on) FILTER (WHERE p.settled_on > r.due_on),
        sum(p.settled_on - r.issued_on), sum(r.amount)
    FROM {standing}
        JOIN (
            SELECT receivable_id, max(occurred_on) AS settled_on
            FROM movements WHERE occurred_on <= %(on)s GROUP BY receivable_id
        ) p ON p.receivable_id = r.receivable_id
        {joins}
    WHERE r.status = 'paid'
    GROUP BY {grouped}""")


def punctuality(connection: Connection[Any], on: date, by: Sequence[str] = ()) -> dict[str, Any]:
    """Of what was paid by a day: how much was paid after it was due, and how many days after.

    By any of DIMENSIONS, always by currency. Raises UnknownGrouping.
    """
    grouped = grouping(by, DIMENSIONS, "r.currency")
    statement = _PUNCTUALITY.format(
        columns=grouped.columns, grouped=grouped.grouped, joins=grouped.joins, standing=sql.SQL(STANDING)
    )
    groups: dict[tuple[Any, ...], dict[str, Any]] = {}
    for row in connection.execute(statement, {"on": on}):
        key, (paid, late, days_late, days, paid_amount) = row[: len(grouped.names)], row[len(grouped.names) :]
        groups[key] = {
            "key": grouped.key(key),
            "paid": {"count": paid, "amount": amount(paid_amount)},
            "late": late,
            "late_share": late / paid,
            "mean_days_late": days_late / late if late else None,
            "mean_days_to_pay": days / paid,
        }
    return {"on": on, "groups": in_order(groups)}
