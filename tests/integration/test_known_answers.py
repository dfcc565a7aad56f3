"""A real company's pipeline and another's invoices are brought in, and every report is asked for over the API.

The figures in the first tests were computed by others with other tools; those in the later ones are worked out here
from the CSV files, for more days and groupings, in plain Python that shares nothing with the product.
"""

from __future__ import annotations

import csv
import json
import secrets
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from statistics import mean, median
from typing import Any, NamedTuple

import psycopg
import pytest
from psycopg import sql
from starlette.testclient import TestClient
from typer.testing import CliRunner

from api.app import create_app
from crm import settings
from crm.cli import app
from crm.migrate import migrate
from crm.processes.work import working
from crm.services import Services, services
from crm.store import Store
from policy import Actor
from sheets.importing import Importer, Report
from sheets.opening import load

PIPELINE = "maven_crm"
INVOICES = "accounts_receivable/WA_Fn-UseC_-Accounts-Receivable.csv"
Ask = Callable[..., Any]


class Books(NamedTuple):
    """What was imported, and the service that answers questions about it."""

    services: Services
    pipeline: Report
    invoices: Report
    environment: dict[str, str]


@pytest.fixture(scope="module")
def books(server: str, reference_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Books]:
    """Both imports done, with a worker that keeps the read models up."""
    schema = f"t_{secrets.token_hex(4)}"
    folder = tmp_path_factory.mktemp("books")
    environment = {"CRM_DATABASE_URL": server, "CRM_SCHEMA": schema, "CRM_DATA_DIR": str(folder)}
    read = settings.read(environment)
    migrate(server, schema)
    store = Store(read, server, None)
    try:
        with services(store, connections=20) as made, working(store):
            pipeline = Importer(load("maven-pipeline"), made.door, made.ledger).run(reference_data / PIPELINE)
            invoices = Importer(load("ibm-receivables"), made.door, made.ledger).run(reference_data / INVOICES)
            yield Books(made, pipeline, invoices, environment)
    finally:
        drop(server, schema)


def drop(server: str, schema: str) -> None:
    """Take the workspace away again, with the schemas of its read models."""
    with closing(psycopg.connect(server, autocommit=True)) as connection:
        connection.execute("SET client_min_messages = warning")
        names = connection.execute("SELECT nspname FROM pg_namespace WHERE starts_with(nspname, %s)", [schema])
        for (name,) in names.fetchall():
            connection.execute(sql.SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(sql.Identifier(name)))


class Anybody:
    """Lets everybody in who has a token."""

    def actor_of(self, token: str) -> Actor | None:
        """Who it is."""
        return Actor(id="member:auditor", member_id=None, name=token, source="api", roles=frozenset({"administrator"}))


@pytest.fixture(scope="module")
def client(books: Books) -> Iterator[TestClient]:
    """The API over what was imported."""
    app = create_app(replace(books.services, tokens=Anybody()))
    with TestClient(app, headers={"Authorization": "Bearer auditor"}) as client:
        yield client


@pytest.fixture(scope="module")
def ask(books: Books, client: TestClient) -> Ask:
    """Asks the API, once it has seen everything that was imported."""

    def asked(path: str, **parameters: Any) -> Any:
        given = {"after": books.invoices.position} if "as_of" not in parameters else {}
        found = client.get(f"/api/v1{path}", params=given | parameters)
        assert found.status_code == 200, found.text
        return found.json()

    return asked


# What was computed by others


def test_everything_is_in(books: Books) -> None:
    counts = {count.record: (count.rows, count.imported, count.refused) for count in books.pipeline.counts}
    assert counts == {
        "pipeline": (1, 1, 0),
        "teams": (6, 6, 0),
        "members": (35, 35, 0),
        "products": (7, 7, 0),
        "no-account": (1, 1, 0),
        "customers": (85, 85, 0),
        "opportunities": (8_800, 8_800, 0),
    }
    assert {count.record: count.imported for count in books.invoices.counts} == {"customers": 100, "invoices": 2_466}
    assert books.pipeline.is_complete
    assert books.invoices.is_complete


