"""What can be asked of the receivables on any day: status, age, lists, statements (ORD-2 to 5, 8, REM-9, RPT-10)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import date
from typing import Any
from uuid import UUID

import psycopg
import pytest

from aggregates.customer import Customer
from aggregates.member import Member
from aggregates.receivable import Receivable
from folded import tables_of
from happenings import Happenings
from projections.dimensions import UnknownGrouping
from projections.engine.lists.query import Query
from projections.receivables import Receivables, aging, by_status, one, overdue, page, punctuality, statement

Tables = Callable[[], psycopg.Connection[Any]]


@pytest.fixture
def given() -> Happenings:
    """Nothing has happened yet."""
    return Happenings()


@pytest.fixture
def tables(server: str, given: Happenings) -> Iterator[Tables]:
    """The receivables' tables after everything that was given until then."""
    with ExitStack() as stack:
        yield lambda: stack.enter_context(tables_of(server, Receivables, given.events))


def day(text: str) -> date:
    """A day."""
    return date.fromisoformat(text)


def facts(connection: psycopg.Connection[Any], receivable: UUID, on: str, *names: str) -> tuple[Any, ...] | None:
    """Some facts of a receivable at the end of a day; None before it was issued."""
    found = one(connection, receivable, day(on))
    return None if found is None else tuple(found[name] for name in names)


def test_without_receivables_there_are_no_groups(tables: Tables) -> None:
    connection, on = tables(), date(2026, 3, 1)
    assert aging(connection, on) == {"on": on, "groups": []}
    assert by_status(connection, on) == {"on": on, "groups": []}
    assert punctuality(connection, on) == {"on": on, "groups": []}


def test_the_sheet_of_five_customers_by_status_ord_2_ord_4_rpt_10(given: Happenings, tables: Tables) -> None:
    def owed(name: str, amount: str, due: str, requested: bool = True) -> UUID:
        customer = given.customer(name)
        return given.issued(customer, amount, "2026-01-01", due, requested=requested, invoice_no=name)

    given.paid(owed("A", "1000", "2026-01-31"), "1000", "2026-01-01")
    owed("B", "2000", "2026-01-31")
    given.paid(owed("C", "1500", "2026-01-31"), "300", "2026-01-10")
    owed("D", "500", "2026-01-15")
    owed("E", "0", "2026-01-31", requested=False)
    connection, on = tables(), date(2026, 1, 20)
    groups = by_status(connection, on)["groups"]
    assert [(group["key"]["status"], group["customers"], group["amount"]) for group in groups] == [
        ("paid", 1, "1000"),
        ("awaiting", 1, "2000"),
        ("partial", 1, "1500"),
        ("overdue", 1, "500"),
        ("unpaid", 1, "0"),
    ]
    assert sum(int(group["amount"]) for group in groups) == 5000
    asked = Query.parse([("reminder_expected[eq]", "true"), ("sort", "customer")])
    assert [item["customer"] for item in page(connection, asked, on).items] == ["B", "D", "E"]


def test_the_status_of_each_day_follows_from_what_happened_by_then_ord_2(given: Happenings, tables: Tables) -> None:
    owed = given.issued(given.customer(), "100", "2026-01-10", "2026-01-31", requested=False)
    given.happens(Receivable.ReminderRecorded, owed, occurred_on=date(2026, 1, 15), channel="phone")
    given.paid(owed, "40", "2026-01-20")
    payment = given.paid(owed, "60", "2026-02-10")
    given.reversed(owed, payment, "60", "2026-02-20")
    given.written_off(owed, "60", "2026-03-01")
    connection = tables()
    found = {
        on: facts(connection, owed, on, "status", "open", "partly_paid", "days_past_due", "bucket")
        for on in (
            "2026-01-09",
            "2026-01-10",
            "2026-01-15",
            "2026-01-20",
            "2026-01-31",
            "2026-02-01",
            "2026-02-10",
            "2026-02-20",
            "2026-03-01",
        )
    }
    assert found == {
        "2026-01-09": None,
        "2026-01-10": ("unpaid", 100, False, None, "current"),
        "2026-01-15": ("awaiting", 100, False, None, "current"),
        "2026-01-20": ("partial", 60, True, None, "current"),
        "2026-01-31": ("partial", 60, True, None, "current"),
        "2026-02-01": ("overdue", 60, True, 1, "1-30"),
        "2026-02-10": ("paid", 0, False, None, None),
        "2026-02-20": ("overdue", 60, True, 20, "1-30"),
        "2026-03-01": ("paid", 0, False, None, None),
    }


