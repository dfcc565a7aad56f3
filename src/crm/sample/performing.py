"""Performs the script: every deed is a command like any other, with its business date."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from uuid import UUID

from aggregates.base import ImportedRow
from commands.base import Door, execute
from commands.customers import LogFollowUp
from crm.sample.script import Deed
from policy import Actor

NARRATOR = Actor(id="rule:sample", member_id=None, name="crm sample", source="rule")
PROFILE = "sample"
HANDS = 12
"""How many deeds are done at a time, which are then written together."""


def perform(deeds: Iterable[Deed], door: Door, told: Callable[[int], None] | None = None) -> int:
    """Do it all in its order, and say how far it is; the last position written."""
    position = done = 0
    with ThreadPoolExecutor(HANDS) as hands:
        for together in at_a_time(deeds):
            for each in hands.map(lambda deed: _do(deed, door), together):
                position = max(position, each)
            done += len(together)
            if told is not None:
                told(done)
    return position


def at_a_time(deeds: Iterable[Deed]) -> Iterator[list[Deed]]:
    """Neighbouring deeds that have nothing to do with one another; what gets a code or a team waits for its turn."""
    customers: dict[UUID, UUID] = {}
    together: dict[UUID, Deed] = {}
    for deed in deeds:
        whose = customers.get(deed.to) if deed.to else None
        if whose is None or whose in together or len(together) == HANDS:
            if together:
                yield list(together.values())
            together = {}
        if deed.makes and (whose or _registers(deed)):
            customers[deed.makes] = whose or deed.makes
        if whose is None:
            yield [deed]
        else:
            together[whose] = deed
    if together:
        yield list(together.values())


def _registers(deed: Deed) -> bool:
    return deed.command.action == "register-customer"


def _do(deed: Deed, door: Door) -> int:
    by = (
        NARRATOR if deed.by is None else Actor(f"member:{deed.by}", deed.by, "", "import", frozenset(["administrator"]))
    )
    imported = _brought_in(deed)
    return execute(deed.command, to=deed.to, by=by, door=door, new_id=deed.makes, imported=imported).position


def _brought_in(deed: Deed) -> ImportedRow | None:
    """Conversations count as brought in from elsewhere; else each of them would have been noted down too late."""
    if not isinstance(deed.command, LogFollowUp):
        return None
    return ImportedRow(PROFILE, str(deed.makes), sha256(deed.command.model_dump_json().encode()).hexdigest())
