"""How often a customer is to be contacted: by its stage (REM-5), within the bounds of its grade (REM-6)."""

from __future__ import annotations

from calendar import monthrange
from datetime import date, timedelta

BY_LIFECYCLE = {"potential": timedelta(days=7), "interested": timedelta(days=3)}
"""Once a week, and every three days; a won customer is visited once a month; a churned one is left alone."""


def follow_up_due(lifecycle: str, last_on: date) -> date | None:
    """The last day for the next follow-up after one on `last_on`; None where no cadence asks for one."""
    apart = BY_LIFECYCLE.get(lifecycle)
    if apart is not None:
        return last_on + apart
    return month_after(last_on) if lifecycle == "won" else None


def month_after(day: date) -> date:
    """The same day of the next month, or that month's last day."""
    year, month = (day.year + 1, 1) if day.month == 12 else (day.year, day.month + 1)
    return date(year, month, min(day.day, monthrange(year, month)[1]))