def test_what_was_given_up_whole_was_not_paid(given: Happenings, tables: Tables) -> None:
    owed = given.issued(given.customer(), "100", "2026-01-01", "2026-01-31")
    given.written_off(owed, "100", "2026-02-01")
    connection = tables()
    shown = facts(connection, owed, "2026-02-01", "status", "collected", "written_off", "open", "settled_on")
    assert shown == ("written-off", 0, 100, 0, date(2026, 2, 1))
    assert punctuality(connection, date(2026, 3, 1))["groups"] == []
    (group,) = aging(connection, date(2026, 3, 1))["groups"]
    assert (group["collected"]["amount"], group["open"]) == ("0", {"count": 0, "amount": "0"})


@pytest.mark.parametrize(
    ("on", "bucket"),
    [
        ("2026-01-31", "current"),
        ("2026-02-01", "1-30"),
        ("2026-03-02", "1-30"),
        ("2026-03-03", "31-60"),
        ("2026-04-01", "31-60"),
        ("2026-04-02", "61-90"),
        ("2026-05-01", "61-90"),
        ("2026-05-02", "90+"),
        ("2036-05-02", "90+"),
    ],
)
def test_the_bucket_is_that_of_the_days_past_due(given: Happenings, tables: Tables, on: str, bucket: str) -> None:
    owed = given.issued(given.customer(), "100", "2026-01-01", "2026-01-31")
    connection = tables()
    assert facts(connection, owed, on, "bucket") == (bucket,)
    (group,) = aging(connection, day(on))["groups"]
    assert {line["bucket"]: line["count"] for line in group["buckets"]} == {
        name: int(name == bucket) for name in ("current", "1-30", "31-60", "61-90", "90+")
    }


def test_aging_has_the_whole_shape(given: Happenings, tables: Tables) -> None:
    acme = given.customer()
    given.paid(given.issued(acme, "100.50", "2026-01-01", "2026-01-31"), "0.50", "2026-01-02")
    given.issued(acme, "20", "2026-01-01", "2026-03-31")
    given.issued(acme, "7", "2026-04-01", "2026-04-30")
    on = date(2026, 3, 15)
    assert aging(tables(), on) == {
        "on": on,
        "groups": [
            {
                "key": {"currency": "CNY"},
                "invoiced": {"count": 2, "amount": "120.50"},
                "collected": {"amount": "0.50"},
                "open": {"count": 2, "amount": "120.00"},
                "overdue": {"count": 1, "amount": "100.00", "max_days_past_due": 43},
                "buckets": [
                    {"bucket": "current", "count": 1, "amount": "20"},
                    {"bucket": "1-30", "count": 0, "amount": "0"},
                    {"bucket": "31-60", "count": 1, "amount": "100.00"},
                    {"bucket": "61-90", "count": 0, "amount": "0"},
                    {"bucket": "90+", "count": 0, "amount": "0"},
                ],
            }
        ],
    }


def test_a_moved_due_date_holds_for_every_day(given: Happenings, tables: Tables) -> None:
    owed = given.issued(given.customer(), "100", "2026-01-01", "2026-01-31")
    given.on("2026-03-01").happens(Receivable.DueDateMoved, owed, due_on=date(2026, 3, 31))
    connection = tables()
    assert facts(connection, owed, "2026-02-15", "status", "due_on") == ("awaiting", date(2026, 3, 31))
    assert overdue(connection, Query(), date(2026, 3, 31)).items == []
    assert facts(connection, owed, "2026-04-01", "status", "days_past_due") == ("overdue", 1)


