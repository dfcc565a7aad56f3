"""Reports of receivables."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from pydantic import BaseModel, Field

from api.answers.shapes.common import Amount, Key, Position


class Counted(BaseModel):
    """So many, together so much."""

    count: int
    amount: Amount


class Collected(BaseModel):
    """What came in."""

    amount: Amount


class OverdueSum(Counted):
    """What is past due, and by how many days at most."""

    max_days_past_due: int | None


class Bucket(Counted):
    """What is open, by days past due."""

    bucket: str = Field(examples=["1-30"])


class AgingGroup(BaseModel):
    """The receivables of one group."""

    key: Key
    invoiced: Counted
    collected: Collected
    open: Counted
    overdue: OverdueSum
    buckets: list[Bucket]


class Aging(BaseModel):
    """What is open and how long it has been due, at the end of a day."""

    on: date
    position: Position
    groups: list[AgingGroup]


class StatusGroup(BaseModel):
    """The receivables of one payment status."""

    key: Key
    customers: int
    receivables: int
    amount: Amount
    collected: Amount
    open: Amount
    partly_paid: int


class Statuses(BaseModel):
    """How much has which payment status, at the end of a day."""

    on: date
    position: Position
    groups: list[StatusGroup]


class PunctualityGroup(BaseModel):
    """How punctually one group pays."""

    key: Key
    paid: Counted
    late: int
    late_share: float
    mean_days_late: float | None
    mean_days_to_pay: float


class Punctuality(BaseModel):
    """Of what was paid by a day: how much was late, and how late."""

    on: date
    position: Position
    groups: list[PunctualityGroup]


class Entry(BaseModel):
    """One line of a statement; `change` is positive for what is owed."""

    occurred_on: date
    kind: str = Field(examples=["invoice"])
    change: Amount
    receivable_id: UUID
    invoice_no: str | None
    order_no: str | None
    instalment: int
    balance: Amount


class Account(BaseModel):
    """A customer's account in one currency."""

    currency: str = Field(examples=["CNY"])
    opening: Amount
    entries: list[Entry]
    charged: Amount
    credited: Amount
    closing: Amount


class Statement(BaseModel):
    """A customer's statement of account."""

    customer_id: UUID
    customer: str | None
    customer_code: str | None
    from_on: date
    until_on: date
    position: Position
    accounts: list[Account]
