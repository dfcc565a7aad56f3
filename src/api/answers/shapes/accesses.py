"""The shapes of answers about who looked at what, and of what is looked at with a reason."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, Field

from policy.accesses import Kind


class Access(BaseModel):
    """A look at personal data, something that was refused, or a sign-in."""

    id: int
    at: datetime
    kind: Kind
    actor: str = Field(examples=["member:0192f0c1-7d5a-7cc3-a1b2-0123456789ab"])
    action: str = Field(
        description="what was asked for, as docs/permissions.md names it, or the way of signing in",
        examples=["read-tracking"],
    )
    customer_id: UUID | None
    rows: int | None = Field(description="how many rows were shown", examples=[200])
    reason: str | None = Field(examples=["催收电话"])
    member_id: UUID | None = Field(description="whose account or token it was")
    token_id: UUID | None = Field(description="the token that was made or revoked")


class Accesses(BaseModel):
    """A page of accesses, the newest first."""

    items: list[Access]
    next: str | None = Field(description="the cursor of the next page; null on the last")


class RevealedContact(BaseModel):
    """A contact with its telephone numbers and address of e-mail as they are."""

    contact_id: UUID
    name: str | None
    mobile: str | None = Field(examples=["13812345678"])
    phone: str | None
    email: str | None


class ContactDetails(BaseModel):
    """A customer's telephone number and addresses as they are, and those of its contacts."""

    customer_id: UUID
    phone: str | None
    email: str | None
    address: str | None
    contacts: list[RevealedContact]


class RevealAsked(BaseModel, extra="forbid"):
    """Why the details are needed: it is kept, for auditors to read."""

    reason: str = Field(min_length=1, max_length=500, description="What they are needed for.", examples=["催收电话"])
