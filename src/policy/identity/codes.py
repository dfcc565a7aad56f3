"""Codes for one time: an invitation, a new password, the first administrator; kept as digests, and shown once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from psycopg import Connection

from policy.identity.refusals import CodeUnusable
from policy.identity.secrets import digest_of, new_secret

Purpose = Literal["setup", "invitation", "password-reset"]
GOOD_FOR: dict[Purpose, timedelta] = {
    "setup": timedelta(days=7),
    "invitation": timedelta(days=7),
    "password-reset": timedelta(hours=24),
}


@dataclass(frozen=True)
class Made:
    """A code that was just made; its text is shown this once."""

    text: str
    expires_at: datetime


@dataclass(frozen=True)
class Code:
    """What a code is for, and which actor made it."""

    member_id: UUID
    address: bytes | None
    made_by: str

    @property
    def maker_id(self) -> UUID | None:
        """The member who made it; None where the operator did."""
        kind, _, maker_id = self.made_by.partition(":")
        return UUID(maker_id) if kind == "member" else None


def make(
    connection: Connection,
    purpose: Purpose,
    member_id: UUID,
    made_by: str,
    address: bytes | None = None,
    token_id: UUID | None = None,
) -> Made:
    """Make a code for a member, in place of those made before; another address than this makes it void.

    It ends with the token that it was made with. The transaction is one that holds the lock of the ledger.
    """
    text = new_secret()
    connection.execute(
        "DELETE FROM one_time_codes WHERE (member_id = %s AND used_at IS NULL) OR expires_at < clock_timestamp()",
        [member_id],
    )
    row = connection.execute(
        "INSERT INTO one_time_codes (digest, purpose, member_id, address, made_by, token_id, expires_at)"
        " VALUES (%s, %s, %s, %s, %s, %s, clock_timestamp() + %s) RETURNING expires_at",
        [digest_of(text), purpose, member_id, address, made_by, token_id, GOOD_FOR[purpose]],
    ).fetchone()
    assert row is not None
    return Made(text, row[0])


def look(connection: Connection, text: str, purpose: Purpose) -> Code:
    """What a code is for, while it can be used; raises CodeUnusable."""
    row = connection.execute(
        "SELECT member_id, address, made_by FROM one_time_codes WHERE digest = %s AND purpose = %s"
        " AND used_at IS NULL AND expires_at > clock_timestamp()",
        [digest_of(text), purpose],
    ).fetchone()
    if row is None:
        raise CodeUnusable
    return Code(*row)


def lock(connection: Connection, text: str) -> None:
    """Take the advisory lock of a code until the transaction ends; its row is not locked."""
    connection.execute(
        "SELECT pg_advisory_xact_lock(hashtextextended('genjin code ' || %s, 0))", [digest_of(text).hex()]
    )


def take(connection: Connection, text: str, purpose: Purpose) -> Code:
    """Use a code, this once: of several who come together with it one is let in. Raises CodeUnusable."""
    row = connection.execute(
        "UPDATE one_time_codes SET used_at = clock_timestamp() WHERE digest = %s AND purpose = %s"
        " AND used_at IS NULL AND expires_at > clock_timestamp() RETURNING member_id, address, made_by",
        [digest_of(text), purpose],
    ).fetchone()
    if row is None:
        raise CodeUnusable
    return Code(*row)
