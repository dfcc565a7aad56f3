"""Who is who today: every member's roles, state and team, and which team stands below which.

It follows the ledger by itself, so that a change holds within a second in every process, whatever the read models do.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from threading import Lock
from time import monotonic
from typing import Any
from uuid import UUID

from aggregates.base import Aggregate
from aggregates.member import Member
from aggregates.team import Team
from ledger.database import Database
from ledger.follow.reading import read
from ledger.outcome import Expecting

HOLDS = 1.0
"""Seconds for which a process may go on with what it has read."""
REFUSAL_HOLDS = 0.05
"""Seconds for which it may go on with what it has read where a member is told that it may not act."""


@dataclass(frozen=True)
class Person:
    """What a member is today, at a version of its aggregate; `state` is active, suspended or removed."""

    id: UUID
    version: int = 1
    roles: frozenset[str] = frozenset()
    team_id: UUID | None = None
    state: str = "active"

    @property
    def may_act(self) -> bool:
        """Neither suspended nor removed."""
        return self.state == "active"


class Directory:
    """The members and teams of a workspace; safe for many threads."""

    def __init__(self, database: Database, *, holds: float = HOLDS) -> None:
        self._database = database
        self._holds = holds
        self._lock = Lock()
        self._position = 0
        self._fresh_until = 0.0
        self._read_at = 0.0
        self._people: dict[UUID, Person] = {}
        self._parents: dict[UUID, UUID | None] = {}
        self._team_versions: dict[UUID, int] = {}
        self._led: dict[UUID, frozenset[UUID]] = {}

    def member(self, member_id: UUID) -> Person | None:
        """A member, or None where there is none of this id; read anew before one is called unknown or inactive.

        At most every REFUSAL_HOLDS seconds, since an inactive member may ask again and again.
        """
        self._catch_up()
        found = self._people.get(member_id)
        if (found is None or not found.may_act) and monotonic() > self._read_at + REFUSAL_HOLDS:
            self.expire()
            self._catch_up()
            found = self._people.get(member_id)
        return found

    def knows(self, id: UUID) -> bool:
        """Whether this is a member or a team that was read so far."""
        return id in self._people or id in self._team_versions

    def led_by(self, member_id: UUID) -> frozenset[UUID]:
        """The members of the team of this one, and of the teams below that; itself alone where it has no team."""
        self._catch_up()
        person = self._people.get(member_id)
        if person is None or person.team_id is None:
            return frozenset((member_id,))
        known = self._led
        led = known.get(person.team_id)
        if led is None:
            teams = self._below(person.team_id)
            led = frozenset(each.id for each in list(self._people.values()) if each.team_id in teams)
            known[person.team_id] = led
        return led

    def placement(self, member_id: UUID) -> tuple[Expecting, ...]:
        """The versions of the member and of the teams it stands below: who leads it rests on these."""
        self._catch_up()
        person = self._people.get(member_id)
        if person is None:
            return ()
        found = [Expecting(person.id, person.version)]
        team_id, seen = person.team_id, set[UUID]()
        while team_id is not None and team_id not in seen:
            seen.add(team_id)
            found.append(Expecting(team_id, self._team_versions.get(team_id, 0)))
            team_id = self._parents.get(team_id)
        return tuple(found)

    def administrators(self) -> frozenset[UUID]:
        """The members that are administrators and may act."""
        self._catch_up()
        people = list(self._people.values())
        return frozenset(each.id for each in people if each.may_act and "administrator" in each.roles)

    def expire(self) -> None:
        """Read again before the next answer: something was just changed here."""
        self._fresh_until = 0.0

    def _below(self, team_id: UUID) -> set[UUID]:
        """The team and all below it."""
        found, looked_at = {team_id}, 0
        while looked_at < len(found):
            looked_at = len(found)
            found |= {child for child, parent in list(self._parents.items()) if parent in found}
        return found

    def _catch_up(self) -> None:
        if monotonic() < self._fresh_until:
            return
        with self._lock:
            if monotonic() < self._fresh_until:
                return
            with self._database.connection(autocommit=True) as connection:
                for batch in read(connection, self._position, topics=list(_FOLDS), of_workspace=True):
                    for event in batch:
                        _FOLDS[event.topic](self, event)
                        self._note_version(event)
                    self._position = batch[-1].position
                    self._led = {}
            self._read_at = monotonic()
            self._fresh_until = self._read_at + self._holds

    def _note_version(self, event: Any) -> None:
        version = event.originator_version
        if event.originator_id in self._people:
            self._change(event, version=version)
        else:
            self._team_versions[event.originator_id] = version

    def _keep(self, event: Any) -> None:
        """Leave everything as it is but the version."""

    def _registered(self, event: Any) -> None:
        self._people[event.originator_id] = Person(
            event.originator_id, roles=frozenset(event.roles), team_id=event.team_id
        )

    def _roles_given(self, event: Any) -> None:
        self._change(event, roles=frozenset(event.roles))

    def _team_assigned(self, event: Any) -> None:
        self._change(event, team_id=event.team_id)

    def _suspended(self, event: Any) -> None:
        self._change(event, state="suspended")

    def _resumed(self, event: Any) -> None:
        self._change(event, state="active")

    def _removed(self, event: Any) -> None:
        self._change(event, state="removed", roles=frozenset())

    def _placed(self, event: Any) -> None:
        self._parents[event.originator_id] = event.parent_id

    def _change(self, event: Any, **changes: Any) -> None:
        self._people[event.originator_id] = replace(self._people[event.originator_id], **changes)


def _topics_of(aggregate: type[Aggregate]) -> list[str]:
    """The topics of an aggregate's events; without the registry, which reads every other aggregate."""
    return [kind.TOPIC for kind in vars(aggregate).values() if isinstance(kind, type) and hasattr(kind, "TOPIC")]


_FOLDS: dict[str, Callable[[Directory, Any], None]] = {
    **dict.fromkeys([*_topics_of(Member), *_topics_of(Team)], Directory._keep),
    Member.Registered.TOPIC: Directory._registered,
    Member.RolesGiven.TOPIC: Directory._roles_given,
    Member.TeamAssigned.TOPIC: Directory._team_assigned,
    Member.Suspended.TOPIC: Directory._suspended,
    Member.Resumed.TOPIC: Directory._resumed,
    Member.Removed.TOPIC: Directory._removed,
    Team.Formed.TOPIC: Directory._placed,
    Team.Placed.TOPIC: Directory._placed,
}
