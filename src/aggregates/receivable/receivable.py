"""A receivable as its events have made it, and what may happen to it next."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, Self
from uuid import UUID

from eventsourcing.domain import event

from aggregates.base import Aggregate
from aggregates.receivable.events import ReceivableEvents as Happened
from aggregates.receivable.refusals import (
    AlreadyDisputed,
    AmountNotPositive,
    BeforeIssued,
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
from aggregates.refusals import CurrencyMismatch, require_past, require_reason

NOTHING = Decimal(0)


@dataclass(frozen=True)
class Payment:
    """Money that came in on a day, and the day it went back if it did."""

    amount: Decimal
    received_on: date
    reversed_on: date | None = None

    def held_on(self, day: date) -> Decimal:
        """How much of it we had at the end of a day."""
        is_held = self.received_on <= day and (self.reversed_on is None or self.reversed_on > day)
        return self.amount if is_held else NOTHING


class Receivable(Happened, Aggregate):
    """An amount that a customer owes us: what was paid, disputed and written off, and what is open on any day."""

    TOPIC = "receivable"

    @classmethod
    def issue(
        cls,
        id: UUID,
        today: date,
        *,
        customer_id: UUID,
        amount: Decimal,
        issued_on: date,
        due_on: date | None = None,
        terms_days: int | None = None,
        **rest: Any,
    ) -> Self:
        """Let a customer owe us an amount, due on a day or so many days after issue; at once when neither is said."""
        require_past("issued_on", issued_on, today)
        _require_positive(amount)
        by_terms = issued_on + timedelta(days=terms_days or 0)
        due = due_on or by_terms
        if due < issued_on:
            raise DueBeforeIssued(due_on=due, issued_on=issued_on)
        if terms_days is not None and due != by_terms:
            raise DueAgainstTerms(due_on=due, issued_on=issued_on, terms_days=terms_days, due_by_terms=by_terms)
        body = {"amount": amount, "issued_on": issued_on, "due_on": due, "terms_days": terms_days, **rest}
        return cls.begin(cls.Issued, id=id, customer_id=customer_id, **body)

    def __init__(self, customer_id: UUID, amount: Decimal, currency: str, issued_on: date, due_on: date) -> None:
        self._customer_id = customer_id
        self.amount = amount
        self.currency = currency
        self.issued_on = issued_on
        self.due_on = due_on
        self.payments: dict[UUID, Payment] = {}
        self.write_offs: tuple[tuple[date, Decimal], ...] = ()
        self.is_disputed = False
        self.dispute_changed_on: date | None = None

    @property
    def customer_id(self) -> UUID:
        """The customer who owes it."""
        return self._customer_id

    @property
    def open_amount(self) -> Decimal:
        """What is still open after everything that is known."""
        return self.open_on(date.max)

    def open_on(self, day: date) -> Decimal:
        """What was open at the end of a day."""
        paid = sum((payment.held_on(day) for payment in self.payments.values()), NOTHING)
        written_off = sum((amount for on, amount in self.write_offs if on <= day), NOTHING)
        return self.amount - paid - written_off

    def least_open_from(self, day: date) -> tuple[Decimal, date]:
        """The least that was open at the end of that day or of a later one, and on which: so much can be paid on it."""
        days = {day, *(payment.received_on for payment in self.payments.values()), *(on for on, _ in self.write_offs)}
        return min((self.open_on(later), later) for later in days if later >= day)

    def receive_payment(
        self,
        payment_id: UUID,
        amount: Decimal,
        occurred_on: date,
        today: date,
        *,
        currency: str | None = None,
        method: str | None = None,
        note: str | None = None,
    ) -> None:
        """Take money in, in part or in full, but never more than was open from its day on."""
        self._require_same(currency)
        self._require_open()
        _require_positive(amount)
        self._require_after_issue(occurred_on, today)
        still_open, least_on = self.least_open_from(occurred_on)
        if amount > still_open:
            raise PaymentAboveOpenAmount(amount=amount, open=still_open, currency=self.currency, least_on=least_on)
        self.trigger_event(
            self.PaymentReceived,
            payment_id=payment_id,
            amount=amount,
            currency=self.currency,
            occurred_on=occurred_on,
            method=method,
            note=note,
        )

    def reverse_payment(self, payment_id: UUID, occurred_on: date, today: date, reason: str | None) -> None:
        """Let a payment go back whole, once, with a reason."""
        payment = self.payments.get(payment_id)
        if payment is None:
            raise PaymentUnknown(payment_id=payment_id)
        if payment.reversed_on is not None:
            raise PaymentAlreadyReversed(payment_id=payment_id)
        require_reason(reason)
        require_past("occurred_on", occurred_on, today)
        if occurred_on < payment.received_on:
            raise ReversalBeforePayment(occurred_on=occurred_on, received_on=payment.received_on)
        money = {"amount": payment.amount, "currency": self.currency}
        self.trigger_event(self.PaymentReversed, payment_id=payment_id, occurred_on=occurred_on, **money)

    def move_due_date(self, due_on: date) -> None:
        """Let it be due on another day."""
        self._require_open()
        if due_on < self.issued_on:
            raise DueBeforeIssued(due_on=due_on, issued_on=self.issued_on)
        if due_on != self.due_on:
            self._due_date_moved(due_on)

    def record_reminder(self, occurred_on: date, today: date, *, channel: str, note: str | None = None) -> None:
        """Note that the customer was reminded to pay."""
        self._require_open()
        self._require_after_issue(occurred_on, today)
        self.trigger_event(self.ReminderRecorded, occurred_on=occurred_on, channel=channel, note=note)

    def dispute(self, occurred_on: date, today: date, note: str | None = None) -> None:
        """Note that the customer contests it."""
        self._require_open()
        if self.is_disputed:
            raise AlreadyDisputed
        self._require_dispute_order(occurred_on, today)
        self.trigger_event(self.Disputed, occurred_on=occurred_on, note=note)

    def settle_dispute(self, occurred_on: date, today: date, note: str | None = None) -> None:
        """Note that the dispute is over."""
        if not self.is_disputed:
            raise NotDisputed
        self._require_dispute_order(occurred_on, today)
        self.trigger_event(self.DisputeSettled, occurred_on=occurred_on, note=note)

    def write_off(
        self, amount: Decimal | None, occurred_on: date, today: date, reason: str | None, currency: str | None = None
    ) -> None:
        """Give up an amount, or all that is open, with a reason."""
        self._require_same(currency)
        self._require_open()
        require_reason(reason)
        self._require_after_issue(occurred_on, today)
        still_open, least_on = self.least_open_from(occurred_on)
        given_up = still_open if amount is None else amount
        _require_positive(given_up)
        if given_up > still_open:
            raise WriteOffAboveOpenAmount(amount=given_up, open=still_open, currency=self.currency, least_on=least_on)
        money = {"amount": given_up, "currency": self.currency}
        self.trigger_event(self.WrittenOff, occurred_on=occurred_on, **money)

    def _require_same(self, currency: str | None) -> None:
        if currency is not None and currency != self.currency:
            raise CurrencyMismatch(currency=currency, expected=self.currency)

    def _require_open(self) -> None:
        if self.open_amount <= NOTHING:
            raise ReceivableSettled

    def _require_after_issue(self, occurred_on: date, today: date) -> None:
        require_past("occurred_on", occurred_on, today)
        if occurred_on < self.issued_on:
            raise BeforeIssued(occurred_on=occurred_on, issued_on=self.issued_on)

    def _require_dispute_order(self, occurred_on: date, today: date) -> None:
        self._require_after_issue(occurred_on, today)
        if self.dispute_changed_on is not None and occurred_on < self.dispute_changed_on:
            raise DisputeOutOfOrder(occurred_on=occurred_on, earliest=self.dispute_changed_on)

    @event(Happened.PaymentReceived)
    def _payment_received(self, payment_id: UUID, amount: Decimal, occurred_on: date) -> None:
        self.payments = self.payments | {payment_id: Payment(amount, occurred_on)}

    @event(Happened.PaymentReversed)
    def _payment_reversed(self, payment_id: UUID, occurred_on: date) -> None:
        gone = replace(self.payments[payment_id], reversed_on=occurred_on)
        self.payments = self.payments | {payment_id: gone}

    @event(Happened.DueDateMoved)
    def _due_date_moved(self, due_on: date) -> None:
        self.due_on = due_on

    @event(Happened.Disputed)
    def _disputed(self, occurred_on: date) -> None:
        self.is_disputed = True
        self.dispute_changed_on = occurred_on

    @event(Happened.DisputeSettled)
    def _dispute_settled(self, occurred_on: date) -> None:
        self.is_disputed = False
        self.dispute_changed_on = occurred_on

    @event(Happened.WrittenOff)
    def _written_off(self, amount: Decimal, occurred_on: date) -> None:
        self.write_offs = (*self.write_offs, (occurred_on, amount))


def _require_positive(amount: Decimal) -> None:
    if amount <= NOTHING:
        raise AmountNotPositive(amount=amount)
