"""The door: what stands behind every command, put together once by the composition root."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, nullcontext
from datetime import UTC, datetime
from threading import Lock
from time import monotonic
from typing import Protocol, TypeVar
from uuid import UUID

from aggregates import ids
from aggregates.base import Aggregate
from aggregates.workspace import DEFAULT_SETTINGS, WORKSPACE_ID, Settings, Workspace
from commands.work import Work
from ledger.errors import NotFound
from ledger.outcome import Expecting, Idempotency, Outcome
from policy import Policy

A = TypeVar("A", bound=Aggregate)

SETTINGS_HOLD = 1.0
"""Seconds for which a process may go on with the settings it has read."""

MOST_KNOWN = 100_000
TURNS = 1_024


class Store(Protocol):
    """What commands need of the ledger."""

    def load(self, cls: type[A], id: UUID) -> A:
        """The aggregate as it is. Raises NotFound."""
        ...

    def save(
        self, *aggregates: Aggregate, expecting: Expecting | None = None, idempotency: Idempotency | None = None
    ) -> Outcome:
        """Write what happened, all of it or nothing, and answer for the first."""
        ...

    def recall(self, idempotency: Idempotency) -> Outcome | None:
        """The answer given to the same request before, if any. Raises KeyReused."""
        ...

    def next_code(self, prefix_month: str) -> int:
        """The next number of the counter of a month."""
        ...

    def changed_since(self, id: UUID, version: int) -> tuple[str, ...]:
        """The names of the fields that were changed after a version."""
        ...


def utc_now() -> datetime:
    """The present moment."""
    return datetime.now(UTC)


class Door:
    """Where commands come in: the ledger, the policy and the clock; safe for many threads."""

    def __init__(self, ledger: Store, policy: Policy | None = None, clock: Callable[[], datetime] = utc_now) -> None:
        self.ledger = ledger
        self.policy = policy or Policy()
        self.clock = clock
        self._settings = DEFAULT_SETTINGS
        self._settings_until = 0.0
        self._turns = [Lock() for _ in range(TURNS)]
        self._known: set[tuple[type[Aggregate], UUID]] = set()

    def work(self, first_id: UUID | None = None, by: UUID | None = None) -> Work:
        """What one attempt at one command works with."""
        if len(self._known) > MOST_KNOWN:
            self._known = set()
        return Work(self.ledger, self.clock(), self.settings(), self.new_id, self._known, first_id, by)

    def turn(self, to: UUID | None) -> AbstractContextManager[object]:
        """One command at a time on the same aggregate in this process, since only one of them could win anyway."""
        return nullcontext() if to is None else self._turns[to.int % TURNS]

    def new_id(self) -> UUID:
        """An id that sorts by the moment."""
        return ids.new_id(int(self.clock().timestamp() * 1000))

    def notice(self, changed: Iterable[Aggregate]) -> None:
        """Take note of what was just written: new settings hold from the next command on."""
        if any(isinstance(aggregate, Workspace) for aggregate in changed):
            self._settings_until = 0.0

    def settings(self) -> Settings:
        """The settings of the workspace, at most a second old."""
        if monotonic() >= self._settings_until:
            try:
                self._settings = self.ledger.load(Workspace, WORKSPACE_ID).settings
            except NotFound:
                self._settings = DEFAULT_SETTINGS
            self._settings_until = monotonic() + SETTINGS_HOLD
        return self._settings
