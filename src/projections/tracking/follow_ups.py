"""What a follow-up changes in a customer's row, in whatever order follow-ups are entered."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

from projections.engine.model.derived import personal
from projections.tracking.cadence import follow_up_due
from projections.tracking.rows import CustomerRow

PERSONAL = ("subject", "content", "feedback", "next_action")
IN_TIME = timedelta(hours=24)
"""A follow-up is to be recorded within a day of the conversation (FUP-5)."""


def apply_follow_up(row: CustomerRow, event: Any, day: date) -> None:
    """Count it, and show of it what no later conversation has said: in whatever order they are entered.

    The next date is the one agreed last, or none; an attempt that nobody answered lets the agreed date stand. Progress
    and result stay as last said.
    """
    at = event.occurred_at
    subject, content, feedback, next_action = personal(event, PERSONAL)
    row.follow_ups += 1
    _count_unanswered(row, event.answered, at, day)
    _keep_what_was_said(row, event, at)
    if (event.answered or event.next_contact_on is not None) and _is_latest(at, row.agreed_at):
        row.next_contact_on, row.next_action, row.agreed_at = event.next_contact_on, next_action, at
    if _is_latest(at, row.last_followed_up_at):
        row.last_subject, row.last_content, row.last_feedback = subject, content, feedback
        _show_as_last(row, event, at, day)


def _is_latest(at: datetime, known_at: datetime | None) -> bool:
    """Whether nothing later is known; of two at the same moment, the one entered last counts."""
    return known_at is None or at >= known_at


def _show_as_last(row: CustomerRow, event: Any, at: datetime, day: date) -> None:
    row.last_followed_up_at = at
    row.last_followed_up_on = day
    row.last_follower_id = event.follower_id
    row.last_method = event.method
    row.last_attitude = event.attitude
    row.last_inclination = event.intent
    row.last_entered_late = event.imported is None and event.recorded_at - at > IN_TIME
    row.follow_up_due_on = follow_up_due(row.lifecycle, day)


def _keep_what_was_said(row: CustomerRow, event: Any, at: datetime) -> None:
    """Progress and result each stay until something later is said about them."""
    if event.progress is not None and _is_latest(at, row.progress_at):
        row.last_progress, row.progress_at = event.progress, at
    if event.result is not None and _is_latest(at, row.result_at):
        row.last_result, row.result_at = event.result, at


def _count_unanswered(row: CustomerRow, answered: bool, at: datetime, day: date) -> None:
    """Attempts since the last conversation, by when they were made and not by when they were entered."""
    answered_at = row.last_answered_at
    if answered:
        if answered_at is None or at > answered_at:
            row.last_answered_at, row.last_answered_on = at, day
        if row.unanswered:
            row.unanswered_at = tuple(attempt for attempt in row.unanswered_at or () if attempt > at) or None
            row.unanswered = len(row.unanswered_at or ())
    elif answered_at is None or at > answered_at:
        row.unanswered_at = (*(row.unanswered_at or ()), at)
        row.unanswered += 1