def test_a_dispute_shows_while_it_lasts(given: Happenings, tables: Tables) -> None:
    owed = given.issued(given.customer(), "100", "2026-01-01", "2026-01-31")
    given.happens(Receivable.Disputed, owed, occurred_on=date(2026, 1, 10), note="Broken")
    given.happens(Receivable.DisputeSettled, owed, occurred_on=date(2026, 1, 20), note="Replaced")
    connection = tables()
    found = [facts(connection, owed, f"2026-01-{number}", "disputed") for number in ("09", "10", "19", "20")]
    assert found == [(False,), (True,), (True,), (False,)]
    during, after = one(connection, owed, date(2026, 1, 15)), one(connection, owed, date(2026, 1, 25))
    assert during is not None
    assert after is not None
    assert [(line["until_on"], line["settlement"]) for line in during["disputes"]] == [(None, None)]
    assert [(line["until_on"], line["settlement"]) for line in after["disputes"]] == [(date(2026, 1, 20), "Replaced")]


def test_currencies_are_never_added_up(given: Happenings, tables: Tables) -> None:
    acme = given.customer()
    given.issued(acme, "100", "2026-01-01", "2026-01-31")
    given.issued(acme, "50", "2026-01-01", "2026-01-31", currency="USD")
    connection, on = tables(), date(2026, 3, 1)
    groups = aging(connection, on, ["customer"])["groups"]
    assert [(group["key"], group["open"]["amount"]) for group in groups] == [
        ({"customer": "Acme", "customer_id": str(acme), "currency": "CNY"}, "100"),
        ({"customer": "Acme", "customer_id": str(acme), "currency": "USD"}, "50"),
    ]
    assert [group["key"]["currency"] for group in by_status(connection, on)["groups"]] == ["CNY", "USD"]
    account = statement(connection, acme, date(2026, 1, 1), on)
    assert account is not None
    assert [(each["currency"], each["closing"]) for each in account["accounts"]] == [("CNY", "100"), ("USD", "50")]


def test_owner_team_and_region_are_those_of_the_day(given: Happenings, tables: Tables) -> None:
    north, south = given.team("North", "N"), given.team("South", "S")
    ann, bob = given.member("Ann", north), given.member("Bob", south)
    acme = given.customer(owner_id=ann, industry="retail", region="East", lead_source="expo", country="CN")
    given.issued(acme, "100", "2026-01-01", "2026-01-31")
    given.happens(Member.TeamAssigned, ann, team_id=south, occurred_on=date(2026, 2, 1))
    given.on("2026-03-10").happens(Customer.OwnerAssigned, acme, owner_id=bob)
    connection, by = tables(), ["owner", "team", "team_region"]
    found = []
    for on in ("2026-01-31", "2026-02-01", "2026-03-10"):
        (group,) = aging(connection, day(on), by)["groups"]
        found.append((group["key"]["owner"], group["key"]["team"], group["key"]["team_region"]))
    assert found == [("Ann", "North", "N"), ("Ann", "South", "S"), ("Bob", "South", "S")]
    (group,) = aging(connection, date(2026, 3, 1), ["industry", "customer_region", "source", "country"])["groups"]
    assert list(group["key"].values()) == ["retail", "East", "expo", "CN", "CNY"]


def test_the_region_is_the_customers_of_the_day_else_that_of_its_owners_team(given: Happenings, tables: Tables) -> None:
    ann = given.member("Ann", given.team("North", "N"))
    acme = given.on("2026-01-05").customer(owner_id=ann)
    nobodys = given.customer("Bolt", region="East")
    owed = given.issued(acme, "100", "2026-01-05", "2026-01-31")
    given.issued(nobodys, "50", "2026-01-05", "2026-01-31")
    given.on("2026-02-10").happens(Customer.ProfileRevised, acme, changed=("region",), region="West")
    given.on("2026-03-10").happens(Customer.ProfileRevised, acme, changed=("region",), region=None)
    connection = tables()
    for on, region, customers in (
        ("2026-02-09", "N", None),
        ("2026-02-10", "West", "West"),
        ("2026-03-09", "West", "West"),
        ("2026-03-10", "N", None),
    ):
        groups = aging(connection, day(on), ["region"])["groups"]
        assert {each["key"]["region"]: each["open"]["amount"] for each in groups} == {region: "100", "East": "50"}
        paired = aging(connection, day(on), ["customer_region", "team_region"])["groups"]
        assert {(each["key"]["customer_region"], each["key"]["team_region"]) for each in paired} == {
            (customers, "N"),
            ("East", None),
        }
        assert facts(connection, owed, on, "region", "customer_region", "team_region") == (region, customers, "N")
        listed = page(connection, Query.parse([("region[eq]", region), ("team_region[eq]", "N")]), day(on)).items
        assert [each["id"] for each in listed] == [owed]


