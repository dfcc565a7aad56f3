"""What can be asked of the pipeline on any day: the funnel, its groups, lists and conversion (OPP-1 to 5, RPT-5, 8)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

from aggregates.customer import Customer
from aggregates.member import Member
from aggregates.opportunity import Opportunity
from aggregates.pipeline import DEFAULT_PIPELINE_ID, Stage
from aggregates.pipeline import Pipeline as Stages
from aggregates.team import Team
from folded import tables_of
from happenings import Happenings
from projections.dimensions import UnknownGrouping
from projections.engine.lists.query import Query
from projections.pipeline import Pipeline, conversion, funnel, one, page, sources

Tables = Callable[[], psycopg.Connection[Any]]
EMPTY_CYCLE = {"mean": None, "median": None}


@pytest.fixture
def given() -> Happenings:
    """Nothing has happened yet but the definition of the usual stages."""
    happenings = Happenings()
    happenings.pipeline()
    return happenings


@pytest.fixture
def tables(server: str, given: Happenings) -> Iterator[Tables]:
    """The pipeline's tables after everything that was given until then."""
    with ExitStack() as stack:
        yield lambda: stack.enter_context(tables_of(server, Pipeline, given.events))


def standing(group: dict[str, Any]) -> dict[str, tuple[int, float | None, str | None]]:
    """The stages in which anything stands: count, share and amount."""
    return {line["stage"]: (line["count"], line["share"], line["amount"]) for line in group["stages"] if line["count"]}


def days(*texts: str) -> list[date]:
    """Some days."""
    return [date.fromisoformat(text) for text in texts]


def test_without_opportunities_there_are_no_groups(tables: Tables) -> None:
    assert funnel(tables(), date(2026, 3, 1)) == {"on": date(2026, 3, 1), "groups": []}


def test_the_funnel_counts_shares_and_sums_what_stands_in_each_stage_opp_4_rpt_5(
    given: Happenings, tables: Tables
) -> None:
    acme = given.customer()
    given.opportunity(acme, "2026-01-01", "100.50")
    given.opportunity(acme, "2026-01-01", "99.50")
    given.opportunity(acme, "2026-01-01", None, stage="proposal")
    given.opportunity(acme, "2026-01-01", "7", stage="proposal")
    given.lost(given.opportunity(acme, "2026-01-01", "1"), "2026-01-05")
    (group,) = funnel(tables(), date(2026, 3, 1))["groups"]
    assert group == {
        "key": {"currency": "CNY"},
        "stages": [
            {"stage": "lead", "count": 2, "share": 0.5, "amount": "200.00"},
            {"stage": "need", "count": 0, "share": 0.0, "amount": "0.00"},
            {"stage": "proposal", "count": 2, "share": 0.5, "amount": "7"},
            {"stage": "negotiation", "count": 0, "share": 0.0, "amount": "0.00"},
        ],
        "won": 0,
        "lost": 1,
        "win_rate": 0.0,
        "won_amount": "0.00",
        "cycle_days": EMPTY_CYCLE,
    }


def test_a_sum_is_unknown_only_where_no_amount_of_something_is_known(given: Happenings, tables: Tables) -> None:
    acme = given.customer()
    given.opportunity(acme, "2026-01-01", None)
    given.opportunity(acme, "2026-01-01", None, stage="need")
    given.opportunity(acme, "2026-01-01", "7", stage="need")
    (group,) = funnel(tables(), date(2026, 3, 1))["groups"]
    assert {stage["stage"]: stage["amount"] for stage in group["stages"]} == {
        "lead": None,
        "need": "7",
        "proposal": "0.00",
        "negotiation": "0.00",
    }
    assert group["won_amount"] == "0.00"


def test_ratios_of_nothing_are_undefined(given: Happenings, tables: Tables) -> None:
    acme = given.customer()
    given.won(given.opportunity(acme, "2026-01-01"), "5", "2026-01-04")
    given.opportunity(acme, "2026-01-01", currency="USD")
    yuan, dollars = funnel(tables(), date(2026, 3, 1))["groups"]
    assert (yuan["win_rate"], {stage["share"] for stage in yuan["stages"]}) == (1.0, {None})
    assert (dollars["win_rate"], dollars["won_amount"], dollars["cycle_days"]) == (None, "0.00", EMPTY_CYCLE)


