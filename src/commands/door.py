"""The door: what stands behind every command, put together once by the composition root."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, nullcontext
from datetime import UTC, datetime
from time import monotonic
from typing import TypeVar
from uuid import UUID

from aggregates import ids
from aggregates.base import Aggregate
from aggregates.member import Member
from aggregates.team import Team
from aggregates.workspace import DEFAULT_SETTINGS, WORKSPACE_ID, Settings, Workspace
from commands.turns import Turns
from commands.work import Store, Surroundings, Work
from ledger.errors import NotFound
from policy import EVERYBODY, Policy, Reach
from policy.directory import Directory

A = TypeVar("A", bound=Aggregate)

SETTINGS_HOLD = 1.0
"""Seconds for which a process may go on with the settings it has read."""

MOST_KNOWN = 100_000


def utc_now() -> datetime:
    """The present moment."""
    return datetime.now(UTC)


class Door:
    """Where commands come in: the ledger, the policy and the clock; safe for many threads."""

    def __init__(
        self,
        ledger: Store,
        policy: Policy | None = None,
        clock: Callable[[], datetime] = utc_now,
        directory: Directory | None = None,
        surroundings: Surroundings | None = None,
    ) -> None:
        self.ledger = ledger
        self.directory = directory
        self.surroundings = surroundings
        self.policy = policy or Policy()
        self.clock = clock
        self._settings = DEFAULT_SETTINGS
        self._settings_until = 0.0
        self.turns: Turns[UUID] = Turns()
        self._known: set[tuple[type[Aggregate], UUID]] = set()

    def work(self, first_id: UUID | None = None, by: UUID | None = None, reach: Reach = EVERYBODY) -> Work:
        """What one attempt at one command works with, which is done for somebody with that reach."""
        if len(self._known) > MOST_KNOWN:
            self._known = set()
        return Work(
            self.ledger, self.clock(), self.settings(), self.new_id, self._known, first_id, by, reach, self.surroundings
        )

    def turn(self, to: UUID | None) -> AbstractContextManager[object]:
        """One command at a time on the same aggregate in this process, since only one of them could win anyway.

        The calling thread waits for it; raises RecordBusy where that takes too long.
        """
        return nullcontext() if to is None else self.turns.turn(to)

    def new_id(self) -> UUID:
        """An id that sorts by the moment."""
        return ids.new_id(int(self.clock().timestamp() * 1000))

    def notice(self, changed: Iterable[Aggregate]) -> None:
        """Take note of what was just written: new settings and roles hold from the next command on."""
        changed = tuple(changed)
        if any(isinstance(aggregate, Workspace) for aggregate in changed):
            self._settings_until = 0.0
        if any(isinstance(aggregate, (Member, Team)) for aggregate in changed):
            self._known = set()
            if self.directory is not None:
                self.directory.expire()

    def settings(self) -> Settings:
        """The settings of the workspace, at most a second old."""
        if monotonic() >= self._settings_until:
            try:
                self._settings = self.ledger.load(Workspace, WORKSPACE_ID).settings
            except NotFound:
                self._settings = DEFAULT_SETTINGS
            self._settings_until = monotonic() + SETTINGS_HOLD
        return self._settings
