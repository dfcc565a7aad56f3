"""The rows of the pipeline: opportunities as they stand, the stages they went through, and the facts of each day."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

import msgspec


class OpportunityRow(msgspec.Struct):
    """An opportunity as it stands; `stage` stays the last open one when it is won or lost."""

    opportunity_id: UUID
    customer_id: UUID
    pipeline_id: UUID
    number: str | None
    name: str | None
    stage: str
    outcome: str
    entries: int
    stage_entered_on: date
    opened_on: date
    closed_on: date | None
    amount: Decimal | None
    currency: str
    owner_id: UUID | None
    product_id: UUID | None
    source: str | None
    expected_close_on: date | None
    loss_reason: str | None
    decision_maker: str | None
    competitors: str | None
    risks: str | None
    plan: str | None
    progress: int | None
    flags: tuple[str, ...]
    version: int
    recorded_at: datetime
    changed_at: datetime


class StageRow(msgspec.Struct):
    """One entry of an opportunity's way: a stage, or its winning or losing, with the days it was entered and left."""

    opportunity_id: UUID
    seq: int
    stage: str
    outcome: str
    entered_on: date
    left_on: date | None
    days: int | None
    amount: Decimal | None
    currency: str | None
    loss_reason: str | None
    recorded_at: datetime


class OpportunityFactsRow(msgspec.Struct):
    """What an opportunity was worth, whose it was, and of which product, from one day until before another."""

    opportunity_id: UUID
    from_on: date
    until_on: date | None
    amount: Decimal | None
    currency: str
    owner_id: UUID | None
    product_id: UUID | None
    source: str | None


class PipelineRow(msgspec.Struct):
    """A pipeline that opportunities may go through."""

    pipeline_id: UUID
    name: str


class PipelineStageRow(msgspec.Struct):
    """A stage of a pipeline, by its place in the order."""

    pipeline_id: UUID
    seq: int
    key: str
    zh: str
    en: str


class ProductRow(msgspec.Struct):
    """A product, as named now."""

    product_id: UUID
    name: str
    series: str | None
