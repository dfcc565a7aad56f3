"""Read models, and the jobs that build them."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, Field

from api.answers.shapes.common import Position


class RebuildJob(BaseModel):
    """Something a worker builds, and how far it is."""

    job_id: UUID
    kind: str
    projection: str
    version: int
    as_of: int | None
    state: str = Field(examples=["running"])
    phase: str | None
    events_done: int
    events_total: int | None
    events_per_second: int | None
    seconds_left: int | None
    error: str | None
    requested_at: datetime
    started_at: datetime | None
    finished_at: datetime | None


class Jobs(BaseModel):
    """The jobs asked for last."""

    items: list[RebuildJob]


class Failure(BaseModel):
    """The event at which a read model stopped."""

    position: int
    topic: str
    aggregate: UUID
    error: str
    at: datetime


class ProjectionStatus(BaseModel):
    """How one read model is doing."""

    projection: str = Field(examples=["tracking"])
    version: int
    state: str = Field(examples=["running"])
    schema_name: str | None
    position: int | None
    head: int
    events_behind: int
    seconds_behind: float
    leader: str | None
    led_since: datetime | None
    failure: Failure | None


class ProjectionStatuses(BaseModel):
    """How the read models are doing."""

    items: list[ProjectionStatus]
    position: Position
