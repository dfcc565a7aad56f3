"""A command on its way into the ledger, and what the ledger says to it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from threading import Lock
from typing import Any, NamedTuple
from uuid import UUID

from ledger.encoded.stored import StoredEvent
from ledger.outcome import Expecting


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
    keys: Sequence[tuple[UUID, bytes]] = ()
    """New sealing keys of data subjects, wrapped."""
    turn: Lock = field(default_factory=Lock)
    """Held while the command waits for its verdict, or for being the next to lead."""
    is_heir: bool = False
    """It waited, and is to lead."""
    verdict: Verdict | None = None
    error: BaseException | None = None

    @property
    def is_settled(self) -> bool:
        """It is known what became of it."""
        return self.verdict is not None or self.error is not None

    def tokens(self) -> set[Any]:
        """What it must not share with another command of its group: aggregates, claims, data subjects, requests."""
        tokens: set[Any] = {event.originator_id for event in self.events}
        tokens.add(self.id)
        for claim in self.claims:
            tokens.add(("claim", claim["kind"], claim["value"]))
        for subject, _ in self.keys:
            tokens.add(("sealing", subject))
        if self.request is not None:
            tokens.add(self.request[:3])
        if self.expecting is not None:
            tokens.add(self.expecting.id)
        return tokens