def test_an_unknown_grouping_is_refused(tables: Tables) -> None:
    connection = tables()
    for question in (aging, punctuality):
        with pytest.raises(UnknownGrouping):
            question(connection, date(2026, 3, 1), ["colour"])


def test_the_overdue_list_begins_with_the_most_overdue_and_the_largest(given: Happenings, tables: Tables) -> None:
    acme = given.customer()
    given.issued(acme, "10", "2026-01-01", "2026-01-20", invoice_no="late")
    given.issued(acme, "5", "2026-01-01", "2026-01-10", invoice_no="later-small")
    given.paid(given.issued(acme, "50", "2026-01-01", "2026-01-10", invoice_no="later-big"), "1", "2026-01-05")
    given.issued(acme, "5", "2026-01-01", "2026-02-01", invoice_no="due today")
    given.paid(given.issued(acme, "5", "2026-01-01", "2026-01-05", invoice_no="paid later"), "5", "2026-02-02")
    connection, on = tables(), date(2026, 2, 1)
    shown = overdue(connection, Query.parse([("include_total", "true")]), on)
    assert [(item["invoice_no"], item["days_past_due"], item["open"]) for item in shown.items] == [
        ("paid later", 27, 5),
        ("later-big", 22, 49),
        ("later-small", 22, 5),
        ("late", 12, 10),
    ]
    assert shown.total == 4
    (first, *_) = overdue(connection, Query.parse([("limit", "1"), ("sort", "-open")]), on).items
    assert first["invoice_no"] == "later-big"
    assert "paid later" not in {item["invoice_no"] for item in overdue(connection, Query(), date(2026, 2, 2)).items}


@pytest.mark.parametrize(
    ("field", "value", "numbers"),
    [
        ("status[eq]", "overdue", ["1"]),
        ("status[in]", "paid,partial", ["2", "3"]),
        ("bucket[eq]", "31-60", ["1"]),
        ("open[gt]", "50", ["1"]),
        ("collected[gt]", "0", ["2", "3"]),
        ("order_no[eq]", "A-3", ["3"]),
        ("issued_on[gte]", "2026-02-01", ["3"]),
        ("customer[contains]", "glob", ["3"]),
        ("q", "0002", ["2"]),
    ],
)
def test_the_list_is_filtered_and_searched_ord_5_ord_8_dat_4(
    given: Happenings, tables: Tables, field: str, value: str, numbers: list[str]
) -> None:
    acme, globex = given.customer("Acme"), given.customer("Globex")
    given.issued(acme, "100", "2026-01-01", "2026-01-15", invoice_no="1")
    given.paid(given.issued(acme, "80", "2026-01-01", "2026-01-31", invoice_no="00022"), "80", "2026-01-20")
    given.paid(given.issued(globex, "60", "2026-02-01", "2026-03-31", order_no="A-3"), "20", "2026-02-20")
    found = page(tables(), Query.parse([(field, value), ("sort", "-amount")]), date(2026, 3, 1)).items
    names = {"100": "1", "80": "2", "60": "3"}
    assert [names[str(item["amount"])] for item in found] == numbers


