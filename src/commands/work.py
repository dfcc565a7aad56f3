"""What a command works with: things to load, today's date, new ids and codes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from typing import Protocol, TypeVar
from uuid import UUID

from aggregates.base import Aggregate
from aggregates.business_days import Calendar
from aggregates.customer import Customer
from aggregates.pipeline import DEFAULT_PIPELINE_ID, Pipeline
from aggregates.workspace import Settings
from ledger.errors import NotFound
from ledger.outcome import Expecting, Idempotency, Outcome

A = TypeVar("A", bound=Aggregate)


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


class Work:
    """One attempt at one command; what is loaded twice is the same object. `by` is the member who asks, if one does."""

    def __init__(
        self,
        store: Store,
        now: datetime,
        settings: Settings,
        new_id: Callable[[], UUID],
        known: set[tuple[type[Aggregate], UUID]],
        first_id: UUID | None = None,
        by: UUID | None = None,
    ) -> None:
        self.now = now
        self.by = by
        self.settings = settings
        self.calendar = Calendar(now, settings.zone)
        self._store = store
        self._new_id = new_id
        self._known = known
        self._first_id = first_id
        self._loaded: dict[UUID, Aggregate] = {}

    @property
    def today(self) -> date:
        """The business day."""
        return self.calendar.today

    def load(self, kind: type[A], id: UUID | None) -> A:
        """The aggregate of this kind with this id. Raises NotFound."""
        if id is None:
            raise NotFound(str(vars(kind)["TOPIC"]), UUID(int=0))
        loaded = self._loaded.get(id)
        if not isinstance(loaded, kind):
            loaded = self._store.load(kind, id)
            self._loaded[id] = loaded
        return loaded

    def find(self, kind: type[A], id: UUID) -> A | None:
        """The aggregate, or none."""
        try:
            return self.load(kind, id)
        except NotFound:
            return None

    def require(self, kind: type[A], id: UUID | None) -> UUID | None:
        """The same id, of something that is there; members, teams and products never go away. Raises NotFound."""
        if id is not None and (kind, id) not in self._known:
            self.load(kind, id)
            self._known.add((kind, id))
        return id

    def customer(self, id: UUID | None) -> Customer:
        """A customer that is not in the archive. Raises NotFound, CustomerArchived."""
        customer = self.load(Customer, id)
        customer.require_active()
        return customer

    def pipeline(self, id: UUID | None) -> Pipeline:
        """A pipeline; without an id the default one, which is made on first use and is then to be saved too."""
        if id is not None and id != DEFAULT_PIPELINE_ID:
            return self.load(Pipeline, id)
        pipeline = self.find(Pipeline, DEFAULT_PIPELINE_ID) or Pipeline.default()
        self._loaded[pipeline.id] = pipeline
        return pipeline

    def new_id(self) -> UUID:
        """An id for something new: the one that was asked for first, if any, then one after the other."""
        given, self._first_id = self._first_id, None
        return given or self._new_id()

    def next_code(self) -> str:
        """The next customer code of this month (CUS-8)."""
        month = f"{self.today:%Y%m}"
        serial = self._store.next_code(self.settings.code_prefix + month)
        return self.settings.customer_code(month, serial)

    def version_of(self, id: UUID) -> int | None:
        """The version in which something was loaded; none when it was not."""
        loaded = self._loaded.get(id)
        return None if loaded is None else loaded.version - len(loaded.pending_events)
