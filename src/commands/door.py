"""The door: what stands behind every command, put together once by the composition root."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
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
from ledger.errors import CredentialEnded, NotFound
from ledger.outcome import Expecting
from policy import EVERYBODY, Actor, Policy, Reach
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
        self._settings: tuple[Settings, int] = DEFAULT_SETTINGS, 0
        self._settings_until = 0.0
        self.turns: Turns[UUID] = Turns()
        self._known: set[tuple[type[Aggregate], UUID]] = set()

    def over(self, ledger: Store) -> Door:
        """The same door over another ledger, which shares nothing that was loaded from this one."""
        return Door(ledger, self.policy, self.clock, self.directory, self.surroundings)

    def work(self, first_id: UUID | None = None, by: UUID | None = None, reach: Reach = EVERYBODY) -> Work:
        """What one attempt at one command works with, which is done for somebody with that reach."""
        if len(self._known) > MOST_KNOWN:
            self._known = set()
        return Work(
            self.ledger,
            self.clock(),
            self._versioned_settings(),
            self.new_id,
            self._known,
            first_id,
            by,
            reach,
            self.surroundings,
            self.directory,
        )

    def look_up_actor(self, by: Actor) -> tuple[Actor, tuple[Expecting, ...]]:
        """Look up the actor in the roles that its member has now, and the version of the member that these rest on.

        An actor without a credential acts for the service itself and stays as it is. Raises CredentialEnded.
        """
        if by.credential is None or by.member_id is None or self.directory is None:
            return by, ()
        person = self.directory.member(by.member_id)
        if person is None or not person.may_act:
            raise CredentialEnded
        roles = person.roles if by.only is None else person.roles & by.only
        return replace(by, roles=roles), (Expecting(person.id, person.version),)

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

    def look_again(self, id: UUID) -> None:
        """Read anew what is remembered of this aggregate: it turned out to be out of date."""
        if id == WORKSPACE_ID:
            self._settings_until = 0.0
        elif self.directory is not None and self.directory.knows(id):
            self.directory.expire()

    def settings(self) -> Settings:
        """The settings of the workspace, at most a second old."""
        return self._versioned_settings()[0]

    def _versioned_settings(self) -> tuple[Settings, int]:
        """The settings with the version of the workspace that they are of, read and replaced as one."""
        if monotonic() >= self._settings_until:
            try:
                workspace = self.ledger.load(Workspace, WORKSPACE_ID)
                self._settings = workspace.settings, workspace.version
            except NotFound:
                self._settings = DEFAULT_SETTINGS, 0
            self._settings_until = monotonic() + SETTINGS_HOLD
        return self._settings
