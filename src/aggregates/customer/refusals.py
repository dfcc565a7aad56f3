"""What a customer's rules refuse."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from aggregates.base import DomainError


class CustomerArchived(DomainError):
    """The customer is in the archive: nothing changes until it is reopened."""

    code = "customer-archived"
    customer: str


class CustomerNotArchived(DomainError):
    """Only a customer in the archive can be reopened."""

    code = "customer-not-archived"
    customer: str


class NameMissing(DomainError):
    """Customers and their contacts have names: they can be changed, not cleared."""

    code = "name-missing"
    at = "name"


class ContactUnknown(DomainError):
    """The customer has no such contact, or no longer."""

    code = "contact-unknown"
    at = "contact_id"
    contact_id: UUID


class LifecycleAlready(DomainError):
    """The customer is there already."""

    code = "lifecycle-already"
    at = "lifecycle"
    lifecycle: str


class LifecycleMoveUnusual(DomainError):
    """The lifecycle goes from potential to interested, won and churned; any other move needs a reason."""

    code = "lifecycle-move-unusual"
    at = "lifecycle"
    lifecycle: str
    current: str
    possible: tuple[str, ...]


class WonWithoutBasis(DomainError):
    """A customer is won by a signed contract or a first payment: say which (LIF-2)."""

    code = "won-without-basis"
    at = "basis"


class ChurnReasonMissing(DomainError):
    """Why a customer was lost is counted every year: say why (LIF-10)."""

    code = "churn-reason-missing"
    at = "churn_reason"


class ChurnTooEarly(DomainError):
    """A customer is lost after three months without a deal and without an answer; earlier only with a reason (LIF-2).

    `dealt_on` is the day of the last deal and `answered_on` that of the last answer, as far as the customer's own
    history knows them.
    """

    code = "churn-too-early"
    at = "reason"
    occurred_on: date
    earliest: date
    dealt_on: date | None
    answered_on: date | None


class ChurnReasonUncalledFor(DomainError):
    """Only a customer that is lost has a reason for being lost."""

    code = "churn-reason-uncalled-for"
    at = "churn_reason"


class LifecycleMovedLater(DomainError):
    """A move cannot be dated before the one that came before it, unless it is a correction with a reason."""

    code = "lifecycle-moved-later"
    at = "occurred_on"
    occurred_on: date
    earliest: date


class CallBacksEnded(DomainError):
    """The intent was decided, so there is nothing more to call back about (LIF-5)."""

    code = "call-backs-ended"
    at = "is_call_back"
    intent: str
    call_backs: int


class IntentUndecided(DomainError):
    """The third call-back is the last: it must end with an intent or without one, not pending (LIF-5)."""

    code = "intent-undecided"
    at = "intent"
    call_backs: int


class FollowUpInFuture(DomainError):
    """A conversation can be noted once it has taken place; what is planned is the next contact."""

    code = "follow-up-in-future"
    at = "occurred_at"
    occurred_at: datetime
    now: datetime


class NextContactTooEarly(DomainError):
    """The next contact comes after this one."""

    code = "next-contact-too-early"
    at = "next_contact_on"
    next_contact_on: date
    earliest: date


class DealDateMissing(DomainError):
    """A follow-up that won the customer says on which day (FUP-6)."""

    code = "deal-date-missing"
    at = "deal_on"


class CallBackIntentMissing(DomainError):
    """A call-back ends with an intent, without one, or pending: say which (LIF-4)."""

    code = "call-back-intent-missing"
    at = "call_back_intent"


class CallBackIntentUncalledFor(DomainError):
    """Only a call-back sets the intent with the follow-up."""

    code = "call-back-intent-uncalled-for"
    at = "call_back_intent"
