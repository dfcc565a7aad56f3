"""Owners of customers and opportunities, and the members that commands name: who is chosen, and who is refused."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from aggregates.base import ImportedRow
from aggregates.customer import Customer
from aggregates.customer.refusals import CustomerArchived
from aggregates.member import HandOverToSelf, Member, MemberRemoved, MemberSuspended
from aggregates.opportunity import Opportunity
from aggregates.opportunity.refusals import OpportunityOwnedByAnother, OpportunityOwnerMissing
from aggregates.pipeline import Pipeline
from aggregates.refusals import SubjectErased
from commands.base import Command
from commands.customers import AssignOwner, LogFollowUp, RegisterCustomer, ReopenCustomer
from commands.members import HandOver
from commands.opportunities import AssignOpportunityOwner, OpenOpportunity, ReopenOpportunity
from commands.work import Alone, BeyondReach, Owned
from ledger.errors import NotFound
from policy import Actor, Policy
from unit.scenario import CUSTOMER, MEMBER, OPPORTUNITY, TODAY, Scenario

BEN, EVE = UUID(int=21), UUID(int=22)
RULE = Actor("rule:cadence", None, "cadence", "rule")
IMPORT = Actor("import:7", None, "sheet", "import")
ENDINGS = pytest.mark.parametrize(
    ("ending", "refusal"), [(Member.Removed, MemberRemoved), (Member.Suspended, MemberSuspended)]
)


def member(id: UUID, *roles: str) -> Actor:
    """A member who asks over HTTP."""
    return Actor(f"member:{id}", id, "x", "api", frozenset(roles))


def office(owner_id: UUID | None = None, **customer: Any) -> Scenario:
    """Ann (an administrator), Ben and Eve, a pipeline, and a customer of that owner."""
    made = Scenario().given(Pipeline.Defined)
    for each in (MEMBER, BEN, EVE):
        made.given(Member.Registered, id=each)
    return made.given(Customer.Registered, owner_id=owner_id, **customer)


def opened(scenario: Scenario, **how: Any) -> UUID | None:
    """The owner of an opportunity that is opened now."""
    named = {"owner_id": how.pop("owner_id")} if "owner_id" in how else {}
    scenario.when(OpenOpportunity(name="x", **named), CUSTOMER, **how)
    owner_id: UUID | None = scenario.then(Opportunity.Opened).owner_id  # type: ignore[attr-defined]
    return owner_id


def test_an_opportunity_belongs_to_who_is_named_else_the_customers_owner_else_who_opens_it() -> None:
    assert opened(office(BEN), owner_id=EVE) == EVE
    assert opened(office(BEN)) == BEN
    assert opened(office(BEN), owner_id=None) == BEN
    assert opened(office()) == MEMBER


@ENDINGS
def test_an_inactive_owner_of_the_customer_counts_as_none(ending: Any, refusal: Any) -> None:
    given = office(BEN).given(ending, id=BEN)
    assert opened(given) == MEMBER
    given.when(OpenOpportunity(name="x", owner_id=BEN), CUSTOMER).then_refused(refusal, id=BEN)


@pytest.mark.parametrize("by", [RULE, IMPORT])
def test_only_who_is_no_member_may_leave_an_opportunity_to_nobody(by: Actor) -> None:
    assert opened(office(), by=by) is None
    assert opened(office(BEN), by=by) == BEN
    assert opened(office(BEN).given(Member.Removed, id=BEN), by=by) is None
    assert opened(office(BEN), by=by, owner_id=EVE) == EVE
    gone = office().given(Member.Removed, id=EVE)
    gone.when(OpenOpportunity(name="x", owner_id=EVE), CUSTOMER, by=by).then_refused(MemberRemoved)
    owned = office().given(Opportunity.Opened, owner_id=BEN)
    owned.when(AssignOpportunityOwner(owner_id=None), OPPORTUNITY, by=by).then(Opportunity.OwnerAssigned, owner_id=None)


def test_a_member_assigns_an_opportunity_to_a_member() -> None:
    given = office().given(Opportunity.Opened, owner_id=BEN)
    given.when(AssignOpportunityOwner(owner_id=None), OPPORTUNITY).then_refused(OpportunityOwnerMissing)
    assert OpportunityOwnerMissing().pointer == "owner_id"
    given.when(AssignOpportunityOwner(owner_id=EVE), OPPORTUNITY).then(Opportunity.OwnerAssigned, owner_id=EVE)


def test_a_salesperson_opens_its_own_opportunities_only() -> None:
    ben = member(BEN, "sales")
    assert opened(office(BEN), by=ben) == BEN
    given = office(EVE).given(Opportunity.Opened, owner_id=BEN)
    given.when(OpenOpportunity(name="x"), CUSTOMER, by=ben).then_refused(NotFound, kind="customer")
    office(BEN).when(OpenOpportunity(name="x", owner_id=EVE), CUSTOMER, by=ben).then_refused(BeyondReach, owner_id=EVE)


def test_a_salesperson_keeps_its_own_opportunity_and_takes_what_nobody_owns() -> None:
    ben, keep = member(BEN, "sales"), AssignOpportunityOwner(owner_id=BEN)
    office(EVE).given(Opportunity.Opened, owner_id=BEN).when(keep, OPPORTUNITY, by=ben).then_nothing()
    office(BEN).given(Opportunity.Opened).when(keep, OPPORTUNITY, by=ben).then(Opportunity.OwnerAssigned, owner_id=BEN)
    of_eve = office(BEN).given(Opportunity.Opened, owner_id=EVE)
    of_eve.when(keep, OPPORTUNITY, by=ben).then_refused(OpportunityOwnedByAnother, owner_id=EVE)
    elsewhere = office(EVE).given(Opportunity.Opened, owner_id=EVE)
    elsewhere.when(keep, OPPORTUNITY, by=ben).then_refused(NotFound, kind="opportunity")
    away = AssignOpportunityOwner(owner_id=EVE)
    own = office(BEN).given(Opportunity.Opened, owner_id=BEN)
    own.when(away, OPPORTUNITY, by=ben).then_refused(BeyondReach, owner_id=EVE)
    own.when(AssignOpportunityOwner(owner_id=None), OPPORTUNITY, by=ben).then_refused(OpportunityOwnerMissing)


class Team:
    """Ben leads Eve."""

    def led_by(self, member_id: UUID) -> frozenset[UUID]:
        """Those that the member leads."""
        return frozenset((BEN, EVE)) if member_id == BEN else frozenset((member_id,))


def test_who_leads_a_team_reopens_what_its_leaver_lost_and_can_work_on_it() -> None:
    """The customer's owner is of another team: the opportunity would be beyond the reach of who reopens it."""
    given = office(MEMBER).given(Opportunity.Opened, owner_id=EVE).given(Member.Removed, id=EVE)
    given.given(Opportunity.Lost, loss_reason="price", occurred_on=TODAY)
    given.door.policy = Policy(Team())
    given.when(ReopenOpportunity(), OPPORTUNITY, by=member(BEN, "supervisor"))
    given.then(Opportunity.Reopened)
    given.then(Opportunity.OwnerAssigned, owner_id=BEN)


