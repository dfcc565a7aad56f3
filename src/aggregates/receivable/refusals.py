"""What a receivable's rules refuse."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from uuid import UUID

from aggregates.base import DomainError


class AmountNotPositive(DomainError):
    """An amount that is owed, paid or written off is more than nothing."""

    code = "amount-not-positive"
    at = "amount"
    amount: Decimal


class DueBeforeIssued(DomainError):
    """It is due on the day it was issued, or later."""

    code = "due-before-issued"
    at = "due_on"
    due_on: date
    issued_on: date


class DueAgainstTerms(DomainError):
    """The day it is due and the terms say the same, or one of them is not given."""

    code = "due-against-terms"
    at = "due_on"
    due_on: date
    issued_on: date
    terms_days: int
    due_by_terms: date


class CurrencyOfOpportunity(DomainError):
    """What is owed for a deal is owed in the deal's currency: amounts of two currencies are never compared."""

    code = "currency-of-opportunity"
    at = "currency"
    currency: str
    expected: str


class BeforeIssued(DomainError):
    """Nothing can happen to it before it was issued; money that came earlier is entered on the day of issue."""

    code = "before-issued"
    at = "occurred_on"
    occurred_on: date
    issued_on: date


class ReceivableSettled(DomainError):
    """Nothing is open any more: it was paid or written off."""

    code = "receivable-settled"


class PaymentAboveOpenAmount(DomainError):
    """A payment cannot be more than what was open from its day on; `least_on` is the day on which it was least."""

    code = "payment-above-open-amount"
    at = "amount"
    amount: Decimal
    open: Decimal
    currency: str
    least_on: date


class WriteOffAboveOpenAmount(DomainError):
    """No more can be written off than what was open from that day on; `least_on` is the day on which it was least."""

    code = "write-off-above-open-amount"
    at = "amount"
    amount: Decimal
    open: Decimal
    currency: str
    least_on: date


class PaymentUnknown(DomainError):
    """It has received no such payment."""

    code = "payment-unknown"
    at = "payment_id"
    payment_id: UUID


class PaymentAlreadyReversed(DomainError):
    """The payment has gone back already."""

    code = "payment-already-reversed"
    at = "payment_id"
    payment_id: UUID


class ReversalBeforePayment(DomainError):
    """A payment cannot go back before it came."""

    code = "reversal-before-payment"
    at = "occurred_on"
    occurred_on: date
    received_on: date


class AlreadyDisputed(DomainError):
    """It is in dispute already."""

    code = "already-disputed"


class NotDisputed(DomainError):
    """Only a dispute that is going on can be settled."""

    code = "not-disputed"


class DisputeOutOfOrder(DomainError):
    """A dispute is settled after it began, and begins again after it was settled."""

    code = "dispute-out-of-order"
    at = "occurred_on"
    occurred_on: date
    earliest: date
