"""Whatever is asked for, in whatever order: balances stay sound, and what happened again is what there was."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from aggregates.customer import Customer
from aggregates.member import Member
from aggregates.opportunity import Opportunity
from aggregates.pipeline import DEFAULT_STAGES, Pipeline
from aggregates.receivable import Receivable
from commands.base import Command
from commands.customers import (
    AddContact,
    ArchiveCustomer,
    LogFollowUp,
    MoveLifecycle,
    ReopenCustomer,
    ReviseProfile,
    SetIntent,
    Tag,
    Untag,
)
from commands.opportunities import (
    AdvanceStage,
    CorrectStageDate,
    LoseOpportunity,
    MoveStageBack,
    ReopenOpportunity,
    ReviseAmount,
    WinOpportunity,
)
from commands.receivables import (
    DisputeReceivable,
    MoveDueDate,
    ReceivePayment,
    ReversePayment,
    SettleDispute,
    WriteOff,
)
from unit.scenario import CUSTOMER, OPPORTUNITY, RECEIVABLE, TODAY, Scenario

Ask = Callable[[Any], Command]

days = st.integers(-16, 1).map(lambda offset: TODAY + timedelta(days=offset))
maybe_days = st.none() | days
amounts = st.sampled_from([Decimal(100), Decimal(60), Decimal(40), Decimal("0.01")])
reasons = st.sampled_from([None, "录入错误"])
stages = st.sampled_from([stage.zh for stage in DEFAULT_STAGES])
lifecycles = st.sampled_from(["潜在", "意向", "成交", "流失"])
intents = st.sampled_from(["无意向", "有意向", "待定"])


def made(command: type[Command], **parts: st.SearchStrategy[Any]) -> st.SearchStrategy[Command]:
    return st.fixed_dictionaries(parts).map(command.model_validate)


about_money = st.one_of(
    made(ReceivePayment, amount=amounts, occurred_on=maybe_days),
    made(ReceivePayment, amount=amounts, occurred_on=maybe_days),
    st.tuples(st.integers(0, 5), days, st.just("退票")),
    st.tuples(st.integers(0, 5), days, reasons),
    made(WriteOff, amount=st.none() | amounts, occurred_on=maybe_days, reason=reasons),
    made(DisputeReceivable, occurred_on=maybe_days),
    made(SettleDispute, occurred_on=maybe_days),
    made(MoveDueDate, due_on=days),
)
few_days = st.sampled_from([date(2026, 6, day) for day in (2, 5, 8, 11)])
back_and_forth = st.one_of(
    made(ReceivePayment, amount=st.just(Decimal(60)), occurred_on=few_days),
    st.tuples(st.integers(0, 5), few_days, st.just("退票")),
    made(WriteOff, amount=st.just(Decimal(40)), occurred_on=few_days, reason=st.just("坏账")),
)
about_deals = st.one_of(
    made(AdvanceStage, stage=stages, occurred_on=maybe_days),
    made(MoveStageBack, stage=stages, occurred_on=maybe_days, reason=reasons),
    made(CorrectStageDate, entry=st.integers(0, 4), occurred_on=days, reason=reasons),
    made(ReviseAmount, amount=st.none() | amounts),
    made(WinOpportunity, amount=amounts, occurred_on=maybe_days),
    made(LoseOpportunity, loss_reason=st.just("价格"), occurred_on=maybe_days),
    made(ReopenOpportunity, stage=st.none() | stages, occurred_on=maybe_days, reason=reasons),
)
about_customers = st.one_of(
    made(MoveLifecycle, lifecycle=lifecycles, occurred_on=maybe_days, reason=reasons, churn_reason=reasons),
    made(SetIntent, intent=intents, is_call_back=st.booleans(), reason=reasons),
    made(LogFollowUp, method=st.just("微信"), result=st.sampled_from([None, "成交"]), deal_on=maybe_days),
    made(ReviseProfile, region=st.sampled_from([None, "华东", "华南"])),
    made(AddContact, name=st.just("王经理"), is_main=st.sampled_from([None, True, False])),
    made(Tag, tag=st.sampled_from(["a", "b"])),
    made(Untag, tag=st.sampled_from(["a", "b"])),
    st.just(ArchiveCustomer()),
    st.just(ReopenCustomer()),
    st.just(ReopenCustomer()),
)


def beginning() -> Scenario:
    begun = Scenario().given(Member.Registered).given(Customer.Registered).given(Pipeline.Defined)
    return begun.given(Opportunity.Opened).given(Receivable.Issued)


@settings(max_examples=150, deadline=None)
@given(st.lists(about_money | back_and_forth, max_size=14) | st.lists(back_and_forth, min_size=5, max_size=14))
def test_the_open_balance_is_never_negative_on_any_day(asked: list[Any]) -> None:
    scenario = beginning()
    for ask in asked:
        scenario.when(_reversal(scenario, *ask) if isinstance(ask, tuple) else ask, RECEIVABLE)
        receivable = scenario.ledger.load(Receivable, RECEIVABLE)
        for offset in range(20):
            day = date(2026, 6, 1) + timedelta(days=offset)
            assert 0 <= receivable.open_on(day) <= receivable.amount
        assert 0 <= receivable.open_amount <= receivable.amount


@settings(max_examples=100, deadline=None)
@given(st.lists(about_deals, max_size=14))
def test_stages_are_entered_in_the_order_of_their_days(asked: list[Command]) -> None:
    scenario = beginning()
    for ask in asked:
        scenario.when(ask, OPPORTUNITY)
        calendar = scenario.door.work().calendar
        entries = scenario.ledger.load(Opportunity, OPPORTUNITY).entries
        days_in_order = [day for entry in entries for day in (entry.day(calendar), entry.left_after(calendar))]
        assert days_in_order == sorted(days_in_order)
        assert days_in_order[-1] <= TODAY


@settings(max_examples=100, deadline=None)
@given(st.lists(about_customers, max_size=14))
def test_a_customer_stays_consistent(asked: list[Command]) -> None:
    scenario = beginning()
    for ask in asked:
        scenario.when(ask, CUSTOMER)
        customer = scenario.ledger.load(Customer, CUSTOMER)
        assert sum(bool(contact["is_main"]) for contact in customer.contacts.values()) <= 1
        assert customer.call_backs <= 3
        assert not (customer.call_backs == 3 and customer.intent == "pending")


@settings(max_examples=60, deadline=None)
@given(st.lists(about_customers | about_deals | about_money, max_size=20))
def test_what_happens_again_makes_the_same_aggregates(asked: list[Any]) -> None:
    scenario = beginning()
    kept: dict[Any, Any] = {}
    remember(scenario, kept)
    for ask in asked:
        command = _reversal(scenario, *ask) if isinstance(ask, tuple) else ask
        for to in (CUSTOMER, OPPORTUNITY, RECEIVABLE):
            scenario.when(command, to)
    assert kept
    for one, aggregate in kept.items():
        again = scenario.ledger.load(type(aggregate), one)
        assert vars(again) == vars(aggregate)


def remember(scenario: Scenario, kept: dict[Any, Any]) -> None:
    """Keep every aggregate as the command left it, to compare with what its events make of it."""
    save = scenario.ledger.save

    def saving(*aggregates: Any, **conditions: Any) -> Any:
        outcome = save(*aggregates, **conditions)
        kept.update({aggregate.id: aggregate for aggregate in aggregates})
        return outcome

    kept[CUSTOMER] = scenario.ledger.load(Customer, CUSTOMER)
    scenario.ledger.save = saving  # type: ignore[method-assign]


def _reversal(scenario: Scenario, place: int, occurred_on: date, reason: str | None) -> ReversePayment:
    """One of the payments there are goes back, if there are so many."""
    payments = list(scenario.ledger.load(Receivable, RECEIVABLE).payments)
    payment_id = payments[place % len(payments)] if payments else CUSTOMER
    return ReversePayment(payment_id=payment_id, occurred_on=occurred_on, reason=reason)
