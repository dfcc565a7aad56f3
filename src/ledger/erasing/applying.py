"""Erasures made good: those that the ledger or the register knows, where a key came back or a file is missing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from aggregates.base import Event
from ledger.database import Connection, Database
from ledger.erasing.register import Erasure, Register
from ledger.sealing import Keyring

_subjects = msgspec.json.Decoder(dict[str, Any]).decode


@dataclass(frozen=True)
class Applied:
    """What was made good: the subjects whose keys were destroyed once more, and how many files were written."""

    destroyed: tuple[UUID, ...]
    registered: int


def apply(database: Database, keyring: Keyring, register: Register) -> Applied:
    """Destroy every key that an erasure had destroyed already, and register what is not in the register yet.

    May be done at any time, by any number of processes. Raises Unreadable, OSError, DatabaseAway.
    """
    registered = register.all()
    with database.connection(autocommit=True) as connection:
        missing = [each for each in _recorded(connection) if not register.knows(each.subjects[0])]
        for erasure in missing:
            register.keep(erasure)
        row = connection.execute("SELECT erased_with_keys()").fetchone()
        wanted = {*(row[0] if row else ()), *(subject for each in registered for subject in each.subjects)}
        destroyed: tuple[UUID, ...] = ()
        if wanted:
            row = connection.execute("SELECT erase_again(%s)", [list(wanted)]).fetchone()
            destroyed = tuple(row[0]) if row else ()
    keyring.expire()
    return Applied(destroyed, len(missing))


def register_all(register: Register, events: list[Event], last: int, recorded_at: datetime) -> None:
    """Write down the erasures among the events of one command, the last of which stands at a position."""
    for offset, event in enumerate(reversed(events)):
        if subjects := event.erases():
            register.keep(Erasure(subjects, event.customer_id, last - offset, recorded_at))


def _recorded(connection: Connection) -> list[Erasure]:
    rows = connection.execute(
        "SELECT position, recorded_at, customer_id, state FROM events "
        "WHERE topic IN ('customer.contact-erased', 'customer.erased', 'member.erased') ORDER BY position"
    )
    return [
        Erasure(tuple(map(UUID, _subjects(bytes(state))["subjects"])), customer_id, position, recorded_at)
        for position, recorded_at, customer_id, state in rows
    ]
