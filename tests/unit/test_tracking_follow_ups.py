"""The tracking table: what conversations leave in a customer's row."""

from __future__ import annotations

from datetime import UTC, date, datetime
from random import Random
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from aggregates.customer import Customer
from happenings import Happenings
from projections.engine import fold
from projections.tracking import Tracking
from projections.tracking.cadence import follow_up_due
from projections.tracking.rows import CustomerRow

ENTERING = ("customer_id", "code", "registered_at", "position", "updated_at", "version", "unanswered_at")


def row_of(story: Happenings, customer: UUID) -> CustomerRow:
    return fold(Tracking, story.events).customers[customer]


def spoke(story: Happenings, customer: UUID, day: str, hour: int = 10, **said: Any) -> UUID:
    at = datetime.fromisoformat(f"{day}T{hour:02}:00+08:00").astimezone(UTC)
    body = {"follow_up_id": uuid4(), "occurred_at": at, "method": "phone"} | said
    story.happens(Customer.FollowUpLogged, customer, **body)
    return body["follow_up_id"]  # type: ignore[return-value]


def test_a_follow_up_is_the_last_word_and_says_when_to_speak_next() -> None:
    """CUS-3, FUP-3, FUP-8, DAT-10."""
    story = Happenings().on("2026-03-02")
    customer = story.customer("科技有限公司")
    spoke(
        story,
        customer,
        "2026-03-02",
        subject="报价",
        content="等下周答复",
        progress=45,
        next_contact_on=date(2026, 3, 9),
        next_action="发迁移流程表",
    )
    row = row_of(story, customer)
    assert (row.follow_ups, row.last_method, row.last_subject, row.last_content) == (1, "phone", "报价", "等下周答复")
    assert (row.last_followed_up_on, row.last_progress) == (date(2026, 3, 2), 45)
    assert (row.next_contact_on, row.next_action) == (date(2026, 3, 9), "发迁移流程表")
    assert (row.position, row.version) == (2, 2)


def test_a_conversation_entered_late_does_not_hide_a_later_one() -> None:
    story = Happenings().on("2026-03-10")
    customer = story.customer()
    spoke(story, customer, "2026-03-09", method="wechat", progress=60, next_contact_on=date(2026, 3, 20))
    spoke(story, customer, "2026-03-01", method="email", progress=20, next_contact_on=date(2026, 3, 5))
    row = row_of(story, customer)
    assert (row.follow_ups, row.last_method, row.last_progress) == (2, "wechat", 60)
    assert (row.last_followed_up_on, row.next_contact_on) == (date(2026, 3, 9), date(2026, 3, 20))


def test_an_unanswered_attempt_lets_the_agreed_date_stand_and_a_conversation_replaces_it() -> None:
    story = Happenings().on("2026-03-10")
    customer = story.customer()
    spoke(story, customer, "2026-03-01", next_contact_on=date(2026, 3, 8), next_action="quote")
    spoke(story, customer, "2026-03-08", answered=False)
    assert (row_of(story, customer).next_contact_on, row_of(story, customer).next_action) == (date(2026, 3, 8), "quote")
    spoke(story, customer, "2026-03-09")
    assert (row_of(story, customer).next_contact_on, row_of(story, customer).next_action) == (None, None)


@pytest.mark.parametrize(
    ("said", "streak"),
    [
        (["-01", "-02", "-03"], 3),
        (["-01", "+02", "-03"], 1),
        (["-01", "-03", "+02"], 1),
        (["+05", "-03", "-06"], 1),
        (["-01", "-02", "+03"], 0),
        (["-04", "-02", "+01", "+03", "-05"], 2),
    ],
)
def test_the_streak_counts_attempts_since_the_last_answer_in_whatever_order_they_are_entered(
    said: list[str], streak: int
) -> None:
    """LIF-2, CATALOGUE 19.5: no response needs an outcome on follow-ups."""
    story = Happenings().on("2026-03-10")
    customer = story.customer()
    for word in said:
        spoke(story, customer, f"2026-03-{word[1:]}", answered=word[0] == "+")
    assert row_of(story, customer).unanswered == streak


