"""Who looked at what, and who was refused what (SEC-9): kept beside the ledger, where nothing of it is ever changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, LiteralString
from uuid import UUID

from psycopg.rows import class_row

from ledger.database import Database

Kind = Literal["reveal", "bulk", "export", "refused"]
KINDS: tuple[Kind, ...] = ("reveal", "bulk", "export", "refused")
BULK = 50
"""Rows with open contact details, from which on reading them counts as reading in bulk: more than a page has."""
LONGEST_REASON = 500


@dataclass(frozen=True)
class Access:
    """One access; `rows` is how many rows were shown."""

    id: int
    at: datetime
    kind: str
    actor: str
    action: str
    customer_id: UUID | None
    rows: int | None
    reason: str | None


_SELECT: LiteralString = "SELECT id, at, kind, actor, action, customer_id, rows, reason FROM accesses WHERE TRUE"
_CONDITIONS: tuple[tuple[str, LiteralString], ...] = (
    ("kinds", "kind = ANY(%(kinds)s)"),
    ("actors", "actor = ANY(%(actors)s)"),
    ("customer_id", "customer_id = %(customer_id)s"),
    ("at_from", "at >= %(at_from)s"),
    ("at_until", "at < %(at_until)s"),
    ("beyond", "id < %(beyond)s"),
)


class Accesses:
    """The accesses of a workspace."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def note(
        self,
        kind: Kind,
        actor: str,
        action: str,
        *,
        customer_id: UUID | None = None,
        rows: int | None = None,
        reason: str | None = None,
    ) -> None:
        """Note one, before its answer is given. Raises DatabaseAway."""
        with self._database.connection(autocommit=True) as connection:
            connection.execute(
                "INSERT INTO accesses (kind, actor, action, customer_id, rows, reason) VALUES (%s, %s, %s, %s, %s, %s)",
                [kind, actor, action, customer_id, rows, reason and reason[:LONGEST_REASON]],
            )

    def page(
        self,
        limit: int,
        *,
        kinds: Sequence[str] = (),
        actors: Sequence[str] = (),
        customer_id: UUID | None = None,
        at_from: datetime | None = None,
        at_until: datetime | None = None,
        beyond: int | None = None,
    ) -> list[Access]:
        """The newest that fit, those after the one with the id `beyond`."""
        given: dict[str, Any] = {
            "kinds": list(kinds) or None,
            "actors": list(actors) or None,
            "customer_id": customer_id,
            "at_from": at_from,
            "at_until": at_until,
            "beyond": beyond,
        }
        query = _SELECT
        for name, condition in _CONDITIONS:
            if given[name] is not None:
                query += " AND " + condition
        query += " ORDER BY id DESC LIMIT %(limit)s"
        with self._database.connection() as connection, connection.cursor(row_factory=class_row(Access)) as cursor:
            return cursor.execute(query, {**given, "limit": limit}).fetchall()