NAMING = [
    (RegisterCustomer.model_validate({"kind": "company", "name": "x", "owner_id": str(EVE)}), None),
    (AssignOwner(owner_id=EVE), CUSTOMER),
    (OpenOpportunity(name="x", owner_id=EVE), CUSTOMER),
    (AssignOpportunityOwner(owner_id=EVE), OPPORTUNITY),
    (HandOver(member_id=EVE), MEMBER),
    (LogFollowUp.model_validate({"method": "phone", "follower_id": str(EVE)}), CUSTOMER),
]


@ENDINGS
@pytest.mark.parametrize(("command", "to"), NAMING, ids=lambda value: getattr(value, "action", ""))
def test_no_command_names_a_member_who_is_not_active(
    ending: Any, refusal: Any, command: Command, to: UUID | None
) -> None:
    given = office(MEMBER).given(Opportunity.Opened, owner_id=MEMBER)
    given.when(LogFollowUp.model_validate({"method": "phone", "follower_id": str(EVE)}), CUSTOMER)
    given.then(Customer.FollowUpLogged, follower_id=EVE)  # it is known to be there, which says nothing of its state
    given.given(ending, id=EVE)
    given.when(command, to).then_refused(refusal, id=EVE)


def test_every_command_that_names_a_member_is_tried() -> None:
    from commands import ALL

    naming = {"owner_id", "member_id", "follower_id"}
    assert {type(command) for command, _ in NAMING} == {each for each in ALL if naming & each.model_fields.keys()}


def test_only_rows_of_an_import_name_a_follower_who_has_left() -> None:
    said = LogFollowUp.model_validate({"method": "phone", "follower_id": str(EVE)})
    given = office().given(Member.Removed, id=EVE)
    given.when(said, CUSTOMER, by=RULE).then_refused(MemberRemoved, id=EVE)
    row = ImportedRow("sheet", "1", "d")
    given.when(said, CUSTOMER, imported=row).then_refused(MemberRemoved, id=EVE)
    given.when(said, CUSTOMER, by=IMPORT, imported=row).then(Customer.FollowUpLogged, follower_id=EVE)


class Hands(Alone):
    """Everybody owns the customer and the opportunity of the scenario."""

    def owned_by(self, member_id: UUID) -> Owned:
        """The same for everybody."""
        return Owned([CUSTOMER], [OPPORTUNITY])


