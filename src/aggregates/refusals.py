"""Refusals that more than one kind of thing has in common."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from aggregates.base import DomainError


class DateInFuture(DomainError):
    """What has happened cannot be dated after today."""

    code = "date-in-future"
    field: str
    day: date
    today: date


class ReasonMissing(DomainError):
    """A correction needs a reason, so that whoever reads the history understands it."""

    code = "reason-missing"
    at = "reason"


class CurrencyMismatch(DomainError):
    """Amounts of two currencies are never added or compared."""

    code = "currency-mismatch"
    at = "currency"
    currency: str
    expected: str


class SubjectErased(DomainError):
    """Personal data of this person was erased for good, so nothing new may be written about them."""

    code = "subject-erased"
    subject: UUID


def require_past(field: str, day: date, today: date) -> None:
    """Refuse a date of something that has happened when it lies after today."""
    if day > today:
        raise DateInFuture(field=field, day=day, today=today)


def require_reason(reason: str | None) -> None:
    """Refuse a correction without a reason."""
    if not reason:
        raise ReasonMissing
