"""Who is asking: a bearer token becomes an Actor, remembered for a few seconds."""

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

if TYPE_CHECKING:
    from policy import Actor

REMEMBERED_SECONDS = 5.0
MAX_REMEMBERED = 10_000
MAX_TOKEN = 512


class Identities:
    """Asks whose token it is, and remembers the answer for a few seconds; a revoked token works no longer than that."""

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


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()


async def identify(request: Request) -> Actor:
    """Who sent this request; raises Problem 401 with what to send."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    token = token.strip()
    if scheme.lower() != "bearer" or not token or len(token) > MAX_TOKEN:
        raise _unauthenticated('Bearer realm="genjin"')
    identities: Identities = request.app.state.identities
    actor = identities.remembered(token) or await run_in_threadpool(identities.actor_of, token)
    if actor is None:
        raise _unauthenticated('Bearer realm="genjin", error="invalid_token"')
    request.state.actor = actor
    note_actor(request.scope, actor.id)
    return actor


def _unauthenticated(challenge: str) -> Problem:
    return Problem(401, "unauthenticated", headers={"WWW-Authenticate": challenge})
