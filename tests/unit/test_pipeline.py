"""The pipeline's fold: given events, then rows (OPP-1 to OPP-5)."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from aggregates.customer import Customer
from aggregates.member import Member
from aggregates.opportunity import Opportunity
from aggregates.pipeline import DEFAULT_PIPELINE_ID, Stage
from aggregates.pipeline import Pipeline as Stages
from aggregates.product import Product
from aggregates.team import Team
from happenings import Happenings
from projections.dimensions.timeline import DAWN, on_day
from projections.engine import fold
from projections.pipeline import Pipeline


@pytest.fixture
def given() -> Happenings:
    """Nothing has happened yet but the definition of the usual stages."""
    happenings = Happenings()
    happenings.pipeline()
    return happenings


def entries(then: Pipeline, opportunity: UUID) -> list[tuple[Any, ...]]:
    """The way of an opportunity: stage, outcome, entered, left, days."""
    rows = then.stages.of(opportunity)
    return [(row.stage, row.outcome, str(row.entered_on), row.left_on and str(row.left_on), row.days) for row in rows]


def timeline(rows: list[Any], fact: str) -> list[tuple[str | None, str | None, Any]]:
    """What held from when until when."""
    shown = [(row.from_on, row.until_on, getattr(row, fact)) for row in rows]
    return [(None if start == DAWN else str(start), until and str(until), value) for start, until, value in shown]


def test_an_opportunity_is_listed_with_what_was_said_of_it_opp_1_opp_3(given: Happenings) -> None:
    acme = given.customer()
    deal = given.opportunity(acme, "2026-02-01", "500000", name="Cloud", number="O-1", progress=70, flags=("hot",))
    row = fold(Pipeline, given.events).opportunities[deal]
    assert (row.customer_id, row.name, row.number, row.progress, row.flags) == (acme, "Cloud", "O-1", 70, ("hot",))
    assert (row.stage, row.outcome, row.amount, row.opened_on) == ("lead", "open", Decimal(500000), date(2026, 2, 1))


def test_stages_are_entered_and_left_with_their_days_opp_4(given: Happenings) -> None:
    deal = given.opportunity(given.customer(), "2026-01-01")
    given.advanced(deal, "need", "2026-01-11")
    given.advanced(deal, "negotiation", "2026-02-01")
    given.won(deal, "100", "2026-02-03")
    assert entries(fold(Pipeline, given.events), deal) == [
        ("lead", "open", "2026-01-01", "2026-01-11", 10),
        ("need", "open", "2026-01-11", "2026-02-01", 21),
        ("negotiation", "open", "2026-02-01", "2026-02-03", 2),
        ("negotiation", "won", "2026-02-03", None, None),
    ]


def test_a_stage_moved_back_is_an_entry_of_its_own_opp_3(given: Happenings) -> None:
    deal = given.opportunity(given.customer(), "2026-01-01", stage="proposal")
    given.happens(Opportunity.StageMovedBack, deal, stage="need", occurred_on=date(2026, 1, 5))
    then = fold(Pipeline, given.events)
    assert [entry[0] for entry in entries(then, deal)] == ["proposal", "need"]
    assert then.opportunities[deal].stage == "need"


def test_what_has_no_date_counts_from_the_day_it_was_recorded_in_the_business_time_zone(given: Happenings) -> None:
    given.now = datetime(2026, 3, 1, 16, 30, tzinfo=UTC)  # half past midnight of the 2nd in Shanghai
    deal = given.opportunity(given.customer(), None)
    given.time_zone("America/New_York")
    given.now = datetime(2026, 3, 4, 3, tzinfo=UTC)  # still the 3rd in New York
    given.advanced(deal, "need")
    assert [entry[2] for entry in entries(fold(Pipeline, given.events), deal)] == ["2026-03-02", "2026-03-03"]


def test_a_corrected_date_moves_the_entry_and_its_neighbours(given: Happenings) -> None:
    deal = given.opportunity(given.customer(), "2026-01-01")
    given.advanced(deal, "need", "2026-01-20")
    given.happens(Opportunity.StageDateCorrected, deal, entry=1, occurred_on=date(2026, 1, 10))
    given.happens(Opportunity.StageDateCorrected, deal, entry=0, occurred_on=date(2026, 1, 3))
    then = fold(Pipeline, given.events)
    assert entries(then, deal)[0] == ("lead", "open", "2026-01-03", "2026-01-10", 7)
    assert (then.opportunities[deal].opened_on, then.opportunities[deal].stage_entered_on) == (
        date(2026, 1, 3),
        date(2026, 1, 10),
    )


def test_entries_are_counted_without_winning_and_losing(given: Happenings) -> None:
    deal = given.opportunity(given.customer(), "2026-01-01")
    given.lost(deal, "2026-01-10")
    given.happens(Opportunity.Reopened, deal, stage="need", occurred_on=date(2026, 1, 20))
    given.happens(Opportunity.StageDateCorrected, deal, entry=1, occurred_on=date(2026, 1, 15))
    assert entries(fold(Pipeline, given.events), deal) == [
        ("lead", "open", "2026-01-01", "2026-01-10", 9),
        ("lead", "lost", "2026-01-10", "2026-01-15", 5),
        ("need", "open", "2026-01-15", None, None),
    ]


def test_dates_out_of_order_leave_no_day_with_two_stages(given: Happenings) -> None:
    deal = given.opportunity(given.customer(), "2026-01-01")
    given.advanced(deal, "need", "2026-01-20")
    given.advanced(deal, "proposal", "2026-01-10")
    assert entries(fold(Pipeline, given.events), deal) == [
        ("lead", "open", "2026-01-01", "2026-01-10", 9),
        ("need", "open", "2026-01-20", "2026-01-20", 0),
        ("proposal", "open", "2026-01-10", None, None),
    ]


def test_an_amount_holds_from_the_day_it_was_revised_and_the_first_one_before(given: Happenings) -> None:
    deal = given.opportunity(given.customer(), "2026-01-01", "100")
    given.on("2026-02-01").happens(Opportunity.AmountRevised, deal, amount=Decimal(80), currency="CNY")
    given.on("2026-02-01").happens(Opportunity.AmountRevised, deal, amount=Decimal(90), currency="CNY")
    given.on("2026-03-01").happens(Opportunity.AmountRevised, deal, amount=None, currency="CNY")
    then = fold(Pipeline, given.events)
    assert timeline(then.opportunity_facts.of(deal), "amount") == [
        (None, "2026-02-01", Decimal(100)),
        ("2026-02-01", "2026-03-01", Decimal(90)),
        ("2026-03-01", None, None),
    ]
    assert then.opportunities[deal].amount is None


def test_the_value_of_a_deal_counts_from_the_day_it_was_won(given: Happenings) -> None:
    deal = given.opportunity(given.customer(), "2026-01-01", "100")
    given.won(deal, "90", "2026-02-01")
    given.on("2026-03-05").happens(Opportunity.Reopened, deal, stage="lead", occurred_on=date(2026, 3, 1))
    then = fold(Pipeline, given.events)
    assert timeline(then.opportunity_facts.of(deal), "amount") == [
        (None, "2026-03-01", Decimal(100)),
        ("2026-03-01", None, Decimal(90)),
    ]
    assert then.stages.of(deal)[1].amount == Decimal(90)
    assert then.opportunities[deal].closed_on is None


def test_a_reopening_found_to_be_earlier_takes_the_won_value_along(given: Happenings) -> None:
    deal = given.opportunity(given.customer(), "2026-01-01", "100")
    given.won(deal, "90", "2026-02-01")
    given.on("2026-03-01").happens(Opportunity.Reopened, deal, stage="lead", occurred_on=date(2026, 3, 1))
    given.on("2026-03-02").happens(Opportunity.AmountRevised, deal, amount=Decimal(70), currency="CNY")
    given.happens(Opportunity.StageDateCorrected, deal, entry=1, occurred_on=date(2026, 2, 15))
    rows = fold(Pipeline, given.events).opportunity_facts.of(deal)
    days = [date(2026, 2, 14), date(2026, 2, 15), date(2026, 3, 1), date(2026, 3, 2)]
    assert [row.amount for day in days if (row := on_day(rows, day))] == [100, 90, 90, 70]


def test_owner_product_and_source_are_facts_of_their_days(given: Happenings) -> None:
    ann, bob = given.member("Ann"), given.member("Bob")
    deal = given.opportunity(given.customer(), "2026-01-01", owner_id=ann, lead_source="expo")
    given.on("2026-02-01").happens(Opportunity.OwnerAssigned, deal, owner_id=bob)
    given.on("2026-02-05").happens(
        Opportunity.DetailsRevised, deal, changed=("lead_source", "plan"), lead_source="web", plan="Call"
    )
    then = fold(Pipeline, given.events)
    assert timeline(then.opportunity_facts.of(deal), "owner_id") == [
        (None, "2026-02-01", ann),
        ("2026-02-01", "2026-02-05", bob),
        ("2026-02-05", None, bob),
    ]
    assert [row.source for row in then.opportunity_facts.of(deal)] == ["expo", "expo", "web"]
    row = then.opportunities[deal]
    assert (row.owner_id, row.source, row.plan) == (bob, "web", "Call")


def test_a_detail_that_was_not_named_stays(given: Happenings) -> None:
    deal = given.opportunity(given.customer(), "2026-01-01", name="Cloud", risks="none")
    given.happens(Opportunity.DetailsRevised, deal, changed=("risks",), risks=None)
    row = fold(Pipeline, given.events).opportunities[deal]
    assert (row.name, row.risks) == ("Cloud", None)


def test_the_team_of_a_member_and_the_region_of_a_team_change_from_a_day_on(given: Happenings) -> None:
    north, south = given.team("North", "N"), given.team("South", "S")
    ann = given.member("Ann", north)
    given.happens(Member.TeamAssigned, ann, team_id=south, occurred_on=date(2026, 6, 1))
    given.happens(Member.TeamAssigned, ann, team_id=None, occurred_on=date(2026, 3, 1))
    given.on("2026-07-01").happens(Team.RegionAssigned, north, region="NW")
    then = fold(Pipeline, given.events)
    assert timeline(then.member_teams.of(ann), "team_id") == [
        (None, "2026-03-01", north),
        ("2026-03-01", "2026-06-01", None),
        ("2026-06-01", None, south),
    ]
    assert timeline(then.team_regions.of(north), "region") == [
        (None, "2026-07-01", "N"),
        ("2026-07-01", None, "NW"),
    ]


def test_a_member_who_joined_on_a_day_had_no_team_before(given: Happenings) -> None:
    north = given.team("North")
    ann, bob = given.member("Ann", north, date(2026, 2, 1)), given.member("Bob", None, date(2026, 2, 1))
    then = fold(Pipeline, given.events)
    assert timeline(then.member_teams.of(ann), "team_id") == [(None, "2026-02-01", None), ("2026-02-01", None, north)]
    assert timeline(then.member_teams.of(bob), "team_id") == [(None, None, None)]


def test_a_customers_industry_holds_from_the_day_it_was_revised_and_its_name_for_ever(given: Happenings) -> None:
    acme = given.customer("Acme", industry="retail", lead_source="expo", country="CN")
    given.on("2026-05-01").happens(
        Customer.ProfileRevised, acme, changed=("name", "industry"), name="Acme Ltd", industry="software"
    )
    given.on("2026-05-02").happens(Customer.OwnerAssigned, acme, owner_id=(ann := given.member("Ann")))
    then = fold(Pipeline, given.events)
    assert timeline(then.customer_facts.of(acme), "industry") == [
        (None, "2026-05-01", "retail"),
        ("2026-05-01", "2026-05-02", "software"),
        ("2026-05-02", None, "software"),
    ]
    assert [(row.source, row.country, row.owner_id) for row in then.customer_facts.of(acme)][-1] == ("expo", "CN", ann)
    assert then.customers[acme].name == "Acme Ltd"


def test_a_customer_is_won_on_the_first_day_that_says_so_rpt_8(given: Happenings) -> None:
    acme = given.customer(first_contact_on=date(2026, 1, 5))
    given.happens(Customer.LifecycleMoved, acme, lifecycle="won", occurred_on=date(2026, 3, 1))
    given.won(given.opportunity(acme, "2026-01-10"), "5", "2026-02-20")
    given.happens(Customer.LifecycleMoved, acme, lifecycle="churned", occurred_on=date(2026, 4, 1))
    row = fold(Pipeline, given.events).customers[acme]
    assert (row.came_on, row.won_on) == (date(2026, 1, 5), date(2026, 2, 20))


def test_revised_stages_take_the_place_of_the_former(given: Happenings) -> None:
    given.happens(
        Stages.StagesRevised, DEFAULT_PIPELINE_ID, stages=(Stage("a", "甲", "A"), Stage("lead", "线索", "Lead"))
    )
    then = fold(Pipeline, given.events)
    assert [row.key for row in then.pipeline_stages.of(DEFAULT_PIPELINE_ID)] == ["a", "lead"]


def test_products_are_shown_by_their_present_name(given: Happenings) -> None:
    product = given.happens(Product.Added, UUID(int=7), name="GTX Pro", series="GTX")
    given.happens(Product.Revised, product, changed=("name",), name="GTX Pro 2", former_name="GTX Pro")
    row = fold(Pipeline, given.events).products[product]
    assert (row.name, row.series) == ("GTX Pro 2", "GTX")


def test_the_version_and_the_moment_of_the_last_change_are_kept(given: Happenings) -> None:
    deal = given.opportunity(given.customer(), "2026-01-01")
    given.on("2026-05-01").happens(Opportunity.ExpectedCloseRevised, deal, expected_close_on=date(2026, 6, 1))
    row = fold(Pipeline, given.events).opportunities[deal]
    assert (row.version, row.changed_at, row.expected_close_on) == (2, given.now, date(2026, 6, 1))
