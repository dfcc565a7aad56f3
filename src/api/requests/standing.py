"""Transactions of routes that write past the commands: each begins with the standing of the one who asks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from uuid import UUID

from api.services import Services
from ledger.database import Connection
from policy import Actor
from policy.accesses import Kind, note_access
from policy.identity.standing import require_standing


@contextmanager
def standing(crm: Services, actor: Actor, action: str | None = None) -> Iterator[tuple[Connection, Actor]]:
    """A transaction under the ledger's lock, and the actor with the roles that it has now.

    Without an action it is one that every member may do. Nothing in the block asks for another connection: all may be
    in use by requests that wait for the lock. Raises CredentialEnded, Forbidden.
    """
    with crm.database.connection() as connection:
        yield connection, require_standing(connection, actor, crm.policy, action)


def admission(crm: Services, actor: Actor, action: str | None = None) -> Callable[[Connection], Actor]:
    """The same check, for a transaction that is begun elsewhere."""
    return lambda connection: require_standing(connection, actor, crm.policy, action)


def note_look(
    crm: Services,
    actor: Actor,
    action: str,
    require: Callable[[Actor], object],
    kind: Kind,
    *,
    customer_id: UUID,
    rows: int,
    reason: str | None = None,
) -> None:
    """Note that the actor looks at a customer, which `require` permits in the roles that it has now.

    How far these reach needs the teams, and these another connection: so `require` is called before the lock is taken,
    and once more, without the lock, where the roles are others under it. Raises what `require` raises, CredentialEnded,
    Forbidden.
    """
    while True:
        require(actor)
        with standing(crm, actor, action) as (connection, present):
            if present.roles == actor.roles:
                note_access(connection, kind, actor.id, action, customer_id=customer_id, rows=rows, reason=reason)
                return
        actor = present
        crm.directory.expire()
