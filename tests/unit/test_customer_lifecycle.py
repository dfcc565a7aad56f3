"""How a customer's lifecycle and intent move (LIF-1 to LIF-5, LIF-10)."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any
from uuid import uuid4

import pytest

from aggregates.customer import Customer
from aggregates.customer.refusals import (
    CallBacksEnded,
    ChurnReasonMissing,
    ChurnReasonUncalledFor,
    ChurnTooEarly,
    IntentUndecided,
    LifecycleAlready,
    LifecycleMovedLater,
    LifecycleMoveUnusual,
    WonWithoutBasis,
)
from aggregates.refusals import DateInFuture, ReasonMissing
from commands.customers import MoveLifecycle, RegisterCustomer, SetIntent
from unit.scenario import CUSTOMER, TODAY, Scenario


def move(lifecycle: str, **more: object) -> MoveLifecycle:
    return MoveLifecycle.model_validate({"lifecycle": lifecycle, **more})


def found(intent: str, **more: object) -> SetIntent:
    return SetIntent.model_validate({"intent": intent, **more})


def at(scenario: Scenario, lifecycle: str, occurred_on: date = date(2026, 5, 1)) -> Scenario:
    return scenario.given(Customer.LifecycleMoved, lifecycle=lifecycle, occurred_on=occurred_on)


@pytest.mark.parametrize(
    ("current", "to", "more"),
    [
        ("potential", "interested", {}),
        ("potential", "won", {"basis": "contract"}),
        ("interested", "won", {"basis": "支付首款"}),
        ("won", "churned", {"churn_reason": "售后响应慢"}),
        ("churned", "interested", {}),
        ("churned", "won", {"basis": "contract"}),
    ],
)
def test_the_usual_moves_lif_2(customer: Scenario, current: str, to: str, more: dict[str, str]) -> None:
    at(customer, current, date(2026, 3, 15)).when(move(to, **more), CUSTOMER)
    customer.then(Customer.LifecycleMoved, lifecycle=to, occurred_on=TODAY, churn_reason=more.get("churn_reason"))


@pytest.mark.parametrize(
    ("current", "to"),
    [
        ("potential", "churned"),
        ("interested", "potential"),
        ("interested", "churned"),
        ("won", "potential"),
        ("won", "interested"),
        ("churned", "potential"),
    ],
)
def test_any_other_move_is_a_correction_with_a_reason_lif_2(customer: Scenario, current: str, to: str) -> None:
    why = {"churn_reason": "预算取消"} if to == "churned" else {}
    at(customer, current).when(move(to, **why), CUSTOMER).then_refused(
        LifecycleMoveUnusual, lifecycle=to, current=current
    )
    customer.when(move(to, reason="录入错误", **why), CUSTOMER)
    customer.then(Customer.LifecycleMoved, lifecycle=to, reason="录入错误")


def test_a_move_is_made_by_its_chinese_name_lif_1(customer: Scenario) -> None:
    customer.when(move("意向客户"), CUSTOMER).then(Customer.LifecycleMoved, lifecycle="interested")


def test_a_customer_is_won_by_contract_or_payment_lif_2(customer: Scenario) -> None:
    at(customer, "interested").when(move("won"), CUSTOMER).then_refused(WonWithoutBasis)
    customer.when(move("won", basis="intent_expressed"), CUSTOMER).then_refused(WonWithoutBasis)


def test_why_a_customer_was_lost_is_recorded_lif_10(customer: Scenario) -> None:
    at(customer, "won").when(move("churned"), CUSTOMER).then_refused(ChurnReasonMissing)
    customer.when(move("interested", churn_reason="x", reason="y"), CUSTOMER).then_refused(ChurnReasonUncalledFor)


def spoke(scenario: Scenario, on: date, **said: Any) -> Scenario:
    """A conversation at noon in Shanghai."""
    at = datetime(on.year, on.month, on.day, 4, tzinfo=UTC)
    return scenario.given(Customer.FollowUpLogged, follow_up_id=uuid4(), occurred_at=at, method="phone", **said)


LOST = move("churned", churn_reason="售后响应慢")


def test_who_was_won_within_three_months_is_given_up_only_for_a_reason_lif_2(customer: Scenario) -> None:
    at(customer, "won", date(2026, 3, 16)).when(LOST, CUSTOMER)
    customer.then_refused(
        ChurnTooEarly,
        occurred_on=TODAY,
        dealt_on=date(2026, 3, 16),
        answered_on=None,
        earliest=date(2026, 6, 16),
    )
    exception = move("churned", churn_reason="售后响应慢", reason="客户明确表示不再合作")
    customer.when(exception, CUSTOMER).then(Customer.LifecycleMoved, lifecycle="churned")


def test_who_answered_within_three_months_is_given_up_only_for_a_reason_lif_2(customer: Scenario) -> None:
    """Calendar months: what was on 15 March is three months ago on 15 June; an attempt without answer counts not."""
    spoke(at(customer, "won", date(2025, 1, 1)), date(2026, 4, 30))
    spoke(customer, date(2026, 2, 1))
    spoke(customer, date(2026, 6, 1), answered=False).when(LOST, CUSTOMER)
    customer.then_refused(
        ChurnTooEarly, dealt_on=date(2025, 1, 1), answered_on=date(2026, 4, 30), earliest=date(2026, 7, 30)
    )


def test_a_deal_at_a_follow_up_is_a_deal_lif_2(customer: Scenario) -> None:
    at(customer, "won", date(2025, 1, 1))
    spoke(customer, date(2025, 12, 1), result="won", deal_on=date(2026, 4, 1)).when(LOST, CUSTOMER)
    customer.then_refused(ChurnTooEarly, dealt_on=date(2026, 4, 1), answered_on=date(2025, 12, 1))


def test_after_three_silent_months_no_reason_is_asked_for_lif_2(customer: Scenario) -> None:
    spoke(at(customer, "won", date(2026, 3, 14)), date(2026, 3, 15))
    spoke(customer, date(2026, 6, 1), answered=False).when(LOST, CUSTOMER)
    customer.then(Customer.LifecycleMoved, lifecycle="churned", reason=None)


@pytest.mark.parametrize(
    ("won_on", "lost_on", "is_refused"),
    [
        (date(2025, 11, 30), date(2026, 2, 27), True),
        (date(2025, 11, 30), date(2026, 2, 28), False),
        (date(2025, 12, 31), date(2026, 3, 30), True),
        (date(2025, 12, 31), date(2026, 3, 31), False),
    ],
)
def test_three_months_end_with_a_shorter_month_lif_2(
    customer: Scenario, won_on: date, lost_on: date, is_refused: bool
) -> None:
    at(customer, "won", won_on).when(move("churned", churn_reason="x", occurred_on=lost_on), CUSTOMER)
    assert isinstance(customer.refusal, ChurnTooEarly) == is_refused


def test_who_is_entered_as_lost_has_a_reason_for_it_lif_10(nothing: Scenario) -> None:
    def lost(**more: Any) -> RegisterCustomer:
        return RegisterCustomer.model_validate({"kind": "company", "name": "Acme", **more})

    nothing.when(lost(lifecycle="流失客户")).then_refused(ChurnReasonMissing)
    nothing.when(lost(churn_reason="搬迁")).then_refused(ChurnReasonUncalledFor)
    nothing.when(lost(lifecycle="churned", churn_reason="搬迁"))
    nothing.then(Customer.Registered, lifecycle="churned", churn_reason="搬迁")


def test_a_move_to_where_it_is_already_lif_1(customer: Scenario) -> None:
    customer.when(move("potential"), CUSTOMER).then_refused(LifecycleAlready, lifecycle="potential")


def test_moves_are_not_dated_ahead_nor_before_the_last_one(customer: Scenario) -> None:
    at(customer, "interested", date(2026, 6, 1))
    customer.when(move("won", basis="contract", occurred_on="2026-06-16"), CUSTOMER).then_refused(
        DateInFuture, today=TODAY
    )
    early = {"basis": "contract", "occurred_on": "2026-05-31"}
    customer.when(move("won", **early), CUSTOMER).then_refused(LifecycleMovedLater, earliest=date(2026, 6, 1))
    customer.when(move("won", **early, reason="合同日期更正"), CUSTOMER).then(Customer.LifecycleMoved)


def test_a_call_back_counts_and_finds_an_intent_lif_4(customer: Scenario) -> None:
    customer.when(found("待定"), CUSTOMER).then(Customer.IntentSet, intent="pending", call_back=1)
    customer.when(found("pending"), CUSTOMER).then(Customer.IntentSet, intent="pending", call_back=2)
    customer.when(found("无意向"), CUSTOMER).then(Customer.IntentSet, intent="none", call_back=3)
    customer.then_nothing()


def test_the_third_call_back_may_not_end_pending_lif_5(customer: Scenario) -> None:
    customer.given(Customer.IntentSet, intent="pending", call_back=2)
    customer.when(found("pending"), CUSTOMER).then_refused(IntentUndecided, call_backs=3)
    customer.when(found("yes"), CUSTOMER).then(Customer.IntentSet, intent="yes", call_back=3)


@pytest.mark.parametrize("decided", ["yes", "none"])
def test_with_a_decision_call_backs_end_lif_5(customer: Scenario, decided: str) -> None:
    customer.given(Customer.IntentSet, intent=decided, call_back=1)
    customer.when(found("none"), CUSTOMER).then_refused(CallBacksEnded, intent=decided, call_backs=1)


def test_a_customer_may_change_its_mind_by_itself_lif_5(customer: Scenario) -> None:
    customer.given(Customer.IntentSet, intent="none", call_back=1)
    customer.when(found("yes", is_call_back=False), CUSTOMER).then(Customer.IntentSet, intent="yes", call_back=1)


def test_a_decision_is_only_taken_back_with_a_reason_lif_5(customer: Scenario) -> None:
    customer.given(Customer.IntentSet, intent="none", call_back=1)
    customer.when(found("pending", is_call_back=False), CUSTOMER).then_refused(ReasonMissing)
    customer.when(found("pending", is_call_back=False, reason="误判"), CUSTOMER).then(
        Customer.IntentSet, intent="pending"
    )


def test_after_three_call_backs_nothing_goes_back_to_pending_lif_5(customer: Scenario) -> None:
    customer.given(Customer.IntentSet, intent="none", call_back=3)
    again = found("pending", is_call_back=False, reason="误判")
    customer.when(again, CUSTOMER).then_refused(IntentUndecided)


def test_who_wants_something_is_no_longer_merely_potential_lif_2(customer: Scenario) -> None:
    customer.when(found("有意向"), CUSTOMER).then(Customer.IntentSet, intent="yes")
    customer.then(Customer.LifecycleMoved, lifecycle="interested", basis="intent_expressed", occurred_on=TODAY)


def test_who_is_won_stays_won_when_something_is_wanted_lif_2(customer: Scenario) -> None:
    at(customer, "won").when(found("yes"), CUSTOMER).then(Customer.IntentSet)
    customer.then_nothing()


def test_old_history_with_more_call_backs_than_today_allows_stays_readable_lif_5(customer: Scenario) -> None:
    for call_back in range(1, 6):
        customer.given(Customer.IntentSet, intent="pending", call_back=call_back)
    customer.when(found("yes"), CUSTOMER).then(Customer.IntentSet, intent="yes", call_back=6)
