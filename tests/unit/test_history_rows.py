"""The history: what the fold writes down of each event."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any
from uuid import uuid4

import msgspec

from aggregates.customer import Customer
from aggregates.opportunity import Opportunity
from aggregates.workspace import WORKSPACE_ID, Workspace
from happenings import Happenings
from ledger.sealed import Blob
from ledger.sealing import Keyring
from projections.engine import fold
from projections.history import History
from projections.history.rows import EventRow
from recorded import recorded

KEYRING = Keyring(None, bytes(32))


def rows_of(story: Happenings) -> list[EventRow]:
    return list(fold(History, recorded(story.events, KEYRING)).events)


def before_of(row: EventRow) -> dict[str, int]:
    return {} if row.before is None else msgspec.json.decode(row.before, type=dict[str, int])


def test_every_event_is_a_row_with_its_envelope() -> None:
    """SEC-9."""
    story = Happenings().on("2026-03-02")
    customer = story.customer("科技有限公司", code="C1", industry="互联网")
    [row] = rows_of(story)
    assert (row.position, row.customer_id, row.originator_id, row.version) == (1, customer, customer, 1)
    assert (row.topic, row.actor, row.source, row.reason) == ("customer.registered", "member:test", "api", None)
    assert (row.recorded_at, row.occurred_on) == (story.now, date(2026, 3, 2))


def test_personal_data_stays_sealed_and_the_rest_is_readable() -> None:
    story = Happenings()
    customer = story.customer("科技有限公司", industry="互联网", phone="13800005678")
    [row] = rows_of(story)
    assert row.sealed is not None
    assert b"13800005678" not in row.body
    assert "科技有限公司".encode() not in row.body
    body: dict[str, Any] = msgspec.json.decode(row.body)
    assert body["industry"] == "互联网"
    assert not {"name", "phone"} & set(body)
    assert row.subject == customer
    opened = KEYRING.open_blob(Blob(customer, customer, 1, row.sealed))
    assert opened == {"name": "科技有限公司", "phone": "13800005678"}


def test_a_contact_is_sealed_for_itself() -> None:
    story = Happenings()
    customer, contact = story.customer(), uuid4()
    story.happens(Customer.ContactAdded, customer, contact_id=contact, name="王经理")
    assert rows_of(story)[-1].subject == contact


def test_each_changed_field_points_to_where_it_got_its_former_value() -> None:
    story = Happenings()
    customer = story.customer("旧", region="华南")
    story.happens(Customer.ProfileRevised, customer, changed=("region",), region="华东")
    story.happens(Customer.ProfileRevised, customer, changed=("region", "name"), region="华北", name="新")
    rows = rows_of(story)
    assert rows[0].before is None
    assert before_of(rows[1]) == {"region": 0}
    assert before_of(rows[2]) == {"region": 2, "name": 0}


def test_stages_amounts_and_owners_of_an_opportunity_have_a_former_value_too() -> None:
    story = Happenings()
    customer = story.customer()
    opportunity = story.opportunity(customer, "2026-03-01", "100")
    story.advanced(opportunity, "need", "2026-03-02")
    story.happens(Opportunity.AmountRevised, opportunity, amount=Decimal(200), currency="CNY")
    story.won(opportunity, "180", "2026-03-03")
    story.happens(Opportunity.Reopened, opportunity, stage="proposal")
    rows = rows_of(story)
    assert [before_of(row) for row in rows[2:]] == [
        {"stage": 0},
        {"amount": 0, "currency": 0},
        {"stage": 3, "amount": 4, "currency": 4},
        {"stage": 5, "loss_reason": 0},
    ]


def test_a_corrected_stage_date_points_to_the_entry_or_its_last_correction() -> None:
    story = Happenings()
    customer = story.customer()
    opportunity = story.opportunity(customer, "2026-03-01")
    story.advanced(opportunity, "need", "2026-03-02")
    story.advanced(opportunity, "proposal", "2026-03-05")
    for entry, day in ((1, 3), (1, 4), (0, 1), (2, 6)):
        story.happens(Opportunity.StageDateCorrected, opportunity, entry=entry, occurred_on=date(2026, 3, day))
    assert [before_of(row) for row in rows_of(story)[4:]] == [
        {"occurred_on": 3},
        {"occurred_on": 5},
        {"occurred_on": 0},
        {"occurred_on": 4},
    ]


def test_events_have_the_day_of_the_business_fact() -> None:
    """A fact without a date counts from its recorded date, in the business time zone."""
    story = Happenings().on("2026-03-10", hour=7)
    customer = story.customer()
    story.issued(customer, "10", "2026-01-05", "2026-02-05")
    story.opportunity(customer, "2025-12-31")
    story.opportunity(customer, None)
    story.time_zone("America/New_York")
    story.opportunity(customer, None)
    days = [row.occurred_on for row in rows_of(story)]
    assert days == [
        date(2026, 3, 10),
        date(2026, 1, 5),
        date(2025, 12, 31),
        date(2026, 3, 10),
        date(2026, 3, 9),
        date(2026, 3, 9),
    ]


def test_settings_have_a_former_value_from_their_second_event_on() -> None:
    story = Happenings()
    story.time_zone("UTC")
    story.happens(Workspace.Configured, WORKSPACE_ID, time_zone="Asia/Tokyo")
    story.happens(Workspace.Configured, WORKSPACE_ID, time_zone="Asia/Seoul")
    rows = rows_of(story)
    assert rows[0].before is None
    assert before_of(rows[1])["time_zone"] == 0
    assert before_of(rows[2])["time_zone"] == 2


def test_a_name_is_kept_for_who_and_what_is_spoken_of() -> None:
    story = Happenings()
    story.pipeline()
    team = story.team("华东组")
    member = story.member("张三", team)
    folded = fold(History, recorded(story.events, KEYRING))
    assert folded.teams[team].name == "华东组"
    assert KEYRING.open(folded.members[member].name) == "张三"
    assert {row.zh for row in folded.stages} == {"线索", "需求", "方案", "谈判"}


def test_nothing_is_remembered_of_aggregates_that_only_began() -> None:
    """Memory stays bounded by what was changed."""
    story = Happenings()
    for number in range(20):
        story.customer(code=f"C{number}")
    assert len(fold(History, recorded(story.events, KEYRING)).latest) == 0
