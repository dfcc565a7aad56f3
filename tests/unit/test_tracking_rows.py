"""The tracking table: what each event but a follow-up changes in it."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from uuid import uuid4

from aggregates.customer import Customer
from aggregates.member import Member
from aggregates.opportunity import Opportunity
from aggregates.receivable import Receivable
from aggregates.team import Team
from happenings import Happenings
from projections.engine import fold
from projections.tracking import Tracking


def test_a_registered_customer_has_a_row_with_its_profile() -> None:
    """CUS-1 to CUS-8, CUS-10."""
    story = Happenings().on("2026-03-02")
    customer = story.customer(
        "科技有限公司", code="C202603001", legacy_code="A001", industry="互联网", market="b2b", tier="quality",
        lead_source="referral", region="华东", country="CN", category="hot", need="云服务器扩容",
        first_contact_on=date(2026, 3, 1),
    )  # fmt: skip
    row = fold(Tracking, story.events).customers[customer]
    assert (row.code, row.legacy_code, row.name, row.kind) == ("C202603001", "A001", "科技有限公司", "company")
    assert (row.industry, row.market, row.tier, row.lead_source) == ("互联网", "b2b", "quality", "referral")
    assert (row.region, row.country, row.category, row.need) == ("华东", "CN", "hot", "云服务器扩容")
    assert (row.lifecycle, row.intent, row.follow_ups, row.archived) == ("potential", None, 0, False)
    assert (row.first_contact_on, row.registered_on) == (date(2026, 3, 1), date(2026, 3, 2))


def test_only_the_named_fields_of_a_profile_change_and_the_name_is_found_anew() -> None:
    story = Happenings()
    customer = story.customer("旧名", industry="零售", region="华南")
    story.happens(Customer.ProfileRevised, customer, changed=("name", "region"), name="新名")
    folded = fold(Tracking, story.events)
    row = folded.customers[customer]
    assert (row.name, row.industry, row.region) == ("新名", "零售", None)
    assert "xinming" in folded.names[customer].search.split("\n")
    assert folded.names[customer].pairs == "新名"
    assert row.name_key == "xin ming 新名"


def test_what_a_sheet_has_no_room_for_changes_without_changing_the_row() -> None:
    """CUS-9, CUS-13."""
    story = Happenings().on("2026-03-02")
    customer = story.customer("旧名", distance="35公里", personality="谨慎型")
    changed = {
        "distance": "3公里",
        "business_category": "五金",
        "unsuitable_visiting_time": "周一",
        "personality": "急",
    }
    story.happens(Customer.ProfileRevised, customer, changed=(*changed, "region"), region="华东", **changed)
    row = fold(Tracking, story.events).customers[customer]
    assert (row.name, row.region, row.version) == ("旧名", "华东", 2)


def test_who_was_entered_as_lost_shows_why() -> None:
    """LIF-10."""
    story = Happenings()
    customer = story.customer(lifecycle="churned", churn_reason="搬迁")
    row = fold(Tracking, story.events).customers[customer]
    assert (row.lifecycle, row.churn_reason) == ("churned", "搬迁")


def test_the_main_contact_is_shown_and_another_takes_its_place() -> None:
    """CON-1, CUS-4."""
    story = Happenings()
    customer, first, second = story.customer(), uuid4(), uuid4()
    story.happens(Customer.ContactAdded, customer, contact_id=first, name="王经理", title="技术负责人", is_main=True)
    story.happens(Customer.ContactAdded, customer, contact_id=second, name="李女士", mobile="13800005678")
    folded = fold(Tracking, story.events)
    assert (folded.customers[customer].contact_id, folded.customers[customer].contacts) == (first, 2)
    assert (folded.contacts[customer, first].name, folded.contacts[customer, first].title) == ("王经理", "技术负责人")

    story.happens(Customer.ContactRevised, customer, contact_id=first, changed=("is_main",), is_main=False)
    story.happens(Customer.ContactRevised, customer, contact_id=second, changed=("is_main",), is_main=True)
    folded = fold(Tracking, story.events)
    assert folded.customers[customer].contact_id == second
    assert folded.contacts[customer, second].mobile == "13800005678"
    assert "李女士" in folded.names[customer].search

    story.happens(Customer.ContactRemoved, customer, contact_id=second)
    assert fold(Tracking, story.events).customers[customer].contact_id == first
    story.happens(Customer.ContactRemoved, customer, contact_id=first)
    folded = fold(Tracking, story.events)
    assert (folded.customers[customer].contact_id, folded.customers[customer].contacts) == (None, 0)
    assert "王经理" not in folded.names[customer].search


def test_owner_category_intent_lifecycle_and_tags_follow_their_events() -> None:
    """SEC-7, LIF-1 to LIF-5, GRD-8, EXT-3."""
    story = Happenings()
    customer, owner = story.customer(), story.member("张三")
    story.happens(Customer.OwnerAssigned, customer, owner_id=owner)
    story.happens(Customer.Categorised, customer, category="hot")
    story.happens(Customer.IntentSet, customer, intent="pending", call_back=2)
    story.happens(
        Customer.LifecycleMoved, customer, lifecycle="churned", occurred_on=date(2026, 3, 1), churn_reason="价格"
    )
    story.happens(Customer.Tagged, customer, tag="高预算")
    story.happens(Customer.Tagged, customer, tag="华东地区")
    story.happens(Customer.Untagged, customer, tag="高预算")
    row = fold(Tracking, story.events).customers[customer]
    assert (row.owner_id, row.category, row.intent, row.call_backs) == (owner, "hot", "pending", 2)
    assert (row.lifecycle, row.lifecycle_on, row.churn_reason) == ("churned", date(2026, 3, 1), "价格")
    assert (row.tags, row.follow_up_due_on) == (("华东地区",), None)
    story.happens(Customer.Untagged, customer, tag="华东地区")
    story.happens(Customer.Archived, customer)
    row = fold(Tracking, story.events).customers[customer]
    assert (row.tags, row.archived) == (None, True)
    story.happens(Customer.Reopened, customer)
    assert not fold(Tracking, story.events).customers[customer].archived


def test_a_new_owner_with_its_team_and_region_is_named_once_for_all_its_customers() -> None:
    story = Happenings()
    team = story.team("华东一组", "East")
    owner = story.member("张三", team)
    story.happens(Member.Renamed, owner, name="张三丰")
    story.happens(Team.Renamed, team, name="华东组")
    story.happens(Team.RegionAssigned, team, region="华东")
    other = story.team("华北组")
    story.happens(Member.TeamAssigned, owner, team_id=other)
    folded = fold(Tracking, story.events)
    assert (folded.members[owner].name, folded.members[owner].team_id) == ("张三丰", other)
    assert (folded.teams[team].name, folded.teams[team].region) == ("华东组", "华东")


def test_opportunities_count_while_open_and_their_value_when_won_each_currency_apart() -> None:
    """OPP-1, CUS-5, CUS-15: the amount and the number of deals; amounts of two currencies are never added."""
    story = Happenings()
    customer = story.customer()
    first = story.opportunity(customer, "2026-03-01", "1000.50")
    story.opportunity(customer, "2026-03-01", "300", currency="USD")
    story.opportunity(customer, "2026-03-01")
    row = fold(Tracking, story.events).customers[customer]
    assert (row.open_opportunities, row.open_amount) == (3, {"CNY": "1000.50", "USD": "300.00"})

    story.happens(Opportunity.AmountRevised, first, amount=Decimal(2000), currency="CNY")
    assert fold(Tracking, story.events).customers[customer].open_amount == {"CNY": "2000.00", "USD": "300.00"}
    story.happens(Opportunity.AmountRevised, first, amount=None, currency="CNY")
    assert fold(Tracking, story.events).customers[customer].open_amount == {"USD": "300.00"}

    story.won(first, "1800", "2026-03-02")
    row = fold(Tracking, story.events).customers[customer]
    assert (row.open_opportunities, row.won_opportunities, row.won_amount) == (2, 1, {"CNY": "1800.00"})

    story.happens(Opportunity.Reopened, first, stage="need")
    row = fold(Tracking, story.events).customers[customer]
    assert (row.won_opportunities, row.won_amount, row.open_amount) == (0, None, {"CNY": "1800.00", "USD": "300.00"})
    story.lost(first, "2026-03-03")
    row = fold(Tracking, story.events).customers[customer]
    assert (row.opportunities, row.open_opportunities, row.open_amount) == (3, 2, {"USD": "300.00"})


def test_the_balance_follows_payments_reversals_write_offs_and_disputes() -> None:
    """ORD-2, LIF-8."""
    story = Happenings()
    customer = story.customer()
    invoice = story.issued(customer, "1500", "2026-01-01", "2026-01-31")
    payment = story.paid(invoice, "1500", "2026-01-20")
    row = fold(Tracking, story.events).customers[customer]
    assert (row.receivables, row.open_receivables, row.open_balance) == (1, 0, None)

    story.reversed(invoice, payment, "1500", "2026-01-25")
    story.written_off(invoice, "0.50", "2026-02-01")
    row = fold(Tracking, story.events).customers[customer]
    assert (row.open_receivables, row.open_balance) == (1, {"CNY": "1499.50"})

    story.happens(Receivable.DueDateMoved, invoice, due_on=date(2026, 2, 28))
    story.happens(Receivable.Disputed, invoice, occurred_on=date(2026, 2, 2))
    folded = fold(Tracking, story.events)
    assert folded.receivables[invoice].due_on == date(2026, 2, 28)
    assert folded.customers[customer].disputed_receivables == 1
    story.happens(Receivable.DisputeSettled, invoice, occurred_on=date(2026, 2, 3))
    assert fold(Tracking, story.events).customers[customer].disputed_receivables == 0


def test_every_event_of_a_customer_moves_its_row_forward() -> None:
    """A reader that waits for its own write sees it in the row."""
    story = Happenings()
    customer = story.customer()
    opportunity = story.opportunity(customer, "2026-03-01")
    story.happens(Opportunity.ExpectedCloseRevised, opportunity, expected_close_on=date(2026, 5, 1))
    row = fold(Tracking, story.events).customers[customer]
    assert (row.position, row.version) == (len(story.events), 1)
