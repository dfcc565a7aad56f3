"""What a command works with: things to load, today's date, new ids and codes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol, TypeVar
from uuid import UUID

from aggregates.base import Aggregate, DomainError
from aggregates.business_days import Calendar
from aggregates.choices import Role
from aggregates.customer import Customer
from aggregates.member import LastAdministrator, Member
from aggregates.opportunity import Opportunity
from aggregates.pipeline import DEFAULT_PIPELINE_ID, Pipeline
from aggregates.receivable import Receivable
from aggregates.workspace import WORKSPACE_ID, Settings
from ledger.errors import NotFound, VersionConflict
from ledger.outcome import UNCONDITIONAL, Conditions, Credential, Expecting, Idempotency, Outcome, Unnamed
from policy import EVERYBODY, Reach
from policy.directory import Directory

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
        self,
        *aggregates: Aggregate,
        expecting: Expecting | None = None,
        idempotency: Idempotency | None = None,
        conditions: Conditions = UNCONDITIONAL,
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
    position: int | None = None
    """The position up to which this is known; None where nothing can have changed it."""
    won: Sequence[Expecting] = ()
    """The opportunities that stay with the member: reopened ones would be open again."""


class Surroundings(Protocol):
    """What commands need to know beside the aggregates: today's members, and what belongs to whom."""

    def owned_by(self, member_id: UUID) -> Owned:
        """What belongs to a member; everything that was written so far is taken into account."""
        ...

    def administrators(self) -> frozenset[UUID] | None:
        """The administrators who may act; None where roles are not managed."""
        ...


class Alone:
    """Nothing around: nobody owns anything, and roles are not looked after."""

    def owned_by(self, member_id: UUID) -> Owned:  # noqa: ARG002
        """Nothing."""
        return Owned()

    def administrators(self) -> frozenset[UUID] | None:
        """Roles are not managed."""
        return None


