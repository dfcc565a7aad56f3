"""A command on its way into the ledger, and what the ledger says to it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from threading import Lock
from typing import Any, NamedTuple
from uuid import UUID

from ledger.encoded.stored import StoredEvent
from ledger.outcome import UNCONDITIONAL, Conditions, Expecting


class Verdict(NamedTuple):
    """What the ledger says to one command; see the function `append` in the migrations for the words."""

    word: str
    id: UUID
    version: int
    position: int
    kind: str | None
    value: str | None


class Request(NamedTuple):
    """What makes a command the same one when it comes again: whose it is, its key, and the keyed hash of its body."""

    member: str
    key: str
    number: int
    """Which of a batch it is."""
    digest: bytes


@dataclass(eq=False, slots=True)
class Append:
    """One command: its events, the aggregate it answers for, and the conditions under which it may be written."""

    events: Sequence[StoredEvent]
    id: UUID
    version: int
    expecting: Expecting | None = None
    request: Request | None = None
    claims: Sequence[dict[str, Any]] = ()
    keys: Sequence[tuple[UUID, bytes | None]] = ()
    """The data subjects whose keys seal the events, each with its wrapped key where that is a new one."""
    conditions: Conditions = UNCONDITIONAL
    turn: Lock = field(default_factory=Lock)
    """Held while the command waits for its verdict, or for being the next to lead."""
    is_heir: bool = False
    """It waited, and is to lead."""
    verdict: Verdict | None = None
    error: BaseException | None = None

    writes: set[Any] = field(init=False)
    """What no other command of its group may write or read: aggregates, claims, new sealing keys, requests."""
    reads: set[Any] = field(init=False)
    """What no other command of its group may write, and each of them may read, such as the member who acts."""

    def __post_init__(self) -> None:
        """Collect both sets once, in the thread that asks: groups are formed under the lock of all writers."""
        writes: set[Any] = {event.originator_id for event in self.events}
        reads: set[Any] = {self.id}
        for claim in self.claims:
            writes.add(("claim", claim["kind"], claim["value"]))
        for subject, new_key in self.keys:
            (reads if new_key is None else writes).add(("sealing", subject))
        if self.request is not None:
            writes.add(self.request[:3])
        if self.expecting is not None:
            reads.add(self.expecting.id)
        if self.conditions is not UNCONDITIONAL:
            writes.update([each.id for each in self.conditions.unnamed])
            reads.update([each.id for each in self.conditions.reads])
        self.writes, self.reads = writes, reads

    @property
    def is_settled(self) -> bool:
        """It is known what became of it."""
        return self.verdict is not None or self.error is not None
