"""Aging over a real company's invoices, against the same sums done in plain Python over the file."""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from statistics import fmean
from typing import Any
from uuid import UUID

import psycopg
import pytest

from folded import tables_of
from happenings import Happenings
from projections.engine.lists.query import Query
from projections.receivables import Receivables, aging, by_status, overdue, page, punctuality, statement

Row = dict[str, Any]
BUCKETS = [("current", 0), ("1-30", 30), ("31-60", 60), ("61-90", 90), ("90+", 10_000)]
DAYS = [date.fromisoformat(day) for day in ("2012-01-03", "2012-02-29", "2012-06-30", "2012-09-15", "2012-12-31")]
DAYS += [date.fromisoformat(day) for day in ("2013-03-31", "2013-06-30", "2013-10-01", "2013-12-31", "2026-03-02")]


@pytest.fixture(scope="module")
def invoices(reference_data: Path) -> list[Row]:
    """The rows of the file."""
    path = reference_data / "accounts_receivable" / "WA_Fn-UseC_-Accounts-Receivable.csv"
    with path.open(encoding="utf-8", newline="") as file:
        return [
            {
                "customer": row["customerID"],
                "country": row["countryCode"],
                "invoice_no": row["invoiceNumber"],
                "amount": Decimal(row["InvoiceAmount"]),
                "issued": _day(row["InvoiceDate"]),
                "due": _day(row["DueDate"]),
                "settled": _day(row["SettledDate"]),
                "month": f"{_day(row['InvoiceDate']):%Y-%m}",
            }
            for row in csv.DictReader(file)
        ]


def _day(text: str) -> date:
    return datetime.strptime(text, "%m/%d/%Y").date()  # noqa: DTZ007


@pytest.fixture(scope="module")
def customers() -> dict[str, UUID]:
    """The ids of the customers, once they are loaded."""
    return {}


@pytest.fixture(scope="module")
def connection(server: str, invoices: list[Row], customers: dict[str, UUID]) -> Iterator[psycopg.Connection[Any]]:
    """The receivables' tables after these invoices and their payments were recorded."""
    happenings = Happenings()
    for row in invoices:
        if row["customer"] not in customers:
            customers[row["customer"]] = happenings.customer(row["customer"], country=row["country"])
        owed = happenings.issued(
            customers[row["customer"]],
            str(row["amount"]),
            str(row["issued"]),
            str(row["due"]),
            currency="USD",
            invoice_no=row["invoice_no"],
            terms_days=30,
        )
        happenings.paid(owed, str(row["amount"]), str(row["settled"]), "USD")
    with tables_of(server, Receivables, happenings.events) as connected:
        yield connected


def expected(rows: list[Row], on: date) -> Row:
    """The aging of some invoices, counted row by row."""
    still_open = [row for row in rows if row["settled"] > on]
    past_due = [(on - row["due"]).days for row in still_open]
    late = [days for days in past_due if days > 0]
    buckets, lowest = [], -10_000
    for name, highest in BUCKETS:
        chosen = [row for row, days in zip(still_open, past_due, strict=True) if lowest < days <= highest]
        buckets.append((name, len(chosen), _worth(chosen)))
        lowest = highest
    return {
        "invoiced": (len(rows), _worth(rows)),
        "collected": _worth([row for row in rows if row["settled"] <= on]),
        "open": (len(still_open), _worth(still_open)),
        "overdue": (len(late), _worth([row for row in still_open if row["due"] < on]), max(late, default=None)),
        "buckets": buckets,
    }


def _worth(rows: list[Row]) -> Decimal:
    return sum((row["amount"] for row in rows), Decimal(0))


def shown(group: Row) -> Row:
    """The same facts of a group of the answer; every amount is a decimal string."""
    late = group["overdue"]
    return {
        "invoiced": (group["invoiced"]["count"], _decimal(group["invoiced"]["amount"])),
        "collected": _decimal(group["collected"]["amount"]),
        "open": (group["open"]["count"], _decimal(group["open"]["amount"])),
        "overdue": (late["count"], _decimal(late["amount"]), late["max_days_past_due"]),
        "buckets": [(line["bucket"], line["count"], _decimal(line["amount"])) for line in group["buckets"]],
    }


def _decimal(value: Any) -> Decimal:
    assert isinstance(value, str)
    return Decimal(value)


@pytest.mark.parametrize("on", DAYS, ids=str)
@pytest.mark.parametrize("by", [(), ("country",), ("customer",), ("country", "month")], ids="-".join)
def test_every_day_and_grouping(
    connection: psycopg.Connection[Any], invoices: list[Row], on: date, by: tuple[str, ...]
) -> None:
    groups: dict[tuple[Any, ...], list[Row]] = defaultdict(list)
    for row in invoices:
        if row["issued"] <= on:
            groups[tuple(row[name] for name in by)].append(row)
    answer = aging(connection, on, by)
    assert answer["on"] == on
    assert {tuple(group["key"][name] for name in by): shown(group) for group in answer["groups"]} == {
        key: expected(rows, on) for key, rows in groups.items()
    }
    assert {group["key"]["currency"] for group in answer["groups"]} == {"USD"}


