"""Who is asking: a bearer token becomes an Actor, remembered for a few seconds; else the session of a page does."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Callable
from threading import Lock
from time import monotonic
from typing import TYPE_CHECKING

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from api.answers.problems import Problem
from api.noted import note_actor
from api.requests.pages import by_session

if TYPE_CHECKING:
    from policy import Actor
    from policy.identity.sessions import Session

REMEMBERED_SECONDS = 5.0
MAX_REMEMBERED = 10_000
MAX_TOKEN = 512
CHALLENGE = 'Bearer realm="genjin"'


class Identities:
    """Asks whose token it is, and remembers the answer for a few seconds; a revoked token reads no longer than that.

    What writes does not rely on it: the credential of the actor is checked in the transaction that writes.
    """

    def __init__(self, look_up: Callable[[str], Actor | None], seconds: float = REMEMBERED_SECONDS) -> None:
        self._look_up = look_up
        self._seconds = seconds
        self._known: OrderedDict[bytes, tuple[float, Actor]] = OrderedDict()
        self._lock = Lock()

    def remembered(self, token: str) -> Actor | None:
        """The actor, if it was asked for a moment ago."""
        found = self._known.get(_digest(token))
        return found[1] if found and found[0] > monotonic() else None

    def actor_of(self, token: str) -> Actor | None:
        """The actor, asked for anew; an unknown token is not remembered, so that a new one works at once."""
        actor = self._look_up(token)
        if actor is not None:
            with self._lock:
                self._known[_digest(token)] = (monotonic() + self._seconds, actor)
                self._known.move_to_end(_digest(token))
                while len(self._known) > MAX_REMEMBERED:
                    self._known.popitem(last=False)
        return actor

    def forget(self) -> None:
        """Ask for every token anew: one was revoked, or was found to have ended."""
        with self._lock:
            self._known.clear()


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()


async def identify(request: Request) -> Actor:
    """Who sent this request; raises Problem 401 with what to send, and 403 where it may be another site's page."""
    if "authorization" not in request.headers and (in_session := await by_session(request)):
        request.state.session = in_session[0]
        return _noted(request, in_session[1])
    if not (token := bearer_of(request)):
        raise unauthenticated()
    identities: Identities = request.app.state.identities
    actor = identities.remembered(token) or await run_in_threadpool(identities.actor_of, token)
    if actor is None:
        raise unauthenticated(f'{CHALLENGE}, error="invalid_token"')
    return _noted(request, actor)


def _noted(request: Request, actor: Actor) -> Actor:
    """The same, remembered for whatever else the request comes to."""
    request.state.actor = actor
    note_actor(request.scope, actor.id)
    return actor


def bearer_of(request: Request) -> str:
    """The bearer token that was sent; empty without one."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    token = token.strip()
    return token if scheme.lower() == "bearer" and len(token) <= MAX_TOKEN else ""


def session_in(request: Request) -> Session | None:
    """The session of a request that was identified; none when a token was sent."""
    found: Session | None = getattr(request.state, "session", None)
    return found


def unauthenticated(challenge: str = CHALLENGE) -> Problem:
    """401: who asks is not known, or may not act."""
    return Problem(401, "unauthenticated", headers={"WWW-Authenticate": challenge})