def test_an_opportunity_counts_where_it_stood_on_the_day(given: Happenings, tables: Tables) -> None:
    deal = given.opportunity(given.customer(), "2026-01-10", "100")
    given.advanced(deal, "need", "2026-01-20")
    given.won(deal, "80", "2026-02-01")
    given.happens(Opportunity.Reopened, deal, stage="proposal", occurred_on=date(2026, 2, 10))
    given.lost(deal, "2026-02-20")
    connection = tables()
    assert funnel(connection, date(2026, 1, 9))["groups"] == []
    found = []
    for day in days("2026-01-10", "2026-01-20", "2026-02-01", "2026-02-09", "2026-02-10", "2026-02-20"):
        (group,) = funnel(connection, day)["groups"]
        found.append((standing(group), group["won"], group["lost"], group["won_amount"]))
    assert found == [
        ({"lead": (1, 1.0, "100")}, 0, 0, "0.00"),
        ({"need": (1, 1.0, "100")}, 0, 0, "0.00"),
        ({}, 1, 0, "80"),
        ({}, 1, 0, "80"),
        ({"proposal": (1, 1.0, "80")}, 0, 0, "0.00"),
        ({}, 0, 1, "0.00"),
    ]


def test_cycle_days_run_from_opening_to_winning(given: Happenings, tables: Tables) -> None:
    acme = given.customer()
    for won_on in ("2026-01-02", "2026-01-05", "2026-01-12", "2026-02-01"):
        given.won(given.opportunity(acme, "2026-01-01"), "1", won_on)
    given.lost(given.opportunity(acme, "2025-01-01"), "2026-01-01")
    connection = tables()
    (group,) = funnel(connection, date(2026, 3, 1))["groups"]
    assert group["cycle_days"] == {"mean": 11.75, "median": 7.5}
    (before,) = funnel(connection, date(2026, 1, 20))["groups"]
    assert before["cycle_days"] == {"mean": pytest.approx(16 / 3), "median": 4}


def test_currencies_are_never_added_up(given: Happenings, tables: Tables) -> None:
    acme = given.customer()
    given.opportunity(acme, "2026-01-01", "100")
    deal = given.opportunity(acme, "2026-01-01", "50", currency="EUR")
    given.won(deal, "60", "2026-02-01", "EUR")
    groups = funnel(tables(), date(2026, 3, 1), ["customer"])["groups"]
    assert [(group["key"]["currency"], standing(group), group["won_amount"]) for group in groups] == [
        ("CNY", {"lead": (1, 1.0, "100")}, "0.00"),
        ("EUR", {}, "60"),
    ]
    assert groups[0]["key"] == {"customer": "Acme", "customer_id": str(acme), "currency": "CNY"}


def test_the_team_is_that_of_the_owner_on_the_day(given: Happenings, tables: Tables) -> None:
    north, south = given.team("North", "N"), given.team("South", "S")
    ann = given.member("Ann", north)
    given.opportunity(given.customer(), "2026-01-01", owner_id=ann)
    given.opportunity(given.customer(), "2026-01-01")
    given.happens(Member.TeamAssigned, ann, team_id=south, occurred_on=date(2026, 2, 1))
    given.happens(Team.RegionAssigned, south, region="SW", occurred_on=date(2026, 2, 15))
    connection = tables()
    found = []
    for day in days("2026-01-31", "2026-02-01", "2026-02-15"):
        groups = funnel(connection, day, ["team", "region"])["groups"]
        found.append([(group["key"]["team"], group["key"]["region"]) for group in groups])
    assert found == [
        [("North", "N"), (None, None)],
        [("South", "S"), (None, None)],
        [("South", "SW"), (None, None)],
    ]
    (group,) = funnel(connection, date(2026, 3, 1), ["owner"])["groups"][:1]
    assert group["key"] == {"owner": "Ann", "owner_id": str(ann), "currency": "CNY"}


