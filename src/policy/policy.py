"""The actor, and the one question that every command and query asks: may it, and with whose records."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import Protocol
from uuid import UUID

from aggregates.base import DomainError
from aggregates.choices import Role
from ledger.outcome import Credential
from policy.actions import PERMISSION_FOR
from policy.reach import EVERYBODY, FULL, NOBODY, Reach, Sight
from policy.table import GRANTS, Grants, Scope

OURSELVES = ("rule", "import")
"""Sources by which the service itself acts, for whoever set it up: no member asks, and nothing is kept from it."""


@dataclass(frozen=True)
class Actor:
    """Who asks: a member, a rule or an import, through which door, and in which roles.

    `id` is what events keep (`member:<uuid>`, `rule:<name>`, `import:<batch>`); `source` is `api`, `web`, `import` or
    `rule`. `credential` is checked in the transaction that writes; none for actors that are not authenticated by one.
    `only` limits the member's roles, as a token may.
    """

    id: str
    member_id: UUID | None
    name: str
    source: str
    roles: frozenset[str] = frozenset()
    credential: Credential | None = None
    only: frozenset[str] | None = None

    @property
    def is_ourselves(self) -> bool:
        """The service acts by itself, and not for a member."""
        return bool(self.id) and self.member_id is None and self.source in OURSELVES


class Forbidden(DomainError):
    """Whoever asks may not do this; `roles` may."""

    code = "forbidden"
    action: str
    roles: tuple[str, ...]


class Teams(Protocol):
    """Knows who stands below whom."""

    def led_by(self, member_id: UUID) -> frozenset[UUID]:
        """The members of the team of this one, and of the teams below that."""
        ...


class _NoTeams:
    def led_by(self, member_id: UUID) -> frozenset[UUID]:
        return frozenset((member_id,))


class Policy:
    """The table of permissions, asked for one actor at a time."""

    def __init__(self, teams: Teams | None = None, grants: Grants = GRANTS) -> None:
        self._teams = teams or _NoTeams()
        self._grants = grants

    def allows(self, actor: Actor, action: str) -> bool:
        """Whether this actor may do this at all."""
        return not self.reach(actor, PERMISSION_FOR.get(action)).is_nothing

    def require(self, actor: Actor, action: str) -> Reach:
        """With whose records this actor may do this; raises Forbidden."""
        reach = self.reach(actor, PERMISSION_FOR.get(action))
        if reach.is_nothing:
            raise Forbidden(action=action, roles=self.roles_for(action))
        return reach

    def sight(self, actor: Actor, action: str) -> Sight:
        """What this actor sees by this; raises Forbidden."""
        records = self.require(actor, action)
        if actor.is_ourselves:
            return FULL
        return Sight(records, self.reach(actor, "contacts.see"))

    def reach(self, actor: Actor, permission: str | None) -> Reach:
        """With whose records this actor has a permission."""
        if actor.is_ourselves:
            return EVERYBODY
        granted = self._grants.get(permission or "", {})
        return reduce(or_, (self._within(actor, granted[role]) for role in _roles(actor, granted)), NOBODY)

    def permissions(self, actor: Actor) -> Mapping[str, Scope]:
        """What this actor may do, and how far, by permission."""
        order = list(Scope)
        if actor.is_ourselves:
            return dict.fromkeys(self._grants, Scope.ALL)
        return {
            permission: max((granted[role] for role in _roles(actor, granted)), key=order.index, default=Scope.NONE)
            for permission, granted in self._grants.items()
        }

    def granted(self, permission: str) -> Mapping[Role, Scope]:
        """How far each role has a permission."""
        return self._grants[permission]

    def roles_for(self, action: str) -> tuple[str, ...]:
        """The roles that may do this."""
        granted = self._grants.get(PERMISSION_FOR.get(action, ""), {})
        return tuple(str(role) for role, scope in granted.items() if scope is not Scope.NONE)

    def _within(self, actor: Actor, scope: Scope) -> Reach:
        if scope is Scope.ALL:
            return EVERYBODY
        if scope is Scope.NONE or actor.member_id is None:
            return NOBODY
        own = frozenset((actor.member_id,))
        return Reach(own if scope is Scope.OWN else own | self._teams.led_by(actor.member_id))


def _roles(actor: Actor, granted: Mapping[Role, Scope]) -> Iterable[Role]:
    return (role for role in granted if role in actor.roles)