def test_the_funnel_now(ask: Ask) -> None:
    (group,) = ask("/funnel")["groups"]
    assert group["key"] == {"currency": "USD"}
    assert {stage["stage"]: stage["count"] for stage in group["stages"]} == {"Prospecting": 500, "Engaging": 1_589}
    assert (group["won"], group["lost"], Decimal(group["won_amount"])) == (4_238, 2_473, Decimal(10_005_534))
    assert group["win_rate"] == pytest.approx(0.631501, abs=5e-7)
    assert group["cycle_days"]["mean"] == pytest.approx(51.781973, abs=5e-7)
    assert group["cycle_days"]["median"] == 57


def test_the_funnel_on_a_day_in_the_past(ask: Ask) -> None:
    (group,) = ask("/funnel", on="2017-06-30")["groups"]
    stages = {stage["stage"]: stage["count"] for stage in group["stages"] if stage["count"]}
    assert stages == {"Engaging": 1_686}
    assert (group["won"], group["lost"], Decimal(group["won_amount"])) == (1_785, 894, Decimal(4_220_783))
    assert group["won"] + group["lost"] + stages["Engaging"] == 4_365


@pytest.mark.parametrize("by", ["region", "team_region"])
def test_the_funnel_by_region(ask: Ask, by: str) -> None:
    """No customer of the file has a region: that of the team counts."""
    groups = {group["key"][by]: group for group in ask("/funnel", by=by)["groups"]}
    assert {region: (g["won"], g["lost"], Decimal(g["won_amount"])) for region, g in groups.items()} == {
        "West": (1_438, 811, Decimal(3_568_647)),
        "Central": (1_629, 975, Decimal(3_346_293)),
        "East": (1_171, 687, Decimal(3_090_594)),
    }


@pytest.mark.parametrize(
    ("on", "invoiced", "collected", "still_open", "overdue", "most"),
    [
        ("2012-12-31", (1_277, "76064.07"), "70339.01", (99, "5725.06"), (13, "788.74"), 23),
        ("2013-06-30", (1_930, "115444.59"), "110324.74", (84, "5119.85"), (12, "835.56"), 14),
    ],
)
def test_the_receivables_on_a_day(
    ask: Ask,
    on: str,
    invoiced: tuple[int, str],
    collected: str,
    still_open: tuple[int, str],
    overdue: tuple[int, str],
    most: int,
) -> None:
    (group,) = ask("/receivables/aging", on=on)["groups"]
    assert group["key"] == {"currency": "USD"}
    assert group["invoiced"] == {"count": invoiced[0], "amount": invoiced[1]}
    assert group["collected"] == {"amount": collected}
    assert group["open"] == {"count": still_open[0], "amount": still_open[1]}
    assert group["overdue"] == {"count": overdue[0], "amount": overdue[1], "max_days_past_due": most}
    listed = ask("/receivables/overdue", on=on, limit=200)["items"]
    assert (len(listed), sum(Decimal(row["open"]) for row in listed)) == (overdue[0], Decimal(overdue[1]))


def test_the_whole_file_of_invoices(ask: Ask) -> None:
    (group,) = ask("/receivables/aging")["groups"]
    assert group["invoiced"] == {"count": 2_466, "amount": "147703.18"}
    assert group["collected"] == {"amount": "147703.18"}
    assert (group["open"]["count"], group["overdue"]["count"]) == (0, 0)
    (paid,) = ask("/receivables/punctuality")["groups"]
    assert (paid["paid"]["count"], paid["late"]) == (2_466, 877)
    assert paid["late_share"] == pytest.approx(0.355637, abs=5e-7)
    assert paid["mean_days_late"] == pytest.approx(9.67959, abs=5e-6)


def test_leading_zeros_of_invoice_numbers_survive(ask: Ask, invoices: list[dict[str, str]]) -> None:
    padded = [row["invoiceNumber"] for row in invoices if row["invoiceNumber"].startswith("0")]
    assert len(padded) == 266
    found: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        page = ask("/receivables", limit=200, sort="invoice_no", **cursor)
        found += [row["invoice_no"] for row in page["items"]]
        if not page["next"]:
            break
        cursor = {"cursor": page["next"]}
    assert sorted(found) == sorted(row["invoiceNumber"] for row in invoices)


# What is worked out here from the files


