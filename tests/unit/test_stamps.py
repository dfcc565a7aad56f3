"""Moments in the names of files."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from ledger.stamps import stamp, stamped

MOMENT = datetime(2026, 1, 31, 9, 30, 0, 1, tzinfo=timezone(timedelta(hours=8)))


def test_a_stamp_is_in_utc_and_says_its_moment() -> None:
    assert stamp(MOMENT) == "20260131T013000.000001Z"
    assert stamped(stamp(MOMENT)) == MOMENT
    assert stamp(MOMENT) < stamp(MOMENT + timedelta(microseconds=1)) < stamp(datetime(2027, 1, 1, tzinfo=UTC))


@pytest.mark.parametrize(
    "text", ["", "20260131T013000Z", "2026131T013000.000001Z", "20260231T013000.000000Z", "20260131T013000.000001Z-x"]
)
def test_what_is_no_stamp_says_nothing(text: str) -> None:
    assert stamped(text) is None
