"""Reading many customers' contact details at once is noted, for auditors to see."""

from __future__ import annotations

from typing import Any

from api.services import Services
from policy import Actor, Sight
from policy.accesses import BULK

WITH_DETAILS = frozenset({"read-tracking", "read-audit", "read-events"})
"""Reads whose rows hold contact details."""


def note_bulk(crm: Services, actor: Actor, action: str, sight: Sight, shown: Any) -> None:
    """Keeps that somebody was shown more rows with open contact details than a page usually has."""
    if action not in WITH_DETAILS or sight.contacts.is_nothing or not isinstance(shown, dict):
        return
    rows = shown.get("items") or shown.get("customers") or ()
    if len(rows) > BULK:
        crm.accesses.note("bulk", actor.id, action, rows=len(rows))
