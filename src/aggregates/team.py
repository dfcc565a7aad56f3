"""A team: members who sell together, in a region; teams may stand below others."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date
from typing import Self
from uuid import UUID

from eventsourcing.domain import event

from aggregates.base import Aggregate, Created, DomainError, Event


class TeamBelowItself(DomainError):
    """A team cannot stand below itself, or below one that stands below it."""

    code = "team-below-itself"
    at = "parent_id"
    id: UUID


class Team(Aggregate):
    """Members who sell together; reports group by its region."""

    TOPIC = "team"

    class Formed(Created):
        """A team was formed."""

        TOPIC = "team.formed"
        name: str
        region: str | None = None
        parent_id: UUID | None = None

    class Placed(Event):
        """The team stands below another one, or below none: whoever leads that one sees this one too."""

        TOPIC = "team.placed"
        parent_id: UUID | None

    class Renamed(Event):
        """The team got another name."""

        TOPIC = "team.renamed"
        name: str

    class RegionAssigned(Event):
        """The team sells in another region, or in none, from a day on."""

        TOPIC = "team.region-assigned"
        region: str | None
        occurred_on: date | None = None

    @classmethod
    def form(cls, id: UUID, *, name: str, region: str | None, parent_id: UUID | None = None) -> Self:
        """Form a team, below another one or none."""
        return cls.begin(cls.Formed, id=id, customer_id=None, name=name, region=region, parent_id=parent_id)

    def __init__(self, name: str, region: str | None, parent_id: UUID | None = None) -> None:
        self.name = name
        self.region = region
        self.parent_id = parent_id

    def place(self, parent_id: UUID | None, above: Collection[UUID]) -> None:
        """Let it stand below another team; `above` are that one and all above it. Raises TeamBelowItself."""
        if self.id in above:
            raise TeamBelowItself(id=self.id)
        if parent_id != self.parent_id:
            self._placed(parent_id)

    def rename(self, name: str) -> None:
        """Give it another name."""
        if name != self.name:
            self._renamed(name)

    def assign_region(self, region: str | None, occurred_on: date | None = None) -> None:
        """Let it sell in another region from a day on; without a day, from now on."""
        if region != self.region:
            self.trigger_event(self.RegionAssigned, region=region, occurred_on=occurred_on)

    @event(Renamed)
    def _renamed(self, name: str) -> None:
        self.name = name

    @event(RegionAssigned)
    def _region_assigned(self, region: str | None) -> None:
        self.region = region

    @event(Placed)
    def _placed(self, parent_id: UUID | None) -> None:
        self.parent_id = parent_id
