"""The funnel over a real company's pipeline, against the same sums done in plain Python over the files."""

from __future__ import annotations

import csv
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from statistics import mean, median
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

from aggregates.opportunity import Opportunity
from aggregates.pipeline import Pipeline as Stages
from aggregates.pipeline import Stage
from aggregates.product import Product
from folded import tables_of
from happenings import Happenings
from projections.engine.lists.query import Query
from projections.pipeline import Pipeline, conversion, funnel, one, page

Row = dict[str, Any]
TODAY = date(2026, 3, 2)
"""The day on which all rows are recorded."""
DAYS = [date.fromisoformat(day) for day in ("2016-10-19", "2017-03-01", "2017-06-30", "2017-09-15", "2017-12-31")]
DAYS += [TODAY]


@pytest.fixture(scope="module")
def deals(reference_data: Path) -> list[Row]:
    """The rows of the pipeline with those of their account, agent and product."""
    folder = reference_data / "maven_crm"
    accounts = {row["account"]: row for row in _read(folder / "accounts.csv")}
    agents = {row["sales_agent"]: row for row in _read(folder / "sales_teams.csv")}
    products = {row["product"]: row for row in _read(folder / "products.csv")}
    rows = []
    for row in _read(folder / "sales_pipeline.csv"):
        agent, product = agents[row["sales_agent"]], row["product"].replace("GTXPro", "GTX Pro")
        rows.append(
            {
                "number": row["opportunity_id"],
                "owner": row["sales_agent"],
                "team": agent["manager"],
                "region": agent["regional_office"],
                "product": product,
                "product_series": products[product]["series"],
                "customer": row["account"] or None,
                "industry": accounts[row["account"]]["sector"] if row["account"] else None,
                "country": accounts[row["account"]]["office_location"] if row["account"] else None,
                "stage": row["deal_stage"],
                "opened": _day(row["engage_date"]) or TODAY,
                "closed": _day(row["close_date"]),
                "value": Decimal(row["close_value"]) if row["deal_stage"] == "Won" else None,
            }
        )
    return rows


@pytest.fixture(scope="module")
def connection(server: str, deals: list[Row]) -> Iterator[psycopg.Connection[Any]]:
    """The pipeline's tables after these rows were recorded."""
    with tables_of(server, Pipeline, _events(deals)) as connected:
        yield connected


def _events(deals: list[Row]) -> list[Any]:
    happenings = Happenings().on(TODAY)
    stages = (Stage("prospecting", "潜在", "Prospecting"), Stage("engaging", "接洽", "Engaging"))
    pipeline = happenings.happens(Stages.Defined, uuid4(), name="deals", stages=stages)
    teams = {row["team"]: row["region"] for row in deals}
    team_ids = {name: happenings.team(name, region) for name, region in teams.items()}
    owners = {row["owner"]: happenings.member(row["owner"], team_ids[row["team"]]) for row in _one_of(deals, "owner")}
    products = {
        row["product"]: happenings.happens(Product.Added, uuid4(), name=row["product"], series=row["product_series"])
        for row in _one_of(deals, "product")
    }
    customers: dict[str | None, UUID] = {None: happenings.customer("Unknown", placeholder=True)}
    for row in _one_of([row for row in deals if row["customer"]], "customer"):
        customers[row["customer"]] = happenings.customer(
            row["customer"], industry=row["industry"], country=row["country"]
        )
    for row in deals:
        is_prospect = row["stage"] == "Prospecting"
        deal = happenings.happens(
            Opportunity.Opened,
            uuid4(),
            customer_id=customers[row["customer"]],
            pipeline_id=pipeline,
            stage="prospecting" if is_prospect else "engaging",
            number=row["number"],
            currency="USD",
            owner_id=owners[row["owner"]],
            product_id=products[row["product"]],
            occurred_on=None if is_prospect else row["opened"],
        )
        if row["stage"] == "Won":
            happenings.won(deal, str(row["value"]), str(row["closed"]), "USD")
        elif row["stage"] == "Lost":
            happenings.lost(deal, str(row["closed"]), None)
    return happenings.events


def _one_of(rows: list[Row], column: str) -> list[Row]:
    return list({row[column]: row for row in rows}.values())


