"""Moments in the names of files: in UTC and to the microsecond, so that names in their order are in that of time."""

from __future__ import annotations

import re
from datetime import UTC, datetime

STAMP = r"[0-9]{8}T[0-9]{6}\.[0-9]{6}Z"
"""What such a name, or its part, looks like: 20261122T073040.123456Z (ISO 8601, basic format)."""
_FORM = "%Y%m%dT%H%M%S.%fZ"


def stamp(moment: datetime) -> str:
    """The moment as it stands in a name."""
    return moment.astimezone(UTC).strftime(_FORM)


def stamped(text: str) -> datetime | None:
    """The moment that a stamp says; none of what is no stamp, or says a moment that there never was."""
    if not re.fullmatch(STAMP, text):
        return None
    try:
        return datetime.strptime(text, _FORM).replace(tzinfo=UTC)
    except ValueError:
        return None
