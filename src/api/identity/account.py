"""A member's own account: who it is, its session, its password."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from api.identity.asking import OWN, Asking, member_asking, with_token
from api.identity.bodies import ChangePassword, SignIn, read_body
from api.identity.working import hashing, private
from api.requests.asking import ask
from api.requests.identity import unauthenticated
from api.requests.pages import SESSION, cookie, drop_cookie, require_same_origin, set_cookie
from api.requests.standing import admission
from api.services import Services, services_of
from policy.identity.members import acting_member
from policy.identity.sessions import Session

NOWHERE = "-"
"""Stands for an address on the network that is not known."""


async def read_me(request: Request) -> Response:
    """Who is asking: the member, the roles that this request may act in, and how it has signed in."""
    asking = await member_asking(request, OWN)
    return private(await run_in_threadpool(lambda: with_token(asking, request).me()))


async def sign_in(request: Request) -> Response:
    """Sign in with an e-mail address and a password; the answer brings the cookie of a session.
    The session is a new one, whatever cookie was sent. Too many wrong passwords are 429, with `Retry-After`."""
    ask(request, (), None, b"")
    require_same_origin(request)
    given = await read_body(request, SignIn)
    crm: Services = services_of(request)
    session = await hashing(
        request,
        crm.identity.entrance.by_password,
        given.email,
        given.password.get_secret_value(),
        network(request),
        instead_of=cookie(request, SESSION),
    )
    return await begun(request, session)


async def read_session(request: Request) -> Response:
    """The session of this page: who has signed in, and the token that changes need in X-CSRF-Token.
    Without a session that goes on it is 401."""
    asking = await member_asking(request, OWN)
    if asking.session is None:
        raise unauthenticated()
    return private(await run_in_threadpool(_shown, asking, asking.session))


async def sign_out(request: Request) -> Response:
    """Sign out: the session is over, for every process at once."""
    asking = await member_asking(request, OWN)
    if asking.session is None:
        raise unauthenticated()
    await run_in_threadpool(asking.crm.identity.sessions.end, asking.session.text)
    answer = private({"ended": True})
    drop_cookie(request, answer, SESSION)
    return answer


async def change_password(request: Request) -> Response:
    """Choose another password; every other session of the member ends.
    Tokens stay: `DELETE /tokens` revokes them."""
    asking = await member_asking(request, OWN)
    given = await read_body(request, ChangePassword)
    ended = await hashing(
        request,
        asking.crm.identity.entrance.change_password,
        asking.member_id,
        given.current_password.get_secret_value(),
        given.new_password.get_secret_value(),
        network(request),
        kept_session=asking.session.text if asking.session else None,
        admit=admission(asking.crm, asking.actor),
    )
    return private({"sessions_ended": ended})


async def begun(request: Request, session: Session) -> Response:
    """The answer to whoever has just signed in."""
    crm: Services = services_of(request)

    def shown() -> Any:
        actor = acting_member(crm.identity.members, session.member_id, "web")
        if actor is None:
            raise unauthenticated()
        return _shown(Asking(actor, session.member_id, crm, session, None), session)

    answer = private(await run_in_threadpool(shown), 201, {"Location": "/api/v1/session"})
    give_session(request, answer, session)
    return answer


def give_session(request: Request, answer: Response, session: Session) -> None:
    """Let the browser keep the session for as long as it can last."""
    seconds = int((session.expires_at - datetime.now(UTC)).total_seconds())
    set_cookie(request, answer, SESSION, session.text, max(1, seconds))


def network(request: Request) -> str:
    """The address on the network that a request comes from, as far as a proxy that is believed says."""
    return request.client.host if request.client else NOWHERE


def _shown(asking: Asking, session: Session) -> dict[str, Any]:
    lifetimes = asking.crm.identity.sessions.lifetimes
    return {
        "member": asking.me(),
        "csrf_token": session.csrf_token,
        "begun_by": session.begun_by,
        "created_at": session.created_at,
        "idle_until": min(datetime.now(UTC) + lifetimes.idle, session.expires_at),
        "expires_at": session.expires_at,
    }
