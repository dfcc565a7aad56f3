"""Who looked at what, who was refused what (SEC-9), and who signed in: kept beside the ledger, and never changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, LiteralString, get_args
from uuid import UUID

from psycopg import Connection
from psycopg.rows import class_row

from ledger.database import Database

Kind = Literal[
    "reveal", "bulk", "export", "refused", "sign-in", "sign-in-refused", "sign-out", "token-made", "token-revoked"
]
KINDS: tuple[Kind, ...] = get_args(Kind)
NOBODY = "nobody"
"""Who tried to sign in and was refused: nobody knows."""
BULK = 50
"""Rows with open contact details, from which on reading them counts as reading in bulk: more than a page has."""
LONGEST_REASON = 500


@dataclass(frozen=True)
class Access:
    """One access; `rows` is how many rows were shown, `member_id` whose account or token it was."""

    id: int
    at: datetime
    kind: str
    actor: str
    action: str
    customer_id: UUID | None
    rows: int | None
    reason: str | None
    member_id: UUID | None
    token_id: UUID | None


_SELECT: LiteralString = (
    "SELECT id, at, kind, actor, action, customer_id, rows, reason, member_id, token_id FROM accesses WHERE TRUE"
)
_CONDITIONS: tuple[tuple[str, LiteralString], ...] = (
    ("kinds", "kind = ANY(%(kinds)s)"),
    ("actors", "actor = ANY(%(actors)s)"),
    ("customer_id", "customer_id = %(customer_id)s"),
    ("member_id", "member_id = %(member_id)s"),
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
            note_access(connection, kind, actor, action, customer_id=customer_id, rows=rows, reason=reason)

    def page(
        self,
        limit: int,
        *,
        kinds: Sequence[str] = (),
        actors: Sequence[str] = (),
        customer_id: UUID | None = None,
        member_id: UUID | None = None,
        at_from: datetime | None = None,
        at_until: datetime | None = None,
        beyond: int | None = None,
    ) -> list[Access]:
        """The newest that fit, those after the one with the id `beyond`."""
        given: dict[str, Any] = {
            "kinds": list(kinds) or None,
            "actors": list(actors) or None,
            "customer_id": customer_id,
            "member_id": member_id,
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


def note_access(
    connection: Connection,
    kind: Kind,
    actor: str,
    action: str,
    *,
    customer_id: UUID | None = None,
    rows: int | None = None,
    reason: str | None = None,
) -> None:
    """Note an access in a transaction that does more than that."""
    connection.execute(
        "INSERT INTO accesses (kind, actor, action, customer_id, rows, reason) VALUES (%s, %s, %s, %s, %s, %s)",
        [kind, actor, action, customer_id, rows, reason and reason[:LONGEST_REASON]],
    )


def note_identity(
    connection: Connection, kind: Kind, actor: str, action: str, member_id: UUID, token_id: UUID | None = None
) -> None:
    """Note, in the transaction that does it, that somebody signed in or out or that a token is another from now on."""
    connection.execute(
        "INSERT INTO accesses (kind, actor, action, member_id, token_id) VALUES (%s, %s, %s, %s, %s)",
        [kind, actor, action, member_id, token_id],
    )
