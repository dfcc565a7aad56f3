"""The shape of a disclosure: all that is held about one person."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, Field

from api.answers.shapes.accesses import Access
from api.answers.shapes.common import Position


class Origin(BaseModel):
    """Where something that is held came from: through which door, entered by whom, from which row of a file."""

    source: str = Field(examples=["import"])
    actor: str = Field(examples=["import:maven-pipeline"])
    imported: dict[str, Any] | None
    events: int = Field(description="how many events came from there", examples=[3])
    first_at: datetime


class Disclosure(BaseModel):
    """The present record, every event with its sentence and values, where it came from, and who looked at it."""

    kind: Literal["customer", "contact"]
    customer_id: UUID
    contact_id: UUID | None
    drawn_up_at: datetime
    record: dict[str, Any] | None = Field(description="null for a former contact")
    events: list[dict[str, Any]]
    origins: list[Origin]
    accesses: list[Access]
    position: Position
