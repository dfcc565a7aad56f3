"""How members sign in here, as far as the operator decides it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta


@dataclass(frozen=True)
class Lifetimes:
    """How long a session lasts: without being used, and at the most."""

    idle: timedelta = timedelta(hours=12)
    most: timedelta = timedelta(days=14)


@dataclass(frozen=True)
class Client:
    """Who we are for an OpenID provider."""

    issuer: str
    id: str
    secret: str | None = field(repr=False)
    redirect_uri: str


@dataclass(frozen=True)
class SigningIn:
    """What was chosen; without an OpenID provider there are passwords alone."""

    public_url: str | None = None
    """Where people reach the service, where that is not the address that it listens at."""
    lifetimes: Lifetimes = field(default_factory=Lifetimes)
    openid: Client | None = None
