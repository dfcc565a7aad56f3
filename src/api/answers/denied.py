"""What somebody may not do is noted, for auditors to see."""

from __future__ import annotations

from contextlib import suppress

from api.answers.problems import Problem
from api.services import Services
from commands.work import BeyondReach
from ledger.errors import DatabaseAway
from policy import Actor, Forbidden


def is_denied(error: Exception) -> bool:
    """Whether the policy refused it, and not a rule of the business."""
    return isinstance(error, (Forbidden, BeyondReach)) or (isinstance(error, Problem) and error.status == 403)


def note_denied(crm: Services, actor: Actor, error: Exception) -> None:
    """Keeps who was refused what; the refusal itself does not wait for a database that is away."""
    values = getattr(error, "values", {})
    action = str(values.get("action") or values.get("column") or getattr(error, "code", "forbidden"))
    with suppress(DatabaseAway):
        crm.accesses.note("refused", actor.id, action)
