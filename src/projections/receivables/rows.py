"""The rows of the receivables: what is owed, every movement of money, disputes and reminders."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

import msgspec


class ReceivableRow(msgspec.Struct):
    """Something a customer owes: what was asked for, and the sums of all that came in or was given up since.

    `moved_on` is the day of the latest movement: on that day and later, the sums are those of the row.
    """

    receivable_id: UUID
    customer_id: UUID
    opportunity_id: UUID | None
    order_no: str | None
    instalment: int
    invoice_no: str | None
    description: str | None
    amount: Decimal
    currency: str
    issued_on: date
    due_on: date
    terms_days: int | None
    requested: bool
    collected: Decimal
    written_off: Decimal
    open: Decimal
    moved_on: date | None
    movements: int
    disputes: int
    reminders: int
    version: int
    recorded_at: datetime
    changed_at: datetime


class MovementRow(msgspec.Struct):
    """Money that came in, went back, or was given up: how much it adds to what was collected or written off."""

    receivable_id: UUID
    seq: int
    customer_id: UUID
    kind: str
    occurred_on: date
    amount: Decimal
    currency: str
    collected: Decimal
    written_off: Decimal
    payment_id: UUID | None
    method: str | None
    note: str | None
    recorded_at: datetime


class DisputeRow(msgspec.Struct):
    """A dispute, from the day it was raised until before the day it was settled."""

    receivable_id: UUID
    seq: int
    from_on: date
    until_on: date | None
    note: str | None
    settlement: str | None


class ReminderRow(msgspec.Struct):
    """A reminder to pay."""

    receivable_id: UUID
    seq: int
    occurred_on: date
    channel: str
    note: str | None
    recorded_at: datetime