@pytest.fixture(scope="module")
def deals(reference_data: Path) -> list[dict[str, str]]:
    """The pipeline's rows, with what the other files say about their agent, account and product."""
    folder = reference_data / PIPELINE
    accounts = {row["account"]: row for row in rows_of(folder / "accounts.csv")}
    teams = {row["sales_agent"]: row for row in rows_of(folder / "sales_teams.csv")}
    products = {row["product"].replace(" ", ""): row for row in rows_of(folder / "products.csv")}
    none = {"sector": "", "office_location": ""}
    return [
        row
        | teams[row["sales_agent"]]
        | {name: accounts.get(row["account"], none)[name] for name in none}
        | products[row["product"].replace(" ", "")]
        for row in rows_of(folder / "sales_pipeline.csv")
    ]


@pytest.fixture(scope="module")
def invoices(reference_data: Path) -> list[dict[str, str]]:
    """The rows of the invoices."""
    return rows_of(reference_data / INVOICES)


def rows_of(path: Path) -> list[dict[str, str]]:
    """A CSV file as it is."""
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def funnel_of(deals: Iterable[dict[str, str]], on: str) -> dict[str, Any]:
    """What the funnel of these deals must show at the end of a day."""
    engaging, cycles, lost, value = 0, [], 0, Decimal(0)
    for deal in deals:
        if not deal["engage_date"] or deal["engage_date"] > on:
            continue
        if not deal["close_date"] or deal["close_date"] > on:
            engaging += 1
        elif deal["deal_stage"] == "Won":
            cycles.append((date.fromisoformat(deal["close_date"]) - date.fromisoformat(deal["engage_date"])).days)
            value += Decimal(deal["close_value"])
        else:
            lost += 1
    won = len(cycles)
    return {
        "Engaging": engaging,
        "won": won,
        "lost": lost,
        "value": value,
        "win_rate": won / (won + lost) if won + lost else None,
        "mean": mean(cycles) if cycles else None,
        "median": median(cycles) if cycles else None,
    }


def shown(group: dict[str, Any]) -> dict[str, Any]:
    """The same of an answer."""
    return {
        "Engaging": sum(stage["count"] for stage in group["stages"] if stage["stage"] == "Engaging"),
        "won": group["won"],
        "lost": group["lost"],
        "value": Decimal(group["won_amount"] or 0),
        "win_rate": group["win_rate"],
        "mean": group["cycle_days"]["mean"],
        "median": group["cycle_days"]["median"],
    }


DAYS = ("2016-10-19", "2016-10-20", "2017-01-01", "2017-03-01", "2017-03-31", "2017-09-15", "2017-12-30", "2017-12-31")
GROUPINGS = {
    "owner": "sales_agent",
    "team": "manager",
    "region": "regional_office",
    "product": "product",
    "product_series": "series",
    "industry": "sector",
    "country": "office_location",
    "customer": "account",
}


@pytest.mark.parametrize("on", DAYS)
def test_the_funnel_on_any_day(ask: Ask, deals: list[dict[str, str]], on: str) -> None:
    groups = ask("/funnel", on=on)["groups"]
    expected = funnel_of(deals, on)
    if groups:
        assert shown(groups[0]) == pytest.approx(expected)
    else:
        assert (expected["Engaging"], expected["won"], expected["lost"]) == (0, 0, 0)


@pytest.mark.parametrize("on", ["2017-04-30", "2017-12-31"])
@pytest.mark.parametrize("by", GROUPINGS)
def test_the_funnel_by_anything(ask: Ask, deals: list[dict[str, str]], by: str, on: str) -> None:
    grouped: dict[str, list[dict[str, str]]] = defaultdict(list)
    for deal in deals:
        grouped[deal[GROUPINGS[by]]].append(deal)
    expected = {name: funnel_of(group, on) for name, group in grouped.items()}
    if by == "customer":
        expected["(no account)"] = expected.pop("")
    found = {group["key"][by] or "": shown(group) for group in ask("/funnel", on=on, by=by)["groups"]}
    assert set(found) == {name for name, one in expected.items() if one["Engaging"] + one["won"] + one["lost"]}
    for name, group in found.items():
        assert group == pytest.approx(expected[name]), name


