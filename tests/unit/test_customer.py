"""What may be asked of a customer: profile, contacts, owner, tags, archive."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from aggregates.customer import Customer
from aggregates.customer.refusals import ContactUnknown, CustomerArchived, CustomerNotArchived, NameMissing
from commands.base import Command
from commands.customers import (
    AddContact,
    ArchiveCustomer,
    AssignOwner,
    Categorise,
    LogFollowUp,
    MoveLifecycle,
    RegisterCustomer,
    RemoveContact,
    ReopenCustomer,
    ReviseContact,
    ReviseProfile,
    SetIntent,
    Tag,
    Untag,
)
from commands.opportunities import OpenOpportunity
from commands.receivables import IssueReceivable
from ledger.errors import NotFound
from unit.scenario import CONTACT, CUSTOMER, MEMBER, NOBODY, Scenario


def test_registering_gives_the_first_code_of_the_month_cus_8(nothing: Scenario) -> None:
    nothing.now = datetime(2024, 5, 6, 10, tzinfo=ZoneInfo("Asia/Shanghai"))
    nothing.when(RegisterCustomer(kind="company", name="ABC科技有限公司", legacy_code="A001"))
    nothing.then(
        Customer.Registered,
        code="C202405001",
        legacy_code="A001",
        name="ABC科技有限公司",
        kind="company",
        lifecycle="potential",
        placeholder=False,
    )


def test_the_month_of_a_code_is_the_one_in_the_business_time_zone_cus_8(nothing: Scenario) -> None:
    nothing.now = datetime(2024, 5, 1, 0, 30, tzinfo=ZoneInfo("Asia/Shanghai"))
    nothing.when(RegisterCustomer(kind="person", name="李女士"))
    assert nothing.then(Customer.Registered).code == "C202405001"  # type: ignore[attr-defined]


def test_a_code_past_999_gets_wider_and_is_not_used_again_cus_8(nothing: Scenario) -> None:
    nothing.ledger.codes["C202606"] = 999
    nothing.when(RegisterCustomer(kind="person", name="李女士"))
    nothing.then(Customer.Registered, code="C2026061000")


def test_code_and_legacy_code_are_claimed_cus_8(nothing: Scenario) -> None:
    nothing.when(RegisterCustomer(kind="company", name="Acme", legacy_code="A001"))
    claims = [(claim.kind, claim.value) for claim in nothing.then(Customer.Registered).claims()]
    assert claims == [("customer-code", "C202606001"), ("legacy-code", "A001")]


def test_registering_takes_the_master_sheet_and_the_first_contacts_cus_1_con_1(customer: Scenario) -> None:
    customer.when(
        RegisterCustomer.model_validate(
            {
                "kind": "企业客户",
                "name": "科技有限公司",
                "market": "B2B",
                "tier": "优质客户",
                "lead_source": "行业展会推荐",
                "lifecycle": "意向",
                "owner_id": MEMBER,
                "tags": ["高预算"],
                "contacts": [{"name": "王经理", "title": "技术负责人"}, {"name": "李经理", "is_decision_maker": True}],
            }
        )
    )
    customer.then(
        Customer.Registered,
        kind="company",
        market="b2b",
        tier="quality",
        lead_source="exhibition",
        lifecycle="interested",
        owner_id=MEMBER,
    )
    customer.then(Customer.ContactAdded, name="王经理", is_main=True, is_decision_maker=False)
    customer.then(Customer.ContactAdded, name="李经理", is_main=False, is_decision_maker=True)
    customer.then(Customer.Tagged, tag="高预算")
    customer.then_nothing()


def test_what_else_is_collected_about_a_customer_cus_5_cus_9_cus_13(nothing: Scenario) -> None:
    collected = {
        "industry": "制造业",
        "company_size": "50-100人",
        "market": "b2b",
        "need": "降低采购成本",
        "budget": "50万/年",
        "address": "工业园路8号",
        "distance": "35公里",
        "business_category": "五金批发",
        "unsuitable_visiting_time": "周一上午例会",
        "personality": "谨慎型",
    }
    nothing.when(RegisterCustomer.model_validate({"kind": "person", "name": "李女士", **collected}))
    nothing.then(Customer.Registered, **collected)
    assert nothing.outcome is not None
    customer = nothing.outcome.id
    nothing.when(ReviseProfile(personality="果断型", distance=None), customer)
    nothing.then(
        Customer.ProfileRevised, changed=("distance", "personality"), personality="果断型", distance=None, budget=None
    )
    profile = nothing.ledger.load(Customer, customer).profile
    assert {name: profile[name] for name in collected} == collected | {"personality": "果断型", "distance": None}


def test_a_customer_is_not_registered_for_an_owner_nobody_knows(nothing: Scenario) -> None:
    nothing.when(RegisterCustomer(kind="person", name="李女士", owner_id=NOBODY))
    nothing.then_refused(NotFound, kind="member", id=NOBODY)


def test_an_import_says_which_id_a_new_customer_has(nothing: Scenario) -> None:
    nothing.when(RegisterCustomer(kind="person", name="李女士"), new_id=UUID(int=77))
    nothing.then(Customer.Registered, originator_id=UUID(int=77), customer_id=UUID(int=77))


def test_a_revision_names_only_what_really_changed(customer: Scenario) -> None:
    customer.when(ReviseProfile(name="Acme", industry="零售", region="华东"), CUSTOMER)
    customer.then(Customer.ProfileRevised, changed=("industry", "region"), industry="零售", region="华东", name=None)


def test_a_field_is_cleared_with_null(customer: Scenario) -> None:
    customer.given(Customer.ProfileRevised, changed=("industry",), industry="零售")
    customer.when(ReviseProfile(industry=None), CUSTOMER)
    customer.then(Customer.ProfileRevised, changed=("industry",), industry=None)


def test_revising_what_is_so_already_writes_nothing(customer: Scenario) -> None:
    customer.when(ReviseProfile(name="Acme"), CUSTOMER).then_nothing()
    assert customer.outcome is not None
    assert customer.outcome.version == 1


def test_a_name_cannot_be_cleared(customer: Scenario) -> None:
    customer.when(ReviseProfile(name=None), CUSTOMER).then_refused(NameMissing)


def test_a_customer_nobody_knows_is_not_found(nothing: Scenario) -> None:
    nothing.when(ReviseProfile(industry="零售"), CUSTOMER).then_refused(NotFound, kind="customer", id=CUSTOMER)


def test_the_first_contact_is_the_main_one_con_1(customer: Scenario) -> None:
    customer.when(AddContact(name="Wang", mobile="138 1234 5678"), CUSTOMER)
    customer.then(Customer.ContactAdded, name="Wang", mobile="13812345678", is_main=True, is_decision_maker=False)


def test_a_new_main_contact_takes_the_place_of_the_one_before_con_1(customer: Scenario) -> None:
    customer.given(Customer.ContactAdded)
    customer.when(AddContact(name="Li", is_main=True), CUSTOMER)
    customer.then(Customer.ContactRevised, contact_id=CONTACT, changed=("is_main",), is_main=False)
    customer.then(Customer.ContactAdded, name="Li", is_main=True)


def test_a_contact_is_revised_con_1(customer: Scenario) -> None:
    customer.given(Customer.ContactAdded)
    customer.when(ReviseContact(contact_id=CONTACT, name="Wang", title="Director"), CUSTOMER)
    customer.then(Customer.ContactRevised, contact_id=CONTACT, changed=("title",), title="Director", name=None)


def test_a_contact_keeps_a_name(customer: Scenario) -> None:
    customer.given(Customer.ContactAdded)
    customer.when(ReviseContact(contact_id=CONTACT, name=None), CUSTOMER).then_refused(NameMissing)


def test_another_contact_becomes_the_main_one_con_1(customer: Scenario) -> None:
    customer.given(Customer.ContactAdded).given(Customer.ContactAdded, contact_id=NOBODY, is_main=False)
    customer.when(ReviseContact(contact_id=NOBODY, is_main=True), CUSTOMER)
    customer.then(Customer.ContactRevised, contact_id=CONTACT, changed=("is_main",), is_main=False)
    customer.then(Customer.ContactRevised, contact_id=NOBODY, changed=("is_main",), is_main=True)


def test_a_contact_is_removed_once_con_1(customer: Scenario) -> None:
    customer.given(Customer.ContactAdded)
    customer.when(RemoveContact(contact_id=CONTACT), CUSTOMER).then(Customer.ContactRemoved, contact_id=CONTACT)
    customer.when(RemoveContact(contact_id=CONTACT), CUSTOMER).then_refused(ContactUnknown, contact_id=CONTACT)
    customer.when(ReviseContact(contact_id=CONTACT, title="x"), CUSTOMER).then_refused(ContactUnknown)


def test_one_member_is_responsible_sec_7(customer: Scenario) -> None:
    customer.when(AssignOwner(owner_id=MEMBER), CUSTOMER).then(Customer.OwnerAssigned, owner_id=MEMBER)
    customer.when(AssignOwner(owner_id=MEMBER), CUSTOMER).then_nothing()
    customer.when(AssignOwner(owner_id=None), CUSTOMER).then(Customer.OwnerAssigned, owner_id=None)
    customer.when(AssignOwner(owner_id=NOBODY), CUSTOMER).then_refused(NotFound, kind="member")


def test_a_category_is_given_and_taken_lif_3(customer: Scenario) -> None:
    customer.when(Categorise.model_validate({"category": "准客户"}), CUSTOMER)
    customer.then(Customer.Categorised, category="hot")
    customer.when(Categorise(category=None), CUSTOMER).then(Customer.Categorised, category=None)


def test_a_tag_is_put_on_once_and_taken_off_once_ext_3(customer: Scenario) -> None:
    customer.when(Tag(tag="高预算"), CUSTOMER).then(Customer.Tagged, tag="高预算")
    customer.when(Tag(tag="高预算"), CUSTOMER).then_nothing()
    customer.when(Untag(tag="高预算"), CUSTOMER).then(Customer.Untagged, tag="高预算")
    customer.when(Untag(tag="高预算"), CUSTOMER).then_nothing()


@pytest.mark.parametrize(
    "command",
    [
        ReviseProfile(industry="零售"),
        AddContact(name="Li"),
        ReviseContact(contact_id=CONTACT, title="x"),
        RemoveContact(contact_id=CONTACT),
        AssignOwner(owner_id=None),
        Categorise(category=None),
        MoveLifecycle.model_validate({"lifecycle": "interested"}),
        SetIntent.model_validate({"intent": "yes"}),
        Tag(tag="x"),
        Untag(tag="x"),
        LogFollowUp.model_validate({"method": "phone"}),
        ArchiveCustomer(),
        OpenOpportunity(name="x"),
        IssueReceivable.model_validate({"amount": "1"}),
    ],
    ids=lambda command: command.action,
)
def test_the_archive_keeps_everything_as_it_is(customer: Scenario, command: Command) -> None:
    customer.given(Customer.ContactAdded).given(Customer.Archived)
    customer.when(command, CUSTOMER).then_refused(CustomerArchived, customer="C202606001")


def test_a_customer_is_archived_and_reopened(customer: Scenario) -> None:
    customer.when(ReopenCustomer(), CUSTOMER).then_refused(CustomerNotArchived)
    customer.when(ArchiveCustomer(reason="两年无联系"), CUSTOMER).then(Customer.Archived, reason="两年无联系")
    customer.when(ReopenCustomer(), CUSTOMER).then(Customer.Reopened)
    customer.when(Tag(tag="x"), CUSTOMER).then(Customer.Tagged)
