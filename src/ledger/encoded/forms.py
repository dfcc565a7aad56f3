"""The stored form of each event: which fields stand in clear, which are sealed, and the struct that reads them fast."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, fields
from datetime import datetime
from enum import Enum
from functools import cache
from types import NoneType, UnionType
from typing import Annotated, Any, ClassVar, Literal, Union, cast, get_args, get_origin, get_type_hints
from uuid import UUID

import msgspec
from eventsourcing.domain import CanInitAggregate

from aggregates.base import Aggregate, Event, personal_fields
from aggregates.registry import event_classes
from ledger.errors import UnknownTopic
from ledger.sealed import Blob, Sealed

NOBODY = UUID(int=0)
COLUMNS = frozenset({"originator_id", "originator_version", "timestamp", "customer_id"})
"""Fields of an event that are columns of the ledger and stand nowhere in the stored state."""


class FastEvent(msgspec.Struct, kw_only=True, gc=False):
    """An event as it is read in bulk: the fields of its body, its envelope, and the columns of its row.

    A personal field reads as a handle (`Sealed`) that may be passed on and is opened later, or as None.
    """

    topic: ClassVar[str]
    subject_field: ClassVar[str]

    position: int = 0
    originator_id: UUID = NOBODY
    originator_version: int = 0
    recorded_at: datetime | None = None
    customer_id: UUID | None = None
    sealed: bytes | None = None
    opened: Any = None

    @property
    def timestamp(self) -> datetime | None:
        """When it was recorded."""
        return self.recorded_at

    @property
    def blob(self) -> Blob | None:
        """The sealed part, shared by the handles of all personal fields."""
        if self.sealed is None:
            return None
        if self.opened is None:
            subject = getattr(self, self.subject_field) or NOBODY
            self.opened = Blob(subject, self.originator_id, self.originator_version, self.sealed)
        blob: Blob = self.opened
        return blob


_RESERVED = frozenset(FastEvent.__struct_fields__) | {"topic", "timestamp", "blob", "subject_field", "class_version"}


@dataclass(frozen=True)
class Form:
    """How the events of one topic are stored."""

    topic: str
    event_class: type[Event]
    clear: tuple[tuple[str, bool], ...]
    """Fields that stand in clear, and whether None must be written for them: it is left out where it is the default."""
    personal: tuple[str, ...]
    subject: str
    class_version: int
    struct: type[FastEvent]
    decode: Callable[[bytes], FastEvent]

    @property
    def aggregate_class(self) -> type[Aggregate]:
        """The aggregate whose events these are."""
        return aggregate_class(self.topic)

    @property
    def begins_aggregate(self) -> bool:
        """It is the first event of an aggregate."""
        return issubclass(self.event_class, CanInitAggregate)


@cache
def form(topic: str) -> Form:
    """The form of the events of a topic; raises UnknownTopic."""
    return form_of(_event_class(topic))


@cache
def form_of(event_class: type[Event]) -> Form:
    """The form of an event class."""
    topic: str = getattr(event_class, "TOPIC", "")
    version = event_class.class_version
    clear, personal, struct = _derive(event_class, topic)
    decoder = msgspec.json.Decoder(struct).decode
    return Form(
        topic=topic,
        event_class=event_class,
        clear=clear,
        personal=personal,
        subject=event_class.SUBJECT,
        class_version=version,
        struct=struct,
        decode=decoder if version == 1 else _upcasting(event_class, version, struct, decoder),
    )


def _event_class(topic: str) -> type[Event]:
    """The class that stands in its aggregate under this topic: nothing is ever imported by what the ledger says."""
    for kind in vars(aggregate_class(topic)).values():
        if isinstance(kind, type) and issubclass(kind, Event) and getattr(kind, "TOPIC", None) == topic:
            return kind
    raise UnknownTopic(topic)


@cache
def aggregate_class(topic: str) -> type[Aggregate]:
    """The aggregate to which the events of a topic happen: its own topic is the part before the dot."""
    for kind in Aggregate.__subclasses__():
        if vars(kind).get("TOPIC") == topic.partition(".")[0]:
            return kind
    raise UnknownTopic(topic)


def _derive(
    event_class: type[Event], topic: str
) -> tuple[tuple[tuple[str, bool], ...], tuple[str, ...], type[FastEvent]]:
    hints = get_type_hints(event_class, include_extras=True)
    sealed = personal_fields(event_class)
    clear: list[tuple[str, bool]] = []
    columns: list[Any] = []
    for each in fields(event_class):
        if each.name in COLUMNS or each.name == "originator_topic":
            continue
        if each.name in _RESERVED:
            raise TypeError(f"{topic}: a field of an event cannot be named {each.name}")
        if each.name in sealed:
            continue
        kind = stored_type(hints[each.name])
        default, may_be_left_out = _default(each, kind)
        clear.append((each.name, NoneType in get_args(kind) and not may_be_left_out))
        columns.append((each.name, kind, default) if default is not MISSING else (each.name, kind))
    names = tuple(each.name for each in fields(event_class) if each.name in sealed)
    struct = msgspec.defstruct(
        event_class.__qualname__.replace(".", ""),
        columns,
        bases=(FastEvent,),
        module=event_class.__module__,
        namespace={
            "topic": topic,
            "subject_field": event_class.SUBJECT,
            **{name: _handle(name) for name in names},
        },
        kw_only=True,
        gc=False,
    )
    return tuple(clear), names, cast("type[FastEvent]", struct)


def _default(each: Any, kind: Any) -> tuple[Any, bool]:
    """What a field reads as when it is absent, and whether that is None."""
    if each.name in ("reason", "imported"):
        return None, True
    if each.default is not MISSING:
        return each.default, each.default is None
    if each.default_factory is not MISSING and each.name not in ("actor", "command_id", "source"):
        raise TypeError(f"the default of {each.name} must be a fixed value")
    return (None, True) if NoneType in get_args(kind) else (MISSING, False)


def _handle(name: str) -> property:
    def read(event: FastEvent) -> Sealed | None:
        blob = event.blob
        return None if blob is None else Sealed(blob, name)

    return property(read, doc=f"The handle of the personal field {name}.")


def _upcasting(
    event_class: type[Event], version: int, struct: type[FastEvent], decode: Callable[[bytes], FastEvent]
) -> Callable[[bytes], FastEvent]:
    """Reads every version: the newest at once, an older one through `upcast_v1_v2(state)` and so on."""
    current = f'{{"class_version":{version},'.encode()

    def read(state: bytes) -> FastEvent:
        if state.startswith(current):
            return decode(state)
        values: dict[str, Any] = msgspec.json.decode(state)
        for older in range(values.pop("class_version", 1), version):
            getattr(event_class, f"upcast_v{older}_v{older + 1}")(values)
        return msgspec.convert(values, struct)

    return read


def stored_type(hint: Any) -> Any:
    """The type that a stored value is read as: what once was allowed stays readable, so choices are plain text."""
    origin, args = get_origin(hint), get_args(hint)
    if origin is Annotated:
        return stored_type(args[0])
    if origin is Literal:
        return Union[tuple({type(each) for each in args})]  # noqa: UP007
    if origin in (Union, UnionType):
        return Union[tuple(stored_type(each) for each in args)]  # noqa: UP007
    if isinstance(hint, type) and issubclass(hint, Enum) and issubclass(hint, str):
        return str
    return hint


@cache
def claiming_topics() -> frozenset[str]:
    """The topics whose events may take or give back a name."""
    return frozenset(topic for topic, kind in event_classes().items() if kind.claims is not Event.claims)


def body_fields(event_class: type[Event]) -> Mapping[str, Any]:
    """The fields that say what happened, with their types as written; the envelope and the columns are left out."""
    envelope = {each.name for each in fields(Event)} | {"originator_topic"}
    hints = get_type_hints(event_class, include_extras=True)
    return {each.name: hints[each.name] for each in fields(event_class) if each.name not in envelope}
