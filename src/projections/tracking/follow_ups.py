"""What a follow-up changes in a customer's row, in whatever order follow-ups are entered."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from projections.engine.derived import personal
from projections.tracking.cadence import follow_up_due
from projections.tracking.rows import CustomerRow

SAID = ("subject", "content", "feedback", "next_action")
IN_TIME = timedelta(hours=24)
"""A follow-up is to be recorded within a day of the conversation (FUP-5)."""


def apply_follow_up(row: CustomerRow, event: Any, day: date) -> None:
    """Count it; where no later conversation is known, show it as the last one.

    The next date is the one agreed now, or none; an attempt that nobody answered lets the agreed date stand. Progress
    and result stay as last said.
    """
    occurred_at, latest_at = event.occurred_at, row.last_followed_up_at
    row.follow_ups += 1
    _count_unanswered(row, event)
    if latest_at is not None and occurred_at < latest_at:
        return
    row.last_followed_up_at = occurred_at
    row.last_followed_up_on = day
    row.last_method = event.method
    row.last_subject, row.last_content, row.last_feedback, next_action = personal(event, SAID)
    row.last_attitude = event.attitude
    row.last_inclination = event.intent
    if event.progress is not None:
        row.last_progress = event.progress
    if event.result is not None:
        row.last_result = event.result
    row.last_entered_late = event.imported is None and event.recorded_at - occurred_at > IN_TIME
    row.follow_up_due_on = follow_up_due(row.lifecycle, day)
    if event.answered or event.next_contact_on is not None:
        row.next_contact_on = event.next_contact_on
        row.next_action = next_action


def _count_unanswered(row: CustomerRow, event: Any) -> None:
    """Attempts since the last conversation, by when they were made and not by when they were entered."""
    at, answered_at = event.occurred_at, row.last_answered_at
    if event.answered:
        if answered_at is None or at > answered_at:
            row.last_answered_at = at
        if row.unanswered:
            row.unanswered_at = tuple(attempt for attempt in row.unanswered_at or () if attempt > at) or None
            row.unanswered = len(row.unanswered_at or ())
    elif answered_at is None or at > answered_at:
        row.unanswered_at = (*(row.unanswered_at or ()), at)
        row.unanswered += 1
