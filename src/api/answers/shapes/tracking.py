"""Reports of the tracking table."""

from __future__ import annotations

from datetime import date
from typing import Any

from pydantic import BaseModel, Field

from api.answers.shapes.common import Position


class WonCustomers(BaseModel):
    """The customers with whom a deal was made in a period."""

    from_on: date = Field(alias="from")
    until_on: date = Field(alias="until")
    position: Position
    count: int
    customers: list[dict[str, Any]]
