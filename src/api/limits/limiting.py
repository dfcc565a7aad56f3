"""Limits on how much is asked: by one token, from one address, without a valid token, and by all together.

They hold for each process by itself: what several processes answer together is as many times as much.
"""

from __future__ import annotations

import hashlib
import re
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from math import ceil
from threading import Lock
from time import monotonic

from anyio import CapacityLimiter, to_thread
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.answers.problems import Problem, response
from api.limits.buckets import MOST_KNOWN, MOST_WAITING, Buckets, Limits

UNLIMITED = frozenset({"/healthz"})
"""What touches nothing, so that whoever looks after the process always learns that it lives."""
OPEN = ("/readyz", "/metrics", "/api/v1/docs", "/api/v1/openapi.json", "/api/v1/problems/")
"""What is told to anybody, so that nobody there is taken for one who guesses tokens."""
RETRY_SECONDS = 2
_SESSION = re.compile(rb"(?:^|;)\s*(?:__Host-)?genjin_session=([^;]+)")
LARGEST_HEAD = 16_384
"""Bytes of an address and headers together."""
MOST_HEADERS = 100


class Limited:
    """The app, which answers 429 and 503 at once where there is too much."""

    def __init__(self, app: ASGIApp, limits: Limits) -> None:
        self._app = app
        self._tokens: Buckets[bytes] = Buckets(limits.token)
        self._addresses: Buckets[str] = Buckets(limits.address)
        self._unauthenticated: Buckets[str] = Buckets(limits.unauthenticated)
        self._most_waiting = limits.most_waiting
        self._valid: OrderedDict[bytes | None, None] = OrderedDict()
        """Tokens that were good when they came last: they are not held up by others behind the same address."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer the request, or say when to come again."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        address, token = _address(scope), _token(scope)
        try:
            require_small_head(scope)
            if scope["path"] not in UNLIMITED:
                self._admit(address, token, scope["path"], monotonic())
        except Problem as problem:
            await response(problem, Request(scope))(scope, receive, send)
            return

        async def noting(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._note(address, token, message["status"])
            await send(message)

        await self._app(scope, receive, noting)

    def _admit(self, address: str, token: bytes | None, path: str, now: float) -> None:
        """Go on where there is something left for this one; raises Problem 429 and 503."""
        if (
            token not in self._valid
            and (wait := self._unauthenticated.wait(address, now))
            and not path.startswith(OPEN)
        ):
            raise _come_again("too-many-unauthenticated", wait)
        if wait := self._addresses.take(address, now):
            raise _come_again("too-many-requests", wait)
        if token is not None and (wait := self._tokens.take(token, now)):
            raise _come_again("too-many-requests", wait)
        require_room(to_thread.current_default_thread_limiter(), self._most_waiting)

    def _note(self, address: str, token: bytes | None, status: int) -> None:
        if status == 401:
            self._unauthenticated.take(address, monotonic())
            if token is not None:
                self._valid.pop(token, None)
        elif token is not None and token not in self._valid and status < 400:
            self._valid[token] = None
            if len(self._valid) > MOST_KNOWN:
                self._valid.popitem(last=False)


def require_small_head(scope: Scope) -> None:
    """Go on where the address and headers are of a usual size; raises Problem 431.

    The reader of HTTP counts only what comes in several pieces.
    """
    headers = scope["headers"]
    size = len(scope.get("raw_path") or b"") + len(scope["query_string"])
    for name, value in headers:
        size += len(name) + len(value) + 4
    if size > LARGEST_HEAD or len(headers) > MOST_HEADERS:
        values = {"limit": LARGEST_HEAD, "most": MOST_HEADERS}
        raise Problem(431, "headers-too-large", values, headers={"Connection": "close"})


def require_room(limiter: CapacityLimiter, most: int = MOST_WAITING) -> None:
    """Go on where not too many wait for a thread already; raises Problem 503."""
    if limiter.available_tokens <= 0 and limiter.statistics().tasks_waiting >= most:
        raise overloaded()


@contextmanager
def one_at_a_time(lock: Lock) -> Iterator[None]:
    """Do what takes long only once at a time in a process; raises Problem 503 where it is being done already."""
    if not lock.acquire(blocking=False):
        raise overloaded()
    try:
        yield
    finally:
        lock.release()


def overloaded() -> Problem:
    """503: more is waiting than can be answered soon."""
    return Problem(503, "overloaded", {"seconds": RETRY_SECONDS}, headers={"Retry-After": str(RETRY_SECONDS)})


def _come_again(code: str, wait: float) -> Problem:
    seconds = max(1, ceil(wait))
    return Problem(429, code, {"seconds": seconds}, headers={"Retry-After": str(seconds)})


def _address(scope: Scope) -> str:
    return scope["client"][0] if scope.get("client") else ""


def _token(scope: Scope) -> bytes | None:
    """What stands for the token or the session that was sent, if one was; neither itself is kept."""
    in_cookie: bytes | None = None
    for name, value in scope["headers"]:
        if name == b"authorization":
            return hashlib.blake2b(value, digest_size=16).digest()
        if name == b"cookie" and (found := _SESSION.search(value)):
            in_cookie = found[1]
    return None if in_cookie is None else hashlib.blake2b(in_cookie, digest_size=16, person=b"session").digest()
