"""Days and moments: they exist, say their offset from UTC, and lie within what a business can mean."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from typing import Annotated, Any

from pydantic import AwareDatetime, BeforeValidator, Field
from pydantic_core import PydanticKnownError

FIRST_DAY = date(1900, 1, 1)
LAST_DAY = date(2200, 12, 31)

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}.*", re.ASCII)


def _a_day(value: Any) -> Any:
    """A day as 2026-01-31; a number is no day, although it could be taken for seconds since 1970, nor is a moment."""
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    if not isinstance(value, str):
        raise PydanticKnownError("date_type")
    text = value.strip()
    try:
        if _DAY.fullmatch(text):
            return date.fromisoformat(text)
    except ValueError:
        pass
    raise PydanticKnownError("date_parsing", {"error": "no such day"})


def _a_moment(value: Any) -> Any:
    """A moment as 2026-01-31T09:30:00+08:00; a number is none, although it could be taken for seconds since 1970."""
    if isinstance(value, datetime):
        return value
    if not isinstance(value, str):
        raise PydanticKnownError("datetime_type")
    text = value.strip()
    try:
        if _MOMENT.fullmatch(text):
            return datetime.fromisoformat(text.upper())
    except ValueError:
        pass
    raise PydanticKnownError("datetime_parsing", {"error": "no such moment"})


Day = Annotated[date, Field(ge=FIRST_DAY, le=LAST_DAY), BeforeValidator(_a_day)]
"""A day of the business, wherever it is."""

Moment = Annotated[
    AwareDatetime,
    Field(ge=datetime(1900, 1, 1, tzinfo=UTC), le=datetime(2200, 12, 31, tzinfo=UTC)),
    BeforeValidator(_a_moment),
]
"""A moment, with its offset from UTC."""