def test_archived_customers_and_lost_opportunities_are_handed_over() -> None:
    given = office(BEN).given(Opportunity.Opened, owner_id=BEN)
    given.given(Opportunity.Lost, loss_reason="price", occurred_on=TODAY).given(Customer.Archived)
    given.door.surroundings = Hands()
    given.when(HandOver(member_id=EVE), BEN)
    given.then(Member.HandedOver, member_id=EVE, customers=1, opportunities=1)
    given.then(Customer.OwnerAssigned, owner_id=EVE)
    given.then(Opportunity.OwnerAssigned, owner_id=EVE)
    given.when(AssignOwner(owner_id=MEMBER), CUSTOMER).then_refused(CustomerArchived)


def test_an_erased_customer_is_handed_over_since_it_may_still_owe_money() -> None:
    given = office(BEN).given(Opportunity.Opened, owner_id=BEN).given(Customer.Erased, subjects=(CUSTOMER,))
    given.door.surroundings = Hands()
    given.when(HandOver(member_id=EVE), BEN).then(Member.HandedOver, member_id=EVE, customers=1, opportunities=1)
    given.then(Customer.OwnerAssigned, owner_id=EVE)
    given.then(Opportunity.OwnerAssigned, owner_id=EVE)
    given.then_nothing()


def test_nobody_hands_over_to_itself() -> None:
    given = office(BEN)
    given.door.surroundings = Hands()
    given.when(HandOver(member_id=BEN), BEN).then_refused(HandOverToSelf, member_id=BEN)
    assert HandOverToSelf(member_id=BEN).pointer == "member_id"
    given.given(Member.Removed, id=BEN)
    given.when(HandOver(member_id=BEN), BEN).then_refused(HandOverToSelf)


@pytest.mark.parametrize("ending", [Member.Removed, Member.Suspended])
def test_an_archived_customer_of_a_leaver_comes_back_as_the_customer_of_who_reopens_it(ending: Any) -> None:
    given = office(BEN).given(Customer.Archived).given(ending, id=BEN)
    given.when(ReopenCustomer(), CUSTOMER).then(Customer.Reopened)
    given.then(Customer.OwnerAssigned, owner_id=MEMBER)
    given.given(Customer.OwnerAssigned, owner_id=BEN).given(Customer.Archived)
    given.when(ReopenCustomer(), CUSTOMER, by=RULE).then(Customer.Reopened)
    given.then(Customer.OwnerAssigned, owner_id=None)


@pytest.mark.parametrize("owner_id", [BEN, None])
def test_an_archived_customer_of_an_active_member_or_of_nobody_comes_back_as_it_was(owner_id: UUID | None) -> None:
    given = office(owner_id).given(Customer.Archived)
    given.when(ReopenCustomer(), CUSTOMER).then(Customer.Reopened)
    given.then_nothing()


@pytest.mark.parametrize("outcome", ["won", "lost"])
@pytest.mark.parametrize(
    ("customers", "by", "expected"),
    [(EVE, None, EVE), (None, None, MEMBER), (BEN, None, MEMBER), (EVE, RULE, EVE), (None, RULE, None)],
)
def test_a_closed_opportunity_of_a_leaver_comes_back_with_an_owner(
    outcome: str, customers: UUID | None, by: Actor | None, expected: UUID | None
) -> None:
    given = office(customers).given(Opportunity.Opened, owner_id=BEN)
    if outcome == "won":
        given.given(Opportunity.Won, amount=1, currency="CNY", occurred_on=TODAY)
    else:
        given.given(Opportunity.Lost, loss_reason="price", occurred_on=TODAY)
    given.given(Member.Removed, id=BEN)
    how = {} if by is None else {"by": by}
    given.when(ReopenOpportunity(reason="x"), OPPORTUNITY, **how).then(Opportunity.Reopened)
    given.then(Opportunity.OwnerAssigned, owner_id=expected, reason="x")
    given.then_nothing()


def test_a_closed_opportunity_of_an_active_member_stays_its_own() -> None:
    given = office(EVE).given(Opportunity.Opened, owner_id=BEN)
    given.given(Opportunity.Lost, loss_reason="price", occurred_on=TODAY)
    given.when(ReopenOpportunity(), OPPORTUNITY).then(Opportunity.Reopened)
    given.then_nothing()


def test_a_customer_without_an_owner_is_registered_as_before() -> None:
    body = {"kind": "company", "name": "x"}
    office().when(RegisterCustomer.model_validate(body)).then(Customer.Registered, owner_id=None)
    given = office()
    given.when(RegisterCustomer.model_validate(body), by=member(BEN, "sales"))
    given.then(Customer.Registered, owner_id=BEN)


def test_nothing_is_given_to_an_erased_member() -> None:
    given = office().given(Member.Removed, id=EVE).given(Member.Erased, id=EVE, subjects=(EVE,))
    given.when(OpenOpportunity(name="x", owner_id=EVE), CUSTOMER).then_refused(SubjectErased, subject=EVE)
    owned = office(EVE).given(Member.Removed, id=EVE).given(Member.Erased, id=EVE, subjects=(EVE,))
    assert opened(owned) == MEMBER