def test_the_funnel_by_two_things_at_once(ask: Ask, deals: list[dict[str, str]]) -> None:
    grouped: dict[tuple[str, str], list[dict[str, str]]] = defaultdict(list)
    for deal in deals:
        grouped[deal["regional_office"], deal["product"]].append(deal)
    groups = ask("/funnel", on="2017-08-08", by="region,product")["groups"]
    found = {(group["key"]["region"], group["key"]["product"]): shown(group) for group in groups}
    assert len(found) == len(grouped) - sum(
        not (one["Engaging"] + one["won"] + one["lost"])
        for one in (funnel_of(group, "2017-08-08") for group in grouped.values())
    )
    for key, group in found.items():
        assert group == pytest.approx(funnel_of(grouped[key], "2017-08-08")), key


def test_values_that_look_wrong_are_kept_as_the_file_has_them(ask: Ask) -> None:
    industries = {group["key"]["industry"] for group in ask("/funnel", by="industry")["groups"]}
    countries = {group["key"]["country"] for group in ask("/funnel", by="country")["groups"]}
    assert "technolgy" in industries
    assert "Philipines" in countries


def test_what_was_done_with_the_dirt_is_told(books: Books) -> None:
    told = {(remark.code, remark.value): remark.count for remark in books.pipeline.remarks if remark.value}
    assert told == {
        ("alias-applied", "GTXPro"): 1_480,
        ("kept-as-written", "technolgy"): 12,
        ("kept-as-written", "Philipines"): 1,
    }
    left_out = {remark.column for remark in books.invoices.remarks if remark.code == "column-left-out"}
    assert left_out == {"PaperlessDate", "PaperlessBill", "DaysToSettle", "DaysLate"}


def test_deals_without_an_account_belong_to_the_placeholder_and_say_so(ask: Ask) -> None:
    groups = {group["key"]["customer"]: group for group in ask("/funnel", by="customer")["groups"]}
    placeholder = groups["(no account)"]
    assert {stage["stage"]: stage["count"] for stage in placeholder["stages"]} == {
        "Prospecting": 337,
        "Engaging": 1_088,
    }
    its_own = {"customer_id[eq]": placeholder["key"]["customer_id"]}
    listed = ask("/opportunities", **its_own, limit=200, include_total="true")
    assert listed["total"] == 1_425
    assert {tuple(row["flags"]) for row in listed["items"]} == {("no-account",)}


def test_agents_without_deals_are_members_too(ask: Ask, deals: list[dict[str, str]]) -> None:
    members = {row["name"] for row in ask("/members", limit=200)["items"]}
    assert len({deal["sales_agent"] for deal in deals}) == 30
    assert {deal["sales_agent"] for deal in deals} <= members
    assert len(members) == 35


class Aging(NamedTuple):
    """What the aging of some invoices must show."""

    invoiced: tuple[int, Decimal]
    collected: Decimal
    open: tuple[int, Decimal]
    overdue: tuple[int, Decimal]
    most: int | None
    buckets: dict[str, tuple[int, Decimal]]


def aging_of(invoices: Iterable[dict[str, str]], on: date) -> Aging:
    """What the aging of these invoices must show at the end of a day."""
    invoiced, settled, buckets, late = [], [], defaultdict(list), []
    for row in invoices:
        issued, due, paid = (day_of(row[name]) for name in ("InvoiceDate", "DueDate", "SettledDate"))
        amount = Decimal(row["InvoiceAmount"])
        if issued > on:
            continue
        invoiced.append(amount)
        if paid <= on:
            settled.append(amount)
            continue
        past = (on - due).days
        bucket = next(name for most, name in BUCKETS if past <= most)
        buckets[bucket].append(amount)
        if past > 0:
            late.append((past, amount))
    still_open = [amount for amounts in buckets.values() for amount in amounts]
    return Aging(
        invoiced=(len(invoiced), sum(invoiced, Decimal(0))),
        collected=sum(settled, Decimal(0)),
        open=(len(still_open), sum(still_open, Decimal(0))),
        overdue=(len(late), sum((amount for _, amount in late), Decimal(0))),
        most=max((past for past, _ in late), default=None),
        buckets={name: (len(found), sum(found, Decimal(0))) for name, found in buckets.items()},
    )


BUCKETS = ((0, "current"), (30, "1-30"), (60, "31-60"), (90, "61-90"), (100_000, "90+"))


