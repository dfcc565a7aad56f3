"""What is asked of the ledger together with an append, and what it answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal
from uuid import UUID


@dataclass(frozen=True)
class Outcome:
    """Where it was written: the aggregate answered for, its version, and the position of the last event."""

    id: UUID
    version: int
    position: int
    replayed: bool = False


@dataclass(frozen=True)
class Expecting:
    """The version that the caller saw of an aggregate: anything newer makes the command stale."""

    id: UUID
    version: int


@dataclass(frozen=True)
class Idempotency:
    """What makes two requests the same one: who asks, under which key, and (in a batch) at which index.

    `body` is the request as it came; only a keyed hash of it is kept, to refuse the key for another request.
    """

    member: str
    key: str
    index: int
    body: bytes


@dataclass(frozen=True)
class Credential:
    """What a request is authenticated by: the SHA-256 digest of its bearer token, or of its session's text."""

    kind: Literal["token", "session"]
    digest: bytes


@dataclass(frozen=True)
class Unnamed:
    """An id that no event after a position may name, such as a member to whom nothing may have been given meanwhile."""

    id: UUID
    since: int


@dataclass(frozen=True)
class Conditions:
    """What a command was decided on and must still hold when it is written (optimistic concurrency control).

    `reads` is its read set: each aggregate that it read and does not change, at the version read; version 0 where there
    was none.
    """

    reads: tuple[Expecting, ...] = ()
    unnamed: tuple[Unnamed, ...] = ()
    credential: Credential | None = None


UNCONDITIONAL = Conditions()
