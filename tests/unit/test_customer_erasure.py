"""Who is erased: once, for good, and with everybody that the erasure is about."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

import pytest

from aggregates.customer import Customer
from aggregates.customer.refusals import ContactUnknown
from aggregates.refusals import SubjectErased
from commands.base import Command
from commands.customers import (
    AddContact,
    ArchiveCustomer,
    AssignOwner,
    EraseContact,
    EraseCustomer,
    LogFollowUp,
    RemoveContact,
    ReopenCustomer,
    ReviseContact,
    ReviseProfile,
    Tag,
)
from ledger.erasing.register import Erasure, Register, Unreadable
from unit.scenario import CONTACT, CUSTOMER, NOBODY, NOW, Scenario

WHY = "本人要求"
SECOND = UUID(int=90)


@pytest.fixture
def with_contacts(customer: Scenario) -> Scenario:
    """A customer with a contact, and one that has left."""
    customer.given(Customer.ContactAdded)
    customer.given(Customer.ContactAdded, contact_id=SECOND, is_main=False)
    return customer.given(Customer.ContactRemoved, contact_id=SECOND)


@pytest.mark.parametrize("contact_id", [CONTACT, SECOND])
def test_a_contact_is_erased_also_a_former_one(with_contacts: Scenario, contact_id: UUID) -> None:
    with_contacts.when(EraseContact(contact_id=contact_id, reason=WHY), to=CUSTOMER)
    with_contacts.then(Customer.ContactErased, contact_id=contact_id, subjects=(contact_id,), reason=WHY)


def test_a_customer_is_erased_with_everybody_who_ever_was_a_contact(with_contacts: Scenario) -> None:
    with_contacts.when(EraseCustomer(reason=WHY), to=CUSTOMER)
    with_contacts.then(Customer.Erased, subjects=(CUSTOMER, CONTACT, SECOND), reason=WHY)


def test_who_was_erased_before_is_not_erased_with_the_customer_again(with_contacts: Scenario) -> None:
    with_contacts.given(Customer.ContactErased, contact_id=CONTACT, subjects=(CONTACT,))
    with_contacts.when(EraseCustomer(reason=WHY), to=CUSTOMER)
    with_contacts.then(Customer.Erased, subjects=(CUSTOMER, SECOND))


def test_a_customer_in_the_archive_is_erased_too(with_contacts: Scenario) -> None:
    with_contacts.given(Customer.Archived).when(EraseCustomer(reason=WHY), to=CUSTOMER)
    with_contacts.then(Customer.Erased)


def test_erasing_again_changes_nothing(with_contacts: Scenario) -> None:
    with_contacts.given(Customer.Erased, subjects=(CUSTOMER, CONTACT, SECOND))
    with_contacts.when(EraseCustomer(reason=WHY), to=CUSTOMER).then_nothing()
    with_contacts.when(EraseContact(contact_id=CONTACT, reason=WHY), to=CUSTOMER).then_nothing()


def test_a_contact_that_never_was_cannot_be_erased(with_contacts: Scenario) -> None:
    with_contacts.when(EraseContact(contact_id=NOBODY, reason=WHY), to=CUSTOMER)
    with_contacts.then_refused(ContactUnknown)


@pytest.mark.parametrize(
    "command",
    [
        ReviseContact(contact_id=CONTACT, name="Wang"),
        RemoveContact(contact_id=CONTACT),
        LogFollowUp(method="phone", contact_id=CONTACT),
    ],
    ids=lambda command: command.action,
)
def test_nothing_more_is_done_with_an_erased_contact(with_contacts: Scenario, command: Command) -> None:
    with_contacts.given(Customer.ContactErased, contact_id=CONTACT, subjects=(CONTACT,))
    with_contacts.when(command, to=CUSTOMER).then_refused(SubjectErased)


@pytest.mark.parametrize(
    "command",
    [
        ReviseProfile(notes="x"),
        AddContact(name="Li"),
        LogFollowUp(method="phone"),
        AssignOwner(owner_id=None),
        Tag(tag="x"),
        ArchiveCustomer(),
        ReopenCustomer(),
    ],
    ids=lambda command: command.action,
)
def test_nothing_more_is_done_with_an_erased_customer(with_contacts: Scenario, command: Command) -> None:
    with_contacts.given(Customer.Erased, subjects=(CUSTOMER, CONTACT, SECOND))
    with_contacts.when(command, to=CUSTOMER).then_refused(SubjectErased)


def test_the_register_keeps_the_subjects_of_two_erasures_under_one_name(tmp_path: Path) -> None:
    register = Register(tmp_path / "erasures")
    assert register.all() == []
    register.keep(Erasure((CUSTOMER, CONTACT), CUSTOMER, 7, NOW))
    register.keep(Erasure((CUSTOMER, SECOND), CUSTOMER, 9, NOW))
    assert register.all() == [Erasure((CUSTOMER, SECOND, CONTACT), CUSTOMER, 9, NOW)]
    assert (register.knows(CUSTOMER), register.knows(CONTACT)) == (True, False)
    assert [each.name for each in register.path.iterdir()] == [f"{CUSTOMER}.json"]


@pytest.mark.parametrize("content", [b"", b"{}", b"\xff", b'{"subjects": ["x"]}'])
def test_a_broken_file_of_the_register_is_named(tmp_path: Path, content: bytes) -> None:
    register = Register(tmp_path)
    (register.path / f"{CUSTOMER}.json").write_bytes(content)
    with pytest.raises(Unreadable, match=str(CUSTOMER)):
        register.all()
