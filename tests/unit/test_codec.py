"""Events into bytes and back: the fast struct and the library's event say the same."""

from __future__ import annotations

import dataclasses
import json
from datetime import UTC, date, datetime
from decimal import Decimal
from types import NoneType
from typing import Any, ClassVar, get_args, get_origin
from uuid import UUID, uuid4

import msgspec
import pytest
from eventsourcing.domain import event as applies
from hypothesis import given
from hypothesis import strategies as st

from aggregates.base import Acting, Aggregate, Created, Event, Personal, acting
from aggregates.registry import event_classes
from keys import MASTER_KEY
from ledger.encoded.codec import decode, encode, fast, to_event
from ledger.encoded.forms import form, form_of, stored_type
from ledger.errors import Malformed, UnknownTopic
from ledger.new_keys import NewKeys
from ledger.replaying.replay import replay
from ledger.sealed import Sealed
from ledger.sealing import Keyring

KEYRING = Keyring(None, MASTER_KEY)
NOW = datetime(2026, 3, 4, 5, 6, 7, 8, tzinfo=UTC)


class Parcel(Aggregate):
    """Something sent, whose events have changed twice since the first release."""

    TOPIC = "parcel"

    class Sent(Created):
        """It was sent."""

        SUBJECT: ClassVar[str] = "originator_id"
        TOPIC = "parcel.sent"
        class_version = 3
        destination: str
        weight: Decimal
        receiver: Personal[str | None] = None
        service: str | None = "ordinary"
        insured: bool = False

        @staticmethod
        def upcast_v1_v2(state: dict[str, Any]) -> None:
            """The weight was in whole grams."""
            state["weight"] = str(Decimal(state.pop("grams")) / 1000)

        @staticmethod
        def upcast_v2_v3(state: dict[str, Any]) -> None:
            """The place was called an address."""
            state["destination"] = state.pop("address")

    class Opened(Event):
        """It was opened, by somebody."""

        SUBJECT: ClassVar[str] = "originator_id"
        TOPIC = "parcel.opened"
        by: Personal[str | None] = None

    class Returned(Event):
        """It came back."""

        TOPIC = "parcel.returned"
        reason_code: str

        def apply(self, aggregate: Any) -> None:
            """It is where it was."""
            aggregate.destination = "back"

    class Weighed(Event):
        """It was weighed; nobody minds."""

        TOPIC = "parcel.weighed"
        weight: Decimal | None

    @applies(Sent)
    def __init__(self, destination: str, receiver: str | None, service: str | None) -> None:
        self.destination = destination
        self.receiver = receiver
        self.service = service
        self.opened: list[tuple[str | None, datetime]] = []

    @applies(Opened)
    def _opened(self, by: str | None, timestamp: datetime) -> None:
        self.opened = [*self.opened, (by, timestamp)]


def read(topic: str, state: bytes, of: UUID, version: int = 1) -> Any:
    return decode(topic, state, originator_id=of, originator_version=version, recorded_at=NOW, customer_id=None)


def values(kind: Any) -> st.SearchStrategy[Any]:
    """Anything that a field of this type may hold."""
    kind = stored_type(kind)
    args = get_args(kind)
    if get_origin(kind) is tuple:
        return st.lists(values(args[0]), max_size=3).map(tuple)
    if args:
        return st.one_of(*(st.none() if each is NoneType else values(each) for each in args))
    if isinstance(kind, type) and dataclasses.is_dataclass(kind):
        return st.builds(kind, **{each.name: st.text(max_size=5) for each in dataclasses.fields(kind)})
    return {
        str: st.text(max_size=20),
        int: st.integers(-(2**63), 2**63 - 1),
        bool: st.booleans(),
        date: st.dates(),
        datetime: st.datetimes(timezones=st.just(UTC)),
        UUID: st.uuids(),
        Decimal: st.decimals(allow_nan=False, allow_infinity=False, places=2),
    }[kind]


@st.composite
def events(draw: st.DrawFn) -> Event:
    """Any event that can happen, with anything in it."""
    topic = draw(st.sampled_from(sorted(event_classes())))
    kind = event_classes()[topic]
    shape = form(topic)
    given: dict[str, Any] = {
        "originator_id": draw(st.uuids()),
        "originator_version": draw(st.integers(1, 10_000)),
        "timestamp": NOW,
        "customer_id": draw(st.uuids()),
    }
    if shape.begins_aggregate:
        given["originator_topic"] = topic.partition(".")[0]
    hints = {each.name: each for each in dataclasses.fields(kind)}
    from typing import get_type_hints

    types = get_type_hints(kind, include_extras=True)
    for name in hints.keys() - given.keys():
        given[name] = draw(values(types[name]))
    return kind(**given)


@given(events())
def test_every_event_comes_back_as_it_was(event: Event) -> None:
    shape = form_of(type(event))
    state = encode(event, KEYRING, NewKeys())
    read_fast = decode(
        shape.topic,
        state,
        originator_id=event.originator_id,
        originator_version=event.originator_version,
        recorded_at=NOW,
        customer_id=event.customer_id,
        position=7,
    )
    assert to_event(read_fast, KEYRING) == event
    for name, value in vars(event).items():
        if name != "originator_topic":
            assert KEYRING.open(getattr(read_fast, name)) == value
    assert (read_fast.position, read_fast.topic, read_fast.recorded_at) == (7, shape.topic, NOW)


@given(events())
def test_nothing_personal_and_no_column_stands_in_the_state(event: Event) -> None:
    shape = form_of(type(event))
    state = json.loads(encode(event, KEYRING, NewKeys()))
    assert not state.keys() & {"originator_id", "originator_version", "timestamp", "customer_id", "originator_topic"}
    assert not state.keys() & set(shape.personal)
    assert ("sealed" in state) == any(getattr(event, name) is not None for name in shape.personal)
    assert None not in state.values()


