"""Performs the script: every deed is a command like any other, with its business date."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from hashlib import sha256

from aggregates.base import ImportedRow
from commands.base import Door, execute
from commands.customers import LogFollowUp
from crm.sample.script import Deed
from policy import Actor

NARRATOR = Actor(id="rule:sample", member_id=None, name="crm sample", source="rule")
PROFILE = "sample"


def perform(deeds: Iterable[Deed], door: Door, told: Callable[[int], None] | None = None) -> int:
    """Do it all, one after the other, and say how far it is; the last position written."""
    position = 0
    for done, deed in enumerate(deeds, start=1):
        by = NARRATOR if deed.by is None else Actor(f"member:{deed.by}", deed.by, "", "import")
        outcome = execute(deed.command, to=deed.to, by=by, door=door, new_id=deed.makes, imported=_brought_in(deed))
        position = outcome.position
        if told is not None:
            told(done)
    return position


def _brought_in(deed: Deed) -> ImportedRow | None:
    """Conversations count as brought in from elsewhere; else each of them would have been noted down too late."""
    if not isinstance(deed.command, LogFollowUp):
        return None
    return ImportedRow(PROFILE, str(deed.makes), sha256(deed.command.model_dump_json().encode()).hexdigest())