def _read(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _day(text: str) -> date | None:
    return date.fromisoformat(text) if text else None


def expected(deals: list[Row], on: date, key_of: Callable[[Row], tuple[Any, ...]]) -> dict[tuple[Any, ...], Row]:
    """The funnel of each group, counted row by row."""
    groups: dict[tuple[Any, ...], list[Row]] = defaultdict(list)
    for row in deals:
        if row["opened"] <= on:
            groups[key_of(row)].append(row)
    return {key: _summed(rows, on) for key, rows in groups.items()}


def _summed(rows: list[Row], on: date) -> Row:
    closed = [row for row in rows if row["closed"] is not None and row["closed"] <= on]
    won = [row for row in closed if row["stage"] == "Won"]
    cycles = [(row["closed"] - row["opened"]).days for row in won]
    standing = Counter(row["stage"] == "Prospecting" for row in rows if row["closed"] is None or row["closed"] > on)
    return {
        "prospecting": standing[True],
        "engaging": standing[False],
        "won": len(won),
        "lost": len(closed) - len(won),
        "win_rate": len(won) / len(closed) if closed else None,
        "won_amount": sum(row["value"] for row in won),
        "mean": pytest.approx(mean(cycles)) if cycles else None,
        "median": median(cycles) if cycles else None,
    }


def shown(group: Row) -> Row:
    """The same facts of a group of the answer."""
    stages = {stage["stage"]: stage for stage in group["stages"]}
    assert [stage["stage"] for stage in group["stages"]] == ["prospecting", "engaging"]
    total = sum(stage["count"] for stage in group["stages"])
    assert all(stage["share"] == (stage["count"] / total if total else None) for stage in group["stages"])
    assert all(
        stage["amount"] == (None if stage["count"] else "0.00") for stage in group["stages"]
    )  # no open deal of theirs has a value
    return {
        "prospecting": stages["prospecting"]["count"],
        "engaging": stages["engaging"]["count"],
        "won": group["won"],
        "lost": group["lost"],
        "win_rate": group["win_rate"],
        "won_amount": Decimal(group["won_amount"]),
        "mean": group["cycle_days"]["mean"],
        "median": group["cycle_days"]["median"],
    }


@pytest.mark.parametrize("on", DAYS, ids=str)
@pytest.mark.parametrize(
    "by",
    [
        (),
        ("region",),
        ("team",),
        ("owner",),
        ("product",),
        ("industry",),
        ("country", "product"),
        ("industry", "team", "product_series"),
    ],
    ids="-".join,
)
def test_every_day_and_grouping_opp_4_rpt_5_rpt_6(
    connection: psycopg.Connection[Any], deals: list[Row], on: date, by: tuple[str, ...]
) -> None:
    answer = funnel(connection, on, by)
    found = {tuple(group["key"][name] for name in by): shown(group) for group in answer["groups"]}
    assert found == expected(deals, on, lambda row: tuple(row[name] for name in by))
    assert len(found) == len(answer["groups"])
    assert {group["key"]["currency"] for group in answer["groups"]} <= {"USD"}


def test_the_known_answers(connection: psycopg.Connection[Any]) -> None:
    (now,) = funnel(connection, TODAY)["groups"]
    assert [stage["count"] for stage in now["stages"]] == [500, 1589]
    assert (now["won"], now["lost"], now["won_amount"]) == (4238, 2473, "10005534")
    assert now["win_rate"] == pytest.approx(0.631501, abs=5e-7)
    assert now["cycle_days"] == {"mean": pytest.approx(51.781973, abs=5e-7), "median": 57}
    (then,) = funnel(connection, date(2017, 6, 30))["groups"]
    assert [stage["count"] for stage in then["stages"]] == [0, 1686]
    assert (then["won"], then["lost"], then["won_amount"]) == (1785, 894, "4220783")
    regions = funnel(connection, TODAY, ["region"])["groups"]
    assert [(group["key"]["region"], group["won"], group["lost"], group["won_amount"]) for group in regions] == [
        ("Central", 1629, 975, "3346293"),
        ("East", 1171, 687, "3090594"),
        ("West", 1438, 811, "3568647"),
    ]


def test_the_list_of_a_day_holds_what_the_funnel_counts(connection: psycopg.Connection[Any], deals: list[Row]) -> None:
    on, asked = date(2017, 6, 30), [("outcome[eq]", "won"), ("region[eq]", "West"), ("include_total", "true")]
    listed = page(connection, Query.parse([*asked, ("sort", "-amount"), ("limit", "3")]), on)
    won = [row for row in deals if row["stage"] == "Won" and row["region"] == "West" and row["closed"] <= on]
    best = sorted(won, key=lambda row: row["value"], reverse=True)
    assert listed.total == len(won)
    assert [item["amount"] for item in listed.items] == [row["value"] for row in best[:3]]


def test_one_deal_shows_its_way_through_the_stages(connection: psycopg.Connection[Any]) -> None:
    on = date(2017, 1, 1)
    (item,) = page(connection, Query.parse([("number[eq]", "1C1I7A6R")]), on).items
    deal = one(connection, item["id"], on)
    assert deal is not None
    assert (deal["owner"], deal["customer"], deal["product"]) == ("Moses Frase", "Cancity", "GTX Plus Basic")
    assert (deal["outcome"], deal["amount"], deal["days_in_stage"]) == ("open", None, 73)
    assert [(entry["stage"], entry["left_on"], entry["days"]) for entry in deal["stages"]] == [("engaging", None, 73)]
    closed = one(connection, item["id"], TODAY)
    assert closed is not None
    assert (closed["outcome"], closed["closed_on"], closed["amount"]) == ("won", date(2017, 3, 1), 1054)
    assert [entry["days"] for entry in closed["stages"]] == [132, (TODAY - date(2017, 3, 1)).days]


def test_conversion_of_a_stage_is_the_share_that_went_on_opp_5(connection: psycopg.Connection[Any]) -> None:
    (group,) = conversion(connection, TODAY)["groups"]
    engaging = group["stages"][1]
    assert (engaging["entered"], engaging["went_on"], engaging["lost"]) == (8300, 4238, 2473)
    assert engaging["rate"] == pytest.approx(4238 / 8300)
    assert group["stages"][0] == {
        "stage": "prospecting",
        "entered": 500,
        "went_on": 0,
        "lost": 0,
        "rate": 0,
        "days": {"mean": None, "median": None},
    }
