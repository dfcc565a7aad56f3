"""Events and histories."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel, Field

from api.answers.shapes.common import Position


class RecordedEvent(BaseModel):
    """An event as the ledger holds it, personal fields opened."""

    position: int
    id: UUID = Field(description="what it happened to")
    version: int
    topic: str = Field(examples=["customer.follow-up-logged"])
    recorded_at: datetime
    customer_id: UUID | None
    actor: str = Field(examples=["member:0192f0c1-7d5a-7cc3-a1b2-0123456789ab"])
    command_id: UUID
    source: str = Field(examples=["api"])
    reason: str | None
    data: dict[str, Any]


class Events(BaseModel):
    """A part of the ledger, in order and without gaps."""

    items: list[RecordedEvent]
    next: int = Field(description="give this as `after` to go on")
    more: bool = Field(description="there is more already")
    position: Position


class History(BaseModel):
    """Events as sentences, with what they changed."""

    items: list[dict[str, Any]]
    next: str | None = Field(description="the cursor of the next page; null on the last")
    position: Position
