"""The ledger: where aggregates are loaded from, and where what happened to them is written."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any, TypeVar, cast
from uuid import UUID

from eventsourcing.application import Application
from eventsourcing.domain import BaseAggregate
from eventsourcing.persistence import (
    AggregateRecorder,
    ApplicationRecorder,
    InfrastructureFactory,
    Mapper,
    ProcessRecorder,
    TrackingRecorder,
    Transcoder,
)
from eventsourcing.utils import Environment, EnvType

from aggregates.base import Event
from ledger import questions
from ledger.append.recorder import LedgerRecorder, SealingKeyExists
from ledger.database import Database
from ledger.encoded.stored import SealingMapper
from ledger.erasing.applying import register_all
from ledger.erasing.register import Register
from ledger.errors import KeyReused, NotFound, StaleVersion
from ledger.outcome import UNCONDITIONAL, Conditions, Expecting, Idempotency, Outcome
from ledger.replaying.loading import Loader
from ledger.sealing import Keyring

A = TypeVar("A", bound=BaseAggregate[UUID])
SEALING_ATTEMPTS = 5


class LedgerFactory(InfrastructureFactory[TrackingRecorder]):
    """Hands the library our recorder and our mapper; projections keep their own positions, so it has no tracking."""

    def __init__(self, env: Environment, recorder: LedgerRecorder, mapper: SealingMapper) -> None:
        super().__init__(env)
        self._recorder = recorder
        self._mapper = mapper

    def mapper(  # the arguments are the library's
        self,
        transcoder: Transcoder | None = None,  # noqa: ARG002
        mapper_class: type[Mapper[Any]] | None = None,  # noqa: ARG002
    ) -> Mapper[Any]:
        """Ours, whatever is asked for."""
        return self._mapper

    def application_recorder(self) -> ApplicationRecorder:
        """The one recorder of the workspace."""
        return self._recorder

    def aggregate_recorder(self, purpose: str = "events") -> AggregateRecorder:  # noqa: ARG002
        """The same one: snapshots are kept in another way."""
        return self._recorder

    def tracking_recorder(self, tracking_recorder_class: type[TrackingRecorder] | None = None) -> TrackingRecorder:
        """There is none."""
        raise NotImplementedError("projections keep their own positions")

    def process_recorder(self) -> ProcessRecorder:
        """There is none."""
        raise NotImplementedError("projections keep their own positions")


class Ledger(Application[UUID]):
    """The events of one workspace. Safe for many threads; `close` leaves the database to whoever opened it.

    Whoever is erased is written into the register of erasures, too, before the answer is given.
    """

    def __init__(self, database: Database, keyring: Keyring, erasures: Register | None = None) -> None:
        self.database = database
        self._erasures = erasures
        self.keyring = keyring
        self._writing = LedgerRecorder(database, keyring)
        self._mapping = SealingMapper(keyring)
        self._loader = Loader(database, keyring)
        super().__init__()

    def construct_factory(self, env: Environment) -> InfrastructureFactory:
        """The factory that knows our database."""
        return cast("InfrastructureFactory[Any]", LedgerFactory(env, self._writing, self._mapping))

    def construct_env(self, name: str, env: EnvType | None = None) -> Environment:
        """Nothing is configured by environment variables of the library."""
        return Environment(name, env)

    def load(self, cls: type[A], id: UUID, *, version: int | None = None, position: int | None = None) -> A:
        """An aggregate as it is, or as it was at a version or a position. Raises NotFound, DatabaseAway."""
        return self._loader.load(cls, id, version=version, position=position)

    def save(  # type: ignore[override]
        self,
        *aggregates: BaseAggregate[UUID],
        expecting: Expecting | None = None,
        idempotency: Idempotency | None = None,
        conditions: Conditions = UNCONDITIONAL,
    ) -> Outcome:
        """Write what happened to the aggregates, all of it or nothing, and answer for the first one.

        A refused save leaves their pending events alone. Raises VersionConflict, StaleVersion, CredentialEnded,
        ClaimTaken, ClaimReplaced, KeyReused, SubjectErased, DatabaseAway.
        """
        first = aggregates[0]
        events = [cast(Event, event) for aggregate in aggregates for event in aggregate.pending_events]
        is_asked = expecting is not None or idempotency is not None or conditions.credential is not None
        if not events and not is_asked:
            return Outcome(first.id, first.version, self.head())
        try:
            outcome = self._append(events, first, expecting, idempotency, conditions)
        except StaleVersion as stale:
            assert expecting is not None
            raise StaleVersion(
                stale.expected, stale.actual, self.changed_since(expecting.id, expecting.version)
            ) from None
        for aggregate in aggregates:
            aggregate.collect_events()
        if not outcome.replayed:
            self._forget_erased(events, outcome.position)
        return outcome

    def _forget_erased(self, events: list[Event], position: int) -> None:
        """The database destroyed the keys with the events; here they are forgotten, and put down in the register."""
        if not any(event.erases() for event in events):
            return
        for subject in (subject for event in events for subject in event.erases()):
            self.keyring.forget(subject)
        self.keyring.expire()
        if self._erasures is not None:
            register_all(self._erasures, events, position, self.recorded_at(position))

    def _append(
        self,
        events: list[Event],
        first: BaseAggregate[UUID],
        expecting: Expecting | None,
        idempotency: Idempotency | None,
        conditions: Conditions,
    ) -> Outcome:
        attempt = 1
        while True:
            stored = self._mapping.to_stored_events(events)
            try:
                return self._writing.append(
                    stored,
                    id=first.id,
                    version=first.version,
                    expecting=expecting,
                    idempotency=idempotency,
                    conditions=conditions,
                )
            except SealingKeyExists as exists:
                self.keyring.forget(exists.subject)
                attempt += 1
                if attempt > SEALING_ATTEMPTS:
                    raise

    def recall(self, idempotency: Idempotency) -> Outcome | None:
        """The answer given to the same request before, if any. Raises KeyReused."""
        found = questions.answer_of(self.database, idempotency.member, idempotency.key, idempotency.index)
        if found is None:
            return None
        body, outcome = found
        if body != self.keyring.request_hash(idempotency.body):
            raise KeyReused(idempotency.key)
        return outcome

    def next_code(self, prefix_month: str) -> int:
        """The next number of the counter of a month, from 1; gaps are allowed."""
        return questions.next_number(self.database, prefix_month)

    def holder(self, kind: str, value: str) -> tuple[UUID, str | None] | None:
        """The aggregate that holds a name, and the detail of its claim."""
        return self.holders(kind, [value]).get(value)

    def holders(self, kind: str, values: Iterable[str]) -> dict[str, tuple[UUID, str | None]]:
        """Those of the names that are held, with the aggregate and the detail of each."""
        return questions.holders(self.database, kind, list(values))

    def head(self) -> int:
        """The position of the last event; 0 in an empty ledger."""
        return questions.head(self.database)

    def position_at(self, instant: datetime) -> int:
        """The last position recorded at or before a moment, the same whenever it is asked. Raises FutureMoment."""
        return questions.position_at(self.database, instant)

    def recorded_at(self, position: int) -> datetime:
        """When a position was recorded. Raises NotFound."""
        found = questions.recorded_at(self.database, position)
        if found is None:
            raise NotFound("position", UUID(int=position))
        return found

    def changed_since(self, id: UUID, version: int) -> tuple[str, ...]:
        """The names of the fields of an aggregate that were changed after a version."""
        return self._loader.changed_since(id, version)


__all__ = ["Ledger", "LedgerFactory"]
