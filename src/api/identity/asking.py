"""Who a request about signing in comes from, and what it may do."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from starlette.requests import Request

from aggregates.choices import Role
from aggregates.member import Member
from api.requests.asking import ask
from api.requests.identity import bearer_of, identify, session_in
from api.services import Services, services_of
from policy import Actor, Forbidden
from policy.identity.sessions import Session
from policy.identity.tokens import Token

OWN = "use-own-account"
"""See oneself, change one's password, have tokens: whoever has signed in may, in any role or none."""
OTHERS = "let-members-in"
"""Give others a code to choose a password with; see, make and revoke their tokens."""


@dataclass(frozen=True)
class Asking:
    """A member who asks, and what it has signed in with."""

    actor: Actor
    member_id: UUID
    crm: Services
    session: Session | None
    token: Token | None

    @property
    def ends_at(self) -> datetime | None:
        """When what it has signed in with ends."""
        return self.session.expires_at if self.session else self.token.expires_at if self.token else None

    def me(self) -> dict[str, object]:
        """Who is asking, as it is answered."""
        member = self.crm.ledger.load(Member, self.member_id)
        return {
            "id": self.member_id,
            "name": member.name,
            "email": member.email,
            "team_id": member.team_id,
            "roles": [str(role) for role in Role if role in self.actor.roles],
            "signed_in_by": "session" if self.session else "token",
            "token": self.token.name if self.token else None,
            "expires_at": self.ends_at,
        }


async def member_asking(request: Request, action: str) -> Asking:
    """The member who asks; raises Problem 401, and Forbidden for what it may not do."""
    actor = await identify(request)
    ask(request, (), None, b"")
    crm: Services = services_of(request)
    if action != OWN:
        crm.policy.require(actor, action)
    if actor.member_id is None:
        raise Forbidden(action=action, roles=())
    return Asking(actor, actor.member_id, crm, session_in(request), None)


def with_token(asking: Asking, request: Request) -> Asking:
    """The same with what is known of the token that was sent; asks the database."""
    if asking.session is not None:
        return asking
    token = asking.crm.identity.bearers.token(bearer_of(request))
    return Asking(asking.actor, asking.member_id, asking.crm, None, token)
