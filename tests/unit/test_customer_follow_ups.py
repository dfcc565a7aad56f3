"""Conversations with a customer (FUP-1 to FUP-6)."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

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
from aggregates.refusals import DateInFuture
from commands.customers import LogFollowUp
from unit.scenario import CONTACT, CUSTOMER, NOW, TODAY, Scenario


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
