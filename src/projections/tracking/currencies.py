"""The currencies in which customers are dealt with."""

from __future__ import annotations

from typing import Any

from psycopg import Connection


def currencies(connection: Connection[Any]) -> tuple[str, ...]:
    """Every currency of an opportunity or a receivable, in the order of the alphabet."""
    found = connection.execute("SELECT currency FROM opportunities UNION SELECT currency FROM receivables ORDER BY 1")
    return tuple(currency for (currency,) in found)
