"""The rows of the tracking table, and the few facts beside them that its questions need."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

import msgspec


class CustomerRow(msgspec.Struct):
    """A customer as a salesperson's sheet shows it; nothing in it depends on what day it is.

    `follow_up_due_on` is the day by which the usual cadence asks for the next follow-up. Amounts are decimal strings by
    currency. `unanswered_at` are the attempts since somebody last answered.
    """

    customer_id: UUID
    code: str
    legacy_code: str | None
    kind: str
    placeholder: bool
    registered_at: datetime
    registered_on: date
    position: int
    updated_at: datetime
    version: int
    lifecycle: str
    name: str | None = None
    name_key: str | None = None
    industry: str | None = None
    market: str | None = None
    tier: str | None = None
    lead_source: str | None = None
    region: str | None = None
    country: str | None = None
    company_size: str | None = None
    address: str | None = None
    phone: str | None = None
    email: str | None = None
    need: str | None = None
    budget: str | None = None
    notes: str | None = None
    first_contact_on: date | None = None
    category: str | None = None
    lifecycle_on: date | None = None
    churn_reason: str | None = None
    intent: str | None = None
    call_backs: int = 0
    tags: tuple[str, ...] | None = None
    owner_id: UUID | None = None
    archived: bool = False
    contact_id: UUID | None = None
    contacts: int = 0
    follow_ups: int = 0
    last_followed_up_at: datetime | None = None
    last_followed_up_on: date | None = None
    last_follower_id: UUID | None = None
    last_method: str | None = None
    last_subject: str | None = None
    last_content: str | None = None
    last_feedback: str | None = None
    last_attitude: str | None = None
    last_inclination: str | None = None
    last_progress: int | None = None
    progress_at: datetime | None = None
    last_result: str | None = None
    result_at: datetime | None = None
    last_entered_late: bool = False
    last_answered_at: datetime | None = None
    last_answered_on: date | None = None
    unanswered: int = 0
    unanswered_at: tuple[datetime, ...] | None = None
    follow_up_due_on: date | None = None
    next_contact_on: date | None = None
    next_action: str | None = None
    agreed_at: datetime | None = None
    opportunities: int = 0
    open_opportunities: int = 0
    open_amount: dict[str, str] | None = None
    won_opportunities: int = 0
    won_amount: dict[str, str] | None = None
    receivables: int = 0
    open_receivables: int = 0
    disputed_receivables: int = 0
    open_balance: dict[str, str] | None = None


class NamesRow(msgspec.Struct):
    """What a customer is found by: every way to type it, the pairs of neighbouring characters as written, and the
    digits of its telephone numbers and those of the contact that is shown.

    Each holds one a line.
    """

    customer_id: UUID
    search: str
    pairs: str
    digits: str


class ContactRow(msgspec.Struct):
    """A person at the customer; the customer's row names the main one."""

    customer_id: UUID
    contact_id: UUID
    position: int
    is_main: bool
    name: str | None
    title: str | None
    mobile: str | None
    phone: str | None
    email: str | None


class OpportunityRow(msgspec.Struct):
    """What an opportunity adds to its customer's sums."""

    opportunity_id: UUID
    customer_id: UUID
    outcome: str
    amount: Decimal | None
    currency: str


class ReceivableRow(msgspec.Struct):
    """What a receivable adds to its customer's balance; whether it is overdue is asked for a day."""

    receivable_id: UUID
    customer_id: UUID
    currency: str
    due_on: date
    open_amount: Decimal
    disputed: bool = False


class DealRow(msgspec.Struct):
    """A follow-up that ended in a deal (FUP-6)."""

    position: int
    customer_id: UUID
    follow_up_id: UUID
    deal_on: date
    followed_up_on: date
    method: str
    progress: int | None
    inclination: str | None
    follower_id: UUID | None


class DealingRow(msgspec.Struct):
    """Something by which a customer did business with us: a deal at a follow-up, a won opportunity or a payment."""

    dealing_id: UUID
    customer_id: UUID
    occurred_on: date


class MemberRow(msgspec.Struct):
    """Somebody who owns customers or speaks with them."""

    member_id: UUID
    name: str | None
    team_id: UUID | None


class TeamRow(msgspec.Struct):
    """A team of members, and its region."""

    team_id: UUID
    name: str
    region: str | None


class SettingsRow(msgspec.Struct):
    """The business time zone and the workspace's currency: one row, with the key 1."""

    settings_id: int
    time_zone: str
    currency: str
