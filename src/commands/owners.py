"""Owners of customers and opportunities, and the members that a command names."""

from __future__ import annotations

from uuid import UUID

from aggregates.base import row_being_imported
from aggregates.customer import Customer
from aggregates.member import Member
from aggregates.opportunity import Opportunity
from aggregates.opportunity.refusals import OpportunityOwnedByAnother, OpportunityOwnerMissing
from commands.work import BeyondReach, Work


def owner_of_customer(named: UUID | None, work: Work) -> UUID | None:
    """The owner of a new customer: the member named, else the acting member where it makes only its own.

    Raises NotFound, MemberRemoved, MemberSuspended.
    """
    if named is not None:
        return work.active_member(named)
    return None if work.reach.is_all else work.by


def owner_of_opportunity(named: UUID | None, customer: Customer, work: Work) -> UUID | None:
    """The owner of an opportunity: the member named, else the customer's owner, else the acting member.

    An inactive owner of the customer counts as none, and so does one beyond the reach of the acting member, who could
    not work on the opportunity afterwards. None only where no member acts (imports, rules). Raises NotFound,
    MemberRemoved, MemberSuspended.
    """
    if named is not None:
        return work.active_member(named)
    owner_id = customer.owner_id
    return owner_id if work.reach.covers(owner_id) and _is_active(owner_id, work) else work.by


def next_owner_of_customer(named: UUID | None, work: Work) -> UUID | None:
    """The member a customer is assigned to, or nobody. Raises NotFound, MemberRemoved, MemberSuspended."""
    return None if named is None else work.active_member(named)


def next_owner_of_opportunity(named: UUID | None, opportunity: Opportunity, work: Work) -> UUID | None:
    """The member an opportunity is assigned to; nobody only where no member acts.

    An actor who reaches only its own records keeps what it owns and takes what nobody owns. Raises NotFound,
    MemberRemoved, MemberSuspended, OpportunityOwnerMissing, OpportunityOwnedByAnother, BeyondReach.
    """
    if named is None:
        if work.by is not None:
            raise OpportunityOwnerMissing
        return None
    if work.by is not None and work.reach.members == frozenset((work.by,)):
        if opportunity.owner_id not in (None, work.by):
            raise OpportunityOwnedByAnother(owner_id=opportunity.owner_id)
        if named != work.by:
            raise BeyondReach(owner_id=named)
    return work.active_member(named)


def replace_inactive_owner_of_customer(customer: Customer, work: Work) -> None:
    """A reopened customer of an inactive member goes to the acting member; to nobody where no member acts."""
    if customer.owner_id is not None and not _is_active(customer.owner_id, work):
        customer.assign_owner(work.by)


def replace_inactive_owner_of_opportunity(opportunity: Opportunity, work: Work) -> None:
    """A reopened opportunity of an inactive member, or of nobody, gets the owner that a new one would get."""
    if not _is_active(opportunity.owner_id, work):
        customer = work.load(Customer, opportunity.customer_id)
        opportunity.assign_owner(owner_of_opportunity(None, customer, work))


def follower(named: UUID | None, work: Work) -> UUID | None:
    """The member whose conversation it was: the one named, else the acting member.

    Rows of an import are history and may name a member who has left since; everyone else names an active one. Raises
    NotFound, MemberRemoved, MemberSuspended.
    """
    if named is None:
        return work.by
    is_history = work.by is None and row_being_imported() is not None
    return work.require(Member, named) if is_history else work.active_member(named)


def _is_active(member_id: UUID | None, work: Work) -> bool:
    return member_id is not None and (member_id == work.by or work.is_active_member(member_id))
