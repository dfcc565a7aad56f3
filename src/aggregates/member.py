"""A member: somebody of ours who works with customers."""

from __future__ import annotations

from datetime import date
from typing import ClassVar, Self
from uuid import UUID

from eventsourcing.domain import event

from aggregates.base import Aggregate, Created, Event, Personal


class Member(Aggregate):
    """Somebody of ours who works with customers, and the team he or she belongs to."""

    TOPIC = "member"

    class Registered(Created):
        """Somebody joined."""

        SUBJECT: ClassVar[str] = "originator_id"
        TOPIC = "member.registered"
        name: Personal[str | None] = None
        email: Personal[str | None] = None
        team_id: UUID | None = None
        occurred_on: date | None = None

    class Renamed(Event):
        """The member goes by another name."""

        SUBJECT: ClassVar[str] = "originator_id"
        TOPIC = "member.renamed"
        name: Personal[str | None] = None

    class TeamAssigned(Event):
        """The member belongs to another team, or to none, from a day on."""

        TOPIC = "member.team-assigned"
        team_id: UUID | None
        occurred_on: date | None = None

    @classmethod
    def register(
        cls,
        id: UUID,
        *,
        name: str,
        email: str | None = None,
        team_id: UUID | None = None,
        occurred_on: date | None = None,
    ) -> Self:
        """Let somebody join; without a day, from now on."""
        body = {"name": name, "email": email, "team_id": team_id, "occurred_on": occurred_on}
        return cls.begin(cls.Registered, id=id, customer_id=None, **body)

    def __init__(self, name: str | None, email: str | None, team_id: UUID | None) -> None:
        self.name = name
        self.email = email
        self.team_id = team_id

    def rename(self, name: str) -> None:
        """Let the member go by another name."""
        if name != self.name:
            self._renamed(name)

    def assign_team(self, team_id: UUID | None, occurred_on: date | None = None) -> None:
        """Let the member belong to another team from a day on; without a day, from now on."""
        if team_id != self.team_id:
            self.trigger_event(self.TeamAssigned, team_id=team_id, occurred_on=occurred_on)

    @event(Renamed)
    def _renamed(self, name: str | None) -> None:
        self.name = name

    @event(TeamAssigned)
    def _team_assigned(self, team_id: UUID | None) -> None:
        self.team_id = team_id
