"""A team: members who sell together, in a region."""

from __future__ import annotations

from datetime import date
from typing import Self
from uuid import UUID

from eventsourcing.domain import event

from aggregates.base import Aggregate, Created, Event


class Team(Aggregate):
    """Members who sell together; reports group by its region."""

    TOPIC = "team"

    class Formed(Created):
        """A team was formed."""

        TOPIC = "team.formed"
        name: str
        region: str | None = None

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
    def form(cls, id: UUID, *, name: str, region: str | None) -> Self:
        """Form a team."""
        return cls.begin(cls.Formed, id=id, customer_id=None, name=name, region=region)

    def __init__(self, name: str, region: str | None) -> None:
        self.name = name
        self.region = region

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
