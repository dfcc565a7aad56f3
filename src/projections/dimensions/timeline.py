"""Facts that hold from a day until before another: timelines without gap or overlap, kept by the folds.

The first word on a subject has no beginning unless it names a day: it is the earliest thing known, so it reaches back
as far as anybody may ask. (Whether the subject itself existed on a day is another fact, kept elsewhere.)
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from functools import lru_cache
from typing import Any, Protocol, TypeVar
from uuid import UUID
from zoneinfo import ZoneInfo

from msgspec.structs import replace

DAWN = date.min
"""Before every day that anybody can name."""


class Span(Protocol):
    """A row of a timeline: it holds on each day d with `from_on <= d < until_on`; without `until_on`, for good."""

    from_on: date
    until_on: date | None


S = TypeVar("S", bound=Span)


class Spans(Protocol[S]):
    """The table that a timeline is kept in."""

    def of(self, key: Any, /) -> Sequence[S]:
        """The rows of one subject."""

    def add(self, row: S, /) -> None:
        """Adds a row."""


def on_day(rows: Sequence[S], day: date) -> S | None:
    """The row that holds on the day."""
    return next((row for row in rows if row.from_on <= day and (row.until_on is None or row.until_on > day)), None)


def insert(table: Spans[S], subject: UUID, day: date, **values: Any) -> None:
    """The values hold from the day until the next dated word; a word for the same day replaces the earlier one."""
    row = _begin(table, subject, day)
    for name, value in values.items():
        setattr(row, name, value)


def turn(table: Spans[S], subject: UUID, day: date, values: dict[str, Any], until: date | None = None) -> None:
    """The values hold from the day on, whatever was said before of later days; with `until`, only until that day."""
    _begin(table, subject, day)
    if until is not None:
        _begin(table, subject, until)
    for row in table.of(subject):
        if row.from_on >= day and (until is None or row.from_on < until):
            for name, value in values.items():
                setattr(row, name, value)


def _begin(table: Spans[S], subject: UUID, day: date) -> S:
    """The row that begins on the day, split off the one that holds then."""
    holding = on_day(table.of(subject), day)
    if holding is None:
        raise LookupError(subject, day)
    if holding.from_on == day:
        return holding
    begun: S = replace(holding, from_on=day)  # type: ignore[type-var]
    holding.until_on = day
    table.add(begun)
    return begun


@lru_cache(maxsize=64)
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


def day_of(moment: datetime, time_zone: str) -> date:
    """The business day that a moment falls on."""
    return moment.astimezone(_zone(time_zone)).date()


def recorded(event: Any) -> datetime:
    """The moment at which the ledger recorded the event."""
    moment: datetime = event.recorded_at
    return moment


def customer_of(event: Any) -> UUID:
    """The customer that the event belongs to."""
    customer_id: UUID = event.customer_id
    return customer_id
