"""The receivables' fold: given events, then rows (ORD-2 to ORD-6)."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from aggregates.receivable import Receivable
from happenings import Happenings
from projections.engine import fold
from projections.receivables import Receivables


@pytest.fixture
def given() -> Happenings:
    """Nothing has happened yet."""
    return Happenings()


def sums(then: Receivables, receivable: UUID) -> tuple[Any, ...]:
    """What was collected and written off, what is open, and the day of the latest movement."""
    row = then.receivables[receivable]
    return (row.collected, row.written_off, row.open, row.moved_on and str(row.moved_on))


def test_a_receivable_is_kept_with_its_numbers_and_dates_ord_3(given: Happenings) -> None:
    acme = given.customer()
    numbers = {"order_no": "A-1", "instalment": 2, "invoice_no": "0000611365", "terms_days": 30}
    owed = given.issued(acme, "55.94", "2026-01-02", "2026-02-01", requested=False, **numbers)
    row = fold(Receivables, given.events).receivables[owed]
    assert (row.customer_id, row.order_no, row.instalment, row.invoice_no) == (acme, "A-1", 2, "0000611365")
    assert (row.amount, row.issued_on, row.due_on, row.terms_days, row.requested) == (
        Decimal("55.94"),
        date(2026, 1, 2),
        date(2026, 2, 1),
        30,
        False,
    )
    assert sums(fold(Receivables, given.events), owed) == (0, 0, Decimal("55.94"), None)


def test_payments_add_up_and_a_reversal_takes_one_back_ord_2(given: Happenings) -> None:
    owed = given.issued(given.customer(), "100", "2026-01-01", "2026-01-31")
    first = given.paid(owed, "60", "2026-01-20")
    given.paid(owed, "30.50", "2026-01-10")
    given.reversed(owed, first, "60", "2026-01-25")
    then = fold(Receivables, given.events)
    assert sums(then, owed) == (Decimal("30.50"), 0, Decimal("69.50"), "2026-01-25")
    assert [(row.kind, row.amount, row.collected) for row in then.movements.of(owed)] == [
        ("payment", 60, 60),
        ("payment", Decimal("30.50"), Decimal("30.50")),
        ("reversal", 60, -60),
    ]


def test_a_write_off_is_no_payment(given: Happenings) -> None:
    owed = given.issued(given.customer(), "100", "2026-01-01", "2026-01-31")
    given.written_off(owed, "25", "2026-02-01")
    then = fold(Receivables, given.events)
    assert sums(then, owed) == (0, 25, 75, "2026-02-01")
    assert [(row.kind, row.collected, row.written_off) for row in then.movements.of(owed)] == [
        ("write-off", Decimal(0), Decimal(25))
    ]


def test_a_moved_due_date_is_simply_the_due_date(given: Happenings) -> None:
    owed = given.issued(given.customer(), "100", "2026-01-01", "2026-01-31")
    given.happens(Receivable.DueDateMoved, owed, due_on=date(2026, 3, 31))
    assert fold(Receivables, given.events).receivables[owed].due_on == date(2026, 3, 31)


def test_a_dispute_lasts_until_it_is_settled(given: Happenings) -> None:
    owed = given.issued(given.customer(), "100", "2026-01-01", "2026-01-31")
    given.happens(Receivable.Disputed, owed, occurred_on=date(2026, 2, 1), note="Not what we ordered")
    given.happens(Receivable.DisputeSettled, owed, occurred_on=date(2026, 2, 10), note="Replaced")
    given.happens(Receivable.Disputed, owed, occurred_on=date(2026, 2, 20))
    rows = fold(Receivables, given.events).disputes.of(owed)
    assert [(row.from_on, row.until_on, row.note, row.settlement) for row in rows] == [
        (date(2026, 2, 1), date(2026, 2, 10), "Not what we ordered", "Replaced"),
        (date(2026, 2, 20), None, None, None),
    ]


def test_reminders_are_kept_with_their_channel_rem_9(given: Happenings) -> None:
    owed = given.issued(given.customer(), "100", "2026-01-01", "2026-01-31")
    given.happens(Receivable.ReminderRecorded, owed, occurred_on=date(2026, 2, 1), channel="phone", note="Next week")
    then = fold(Receivables, given.events)
    assert [(row.occurred_on, row.channel, row.note) for row in then.reminders.of(owed)] == [
        (date(2026, 2, 1), "phone", "Next week")
    ]
    assert (then.receivables[owed].reminders, then.receivables[owed].version) == (1, 2)
