"""What can happen to a receivable."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from uuid import UUID

from aggregates.base import Claim, Created, Event, Personal


class ReceivableEvents:
    """The events of a receivable, from issue to the last cent."""

    class Issued(Created):
        """The customer owes us an amount, due on a day (ORD-2, ORD-3)."""

        TOPIC = "receivable.issued"
        amount: Decimal
        currency: str
        issued_on: date
        due_on: date
        opportunity_id: UUID | None = None
        order_no: str | None = None
        instalment: int = 1
        invoice_no: str | None = None
        terms_days: int | None = None
        requested: bool = True
        description: Personal[str | None] = None

        def claims(self) -> Iterator[Claim]:
            """An invoice number, and an instalment of an order, are owed once (ORD-5)."""
            if self.invoice_no is not None:
                yield Claim("invoice-no", self.invoice_no)
            if self.order_no is not None:
                yield Claim("order-no", f"{self.order_no}#{self.instalment}")

    class PaymentReceived(Event):
        """Money came in."""

        TOPIC = "receivable.payment-received"
        payment_id: UUID
        amount: Decimal
        currency: str
        occurred_on: date
        method: str | None = None
        note: Personal[str | None] = None

    class PaymentReversed(Event):
        """A payment went back whole: bounced, refunded or entered by mistake."""

        TOPIC = "receivable.payment-reversed"
        payment_id: UUID
        amount: Decimal
        currency: str
        occurred_on: date

    class DueDateMoved(Event):
        """It is due on another day."""

        TOPIC = "receivable.due-date-moved"
        due_on: date

    class ReminderRecorded(Event):
        """The customer was reminded to pay (REM-9)."""

        TOPIC = "receivable.reminder-recorded"
        occurred_on: date
        channel: str
        note: Personal[str | None] = None

    class Disputed(Event):
        """The customer says that it does not owe this, or not so much."""

        TOPIC = "receivable.disputed"
        CHANGES = ("is_disputed",)
        occurred_on: date
        note: Personal[str | None] = None

    class DisputeSettled(Event):
        """The dispute is over."""

        TOPIC = "receivable.dispute-settled"
        CHANGES = ("is_disputed",)
        occurred_on: date
        note: Personal[str | None] = None

    class WrittenOff(Event):
        """We no longer expect this much of it."""

        TOPIC = "receivable.written-off"
        amount: Decimal
        currency: str
        occurred_on: date
