"""An opportunity as its events have made it, and what may happen to it next."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Self
from uuid import UUID

from eventsourcing.domain import event

from aggregates.base import Aggregate
from aggregates.business_days import Calendar
from aggregates.changes import changes
from aggregates.opportunity.events import OpportunityEvents as Happened
from aggregates.opportunity.refusals import (
    BeforeStageEntered,
    EntryUnknown,
    LossReasonMissing,
    OpportunityClosed,
    OpportunityNameMissing,
    OpportunityNotClosed,
    StageDateOutOfOrder,
    StageNotAhead,
    StageNotBehind,
)
from aggregates.pipeline import Pipeline
from aggregates.refusals import CurrencyMismatch, require_past, require_reason


@dataclass(frozen=True)
class StageEntry:
    """When a stage was entered: on the day that was said, else on the day it was recorded; and when it ended there."""

    stage: str
    occurred_on: date | None
    recorded_at: datetime
    closed_on: date | None = None

    def day(self, calendar: Calendar) -> date:
        """The business day of entering."""
        return self.occurred_on or calendar.day_of(self.recorded_at)

    def left_after(self, calendar: Calendar) -> date:
        """The first day on which something else can follow: that of being won or lost in it, else of entering it."""
        return self.closed_on or self.day(calendar)


class Opportunity(Happened, Aggregate):
    """A chance of a deal with a customer: its stage, what it may be worth, and whether it was won or lost."""

    TOPIC = "opportunity"

    @classmethod
    def open(
        cls,
        id: UUID,
        calendar: Calendar,
        *,
        customer_id: UUID,
        pipeline: Pipeline,
        stage: str | None = None,
        occurred_on: date | None = None,
        **rest: Any,
    ) -> Self:
        """Note a chance of a deal, in the first stage of the pipeline unless another one is given."""
        if occurred_on is not None:
            require_past("occurred_on", occurred_on, calendar.today)
        return cls.begin(
            cls.Opened,
            id=id,
            customer_id=customer_id,
            pipeline_id=pipeline.id,
            stage=pipeline.stage(stage),
            occurred_on=occurred_on,
            **rest,
        )

    def __init__(
        self,
        customer_id: UUID,
        pipeline_id: UUID,
        stage: str,
        occurred_on: date | None,
        timestamp: datetime,
        amount: Decimal | None,
        currency: str,
        owner_id: UUID | None,
        expected_close_on: date | None,
    ) -> None:
        self._customer_id = customer_id
        self.pipeline_id = pipeline_id
        self.entries: tuple[StageEntry, ...] = (StageEntry(stage, occurred_on, timestamp),)
        self.status = "open"
        self.amount = amount
        self.currency = currency
        self.owner_id = owner_id
        self.expected_close_on = expected_close_on
        self.details: dict[str, Any] = {}

    @property
    def customer_id(self) -> UUID:
        """The customer it is a chance with."""
        return self._customer_id

    @property
    def stage(self) -> str:
        """The stage it is in, or was in when it was closed."""
        return self.entries[-1].stage

    @property
    def closed_on(self) -> date | None:
        """The day it was won or lost; none while it is open."""
        return self.entries[-1].closed_on

    def require_open(self) -> None:
        """Refuse what is not done with an opportunity that was won or lost."""
        if self.status != "open":
            raise OpportunityClosed(status=self.status)

    def advance_stage(self, stage: str, occurred_on: date | None, pipeline: Pipeline, calendar: Calendar) -> None:
        """Bring it to a later stage; stages in between may be skipped."""
        self.require_open()
        key = pipeline.stage(stage)
        if pipeline.place(key) <= pipeline.place(self.stage):
            raise StageNotAhead(stage=key, current=self.stage)
        self._require_in_order(occurred_on, calendar)
        self._stage_advanced(key, occurred_on, calendar.now)

    def move_stage_back(
        self, stage: str, occurred_on: date | None, pipeline: Pipeline, calendar: Calendar, reason: str | None
    ) -> None:
        """Let it fall back to an earlier stage, with a reason."""
        self.require_open()
        key = pipeline.stage(stage)
        if key == self.stage or pipeline.place(key) > pipeline.place(self.stage) >= 0:
            raise StageNotBehind(stage=key, current=self.stage)
        require_reason(reason)
        self._require_in_order(occurred_on, calendar)
        self._stage_moved_back(key, occurred_on, calendar.now)

    def correct_stage_date(self, entry: int, occurred_on: date, calendar: Calendar, reason: str | None) -> None:
        """Say on which day a stage was really entered; the stages stay in order."""
        if not 0 <= entry < len(self.entries):
            raise EntryUnknown(entry=entry, entries=len(self.entries))
        require_reason(reason)
        before, here, after = self.entries[:entry][-1:], self.entries[entry], self.entries[entry + 1 :][:1]
        earliest = max((one.left_after(calendar) for one in before), default=None)
        latest = here.closed_on or min((one.day(calendar) for one in after), default=calendar.today)
        if occurred_on > latest or (earliest is not None and occurred_on < earliest):
            raise StageDateOutOfOrder(occurred_on=occurred_on, earliest=earliest, latest=latest)
        if occurred_on != here.occurred_on:
            self._stage_date_corrected(entry, occurred_on)

    def revise_amount(self, amount: Decimal | None, currency: str | None = None) -> None:
        """Let it be worth another amount, or an unknown one."""
        self.require_open()
        new_currency = currency or self.currency
        if (amount, new_currency) != (self.amount, self.currency):
            self._amount_revised(amount, new_currency)

    def revise_expected_close(self, expected_close_on: date | None) -> None:
        """Expect it to close on another day, or on none in particular."""
        self.require_open()
        if expected_close_on != self.expected_close_on:
            self._expected_close_revised(expected_close_on)

    def revise_details(self, **given: Any) -> None:
        """Change the details that are given and differ from what is known; None clears one."""
        self.require_open()
        if "name" in given and given["name"] is None:
            raise OpportunityNameMissing
        changed = changes(self.details, given)
        if changed:
            self.trigger_event(self.DetailsRevised, changed=tuple(changed), **changed)

    def assign_owner(self, owner_id: UUID | None) -> None:
        """Make one member responsible, or nobody where an import or a rule asks."""
        if owner_id != self.owner_id:
            self._owner_assigned(owner_id)

    def win(self, amount: Decimal, currency: str | None, occurred_on: date, calendar: Calendar) -> None:
        """Close it with a deal of this value."""
        self.require_open()
        if currency is not None and currency != self.currency:
            raise CurrencyMismatch(currency=currency, expected=self.currency)
        self._require_in_order(occurred_on, calendar)
        self._won(amount, self.currency, occurred_on)

    def lose(
        self, loss_reason: str | None, occurred_on: date, calendar: Calendar, *, is_imported: bool = False
    ) -> None:
        """Close it without a deal, and say why; only what is imported may not know."""
        self.require_open()
        if not loss_reason and not is_imported:
            raise LossReasonMissing
        self._require_in_order(occurred_on, calendar)
        self.trigger_event(self.Lost, loss_reason=loss_reason, occurred_on=occurred_on)

    def reopen(
        self,
        stage: str | None,
        occurred_on: date | None,
        pipeline: Pipeline,
        calendar: Calendar,
        reason: str | None,
    ) -> None:
        """Work on it again, from a stage of its pipeline or the one it was in; to undo a deal takes a reason."""
        if self.status == "open":
            raise OpportunityNotClosed
        if self.status == "won":
            require_reason(reason)
        key = self.stage if stage is None and pipeline.place(self.stage) >= 0 else pipeline.stage(stage)
        self._require_in_order(occurred_on, calendar)
        self._reopened(key, occurred_on, calendar.now)

    def _require_in_order(self, occurred_on: date | None, calendar: Calendar) -> None:
        day = occurred_on or calendar.today
        require_past("occurred_on", day, calendar.today)
        earliest = self.entries[-1].left_after(calendar)
        if day < earliest:
            raise BeforeStageEntered(occurred_on=day, earliest=earliest)

    @event(Happened.StageAdvanced)
    def _stage_advanced(self, stage: str, occurred_on: date | None, timestamp: datetime) -> None:
        self.entries = (*self.entries, StageEntry(stage, occurred_on, timestamp))

    @event(Happened.StageMovedBack)
    def _stage_moved_back(self, stage: str, occurred_on: date | None, timestamp: datetime) -> None:
        self.entries = (*self.entries, StageEntry(stage, occurred_on, timestamp))

    @event(Happened.StageDateCorrected)
    def _stage_date_corrected(self, entry: int, occurred_on: date) -> None:
        corrected = replace(self.entries[entry], occurred_on=occurred_on)
        self.entries = (*self.entries[:entry], corrected, *self.entries[entry + 1 :])

    @event(Happened.AmountRevised)
    def _amount_revised(self, amount: Decimal | None, currency: str) -> None:
        self.amount = amount
        self.currency = currency

    @event(Happened.ExpectedCloseRevised)
    def _expected_close_revised(self, expected_close_on: date | None) -> None:
        self.expected_close_on = expected_close_on

    @event(Happened.OwnerAssigned)
    def _owner_assigned(self, owner_id: UUID | None) -> None:
        self.owner_id = owner_id

    @event(Happened.Won)
    def _won(self, amount: Decimal, currency: str, occurred_on: date) -> None:
        self.status = "won"
        self.amount = amount
        self.currency = currency
        self.entries = (*self.entries[:-1], replace(self.entries[-1], closed_on=occurred_on))

    @event(Happened.Lost)
    def _lost(self, occurred_on: date) -> None:
        self.status = "lost"
        self.entries = (*self.entries[:-1], replace(self.entries[-1], closed_on=occurred_on))

    @event(Happened.Reopened)
    def _reopened(self, stage: str, occurred_on: date | None, timestamp: datetime) -> None:
        self.status = "open"
        self.entries = (*self.entries, StageEntry(stage, occurred_on, timestamp))
