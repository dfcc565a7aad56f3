"""Which day it is, where the business is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, tzinfo


@dataclass(frozen=True)
class Calendar:
    """The present moment and the business time zone, in which a moment becomes a day."""

    now: datetime
    zone: tzinfo

    @property
    def today(self) -> date:
        """The business day of the present moment."""
        return self.day_of(self.now)

    def day_of(self, moment: datetime) -> date:
        """The business day that a moment belongs to."""
        return moment.astimezone(self.zone).date()