def test_the_region_is_the_customers_of_the_day_else_that_of_the_owners_team(given: Happenings, tables: Tables) -> None:
    ann = given.member("Ann", given.team("North", "N"))
    acme = given.on("2026-01-05").customer()
    deal = given.opportunity(acme, "2026-01-05", owner_id=ann)
    given.opportunity(given.customer(region="East"), "2026-01-05")
    given.on("2026-02-10").happens(Customer.ProfileRevised, acme, changed=("region",), region="West")
    given.on("2026-03-10").happens(Customer.ProfileRevised, acme, changed=("region",), region=None)
    connection = tables()
    for day, region, customers in (
        ("2026-02-09", "N", None),
        ("2026-02-10", "West", "West"),
        ("2026-03-09", "West", "West"),
        ("2026-03-10", "N", None),
    ):
        (on,) = days(day)
        for report in (funnel, conversion):
            assert {each["key"]["region"] for each in report(connection, on, ["region"])["groups"]} == {region, "East"}
            paired = report(connection, on, ["customer_region", "team_region"])["groups"]
            assert {(each["key"]["customer_region"], each["key"]["team_region"]) for each in paired} == {
                (customers, "N"),
                ("East", None),
            }
        found = one(connection, deal, on)
        assert found is not None
        assert (found["region"], found["customer_region"], found["team_region"]) == (region, customers, "N")
        listed = page(connection, Query.parse([("region[eq]", region), ("team_region[eq]", "N")]), on).items
        assert [each["id"] for each in listed] == [deal]


def test_owner_amount_and_industry_are_those_of_the_day(given: Happenings, tables: Tables) -> None:
    ann, bob = given.member("Ann"), given.member("Bob")
    acme = given.customer(industry="retail", lead_source="expo")
    deal = given.opportunity(acme, "2026-01-01", "100", owner_id=ann)
    given.on("2026-03-10").happens(Opportunity.OwnerAssigned, deal, owner_id=bob)
    given.on("2026-03-20").happens(Opportunity.AmountRevised, deal, amount=Decimal(70), currency="CNY")
    given.on("2026-03-30").happens(Customer.ProfileRevised, acme, changed=("industry",), industry="software")
    connection = tables()
    found = []
    for day in days("2026-03-09", "2026-03-10", "2026-03-20", "2026-03-30"):
        (group,) = funnel(connection, day, ["owner", "industry", "source"])["groups"]
        key = group["key"]
        found.append((key["owner"], key["industry"], key["source"], standing(group)["lead"][2]))
    assert found == [
        ("Ann", "retail", "expo", "100"),
        ("Bob", "retail", "expo", "100"),
        ("Bob", "retail", "expo", "70"),
        ("Bob", "software", "expo", "70"),
    ]


def test_an_opportunity_may_have_a_source_of_its_own(given: Happenings, tables: Tables) -> None:
    acme = given.customer(lead_source="expo")
    given.opportunity(acme, "2026-01-01")
    given.opportunity(acme, "2026-01-01", lead_source="web")
    groups = funnel(tables(), date(2026, 3, 1), ["source"])["groups"]
    assert [group["key"]["source"] for group in groups] == ["expo", "web"]


def test_groups_by_the_month_and_quarter_of_opening(given: Happenings, tables: Tables) -> None:
    acme = given.customer()
    given.opportunity(acme, "2025-12-31")
    given.opportunity(acme, "2026-01-01")
    groups = funnel(tables(), date(2026, 3, 1), ["quarter", "month"])["groups"]
    assert [(group["key"]["quarter"], group["key"]["month"]) for group in groups] == [
        ("2025-Q4", "2025-12"),
        ("2026-Q1", "2026-01"),
    ]


def test_each_pipeline_shows_its_own_stages_and_those_it_no_longer_has(given: Happenings, tables: Tables) -> None:
    acme = given.customer()
    other = given.happens(Stages.Defined, uuid4(), name="other", stages=(Stage("pilot", "试点", "Pilot"),))
    given.opportunity(acme, "2026-01-01", pipeline_id=other, stage="pilot")
    given.opportunity(acme, "2026-01-01", stage="need")
    kept = (Stage("proposal", "方案", "Proposal"), Stage("lead", "线索", "Lead"))
    given.happens(Stages.StagesRevised, DEFAULT_PIPELINE_ID, stages=kept)
    connection = tables()
    groups = funnel(connection, date(2026, 3, 1), ["pipeline"])["groups"]
    assert {group["key"]["pipeline"]: [line["stage"] for line in group["stages"]] for group in groups} == {
        "default": ["proposal", "lead", "need"],
        "other": ["pilot"],
    }
    (both,) = funnel(connection, date(2026, 3, 1))["groups"]
    assert [line["stage"] for line in both["stages"]] == ["proposal", "lead", "pilot", "need"]


@pytest.mark.parametrize("by", [["colour"], ["owner", "owner"], ["owner; DROP TABLE stages"]])
def test_an_unknown_or_repeated_grouping_is_refused(tables: Tables, by: list[str]) -> None:
    with pytest.raises(UnknownGrouping) as refused:
        funnel(tables(), date(2026, 3, 1), by)
    assert refused.value.values["value"] == by[0]
    assert "region" in refused.value.values["accepted"]


