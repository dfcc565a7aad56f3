"""What every aggregate and every event has: who did it, in which command, and how its personal fields are marked."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cache
from typing import (
    Annotated,
    Any,
    ClassVar,
    Self,
    TypeVar,
    dataclass_transform,
    get_args,
    get_origin,
    get_type_hints,
)
from uuid import UUID

from eventsourcing.domain import BaseAggregate, CanInitAggregate, CanMutateAggregate, DomainEvent

T = TypeVar("T")


class _PersonalMark:
    """Says that a field holds personal data and is stored sealed."""


PERSONAL_MARK = _PersonalMark()
Personal = Annotated[T, PERSONAL_MARK]


@dataclass(frozen=True)
class ImportedRow:
    """Where an imported event came from, so that its row is never imported twice and a changed row is noticed.

    `replaces` is the digest of the row as it was imported before; None where it is imported for the first time.
    """

    profile: str
    key: str
    digest: str
    replaces: str | None = None


@dataclass(frozen=True)
class Acting:
    """Who acts, in which command, through which door, and when it was decided."""

    actor: str
    command_id: UUID
    source: str
    now: datetime
    reason: str | None = None
    imported: ImportedRow | None = None


_acting: ContextVar[Acting] = ContextVar("acting")


@contextmanager
def acting(as_: Acting) -> Iterator[None]:
    """Every event triggered inside carries this envelope; outside, an event cannot be made (LookupError)."""
    token = _acting.set(as_)
    try:
        yield
    finally:
        _acting.reset(token)


@contextmanager
def imported_from(row: ImportedRow) -> Iterator[None]:
    """Every event triggered inside comes from that row of an import."""
    with acting(replace(_acting.get(), imported=row)):
        yield


def find_imported_row() -> ImportedRow | None:
    """Find the row of an import that events are made from now; none outside of an import."""
    return _acting.get().imported


class Event(CanMutateAggregate[UUID], DomainEvent):
    """Something that happened, with its envelope.

    `timestamp` and `customer_id` are columns of the ledger, not part of the stored state: what was read back carries
    the recorded time and the customer that the event belonged to when it was recorded.
    """

    TOPIC: ClassVar[str]
    """The name it is stored under for ever."""

    class_version: ClassVar[int] = 1
    """The version of its fields; a class whose fields were changed counts it up, and says how earlier ones are read."""

    SUBJECT: ClassVar[str] = "customer_id"
    """The attribute that names the data subject whose key seals the personal fields."""

    CHANGES: ClassVar[tuple[str, ...]] = ()
    """The state that it changes where none of its fields is that state: whoever saw an older version is told these."""

    actor: str = field(default_factory=lambda: _acting.get().actor, kw_only=True)
    command_id: UUID = field(default_factory=lambda: _acting.get().command_id, kw_only=True)
    source: str = field(default_factory=lambda: _acting.get().source, kw_only=True)
    reason: str | None = field(default_factory=lambda: _acting.get().reason, kw_only=True)
    imported: ImportedRow | None = field(default_factory=lambda: _acting.get().imported, kw_only=True)
    customer_id: UUID | None = field(default=None, kw_only=True)

    @staticmethod
    def create_timestamp() -> datetime:
        """The moment it was decided; the ledger's own clock replaces it when the event is read back."""
        return _acting.get().now

    def claims(self) -> Iterator[Claim]:
        """The names that this event takes for its aggregate, or gives back; none unless an event says so."""
        return iter(())

    def erases(self) -> tuple[UUID, ...]:
        """The data subjects whose keys are destroyed with this event; none unless an event says so."""
        return ()


class Created(CanInitAggregate[UUID], Event):
    """The first event of an aggregate."""

    originator_topic: str


@dataclass(frozen=True)
class Claim:
    """A value that only one aggregate may hold at a time, taken (or released) with the event that says so.

    With a `detail`, a digest, it is compare-and-set: the value must be held by no aggregate, not even by this one, or
    with the digest that this one `replaces`. Aggregates that are written together may share it: the first holds it.
    """

    kind: str
    value: str
    released: bool = False
    detail: str | None = None
    replaces: str | None = None


_Event = Event


class Aggregate(BaseAggregate[UUID]):
    """Something whose history decides what may happen next.

    Public methods decide and may refuse; private methods marked `@event(...)` only assign, because they run again at
    every replay. Nothing here asks the clock: the day and the moment are arguments.
    """

    class Event(_Event):
        """The family that the events of one aggregate belong to."""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        for kind in vars(cls).values():
            if isinstance(kind, type) and issubclass(kind, _Event) and kind is not cls.Event:
                kind.__doc__ = _written_docstring(kind)

    @classmethod
    def begin(
        cls, event_class: type[CanInitAggregate[UUID]], *, id: UUID, customer_id: UUID | None, **body: Any
    ) -> Self:
        """Make the aggregate by its first event."""
        return cls._create(event_class, id=id, customer_id=customer_id, **body)

    @property
    def customer_id(self) -> UUID | None:
        """The customer whose history this belongs to; none for what concerns the whole workspace."""
        return None

    def trigger_event(self, event_class: type[CanMutateAggregate[UUID]], **kwargs: Any) -> None:
        """Let it happen: make the event, with its envelope and its customer, and apply it."""
        super().trigger_event(event_class, customer_id=self.customer_id, **kwargs)


def _written_docstring(kind: type) -> str | None:
    """The sentence written at the class as it stands in the source, which the library's subclasses of it hide."""
    as_written = (base for base in kind.__mro__ if base.__name__ == kind.__name__ and base.__doc__)
    docs = (base.__doc__ for base in as_written)
    return next((doc for doc in docs if doc and not doc.startswith(f"{kind.__name__}(")), None)


@cache
def personal_fields(event_class: type[Event]) -> frozenset[str]:
    """The names of the fields that are stored sealed."""
    hints = get_type_hints(event_class, include_extras=True)
    return frozenset(name for name, hint in hints.items() if _is_personal(hint))


def _is_personal(hint: Any) -> bool:
    return get_origin(hint) is Annotated and PERSONAL_MARK in get_args(hint)


@dataclass_transform(eq_default=False, kw_only_default=True)
class DomainError(Exception):
    """A refusal by a business rule: a stable code and the typed values its sentence needs (texts live in the API).

    A subclass annotates its values, as a dataclass does, and they are given by name. `at` names the field of the
    command that would have to be another; none when it is the state of things that stands in the way.
    """

    code: ClassVar[str] = "refused"
    at: ClassVar[str | None] = None

    def __init__(self, **values: Any) -> None:
        unexpected = values.keys() ^ value_names(type(self))
        if unexpected:
            raise TypeError(
                f"{type(self).__name__} needs exactly its own values; see to: {', '.join(sorted(unexpected))}"
            )
        super().__init__(self.code, values)
        self.values = values
        for name, value in values.items():
            setattr(self, name, value)

    @property
    def pointer(self) -> str | None:
        """The field of the command that is to blame: `at`, or the one that the value `field` names."""
        field_name = self.values.get("field")
        return field_name if isinstance(field_name, str) else self.at


def value_names(refusal: type) -> frozenset[str]:
    """The names of the values that a kind of refusal carries."""
    own = (vars(base).get("__annotations__", {}) for base in refusal.__mro__ if issubclass(base, DomainError))
    return frozenset(name for names in own for name in names if name not in ("code", "at"))
