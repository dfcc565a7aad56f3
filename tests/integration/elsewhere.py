"""Another process on the workspace of a test, by which members come, go and lose what they sign in with."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from commands.base import Command, execute
from commands.door import Door
from commands.members import RegisterMember, RemoveMember, SuspendMember
from keys import MASTER_KEY
from ledger.database import Database
from ledger.ledger import Ledger
from ledger.sealing import Keyring
from policy import Actor, Policy
from policy.directory import Directory
from policy.identity import passwords, tokens
from policy.identity.chosen import Lifetimes
from policy.identity.passwords import Hasher
from policy.identity.sessions import Session, Sessions, end_all
from policy.identity.standing import lock_ledger
from policy.identity.uses import Uses

RULE = Actor("rule:test", None, "test", "rule")


@dataclass(frozen=True)
class Visitor:
    """An administrator with a token, a session and a password."""

    id: UUID
    token_id: UUID
    token: str
    session: Session
    password: str

    @property
    def bearer(self) -> dict[str, str]:
        """The header of its token."""
        return {"Authorization": f"Bearer {self.token}"}

    @property
    def page(self) -> dict[str, str]:
        """The headers of a page in its session."""
        return {"Cookie": f"genjin_session={self.session.text}", "X-CSRF-Token": self.session.csrf_token}


class Elsewhere:
    """What another process does."""

    def __init__(self, database: Database, hasher: Hasher) -> None:
        directory = Directory(database, holds=0.0)
        self.database = database
        self.ledger = Ledger(database, Keyring(database, MASTER_KEY))
        self._door = Door(self.ledger, Policy(directory), directory=directory)
        self._sessions = Sessions(database, directory, Uses(database), Lifetimes())
        self._password = secrets.token_urlsafe(18)
        self._hashed = hasher.hash(self._password)

    def do(self, command: Command, to: UUID | None = None) -> UUID:
        """Do a command."""
        return execute(command, to=to, by=RULE, door=self._door).id

    def visitor(self, *roles: str) -> Visitor:
        """A new member, an administrator where nothing else is said."""
        member_id = self.do(RegisterMember.model_validate({"name": "来客", "roles": roles or ("administrator",)}))
        with self.database.connection() as connection:
            lock_ledger(connection)
            token, text = tokens.create(connection, secrets.token_hex(6), member_id)
            session = self._sessions.begin(connection, member_id, "password")
            passwords.keep(connection, member_id, self._hashed)
        return Visitor(member_id, token.id, text, session, self._password)

    def revoke(self, visitor: Visitor) -> None:
        """Revoke the visitor's token."""
        with self.database.connection() as connection:
            tokens.revoke(connection, visitor.token_id)

    def end_sessions(self, visitor: Visitor) -> None:
        """End the visitor's sessions."""
        with self.database.connection() as connection:
            lock_ledger(connection)
            end_all(connection, visitor.id)

    def suspend(self, visitor: Visitor) -> None:
        """Suspend the visitor."""
        self.do(SuspendMember(), visitor.id)

    def remove(self, visitor: Visitor) -> None:
        """Remove the visitor."""
        self.do(RemoveMember(), visitor.id)


@contextmanager
def elsewhere(server: str, schema: str) -> Iterator[Elsewhere]:
    """Another process on this workspace."""
    with Database(server, schema, role="genjin_app", min_size=1, max_size=4, timeout=10) as database:
        made = Elsewhere(database, Hasher())
        try:
            yield made
        finally:
            made.ledger.close()


Ending = tuple[str, Callable[[Elsewhere, Visitor], None], Callable[[Visitor], dict[str, str]], tuple[int, ...]]
ENDINGS: tuple[Ending, ...] = (
    ("a revoked token", Elsewhere.revoke, lambda visitor: visitor.bearer, (401,)),
    ("an ended session", Elsewhere.end_sessions, lambda visitor: visitor.page, (401,)),
    ("the token of a suspended member", Elsewhere.suspend, lambda visitor: visitor.bearer, (401, 403)),
    ("the token of a removed member", Elsewhere.remove, lambda visitor: visitor.bearer, (401, 403)),
)
"""What ended, how, the headers by which it is tried, and the statuses that refuse it."""


def everything_written(connection: Any, path: str) -> dict[str, Any]:
    """All that routes write, apart from refusals that were noted and from what is told of uses.

    Rebuilds only where the path is about them: workers ask for some by themselves.
    """
    return {
        what: connection.execute(query).fetchall()
        for what, query in _WRITTEN.items()
        if what != "rebuilds" or "rebuilds" in path
    }


_WRITTEN = {
    "events": "SELECT max(position) FROM events",
    "claims": "SELECT count(*) FROM claims",
    "keys": "SELECT count(*) FROM sealing_keys",
    "answers": "SELECT count(*) FROM idempotency_keys",
    "tokens": "SELECT id, name, roles, expires_at, revoked_at FROM tokens ORDER BY id",
    "passwords": "SELECT member_id, hash, changed_at FROM passwords ORDER BY member_id",
    "sessions": "SELECT digest FROM sessions ORDER BY digest",
    "codes": "SELECT digest, used_at FROM one_time_codes ORDER BY digest",
    "imports": "SELECT job_id, cancel_requested FROM import_jobs ORDER BY job_id",
    "uploads": "SELECT count(DISTINCT job_id) FROM import_uploads",
    "rebuilds": "SELECT job_id, cancel_requested FROM projection_jobs WHERE kind = 'rebuild' ORDER BY job_id",
    "accesses": "SELECT max(id) FROM accesses WHERE kind <> 'refused'",
}
