"""What can be asked for about receivables."""

from __future__ import annotations

from uuid import UUID

from pydantic import ConfigDict, Field

from aggregates.choices import Basis
from aggregates.customer import Customer
from aggregates.opportunity import Opportunity
from aggregates.opportunity.refusals import OfAnotherCustomer
from aggregates.receivable import Receivable
from aggregates.receivable.refusals import CurrencyOfOpportunity
from commands.base import Changed, Command, Work
from commands.fields import Amount, Code, CurrencyField, Day, Label, Prose
from commands.whose import customer_of


class IssueReceivable(Command):
    """Let the customer owe an amount, due on a day or so many days after issue; at once when neither is said."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "order_no": "SO-2026-0017",
                    "invoice_no": "0000611365",
                    "amount": "1500.00",
                    "issued_on": "2026-01-31",
                    "terms_days": 30,
                }
            ]
        }
    )

    customer_id: UUID | None = Field(None, description="The customer, where the address does not say it.")
    opportunity_id: UUID | None = Field(None, description="The deal that it comes from.")
    order_no: Code | None = Field(None, description="The order that it belongs to (订单编号).")
    instalment: int = Field(1, ge=1, le=1_000, description="Which instalment of the order: 1 is the first (首款).")
    invoice_no: Code | None = Field(None, description="The invoice; kept as text, leading zeros stay.")
    amount: Amount = Field(description="What is owed.")
    currency: CurrencyField | None = Field(
        None, description="The deal's currency, which it must be, or else the workspace's when it is not said."
    )
    issued_on: Day | None = Field(None, description="The day of issue; today when it is not said.")
    due_on: Day | None = Field(None, description="The day it is due; with terms_days too, both must say the same.")
    terms_days: int | None = Field(None, ge=0, le=3_650, description="Due so many days after issue.")
    requested: bool = Field(True, description="Whether payment was asked for (待付款) or not yet (未付款).")
    description: Prose | None = None

    def record(self, to: UUID | None) -> UUID | None:
        """The customer, on which it is decided."""
        return to or self.customer_id

    def perform(self, to: UUID | None, work: Work) -> Changed:
        """Issue the receivable."""
        customer = customer_of(to, self.customer_id, work)
        currency = self.currency or work.settings.currency
        if self.opportunity_id is not None:
            opportunity = work.load(Opportunity, self.opportunity_id)
            if opportunity.customer_id != customer.id:
                raise OfAnotherCustomer
            currency = self.currency or opportunity.currency
            if currency != opportunity.currency:
                raise CurrencyOfOpportunity(currency=currency, expected=opportunity.currency)
        receivable = Receivable.issue(
            work.new_id(),
            work.today,
            customer_id=customer.id,
            amount=self.amount,
            currency=currency,
            issued_on=self.issued_on or work.today,
            due_on=self.due_on,
            terms_days=self.terms_days,
            opportunity_id=self.opportunity_id,
            order_no=self.order_no,
            instalment=self.instalment,
            invoice_no=self.invoice_no,
            requested=self.requested,
            description=self.description,
        )
        return (receivable,)


class ReceivePayment(Command):
    """Take money in, in part or in full; the first payment makes the customer a won one (成交)."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"amount": "1500.00", "occurred_on": "2026-02-14"}]})

    amount: Amount = Field(description="What came in; never more than is open.")
    currency: CurrencyField | None = Field(None, description="The receivable's own, when it is not said.")
    occurred_on: Day | None = Field(None, description="The day it came in; today when it is not said.")
    method: Label | None = Field(None, description="How it was paid.", examples=["银行转账"])
    note: Prose | None = None

    def perform(self, to: UUID | None, work: Work) -> Changed:
        """Receive the payment."""
        receivable = work.load(Receivable, to)
        occurred_on = self.occurred_on or work.today
        receivable.receive_payment(
            work.new_id(),
            self.amount,
            occurred_on,
            work.today,
            currency=self.currency,
            method=self.method,
            note=self.note,
        )
        customer = work.load(Customer, receivable.customer_id)
        customer.become_won(occurred_on, Basis.PAYMENT.value)
        return (receivable, customer)


class ReversePayment(Command):
    """Let a payment go back whole, once; it needs a reason."""

    payment_id: UUID
    occurred_on: Day | None = Field(None, description="The day it went back; today when it is not said.")

    def perform(self, to: UUID | None, work: Work) -> Changed:
        """Reverse the payment."""
        receivable = work.load(Receivable, to)
        receivable.reverse_payment(self.payment_id, self.occurred_on or work.today, work.today, self.reason)
        return (receivable,)


class MoveDueDate(Command):
    """Let the receivable be due on another day."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"due_on": "2026-03-31"}]})

    due_on: Day

    def perform(self, to: UUID | None, work: Work) -> Changed:
        """Move the due date."""
        receivable = work.load(Receivable, to)
        receivable.move_due_date(self.due_on)
        return (receivable,)


class RecordReminder(Command):
    """Note that the customer was reminded to pay."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"channel": "phone", "note": "答应下周付款"}]})

    channel: Label = Field(description="How: by phone, e-mail, WeChat ...", examples=["phone"])
    occurred_on: Day | None = Field(None, description="The day of the reminder; today when it is not said.")
    note: Prose | None = None

    def perform(self, to: UUID | None, work: Work) -> Changed:
        """Record the reminder."""
        receivable = work.load(Receivable, to)
        receivable.record_reminder(self.occurred_on or work.today, work.today, channel=self.channel, note=self.note)
        return (receivable,)


class DisputeReceivable(Command):
    """Note that the customer contests what it owes."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"note": "数量不符"}]})

    occurred_on: Day | None = Field(None, description="The day it was contested; today when it is not said.")
    note: Prose | None = None

    def perform(self, to: UUID | None, work: Work) -> Changed:
        """Dispute the receivable."""
        receivable = work.load(Receivable, to)
        receivable.dispute(self.occurred_on or work.today, work.today, self.note)
        return (receivable,)


class SettleDispute(Command):
    """Note that the dispute is over."""

    occurred_on: Day | None = Field(None, description="The day it was settled; today when it is not said.")
    note: Prose | None = None

    def perform(self, to: UUID | None, work: Work) -> Changed:
        """Settle the dispute."""
        receivable = work.load(Receivable, to)
        receivable.settle_dispute(self.occurred_on or work.today, work.today, self.note)
        return (receivable,)


class WriteOff(Command):
    """Give up an amount, or all that is open; it needs a reason."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"amount": "12.50", "reason": "尾差"}]})

    amount: Amount | None = Field(None, description="How much; all that is open when it is not said.")
    currency: CurrencyField | None = Field(None, description="The receivable's own, when it is not said.")
    occurred_on: Day | None = Field(None, description="The day of giving it up; today when it is not said.")

    def perform(self, to: UUID | None, work: Work) -> Changed:
        """Write it off."""
        receivable = work.load(Receivable, to)
        receivable.write_off(self.amount, self.occurred_on or work.today, work.today, self.reason, self.currency)
        return (receivable,)
