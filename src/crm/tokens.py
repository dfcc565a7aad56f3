"""Tokens: what a client sends to show who it is, kept only as digests."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid4

from psycopg import Connection, errors
from psycopg.rows import class_row

PREFIX = "genjin_"


class TokenNameTaken(Exception):
    """A token of this name is in use already."""


@dataclass(frozen=True)
class Token:
    """What is known of a token; its text is shown once, when it is made."""

    id: UUID
    name: str
    member_id: UUID
    created_at: datetime
    revoked_at: datetime | None


def create(connection: Connection, name: str, member_id: UUID) -> str:
    """Make a token for a member and return its text, which nobody can find out afterwards."""
    text = PREFIX + secrets.token_urlsafe(32)
    try:
        with connection.transaction():
            connection.execute(
                "INSERT INTO tokens (id, name, member_id, digest) VALUES (%s, %s, %s, %s)",
                [uuid4(), name, member_id, _digest(text)],
            )
    except errors.UniqueViolation:
        raise TokenNameTaken(name) from None
    return text


def found(connection: Connection, text: str) -> Token | None:
    """The token that has this text; None when there is none or it was revoked."""
    with connection.cursor(row_factory=class_row(Token)) as cursor:
        return cursor.execute(
            "SELECT id, name, member_id, created_at, revoked_at FROM tokens WHERE digest = %s AND revoked_at IS NULL",
            [_digest(text)],
        ).fetchone()


def member_named(connection: Connection, name: str) -> UUID | None:
    """The member that a token of this name was made for before, in use or revoked."""
    row = connection.execute(
        "SELECT member_id FROM tokens WHERE name = %s ORDER BY created_at DESC LIMIT 1", [name]
    ).fetchone()
    return row[0] if row else None


def is_in_use(connection: Connection, name: str) -> bool:
    """There is a token of this name that was not revoked."""
    return bool(connection.execute("SELECT FROM tokens WHERE name = %s AND revoked_at IS NULL", [name]).fetchone())


def is_first(connection: Connection) -> bool:
    """No token was ever made here."""
    return connection.execute("SELECT FROM tokens LIMIT 1").fetchone() is None


def all_of(connection: Connection) -> list[Token]:
    """Every token that was made, the oldest first."""
    with connection.cursor(row_factory=class_row(Token)) as cursor:
        return cursor.execute(
            "SELECT id, name, member_id, created_at, revoked_at FROM tokens ORDER BY created_at, id"
        ).fetchall()


def revoke(connection: Connection, name: str) -> bool:
    """Take the token of this name out of use; False when there is none in use."""
    done = connection.execute(
        "UPDATE tokens SET revoked_at = clock_timestamp() WHERE name = %s AND revoked_at IS NULL", [name]
    )
    return done.rowcount > 0


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()
