"""What a command works with: things to load, today's date, new ids and codes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol, TypeVar
from uuid import UUID

from aggregates.base import Aggregate, DomainError
from aggregates.business_days import Calendar
from aggregates.customer import Customer
from aggregates.member import LastAdministrator, Member
from aggregates.opportunity import Opportunity
from aggregates.pipeline import DEFAULT_PIPELINE_ID, Pipeline
from aggregates.receivable import Receivable
from aggregates.workspace import Settings
from ledger.errors import NotFound
from ledger.outcome import Expecting, Idempotency, Outcome
from policy import EVERYBODY, Reach

A = TypeVar("A", bound=Aggregate)


class BeyondReach(DomainError):
    """Whoever asks may make this only for itself, or for the members of its team."""

    code = "beyond-reach"
    at = "owner_id"
    owner_id: UUID | None


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


@dataclass(frozen=True)
class Owned:
    """What belongs to a member now."""

    customers: Sequence[UUID] = ()
    opportunities: Sequence[UUID] = ()
    """Those that are open or lost."""


class Surroundings(Protocol):
    """What commands need to know beside the aggregates: today's members, and what belongs to whom."""

    def owned_by(self, member_id: UUID) -> Owned:
        """What belongs to a member; everything that was written so far is taken into account."""
        ...

    def administrators(self) -> frozenset[UUID]:
        """The administrators who may act."""
        ...


class Alone:
    """Nothing around: nobody owns anything, and roles are not looked after."""

    def owned_by(self, member_id: UUID) -> Owned:  # noqa: ARG002
        """Nothing."""
        return Owned()

    def administrators(self) -> frozenset[UUID]:
        """Somebody else is always there."""
        return frozenset((UUID(int=0),))


class Work:
    """One attempt at one command; what is loaded twice is the same object. `by` is the member who asks, if one does.

    What does not belong to anybody within `reach` is not found.
    """

    def __init__(
        self,
        store: Store,
        now: datetime,
        settings: Settings,
        new_id: Callable[[], UUID],
        known: set[tuple[type[Aggregate], UUID]],
        first_id: UUID | None = None,
        by: UUID | None = None,
        reach: Reach = EVERYBODY,
        surroundings: Surroundings | None = None,
    ) -> None:
        self.now = now
        self.by = by
        self.settings = settings
        self.calendar = Calendar(now, settings.zone)
        self._store = store
        self._new_id = new_id
        self._known = known
        self._first_id = first_id
        self._reach = reach
        self._surroundings = surroundings or Alone()
        self._admitted: set[UUID] = set()
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
            if not self._reach.is_all:
                self._admit(loaded)
            self._loaded[id] = loaded
        return loaded

    @property
    def reach(self) -> Reach:
        """Whose records the command may work on."""
        return self._reach

    def require_within_reach(self, changed: Iterable[Aggregate]) -> None:
        """Whoever reaches only some records makes none that it would not reach; raises BeyondReach."""
        for aggregate in changed:
            if aggregate.id in self._admitted or not isinstance(aggregate, (Customer, Opportunity)):
                continue
            is_nobodys_deal = isinstance(aggregate, Opportunity) and aggregate.owner_id is None
            if not is_nobodys_deal and not self._reach.covers(aggregate.owner_id):
                raise BeyondReach(owner_id=aggregate.owner_id)

    def _admit(self, aggregate: Aggregate) -> None:
        """Raises NotFound for what belongs to others; whose a deal is may also do to its customer what it takes."""
        if aggregate.id in self._admitted:
            return
        if isinstance(aggregate, Opportunity) and self._reach.covers(aggregate.owner_id):
            self._admitted.add(aggregate.customer_id)
        elif isinstance(aggregate, (Opportunity, Receivable)):
            try:
                self.load(Customer, aggregate.customer_id)
            except NotFound:
                raise NotFound(str(vars(type(aggregate))["TOPIC"]), aggregate.id) from None
        elif isinstance(aggregate, Customer) and not self._reach.covers(aggregate.owner_id):
            raise NotFound(str(vars(Customer)["TOPIC"]), aggregate.id)
        self._admitted.add(aggregate.id)

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

    def owner(self, given: UUID | None) -> UUID | None:
        """Whose something new is: the member that is given, of whoever asks where that one makes only its own.

        Raises NotFound, MemberRemoved, MemberSuspended.
        """
        if given is None:
            return None if self._reach.is_all else self.by
        if given != self.by and (Member, given) not in self._known:
            self.load(Member, given).require_active()
            self._known.add((Member, given))
        return given

    def new_owner(self, given: UUID | None) -> UUID | None:
        """Who looks after something from now on, or nobody. Raises NotFound, MemberRemoved, MemberSuspended."""
        if given is not None:
            self.load(Member, given).require_active()
        return given

    def owned_by(self, member_id: UUID) -> Owned:
        """What belongs to a member within reach; raises NotFound."""
        if not self._reach.covers(member_id):
            raise NotFound(str(vars(Member)["TOPIC"]), member_id)
        return self._surroundings.owned_by(member_id)

    def require_another_administrator(self, member: Member) -> None:
        """Somebody is left who may change roles when this member no longer does; raises LastAdministrator."""
        if self._surroundings.administrators() == {member.id}:
            raise LastAdministrator(id=member.id)

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
