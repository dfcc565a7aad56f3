"""What signing in has to know of a member: its roles, and whether it may act."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from threading import Lock
from time import monotonic
from typing import Protocol
from uuid import UUID

from aggregates.member import Member
from ledger.errors import NotFound
from ledger.ledger import Ledger
from policy.policy import Actor

HOLDS = 1.0
"""Seconds for which a process may go on with what it knows of a member."""
MOST_KNOWN = 10_000


class Known(Protocol):
    """What is known of a member."""

    @property
    def roles(self) -> frozenset[str]:
        """What the member does."""

    @property
    def state(self) -> str:
        """active, suspended or removed."""


class Members(Protocol):
    """Knows the members as they are now, or were a moment ago."""

    def member(self, id: UUID) -> Known | None:
        """The member; none when there is none."""


@dataclass(frozen=True)
class LoadedMember:
    """A member as the ledger has it."""

    roles: frozenset[str]
    state: str


class LedgerMembers:
    """The members, each loaded from the ledger and remembered for a second."""

    def __init__(self, ledger: Ledger, holds: float = HOLDS) -> None:
        self._ledger = ledger
        self._holds = holds
        self._known: OrderedDict[UUID, tuple[float, LoadedMember]] = OrderedDict()
        self._lock = Lock()

    def member(self, id: UUID) -> LoadedMember | None:
        """The member; none when there is none."""
        found = self._known.get(id)
        if found and found[0] > monotonic():
            return found[1]
        try:
            loaded = self._ledger.load(Member, id)
        except NotFound:
            return None
        known = LoadedMember(frozenset(loaded.roles), loaded.state)
        with self._lock:
            self._known[id] = (monotonic() + self._holds, known)
            self._known.move_to_end(id)
            while len(self._known) > MOST_KNOWN:
                self._known.popitem(last=False)
        return known

    def forget(self, id: UUID) -> None:
        """Ask the ledger anew the next time."""
        with self._lock:
            self._known.pop(id, None)


def acting_member(
    members: Members, id: UUID, source: str, name: str = "", only: frozenset[str] | None = None
) -> Actor | None:
    """The member as an actor, in all its roles or only in these of them; none while it may not act."""
    found = members.member(id)
    if found is None or found.state != "active":
        return None
    roles = found.roles if only is None else found.roles & only
    return Actor(id=f"member:{id}", member_id=id, name=name, source=source, roles=roles)