class Work:
    """One attempt at one command; what is loaded twice is the same object. `by` is the member who asks, if one does.

    What does not belong to anybody within `reach` is not found. Whatever is loaded or looked up here belongs to the
    read set of the command (`conditions`): it is written only while that is still as it was read.
    """

    def __init__(
        self,
        store: Store,
        now: datetime,
        settings: tuple[Settings, int],
        new_id: Callable[[], UUID],
        known: set[tuple[type[Aggregate], UUID]],
        first_id: UUID | None = None,
        by: UUID | None = None,
        reach: Reach = EVERYBODY,
        surroundings: Surroundings | None = None,
        directory: Directory | None = None,
    ) -> None:
        self.now = now
        self.by = by
        self.reach = reach
        self._settings, self._settings_version = settings
        self._calendar = Calendar(now, self._settings.zone)
        self._store = store
        self._new_id = new_id
        self._known = known
        self._first_id = first_id
        self._surroundings = surroundings or Alone()
        self._directory = directory
        self._admitted: set[UUID] = set()
        self._loaded: dict[UUID, Aggregate] = {}
        self._looked_up: dict[UUID, int] = {}
        self._unnamed: list[Unnamed] = []

    @property
    def settings(self) -> Settings:
        """The settings of the workspace."""
        self.look_up(Expecting(WORKSPACE_ID, self._settings_version))
        return self._settings

    @property
    def calendar(self) -> Calendar:
        """The days of the workspace's time zone."""
        self.look_up(Expecting(WORKSPACE_ID, self._settings_version))
        return self._calendar

    @property
    def today(self) -> date:
        """The business day."""
        return self.calendar.today

    def look_up(self, *read: Expecting) -> None:
        """Note aggregates that the command is decided on without loading them, at the versions that are known."""
        for each in read:
            self._looked_up[each.id] = min(each.version, self._looked_up.get(each.id, each.version))

    def conditions(self, changed: Iterable[Aggregate], credential: Credential | None) -> Conditions:
        """What must still hold when the changed aggregates are written: the read set, and the credential."""
        reads = dict(self._looked_up)
        for loaded in self._loaded.values():
            version = loaded.version - len(loaded.pending_events)
            reads[loaded.id] = min(version, reads.get(loaded.id, version))
        for each in changed:
            if each.pending_events:
                reads.pop(each.id, None)
        return Conditions(tuple(map(Expecting, reads, reads.values())), tuple(self._unnamed), credential)

    def load(self, kind: type[A], id: UUID | None) -> A:
        """The aggregate of this kind with this id. Raises NotFound."""
        if id is None:
            raise NotFound(str(vars(kind)["TOPIC"]), UUID(int=0))
        loaded = self._loaded.get(id)
        if not isinstance(loaded, kind):
            loaded = self._store.load(kind, id)
            if not self.reach.is_all:
                self._admit(loaded)
            self._loaded[id] = loaded
        return loaded

    def require_within_reach(self, changed: Iterable[Aggregate]) -> None:
        """Whoever reaches only some records makes none that it would not reach; raises BeyondReach."""
        for aggregate in changed:
            if aggregate.id in self._admitted or not isinstance(aggregate, (Customer, Opportunity)):
                continue
            is_nobodys_deal = isinstance(aggregate, Opportunity) and aggregate.owner_id is None
            if not is_nobodys_deal and not self.reach.covers(aggregate.owner_id):
                raise BeyondReach(owner_id=aggregate.owner_id)
            self._look_up_placement(aggregate.owner_id)

    def _admit(self, aggregate: Aggregate) -> None:
        """Raises NotFound for what belongs to others; whose a deal is may also do to its customer what it takes."""
        if aggregate.id in self._admitted:
            return
        if isinstance(aggregate, Opportunity) and self.reach.covers(aggregate.owner_id):
            self._look_up_placement(aggregate.owner_id)
            self._admitted.add(aggregate.customer_id)
        elif isinstance(aggregate, (Opportunity, Receivable)):
            try:
                self.load(Customer, aggregate.customer_id)
            except NotFound:
                raise NotFound(str(vars(type(aggregate))["TOPIC"]), aggregate.id) from None
        elif isinstance(aggregate, Customer):
            if not self.reach.covers(aggregate.owner_id):
                raise NotFound(str(vars(Customer)["TOPIC"]), aggregate.id)
            self._look_up_placement(aggregate.owner_id)
        self._admitted.add(aggregate.id)

    def _look_up_placement(self, owner_id: UUID | None) -> None:
        """Note the teams that the owner stands below; raises VersionConflict where the reach, read before, is over."""
        if owner_id is None or owner_id == self.by or self._directory is None or self.reach.is_all:
            return
        self.look_up(*self._directory.placement(owner_id))
        if self.by is not None and owner_id not in self._directory.led_by(self.by):
            raise VersionConflict(owner_id, 0)

    def find(self, kind: type[A], id: UUID) -> A | None:
        """The aggregate, or none; that there is none belongs to the read set, too."""
        try:
            return self.load(kind, id)
        except NotFound:
            self.look_up(Expecting(id, 0))
            return None

    def require(self, kind: type[A], id: UUID | None) -> UUID | None:
        """The same id, of something that is there; members, teams and products never go away. Raises NotFound."""
        if id is not None and not isinstance(self._loaded.get(id), kind) and (kind, id) not in self._known:
            self._store.load(kind, id)
            self._known.add((kind, id))
        return id

    def active_member(self, id: UUID) -> UUID:
        """The same id, of a member who may be given something. Raises NotFound, MemberRemoved, MemberSuspended."""
        if not self.is_active_member(id):
            self.load(Member, id).require_active()
        return id

    def is_active_member(self, id: UUID) -> bool:
        """Whether there is such a member who may act, and be given something."""
        person = None if self._directory is None else self._directory.member(id)
        if person is not None:
            self.look_up(Expecting(person.id, person.version))
            return person.may_act
        member = self.find(Member, id)
        return member is not None and member.is_active

    def owned_by(self, member_id: UUID) -> Owned:
        """What belongs to a member within reach; nothing may be given to it until this is written. Raises NotFound."""
        if not self.reach.covers(member_id):
            raise NotFound(str(vars(Member)["TOPIC"]), member_id)
        owned = self._surroundings.owned_by(member_id)
        self.look_up(*owned.won)
        if owned.position is not None:
            self._unnamed.append(Unnamed(member_id, owned.position))
        return owned

    def require_another_administrator(self, member: Member) -> None:
        """Somebody is left who may change roles when this member no longer does; raises LastAdministrator.

        The other one belongs to the read set: two administrators who take each other's role cannot both succeed.
        """
        administrators = self._surroundings.administrators()
        if administrators is None or member.id not in administrators:
            return
        others = (self.load(Member, each) for each in sorted(administrators - {member.id}))
        if not any(each.state == "active" and Role.ADMINISTRATOR in each.roles for each in others):
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
