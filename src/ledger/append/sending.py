"""Sending: a group of commands as the arguments of the one function that writes, in one round trip."""

from __future__ import annotations

from collections.abc import Sequence
from time import monotonic, sleep
from typing import Any

import msgspec
import psycopg
from psycopg import errors

from ledger import packing
from ledger.append.command import Append, Verdict
from ledger.database import Database, was_lost
from ledger.errors import DatabaseAway, DatabaseBusy
from ledger.outcome import UNCONDITIONAL

ATTEMPTS = 6
FIRST_PAUSE = 0.05
LONGEST = 10.0
"""Seconds after which it is not sent again: whoever asked waits no longer."""

_APPEND = (
    "SELECT verdict, on_id, on_version, at_position, on_kind, on_value FROM append("
    "%b::uuid[], %b::bigint[], %b::text[], %b::bytea[], %b::uuid[], %b::bigint[], %b::uuid[], %b::bigint[], "
    "%b::uuid[], %b::bigint[], %b::bigint[], %b::uuid[], %b::bigint[], %b::bigint[], %b::text[], %b::bytea[], "
    "%b::text[], %b::text[], %b::bigint[], %b::bytea[], "
    "%b::jsonb, %b::uuid[], %b::bytea[], %b::bigint[], %s)"
)
_json = msgspec.json.Encoder().encode


def send(database: Database, group: Sequence[Append], master_id: str) -> list[Verdict]:
    """A verdict on each command of a group; raises DatabaseAway when nobody can say.

    It is sent until there is an answer: what was written already is recognised, and never written twice.
    """
    parameters = _parameters(group, master_id)
    pause, began = FIRST_PAUSE, monotonic()
    for attempt in range(1, ATTEMPTS + 1):
        try:
            with database.connection(autocommit=True) as connection:
                rows = connection.execute(_APPEND, parameters, prepare=True, binary=True).fetchall()
            return [Verdict(*row) for row in rows]
        except (psycopg.OperationalError, errors.ReadOnlySqlTransaction) as error:
            is_lost = connection.broken or connection.closed or was_lost(error)
            if attempt == ATTEMPTS or not is_lost or monotonic() - began > LONGEST:
                is_busy = isinstance(error, (errors.QueryCanceled, errors.LockNotAvailable))
                raise (DatabaseBusy if is_busy else DatabaseAway)(str(error)) from error
        sleep(pause)
        pause *= 2
        database.refresh()
    raise AssertionError("unreachable")


def _parameters(group: Sequence[Append], master_id: str) -> list[Any]:
    events = [event for command in group for event in command.events]
    return [
        packing.uuids([event.originator_id for event in events]),
        packing.bigints([event.originator_version for event in events]),
        packing.texts([event.topic for event in events]),
        packing.byteas([event.state for event in events]),
        packing.uuids([event.customer_id for event in events]),
        packing.bigints([len(command.events) for command in group]),
        packing.uuids([command.id for command in group]),
        packing.bigints([command.version for command in group]),
        *_conditions(group),
        *_requests(group),
        _claims(group),
        *_keys(group),
        master_id,
    ]


def _conditions(group: Sequence[Append]) -> tuple[Any, ...]:
    """What must hold beside the versions of the events: nothing, where the service itself writes."""
    if all(command.conditions is UNCONDITIONAL and command.expecting is None for command in group):
        return (None,) * 8
    return *_expected(group), *_unnamed(group), *_credentials(group)


def _expected(group: Sequence[Append]) -> tuple[Any, ...]:
    """The versions that aggregates are expected to have: what the caller saw, before what the command has read."""
    given = [
        (each.id, each.version, number)
        for number, command in enumerate(group, 1)
        for each in (command.expecting, *command.conditions.reads)
        if each is not None
    ]
    if not given:
        return None, None, None
    ids, versions, numbers = zip(*given, strict=True)
    return packing.uuids(ids), packing.bigints(versions), packing.bigints(numbers)


def _unnamed(group: Sequence[Append]) -> tuple[Any, ...]:
    """The ids that no event after a position may name."""
    given = [(each.id, each.since, number) for number, one in enumerate(group, 1) for each in one.conditions.unnamed]
    if not given:
        return None, None, None
    ids, positions, numbers = zip(*given, strict=True)
    return packing.uuids(ids), packing.bigints(positions), packing.bigints(numbers)


def _credentials(group: Sequence[Append]) -> tuple[Any, ...]:
    """The credentials that must be in force."""
    given = [command.conditions.credential for command in group]
    if not any(given):
        return None, None
    kinds = [each.kind if each else None for each in given]
    return packing.texts(kinds), packing.byteas([each.digest if each else None for each in given])


def _requests(group: Sequence[Append]) -> tuple[Any, ...]:
    """The idempotency keys, with the keyed hashes of what they were used for."""
    given = [command.request or (None, None, None, None) for command in group]
    members, keys, indexes, digests = zip(*given, strict=True)
    if not any(keys):
        return None, None, None, None
    return packing.texts(members), packing.texts(keys), packing.bigints(indexes), packing.byteas(digests)


def _claims(group: Sequence[Append]) -> packing.Jsonb | None:
    """The claims, each with the number of its command."""
    claims = [{**claim, "command": number} for number, command in enumerate(group, 1) for claim in command.claims]
    return packing.Jsonb(_json(claims)) if claims else None


def _keys(group: Sequence[Append]) -> tuple[Any, ...]:
    """The data subjects whose keys seal the events, their new keys, and the numbers of the commands."""
    given = [(number, *key) for number, command in enumerate(group, 1) for key in command.keys]
    if not given:
        return None, None, None
    numbers, subjects, wrapped = zip(*given, strict=True)
    new_keys = packing.byteas(wrapped) if any(wrapped) else None
    return packing.uuids(subjects), new_keys, packing.bigints(numbers)
