"""What every command has in common, and the one door through which it is done."""

from __future__ import annotations

import re
from dataclasses import dataclass
from random import uniform
from time import sleep
from typing import Any, ClassVar
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from aggregates.base import Acting, Aggregate, DomainError, ImportedRow, acting
from commands.door import Door
from commands.fields.text import Prose
from commands.watching import Doing, watched
from commands.work import Work
from ledger.errors import (
    ClaimTaken,
    ClaimTakenElsewhere,
    CredentialEnded,
    NotFound,
    StaleVersion,
    VersionConflict,
)
from ledger.outcome import Expecting, Idempotency, Outcome
from policy import Actor, Reach

__all__ = ["Changed", "Command", "CreatingCommand", "Door", "Work", "execute"]

Changed = tuple[Aggregate, ...]
"""What a command has touched; the first is the one that is answered for."""

ATTEMPTS = 30
FIRST_PAUSE = 0.002
"""Seconds, at most, after the first conflict; up to twice as long after each further one, unlike for two writers."""
DRAWN = "customer-code"
"""Claims on what was drawn for the command and not given by anybody: a crash of the database may let a number be drawn
twice, and whoever is late gets the next one."""


class _MadeMeanwhile(Exception):
    """Somebody else has made what this command was to make, under the same id.

    Decided again, it finds that and goes on from there; one that would make it once more never can.
    """

    def __init__(self, conflict: VersionConflict) -> None:
        super().__init__(conflict)
        self.conflict = conflict


