"""Imports give opportunities the owners that the rule gives them, and may name whoever was there at the time."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from uuid import UUID

import pytest

from aggregates.customer import Customer
from aggregates.opportunity import Opportunity
from commands.base import Door, execute
from commands.members import RemoveMember, SuspendMember
from ledger.database import Database
from ledger.ledger import Ledger
from policy import Actor
from sheets.importing import Importer, Report
from sheets.opening import parse

PROFILE = parse(
    b"""
name = "deals"
title = "Deals"
about = "Customers with their sellers, deals and talks."
[formats]
date = ["%Y-%m-%d"]
[files.customers]
name = "customers.csv"
[files.customers.columns]
customer = { needed = true }
seller = {}
[files.deals]
name = "deals.csv"
[files.deals.columns]
deal = { needed = true }
customer = { needed = true }
seller = {}
[files.talks]
name = "talks.csv"
[files.talks.columns]
talk = { needed = true }
customer = { needed = true }
seller = {}

[[records]]
name = "members"
file = "customers"
key = ["seller"]
distinct = true
[[records.commands]]
command = "RegisterMember"
[records.commands.fields]
name = "seller"

[[records]]
name = "customers"
file = "customers"
key = ["customer"]
[[records.commands]]
command = "RegisterCustomer"
[records.commands.fields]
name = "customer"
kind = { value = "company" }
owner_id = { refers = "members", key = ["seller"] }

[[records]]
name = "deals"
file = "deals"
key = ["deal"]
[[records.commands]]
command = "OpenOpportunity"
to = { refers = "customers", key = ["customer"] }
[records.commands.fields]
name = "deal"
owner_id = { refers = "members", key = ["seller"] }

[[records]]
name = "talks"
file = "talks"
key = ["talk"]
[[records.commands]]
command = "LogFollowUp"
to = { refers = "customers", key = ["customer"] }
[records.commands.fields]
method = { value = "phone" }
content = "talk"
follower_id = { refers = "members", key = ["seller"] }
"""
)
OPERATOR = Actor("rule:operator", None, "operator", "rule")
CUSTOMERS = "Acme,Ann\nBolt,Ben\nCork,\n"
Import = Callable[..., Report]


@pytest.fixture
def bring_in(ledger: Ledger, tmp_path: Path) -> Import:
    """Imports customers, deals and talks written in the test."""

    def run(deals: str = "", talks: str = "") -> Report:
        for name, heading, rows in (
            ("customers", "customer,seller", CUSTOMERS),
            ("deals", "deal,customer,seller", deals),
            ("talks", "talk,customer,seller", talks),
        ):
            (tmp_path / f"{name}.csv").write_text(f"{heading}\n{rows}", encoding="utf-8")
        return Importer(PROFILE, Door(ledger), ledger).run(tmp_path)

    return run


def member(name: str) -> UUID:
    """The id of a seller."""
    return PROFILE.id_of("members", (name,))


def owner(ledger: Ledger, deal: str) -> UUID | None:
    """The owner of a deal."""
    owner_id: UUID | None = ledger.load(Opportunity, PROFILE.id_of("deals", (deal,))).owner_id
    return owner_id


def leaves(ledger: Ledger, *names: str) -> None:
    """The sellers are removed."""
    for name in names:
        execute(RemoveMember(), to=member(name), by=OPERATOR, door=Door(ledger))


def test_a_deal_that_names_nobody_gets_the_owner_of_its_customer(bring_in: Import, ledger: Ledger) -> None:
    report = bring_in("1,Acme,\n2,Acme,Ben\n3,Cork,\n")
    assert not report.refusals, report.refusals
    assert [owner(ledger, deal) for deal in "123"] == [member("Ann"), member("Ben"), None]


def test_an_inactive_owner_of_the_customer_is_not_given_a_deal_by_an_import(bring_in: Import, ledger: Ledger) -> None:
    bring_in()
    leaves(ledger, "Ann")
    execute(SuspendMember(), to=member("Ben"), by=OPERATOR, door=Door(ledger))
    report = bring_in("1,Acme,\n2,Bolt,\n3,Cork,Ann\n4,Cork,Ben\n")
    assert sorted(each.code for each in report.refusals) == ["member-removed", "member-suspended"]
    assert [owner(ledger, deal) for deal in "12"] == [None, None]


def test_talks_of_a_seller_who_has_left_are_imported_as_history(
    bring_in: Import, ledger: Ledger, database: Database
) -> None:
    bring_in()
    leaves(ledger, "Ann", "Ben")
    report = bring_in(talks="hello,Acme,Ann\nbye,Cork,Ben\n")
    assert not report.refusals, report.refusals
    assert ledger.load(Customer, PROFILE.id_of("customers", ("Acme",))).last_answered_at is not None
    with database.connection() as connection:
        followers = connection.execute(
            "SELECT convert_from(state, 'UTF8')::jsonb->>'follower_id' FROM events WHERE topic = %s ORDER BY position",
            ["customer.follow-up-logged"],
        ).fetchall()
    assert {UUID(follower) for (follower,) in followers} == {member("Ann"), member("Ben")}
