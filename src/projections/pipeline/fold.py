"""The pipeline: every opportunity, the stages it went through, and what was true of it on each day."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from aggregates.opportunity import Opportunity
from aggregates.pipeline import Pipeline as PipelineAggregate
from aggregates.product import Product
from projections.dimensions import Dimensions
from projections.dimensions.timeline import DAWN, customer_of, recorded, turn
from projections.engine import folds, table
from projections.pipeline.rows import (
    OpportunityFactsRow,
    OpportunityRow,
    PipelineRow,
    PipelineStageRow,
    ProductRow,
    StageRow,
)

OPEN, WON, LOST = "open", "won", "lost"
DETAILS = ("name", "decision_maker", "competitors", "risks", "plan", "progress")
DETAIL_FACTS = {"product_id": "product_id", "lead_source": "source"}


class Pipeline(Dimensions):
    """Opportunities, their stages with the days they were entered and left, and the dated facts reports group by."""

    name, version = "pipeline", 1

    products = table("products", ProductRow, key="product_id", shared=True)
    pipelines = table("pipelines", PipelineRow, key="pipeline_id", shared=True)
    pipeline_stages = table("pipeline_stages", PipelineStageRow, key=("pipeline_id", "seq"), shared=True)
    opportunities = table(
        "opportunities",
        OpportunityRow,
        key="opportunity_id",
        seen_by="opportunity_id",
        indexes=(
            "customer_id",
            "expected_close_on, opportunity_id",
            "opened_on, opportunity_id",
            "changed_at, opportunity_id",
            "amount, opportunity_id",
            "owner_id, opportunity_id",
            "USING gin (name public.gin_trgm_ops)",
        ),
    )
    stages = table(
        "stages", StageRow, key=("opportunity_id", "seq"), seen_by="opportunity_id", indexes=("entered_on, left_on",)
    )
    opportunity_facts = table(
        "opportunity_facts", OpportunityFactsRow, key=("opportunity_id", "from_on"), seen_by="opportunity_id"
    )

    @folds(Product.Added)
    def product_added(self, event: Product.Added) -> None:
        """A product is there to group by."""
        self.products.add(ProductRow(event.originator_id, event.name, event.series))

    @folds(Product.Revised)
    def product_revised(self, event: Product.Revised) -> None:
        """Reports show a product's present name, for every day."""
        row = self.products[event.originator_id]
        if "name" in event.changed and event.name is not None:
            row.name = event.name
        if "series" in event.changed:
            row.series = event.series

    @folds(PipelineAggregate.Defined)
    def pipeline_defined(self, event: PipelineAggregate.Defined) -> None:
        """A pipeline is there, with its stages in order."""
        self.pipelines.add(PipelineRow(event.originator_id, event.name))
        self._put_stages(event.originator_id, event.stages)

    @folds(PipelineAggregate.StagesRevised)
    def stages_revised(self, event: PipelineAggregate.StagesRevised) -> None:
        """Funnels show the present stages, for every day."""
        for row in self.pipeline_stages.of(event.originator_id):
            self.pipeline_stages.remove((row.pipeline_id, row.seq))
        self._put_stages(event.originator_id, event.stages)

    def _put_stages(self, pipeline_id: Any, stages: Iterable[Any]) -> None:
        for seq, stage in enumerate(stages):
            self.pipeline_stages.add(PipelineStageRow(pipeline_id, seq, stage.key, stage.zh, stage.en))

    @folds(Opportunity.Opened)
    def opened(self, event: Opportunity.Opened) -> None:
        """An opportunity exists from the day it was opened on; its first facts have no beginning of their own."""
        day, opportunity_id = self.dated(event), event.originator_id
        self.opportunities.add(
            OpportunityRow(
                opportunity_id=opportunity_id,
                customer_id=customer_of(event),
                pipeline_id=event.pipeline_id,
                number=event.number,
                name=event.name,
                stage=event.stage,
                outcome=OPEN,
                entries=0,
                stage_entered_on=day,
                opened_on=day,
                closed_on=None,
                amount=event.amount,
                currency=event.currency,
                owner_id=event.owner_id,
                product_id=event.product_id,
                source=event.lead_source,
                expected_close_on=event.expected_close_on,
                loss_reason=None,
                decision_maker=event.decision_maker,
                competitors=event.competitors,
                risks=event.risks,
                plan=event.plan,
                progress=event.progress,
                flags=tuple(event.flags),
                version=event.originator_version,
                recorded_at=recorded(event),
                changed_at=recorded(event),
            )
        )
        facts = (event.amount, event.currency, event.owner_id, event.product_id, event.lead_source)
        self.opportunity_facts.add(OpportunityFactsRow(opportunity_id, DAWN, None, *facts))
        self._enter(event, event.stage, OPEN, day)

    @folds(Opportunity.StageAdvanced, Opportunity.StageMovedBack)
    def stage_moved(self, event: Opportunity.StageAdvanced | Opportunity.StageMovedBack) -> None:
        """It left one stage and entered another."""
        self._enter(event, event.stage, OPEN, self.dated(event))

    @folds(Opportunity.Won)
    def won(self, event: Opportunity.Won) -> None:
        """It ends in a deal; the value stands with that entry, so that it counts from that day only."""
        row = self._changed(event)
        row.amount, row.currency, row.closed_on = event.amount, event.currency, event.occurred_on
        self._enter(event, row.stage, WON, event.occurred_on, amount=event.amount, currency=event.currency)
        self._customer_won(row, event.occurred_on)

    @folds(Opportunity.Lost)
    def lost(self, event: Opportunity.Lost) -> None:
        """It ends without a deal."""
        row = self._changed(event)
        row.loss_reason, row.closed_on = event.loss_reason, event.occurred_on
        self._enter(event, row.stage, LOST, event.occurred_on, loss_reason=event.loss_reason)

    @folds(Opportunity.Reopened)
    def reopened(self, event: Opportunity.Reopened) -> None:
        """It is open again; the value it was won at is what it is worth from that day."""
        row, day = self._changed(event), self.dated(event)
        row.closed_on = row.loss_reason = None
        self._enter(event, event.stage, OPEN, day)
        self._facts(event, day, {"amount": row.amount, "currency": row.currency})

    @folds(Opportunity.StageDateCorrected)
    def stage_date_corrected(self, event: Opportunity.StageDateCorrected) -> None:
        """A stage was entered on another day; entries are counted without winning and losing."""
        row, entries = self._changed(event), self.stages.of(event.originator_id)
        corrected = [entry for entry in entries if entry.outcome == OPEN][event.entry]
        before, corrected.entered_on = corrected.entered_on, event.occurred_on
        if event.occurred_on < before and corrected.seq and entries[corrected.seq - 1].outcome == WON:
            worth = {"amount": entries[corrected.seq - 1].amount, "currency": entries[corrected.seq - 1].currency}
            turn(self.opportunity_facts, event.originator_id, event.occurred_on, worth, until=before)
        if corrected.seq == 0:
            row.opened_on = event.occurred_on
        row.stage_entered_on = entries[-1].entered_on
        _settle(entries)

    @folds(Opportunity.AmountRevised)
    def amount_revised(self, event: Opportunity.AmountRevised) -> None:
        """It is worth another amount from the day that was recorded."""
        row = self._changed(event)
        row.amount, row.currency = event.amount, event.currency
        self._facts(event, self.day(event), {"amount": event.amount, "currency": event.currency})

    @folds(Opportunity.OwnerAssigned)
    def owner_assigned(self, event: Opportunity.OwnerAssigned) -> None:
        """It is somebody else's from the day that was recorded."""
        self._changed(event).owner_id = event.owner_id
        self._facts(event, self.day(event), {"owner_id": event.owner_id})

    @folds(Opportunity.ExpectedCloseRevised)
    def expected_close_revised(self, event: Opportunity.ExpectedCloseRevised) -> None:
        """It is expected to close on another day."""
        self._changed(event).expected_close_on = event.expected_close_on

    @folds(Opportunity.DetailsRevised)
    def details_revised(self, event: Opportunity.DetailsRevised) -> None:
        """Details are the present ones; product and source hold from the day that was recorded."""
        row = self._changed(event)
        for name in DETAILS:
            if name in event.changed:
                setattr(row, name, getattr(event, name))
        facts = {column: getattr(event, name) for name, column in DETAIL_FACTS.items() if name in event.changed}
        for column, value in facts.items():
            setattr(row, column, value)
        if facts:
            self._facts(event, self.day(event), facts)

    def _changed(self, event: Any) -> OpportunityRow:
        row = self.opportunities[event.originator_id]
        row.version, row.changed_at = event.originator_version, event.recorded_at
        return row

    def _facts(self, event: Any, day: date, values: dict[str, Any]) -> None:
        turn(self.opportunity_facts, event.originator_id, day, values)

    def _enter(
        self,
        event: Any,
        stage: str,
        outcome: str,
        day: date,
        *,
        amount: Decimal | None = None,
        currency: str | None = None,
        loss_reason: str | None = None,
    ) -> None:
        row = self._changed(event)
        entry = StageRow(
            opportunity_id=row.opportunity_id,
            seq=row.entries,
            stage=stage,
            outcome=outcome,
            entered_on=day,
            left_on=None,
            days=None,
            amount=amount,
            currency=currency,
            loss_reason=loss_reason,
            recorded_at=event.recorded_at,
        )
        self.stages.add(entry)
        if row.entries:
            _settle(self.stages.of(row.opportunity_id))
        row.stage, row.outcome, row.stage_entered_on = stage, outcome, day
        row.entries += 1

    def _customer_won(self, row: OpportunityRow, day: date) -> None:
        customer = self.customers[row.customer_id]
        if customer.won_on is None or day < customer.won_on:
            customer.won_on = day


def _settle(entries: Sequence[StageRow]) -> None:
    """Each entry is left on the day the next one is entered; out of order, on the earliest day of those after it."""
    left: date | None = None
    for entry in reversed(entries):
        entry.left_on = left if left is None else max(left, entry.entered_on)
        entry.days = None if entry.left_on is None else (entry.left_on - entry.entered_on).days
        left = entry.entered_on if left is None else min(left, entry.entered_on)