def test_the_list_shows_what_existed_on_the_day_with_its_facts_of_then_opp_1(given: Happenings, tables: Tables) -> None:
    north = given.team("North", "N")
    acme = given.customer("Acme", industry="retail")
    deal = given.opportunity(acme, "2026-01-10", "100", name="Cloud", owner_id=given.member("Ann", north))
    given.won(deal, "80", "2026-02-01")
    given.opportunity(given.customer("Globex"), "2026-02-01", "5", name="Shop")
    connection = tables()
    assert page(connection, Query(), date(2026, 1, 9)).items == []
    (then,) = page(connection, Query(), date(2026, 1, 31)).items
    assert (then["outcome"], then["amount"], then["closed_on"], then["days_in_stage"]) == ("open", 100, None, 21)
    assert (then["customer"], then["owner"], then["team"], then["region"]) == ("Acme", "Ann", "North", "N")
    now = page(connection, Query.parse([("sort", "-amount")]), date(2026, 3, 1)).items
    assert [(item["name"], item["outcome"], item["amount"]) for item in now] == [
        ("Cloud", "won", 80),
        ("Shop", "open", 5),
    ]


@pytest.mark.parametrize(
    ("field", "value", "names"),
    [
        ("stage[eq]", "need", ["B"]),
        ("amount[gte]", "100", ["B", "C"]),
        ("amount[isnull]", "true", ["A"]),
        ("flags[contains]", "hot", ["C"]),
        ("expected_close_on[lt]", "2026-06-01", ["C"]),
        ("outcome[in]", "won,lost", []),
        ("q", "glob", ["C"]),
    ],
)
def test_the_list_is_filtered_and_searched_dat_4(
    given: Happenings, tables: Tables, field: str, value: str, names: list[str]
) -> None:
    acme, globex = given.customer("Acme"), given.customer("Globex")
    given.opportunity(acme, "2026-01-01", name="A")
    given.opportunity(acme, "2026-01-01", "100", name="B", stage="need")
    soon = date(2026, 5, 1)
    given.opportunity(globex, "2026-01-01", "200", name="C", flags=("hot",), expected_close_on=soon)
    found = page(tables(), Query.parse([(field, value), ("sort", "name")]), date(2026, 3, 1)).items
    assert [item["name"] for item in found] == names


def test_the_largest_deals_of_a_period_come_first_with_their_customers_ord_8(given: Happenings, tables: Tables) -> None:
    """And all of a customer's deals up to a day together: the funnel by customer."""
    acme, globex = given.customer("Acme"), given.customer("Globex")
    for customer, amount, on in (
        (acme, "300", "2026-02-10"),
        (globex, "200", "2026-02-11"),
        (globex, "250", "2026-02-28"),
    ):
        given.won(given.opportunity(customer, "2026-01-01", amount), amount, on)
    given.won(given.opportunity(acme, "2026-01-01", "9000"), "9000", "2026-03-01")
    asked = [("outcome[eq]", "won"), ("closed_on[gte]", "2026-02-01"), ("closed_on[lte]", "2026-02-28")]
    found = page(tables(), Query.parse([*asked, ("sort", "-amount")]), date(2026, 3, 31)).items
    assert [(item["customer"], item["amount"]) for item in found] == [
        ("Acme", Decimal(300)),
        ("Globex", Decimal(250)),
        ("Globex", Decimal(200)),
    ]
    groups = funnel(tables(), date(2026, 2, 28), by=("customer",))["groups"]
    together = {group["key"]["customer"]: Decimal(group["won_amount"]) for group in groups}
    assert together == {"Acme": Decimal(300), "Globex": Decimal(450)}


def test_pages_follow_each_other_without_loss(given: Happenings, tables: Tables) -> None:
    acme = given.customer()
    expected = {str(given.opportunity(acme, "2026-01-01", str(n % 3) if n % 4 else None)) for n in range(11)}
    connection, query, found = tables(), Query.parse([("sort", "-amount"), ("limit", "3")]), []
    while True:
        shown = page(connection, query, date(2026, 3, 1))
        found += [str(item["id"]) for item in shown.items]
        if shown.next is None:
            break
        query = Query(sort="-amount", limit=3, cursor=shown.next, cursors=query.cursors)
    assert len(found) == 11
    assert set(found) == expected


