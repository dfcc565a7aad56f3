"""Writing: the writers of a process are sent together in one round trip, and each gets its own verdict."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from threading import Lock, Semaphore
from time import monotonic, sleep
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
import psycopg

from ledger import packing
from ledger.database import Database
from ledger.encoded.stored import StoredEvent
from ledger.errors import DatabaseAway

MOST_COMMANDS = 128
MOST_EVENTS = 1_000
ATTEMPTS = 6
FIRST_PAUSE = 0.05
GATHERING, LONGEST_GATHERING = 0.25, 0.005
"""A leader waits for the writers of the last group to come again: for a part of the time that sending them took, and
never longer than so many seconds. Measured with 8 writers: 6 % more on a fast disk, twice as much on a slow one."""

_APPEND = (
    "SELECT verdict, on_id, on_version, at_position, on_kind, on_value FROM append("
    "%b::uuid[], %b::bigint[], %b::text[], %b::bytea[], %b::uuid[], %b::bigint[], %b::uuid[], %b::bigint[], "
    "%b::uuid[], %b::bigint[], %b::text[], %b::text[], %b::bigint[], %b::bytea[], "
    "%b::jsonb, %b::uuid[], %b::bytea[], %b::bigint[], %s)"
)
_json = msgspec.json.Encoder().encode


class Verdict(NamedTuple):
    """What the ledger says to one command; see the function `append` in the migrations for the words."""

    word: str
    id: UUID
    version: int
    position: int
    kind: str | None
    value: str | None


@dataclass(eq=False)
class Append:
    """One command on its way into the ledger: its events, and the conditions under which they may be written."""

    events: Sequence[StoredEvent]
    id: UUID
    version: int
    conditions: dict[str, Any]
    tokens: frozenset[Any]
    """What it shares with no other command of its group: aggregates, claims, keys."""
    turn: Lock = field(default_factory=Lock)
    verdict: Verdict | None = None
    error: BaseException | None = None

    def describe(self) -> dict[str, Any]:
        """The command as the function `append` takes it."""
        return {"events": len(self.events), "id": self.id, "version": self.version, **self.conditions}


class Writer:
    """Sends commands to the ledger: whoever comes first leads, and takes along all that came meanwhile."""

    def __init__(self, database: Database, master_id: str) -> None:
        self._database = database
        self._master_id = master_id
        self._lock = Lock()
        self._queue: list[Append] = []
        self._is_led = False
        self._crowd = 1
        self._wanted = 0
        self._took = 0.0
        self._gathered = Semaphore(0)

    def append(self, command: Append) -> Verdict:
        """Write it, and say what became of it; raises DatabaseAway when nobody can say."""
        with self._lock:
            self._queue.append(command)
            leads = not self._is_led
            self._is_led = True
            if not leads:
                command.turn.acquire()
            if len(self._queue) == self._wanted:
                self._gathered.release()
        if not leads:
            command.turn.acquire()
        if command.verdict is None and command.error is None:
            self._lead()
        if command.error is not None:
            raise command.error
        assert command.verdict is not None
        return command.verdict

    def _lead(self) -> None:
        """Send all that came, hand each its verdict, and let the first of those that came meanwhile lead next."""
        group: list[Append] = []
        try:
            self._gather()
            group = self._next_group()
            self._settle(group)
        except BaseException as error:
            group = group or self._next_group()
            for command in group[1:]:
                command.error = DatabaseAway("the writing was interrupted")
            group[0].error = error
        finally:
            with self._lock:
                self._crowd = len(group) + len(self._queue)
                heir = self._queue[0] if self._queue else None
                self._is_led = heir is not None
            if heir is not None:
                heir.turn.release()
            for command in group[1:]:
                command.turn.release()

    def _next_group(self) -> list[Append]:
        with self._lock:
            group, self._queue = _group(self._queue)
        return group

    def _settle(self, group: Sequence[Append]) -> None:
        """Give each command its verdict, or the error that stands in its way and in nobody else's."""
        began = monotonic()
        try:
            for command, verdict in zip(group, self._send(group), strict=True):
                command.verdict = verdict
            self._took = monotonic() - began
        except DatabaseAway as away:
            for command in group:
                command.error = away
        except psycopg.Error as error:
            if len(group) == 1:
                group[0].error = error
            else:
                for command in group:
                    self._settle([command])

    def _gather(self) -> None:
        """Wait a moment for as many writers as there were last time, since one commit for all is cheaper."""
        with self._lock:
            self._wanted = self._crowd if len(self._queue) < self._crowd else 0
        if self._wanted:
            self._gathered.acquire(timeout=min(self._took * GATHERING, LONGEST_GATHERING))
            with self._lock:
                self._wanted = 0
                while self._gathered.acquire(blocking=False):
                    pass

    def _send(self, group: Sequence[Append]) -> list[Verdict]:
        """Send it until there is an answer: what was written already is recognised, and never written twice."""
        parameters = self._parameters(group)
        pause = FIRST_PAUSE
        for attempt in range(1, ATTEMPTS + 1):
            try:
                with self._database.connection(autocommit=True) as connection:
                    rows = connection.execute(_APPEND, parameters, prepare=True, binary=True).fetchall()
                return [Verdict(*row) for row in rows]
            except psycopg.OperationalError as error:
                if attempt == ATTEMPTS or not _was_lost(connection, error):
                    raise DatabaseAway(str(error)) from error
            sleep(pause)
            pause *= 2
            self._database.refresh()
        raise AssertionError("unreachable")

    def _parameters(self, group: Sequence[Append]) -> list[Any]:
        events = [event for command in group for event in command.events]
        return [
            packing.uuids(event.originator_id for event in events),
            packing.bigints(event.originator_version for event in events),
            packing.texts(event.topic for event in events),
            packing.byteas(event.state for event in events),
            packing.uuids(event.customer_id for event in events),
            packing.bigints(len(command.events) for command in group),
            packing.uuids(command.id for command in group),
            packing.bigints(command.version for command in group),
            *_expected(group),
            *_keys(group),
            _claims(group),
            *_seals(group),
            self._master_id,
        ]


