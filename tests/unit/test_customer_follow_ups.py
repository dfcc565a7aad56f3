"""Conversations with a customer (FUP-1 to FUP-6)."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from aggregates.customer import Customer
from aggregates.customer.refusals import (
    CallBackIntentMissing,
    CallBackIntentUncalledFor,
    CallBacksEnded,
    ContactUnknown,
    DealDateMissing,
    FollowUpInFuture,
    IntentUndecided,
    NextContactTooEarly,
)
from aggregates.member import Member
from aggregates.refusals import DateInFuture
from commands.customers import LogFollowUp
from ledger.errors import NotFound
from policy import Actor
from unit.scenario import CONTACT, CUSTOMER, MEMBER, NOBODY, NOW, PAYMENT, TODAY, Scenario


def spoke(**said: Any) -> LogFollowUp:
    return LogFollowUp.model_validate({"method": "phone", **said})


def test_a_follow_up_keeps_what_was_said_fup_3_fup_5_fup_6(customer: Scenario) -> None:
    yesterday = NOW - timedelta(days=1)
    customer.given(Customer.ContactAdded).when(
        spoke(
            method="电话沟通",
            occurred_at=yesterday,
            subject="报价",
            content="介绍了套餐升级方案\n下周回复",
            feedback="需确认数据迁移周期",
            attitude="犹豫",
            progress=45,
            intent="有意向徘徊犹豫",
            answered=False,
            contact_id=CONTACT,
            next_contact_on=TODAY,
            next_action="提供迁移流程表",
        ),
        CUSTOMER,
    )
    customer.then(
        Customer.FollowUpLogged,
        method="phone",
        occurred_at=yesterday,
        subject="报价",
        content="介绍了套餐升级方案\n下周回复",
        attitude="hesitant",
        progress=45,
        intent="hesitating",
        answered=False,
        contact_id=CONTACT,
        next_contact_on=TODAY,
        result=None,
        is_call_back=False,
        actor="member:00000000-0000-0000-0000-000000000004",
        source="api",
    )
    customer.then_nothing()


def test_who_spoke_is_the_member_who_notes_it_or_a_colleague_fup_3_fup_4(customer: Scenario) -> None:
    customer.when(spoke(), CUSTOMER).then(Customer.FollowUpLogged, follower_id=MEMBER)
    customer.given(Member.Registered, id=NOBODY, name="Bob")
    customer.when(spoke(follower_id=NOBODY), CUSTOMER).then(Customer.FollowUpLogged, follower_id=NOBODY)
    customer.when(spoke(follower_id=PAYMENT), CUSTOMER).then_refused(NotFound, kind="member", id=PAYMENT)


def test_what_no_member_notes_has_no_follower_unless_it_is_said_fup_6(customer: Scenario) -> None:
    sheet = Actor("import:7", None, "sheet", "import")
    customer.when(spoke(), CUSTOMER, by=sheet).then(Customer.FollowUpLogged, follower_id=None)
    customer.when(spoke(follower_id=MEMBER), CUSTOMER, by=sheet).then(Customer.FollowUpLogged, follower_id=MEMBER)


@pytest.mark.parametrize(
    ("written", "stored"),
    [
        ("售前咨询", "pre_sales"),
        ("销售跟进", "sales"),
        ("客户投诉", "complaint"),
        ("其他", "other"),
        ("sales", "sales"),
    ],
)
def test_what_it_was_about_and_who_took_part_fup_1_fup_2(customer: Scenario, written: str, stored: str) -> None:
    customer.when(spoke(interaction=written, participants="王经理、赵顾问"), CUSTOMER)
    customer.then(Customer.FollowUpLogged, interaction=stored, participants="王经理、赵顾问")


def test_a_meeting_has_its_subject_its_outcome_and_the_next_step_fup_2_fup_9_fup_10(customer: Scenario) -> None:
    said = {"subject": "年框谈判", "content": "价格已同意", "feedback": "等法务", "next_action": "寄合同"}
    customer.when(spoke(method="会议", result="未成交", **said), CUSTOMER)
    customer.then(Customer.FollowUpLogged, method="meeting", result="not_won", **said)


def test_without_a_moment_it_was_just_now_fup_5(customer: Scenario) -> None:
    customer.when(spoke(), CUSTOMER).then(Customer.FollowUpLogged, occurred_at=NOW, answered=True)


def test_a_conversation_that_is_yet_to_come_is_refused_fup_5(customer: Scenario) -> None:
    later = NOW + timedelta(seconds=1)
    customer.when(spoke(occurred_at=later), CUSTOMER).then_refused(FollowUpInFuture, occurred_at=later, now=NOW)


def test_the_next_contact_is_not_before_this_one_in_business_days(customer: Scenario) -> None:
    just_after_midnight = datetime(2026, 6, 9, 16, 30, tzinfo=UTC)  # 10 June in Shanghai
    too_early = spoke(occurred_at=just_after_midnight, next_contact_on=date(2026, 6, 9))
    customer.when(too_early, CUSTOMER).then_refused(NextContactTooEarly, earliest=date(2026, 6, 10))
    same_day = spoke(occurred_at=just_after_midnight, next_contact_on=date(2026, 6, 10))
    customer.when(same_day, CUSTOMER).then(Customer.FollowUpLogged)


def test_the_contact_spoken_with_belongs_to_the_customer_con_1(customer: Scenario) -> None:
    customer.when(spoke(contact_id=CONTACT), CUSTOMER).then_refused(ContactUnknown, contact_id=CONTACT)


def test_a_deal_has_a_day_and_wins_the_customer_fup_6_lif_7(customer: Scenario) -> None:
    customer.when(spoke(result="成交"), CUSTOMER).then_refused(DealDateMissing)
    tomorrow = date(2026, 6, 16)
    customer.when(spoke(result="成交", deal_on=tomorrow), CUSTOMER).then_refused(DateInFuture, field="deal_on")
    customer.when(spoke(result="成交", deal_on=date(2026, 6, 14)), CUSTOMER)
    customer.then(Customer.FollowUpLogged, result="won", deal_on=date(2026, 6, 14))
    customer.then(Customer.LifecycleMoved, lifecycle="won", basis="follow_up", occurred_on=date(2026, 6, 14))


def test_a_deal_date_may_stand_beside_no_deal_fup_6(customer: Scenario) -> None:
    customer.when(spoke(result="未成交", deal_on=date(2026, 7, 1)), CUSTOMER)
    customer.then(Customer.FollowUpLogged, result="not_won", deal_on=date(2026, 7, 1))
    customer.then_nothing()


def test_a_second_deal_leaves_a_won_customer_won_fup_6(customer: Scenario) -> None:
    customer.given(Customer.LifecycleMoved, lifecycle="won", occurred_on=date(2026, 1, 1))
    customer.when(spoke(result="won", deal_on=TODAY), CUSTOMER).then(Customer.FollowUpLogged)
    customer.then_nothing()


def test_a_deal_before_the_customer_was_lost_does_not_bring_it_back_lif_2(customer: Scenario) -> None:
    customer.given(Customer.LifecycleMoved, lifecycle="churned", occurred_on=date(2026, 5, 1), churn_reason="x")
    customer.when(spoke(result="won", deal_on=date(2026, 4, 1)), CUSTOMER).then(Customer.FollowUpLogged)
    customer.then_nothing()
    customer.when(spoke(result="won", deal_on=date(2026, 5, 2)), CUSTOMER).then(Customer.FollowUpLogged)
    customer.then(Customer.LifecycleMoved, lifecycle="won", occurred_on=date(2026, 5, 2))


def test_the_category_is_evaluated_again_fup_3(customer: Scenario) -> None:
    customer.when(spoke(category="准客户"), CUSTOMER).then(Customer.FollowUpLogged)
    customer.then(Customer.Categorised, category="hot")
    customer.when(spoke(category="hot"), CUSTOMER).then(Customer.FollowUpLogged)
    customer.then_nothing()


def test_a_call_back_sets_the_intent_lif_4(customer: Scenario) -> None:
    customer.when(spoke(is_call_back=True), CUSTOMER).then_refused(CallBackIntentMissing)
    customer.when(spoke(call_back_intent="yes"), CUSTOMER).then_refused(CallBackIntentUncalledFor)
    customer.when(spoke(is_call_back=True, call_back_intent="待定"), CUSTOMER)
    customer.then(Customer.FollowUpLogged, is_call_back=True)
    customer.then(Customer.IntentSet, intent="pending", call_back=1)


def test_a_refused_intent_leaves_no_half_follow_up_lif_5(customer: Scenario) -> None:
    customer.given(Customer.IntentSet, intent="pending", call_back=2)
    pending = spoke(is_call_back=True, call_back_intent="pending")
    customer.when(pending, CUSTOMER).then_refused(IntentUndecided)
    customer.given(Customer.IntentSet, intent="none", call_back=3)
    customer.when(spoke(is_call_back=True, call_back_intent="yes"), CUSTOMER).then_refused(CallBacksEnded)
