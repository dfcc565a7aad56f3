"""What can be asked for about members and teams."""

from __future__ import annotations

from uuid import UUID

from pydantic import ConfigDict, Field

from aggregates.choices import Role
from aggregates.customer import Customer
from aggregates.member import HandOverToSelf, Member
from aggregates.opportunity import Opportunity
from aggregates.refusals import require_past
from aggregates.team import Team
from commands.base import Changed, Command, CreatingCommand, Work
from commands.fields import Day, Email, Label, Line, Prose, RoleField


class FormTeam(CreatingCommand):
    """Form a team."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"name": "华东一部", "region": "华东"}]})

    name: Line
    region: Label | None = Field(None, description="The region it sells in.")
    parent_id: UUID | None = Field(None, description="The team it stands below.")

    def create(self, work: Work) -> Changed:
        """Form the team."""
        parent_id = work.require(Team, self.parent_id)
        return (Team.form(work.new_id(), name=self.name, region=self.region, parent_id=parent_id),)


class PlaceTeam(Command):
    """Let the team stand below another one, or below none: whoever leads that one sees and leads this one too."""

    parent_id: UUID | None = Field(description="The team above; null for none.")

    def perform(self, to: UUID | None, work: Work) -> Changed:
        """Place the team; the teams above must not stand below it."""
        team = work.load(Team, to)
        above: list[UUID] = []
        higher = self.parent_id
        while higher is not None and higher not in above:
            above.append(higher)
            higher = work.load(Team, higher).parent_id
        team.place(self.parent_id, above)
        return (team,)


class RenameTeam(Command):
    """Give the team another name."""

    name: Line

    def perform(self, to: UUID | None, work: Work) -> Changed:
        """Rename the team."""
        team = work.load(Team, to)
        team.rename(self.name)
        return (team,)


class AssignRegion(Command):
    """Let the team sell in another region, or in none, from a day on."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"region": "华南", "occurred_on": "2026-01-01"}]})

    region: Label | None
    occurred_on: Day | None = Field(None, description="From which day on; from the day of recording otherwise.")

    def perform(self, to: UUID | None, work: Work) -> Changed:
        """Assign the region of the team."""
        _require_past(self.occurred_on, work)
        team = work.load(Team, to)
        team.assign_region(self.region, self.occurred_on)
        return (team,)


class RegisterMember(CreatingCommand):
    """Let somebody of yours work with customers."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"name": "赵顾问", "email": "zhao@example.com", "roles": ["sales"]}]}
    )

    name: Line
    email: Email | None = None
    team_id: UUID | None = Field(None, description="The team that the member belongs to.")
    occurred_on: Day | None = Field(None, description="From which day on; from the day of recording otherwise.")
    roles: tuple[RoleField, ...] = Field((), description="What the member does, and so may see and do.")

    def create(self, work: Work) -> Changed:
        """Register the member."""
        _require_past(self.occurred_on, work)
        team_id = work.require(Team, self.team_id)
        member = Member.register(
            work.new_id(),
            name=self.name,
            email=self.email,
            team_id=team_id,
            occurred_on=self.occurred_on,
            roles=self.roles,
        )
        return (member,)


class InviteMember(Command):
    """Ask the member to sign in, at this address.

    A token that is for some roles does not change the address of its own member (403 `limited-token`).
    """

    model_config = ConfigDict(json_schema_extra={"examples": [{"email": "zhao@example.com"}]})

    email: Email

    def perform(self, to: UUID | None, work: Work) -> Changed:
        """Invite the member."""
        member = work.load(Member, to)
        member.invite(self.email)
        return (member,)


class GiveRoles(Command):
    """Let the member act in these roles from now on, and in no others."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"roles": ["sales"]}]})

    roles: tuple[RoleField, ...]

    def perform(self, to: UUID | None, work: Work) -> Changed:
        """Give the roles."""
        member = work.load(Member, to)
        if Role.ADMINISTRATOR not in self.roles:
            work.require_another_administrator(member)
        member.give_roles(self.roles)
        return (member,)


class SuspendMember(Command):
    """Let the member not act for the time being: nothing is written any more, and reads end within seconds."""

    def perform(self, to: UUID | None, work: Work) -> Changed:
        """Suspend the member."""
        member = work.load(Member, to)
        work.require_another_administrator(member)
        member.suspend()
        return (member,)


class ResumeMember(Command):
    """Let a suspended member act again."""

    def perform(self, to: UUID | None, work: Work) -> Changed:
        """Resume the member."""
        member = work.load(Member, to)
        member.resume()
        return (member,)


class RemoveMember(Command):
    """Let the member go, for good: what it did stays, it acts no more; what it owned was handed over before."""

    def perform(self, to: UUID | None, work: Work) -> Changed:
        """Remove the member."""
        member = work.load(Member, to)
        work.require_another_administrator(member)
        owned = work.owned_by(member.id)
        member.remove(len(owned.customers), len(owned.opportunities))
        return (member,)


class EraseMember(Command):
    """Erase a member who was removed before: name and address become unreadable for good, and so do tokens' names.

    What the member did stays, with the id; nothing more can be done with it.
    """

    model_config = ConfigDict(json_schema_extra={"examples": [{"reason": "离职员工要求删除个人信息"}]})

    reason: Prose = Field(description="Why, without saying who: it stays readable.")

    def perform(self, to: UUID | None, work: Work) -> Changed:
        """Erase the member."""
        member = work.load(Member, to)
        member.erase()
        return (member,)


class HandOver(Command):
    """Give all customers and opportunities of the member to another one, in one go (SEC-8).

    Archived customers and lost opportunities as well; what was won stays with the member who won it.
    """

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"member_id": "0192f0c1-7d5a-7cc3-a1b2-0123456789ab", "reason": "离职交接"}]}
    )

    member_id: UUID = Field(description="Who looks after them from now on.")

    def perform(self, to: UUID | None, work: Work) -> Changed:
        """Hand over what the member owns."""
        giver, taker = work.load(Member, to), work.load(Member, self.member_id)
        if taker.id == giver.id:
            raise HandOverToSelf(member_id=taker.id)
        taker.require_active()
        owned = work.owned_by(giver.id)
        customers = [work.load(Customer, each) for each in owned.customers]
        for customer in customers:
            customer.hand_over(taker.id)
        worked_on = (work.load(Opportunity, each) for each in owned.opportunities)
        opportunities = [opportunity for opportunity in worked_on if opportunity.status != "won"]
        for opportunity in opportunities:
            opportunity.assign_owner(taker.id)
        giver.hand_over(taker.id, len(customers), len(opportunities))
        return (giver, *customers, *opportunities)


class RenameMember(Command):
    """Let the member go by another name."""

    name: Line

    def perform(self, to: UUID | None, work: Work) -> Changed:
        """Rename the member."""
        member = work.load(Member, to)
        member.rename(self.name)
        return (member,)


class AssignTeam(Command):
    """Let the member belong to another team, or to none, from a day on."""

    team_id: UUID | None = Field(description="The team; null for none.")
    occurred_on: Day | None = Field(None, description="From which day on; from the day of recording otherwise.")

    def perform(self, to: UUID | None, work: Work) -> Changed:
        """Assign the team of the member."""
        _require_past(self.occurred_on, work)
        member = work.load(Member, to)
        member.assign_team(work.require(Team, self.team_id), self.occurred_on)
        return (member,)


def _require_past(occurred_on: Day | None, work: Work) -> None:
    if occurred_on is not None:
        require_past("occurred_on", occurred_on, work.today)
