"""Reports of opportunities."""

from __future__ import annotations

from datetime import date

from pydantic import BaseModel, Field

from api.answers.shapes.common import Amount, Key, Position


class Days(BaseModel):
    """So many days on average, and in the middle."""

    mean: float | None
    median: float | None


class FunnelStage(BaseModel):
    """What stands in one stage."""

    stage: str = Field(examples=["proposal"])
    count: int
    share: float | None
    amount: Amount | None


class FunnelGroup(BaseModel):
    """The funnel of one group."""

    key: Key
    stages: list[FunnelStage]
    won: int
    lost: int
    win_rate: float | None = Field(examples=[0.6315])
    won_amount: Amount | None
    cycle_days: Days


class Funnel(BaseModel):
    """The conversion funnel on a day."""

    on: date
    position: Position
    groups: list[FunnelGroup]


class Passage(BaseModel):
    """How many entered a stage, and what became of them."""

    stage: str
    entered: int
    went_on: int
    lost: int
    rate: float | None
    days: Days


class PassageGroup(BaseModel):
    """The passages of one group."""

    key: Key
    stages: list[Passage]


class Conversion(BaseModel):
    """How many went on from each stage up to a day."""

    on: date
    position: Position
    groups: list[PassageGroup]


class SourceGroup(BaseModel):
    """The customers that came from one source."""

    key: Key
    customers: int
    share: float
    won: int
    conversion: float


class Sources(BaseModel):
    """Where customers came from, and how many of them were won."""

    on: date
    from_on: date | None
    until_on: date | None
    position: Position
    groups: list[SourceGroup]
