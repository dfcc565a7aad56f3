"""What is sent to sign in, to choose a password and to make a token; read as strictly as commands."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, TypeVar

from pydantic import BaseModel, ConfigDict, Field, SecretStr
from starlette.requests import Request

from api.requests.bodies import read_json_bytes, read_model
from commands.fields import Email, Line, RoleField
from policy.identity.tokens import DEFAULT_DAYS

MAX_BODY = 16_384
Secret = Annotated[SecretStr, Field(max_length=1000)]


class Body(BaseModel):
    """Something that can be sent."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_enum_values=True)
    example: ClassVar[dict[str, Any]] = {}


B = TypeVar("B", bound=Body)


class SignIn(Body):
    """Who wants to sign in."""

    example: ClassVar[dict[str, Any]] = {"email": "zhao@example.com", "password": "four words nobody guesses"}

    email: str = Field(max_length=254)
    password: Secret


class AcceptCode(Body):
    """A code for one time, and the password that is chosen with it."""

    example: ClassVar[dict[str, Any]] = {"code": "Zq0fT4...", "password": "four words nobody guesses"}

    code: Secret
    password: Secret


class SetUp(AcceptCode):
    """The code of the first start, and who the first administrator is."""

    example: ClassVar[dict[str, Any]] = {
        "code": "Zq0fT4...",
        "name": "赵管理",
        "email": "zhao@example.com",
        "password": "four words nobody guesses",
    }

    name: Line
    email: Email


class ChangePassword(Body):
    """The password as it is, and as it shall be."""

    example: ClassVar[dict[str, Any]] = {
        "current_password": "four words nobody guesses",
        "new_password": "another four nobody knows",
    }

    current_password: Secret
    new_password: Secret


class MakeToken(Body):
    """A token that is asked for."""

    example: ClassVar[dict[str, Any]] = {"name": "weekly report", "roles": ["sales"], "days": 90}

    name: Line
    roles: tuple[RoleField, ...] | None = Field(
        None, min_length=1, description="In these roles alone; in all, without."
    )
    days: int | None = Field(
        DEFAULT_DAYS,
        ge=1,
        le=36_500,
        strict=True,
        description=f"For so many days; {DEFAULT_DAYS} without, null: it never ends.",
    )


BODIES: tuple[type[Body], ...] = (SignIn, AcceptCode, SetUp, ChangePassword, MakeToken)


async def read_body(request: Request, model: type[B]) -> B:
    """What was sent; raises Problem 400, 413, 415 or 422."""
    return read_model(model, await read_json_bytes(request, MAX_BODY))
