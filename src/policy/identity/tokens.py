"""Tokens: what a client sends to show who it is, kept only as digests."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid4

from psycopg import Connection, errors
from psycopg.rows import class_row

from policy.accesses import note_identity
from policy.identity.refusals import TokenNameTaken
from policy.identity.secrets import digest_of, new_secret

PREFIX = "genjin_"
OPERATOR = "rule:token"
"""Who makes tokens at the machine itself."""


@dataclass(frozen=True)
class Token:
    """What is known of a token; its text is shown once, when it is made."""

    id: UUID
    name: str
    member_id: UUID
    roles: list[str] | None
    made_by: str
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None
    revoked_at: datetime | None

    @property
    def only(self) -> frozenset[str] | None:
        """The roles that it is for; none when it is for all that the member has."""
        return None if self.roles is None else frozenset(self.roles)


def create(
    connection: Connection,
    name: str,
    member_id: UUID,
    *,
    roles: Collection[str] | None = None,
    days: int | None = None,
    until: datetime | None = None,
    made_by: str = OPERATOR,
) -> tuple[Token, str]:
    """Make a token for a member, with its text, which nobody can find out afterwards; raises TokenNameTaken.

    It ends after so many days or at that moment, whichever is sooner; never, where neither is given.
    """
    text = new_secret(PREFIX)
    only = None if roles is None else sorted(roles)
    try:
        with connection.transaction(), connection.cursor(row_factory=class_row(Token)) as cursor:
            cursor.execute("SELECT release_token_name(%s)", [name])
            cursor.execute(
                "INSERT INTO tokens (id, name, member_id, roles, digest, made_by, expires_at)"
                " VALUES (%s, %s, %s, %s, %s, %s, least(clock_timestamp() + make_interval(days => %s), %s))"
                " RETURNING id, name, member_id, roles, made_by, created_at, expires_at, last_used_at, revoked_at",
                [uuid4(), name, member_id, only, digest_of(text), made_by, days, until],
            )
            made = cursor.fetchone()
            assert made is not None
            note_identity(connection, "token-made", made_by, "make-token", member_id, made.id)
    except errors.UniqueViolation:
        raise TokenNameTaken(name=name) from None
    return made, text


def found(connection: Connection, text: str) -> Token | None:
    """The token that has this text; None when there is none, or it was revoked or has ended."""
    with connection.cursor(row_factory=class_row(Token)) as cursor:
        return cursor.execute(
            "SELECT id, name, member_id, roles, made_by, created_at, expires_at, last_used_at, revoked_at"
            " FROM tokens WHERE digest = %s AND revoked_at IS NULL"
            " AND (expires_at IS NULL OR expires_at > clock_timestamp())",
            [digest_of(text)],
        ).fetchone()


def operators_member(connection: Connection, name: str) -> UUID | None:
    """The member that the operator made a token of this name for before, in use or revoked."""
    row = connection.execute(
        "SELECT member_id FROM tokens WHERE name = %s AND made_by = %s ORDER BY created_at DESC LIMIT 1",
        [name, OPERATOR],
    ).fetchone()
    return row[0] if row else None


def is_operators(connection: Connection, name: str) -> bool:
    """There is a token of this name, made by the operator, that still lets in."""
    found = connection.execute(
        "SELECT FROM tokens WHERE name = %s AND made_by = %s AND revoked_at IS NULL"
        " AND (expires_at IS NULL OR expires_at > clock_timestamp())",
        [name, OPERATOR],
    ).fetchone()
    return found is not None


def is_first(connection: Connection) -> bool:
    """No token was ever made here."""
    return connection.execute("SELECT FROM tokens LIMIT 1").fetchone() is None


def all_of(connection: Connection, member_id: UUID | None = None) -> list[Token]:
    """Every token that was made, or those of one member, the oldest first."""
    with connection.cursor(row_factory=class_row(Token)) as cursor:
        return cursor.execute(
            "SELECT id, name, member_id, roles, made_by, created_at, expires_at, last_used_at, revoked_at FROM tokens"
            " WHERE %(member)s::uuid IS NULL OR member_id = %(member)s ORDER BY created_at, id",
            {"member": member_id},
        ).fetchall()


def revoke(connection: Connection, id: UUID, member_id: UUID | None = None, revoked_by: str = OPERATOR) -> Token | None:
    """Revoke a token with its descendants, for good; none when there is none, or it is not this member's."""
    connection.execute(
        "SELECT revoke_tokens(ARRAY(SELECT id FROM tokens WHERE id = %(id)s"
        " AND (%(member)s::uuid IS NULL OR member_id = %(member)s)), %(by)s)",
        {"id": id, "member": member_id, "by": revoked_by},
    )
    with connection.cursor(row_factory=class_row(Token)) as cursor:
        return cursor.execute(
            "SELECT id, name, member_id, roles, made_by, created_at, expires_at, last_used_at, revoked_at FROM tokens"
            " WHERE id = %(id)s AND (%(member)s::uuid IS NULL OR member_id = %(member)s)",
            {"id": id, "member": member_id},
        ).fetchone()