def test_the_known_answers(connection: psycopg.Connection[Any]) -> None:
    (first,) = aging(connection, date(2012, 12, 31))["groups"]
    assert (first["invoiced"], first["collected"]) == ({"count": 1277, "amount": "76064.07"}, {"amount": "70339.01"})
    assert first["open"] == {"count": 99, "amount": "5725.06"}
    assert first["overdue"] == {"count": 13, "amount": "788.74", "max_days_past_due": 23}
    (second,) = aging(connection, date(2013, 6, 30))["groups"]
    assert (second["invoiced"], second["collected"]) == (
        {"count": 1930, "amount": "115444.59"},
        {"amount": "110324.74"},
    )
    assert second["open"] == {"count": 84, "amount": "5119.85"}
    assert second["overdue"] == {"count": 12, "amount": "835.56", "max_days_past_due": 14}
    (whole,) = punctuality(connection, date(2026, 3, 2))["groups"]
    assert (whole["paid"], whole["late"]) == ({"count": 2466, "amount": "147703.18"}, 877)
    assert whole["late_share"] == pytest.approx(0.355637, abs=5e-7)
    assert whole["mean_days_late"] == pytest.approx(9.67959, abs=5e-6)


def test_how_punctually_each_country_pays(connection: psycopg.Connection[Any], invoices: list[Row]) -> None:
    on = date(2013, 2, 1)
    for group in punctuality(connection, on, ["country"])["groups"]:
        paid = [row for row in invoices if row["country"] == group["key"]["country"] and row["settled"] <= on]
        late = [(row["settled"] - row["due"]).days for row in paid if row["settled"] > row["due"]]
        assert (group["paid"]["count"], group["late"]) == (len(paid), len(late))
        assert group["mean_days_late"] == pytest.approx(fmean(late))
        assert group["mean_days_to_pay"] == pytest.approx(fmean((row["settled"] - row["issued"]).days for row in paid))


@pytest.mark.parametrize("on", [date(2012, 12, 31), date(2013, 6, 30)], ids=str)
def test_the_overdue_list_begins_with_the_most_overdue(
    connection: psycopg.Connection[Any], invoices: list[Row], on: date
) -> None:
    late = [row for row in invoices if row["issued"] <= on < row["settled"] and row["due"] < on]
    listed = overdue(connection, Query.parse([("include_total", "true"), ("limit", "200")]), on)
    assert listed.total == len(listed.items) == len(late)
    days = [item["days_past_due"] for item in listed.items]
    assert days == sorted(((on - row["due"]).days for row in late), reverse=True)
    assert {item["invoice_no"]: item["open"] for item in listed.items} == {
        row["invoice_no"]: row["amount"] for row in late
    }


def test_the_list_and_the_statuses_of_a_day_agree_ord_4_rpt_10(
    connection: psycopg.Connection[Any], invoices: list[Row]
) -> None:
    on = date(2012, 12, 31)
    found = {group["key"]["status"]: group for group in by_status(connection, on)["groups"]}
    assert {status: group["receivables"] for status, group in found.items()} == {
        "paid": 1178,
        "awaiting": 86,
        "overdue": 13,
    }
    for status, group in found.items():
        asked = [("status[eq]", status), ("include_total", "true"), ("limit", "200")]
        listed = page(connection, Query.parse(asked), on)
        assert listed.total == group["receivables"]
    late = {row["customer"] for row in invoices if row["issued"] <= on < row["settled"] and row["due"] < on}
    assert found["overdue"]["customers"] == len(late)


def test_leading_zeros_of_invoice_numbers_are_found(connection: psycopg.Connection[Any]) -> None:
    (item,) = page(connection, Query.parse([("invoice_no[eq]", "0000611365")]), date(2013, 1, 20)).items
    assert (item["amount"], item["status"], item["settled_on"]) == (Decimal("55.94"), "paid", date(2013, 1, 15))


def test_a_statement_adds_up_for_a_customer(
    connection: psycopg.Connection[Any], invoices: list[Row], customers: dict[str, UUID]
) -> None:
    start, end = date(2012, 6, 1), date(2012, 12, 31)
    own = [row for row in invoices if row["customer"] == "0379-NEVHP"]
    shown = statement(connection, customers["0379-NEVHP"], start, end)
    assert shown is not None
    (account,) = shown["accounts"]
    opening = _worth([row for row in own if row["issued"] < start <= row["settled"]])
    closing = _worth([row for row in own if row["issued"] <= end < row["settled"]])
    assert (Decimal(account["opening"]), Decimal(account["closing"])) == (opening, closing)
    changes = [Decimal(entry["change"]) for entry in account["entries"]]
    assert len(changes) == sum(start <= row["issued"] <= end for row in own) + sum(
        start <= row["settled"] <= end for row in own
    )
    assert opening + sum(changes) == closing == Decimal(account["entries"][-1]["balance"])