def day_of(text: str) -> date:
    """A date as the invoices write it."""
    month, day, year = map(int, text.split("/"))
    return date(year, month, day)


def aged(group: dict[str, Any]) -> Aging:
    """The same of an answer."""
    return Aging(
        invoiced=(group["invoiced"]["count"], Decimal(group["invoiced"]["amount"])),
        collected=Decimal(group["collected"]["amount"]),
        open=(group["open"]["count"], Decimal(group["open"]["amount"])),
        overdue=(group["overdue"]["count"], Decimal(group["overdue"]["amount"])),
        most=group["overdue"]["max_days_past_due"],
        buckets={one["bucket"]: (one["count"], Decimal(one["amount"])) for one in group["buckets"] if one["count"]},
    )


@pytest.mark.parametrize(
    "on",
    ["2012-01-03", "2012-02-29", "2012-06-30", "2012-10-01", "2013-01-01", "2013-03-17", "2013-12-31", "2014-01-10"],
)
def test_the_aging_on_any_day(ask: Ask, invoices: list[dict[str, str]], on: str) -> None:
    (group,) = ask("/receivables/aging", on=on)["groups"]
    assert aged(group) == aging_of(invoices, date.fromisoformat(on))


@pytest.mark.parametrize("on", ["2012-11-11", "2013-04-15"])
@pytest.mark.parametrize(("by", "column"), [("country", "countryCode"), ("customer", "customerID")])
def test_the_aging_by_country_and_customer(
    ask: Ask, invoices: list[dict[str, str]], by: str, column: str, on: str
) -> None:
    day = date.fromisoformat(on)
    grouped: dict[str, list[dict[str, str]]] = defaultdict(list)
    for row in invoices:
        if day_of(row["InvoiceDate"]) <= day:
            grouped[row[column]].append(row)
    found = {group["key"][by]: aged(group) for group in ask("/receivables/aging", on=on, by=by)["groups"]}
    assert found == {name: aging_of(group, day) for name, group in grouped.items()}


def test_disputes_begin_and_end_with_the_dates_the_profile_says(ask: Ask, invoices: list[dict[str, str]]) -> None:
    disputed = next(row for row in invoices if row["Disputed"] == "Yes")
    (listed,) = ask("/receivables", **{"invoice_no[eq]": disputed["invoiceNumber"]})["items"]
    end = day_of(disputed["SettledDate"])
    during = ask(f"/receivables/{listed['id']}", on=(end - timedelta(days=1)).isoformat())
    after = ask(f"/receivables/{listed['id']}", on=end.isoformat())
    assert (during["disputed"], after["disputed"]) == (True, False)


def test_imported_history_is_known_from_its_import_on_and_true_of_its_own_days(books: Books, ask: Ask) -> None:
    """`as_of` a moment before the second import knows the deals and no invoice, whatever the business day."""
    assert books.pipeline.position is not None
    before: datetime = books.services.ledger.recorded_at(books.pipeline.position)
    moment = before.isoformat().replace("+00:00", "Z")
    assert ask("/receivables/aging", as_of=moment, on="2013-06-30")["groups"] == []
    known = ask("/funnel", as_of=moment, on="2017-06-30")
    assert known["groups"] == ask("/funnel", on="2017-06-30")["groups"]


def test_the_command_line_gives_the_same_answer(books: Books, ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in books.environment.items():
        monkeypatch.setenv(name, value)
    questions: tuple[tuple[list[str], str, dict[str, str]], ...] = (
        (["funnel", "--on", "2017-06-30", "--by", "region"], "/funnel", {"on": "2017-06-30", "by": "region"}),
        (["aging", "--on", "2012-12-31"], "/receivables/aging", {"on": "2012-12-31"}),
        (["overdue", "--on", "2012-12-31"], "/receivables/overdue", {"on": "2012-12-31"}),
        (["tracking", "--on", "2013-03-01"], "/tracking", {"on": "2013-03-01"}),
    )
    for words, path, parameters in questions:
        result = CliRunner().invoke(app, ["report", *words, "--json"])
        assert result.exit_code == 0, result.output
        told, asked = json.loads(result.stdout), ask(path, **parameters)
        told.pop("next", None)
        asked.pop("next", None)
        assert told == asked