class Command(BaseModel):
    """Something that can be asked for. Its fields are checked when it is made; rules are checked when it is done."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_enum_values=True, validate_default=True)

    action: ClassVar[str] = "command"
    """What the policy and the logs call it: its name in kebab case."""

    reason: Prose | None = Field(None, description="Why, for whoever reads the history; corrections need it.")

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        super().__pydantic_init_subclass__(**kwargs)
        cls.action = re.sub(r"(?<=[a-z])(?=[A-Z])", "-", cls.__name__).lower()

    def record(self, to: UUID | None) -> UUID | None:
        """The record whose turn it takes, since all commands on it conflict: what it is done to, or decided on."""
        return to

    def perform(self, to: UUID | None, work: Work) -> Changed:
        """Do it to the aggregate that `to` names, or to a new one, and say what was touched."""
        raise NotImplementedError

    def given(self, *names: str) -> dict[str, Any]:
        """Those of the named fields that were given, be it as null; all that were given without names."""
        return {name: getattr(self, name) for name in names or type(self).model_fields if name in self.model_fields_set}


class CreatingCommand(Command):
    """Something new that can be asked for: it is done to nothing that is there already."""

    def perform(self, to: UUID | None, work: Work) -> Changed:  # noqa: ARG002
        """Make it, whatever `to` says."""
        return self.create(work)

    def create(self, work: Work) -> Changed:
        """Make it, and say what was touched."""
        raise NotImplementedError


def execute(
    command: Command,
    *,
    to: UUID | None,
    by: Actor,
    door: Door,
    expecting: int | None = None,
    key: str | None = None,
    index: int = 0,
    imported: ImportedRow | None = None,
    new_id: UUID | None = None,
    in_turn: bool = False,
) -> Outcome:
    """Do it once, and say where in the ledger it was written.

    `expecting` is the version of `to` that the caller saw: a newer one makes the command stale. Without it, a command
    that somebody else got in the way of is decided again on what there is then, thirty times at most, and once where
    somebody else has made what it was to make. `key` makes repeating safe: the same key and command give the same
    answer, another command with it is refused. `new_id` is the id of what the command makes. `in_turn` says that the
    caller has the turn of the command's record already.

    It is written only while everything that it was decided on is as it was read, the acting member and its credential
    included. Raises DomainError (with NotFound, StaleVersion, ClaimTaken, KeyReused, CredentialEnded, RecordBusy among
    them), DatabaseAway.
    """
    seen = None
    if expecting is not None and to is not None and not isinstance(command, CreatingCommand):
        seen = Expecting(to, expecting)
    request = None if key is None else Idempotency(by.id, key, index, _body(command, to, expecting))
    execution = _Execution(command, to, door, seen, request, imported, new_id)
    permission = _permit(command, by, door)
    found_made: UUID | None = None
    with watched(command.action) as doing, door.turn(None if in_turn else command.record(to)):
        for attempt in range(ATTEMPTS):
            try:
                outcome = execution.attempt(doing, permission)
                doing.replayed = outcome.replayed
                return outcome
            except _MadeMeanwhile as made:
                if made.conflict.id == found_made or attempt == ATTEMPTS - 1:
                    raise made.conflict from None
                found_made = made.conflict.id
            except VersionConflict as conflict:
                if attempt == ATTEMPTS - 1:
                    raise
                door.look_again(conflict.id)
                sleep(uniform(0, FIRST_PAUSE * 2 ** min(attempt, 5)))  # noqa: S311 - no secret
            permission = _permit(command, permission.by, door)
    raise AssertionError("unreachable")


@dataclass(frozen=True)
class _Permission:
    """The actor in its present roles, how far it reaches with the command, and what that rests on."""

    by: Actor
    reach: Reach
    standing: tuple[Expecting, ...]


def _permit(command: Command, by: Actor, door: Door) -> _Permission:
    """Ask the policy about the actor in its present roles. Raises CredentialEnded, Forbidden."""
    actor, standing = door.look_up_actor(by)
    return _Permission(actor, door.policy.require(actor, command.action), standing)


@dataclass(frozen=True)
class _Execution:
    """A command with everything that its caller gave; it may be attempted several times."""

    command: Command
    to: UUID | None
    door: Door
    seen: Expecting | None
    request: Idempotency | None
    imported: ImportedRow | None
    new_id: UUID | None

    def attempt(self, doing: Doing, permission: _Permission) -> Outcome:
        """Decide on what there is now, and write it."""
        by, reach = permission.by, permission.reach
        work = self.door.work(self.new_id, by.member_id, reach)
        work.look_up(*permission.standing)
        doing.command_id = self.door.new_id()
        envelope = Acting(
            actor=by.id,
            command_id=doing.command_id,
            source=by.source,
            now=work.now,
            reason=self.command.reason,
            imported=self.imported,
        )
        changed: Changed = ()
        try:
            with acting(envelope):
                changed = self.command.perform(self.to, work)
            work.require_within_reach(changed)
            conditions = work.conditions(changed, by.credential)
            outcome = self.door.ledger.save(
                *changed, expecting=self.seen, idempotency=self.request, conditions=conditions
            )
            self.door.notice(changed)
            return outcome
        except VersionConflict as conflict:
            if any(each.id == conflict.id and _is_new(each) for each in changed):
                raise _MadeMeanwhile(conflict) from conflict
            raise
        except CredentialEnded:
            raise
        except DomainError as refusal:
            if (answer := self._answer_given_before(refusal, reach)) is not None:
                return answer
            self._refuse(refusal, reach, work)
            raise

    def _answer_given_before(self, refusal: DomainError, reach: Reach) -> Outcome | None:
        """The answer to the same request, where it is refused now because it was done; raises KeyReused."""
        is_out_of_reach = isinstance(refusal, NotFound) and not reach.is_all
        return None if self.request is None or is_out_of_reach else self.door.ledger.recall(self.request)

    def _refuse(self, refusal: DomainError, reach: Reach, work: Work) -> None:
        """Raise what the caller is to be told instead of the refusal, if anything."""
        if isinstance(refusal, ClaimTaken):
            if refusal.kind == DRAWN:
                raise VersionConflict(refusal.holder, 0) from refusal
            if not reach.is_all:
                raise ClaimTakenElsewhere(refusal.kind, refusal.value) from refusal
        if self.seen is not None and not isinstance(refusal, StaleVersion):
            _require_fresh(work, self.door, self.seen)


def _is_new(aggregate: Aggregate) -> bool:
    """Whether its first event is still to be written."""
    return len(aggregate.pending_events) == aggregate.version


def _require_fresh(work: Work, door: Door, seen: Expecting) -> None:
    """Before any rule it matters that the caller knew what there is: who decided on an older version is told so."""
    actual = work.version_of(seen.id)
    if actual is not None and actual != seen.version:
        raise StaleVersion(seen.version, actual, door.ledger.changed_since(seen.id, seen.version))


def _body(command: Command, to: UUID | None, expecting: int | None) -> bytes:
    """What makes two requests the same: the command with what was given, what it is done to, and the version seen."""
    given = command.model_dump_json(exclude_unset=True)
    return f"{command.action} {to or '-'} {expecting or '-'} {given}".encode()
