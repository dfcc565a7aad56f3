"""Whose token it is that a client sends."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from ledger.database import Database
from ledger.outcome import Credential
from policy.directory import Directory
from policy.identity import tokens
from policy.identity.members import acting_member
from policy.identity.secrets import digest_of
from policy.identity.uses import APART_SECONDS, Uses
from policy.policy import Actor


class Bearers:
    """The tokens in the database."""

    def __init__(self, database: Database, members: Directory, uses: Uses) -> None:
        self._database = database
        self._members = members
        self._uses = uses

    def actor_of(self, token: str) -> Actor | None:
        """The member whose token this is, in the roles that the token is for.

        None when it is unknown, was revoked or has ended, or the member may not act.
        """
        found = self.token(token)
        if found is None:
            return None
        credential = Credential("token", digest_of(token))
        actor = acting_member(self._members, found.member_id, "api", found.name, found.only, credential)
        if actor is not None and _is_long_ago(found.last_used_at):
            self._uses.token(found.id)
        return actor

    def token(self, text: str) -> tokens.Token | None:
        """What is known of the token that has this text."""
        return self._database.read(lambda connection: tokens.found(connection, text))


def _is_long_ago(moment: datetime | None) -> bool:
    return moment is None or moment < datetime.now(UTC) - timedelta(seconds=APART_SECONDS)
