"""The shape of the answer about what one may do."""

from __future__ import annotations

from typing import Literal
from uuid import UUID

from pydantic import BaseModel, Field

Scope = Literal["own", "team", "all"]


class Permission(BaseModel):
    """One thing that may be done, or not; what explains it only where that was asked for."""

    permission: str = Field(examples=["customers.change"])
    scope: Scope | None = Field(description="with whose records; null for nobody's", examples=["team"])
    actions: list[str] | None = Field(
        None, description="the commands and reads that need it", examples=[["revise-profile"]]
    )
    granted_to: dict[str, Scope] | None = Field(
        None, description="how far each role has it", examples=[{"sales": "own"}]
    )
    because_of: list[str] | None = Field(
        None, description="the member's own roles among these", examples=[["supervisor"]]
    )
    members: list[UUID] | None = Field(None, description="whose records that is; null for everybody's")


class Permissions(BaseModel):
    """What a member may do."""

    member_id: UUID | None
    roles: list[str] = Field(examples=[["supervisor"]])
    permissions: list[Permission]
