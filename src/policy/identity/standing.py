"""The standing of an actor, checked in the transaction that writes: its credential, and its member in the ledger.

A process remembers tokens and members for a few seconds, which is good enough for reading. A write that goes past the
ledger's own append begins its transaction with `require_standing`: revocations, removals and appends take the same
lock, so each of them is before the write or after it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from uuid import UUID

from aggregates.member import Member, MemberRemoved, MemberSuspended
from ledger.database import Connection
from ledger.encoded.forms import form
from ledger.errors import CredentialEnded, NotFound
from policy.actions import PERMISSION_FOR
from policy.policy import Actor, Forbidden, Policy
from policy.table import Scope

_STATES = {
    Member.Suspended.TOPIC: "suspended",
    Member.Resumed.TOPIC: "active",
    Member.Removed.TOPIC: "removed",
}
_ROLES = (Member.Registered.TOPIC, Member.RolesGiven.TOPIC)


@dataclass(frozen=True)
class MemberStanding:
    """The state and the roles of a member, as the ledger has them now; `state` is active, suspended or removed."""

    state: str
    roles: frozenset[str]


def require_standing(
    connection: Connection, actor: Actor, policy: Policy | None = None, action: str | None = None
) -> Actor:
    """Lock the ledger until the transaction ends, and return the actor with the roles that it has now.

    Raises CredentialEnded where the token or session was revoked or has expired, or the member is not active; Forbidden
    where none of its roles permits the action.
    """
    lock_ledger(connection)
    if actor.credential is not None:
        held = connection.execute(
            "SELECT credential_holds(%s, %s)", [actor.credential.kind, actor.credential.digest]
        ).fetchone()
        if held is None or not held[0]:
            raise CredentialEnded
    if actor.member_id is not None:
        standing = standing_of(connection, actor.member_id)
        if standing is None or standing.state != "active":
            raise CredentialEnded
        roles = standing.roles if actor.only is None else standing.roles & actor.only
        actor = replace(actor, roles=roles)
    if policy is not None and action is not None:
        # By the table alone: which records are within reach needs the teams, and these another connection.
        scope = policy.permissions(actor).get(PERMISSION_FOR.get(action, ""), Scope.NONE)
        if scope is Scope.NONE:
            raise Forbidden(action=action, roles=policy.roles_for(action))
    return actor


def lock_ledger(connection: Connection) -> None:
    """Wait for the lock that appends and revocations take, and hold it until the transaction ends."""
    connection.execute("SELECT lock_ledger()")


def standing_of(connection: Connection, member_id: UUID) -> MemberStanding | None:
    """The member's standing, read on this connection; None where the ledger has no such member."""
    rows = connection.execute(
        "SELECT topic, state FROM events WHERE originator_id = %s AND topic = ANY(%s) ORDER BY originator_version",
        [member_id, [*_STATES, *_ROLES]],
        binary=True,
    ).fetchall()
    if not rows:
        return None
    state, roles = "active", frozenset[str]()
    for topic, body in rows:
        state = _STATES.get(topic, state)
        if topic in _ROLES:
            roles = frozenset(getattr(form(topic).decode(bytes(body)), "roles", ()))
    return MemberStanding(state, frozenset() if state == "removed" else roles)


def require_active(connection: Connection, member_id: UUID) -> MemberStanding:
    """The standing of a member who may act; raises NotFound, MemberRemoved, MemberSuspended."""
    standing = standing_of(connection, member_id)
    if standing is None:
        raise NotFound(Member.TOPIC, member_id)
    if standing.state == "removed":
        raise MemberRemoved(id=member_id)
    if standing.state != "active":
        raise MemberSuspended(id=member_id)
    return standing