def test_one_opportunity_shows_every_entry_and_fact_up_to_the_day_opp_3(given: Happenings, tables: Tables) -> None:
    deal = given.opportunity(given.customer(), "2026-01-01", "100")
    given.advanced(deal, "need", "2026-01-11")
    given.on("2026-03-05").happens(Opportunity.AmountRevised, deal, amount=Decimal(70), currency="CNY")
    given.won(deal, "60", "2026-03-10")
    connection = tables()
    shown = one(connection, deal, date(2026, 3, 6))
    assert shown is not None
    assert [(entry["stage"], entry["left_on"], entry["days"]) for entry in shown["stages"]] == [
        ("lead", date(2026, 1, 11), 10),
        ("need", None, 54),
    ]
    assert [(fact["from_on"], fact["amount"]) for fact in shown["facts"]] == [(None, 100), (date(2026, 3, 5), 70)]
    later = one(connection, deal, date(2026, 3, 12))
    assert later is not None
    assert [(entry["outcome"], entry["days"]) for entry in later["stages"]] == [("open", 10), ("open", 58), ("won", 2)]
    assert one(connection, deal, date(2025, 12, 31)) is None
    assert one(connection, UUID(int=1), date(2026, 3, 12)) is None


def test_conversion_counts_who_entered_a_stage_and_who_went_on_opp_5(given: Happenings, tables: Tables) -> None:
    acme = given.customer()
    on = given.opportunity(acme, "2026-01-01")
    given.advanced(on, "need", "2026-01-11")
    given.won(on, "1", "2026-01-21")
    stuck = given.opportunity(acme, "2026-01-01")
    given.advanced(stuck, "proposal", "2026-01-03")
    given.happens(Opportunity.StageMovedBack, stuck, stage="need", occurred_on=date(2026, 1, 5))
    given.lost(given.opportunity(acme, "2026-01-01"), "2026-01-31")
    given.opportunity(acme, "2026-02-20")
    connection = tables()
    (group,) = conversion(connection, date(2026, 2, 1))["groups"]
    found = {line["stage"]: (line["entered"], line["went_on"], line["lost"]) for line in group["stages"]}
    assert found == {"lead": (3, 2, 1), "need": (2, 1, 0), "proposal": (1, 0, 0), "negotiation": (0, 0, 0)}
    assert [line["rate"] for line in group["stages"]] == [pytest.approx(2 / 3), 0.5, 0.0, None]
    assert group["stages"][0]["days"] == {"mean": 14, "median": 10}
    (later,) = conversion(connection, date(2026, 3, 1), ["customer"])["groups"]
    assert later["stages"][0]["entered"] == 4


def test_a_loss_undone_is_no_loss_opp_5(given: Happenings, tables: Tables) -> None:
    deal = given.opportunity(given.customer(), "2026-01-01")
    given.lost(deal, "2026-01-10")
    given.happens(Opportunity.Reopened, deal, stage="need", occurred_on=date(2026, 1, 20))
    connection = tables()
    (then,) = conversion(connection, date(2026, 1, 15))["groups"]
    (now,) = conversion(connection, date(2026, 1, 25))["groups"]
    assert [(group["stages"][0]["lost"], group["stages"][0]["went_on"]) for group in (then, now)] == [(1, 0), (0, 1)]


def test_sources_show_their_share_and_conversion_rpt_8(given: Happenings, tables: Tables) -> None:
    for number in range(20):
        source = "referral" if number < 8 else "online"
        customer = given.customer(lead_source=source, first_contact_on=date(2026, 1, 2))
        if number in (0, 1, 8):
            given.won(given.opportunity(customer, "2026-01-03"), "1", "2026-02-01")
    given.customer(lead_source="online", first_contact_on=date(2026, 4, 1))
    given.customer(placeholder=True)
    connection, quarter = tables(), days("2026-01-01", "2026-03-31")
    answer = sources(connection, date(2026, 6, 30), *quarter)
    assert [tuple(group.values()) for group in answer["groups"]] == [
        ({"source": "online"}, 12, 0.6, 1, pytest.approx(1 / 12)),
        ({"source": "referral"}, 8, 0.4, 2, 0.25),
    ]
    assert [group["won"] for group in sources(connection, date(2026, 1, 31))["groups"]] == [0, 0]
    assert sources(connection, date(2025, 1, 1))["groups"] == []
