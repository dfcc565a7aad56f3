"""How a customer's lifecycle and intent may move (LIF-1 to LIF-5)."""

from __future__ import annotations

from calendar import monthrange
from datetime import date

from aggregates.choices import Basis, Intent, Lifecycle

USUAL_MOVES: dict[str, tuple[str, ...]] = {
    Lifecycle.POTENTIAL: (Lifecycle.INTERESTED, Lifecycle.WON),
    Lifecycle.INTERESTED: (Lifecycle.WON,),
    Lifecycle.WON: (Lifecycle.CHURNED,),
    Lifecycle.CHURNED: (Lifecycle.INTERESTED, Lifecycle.WON),
}
"""Where a customer goes from where it is. Whoever was lost may show interest or buy again; who never bought is not
lost but without intent."""

BASES_OF_WON = (Basis.CONTRACT, Basis.PAYMENT, Basis.FOLLOW_UP)

MOST_CALL_BACKS = 3

SILENT_MONTHS = 3
"""A won customer is lost after so many calendar months without a deal and without an answer (LIF-2)."""


def silent_until(day: date) -> date:
    """The first day on which so many months have passed since a day: the same day of the month, or its last one."""
    years, month = divmod(day.month - 1 + SILENT_MONTHS, 12)
    year, month = day.year + years, month + 1
    return date(year, month, min(day.day, monthrange(year, month)[1]))


def is_decided(intent: str | None) -> bool:
    """Whether call-backs have come to their end: with an intent or without one, but not pending."""
    return intent in (Intent.YES, Intent.NONE)