def test_dates_and_amounts_are_plain_texts() -> None:
    with acting(Acting("rule:x", uuid4(), "rule", NOW)):
        parcel = Parcel.begin(Parcel.Sent, id=uuid4(), customer_id=None, destination="上海", weight=Decimal("1.50"))
    state = json.loads(encode(parcel.pending_events[0], KEYRING, NewKeys()))  # type: ignore[arg-type]
    assert state["weight"] == "1.50"
    assert state["destination"] == "上海"
    assert "sealed" not in state
    assert next(iter(state)) == "class_version"


def sent(**rest: Any) -> Event:
    with acting(Acting("rule:x", uuid4(), "rule", NOW)):
        kind: Any = Parcel.Sent
        event: Event = kind(
            originator_id=uuid4(),
            originator_version=1,
            timestamp=NOW,
            originator_topic="parcel",
            **{"destination": "A", "weight": Decimal(1)} | rest,
        )
        return event


def test_none_is_written_where_it_is_not_the_default() -> None:
    event = sent(service=None)
    state = encode(event, KEYRING, NewKeys())
    assert json.loads(state)["service"] is None
    assert to_event(read("parcel.sent", state, event.originator_id), KEYRING) == event


OLD = {"actor": "rule:x", "command_id": str(uuid4()), "source": "rule"}


@pytest.mark.parametrize(
    "state",
    [
        {**OLD, "address": "A", "grams": 1500},
        {"class_version": 2, **OLD, "address": "A", "weight": "1.5"},
        {"class_version": 3, **OLD, "destination": "A", "weight": "1.5"},
        {**OLD, "class_version": 3, "destination": "A", "weight": "1.5"},
        {"class_version": 3, **OLD, "destination": "A", "weight": "1.5", "dropped_since": 1},
    ],
)
def test_every_version_is_read_in_both_ways(state: dict[str, Any]) -> None:
    id_ = uuid4()
    sealed = KEYRING.seal(id_, id_, 1, {"receiver": "王"}, NewKeys())
    text = msgspec.json.encode({**state, "sealed": sealed})
    read_fast = read("parcel.sent", text, id_)
    event: Any = to_event(read_fast, KEYRING)
    for each in (read_fast, event):
        assert (each.destination, each.weight, each.service, each.insured) == ("A", Decimal("1.5"), "ordinary", False)
    assert event.receiver == "王"
    assert KEYRING.open(read_fast.receiver) == "王"


def test_a_personal_field_reads_as_a_handle_until_it_is_opened() -> None:
    event = sent(receiver="王")
    read_fast = read("parcel.sent", encode(event, KEYRING, NewKeys()), event.originator_id)
    assert isinstance(read_fast.receiver, Sealed)
    assert read_fast.receiver == read_fast.receiver
    assert read_fast.receiver.blob.fields is None
    assert KEYRING.open_many([read_fast.receiver]) == ["王"]
    assert read("parcel.sent", encode(sent(), KEYRING, NewKeys()), uuid4()).receiver is None


def test_replaying_gives_what_the_library_gives() -> None:
    with acting(Acting("rule:x", uuid4(), "rule", NOW)):
        parcel = Parcel.begin(
            Parcel.Sent, id=uuid4(), customer_id=None, destination="A", weight=Decimal(1), receiver="王"
        )
        parcel.trigger_event(Parcel.Opened, by="李")
        parcel.trigger_event(Parcel.Weighed, weight=None)
        parcel.trigger_event(Parcel.Returned, reason_code="late")
        parcel.trigger_event(Parcel.Opened, by=None)
    pending: list[Any] = list(parcel.collect_events())
    stored = [read(type(e).TOPIC, encode(e, KEYRING, NewKeys()), parcel.id, e.originator_version) for e in pending]
    replayed = replay(None, stored, KEYRING)
    slowly: Any = None
    for event in stored:
        slowly = to_event(event, KEYRING).mutate(slowly)
    assert replayed == slowly == parcel
    assert parcel.destination == "back"
    assert [by for by, _ in parcel.opened] == ["李", None]


def test_a_version_left_out_is_noticed() -> None:
    event = sent()
    state = encode(event, KEYRING, NewKeys())
    first = read("parcel.sent", state, event.originator_id)
    third = read("parcel.weighed", msgspec.json.encode({**OLD, "weight": "1"}), event.originator_id, 3)
    with pytest.raises(Malformed):
        replay(None, [first, third], KEYRING)
    with pytest.raises(Malformed):
        replay(None, [third], KEYRING)


@pytest.mark.parametrize(
    "state",
    [b"", b"{", b"[]", b'{"actor": 1}', msgspec.json.encode({**OLD, "weight": "x"})],
    ids=["nothing", "cut off", "a list", "too little", "a wrong type"],
)
def test_a_state_that_cannot_be_read_names_its_event(state: bytes) -> None:
    with pytest.raises(Malformed, match=r"parcel\.weighed v3 of"):
        read("parcel.weighed", state, uuid4(), 3)


@pytest.mark.parametrize("topic", ["parcel.lost", "parcel", "os:system", "this.zen", "", "customer.registered2"])
def test_an_unknown_topic_is_refused(topic: str) -> None:
    with pytest.raises(UnknownTopic):
        fast(topic)


def test_a_personal_field_without_a_person_is_refused() -> None:
    with acting(Acting("rule:x", uuid4(), "rule", NOW)):
        kind: Any = event_classes()["customer.profile-revised"]
        orphan = kind(originator_id=uuid4(), originator_version=2, timestamp=NOW, changed=("name",), name="X")
    with pytest.raises(TypeError, match="customer_id"):
        encode(orphan, KEYRING, NewKeys())
