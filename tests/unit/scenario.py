"""Given what happened, when somebody asks for something, then this happens or it is refused."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import fields, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Self, TypeVar
from uuid import UUID, uuid4

from aggregates.base import Acting, Aggregate, Created, DomainError, Event, acting
from aggregates.pipeline import DEFAULT_PIPELINE_ID, DEFAULT_STAGES
from aggregates.workspace import WORKSPACE_ID
from commands.base import Command, execute
from commands.door import Door
from ledger.errors import KeyReused, NotFound, StaleVersion, VersionConflict
from ledger.outcome import UNCONDITIONAL, Conditions, Expecting, Idempotency, Outcome
from policy import Actor

A = TypeVar("A", bound=Aggregate)

NOW = datetime(2026, 6, 15, 2, 30, tzinfo=UTC)
"""Half past ten in the morning of 15 June 2026, in Shanghai."""
TODAY = date(2026, 6, 15)

CUSTOMER, OPPORTUNITY, RECEIVABLE, MEMBER, TEAM, PRODUCT, CONTACT, PAYMENT, NOBODY = (UUID(int=n) for n in range(1, 10))
ANN = Actor(f"member:{MEMBER}", MEMBER, "Ann", "api", frozenset({"administrator"}))

IDS = {
    "customer": CUSTOMER,
    "opportunity": OPPORTUNITY,
    "receivable": RECEIVABLE,
    "member": MEMBER,
    "team": TEAM,
    "product": PRODUCT,
    "pipeline": DEFAULT_PIPELINE_ID,
    "workspace": WORKSPACE_ID,
}
BODIES: dict[str, dict[str, Any]] = {
    "customer.registered": {"code": "C202606001", "kind": "company", "name": "Acme"},
    "customer.contact-added": {"contact_id": CONTACT, "name": "Wang", "is_main": True, "is_decision_maker": False},
    "opportunity.opened": {
        "pipeline_id": DEFAULT_PIPELINE_ID,
        "stage": "lead",
        "name": "Cloud servers",
        "amount": Decimal(500),
        "currency": "CNY",
        "occurred_on": date(2026, 6, 1),
    },
    "pipeline.defined": {"name": "default", "stages": DEFAULT_STAGES},
    "receivable.issued": {
        "amount": Decimal(100),
        "currency": "CNY",
        "issued_on": date(2026, 6, 1),
        "due_on": date(2026, 7, 1),
    },
    "receivable.payment-received": {"payment_id": PAYMENT, "currency": "CNY", "occurred_on": date(2026, 6, 10)},
    "member.registered": {"name": "Ann"},
    "team.formed": {"name": "East"},
    "product.added": {"name": "GTX Pro"},
}
OF_A_CUSTOMER = ("customer", "opportunity", "receivable")


class MemoryLedger:
    """A ledger of a few lines, for tests that need no database."""

    def __init__(self) -> None:
        self.events: dict[UUID, list[Any]] = defaultdict(list)
        self.position = 0
        self.codes: dict[str, int] = defaultdict(int)
        self.answers: dict[tuple[str, str, int], tuple[bytes, Outcome]] = {}
        self.conflicts = 0

    def load(self, cls: type[A], id: UUID) -> A:
        """Everything happens again."""
        aggregate: Any = None
        for event in self.events.get(id, ()):
            aggregate = event.mutate(aggregate)
        if not isinstance(aggregate, cls):
            raise NotFound(str(vars(cls)["TOPIC"]), id)
        return aggregate

    def save(
        self,
        *aggregates: Aggregate,
        expecting: Expecting | None = None,
        idempotency: Idempotency | None = None,
        conditions: Conditions = UNCONDITIONAL,
    ) -> Outcome:
        """Write the events, as the real ledger would."""
        if idempotency is not None and (answer := self.recall(idempotency)) is not None:
            return answer
        if expecting is not None and len(self.events[expecting.id]) != expecting.version:
            raise StaleVersion(expecting.version, len(self.events[expecting.id]))
        for read in conditions.reads:
            if len(self.events[read.id]) != read.version:
                raise VersionConflict(read.id, len(self.events[read.id]))
        if self.conflicts:
            self.conflicts -= 1
            raise VersionConflict(aggregates[0].id, 99)
        first = aggregates[0]
        for aggregate in aggregates:
            for event in aggregate.collect_events():
                self.events[aggregate.id].append(event)
                self.position += 1
        outcome = Outcome(first.id, first.version, self.position)
        if idempotency is not None:
            self.answers[idempotency.member, idempotency.key, idempotency.index] = (idempotency.body, outcome)
        return outcome

    def recall(self, idempotency: Idempotency) -> Outcome | None:
        """The answer given before."""
        found = self.answers.get((idempotency.member, idempotency.key, idempotency.index))
        if found is None:
            return None
        if found[0] != idempotency.body:
            raise KeyReused(idempotency.key)
        return replace(found[1], replayed=True)

    def next_code(self, prefix_month: str) -> int:
        """The next number of a month."""
        self.codes[prefix_month] += 1
        return self.codes[prefix_month]

    def changed_since(self, id: UUID, version: int) -> tuple[str, ...]:
        """The fields that events after a version changed."""
        changed = (getattr(event, "changed", ()) for event in self.events[id][version:])
        return tuple(name for names in changed for name in names)


class Scenario:
    """`given` events, not commands: history may hold what today's rules would refuse."""

    def __init__(self) -> None:
        self.now = NOW
        self.ledger = MemoryLedger()
        self.door = Door(self.ledger, clock=lambda: self.now)
        self.outcome: Outcome | None = None
        self.refusal: DomainError | None = None
        self._new: list[Event] = []

    def given(self, event_class: type[Event], *, id: UUID | None = None, **body: Any) -> Self:
        """This has happened, whatever today's rules say."""
        kind = event_class.TOPIC.partition(".")[0]
        aggregate_id = id or IDS[kind]
        history = self.ledger.events[aggregate_id]
        values = BODIES.get(event_class.TOPIC, {}) | body
        if kind in OF_A_CUSTOMER:
            values.setdefault("customer_id", CUSTOMER)
        if issubclass(event_class, Created):
            values["originator_topic"] = kind
        with acting(Acting("member:test", uuid4(), "api", self.now)):
            event = event_class(
                originator_id=aggregate_id, originator_version=len(history) + 1, timestamp=self.now, **values
            )
        history.append(event)
        self.ledger.position += 1
        return self

    def when(self, command: Command, to: UUID | None = None, **how: Any) -> Self:
        """Somebody asks for this."""
        before = {one: len(events) for one, events in self.ledger.events.items()}
        self.outcome = self.refusal = None
        try:
            self.outcome = execute(command, to=to, by=how.pop("by", ANN), door=self.door, **how)
        except DomainError as refusal:
            self.refusal = refusal
        after = list(self.ledger.events.items())
        self._new = [event for one, events in after for event in events[before.get(one, 0) :]]
        self._new.sort(key=self._answered_first)
        return self

    def then(self, event_class: type[Event], **expected: Any) -> Event:
        """This happened next; what is not named may be anything."""
        assert self.refusal is None, f"refused: {self.refusal!r}"
        assert self._new, f"nothing (more) happened, expected {event_class.TOPIC}"
        event = self._new.pop(0)
        assert event.TOPIC == event_class.TOPIC
        actual = {name: getattr(event, name) for name in expected}
        assert actual == expected
        return event

    def then_nothing(self) -> None:
        """Nothing (more) happened, and nothing was refused."""
        assert self.refusal is None, f"refused: {self.refusal!r}"
        assert not self._new, [event.TOPIC for event in self._new]

    def then_refused(self, refusal: type[DomainError], **expected: Any) -> None:
        """It was refused, with these values, and nothing happened."""
        assert isinstance(self.refusal, refusal), f"expected {refusal.__name__}, got {self.refusal!r}, {self._new}"
        assert {name: self.refusal.values[name] for name in expected} == expected
        assert not self._new

    def _answered_first(self, event: Event) -> bool:
        return self.outcome is None or event.originator_id != self.outcome.id


def body_of(event: Event) -> dict[str, Any]:
    """What an event says beside its envelope."""
    envelope = {field.name for field in fields(Event)} | {"originator_topic"}
    return {field.name: getattr(event, field.name) for field in fields(event) if field.name not in envelope}
