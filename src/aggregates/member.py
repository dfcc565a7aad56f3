"""A member: somebody of ours who works with customers, in the roles that he or she has."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date
from typing import ClassVar, Self
from uuid import UUID

from eventsourcing.domain import event

from aggregates.base import Aggregate, Created, DomainError, Event, Personal
from aggregates.choices import Role
from aggregates.refusals import SubjectErased


class MemberRemoved(DomainError):
    """The member is gone: nothing more can be done with it."""

    code = "member-removed"
    id: UUID


class MemberNotRemoved(DomainError):
    """Whoever is here is known by name to those who work with it: only a member who left is erased."""

    code = "member-not-removed"
    id: UUID


class MemberSuspended(DomainError):
    """The member may not act for the time being, and so is given nothing to look after."""

    code = "member-suspended"
    id: UUID


class MemberStillOwns(DomainError):
    """Somebody who leaves hands over first what is still to be looked after."""

    code = "member-still-owns"
    id: UUID
    customers: int
    opportunities: int


class HandOverToSelf(DomainError):
    """What a member looks after is handed over to another member."""

    code = "hand-over-to-self"
    at = "member_id"
    member_id: UUID


class LastAdministrator(DomainError):
    """There would be nobody left who may change roles."""

    code = "last-administrator"
    id: UUID


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
        roles: tuple[str, ...] = ()

    class Invited(Event):
        """The member was asked to sign in, by a message to this address."""

        SUBJECT: ClassVar[str] = "originator_id"
        TOPIC = "member.invited"
        email: Personal[str | None] = None

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

    class RolesGiven(Event):
        """The member acts in these roles from now on, and in no others."""

        TOPIC = "member.roles-given"
        roles: tuple[str, ...]

    class HandedOver(Event):
        """Everything that the member looked after is looked after by another one."""

        TOPIC = "member.handed-over"
        member_id: UUID
        customers: int
        opportunities: int

    class Suspended(Event):
        """The member may not act for the time being."""

        TOPIC = "member.suspended"
        CHANGES = ("state",)

    class Resumed(Event):
        """The member may act again."""

        TOPIC = "member.resumed"
        CHANGES = ("state",)

    class Removed(Event):
        """The member left; what it did stays."""

        TOPIC = "member.removed"
        CHANGES = ("state", "roles")

    class Erased(Event):
        """What was known of a member who had left was erased for good: nobody can read it any more."""

        TOPIC = "member.erased"
        CHANGES = ("name", "email", "erased")
        subjects: tuple[UUID, ...]

        def erases(self) -> tuple[UUID, ...]:
            """The member."""
            return self.subjects

    @classmethod
    def register(
        cls,
        id: UUID,
        *,
        name: str,
        email: str | None = None,
        team_id: UUID | None = None,
        occurred_on: date | None = None,
        roles: Collection[str] = (),
    ) -> Self:
        """Let somebody join; without a day, from now on."""
        body = {"name": name, "email": email, "team_id": team_id, "occurred_on": occurred_on, "roles": _ordered(roles)}
        return cls.begin(cls.Registered, id=id, customer_id=None, **body)

    def __init__(self, name: str | None, email: str | None, team_id: UUID | None, roles: tuple[str, ...] = ()) -> None:
        self.name = name
        self.email = email
        self.team_id = team_id
        self.roles = roles
        self.state = "active"
        self.erased = False

    def invite(self, email: str) -> None:
        """Ask the member to sign in, once more if need be; raises MemberRemoved."""
        self._require_present()
        self._invited(email)

    def give_roles(self, roles: Collection[str]) -> None:
        """Let the member act in these roles and no others; raises MemberRemoved."""
        self._require_present()
        if _ordered(roles) != self.roles:
            self._roles_given(_ordered(roles))

    def suspend(self) -> None:
        """Let the member not act until it is resumed; raises MemberRemoved."""
        self._require_present()
        if self.state != "suspended":
            self._suspended()

    def resume(self) -> None:
        """Let the member act again; raises MemberRemoved."""
        self._require_present()
        if self.state == "suspended":
            self._resumed()

    def remove(self, customers: int = 0, opportunities: int = 0) -> None:
        """Let the member go, for good, who owns so many customers and opportunities not won; raises MemberStillOwns."""
        if self.state == "removed":
            return
        if customers or opportunities:
            raise MemberStillOwns(id=self.id, customers=customers, opportunities=opportunities)
        self._removed()

    def erase(self) -> None:
        """Make everything about a member who left unreadable for good; doing so again does nothing.

        Raises MemberNotRemoved.
        """
        if self.state != "removed":
            raise MemberNotRemoved(id=self.id)
        if not self.erased:
            self.trigger_event(self.Erased, subjects=(self.id,))

    def hand_over(self, member_id: UUID, customers: int, opportunities: int) -> None:
        """Note that another member looks after so many customers and opportunities from now on."""
        if customers or opportunities:
            self.trigger_event(self.HandedOver, member_id=member_id, customers=customers, opportunities=opportunities)

    @property
    def is_active(self) -> bool:
        """Whether the member may act, and be given something to look after."""
        return self.state == "active"

    def require_active(self) -> None:
        """Whoever is to look after something is here, and may act. Raises MemberRemoved, MemberSuspended."""
        self._require_present()
        if self.state == "suspended":
            raise MemberSuspended(id=self.id)

    def rename(self, name: str) -> None:
        """Let the member go by another name; raises MemberRemoved."""
        self._require_present()
        if name != self.name:
            self._renamed(name)

    def assign_team(self, team_id: UUID | None, occurred_on: date | None = None) -> None:
        """Let the member belong to another team from a day on; without a day, from now on. Raises MemberRemoved."""
        self._require_present()
        if team_id != self.team_id:
            self.trigger_event(self.TeamAssigned, team_id=team_id, occurred_on=occurred_on)

    @event(Renamed)
    def _renamed(self, name: str | None) -> None:
        self.name = name

    @event(TeamAssigned)
    def _team_assigned(self, team_id: UUID | None) -> None:
        self.team_id = team_id

    @event(Invited)
    def _invited(self, email: str | None) -> None:
        self.email = email

    @event(RolesGiven)
    def _roles_given(self, roles: tuple[str, ...]) -> None:
        self.roles = roles

    @event(HandedOver)
    def _handed_over(self) -> None:
        """Nothing of the member itself is another."""

    @event(Suspended)
    def _suspended(self) -> None:
        self.state = "suspended"

    @event(Resumed)
    def _resumed(self) -> None:
        self.state = "active"

    @event(Removed)
    def _removed(self) -> None:
        self.state, self.roles = "removed", ()

    @event(Erased)
    def _erased(self) -> None:
        self.name = self.email = None
        self.erased = True

    def _require_present(self) -> None:
        if self.erased:
            raise SubjectErased(subject=self.id)
        if self.state == "removed":
            raise MemberRemoved(id=self.id)


def _ordered(roles: Collection[str]) -> tuple[str, ...]:
    """Each role once, in the order of the list of roles."""
    return tuple(str(role) for role in Role if role in roles)
