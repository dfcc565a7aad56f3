"""Requests of a page in a browser: the cookie of its session, and whether it is our page that asks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from api.answers.problems import Problem
from api.services import Services, services_of

if TYPE_CHECKING:
    from policy import Actor
    from policy.identity.sessions import Session

SAFE = ("GET", "HEAD", "OPTIONS")
SESSION, OPENID = "genjin_session", "genjin_openid"
"""The cookies; behind TLS their names begin with `__Host-`, so that no other host can set them."""
LONGEST_COOKIE = 4096


def is_secure(request: Request) -> bool:
    """Whether the browser reaches the service by TLS, as far as a proxy that is believed, or the operator, says."""
    return request.url.scheme == "https" or (services_of(request).identity.public_url or "").startswith("https:")


def cookie(request: Request, name: str) -> str | None:
    """What one of our cookies holds."""
    if not request.cookies:
        return None
    held = request.cookies.get(f"__Host-{name}" if is_secure(request) else name)
    return held if held and len(held) <= LONGEST_COOKIE else None


def set_cookie(request: Request, response: Response, name: str, holds: str, seconds: int) -> None:
    """Give the browser a cookie that no script can read and no other site can send along with a change."""
    secure = is_secure(request)
    response.set_cookie(
        f"__Host-{name}" if secure else name, holds, max_age=seconds, secure=secure, httponly=True, samesite="lax"
    )


def drop_cookie(request: Request, response: Response, name: str) -> None:
    """Let the browser forget a cookie."""
    set_cookie(request, response, name, "", 0)


async def by_session(request: Request) -> tuple[Session, Actor] | None:
    """The session of the page that asks, and who acts in it; none when it has none that goes on.

    A change must prove that it is our page that asks: raises Problem 403.
    """
    text = cookie(request, SESSION)
    if text is None:
        return None
    crm: Services = services_of(request)
    found = await run_in_threadpool(crm.identity.sessions.find, text)
    if found is not None and request.method not in SAFE:
        require_same_origin(request)
        if not found[0].confirms(request.headers.get("x-csrf-token", "")):
            raise Problem(403, "csrf-token-missing")
    return found


def require_same_origin(request: Request) -> None:
    """Go on if the browser says that one of our pages asks, or nothing about it; raises Problem 403."""
    own = {f"{request.url.scheme}://{request.headers.get('host', '')}", services_of(request).identity.public_url}
    origin = request.headers.get("origin")
    if origin is not None and origin.lower() not in {each.lower() for each in own if each}:
        raise Problem(403, "foreign-origin", {"origin": origin[:100]})
    if request.headers.get("sec-fetch-site", "none") not in ("same-origin", "none"):
        raise Problem(403, "foreign-origin", {"origin": origin[:100] if origin else None})
