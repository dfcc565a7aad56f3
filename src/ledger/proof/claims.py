"""Claims: the names that aggregates hold, and the proof that the table of them says what the events say."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import UUID

import msgspec

from aggregates.base import Claim
from ledger.database import Connection
from ledger.encoded.codec import to_event
from ledger.encoded.forms import FastEvent, claiming_topics
from ledger.encoded.stored import claims_of, row_claim
from ledger.errors import Malformed, UnknownTopic
from ledger.follow.reading import read
from ledger.proof.doublings import Doubling, Suspicion, doublings, writing_of
from ledger.sealing import Keyring

Name = tuple[str, str]


class Held(msgspec.Struct, frozen=True, gc=False):
    """Who holds a name, since when, and the detail of the claim."""

    aggregate_id: UUID
    detail: str | None
    position: int


class ClaimsReport(msgspec.Struct, frozen=True):
    """Where the table of claims differs from what the events say: by name, what stands in the table and what should.

    Besides, the names that two commands wrote. Nothing could be compared where an event is `unreadable`.
    """

    checked: int
    differences: dict[Name, tuple[Held | None, Held | None]]
    unreadable: str | None = None
    doublings: tuple[Doubling, ...] = ()

    @property
    def is_intact(self) -> bool:
        """The table says what the events say, and since rows are written once, none was written twice."""
        return not self.differences and self.unreadable is None and not any(each.is_failure for each in self.doublings)


class ClaimsFold:
    """The claims that hold after the events so far, and the names that two commands wrote.

    A claim with a digest is compare-and-set: while it is held, another command states it only by naming the digest that
    it replaces. Events of one command stand together, so that only the names of the last command are kept in memory.
    """

    def __init__(self) -> None:
        self.held: dict[Name, Held] = {}
        self.suspicions: list[Suspicion] = []
        self._command: UUID | None = None
        self._by_command: dict[Name, Suspicion | None] = {}
        self._first: dict[Name, int] = {}

    def add(self, event: FastEvent, claims: Iterator[Claim]) -> None:
        """Take in one event, in the order of positions, with its claims."""
        command: UUID = event.command_id  # type: ignore[attr-defined]
        if command != self._command:
            self._command, self._by_command = command, {}
        for claim in claims:
            name = claim.kind, claim.value
            holder = self.held.get(name)
            is_holder = holder is not None and holder.aggregate_id == event.originator_id
            if claim.released:
                if is_holder:
                    del self.held[name]
                    self._by_command.pop(name, None)
            elif claim.detail is None or holder is None or is_holder or self._replaces(claim, name, holder):
                if claim.detail is not None:
                    self._note(claim, name, holder, event)
                self.held[name] = Held(event.originator_id, claim.detail, event.position)
            else:
                self._note(claim, name, holder, event)

    def _replaces(self, claim: Claim, name: Name, holder: Held) -> bool:
        """Whether it is the first of its command to state the name, in the place of the digest that is held."""
        return name not in self._by_command and claim.replaces is not None and claim.replaces == holder.detail

    def _note(self, claim: Claim, name: Name, holder: Held | None, event: FastEvent) -> None:
        """Keep that the command states the name, and whether it might not."""
        if name in self._by_command:
            if (suspicion := self._by_command[name]) is not None:
                suspicion.second.append(writing_of(event))
        elif holder is None or self._replaces(claim, name, holder):
            self._by_command[name] = None
        else:
            first = self._first.setdefault(name, holder.position)
            self._by_command[name] = suspicion = Suspicion(*name, first, [writing_of(event)])
            self.suspicions.append(suspicion)


def fold_claims(connection: Connection, keyring: Keyring, upto: int | None = None) -> ClaimsFold:
    """The claims after all events up to a position, told from the events alone."""
    fold, claiming = ClaimsFold(), claiming_topics()
    for batch in read(connection, 0, upto):
        for fast in batch:
            row = fast.imported  # type: ignore[attr-defined]
            if fast.topic in claiming:
                fold.add(fast, claims_of(to_event(fast, keyring)))
            elif row is not None:
                fold.add(fast, iter((row_claim(row),)))
    return fold


def verify_claims(connection: Connection, keyring: Keyring) -> ClaimsReport:
    """Compare the table of claims with the events, both ways; give it a REPEATABLE READ transaction among writers."""
    try:
        fold = fold_claims(connection, keyring)
        doubled = doublings(connection, fold.suspicions)
    except (Malformed, UnknownTopic) as error:
        return ClaimsReport(0, {}, str(error))
    by_events = fold.held
    rows: list[tuple[Any, ...]] = connection.execute(
        "SELECT kind, value, aggregate_id, detail, position FROM claims"
    ).fetchall()
    in_table = {(kind, value): Held(id_, detail, position) for kind, value, id_, detail, position in rows}
    names = sorted(in_table.keys() | by_events.keys())
    differences = {
        name: (in_table.get(name), by_events.get(name)) for name in names if in_table.get(name) != by_events.get(name)
    }
    return ClaimsReport(len(names), differences, doublings=doubled)
