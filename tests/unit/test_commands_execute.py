"""The one door: once, by somebody, on what the caller saw."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import pytest

from aggregates.base import Aggregate, ImportedRow
from aggregates.customer import Customer
from aggregates.customer.refusals import CustomerArchived
from aggregates.workspace import WORKSPACE_ID, Workspace
from commands.base import ATTEMPTS
from commands.customers import ArchiveCustomer, RegisterCustomer, ReviseProfile, Tag
from commands.settings import ConfigureWorkspace
from ledger.errors import KeyReused, StaleVersion, VersionConflict
from ledger.outcome import Outcome
from policy import Actor, Forbidden
from unit.scenario import ANN, CUSTOMER, NOW, Scenario

NEW = RegisterCustomer.model_validate({"kind": "person", "name": "李女士"})


def test_an_event_says_who_did_it_in_which_command_and_why(customer: Scenario) -> None:
    row = ImportedRow("crm-sheet", "7", "abc")
    customer.when(Tag(tag="a", reason="because"), CUSTOMER, imported=row)
    event = customer.then(
        Customer.Tagged, actor=ANN.id, source="api", reason="because", imported=row, customer_id=CUSTOMER, timestamp=NOW
    )
    assert event.command_id.version == 7


def test_the_events_of_one_command_share_its_id(nothing: Scenario) -> None:
    nothing.when(RegisterCustomer.model_validate({"kind": "person", "name": "x", "tags": ["a", "b"]}))
    commands = {nothing.then(kind).command_id for kind in (Customer.Registered, Customer.Tagged, Customer.Tagged)}
    assert len(commands) == 1


def test_nobody_may_do_nothing(customer: Scenario) -> None:
    nobody = Actor(id="", member_id=None, name="", source="api")
    customer.when(Tag(tag="a"), CUSTOMER, by=nobody).then_refused(Forbidden, action="tag")


def test_a_repeated_request_gets_the_same_answer_and_writes_nothing(nothing: Scenario) -> None:
    first = nothing.when(NEW, key="k").outcome
    again = nothing.when(NEW, key="k").outcome
    assert first is not None
    assert again is not None
    assert (again.id, again.version, again.position, again.replayed) == (first.id, 1, first.position, True)
    assert nothing.ledger.position == 1


def test_a_repeated_request_is_not_refused_for_what_it_did_itself(customer: Scenario) -> None:
    customer.when(ArchiveCustomer(), CUSTOMER, key="k").then(Customer.Archived)
    customer.when(ArchiveCustomer(), CUSTOMER, key="k").then_nothing()
    assert customer.outcome is not None
    assert customer.outcome.replayed
    customer.when(ArchiveCustomer(), CUSTOMER).then_refused(CustomerArchived)


def test_a_repeated_request_is_not_stale(customer: Scenario) -> None:
    customer.when(Tag(tag="a"), CUSTOMER, key="k", expecting=1).then(Customer.Tagged)
    customer.when(Tag(tag="a"), CUSTOMER, key="k", expecting=1).then_nothing()
    assert customer.outcome is not None
    assert (customer.outcome.version, customer.outcome.replayed) == (2, True)


@pytest.mark.parametrize("other", [Tag(tag="b"), Tag(tag="a", reason="x"), ArchiveCustomer()])
def test_a_key_is_not_used_for_another_request(customer: Scenario, other: Tag) -> None:
    customer.when(Tag(tag="a"), CUSTOMER, key="k").then(Customer.Tagged)
    customer.when(other, CUSTOMER, key="k").then_refused(KeyReused, key="k")
    customer.when(Tag(tag="a"), UUID(int=99), key="k").then_refused(KeyReused)


def test_keys_of_two_members_and_of_two_places_in_a_batch_are_apart(customer: Scenario) -> None:
    bob = Actor("member:bob", None, "Bob", "api", frozenset({"administrator"}))
    customer.when(Tag(tag="a"), CUSTOMER, key="k").then(Customer.Tagged)
    customer.when(Tag(tag="b"), CUSTOMER, key="k", by=bob).then(Customer.Tagged)
    customer.when(Tag(tag="c"), CUSTOMER, key="k", index=1).then(Customer.Tagged)


def test_who_saw_an_older_version_is_told_so_before_any_rule(customer: Scenario) -> None:
    customer.given(Customer.ProfileRevised, changed=("industry",), industry="x").given(Customer.Archived)
    customer.when(ReviseProfile(region="y"), CUSTOMER, expecting=1)
    customer.then_refused(StaleVersion, expected=1, actual=3, changed_fields=("industry",))
    customer.when(ReviseProfile(region="y"), CUSTOMER, expecting=3).then_refused(CustomerArchived)


def test_who_saw_an_older_version_is_told_so_even_when_nothing_would_change(customer: Scenario) -> None:
    customer.given(Customer.Tagged, tag="a")
    customer.when(Tag(tag="a"), CUSTOMER, expecting=1).then_refused(StaleVersion)


def test_a_command_that_somebody_got_in_the_way_of_is_decided_again(customer: Scenario) -> None:
    customer.ledger.conflicts = ATTEMPTS - 1
    customer.when(Tag(tag="a"), CUSTOMER).then(Customer.Tagged)


def test_a_command_is_not_decided_again_for_ever(customer: Scenario) -> None:
    customer.ledger.conflicts = ATTEMPTS
    customer.when(Tag(tag="a"), CUSTOMER).then_refused(VersionConflict)


def test_what_somebody_else_has_made_meanwhile_is_found_and_gone_on_from(
    nothing: Scenario, monkeypatch: pytest.MonkeyPatch
) -> None:
    saving = nothing.ledger.save

    def save_late(*aggregates: Aggregate, **conditions: Any) -> Outcome:
        monkeypatch.setattr(nothing.ledger, "save", saving)
        nothing.when(ConfigureWorkspace(currency="EUR"))
        raise VersionConflict(aggregates[0].id, 1)

    monkeypatch.setattr(nothing.ledger, "save", save_late)
    nothing.when(ConfigureWorkspace(time_zone="Europe/Berlin"))
    workspace = nothing.ledger.load(Workspace, WORKSPACE_ID)
    assert (workspace.settings.currency, workspace.settings.time_zone) == ("EUR", "Europe/Berlin")


def test_what_would_be_made_once_more_is_decided_twice_at_most(nothing: Scenario) -> None:
    again = uuid4()
    nothing.ledger.conflicts = ATTEMPTS
    nothing.when(NEW, new_id=again).then_refused(VersionConflict)
    assert nothing.ledger.conflicts == ATTEMPTS - 2
