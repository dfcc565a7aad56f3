"""What may be asked of a receivable (ORD-2 to ORD-6, REM-9)."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from aggregates.customer import Customer
from aggregates.opportunity import Opportunity
from aggregates.opportunity.refusals import CustomerUnclear, OfAnotherCustomer
from aggregates.pipeline import Pipeline
from aggregates.receivable import Receivable
from aggregates.receivable.refusals import (
    AlreadyDisputed,
    AmountNotPositive,
    BeforeIssued,
    CurrencyOfOpportunity,
    DisputeOutOfOrder,
    DueAgainstTerms,
    DueBeforeIssued,
    NotDisputed,
    PaymentAboveOpenAmount,
    PaymentAlreadyReversed,
    PaymentUnknown,
    ReceivableSettled,
    ReversalBeforePayment,
    WriteOffAboveOpenAmount,
)
from aggregates.refusals import CurrencyMismatch, DateInFuture, ReasonMissing
from commands.base import Command
from commands.receivables import (
    DisputeReceivable,
    IssueReceivable,
    MoveDueDate,
    ReceivePayment,
    RecordReminder,
    ReversePayment,
    SettleDispute,
    WriteOff,
)
from ledger.errors import NotFound
from unit.scenario import CUSTOMER, NOBODY, OPPORTUNITY, PAYMENT, RECEIVABLE, TODAY, Scenario

JUNE = [date(2026, 6, day) for day in range(1, 31)]
HUNDRED = Decimal(100)


def issued(**what: Any) -> IssueReceivable:
    return IssueReceivable.model_validate({"amount": "1500.00", **what})


def paid(amount: str, **how: Any) -> ReceivePayment:
    return ReceivePayment.model_validate({"amount": amount, **how})


def given_paid(scenario: Scenario, amount: int, occurred_on: date = JUNE[9]) -> Scenario:
    return scenario.given(Receivable.PaymentReceived, amount=Decimal(amount), occurred_on=occurred_on)


def test_a_receivable_is_issued_with_terms_ord_3_ord_5(customer: Scenario) -> None:
    customer.when(
        issued(order_no="SO-17", instalment=2, invoice_no="0000611365", issued_on="2026-01-31", terms_days=30), CUSTOMER
    )
    event = customer.then(
        Receivable.Issued,
        customer_id=CUSTOMER,
        amount=Decimal("1500.00"),
        currency="CNY",
        issued_on=date(2026, 1, 31),
        due_on=date(2026, 3, 2),
        terms_days=30,
        invoice_no="0000611365",
        requested=True,
    )
    claims = [(claim.kind, claim.value) for claim in event.claims()]
    assert claims == [("invoice-no", "0000611365"), ("order-no", "SO-17#2")]


def test_a_receivable_is_due_on_a_day_or_at_once_ord_3(customer: Scenario) -> None:
    customer.when(issued(due_on="2026-07-01"), CUSTOMER).then(
        Receivable.Issued, issued_on=TODAY, due_on=date(2026, 7, 1)
    )
    customer.when(issued(), CUSTOMER).then(Receivable.Issued, due_on=TODAY, terms_days=None)
    customer.when(issued(due_on="2026-06-14"), CUSTOMER).then_refused(DueBeforeIssued, issued_on=TODAY)
    customer.when(issued(issued_on="2026-06-16"), CUSTOMER).then_refused(DateInFuture, field="issued_on")


def test_the_day_it_is_due_and_the_terms_say_the_same_ord_3(customer: Scenario) -> None:
    both = {"issued_on": "2026-06-01", "terms_days": 30}
    customer.when(issued(due_on="2026-07-02", **both), CUSTOMER).then_refused(
        DueAgainstTerms, due_on=date(2026, 7, 2), terms_days=30, due_by_terms=date(2026, 7, 1), issued_on=JUNE[0]
    )
    assert customer.refusal is not None
    assert customer.refusal.pointer == "due_on"
    customer.when(issued(due_on="2026-07-01", **both), CUSTOMER)
    customer.then(Receivable.Issued, due_on=date(2026, 7, 1), terms_days=30)
    at_once = issued(due_on="2026-06-15", terms_days=0)
    customer.when(at_once, CUSTOMER).then(Receivable.Issued, due_on=TODAY, terms_days=0)
    customer.when(issued(due_on="2026-06-16", terms_days=0), CUSTOMER).then_refused(DueAgainstTerms)


def test_what_is_owed_for_a_deal_has_the_currency_of_the_deal_ord_5(customer: Scenario) -> None:
    customer.given(Pipeline.Defined).given(Opportunity.Opened, currency="USD")
    customer.when(issued(opportunity_id=OPPORTUNITY), CUSTOMER).then(Receivable.Issued, currency="USD")
    customer.when(issued(opportunity_id=OPPORTUNITY, currency="CNY"), CUSTOMER)
    customer.then_refused(CurrencyOfOpportunity, currency="CNY", expected="USD")
    customer.when(issued(currency="EUR"), CUSTOMER).then(Receivable.Issued, currency="EUR")


def test_a_receivable_belongs_to_a_customer_and_to_its_opportunity(opportunity: Scenario) -> None:
    opportunity.when(issued(opportunity_id=OPPORTUNITY), CUSTOMER)
    opportunity.then(Receivable.Issued, opportunity_id=OPPORTUNITY)
    opportunity.given(Customer.Registered, id=NOBODY, code="C2", customer_id=NOBODY)
    opportunity.when(issued(opportunity_id=OPPORTUNITY), NOBODY).then_refused(OfAnotherCustomer)
    opportunity.when(issued(opportunity_id=PAYMENT), CUSTOMER).then_refused(NotFound, kind="opportunity")
    opportunity.when(issued()).then_refused(CustomerUnclear)


def test_the_first_payment_wins_the_customer_lif_2_ord_6(receivable: Scenario) -> None:
    receivable.when(paid("40", occurred_on=JUNE[9], method="银行转账", note="首款"), RECEIVABLE)
    receivable.then(
        Receivable.PaymentReceived,
        amount=Decimal(40),
        currency="CNY",
        occurred_on=JUNE[9],
        method="银行转账",
        customer_id=CUSTOMER,
    )
    receivable.then(Customer.LifecycleMoved, lifecycle="won", basis="payment", occurred_on=JUNE[9])
    receivable.when(paid("60"), RECEIVABLE).then(Receivable.PaymentReceived, amount=Decimal(60), occurred_on=TODAY)
    receivable.then_nothing()


def test_money_of_an_archived_customer_is_still_taken_in(receivable: Scenario) -> None:
    receivable.given(Customer.Archived).when(paid("100"), RECEIVABLE).then(Receivable.PaymentReceived)
    receivable.then_nothing()


def test_a_payment_is_never_more_than_is_open_ord_2(receivable: Scenario) -> None:
    given_paid(receivable, 60)
    receivable.when(paid("40.01"), RECEIVABLE)
    receivable.then_refused(PaymentAboveOpenAmount, amount=Decimal("40.01"), open=Decimal(40), currency="CNY")
    assert receivable.refusal is not None
    assert receivable.refusal.values["least_on"] == TODAY
    receivable.when(paid("40"), RECEIVABLE).then(Receivable.PaymentReceived)


def test_a_payment_dated_back_is_never_more_than_was_open_on_any_day_since(receivable: Scenario) -> None:
    given_paid(receivable, 100, JUNE[4])
    receivable.given(
        Receivable.PaymentReversed, payment_id=PAYMENT, amount=HUNDRED, currency="CNY", occurred_on=JUNE[9]
    )
    back = paid("1", occurred_on=JUNE[6])
    receivable.when(back, RECEIVABLE).then_refused(PaymentAboveOpenAmount, open=Decimal(0), least_on=JUNE[6])
    before = paid("1", occurred_on=JUNE[1])
    receivable.when(before, RECEIVABLE).then_refused(PaymentAboveOpenAmount, open=Decimal(0), least_on=JUNE[4])
    receivable.when(paid("1", occurred_on=JUNE[2]), RECEIVABLE).then_refused(PaymentAboveOpenAmount)
    receivable.when(paid("100", occurred_on=JUNE[9]), RECEIVABLE).then(Receivable.PaymentReceived)


def test_a_payment_has_the_currency_and_the_days_of_its_receivable(receivable: Scenario) -> None:
    receivable.when(paid("1", currency="USD"), RECEIVABLE).then_refused(
        CurrencyMismatch, currency="USD", expected="CNY"
    )
    receivable.when(paid("1", occurred_on="2026-05-31"), RECEIVABLE).then_refused(BeforeIssued, issued_on=JUNE[0])
    receivable.when(paid("1", occurred_on="2026-06-16"), RECEIVABLE).then_refused(DateInFuture)


def test_a_payment_goes_back_once_and_whole_with_a_reason(receivable: Scenario) -> None:
    given_paid(receivable, 60)
    back = ReversePayment(payment_id=PAYMENT, reason="退票")
    receivable.when(ReversePayment(payment_id=PAYMENT), RECEIVABLE).then_refused(ReasonMissing)
    receivable.when(ReversePayment(payment_id=NOBODY, reason="x"), RECEIVABLE).then_refused(PaymentUnknown)
    early = ReversePayment(payment_id=PAYMENT, reason="x", occurred_on=JUNE[8])
    receivable.when(early, RECEIVABLE).then_refused(ReversalBeforePayment, received_on=JUNE[9])
    late = ReversePayment(payment_id=PAYMENT, reason="x", occurred_on=JUNE[20])
    receivable.when(late, RECEIVABLE).then_refused(DateInFuture)
    receivable.when(back, RECEIVABLE)
    receivable.then(Receivable.PaymentReversed, payment_id=PAYMENT, amount=Decimal(60), currency="CNY", reason="退票")
    receivable.when(back, RECEIVABLE).then_refused(PaymentAlreadyReversed, payment_id=PAYMENT)
    receivable.when(paid("100"), RECEIVABLE).then(Receivable.PaymentReceived)


def test_the_due_date_moves_but_not_before_issue(receivable: Scenario) -> None:
    receivable.when(MoveDueDate(due_on=JUNE[20]), RECEIVABLE).then(Receivable.DueDateMoved, due_on=JUNE[20])
    receivable.when(MoveDueDate(due_on=JUNE[20]), RECEIVABLE).then_nothing()
    receivable.when(MoveDueDate(due_on=date(2026, 5, 31)), RECEIVABLE).then_refused(DueBeforeIssued)


def test_a_reminder_is_recorded_rem_9(receivable: Scenario) -> None:
    receivable.when(RecordReminder(channel="phone", note="答应下周付款"), RECEIVABLE)
    receivable.then(Receivable.ReminderRecorded, channel="phone", note="答应下周付款", occurred_on=TODAY)
    receivable.when(RecordReminder(channel="phone", occurred_on=JUNE[20]), RECEIVABLE).then_refused(DateInFuture)


def test_a_dispute_begins_and_is_settled_in_order(receivable: Scenario) -> None:
    receivable.when(SettleDispute(), RECEIVABLE).then_refused(NotDisputed)
    receivable.when(DisputeReceivable(occurred_on=JUNE[4], note="数量不符"), RECEIVABLE)
    receivable.then(Receivable.Disputed, occurred_on=JUNE[4], note="数量不符")
    receivable.when(DisputeReceivable(), RECEIVABLE).then_refused(AlreadyDisputed)
    early = SettleDispute(occurred_on=JUNE[3])
    receivable.when(early, RECEIVABLE).then_refused(DisputeOutOfOrder, earliest=JUNE[4])
    receivable.when(SettleDispute(occurred_on=JUNE[8]), RECEIVABLE).then(Receivable.DisputeSettled, occurred_on=JUNE[8])
    receivable.when(DisputeReceivable(occurred_on=JUNE[7]), RECEIVABLE).then_refused(DisputeOutOfOrder)
    receivable.when(DisputeReceivable(), RECEIVABLE).then(Receivable.Disputed)


def test_a_disputed_receivable_can_be_paid_and_its_dispute_settled_afterwards(receivable: Scenario) -> None:
    receivable.given(Receivable.Disputed, occurred_on=JUNE[4])
    receivable.when(paid("100"), RECEIVABLE).then(Receivable.PaymentReceived)
    receivable.when(SettleDispute(), RECEIVABLE).then(Receivable.DisputeSettled)


def test_at_most_what_is_open_is_written_off_with_a_reason(receivable: Scenario) -> None:
    given_paid(receivable, 60)
    receivable.when(WriteOff(amount=Decimal(1)), RECEIVABLE).then_refused(ReasonMissing)
    more = WriteOff(amount=Decimal("40.01"), reason="x")
    receivable.when(more, RECEIVABLE).then_refused(WriteOffAboveOpenAmount, open=Decimal(40), currency="CNY")
    dollars = WriteOff(currency="USD", reason="x")
    receivable.when(dollars, RECEIVABLE).then_refused(CurrencyMismatch)
    early = WriteOff(occurred_on=date(2026, 5, 31), reason="x")
    receivable.when(early, RECEIVABLE).then_refused(BeforeIssued)
    some = WriteOff(amount=Decimal(15), reason="尾差")
    receivable.when(some, RECEIVABLE).then(Receivable.WrittenOff, amount=Decimal(15), currency="CNY")
    receivable.when(WriteOff(reason="坏账"), RECEIVABLE).then(Receivable.WrittenOff, amount=Decimal(25), reason="坏账")


@pytest.mark.parametrize(
    "command",
    [
        paid("1"),
        MoveDueDate(due_on=JUNE[20]),
        RecordReminder(channel="phone"),
        DisputeReceivable(),
        WriteOff(reason="x"),
    ],
    ids=lambda command: command.action,
)
def test_nothing_is_asked_of_what_is_settled(receivable: Scenario, command: Command) -> None:
    given_paid(receivable, 100).when(command, RECEIVABLE).then_refused(ReceivableSettled)


def test_an_amount_is_more_than_nothing(receivable: Scenario) -> None:
    for amount in ("0", "-1"):
        nothing = ReceivePayment.model_construct(
            amount=Decimal(amount), occurred_on=None, currency=None, method=None, note=None, reason=None
        )
        receivable.when(nothing, RECEIVABLE).then_refused(AmountNotPositive, amount=Decimal(amount))