def test_pages_follow_each_other_without_loss(given: Happenings, tables: Tables) -> None:
    acme = given.customer()
    expected = {given.issued(acme, str(n % 3 + 1), "2026-01-01", f"2026-01-1{n % 4}") for n in range(11)}
    connection, query, found = tables(), Query(limit=3), []
    while True:
        shown = overdue(connection, query, date(2026, 3, 1))
        found += [item["id"] for item in shown.items]
        if shown.next is None:
            break
        query = Query(limit=3, cursor=shown.next, cursors=query.cursors)
    assert (len(found), set(found)) == (11, expected)


def test_a_statement_carries_the_balance_from_entry_to_entry_ord_3(given: Happenings, tables: Tables) -> None:
    acme = given.customer("Acme", code="C202601001")
    first = given.issued(acme, "100", "2026-01-01", "2026-01-31", invoice_no="1")
    payment = given.paid(first, "30", "2026-01-15")
    given.reversed(first, payment, "30", "2026-02-03")
    second = given.issued(acme, "50.50", "2026-02-10", "2026-03-10", invoice_no="2", order_no="A-1")
    given.paid(second, "50.50", "2026-02-10")
    given.written_off(first, "100", "2026-02-28")
    given.paid(given.issued(acme, "9", "2026-03-01", "2026-03-31"), "9", "2026-03-02")
    given.issued(given.customer("Other"), "1", "2026-02-01", "2026-02-28")
    connection = tables()
    shown = statement(connection, acme, date(2026, 2, 1), date(2026, 2, 28))
    assert shown is not None
    (account,) = shown["accounts"]
    assert (shown["customer"], shown["customer_code"], account["currency"]) == ("Acme", "C202601001", "CNY")
    assert (account["opening"], account["charged"], account["credited"]) == ("70", "80.50", "150.50")
    assert account["closing"] == "0.00"
    assert [
        (str(entry["occurred_on"]), entry["kind"], entry["invoice_no"], entry["change"], entry["balance"])
        for entry in account["entries"]
    ] == [
        ("2026-02-03", "reversal", "1", "30", "100"),
        ("2026-02-10", "invoice", "2", "50.50", "150.50"),
        ("2026-02-10", "payment", "2", "-50.50", "100.00"),
        ("2026-02-28", "write-off", "1", "-100", "0.00"),
    ]
    assert statement(connection, UUID(int=1), date(2026, 2, 1), date(2026, 2, 28)) is None


def test_the_statement_closes_at_what_the_list_shows_as_open(given: Happenings, tables: Tables) -> None:
    acme = given.customer()
    for number in range(1, 8):
        owed = given.issued(acme, str(number * 10), f"2026-01-0{number}", f"2026-02-0{number}")
        given.paid(owed, str(number * 3), f"2026-01-1{number}")
    connection = tables()
    for on in ("2026-01-03", "2026-01-12", "2026-02-05"):
        account = statement(connection, acme, date(2026, 1, 1), day(on))
        (group,) = aging(connection, day(on), ["customer"])["groups"]
        assert account is not None
        assert account["accounts"][0]["closing"] == group["open"]["amount"]


def test_punctuality_counts_what_was_paid_after_it_was_due(given: Happenings, tables: Tables) -> None:
    acme = given.customer()
    given.paid(given.issued(acme, "1", "2026-01-01", "2026-01-31"), "1", "2026-01-31")
    given.paid(given.issued(acme, "2", "2026-01-01", "2026-01-31"), "2", "2026-02-03")
    half = given.issued(acme, "3", "2026-01-01", "2026-01-31")
    given.paid(half, "1", "2026-01-02")
    given.paid(half, "2", "2026-02-05")
    given.issued(acme, "4", "2026-01-01", "2026-01-31")
    connection = tables()
    (group,) = punctuality(connection, date(2026, 3, 1), ["customer"])["groups"]
    assert (group["paid"], group["late"], group["late_share"]) == (
        {"count": 3, "amount": "6"},
        2,
        pytest.approx(2 / 3),
    )
    assert (group["mean_days_late"], group["mean_days_to_pay"]) == (4.0, pytest.approx((30 + 33 + 35) / 3))
    (before,) = punctuality(connection, date(2026, 1, 31))["groups"]
    assert (before["late"], before["late_share"], before["mean_days_late"]) == (0, 0.0, None)
