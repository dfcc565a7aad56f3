"""Sessions: somebody at a page, known by what a cookie holds."""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal
from uuid import UUID

from psycopg import Connection

from ledger.database import Database
from ledger.outcome import Credential
from policy.accesses import note_identity
from policy.directory import Directory
from policy.identity.chosen import Lifetimes
from policy.identity.members import acting_member
from policy.identity.secrets import digest_of, new_secret
from policy.identity.standing import lock_ledger
from policy.identity.uses import APART_SECONDS, Uses
from policy.policy import Actor

BegunBy = Literal["password", "code", "openid"]


@dataclass(frozen=True)
class Session:
    """A session that goes on; `text` is what its cookie holds, and is kept nowhere."""

    text: str
    member_id: UUID
    begun_by: str
    created_at: datetime
    seen_at: datetime
    expires_at: datetime

    @property
    def csrf_token(self) -> str:
        """What a page has to send with each change, which another page cannot know; it belongs to this session."""
        return hmac.digest(self.text.encode(), b"genjin csrf token", "sha256").hex()

    def confirms(self, csrf_token: str) -> bool:
        """Whether this is the token of this session."""
        return hmac.compare_digest(self.csrf_token.encode(), csrf_token.encode("utf-8", "replace"))


class Sessions:
    """The sessions in the database; what ends one ends it for every process at once."""

    def __init__(self, database: Database, members: Directory, uses: Uses, lifetimes: Lifetimes) -> None:
        self._database = database
        self._members = members
        self._uses = uses
        self.lifetimes = lifetimes

    def begin(
        self, connection: Connection, member_id: UUID, begun_by: BegunBy, instead_of: str | None = None
    ) -> Session:
        """Begin a session, instead of the one that the same page had; those that are over are cleared away.

        The transaction is one that holds the lock of the ledger.
        """
        text = new_secret()
        if instead_of is not None:
            connection.execute("DELETE FROM sessions WHERE digest = %s", [digest_of(instead_of)])
        connection.execute(
            "DELETE FROM sessions WHERE expires_at < clock_timestamp() OR (member_id = %s AND seen_at < %s)",
            [member_id, datetime.now(UTC) - self.lifetimes.idle],
        )
        row = connection.execute(
            "INSERT INTO sessions (digest, member_id, begun_by, expires_at)"
            " VALUES (%s, %s, %s, clock_timestamp() + %s) RETURNING created_at, seen_at, expires_at",
            [digest_of(text), member_id, begun_by, self.lifetimes.most],
        ).fetchone()
        assert row is not None
        return Session(text, member_id, begun_by, *row)

    def find(self, text: str) -> tuple[Session, Actor] | None:
        """The session that a cookie holds, and who acts in it; none when it is over or the member may not act."""
        row = self._database.read(
            lambda connection: connection.execute(
                "SELECT member_id, begun_by, created_at, seen_at, expires_at FROM sessions WHERE digest = %s"
                " AND expires_at > clock_timestamp() AND seen_at > clock_timestamp() - %s",
                [digest_of(text), self.lifetimes.idle],
            ).fetchone()
        )
        credential = Credential("session", digest_of(text))
        actor = acting_member(self._members, row[0], "web", credential=credential) if row else None
        if row is None or actor is None:
            return None
        session = Session(text, *row)
        if session.seen_at < datetime.now(UTC) - timedelta(seconds=APART_SECONDS):
            self._uses.session(digest_of(text))
        return session, actor

    def end(self, text: str) -> None:
        """End a session whose member signs out."""
        with self._database.connection() as connection:
            lock_ledger(connection)
            row = connection.execute(
                "DELETE FROM sessions WHERE digest = %s RETURNING member_id", [digest_of(text)]
            ).fetchone()
            if row is not None:
                note_identity(connection, "sign-out", f"member:{row[0]}", "sign-out", row[0])


def end_all(connection: Connection, member_id: UUID, except_for: str | None = None) -> int:
    """End every session of a member, but this one where one is named; how many there were.

    The transaction is one that holds the lock of the ledger.
    """
    kept = None if except_for is None else digest_of(except_for)
    done = connection.execute(
        "DELETE FROM sessions WHERE member_id = %s AND digest IS DISTINCT FROM %s", [member_id, kept]
    )
    return done.rowcount
