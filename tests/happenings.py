"""Events written down one after the other, as if a ledger had recorded them, to be folded in tests."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

from aggregates.base import Acting, Created, Event, ImportedRow, acting
from aggregates.customer import Customer
from aggregates.member import Member
from aggregates.opportunity import Opportunity
from aggregates.pipeline import DEFAULT_PIPELINE_ID, DEFAULT_STAGES, Pipeline
from aggregates.receivable import Receivable
from aggregates.team import Team
from aggregates.workspace import WORKSPACE_ID, Workspace

NOON = datetime(2026, 3, 2, 4, tzinfo=UTC)
"""Noon of 2 March 2026 in Shanghai."""


class Happenings:
    """A ledger of a few lines: `events` is what happened so far, `now` when the next thing is recorded."""

    def __init__(self, now: datetime = NOON) -> None:
        self.events: list[Event] = []
        self.now = now
        self.actor, self.source = "member:test", "api"
        self.imported: ImportedRow | None = None
        self._versions: Counter[UUID] = Counter()
        self._customers: dict[UUID, UUID] = {}

    def on(self, day: date | str, hour: int = 12) -> Happenings:
        """From here on, what happens is recorded on that day, at that hour of Shanghai."""
        day = date.fromisoformat(day) if isinstance(day, str) else day
        self.now = datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(hours=hour - 8)
        return self

    def happens(self, event_class: type[Event], id: UUID, **body: Any) -> UUID:
        """Records an event of an aggregate; events after its first belong to the same customer."""
        self._versions[id] += 1
        if "customer_id" in body:
            self._customers[id] = body.pop("customer_id")
        if issubclass(event_class, Created):
            body["originator_topic"] = event_class.TOPIC.partition(".")[0]
        make: Any = event_class
        with acting(Acting(self.actor, uuid4(), self.source, self.now, imported=self.imported)):
            self.events.append(
                make(
                    originator_id=id,
                    originator_version=self._versions[id],
                    timestamp=self.now,
                    customer_id=self._customers.get(id),
                    **body,
                )
            )
        return id

    def time_zone(self, name: str, currency: str = "CNY") -> None:
        """The workspace settles its time zone and its currency."""
        self.happens(Workspace.Configured, WORKSPACE_ID, time_zone=name, currency=currency)

    def team(self, name: str, region: str | None = None) -> UUID:
        """A team is formed."""
        return self.happens(Team.Formed, uuid4(), name=name, region=region)

    def member(self, name: str, team: UUID | None = None, since: date | None = None) -> UUID:
        """Somebody joins."""
        return self.happens(Member.Registered, uuid4(), name=name, team_id=team, occurred_on=since)

    def customer(self, name: str = "Acme", **body: Any) -> UUID:
        """A customer is registered."""
        customer = uuid4()
        body = {"code": f"C{len(self._versions):04}", "kind": "company"} | body
        return self.happens(Customer.Registered, customer, customer_id=customer, name=name, **body)

    def pipeline(self) -> UUID:
        """The usual stages are defined: lead, need, proposal, negotiation."""
        return self.happens(Pipeline.Defined, DEFAULT_PIPELINE_ID, name="default", stages=DEFAULT_STAGES)

    def opportunity(self, customer: UUID, opened: str | None, amount: str | None = None, **body: Any) -> UUID:
        """An opportunity is opened, as a lead in yuan unless said otherwise."""
        body = {"pipeline_id": DEFAULT_PIPELINE_ID, "stage": "lead", "currency": "CNY"} | body
        return self.happens(
            Opportunity.Opened,
            uuid4(),
            customer_id=customer,
            occurred_on=_day(opened),
            amount=None if amount is None else Decimal(amount),
            **body,
        )

    def advanced(self, opportunity: UUID, stage: str, on: str | None = None) -> None:
        """An opportunity enters a later stage."""
        self.happens(Opportunity.StageAdvanced, opportunity, stage=stage, occurred_on=_day(on))

    def won(self, opportunity: UUID, amount: str, on: str, currency: str = "CNY") -> None:
        """An opportunity ends in a deal."""
        body = {"amount": Decimal(amount), "currency": currency, "occurred_on": _day(on)}
        self.happens(Opportunity.Won, opportunity, **body)

    def lost(self, opportunity: UUID, on: str, reason: str | None = "price") -> None:
        """An opportunity ends without a deal."""
        self.happens(Opportunity.Lost, opportunity, loss_reason=reason, occurred_on=_day(on))

    def issued(self, customer: UUID, amount: str, issued: str, due: str, **body: Any) -> UUID:
        """A customer owes something, in yuan unless said otherwise."""
        body = {"currency": "CNY"} | body
        dates = {"issued_on": _day(issued), "due_on": _day(due)}
        return self.happens(Receivable.Issued, uuid4(), customer_id=customer, amount=Decimal(amount), **dates, **body)

    def paid(self, receivable: UUID, amount: str, on: str, currency: str = "CNY") -> UUID:
        """A payment comes in."""
        payment = uuid4()
        body = {"payment_id": payment, "amount": Decimal(amount), "currency": currency, "occurred_on": _day(on)}
        self.happens(Receivable.PaymentReceived, receivable, **body)
        return payment

    def reversed(self, receivable: UUID, payment: UUID, amount: str, on: str) -> None:
        """A payment goes back."""
        body = {"payment_id": payment, "amount": Decimal(amount), "currency": "CNY", "occurred_on": _day(on)}
        self.happens(Receivable.PaymentReversed, receivable, **body)

    def written_off(self, receivable: UUID, amount: str, on: str) -> None:
        """An amount is given up."""
        body = {"amount": Decimal(amount), "currency": "CNY", "occurred_on": _day(on)}
        self.happens(Receivable.WrittenOff, receivable, **body)


def _day(text: str | None) -> date | None:
    return None if text is None else date.fromisoformat(text)
