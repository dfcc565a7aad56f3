"""What can happen to an opportunity."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from aggregates.base import Claim, Created, Event, Personal


@dataclass(frozen=True, kw_only=True)
class DetailFields:
    """What the tracking sheet of opportunities says beside stage, amount and dates (OPP-3)."""

    name: Personal[str | None] = None
    product_id: UUID | None = None
    lead_source: str | None = None
    decision_maker: Personal[str | None] = None
    competitors: Personal[str | None] = None
    risks: Personal[str | None] = None
    plan: Personal[str | None] = None
    progress: int | None = None


DETAILS = tuple(field.name for field in fields(DetailFields))


class OpportunityEvents:
    """The events of an opportunity, from opening to won or lost.

    Its stages are entered one after the other: by being opened (entry 0), advanced, moved back or reopened; an entry
    without a date counts from the day it was recorded.
    """

    class Opened(DetailFields, Created):
        """A chance of a deal was noted; its amount may be unknown."""

        TOPIC = "opportunity.opened"
        pipeline_id: UUID
        stage: str
        currency: str
        number: str | None = None
        amount: Decimal | None = None
        owner_id: UUID | None = None
        expected_close_on: date | None = None
        occurred_on: date | None = None
        flags: tuple[str, ...] = ()

        def claims(self) -> Iterator[Claim]:
            """The number belongs to one opportunity (OPP-2)."""
            if self.number is not None:
                yield Claim("opportunity-number", self.number)

        def apply(self, aggregate: Any) -> None:
            """These are its details."""
            aggregate.details = {name: getattr(self, name) for name in DETAILS}

    class StageAdvanced(Event):
        """It came to a later stage of its pipeline."""

        TOPIC = "opportunity.stage-advanced"
        stage: str
        occurred_on: date | None = None

    class StageMovedBack(Event):
        """It fell back to an earlier stage of its pipeline."""

        TOPIC = "opportunity.stage-moved-back"
        stage: str
        occurred_on: date | None = None

    class StageDateCorrected(Event):
        """A stage had been entered on another day than was noted; `entry` counts the entries from 0."""

        TOPIC = "opportunity.stage-date-corrected"
        entry: int
        occurred_on: date

    class AmountRevised(Event):
        """It is worth another amount, or an unknown one."""

        TOPIC = "opportunity.amount-revised"
        amount: Decimal | None
        currency: str

    class ExpectedCloseRevised(Event):
        """It is expected to close on another day."""

        TOPIC = "opportunity.expected-close-revised"
        expected_close_on: date | None

    class DetailsRevised(DetailFields, Event):
        """Some details were changed: the fields that `changed` names take the values given here."""

        TOPIC = "opportunity.details-revised"
        changed: tuple[str, ...]

        def apply(self, aggregate: Any) -> None:
            """The named details are these now."""
            aggregate.details = aggregate.details | {name: getattr(self, name) for name in self.changed}

    class OwnerAssigned(Event):
        """Another member became responsible, or nobody."""

        TOPIC = "opportunity.owner-assigned"
        owner_id: UUID | None

    class Won(Event):
        """The deal was made, at this value."""

        TOPIC = "opportunity.won"
        CHANGES = ("status",)
        amount: Decimal
        currency: str
        occurred_on: date

    class Lost(Event):
        """The deal will not be made."""

        TOPIC = "opportunity.lost"
        CHANGES = ("status",)
        loss_reason: str | None
        occurred_on: date

    class Reopened(Event):
        """A closed opportunity is being worked on again, from this stage."""

        TOPIC = "opportunity.reopened"
        CHANGES = ("status",)
        stage: str
        occurred_on: date | None = None
