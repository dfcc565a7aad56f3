"""Tokens: what a client sends to show who it is, kept only as digests."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any, LiteralString
from uuid import UUID, uuid4

from psycopg import Connection, errors
from psycopg.rows import class_row

from ledger.errors import CredentialEnded
from ledger.outcome import Credential
from policy.accesses import note_identity
from policy.identity.refusals import TokenNameTaken, TooManyTokens
from policy.identity.secrets import digest_of, new_secret
from policy.identity.standing import lock_ledger

PREFIX = "genjin_"
OPERATOR = "rule:token"
"""Who makes tokens at the machine itself."""
DEFAULT_DAYS = 90
"""For how long a token is good unless something else is asked for."""
MAX_IN_USE = 50
"""Tokens of one member that are in use at the same time."""


@dataclass(frozen=True)
class Token:
    """What is known of a token; its text is shown once, when it is made.

    `parent_id` is the token that it was made with, and with which it is revoked.
    """

    id: UUID
    name: str
    member_id: UUID
    roles: list[str] | None
    made_by: str
    parent_id: UUID | None
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None
    revoked_at: datetime | None

    @property
    def only(self) -> frozenset[str] | None:
        """The roles that it is for; none when it is for all that the member has."""
        return None if self.roles is None else frozenset(self.roles)


_SELECT: LiteralString = (
    "SELECT id, name, member_id, roles, made_by, parent_id, created_at, expires_at, last_used_at, revoked_at"
    " FROM tokens WHERE "
)
_COUNT: LiteralString = "SELECT count(*) FROM tokens WHERE "
_IN_USE: LiteralString = "revoked_at IS NULL AND (expires_at IS NULL OR expires_at > clock_timestamp())"
_CHOSEN: LiteralString = (
    "(%(member)s::uuid IS NULL OR member_id = %(member)s)"
    " AND (%(within)s::uuid IS NULL OR id IN (WITH RECURSIVE family AS (SELECT %(within)s::uuid AS id UNION"
    " SELECT child.id FROM family JOIN tokens child ON child.parent_id = family.id) SELECT id FROM family))"
)
"""Of one member, and among one token and its descendants, where these are given."""


def create(
    connection: Connection,
    name: str,
    member_id: UUID,
    *,
    roles: Collection[str] | None = None,
    days: int | None = DEFAULT_DAYS,
    until: datetime | None = None,
    made_by: str = OPERATOR,
    parent_id: UUID | None = None,
) -> tuple[Token, str]:
    """Make a token for a member, and return it with its text, which is not kept.

    It ends after so many days or at that moment, whichever is sooner; never, where neither is given. Like all that
    makes or revokes tokens it takes the lock of the ledger. Raises TokenNameTaken, TooManyTokens.
    """
    lock_ledger(connection)
    text = new_secret(PREFIX)
    only = None if roles is None else sorted(roles)
    try:
        with connection.transaction(), connection.cursor(row_factory=class_row(Token)) as cursor:
            cursor.execute("SELECT release_token_name(%s)", [name])
            _require_room(connection, member_id)
            cursor.execute(
                "INSERT INTO tokens (id, name, member_id, roles, digest, made_by, parent_id, expires_at)"
                " VALUES (%s, %s, %s, %s, %s, %s, %s, least(clock_timestamp() + make_interval(days => %s), %s))"
                " RETURNING id, name, member_id, roles, made_by, parent_id, created_at, expires_at, last_used_at,"
                " revoked_at",
                [uuid4(), name, member_id, only, digest_of(text), made_by, parent_id, days, until],
            )
            made = cursor.fetchone()
            assert made is not None
            note_identity(connection, "token-made", made_by, "make-token", member_id, made.id)
    except errors.UniqueViolation:
        raise TokenNameTaken(name=name) from None
    return made, text


def _require_room(connection: Connection, member_id: UUID) -> None:
    if _count(connection, "member_id = %(member)s AND " + _IN_USE, {"member": member_id}) >= MAX_IN_USE:
        raise TooManyTokens(most=MAX_IN_USE)


def _count(connection: Connection, condition: LiteralString, values: dict[str, Any]) -> int:
    row = connection.execute(_COUNT + condition, values).fetchone()
    assert row is not None
    return int(row[0])


def found(connection: Connection, text: str) -> Token | None:
    """The token that has this text; None when there is none, or it was revoked or has ended."""
    return of_credential(connection, Credential("token", digest_of(text)))


def of_credential(connection: Connection, credential: Credential | None) -> Token | None:
    """The token that a request is authenticated by; None without one, or when it was revoked or has ended."""
    if credential is None or credential.kind != "token":
        return None
    with connection.cursor(row_factory=class_row(Token)) as cursor:
        return cursor.execute(_SELECT + "digest = %s AND " + _IN_USE, [credential.digest]).fetchone()


def asking_token(connection: Connection, credential: Credential | None) -> Token | None:
    """The token that a request is authenticated by; None where it is by a session or nothing.

    Raises CredentialEnded where the token has ended, be it since the standing of its actor was checked.
    """
    token = of_credential(connection, credential)
    if token is None and credential is not None and credential.kind == "token":
        raise CredentialEnded
    return token


def operators_member(connection: Connection, name: str) -> UUID | None:
    """The member that the operator made a token of this name for before, in use or revoked."""
    row = connection.execute(
        "SELECT member_id FROM tokens WHERE name = %s AND made_by = %s ORDER BY created_at DESC LIMIT 1",
        [name, OPERATOR],
    ).fetchone()
    return row[0] if row else None


def is_operators(connection: Connection, name: str) -> bool:
    """There is a token of this name, made by the operator, that still lets in."""
    condition: LiteralString = "name = %(name)s AND made_by = %(by)s AND " + _IN_USE
    return _count(connection, condition, {"name": name, "by": OPERATOR}) > 0


def is_first(connection: Connection) -> bool:
    """No token was ever made here."""
    return connection.execute("SELECT FROM tokens LIMIT 1").fetchone() is None


def all_of(connection: Connection, member_id: UUID | None = None, within: UUID | None = None) -> list[Token]:
    """Every token that was made, the oldest first; those of one member, or among one token and its descendants."""
    chosen = {"member": member_id, "within": within}
    with connection.cursor(row_factory=class_row(Token)) as cursor:
        return cursor.execute(_SELECT + _CHOSEN + " ORDER BY created_at, id", chosen).fetchall()


def revoke(
    connection: Connection,
    id: UUID,
    member_id: UUID | None = None,
    revoked_by: str = OPERATOR,
    within: UUID | None = None,
) -> Token | None:
    """Revoke a token with its descendants, for good, and return it; None where it is not among those that are meant.

    Those are the tokens of one member, or one token and its descendants, where these are given.
    """
    lock_ledger(connection)
    chosen = {"id": id, "member": member_id, "within": within}
    with connection.cursor(row_factory=class_row(Token)) as cursor:
        if cursor.execute(_SELECT + "id = %(id)s AND " + _CHOSEN, chosen).fetchone() is None:
            return None
        cursor.execute("SELECT revoke_tokens(%s, %s)", [[id], revoked_by])
        return cursor.execute(_SELECT + "id = %(id)s", chosen).fetchone()


def revoke_all(connection: Connection, member_id: UUID, revoked_by: str = OPERATOR, within: UUID | None = None) -> int:
    """Revoke the tokens of a member that are in use, with their descendants; how many were in use."""
    lock_ledger(connection)
    in_use = [each.id for each in all_of(connection, member_id, within) if each.revoked_at is None]
    row = connection.execute("SELECT revoke_tokens(%s, %s)", [in_use, revoked_by]).fetchone()
    revoked = row[0] if row else []
    return _count(connection, "id = ANY(%(ids)s) AND (expires_at IS NULL OR expires_at > revoked_at)", {"ids": revoked})
