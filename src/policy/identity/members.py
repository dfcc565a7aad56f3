"""The member who has shown who it is, as an actor."""

from __future__ import annotations

from uuid import UUID

from ledger.outcome import Credential
from policy.directory import Directory
from policy.policy import Actor


def acting_member(
    members: Directory,
    id: UUID,
    source: str,
    name: str = "",
    only: frozenset[str] | None = None,
    credential: Credential | None = None,
) -> Actor | None:
    """The member as an actor, in all its roles or only in these of them; none while it may not act."""
    found = members.member(id)
    if found is None or not found.may_act:
        return None
    roles = found.roles if only is None else found.roles & only
    return Actor(f"member:{id}", id, name, source, roles, credential, only)
