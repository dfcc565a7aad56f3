"""What every report groups by: members, teams, regions and customers, with what each of them was on each day."""

from __future__ import annotations

from datetime import date
from typing import Any

from aggregates.customer import Customer
from aggregates.member import Member
from aggregates.team import Team
from aggregates.workspace import WORKSPACE_ID, Workspace
from projections.dimensions.rows import (
    CustomerFactsRow,
    CustomerRow,
    MemberRow,
    MemberTeamRow,
    SettingsRow,
    TeamRegionRow,
    TeamRow,
)
from projections.dimensions.timeline import DAWN, day_of, insert, recorded, turn
from projections.engine import Projection, folds, table

DEFAULT_TIME_ZONE = "Asia/Shanghai"
CUSTOMER_FACTS = {"industry": "industry", "lead_source": "source", "region": "region", "country": "country"}
"""The fields of a customer's profile that reports group by, and the columns they are kept in."""


class Dimensions(Projection):
    """The part that read models with reports have in common; each keeps its own copy of these tables."""

    settings = table("settings", SettingsRow, key="settings_id", shared=True)
    members = table("members", MemberRow, key="member_id", shared=True)
    member_teams = table("member_teams", MemberTeamRow, key=("member_id", "from_on"), shared=True)
    teams = table("teams", TeamRow, key="team_id", shared=True)
    team_regions = table("team_regions", TeamRegionRow, key=("team_id", "from_on"), shared=True)
    customers = table("customers", CustomerRow, key="customer_id", seen_by="customer_id")
    customer_facts = table("customer_facts", CustomerFactsRow, key=("customer_id", "from_on"), seen_by="customer_id")

    def day(self, event: Any) -> date:
        """The business day on which the event was recorded."""
        return day_of(recorded(event), self._zone())

    def dated(self, event: Any) -> date:
        """The event's own date, else the business day on which it was recorded."""
        own: date | None = event.occurred_on
        return self.day(event) if own is None else own

    def _zone(self) -> str:
        for row in self.settings.of(WORKSPACE_ID):
            return row.time_zone
        return DEFAULT_TIME_ZONE

    @folds(Workspace.Configured)
    def configured(self, event: Workspace.Configured) -> None:
        """The business time zone decides on which day an undated fact counts."""
        row = self.settings.get(event.originator_id)
        if row is None:
            self.settings.add(SettingsRow(event.originator_id, event.time_zone))
        else:
            row.time_zone = event.time_zone

    @folds(Team.Formed)
    def team_formed(self, event: Team.Formed) -> None:
        """A team is there; the region it begins with has no beginning."""
        self.teams.add(TeamRow(event.originator_id, event.name))
        self.team_regions.add(TeamRegionRow(event.originator_id, DAWN, None, event.region))

    @folds(Team.Renamed)
    def team_renamed(self, event: Team.Renamed) -> None:
        """Reports show a team's present name, for every day."""
        self.teams[event.originator_id].name = event.name

    @folds(Team.RegionAssigned)
    def region_assigned(self, event: Team.RegionAssigned) -> None:
        """The team works in another region from the day on."""
        insert(self.team_regions, event.originator_id, self.dated(event), region=event.region)

    @folds(Member.Registered)
    def member_registered(self, event: Member.Registered) -> None:
        """A member is there; without a date, the team it begins with has no beginning."""
        begins = event.occurred_on is None or event.team_id is None
        self.members.add(MemberRow(event.originator_id, event.name))
        self.member_teams.add(MemberTeamRow(event.originator_id, DAWN, None, event.team_id if begins else None))
        if not begins:
            insert(self.member_teams, event.originator_id, self.dated(event), team_id=event.team_id)

    @folds(Member.Renamed)
    def member_renamed(self, event: Member.Renamed) -> None:
        """Reports show a member's present name, for every day."""
        self.members[event.originator_id].name = event.name

    @folds(Member.Erased)
    def member_erased(self, event: Member.Erased) -> None:
        """Reports no longer show its name, for any day."""
        self.members[event.originator_id].name = None

    @folds(Member.TeamAssigned)
    def team_assigned(self, event: Member.TeamAssigned) -> None:
        """The member belongs to another team from the day on; what it sold before stays with the team before."""
        insert(self.member_teams, event.originator_id, self.dated(event), team_id=event.team_id)

    @folds(Customer.Registered)
    def customer_registered(self, event: Customer.Registered) -> None:
        """A customer is there; what is said of it at first has no beginning."""
        customer_id, came_on = event.originator_id, event.first_contact_on or self.day(event)
        won_on = came_on if event.lifecycle == "won" else None
        self.customers.add(CustomerRow(customer_id, event.code, event.name, event.placeholder, came_on, won_on))
        facts = (event.owner_id, event.industry, event.lead_source, event.region, event.country)
        self.customer_facts.add(CustomerFactsRow(customer_id, DAWN, None, *facts))

    @folds(Customer.ProfileRevised)
    def profile_revised(self, event: Customer.ProfileRevised) -> None:
        """The changed facts hold from the day the change was recorded; a name is simply the present one."""
        row, changed = self.customers[event.originator_id], event.changed
        if "name" in changed:
            row.name = event.name
        if "first_contact_on" in changed and event.first_contact_on is not None:
            row.came_on = event.first_contact_on
        facts = {column: getattr(event, name) for name, column in CUSTOMER_FACTS.items() if name in changed}
        if facts:
            turn(self.customer_facts, event.originator_id, self.day(event), facts)

    @folds(Customer.OwnerAssigned)
    def customer_owner_assigned(self, event: Customer.OwnerAssigned) -> None:
        """The customer is somebody else's from the day on."""
        turn(self.customer_facts, event.originator_id, self.day(event), {"owner_id": event.owner_id})

    @folds(Customer.LifecycleMoved)
    def lifecycle_moved(self, event: Customer.LifecycleMoved) -> None:
        """The first day on which the customer was won is kept; churning later does not undo it."""
        row = self.customers[event.originator_id]
        if event.lifecycle == "won" and (row.won_on is None or event.occurred_on < row.won_on):
            row.won_on = event.occurred_on

    @folds(Customer.Erased)
    def customer_erased(self, event: Customer.Erased) -> None:
        """Reports no longer show its name, for any day."""
        self.customers[event.originator_id].name = None