@settings(max_examples=100, deadline=None)
@given(
    said=st.lists(
        st.fixed_dictionaries(
            {
                "day": st.integers(1, 28),
                "answered": st.booleans(),
                "progress": st.none() | st.integers(0, 100),
                "result": st.sampled_from([None, "won", "not_won"]),
                "next_contact_on": st.none() | st.dates(date(2026, 3, 1), date(2026, 4, 1)),
                "next_action": st.sampled_from([None, "quote", "call"]),
                "subject": st.sampled_from([None, "price", "terms"]),
            }
        ),
        max_size=6,
        unique_by=lambda each: each["day"],
    ),
    shuffled=st.randoms(use_true_random=False),
)
def test_the_order_in_which_conversations_are_entered_makes_no_difference(said: list[Any], shuffled: Random) -> None:
    """DAT-10."""
    in_order = sorted(said, key=lambda each: each["day"])
    as_entered = shuffled.sample(said, len(said))
    assert shown_after(as_entered) == shown_after(in_order)


def shown_after(said: list[dict[str, Any]]) -> dict[str, Any]:
    """The row after these conversations, but for the traces of entering them."""
    story = Happenings().on("2026-04-01")
    customer = story.customer()
    for each in said:
        spoke(story, customer, f"2026-03-{each['day']:02}", **{name: each[name] for name in each if name != "day"})
    row = structs.asdict(row_of(story, customer))
    return {name: value for name, value in row.items() if name not in ENTERING}


def test_a_follow_up_recorded_more_than_24_hours_later_is_marked_late_unless_it_was_imported() -> None:
    """FUP-5."""
    story = Happenings().on("2026-03-02", hour=10)
    customer = story.customer()
    spoke(story, customer, "2026-03-01", hour=10)
    assert not row_of(story, customer).last_entered_late
    story.on("2026-03-02", hour=12)
    spoke(story, customer, "2026-03-01", hour=11)
    assert row_of(story, customer).last_entered_late


@pytest.mark.parametrize(
    ("lifecycle", "last", "due"),
    [
        ("potential", date(2026, 3, 2), date(2026, 3, 9)),
        ("interested", date(2026, 3, 2), date(2026, 3, 5)),
        ("won", date(2026, 1, 31), date(2026, 2, 28)),
        ("won", date(2026, 12, 15), date(2027, 1, 15)),
        ("churned", date(2026, 3, 2), None),
    ],
)
def test_each_stage_has_its_cadence(lifecycle: str, last: date, due: date | None) -> None:
    """REM-5."""
    assert follow_up_due(lifecycle, last) == due


def test_the_cadence_counts_from_the_last_conversation_else_the_first_contact_and_follows_the_stage() -> None:
    """REM-5, REM-10."""
    story = Happenings().on("2026-03-10")
    customer = story.customer(first_contact_on=date(2026, 3, 1))
    assert row_of(story, customer).follow_up_due_on == date(2026, 3, 8)
    spoke(story, customer, "2026-03-09")
    assert row_of(story, customer).follow_up_due_on == date(2026, 3, 16)
    story.happens(Customer.LifecycleMoved, customer, lifecycle="interested", occurred_on=date(2026, 3, 10))
    assert row_of(story, customer).follow_up_due_on == date(2026, 3, 12)


def test_a_conversation_belongs_to_the_business_day() -> None:
    story = Happenings().on("2026-03-10")
    story.time_zone("America/New_York")
    customer = story.customer()
    spoke(story, customer, "2026-03-09", hour=9)
    assert row_of(story, customer).last_followed_up_on == date(2026, 3, 8)


def test_a_deal_in_a_follow_up_is_kept_as_a_fact() -> None:
    """FUP-6, CATALOGUE 19.7: a date without the result is no deal."""
    story = Happenings().on("2020-04-12")
    customer = story.customer()
    spoke(story, customer, "2020-04-05", result="not_won", deal_on=date(2020, 4, 6), progress=95)
    spoke(story, customer, "2020-04-06", result="won", deal_on=date(2020, 4, 7), progress=35)
    folded = fold(Tracking, story.events)
    assert [(deal.customer_id, deal.deal_on) for deal in folded.deals] == [(customer, date(2020, 4, 7))]
    assert folded.customers[customer].last_result == "won"