def _expected(group: Sequence[Append]) -> tuple[Any, ...]:
    """The versions that aggregates are expected to have."""
    given = [command.conditions.get("expecting") for command in group]
    if not any(given):
        return None, None
    return packing.uuids(each and each[0] for each in given), packing.bigints(each and each[1] for each in given)


def _keys(group: Sequence[Append]) -> tuple[Any, ...]:
    """The idempotency keys."""
    given = [command.conditions.get("key") or (None, None, None, None) for command in group]
    members, keys, indexes, digests = zip(*given, strict=True)
    if not any(keys):
        return None, None, None, None
    bodies = packing.byteas(None if each is None else bytes.fromhex(each) for each in digests)
    return packing.texts(members), packing.texts(keys), packing.bigints(indexes), bodies


def _claims(group: Sequence[Append]) -> packing.Jsonb | None:
    """The claims, each with the number of its command."""
    claims = [
        {**claim, "command": number}
        for number, command in enumerate(group, 1)
        for claim in command.conditions.get("claims", ())
    ]
    return packing.Jsonb(_json(claims)) if claims else None


def _seals(group: Sequence[Append]) -> tuple[Any, ...]:
    """The new sealing keys of data subjects, each with the number of its command."""
    given = [
        (number, *sealing) for number, command in enumerate(group, 1) for sealing in command.conditions.get("keys", ())
    ]
    if not given:
        return None, None, None
    numbers, subjects, wrapped = zip(*given, strict=True)
    return packing.uuids(subjects), packing.byteas(b64decode(each) for each in wrapped), packing.bigints(numbers)


def _group(queue: Sequence[Append]) -> tuple[list[Append], list[Append]]:
    """Commands that can be sent together, from the front of the queue, and those that have to wait."""
    group, rest = [queue[0]], []
    taken = set(queue[0].tokens)
    events = len(queue[0].events)
    for command in queue[1:]:
        events += len(command.events)
        if len(group) < MOST_COMMANDS and events <= MOST_EVENTS and taken.isdisjoint(command.tokens):
            group.append(command)
        else:
            rest.append(command)
        taken |= command.tokens
    return group, rest


def _was_lost(connection: psycopg.Connection[Any], error: psycopg.OperationalError) -> bool:
    """The connection broke, so the answer is unknown or never came; anything else is the server's own refusal."""
    return connection.broken or connection.closed or error.sqlstate is None or error.sqlstate.startswith(("08", "57P"))


def tokens_of(events: Iterable[StoredEvent], conditions: dict[str, Any], also: UUID) -> frozenset[Any]:
    """What a command must not share with another one of the same group."""
    tokens: set[Any] = {event.originator_id for event in events} | {also}
    tokens |= {("claim", each["kind"], each["value"]) for each in conditions.get("claims", ())}
    tokens |= {("sealing", each[0]) for each in conditions.get("keys", ())}
    if "key" in conditions:
        tokens.add(("key", *conditions["key"][:3]))
    if "expecting" in conditions:
        tokens.add(conditions["expecting"][0])
    return frozenset(tokens)
