"""Transactions of routes that write past the commands: each begins with the standing of the one who asks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from api.services import Services
from ledger.database import Connection
from policy import Actor
from policy.identity.standing import require_standing


@contextmanager
def standing(crm: Services, actor: Actor, action: str | None = None) -> Iterator[tuple[Connection, Actor]]:
    """A transaction under the ledger's lock, and the actor with the roles that it has now.

    Without an action it is one that every member may do. Raises CredentialEnded, Forbidden.
    """
    with crm.database.connection() as connection:
        yield connection, require_standing(connection, actor, crm.policy, action)


def admission(crm: Services, actor: Actor, action: str | None = None) -> Callable[[Connection], Actor]:
    """The same check, for a transaction that is begun elsewhere."""
    return lambda connection: require_standing(connection, actor, crm.policy, action)
