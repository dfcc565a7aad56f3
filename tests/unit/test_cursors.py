"""Page cursors fit only the question they were given out for, and cannot be altered."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from projections.engine.lists.cursor import Cursors, ForeignCursor

CURSORS = Cursors(b"secret")


def test_values_come_back_as_json_has_them() -> None:
    values = ["云", None, 3, True, Decimal("1.50"), date(2026, 1, 2), datetime(2026, 1, 2, tzinfo=UTC), UUID(int=1)]
    cursor = CURSORS.write(values, b"question")
    assert CURSORS.read(cursor, b"question") == [
        "云",
        None,
        3,
        True,
        "1.50",
        "2026-01-02",
        "2026-01-02T00:00:00Z",
        str(UUID(int=1)),
    ]


def test_another_question_and_another_secret_are_refused() -> None:
    cursor = CURSORS.write(["a"], b"question")
    with pytest.raises(ForeignCursor):
        CURSORS.read(cursor, b"another")
    with pytest.raises(ForeignCursor):
        Cursors(b"other").read(cursor, b"question")


@given(st.integers(min_value=0), st.integers(min_value=1, max_value=255))
def test_no_byte_can_be_changed(place: int, change: int) -> None:
    cursor = CURSORS.write(["a", 1], b"question")
    altered = bytearray(cursor.encode())
    altered[place % len(altered)] ^= change
    text = altered.decode("latin-1")
    # Another spelling of the very same bytes (the unused last bits of base64) is no alteration.
    try:
        assert CURSORS.read(text, b"question") == ["a", 1]
    except ForeignCursor:
        return


@given(st.text())
def test_nonsense_is_refused_and_nothing_else_happens(text: str) -> None:
    with pytest.raises(ForeignCursor):
        CURSORS.read(text, b"question")


def test_the_secret_is_not_shown() -> None:
    assert "secret" not in repr(CURSORS)
