"""What answers about signing in look like, for the OpenAPI document."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, Field

_ID = "0192f0c1-7d5a-7cc3-a1b2-0123456789ab"


class Me(BaseModel):
    """Who is asking."""

    id: UUID = Field(examples=[_ID])
    name: str | None = Field(examples=["赵顾问"])
    email: str | None = Field(examples=["zhao@example.com"])
    team_id: UUID | None
    roles: list[str] = Field(description="those that this request may act in", examples=[["sales"]])
    signed_in_by: str = Field(description="token, or session", examples=["token"])
    token: str | None = Field(description="the name of the token", examples=["weekly report"])
    expires_at: datetime | None = Field(description="when the token or session ends; null: never")


class SessionShown(BaseModel):
    """A session that goes on, and what a page needs to make changes in it."""

    member: Me
    csrf_token: str = Field(description="to be sent as X-CSRF-Token with every change", examples=["5f1c0a" * 10])
    begun_by: str = Field(description="password, code or openid", examples=["password"])
    created_at: datetime
    idle_until: datetime = Field(description="when it ends unless it is used before")
    expires_at: datetime = Field(description="when it ends however much it is used")


class SessionEnded(BaseModel):
    """The session is over."""

    ended: bool = Field(examples=[True])


class PasswordChanged(BaseModel):
    """The password is another one from now on."""

    sessions_ended: int = Field(description="how many other sessions were ended by it", examples=[1])


class TokenShown(BaseModel):
    """A token, without its text."""

    id: UUID = Field(examples=[_ID])
    name: str = Field(examples=["weekly report"])
    member_id: UUID = Field(examples=[_ID])
    roles: list[str] | None = Field(
        description="the roles that it is for; null: all of the member's", examples=[["sales"]]
    )
    made_by: str = Field(examples=[f"member:{_ID}"])
    parent_id: UUID | None = Field(description="the token that it was made with, and with which it is revoked")
    created_at: datetime
    expires_at: datetime | None = Field(description="null: never")
    last_used_at: datetime | None = Field(description="to the minute or so")
    revoked_at: datetime | None


class TokenMade(TokenShown):
    """A token that was just made; its text is shown this once."""

    token: str = Field(examples=["genjin_Zq0fT4"])


class TokensShown(BaseModel):
    """The tokens of a member, the oldest first."""

    items: list[TokenShown]


class TokensRevoked(BaseModel):
    """The tokens are out of use, with those that were made with them."""

    revoked: int = Field(description="how many were in use", examples=[3])


class CodeMade(BaseModel):
    """A code for one time, shown this once, to be handed to the member."""

    code: str = Field(examples=["Zq0fT4"])
    accept_at: str = Field(
        description="where the member sends it, with the password", examples=["/api/v1/invitations/accept"]
    )
    expires_at: datetime
